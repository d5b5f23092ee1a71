"""Decoders: messages a second on one core, beside a peer where there is one.

Remote ID packs hold five messages, four of which say the same each time, as aircraft send them.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from bench.figure import Figure
from bench.hostile import beacon
from skykeep.codec import mavlink
from skykeep.codec.capture import find_remote_id
from skykeep.codec.remote_id import (
    BasicId,
    IdType,
    Location,
    OperatorId,
    SelfId,
    Status,
    System,
    UaType,
    decode,
    encode_pack,
)
from skykeep.codec.remote_id_batch import decode_many
from skykeep.core.geo import HeightAgl, HeightHae, HeightPressure
from skykeep.feed.remote_id import Assembler, Packet
from skykeep.units import NS_PER_S, SensorId

AIM_PACKS_PER_S = 400_000.0
RUNS = 5
AT_ONCE = 10_000
AIRCRAFT = 100
AT_NS = 1_789_249_680 * NS_PER_S
TENTHS = 1_789_249_680 % 3_600 * 10


def packs() -> list[bytes]:
    """A second of a hundred aircraft a hundred times a second: each location is new."""
    fixed = [
        (
            BasicId(IdType.SERIAL_NUMBER, UaType.HELICOPTER_OR_MULTIROTOR, f"MFG1A{n:010d}"),
            System(operator_lat_deg=49.5, operator_lon_deg=6.0),
            OperatorId(0, f"LUX-OP-{n}"),
            SelfId(0, "survey"),
        )
        for n in range(AIRCRAFT)
    ]
    made = []
    for i in range(AT_ONCE):
        step = i // AIRCRAFT
        location = Location(
            Status.AIRBORNE, 49.6 + step * 1e-5, 6.1, HeightHae(350.0), HeightPressure(310.0),
            HeightAgl(50.0), 90.0, 10.0, -2.0, 3.0, 3.0, 10.0, 1.0, 0.1, TENTHS,
        )  # fmt: skip
        made.append(encode_pack([*fixed[i % AIRCRAFT], location]))
    return made


def figures() -> list[Figure]:
    """The best of the runs: the work is the same each time, the machine is not."""
    made = packs()
    frames = [beacon(bytes((2, 0, 0, 0, 0, i % AIRCRAFT)), p) for i, p in enumerate(made)]
    few = made[:1_000]
    found = [
        Figure(
            "Remote ID packs, decoded together",
            _per_s(lambda: decode_many(made), AT_ONCE),
            "1/s",
            aim=AIM_PACKS_PER_S,
            note="five messages each; locations as columns, the others by kind and place",
        ),
        Figure(
            "Remote ID packs, one by one",
            _per_s(lambda: [decode(p) for p in few], len(few)),
            "1/s",
            note="every message as a value: the reference of the above",
        ),
        Figure(
            "Remote ID packs to a batch of claims",
            _per_s(lambda: _assembled(made), AT_ONCE),
            "1/s",
            note=f"of {AIRCRAFT} aircraft: decoded together, joined, hashed",
        ),
        Figure(
            "Wi-Fi frames searched for Remote ID",
            _per_s(lambda: [find_remote_id(127, f) for f in frames], AT_ONCE),
            "1/s",
        ),
    ]
    return [*found, *_mavlink()]


def _assembled(made: list[bytes]) -> None:
    packets = [Packet(AT_NS, f"{i % AIRCRAFT}", p) for i, p in enumerate(made)]
    Assembler(SensorId("rid")).take(packets)


def _mavlink() -> list[Figure]:
    """Frames of a location, decoded to its fields, and the same by pymavlink."""
    values = (495_000_000, 62_500_000, -1000.0, 350.5, 80.0, 1_799.5, 9_000, 500, 6_300, 0, 0,
              b"\1" * 20, 2, 0, 11, 0, 0, 0, 3)  # fmt: skip
    payload = mavlink.MESSAGES[mavlink.LOCATION][0].pack(*values)
    frame = mavlink.encode_frame(mavlink.LOCATION, payload)
    count = 2_000

    def ours() -> None:
        for _ in range(count):
            for found in mavlink.frames_of(frame):
                mavlink.remote_id_of(found)

    figures = [Figure("MAVLink locations", _per_s(ours, count), "1/s")]
    try:
        from pymavlink.dialects.v20 import common
    except ImportError:
        return figures
    peer = common.MAVLink(None)

    def theirs() -> None:
        for _ in range(count):
            peer.parse_buffer(frame)

    note = "fields as they are, not as values of Remote ID"
    return [
        *figures,
        Figure("MAVLink locations, pymavlink", _per_s(theirs, count), "1/s", note=note),
    ]


def _per_s(work: Callable[[], object], count: int) -> float:
    work()
    best_s = float("inf")
    for _ in range(RUNS):
        begun_s = time.perf_counter()
        work()
        best_s = min(best_s, time.perf_counter() - begun_s)
    return count / best_s
