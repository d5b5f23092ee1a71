"""Every kind of feed keeps its contract; and the check itself finds what does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import pytest

from skykeep.codec.asterix_radar import Plot, Service, encode_plot, encode_service
from skykeep.codec.cot import encode_xml
from skykeep.codec.mavlink import encode_frame
from skykeep.codec.mode_s import encode_extended
from skykeep.config import FeedSettings
from skykeep.core.event import Finding
from skykeep.core.observation import Batch, SensorKind
from skykeep.feed.conformance import AT_NS, SENSOR, faults_of
from skykeep.feed.contract import FeedKind
from skykeep.feed.inbox import Piece
from skykeep.feed.kinds import OURS
from skykeep.units import BatchId
from tests.sapient_messages import NODE, alert, detection, located, registration
from tests.sky import RADAR, plots
from tests.unit.codec.test_receivers import FRAMES, scouted
from tests.unit.feed.test_beast import CPR_PAIR, squitter
from tests.unit.feed.test_cot import event as upstream
from tests.unit.feed.test_remote_id_live import PACK, beacon

#: Good pieces of each kind. A kind without any fails the test: it is to be given some.
SAMPLES: dict[str, tuple[bytes, ...]] = {
    "sbs1": (
        b"MSG,4,1,1,4D0131,1,2026/09/12,23:59:59.900,2026/09/12,23:59:59.900,"
        b",,120.5,270.0,,,64,,,,,0\r",
        b"MSG,3,1,1,4D0131,1,2026/09/12,23:59:59.950,2026/09/12,23:59:59.950,"
        b",2500,,,49.6105,6.1302,,,0,0,0,0\r",
    ),
    "asterix": (
        encode_plot(
            Plot(
                25,
                1,
                128,
                74_080.0,
                90.0,
                False,
                False,
                True,
                "",
                "1000",
                3_048.0,
                None,
                "3c6dd2",
                "DLH1",
                7,
                False,
            )
        ),
        encode_service(Service(25, 1, 1, 256)),
    ),
    # An even and an odd report of one place, as frames without escapes; one answer of readsb.
    "beast": tuple(b"3" + bytes(7) + encode_extended("4d0131", squitter(cpr)) for cpr in CPR_PAIR),
    "aircraft_json": (
        b'{"now": 1789257600.5, "aircraft": [{"hex": "4d0131", "type": "adsb_icao", '
        b'"lat": 49.61, "lon": 6.13, "seen_pos": 0.3, "alt_baro": 2500, "nac_p": 9}]}',
    ),
    "cot": (encode_xml(upstream()), encode_xml(upstream("C2.8"))),
    "sapient": tuple(
        message.SerializeToString()
        for message in (registration(AT_NS), detection(AT_NS), located(AT_NS), alert(AT_NS))
    ),
    "remote_id_radio": (beacon(PACK),),
    "dronescout": (scouted(),),
    "mavlink": tuple(encode_frame(i, data) for i, data, _ in FRAMES.values()),
    "json": (
        b'{"batch_id": "conformance:1", "observations": [{"sensor": "conformance", '
        b'"time": "2026-09-13T00:00:00Z", "bearing": {"azimuth_deg": 10, '
        b'"sigma_azimuth_deg": 1}}]}\n',
        b'{"batch_id": "conformance:2", "sensor": "conformance", "observations": []}',
    ),
}
#: What a kind must be told to know its samples.
SETTINGS: dict[str, FeedSettings] = {
    "asterix": FeedSettings(
        "conformance",
        SENSOR,
        "asterix",
        "",
        {"sources": {"25/1": str(RADAR.sensor_id)}},
        {str(RADAR.sensor_id): replace(RADAR, kind=SensorKind.RADAR)},
    ),
    "sapient": FeedSettings(
        "conformance", SENSOR, "sapient", "", {"nodes": {NODE: "radar"}}, {"radar": RADAR}
    ),
    "remote_id_radio": FeedSettings(
        "conformance", SENSOR, "remote_id_radio", "", {"legal_basis": "a law"}
    ),
}


@pytest.mark.parametrize("kind", OURS, ids=lambda k: k.name)
def test_ours_hold(kind: FeedKind) -> None:
    assert faults_of(kind, SAMPLES[kind.name], SETTINGS.get(kind.name)) == []


class Decoder:
    """A good one; those below have one fault each."""

    def __init__(self) -> None:
        self.count = 0

    def push(self, pieces: Sequence[Piece]) -> Iterable[Batch]:
        for piece in pieces:
            self.count += 1
            batch_id = BatchId(f"{piece.at_ns}:{self.count}")
            yield replace(plots(1.0, (1.0, 2.0, 3.0)), sensor_id=SENSOR, batch_id=batch_id)

    def note(self, finding: Finding) -> None: ...

    def close(self) -> Batch | None:
        return None


class Silent(Decoder):
    def push(self, pieces: Sequence[Piece]) -> Iterable[Batch]:
        return ()


class Raises(Decoder):
    def push(self, pieces: Sequence[Piece]) -> Iterable[Batch]:
        if any(len(piece.data) > 1_000 for piece in pieces):
            raise ValueError("too long")
        return super().push(pieces)


class Twice(Decoder):
    def push(self, pieces: Sequence[Piece]) -> Iterable[Batch]:
        for piece in pieces:
            for batch in super().push([piece, piece]):
                yield replace(batch, batch_id=BatchId(str(piece.at_ns)))


class Again(Decoder):
    def push(self, pieces: Sequence[Piece]) -> Iterable[Batch]:
        for batch in super().push(pieces):
            yield replace(batch, batch_id=BatchId(str(self.count)))


class Remembers(Decoder):
    made = 0

    def push(self, pieces: Sequence[Piece]) -> Iterable[Batch]:
        Remembers.made += 1
        for batch in super().push(pieces):
            yield replace(batch, batch_id=BatchId(f"{batch.batch_id}:{Remembers.made}"))


class Foreign(Decoder):
    def push(self, pieces: Sequence[Piece]) -> Iterable[Batch]:
        return (plots(1.0, (1.0, 2.0, 3.0)) for _ in list(super().push(pieces))[:1])


@pytest.mark.parametrize(
    ("made", "found"),
    [
        (Decoder, []),
        (Silent, ["no sample gives an observation"]),
        (Raises, ["it raises on broken bytes: ValueError('too long')"]),
        (Twice, ["two batches have the same id"]),
        (Again, ["batch ids come again after a restart: put the receipt time into them"]),
        (Remembers, ["the same pieces give other batches the second time"]),
        (Foreign, ["a batch is not of the sensor that it was made for"]),
    ],
)
def test_one_fault_each_is_found(made: Callable[[], Decoder], found: list[str]) -> None:
    kind = FeedKind("x", "", ("udp",), (SensorKind.RADAR,), lambda _: made())
    said = [words.partition(" on b'")[0] for words in faults_of(kind, (b"one", b"two"))]
    assert set(found) <= set(said)
    assert bool(said) == bool(found)
