"""Live Remote ID: radio, MQTT, MAVLink; who is let in; sources that go and come back."""

from __future__ import annotations

import base64
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import publish

from skykeep.codec.dji_id import encode_dji
from skykeep.codec.mavlink import encode_frame
from skykeep.codec.odid_struct import encode_struct
from skykeep.codec.remote_id import OperatorLocation, System, encode_pack
from skykeep.config import FeedSettings, Option
from skykeep.core.event import Severity
from skykeep.core.observation import Batch, OperatorPosition, Scheme
from skykeep.errors import InputError
from skykeep.feed.admission import (
    AGAIN_PER_S,
    FORGET_NS,
    MOST_NEW,
    MOST_OF_ONE_PER_S,
    NEW_PER_S,
    Admission,
)
from skykeep.feed.conformance import faults_of
from skykeep.feed.contract import FeedKind
from skykeep.feed.inbox import Inbox, Piece
from skykeep.feed.monitor import Monitor
from skykeep.feed.remote_id import Packet
from skykeep.feed.remote_id_live import DRONESCOUT, MAVLINK, RADIO, keys_of
from skykeep.feed.serial_port import SerialPort
from skykeep.feed.sources import source_of
from skykeep.service.feeds import Feed
from skykeep.units import NS_PER_S, SensorId
from tests.unit.codec.test_receivers import FRAMES, HERE, SERIAL, VEHICLE, scouted
from tests.unit.codec.test_remote_id_auth import ED_KEY, ED_PUBLIC
from tests.unit.codec.test_remote_id_auth import SERIAL as SIGNER

AT_NS = 1_789_257_600_000_000_000
MAC = bytes.fromhex("84cca8604324")
BASIS: dict[str, Option] = {"legal_basis": "Prison Act, section 4"}


def named(kind: str, address: str = "", **options: Option) -> FeedSettings:
    return FeedSettings("rid", SensorId("rid-1"), kind, address, options)


def beacon(vendor: bytes, mac: bytes = MAC) -> bytes:
    """Radiotap with a signal of -48 dBm, then a beacon with one vendor element."""
    head = b"\x80\0\0\0" + b"\xff" * 6 + mac + mac + b"\0\0" + bytes(12)
    return b"\0\0\x09\0\x20\0\0\0\xd0" + head + bytes((221, len(vendor))) + vendor


OPERATOR = System(OperatorLocation.FIXED, 49.0, 6.0)
PACK = b"\xfa\x0b\xbc\x0d\x01" + encode_pack([SERIAL, HERE, OPERATOR])
DJI = b"\x26\x37\x12\x58\x62\x13\x10" + encode_dji(HERE, "DJI-SERIAL-1")


def decoded(kind: FeedKind, settings: FeedSettings, *data: bytes) -> list[Batch]:
    pieces = [Piece(AT_NS + i, d, "peer") for i, d in enumerate(data)]
    return list(kind.decoder(settings).push(pieces))


def test_what_every_decoder_has_to_stand_with_all_switched_on() -> None:
    """As tests/unit/feed/test_conformance.py, which has the decoders as they are by default."""
    options = BASIS | {"dji": "Prison Act", "operator_positions": "Prison Act"}
    settings = named("remote_id_radio", **options)
    assert faults_of(RADIO, [beacon(PACK), beacon(DJI)], settings) == []


def test_what_is_personal_needs_its_basis_in_words() -> None:
    for kind, data in ((RADIO, beacon(PACK)), (DRONESCOUT, with_operator())):
        options = BASIS if kind is RADIO else {}
        (batch,) = decoded(kind, named(kind.name, **options), data)
        assert batch.operators == ()
        decided = options | {"operator_positions": "Prison Act, section 5"}
        (batch,) = decoded(kind, named(kind.name, **decided), data)
        assert batch.operators == (OperatorPosition(49.0, 6.0, "fixed"),)
    assert decoded(RADIO, named("r", **BASIS), beacon(DJI)) == []
    with pytest.raises(InputError, match="legal_basis"):
        RADIO.decoder(named("remote_id_radio"))
    for name in ("legal_basis", "operator_positions", "dji"):
        with pytest.raises(InputError, match="is empty"):
            RADIO.decoder(named("remote_id_radio", **(BASIS | {name: " "})))
    with pytest.raises(InputError, match="no radio"):
        RADIO.decoder(named("remote_id_radio", **(BASIS | {"linktype": 1})))


