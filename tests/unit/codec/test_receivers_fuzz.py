"""Mutated inputs by the million: each decoder raises our own errors alone, in bounded memory."""

from __future__ import annotations

import contextlib
import random
import resource
from collections.abc import Callable

import pytest

from skykeep.codec.capture import find_remote_id
from skykeep.codec.dji_id import decode_dji
from skykeep.codec.dronescout import decode_scouted
from skykeep.codec.french_id import decode_french
from skykeep.codec.mavlink import encode_frame, frames_of, remote_id_of, vehicle_of
from skykeep.codec.odid_struct import decode_struct, encode_struct
from skykeep.codec.pcap import read_packets, write_pcap
from skykeep.codec.remote_id import decode
from skykeep.codec.remote_id_auth import Authentication, verify
from skykeep.codec.remote_id_batch import decode_many
from skykeep.errors import InputError
from tests.unit.codec import test_bluetooth as ble
from tests.unit.codec.test_other_carriers import DJI_2, FRENCH
from tests.unit.codec.test_receivers import FRAMES, HERE, SERIAL, VEHICLE, scouted
from tests.unit.codec.test_remote_id_auth import AT_NS, CASES, packed
from tests.unit.feed.test_remote_id_live import PACK, beacon

SOAK, SAMPLE = 5_000_000, 1_500
#: What a decoder may add to the process: its tables, and the garbage of some inputs.
MOST_GROWTH_KB = 100_000


def _mavlink(data: bytes) -> None:
    for frame in frames_of(data):
        with contextlib.suppress(InputError):
            vehicle_of(frame) if frame.message_id == 246 else remote_id_of(frame)


def _packets(data: bytes) -> None:
    for _ in read_packets(data):
        pass


def _signed(data: bytes) -> None:
    keys = [key for key, _ in CASES]
    verify(Authentication(data[0] & 15 if data else 0, 240_000_000, data[1:90]), data, keys, AT_NS)


def _on(linktype: int) -> Callable[[bytes], object]:
    return lambda data: find_remote_id(linktype, data, dji=True)


WIFI = beacon(PACK)
DECODERS: dict[str, tuple[Callable[[bytes], object], list[bytes]]] = {
    "remote_id": (decode, [PACK[5:], PACK[8:33]]),
    "remote_id_batch": (lambda data: decode_many((data,)), [PACK[5:], PACK[8:33]]),
    "remote_id_auth": (_signed, [packed(whole) for _, whole in CASES]),
    "wifi": (_on(127), [WIFI, beacon(b"\x6a\x5c\x35\x01" + FRENCH[:60])]),
    "wifi_plain": (_on(105), [WIFI[9:]]),
    "wifi_ppi": (_on(192), [WIFI]),
    "bluetooth": (_on(251), [ble.LEGACY, ble.EXTENDED]),
    "bluetooth_header": (_on(256), [ble.phdr(ble.LEGACY, 0x0C02)]),
    "bluetooth_hci": (_on(187), [ble.h4(2, ble.report(ble.SERVICE))]),
    "bluetooth_nordic": (_on(272), [ble.nordic(ble.LEGACY, 2), ble.nordic(ble.EXTENDED, 3)]),
    "french": (decode_french, [FRENCH]),
    "dji": (decode_dji, [DJI_2]),
    "odid_struct": (decode_struct, [encode_struct((SERIAL, HERE))]),
    "dronescout": (decode_scouted, [scouted()]),
    "mavlink": (_mavlink, [*(encode_frame(i, d) for i, d, _ in FRAMES.values()),
                           encode_frame(246, VEHICLE, version=1)]),
    "pcap": (_packets, [write_pcap([(AT_NS, WIFI), (AT_NS, WIFI[:50])], 127)]),
}  # fmt: skip


def mutated(rng: random.Random, seeds: list[bytes]) -> bytes:
    """One input: a seed with a few bytes set, flipped, cut, doubled or joined to another."""
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.randrange(1, 6)):
        at, kind = rng.randrange(len(data) or 1), rng.randrange(8)
        if not data or kind == 0:
            data += rng.randbytes(rng.randrange(16))
        elif kind <= 3:
            data[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFE, 0xFF, rng.randrange(256)))
        elif kind == 4:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 5:
            del data[at : at + rng.randrange(8)]
        elif kind == 6:
            data[at:at] = data[at : at + rng.randrange(40)]
        elif rng.randrange(4) == 0:
            del data[at:]
        else:
            data[at:at] = rng.choice(seeds)[: rng.randrange(60)]
    return bytes(data)


def run(name: str, count: int, seed: int) -> None:
    decoder, seeds = DECODERS[name]
    rng = random.Random(seed)
    for _ in range(count):
        data = mutated(rng, seeds)
        try:
            decoder(data)
        except InputError:
            pass
        except Exception as error:
            raise AssertionError(f"{name} raises {error!r} on {data.hex()}") from error


@pytest.mark.parametrize("name", list(DECODERS))
def test_a_sample(name: str) -> None:
    run(name, SAMPLE, 1)


@pytest.mark.soak
@pytest.mark.parametrize("name", list(DECODERS))
def test_by_the_million(name: str) -> None:
    run(name, 10_000, 2)
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run(name, SOAK, 3)
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb
    assert grown_kb < MOST_GROWTH_KB