def with_operator() -> bytes:
    struct = encode_struct((SERIAL, HERE, OPERATOR))
    return scouted(UASdata=base64.b64encode(struct).decode())


def test_keys_from_the_site_file() -> None:
    words = f"message_set {SIGNER} {ED_PUBLIC.hex()}"
    assert keys_of(named("x", keys={"patrol 1": words})) == (ED_KEY,)
    for text, why in (
        ("message_set X", "three or four"),
        ("rsa X 00", "cannot be read"),
        ("drip X zz 00", "cannot be read"),
        (f"message_set X {'00' * 31}", "31 bytes"),
    ):
        with pytest.raises(InputError, match=why):
            keys_of(named("x", keys={"k": text}))


def test_aircraft_with_adsb_beside_drones() -> None:
    drone, plane = decoded(
        MAVLINK, named("mavlink"), encode_frame(*FRAMES["basic"][:2]),
        encode_frame(*FRAMES["location"][:2]) + encode_frame(246, VEHICLE),
    )  # fmt: skip
    claims = [b.claim_at(0) for b in (drone, plane)]
    assert [c and (c.scheme, c.identity, c.crewed) for c in claims] == [
        (Scheme.REMOTE_ID, "MFG1A0123456789", False),
        (Scheme.ADSB, "3c65ac", True),
    ]
    assert int(plane.event_time_ns[0]) == AT_NS + 1 - NS_PER_S
    assert plane.values.tolist() == [[49.5, 6.25, 350.5]]


# -- who is let in -------------------------------------------------------------------------


def spoken(name: str, at_ns: int) -> Packet:
    return Packet(at_ns, name, b"x")


def test_without_a_crowd_everybody_is_let_in_at_the_first_word() -> None:
    door = Admission()
    packets = [spoken(f"t{n}", AT_NS) for n in range(NEW_PER_S)]
    assert door.admit(packets) == packets
    assert (door.shed, door.digest) == (0, "")


def test_who_speaks_again_goes_before_who_spoke_once() -> None:
    door, let_in = Admission(), []
    for second in range(6):
        at_ns = AT_NS + second * NS_PER_S
        invented = [spoken(f"fake-{second}-{n}", at_ns + n) for n in range(2_000)]
        mine = spoken("real", at_ns + 900_000_000)
        let_in.append(mine in door.admit([*invented, mine]))
    assert let_in == [False, True, True, True, True, True]
    assert door.shed == 6 * (2_000 - NEW_PER_S) + 1
    assert door.shed_bytes == door.shed
    assert len(door.digest) == 64


def test_who_was_there_before_stays_whatever_comes() -> None:
    door = Admission(most_known=5)
    assert door.admit([spoken("real", AT_NS)])
    for second in range(1, 60):
        at_ns = AT_NS + second * NS_PER_S
        crowd = [spoken(f"fake-{n}", at_ns) for n in range(100)]
        assert spoken("real", at_ns) in door.admit([*crowd, spoken("real", at_ns)])
    assert len(door._known) == 5


def test_one_that_shouts_is_let_in_no_more_often() -> None:
    door = Admission()
    for second in range(2):
        shouted = [spoken("loud", AT_NS + second * NS_PER_S + n) for n in range(100)]
        assert len(door.admit(shouted)) == MOST_OF_ONE_PER_S


def test_the_silent_make_room_and_memory_is_bounded() -> None:
    door = Admission(most_known=1)
    door.admit([spoken("a", AT_NS)])
    assert not door.admit([spoken("b", AT_NS + NS_PER_S)])
    assert door.admit([spoken("b", AT_NS + FORGET_NS + 1)])
    crowd = Admission()
    crowd.admit([spoken(f"{n}", AT_NS + n) for n in range(MOST_NEW + 500)])
    assert len(crowd._new) <= MOST_NEW
    again = [spoken(f"{n}", AT_NS + NS_PER_S) for n in range(1_000, 2_000)]
    assert len(crowd.admit(again)) == AGAIN_PER_S + NEW_PER_S


def test_what_was_left_out_is_told_in_the_record() -> None:
    decoder = RADIO.decoder(named("remote_id_radio", **BASIS))
    crowd = [beacon(PACK, n.to_bytes(6, "big")) for n in range(100)]
    (batch,) = decoder.push([Piece(AT_NS, data) for data in crowd])
    (found,) = [f for f in batch.findings if f.severity is Severity.ERROR]
    assert found.problem == "more speak than can be followed"
    assert found.assumed.startswith(f"{100 - NEW_PER_S} messages of ")
    assert decoder.shed == 100 - NEW_PER_S  # type: ignore[attr-defined]


# -- sources -------------------------------------------------------------------------------


class Heard:
    """A feed at work as the service runs it, but for the writer."""

    def __init__(self, kind: FeedKind, settings: FeedSettings) -> None:
        self.feed = Feed(settings, kind, time.time_ns)
        self.thread = threading.Thread(target=self.feed.watch, daemon=True)
        self.thread.start()
        self.batches: list[Batch] = []

    def until(self, what: Callable[[], bool], seconds: float = 20.0) -> None:
        end = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < end, self.feed.state()
            batches, waiting = self.feed.decode()
            self.batches += batches
            self.feed.settle(waiting, True)

    def rows(self) -> int:
        return sum(map(len, self.batches))

    def stop(self) -> None:
        self.feed.stop()
        self.thread.join(10)
        assert not self.thread.is_alive()


@pytest.fixture
def heard() -> Iterator[Callable[..., Heard]]:
    made: list[Heard] = []

    def start(kind: FeedKind, settings: FeedSettings) -> Heard:
        made.append(Heard(kind, settings))
        return made[-1]

    yield start
    for one in made:
        one.stop()


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


#: Debian puts it where not everybody's PATH leads.
MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")


@pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")
def test_a_broker_that_is_killed_and_comes_back(
    heard: Callable[..., Heard], tmp_path: Path
) -> None:
    port = free_port()
    config = tmp_path / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    command = [str(MOSQUITTO), "-c", str(config)]

    def broker() -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def send(step: int) -> None:
        lat = HERE.lat_deg or 0.0
        moved = type(HERE)(lat_deg=lat + step / 1_000, lon_deg=HERE.lon_deg)
        uas = base64.b64encode(encode_struct((SERIAL, moved))).decode()
        publish.single("rid/ds230", scouted(UASdata=uas), qos=1, hostname="127.0.0.1", port=port)

    first = broker()
    try:
        one = heard(DRONESCOUT, named("dronescout", f"mqtt://127.0.0.1:{port}/rid/%23"))
        one.until(lambda: one.feed.inbox.arrived().connected)
        for step in range(30):  # more than a broker gives before the first is acknowledged
            send(step)
        one.until(lambda: one.rows() == 30)
        first.kill()
        first.wait()
        one.until(lambda: not one.feed.inbox.arrived().connected)
        assert one.feed.trouble()
        first = broker()
        one.until(lambda: one.feed.inbox.arrived().connected)
        send(99)
        one.until(lambda: one.rows() == 31)
        assert one.feed.inbox.arrived().connects == 2
        assert one.feed.trouble() == ""
        said = [f.problem for b in one.batches for f in b.findings]
        assert any("lost" in p or "refused" in p.lower() for p in said)
    finally:
        first.kill()
        first.wait()


def test_addresses_of_brokers() -> None:
    for address in ("mqtt://127.0.0.1", "mqtt://u:p@h/topic", "mqtt://h:x/topic"):
        with pytest.raises(InputError, match="broker"):
            source_of(DRONESCOUT, named("dronescout", address), time.time_ns)


def test_mavlink_over_datagrams(heard: Callable[..., Heard]) -> None:
    port = free_port(socket.SOCK_DGRAM)
    one = heard(MAVLINK, named("mavlink", f"udp://127.0.0.1:{port}"))
    one.until(lambda: one.feed.inbox.arrived().connected)
    data = encode_frame(*FRAMES["basic"][:2]) + encode_frame(*FRAMES["location"][:2])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(data, ("127.0.0.1", port))
    one.until(lambda: one.rows() == 1)
    claim = one.batches[0].claim_at(0)
    assert claim is not None
    assert (claim.identity, claim.transmitter) == ("MFG1A0123456789", "aa:bb:cc:dd:ee:ff")


def test_mavlink_over_a_serial_port(heard: Callable[..., Heard]) -> None:
    master, slave = os.openpty()
    try:
        path = os.ttyname(slave)
        one = heard(MAVLINK, named("mavlink", f"serial://{path}?baud=57600"))
        one.until(lambda: one.feed.inbox.arrived().connected)
        data = encode_frame(246, VEHICLE, version=1)
        os.write(master, b"noise" + data[:9])
        os.write(master, data[9:])
        one.until(lambda: one.rows() == 1)
    finally:
        os.close(slave)
        os.close(master)
    one.until(lambda: not one.feed.inbox.arrived().connected)


def test_addresses_of_serial_ports() -> None:
    for address, why in (
        ("serial:///etc/passwd", "no device"),
        ("serial:///dev/ttyS0?baud=7", "no speed"),
    ):
        with pytest.raises(InputError, match=why):
            source_of(MAVLINK, named("mavlink", address), time.time_ns)
    stop = threading.Event()
    inbox = Inbox(time.time_ns, 10, 1_000, 10)
    with pytest.raises(InputError, match="no serial port"):
        SerialPort(named("m", "serial:///dev/null"), MAVLINK.framer or Any).run(inbox, stop)


def test_a_monitored_interface_by_a_pair_of_sockets() -> None:
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    source = Monitor(named("r", "packet://wlan1mon", **BASIS), lambda name: here)
    inbox, stop = Inbox(time.time_ns, 100, 100_000, 1_000), threading.Event()
    thread = threading.Thread(target=source.run, args=(inbox, stop))
    thread.start()
    data_frame = beacon(PACK).replace(b"\x80\0\0\0", b"\x88\0\0\0", 1)
    for frame in (b"", data_frame, beacon(PACK)):
        there.send(frame)
    (piece,) = inbox.take(10, 5.0)
    stop.set()
    thread.join(5)
    there.close()
    assert piece.data == beacon(PACK)
    (batch,) = decoded(RADIO, named("r", **BASIS), piece.data)
    assert len(batch) == 1


def test_a_packet_socket_of_the_kernel() -> None:
    """Over the loopback interface, as no radio is here."""
    try:
        sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    except PermissionError:
        pytest.skip("packet sockets need CAP_NET_RAW")
    inbox, stop = Inbox(time.time_ns, 100, 100_000, 10_000), threading.Event()
    source = Monitor(named("r", "packet://lo", **BASIS))
    thread = threading.Thread(target=source.run, args=(inbox, stop))
    thread.start()
    found: list[Piece] = []
    with sender:
        sender.bind(("lo", 0))
        end = time.monotonic() + 10
        while not any(p.data == beacon(PACK) for p in found):
            assert time.monotonic() < end
            sender.send(beacon(PACK))
            found += inbox.take(100, 0.1)
    stop.set()
    thread.join(5)


def test_an_interface_that_is_not_there() -> None:
    inbox = Inbox(time.time_ns, 1, 1, 1)
    with pytest.raises(InputError, match="packet nosuch0"):
        Monitor(named("r", "packet://nosuch0")).run(inbox, threading.Event())
    with pytest.raises(InputError, match="names no interface"):
        Monitor(named("r", "packet://"))
