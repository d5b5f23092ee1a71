"""Ten thousand invented drones a second, and what that does to the alerts of real ones.

The site is played in real time on a clock of its own, which work moves on: pieces and radar
turns come when they are due, the engine and the durable record take them group by group as the
service does, and a group is done when its work is done. How late an alert is, is the moment at
which its group is done after the moment it was due without the crowd.
"""

from __future__ import annotations

import math
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.figure import Figure
from skykeep.codec.remote_id import BasicId, IdType, Location, Status, UaType, encode_pack
from skykeep.config import FeedSettings
from skykeep.core.airspace import Airspace, RegisterSensor, Site
from skykeep.core.event import Actor, AlertChanged, Tick
from skykeep.core.geo import Circle, Frame, HeightAgl, HeightHae, HeightReference, Terrain, Volume
from skykeep.core.observation import Batch, Coverage, Form, Sensor, SensorKind
from skykeep.core.zone import PublishZone, Restriction, Zone
from skykeep.feed.inbox import Inbox, Piece
from skykeep.feed.remote_id_live import RADIO, RadioDecoder
from skykeep.runtime import Recorded, Unrecorded
from skykeep.units import NS_PER_MS, NS_PER_S, BatchId, SensorId, ZoneId

ROOT = Path(__file__).parents[1]
FRAME = Frame(49.61, 6.13, 347.5)
START_NS = 1_789_249_680 * NS_PER_S
OFFICER = Actor("A. Weber", "duty officer")
RID, RADAR = SensorId("rid"), SensorId("radar")
CROWD_PER_S = 10_000
CROWD_FROM_S, END_S = 12, 30
SLICE_NS = 100 * NS_PER_MS
#: Into the zone, 500 m around the origin, while the crowd is there: one that a radar sees from
#: this turn on, one that broadcast from the beginning and stood outside until then, and one that
#: begins to broadcast then.
RADAR_FROM_S, OLD_FROM_S, NEW_FROM_S = 14, 16.0, 20.0
SPEED_MPS = 15.0
AIM_S = 2.0

Pieces = Callable[[int, float], list[bytes]]


@dataclass(frozen=True, slots=True)
class Played:
    """By who is the cause: the second at which the first alert of it was told."""

    told_s: dict[str, float]
    shed: int
    pieces: int
    busy_s: float


def site() -> Site:
    """A site on flat ground."""
    return Site("city", "a site", FRAME, Terrain(300.0, 300.0, 47.5, 47.5), "UTC")


def _orders() -> list[RegisterSensor | PublishZone]:
    west = FRAME.to_geodetic(-100.0, 0.0, 0.0)
    seen, south = Coverage(0.0, 20_000.0), Coverage(0.0, 20_000.0, 90.0, 180.0)
    area = Volume(Circle(49.61, 6.13, 500.0), HeightAgl(0.0), HeightAgl(300.0))
    zone = Zone(ZoneId("Z1"), "Z1", "city", Restriction.PROHIBITED, (area,))
    return [
        RegisterSensor(OFFICER, Sensor(RID, SensorKind.REMOTE_ID, *west, seen)),
        RegisterSensor(OFFICER, Sensor(RADAR, SensorKind.RADAR, *west, south, period_s=1.0)),
        PublishZone(OFFICER, zone),
    ]


def beacon(mac: bytes, messages: bytes) -> bytes:
    """Radiotap, then a beacon with one element of Remote ID."""
    head = b"\x80\0\0\0" + b"\xff" * 6 + mac + mac + b"\0\0" + bytes(12)
    element = b"\xfa\x0b\xbc\x0d\x00" + messages
    return b"\0\0\x08\0\0\0\0\0" + head + bytes((221, len(element))) + element


def pack_at(serial: str, east_m: float, north_m: float, speed_mps: float, second: float) -> bytes:
    """A whole pack of an aircraft that flies east."""
    lat, lon, hae = FRAME.to_geodetic(east_m, north_m, 80.0)
    tenths = round((START_NS / NS_PER_S + second) % 3_600 * 10) % 36_000
    location = Location(
        Status.AIRBORNE, lat, lon, HeightHae(round(hae * 2) / 2), direction_deg=90.0,
        speed_mps=speed_mps, vertical_speed_mps=0.0, accuracy_horizontal_m=3.0,
        accuracy_vertical_m=3.0, accuracy_time_s=0.1, time_tenths=tenths,
    )  # fmt: skip
    who = BasicId(IdType.SERIAL_NUMBER, UaType.HELICOPTER_OR_MULTIROTOR, serial)
    return encode_pack([who, location])


def real(second: float) -> list[bytes]:
    """The two real drones that broadcast; both fly east into the zone, 30 m away at first."""
    sent = []
    for number, (said_s, moves_s, north_m) in enumerate(
        ((0.0, OLD_FROM_S, 200.0), (NEW_FROM_S, NEW_FROM_S, -200.0))
    ):
        if second >= said_s:
            flown_m = max(0.0, second - moves_s) * SPEED_MPS
            east_m = -math.sqrt(500.0**2 - north_m**2) - 30.0 + flown_m
            speed_mps = SPEED_MPS if flown_m else 0.0
            data = pack_at(f"REAL{number}", east_m, north_m, speed_mps, second)
            sent.append(beacon(bytes((2, 0, 0, 0, 0, number)), data))
    return sent


class Crowd:
    """Invented drones in the zone: each speaks once, or `persistent` ones again and again."""

    def __init__(self, persistent: bool, per_s: int = CROWD_PER_S) -> None:
        self.persistent, self.per_s = persistent, per_s
        self._made = [
            pack_at(f"FAKE{n:05d}", n % 97 * 9.0 - 430.0, n % 89 * 9.0 - 400.0, 3.0, 0.0)
            for n in range(per_s)
        ]

    def pieces(self, slice_number: int, second: float) -> list[bytes]:
        """Those of one slice, a tenth of a second."""
        if second < CROWD_FROM_S:
            return []
        each = self.per_s // 10
        first = slice_number % 10 * each
        numbers = range(first, first + each)
        base = 0 if self.persistent else slice_number * self.per_s
        return [
            beacon((0x06_0000_000000 + base + n).to_bytes(6, "big"), _moved(self._made[n], second))
            for n in numbers
        ]


def _moved(pack: bytes, second: float) -> bytes:
    """The same at another time: its tenths, and a longitude a little on."""
    tenths = round((START_NS / NS_PER_S + second) % 3_600 * 10) % 36_000
    lon = int.from_bytes(pack[3 + 25 + 9 : 3 + 25 + 13], "little") + round(second * 400)
    return (
        pack[:37] + lon.to_bytes(4, "little") + pack[41:49] + tenths.to_bytes(2, "little")
        + pack[51:]
    )  # fmt: skip


def _radar(turn: int) -> Batch:
    """One turn of the radar: one drone from the south, once it is there."""
    north_m = -530.0 + SPEED_MPS * (turn - RADAR_FROM_S)
    east_m, up_m = 100.0, 80.0  # the radar stands 100 m west of the origin
    level_m = math.hypot(east_m, north_m)
    azimuth_deg = math.degrees(math.atan2(east_m, north_m)) % 360.0
    elevation_deg = math.degrees(math.atan2(up_m, level_m))
    at_ns = START_NS + turn * NS_PER_S
    n = int(turn >= RADAR_FROM_S)
    return Batch(
        BatchId(f"radar:{turn}"), RADAR, at_ns, Form.POLAR,
        event_time_ns=np.array([at_ns] * n, np.int64),
        values=np.tile([math.hypot(level_m, up_m), azimuth_deg, elevation_deg], (n, 1)),
        sigmas=np.tile([5.0, 0.3, 0.3], (n, 1)),
        velocities_mps=np.full((n, 3), math.nan),
        height_references=np.full(n, int(HeightReference.NONE), np.int8),
        kind_likelihood=np.tile([0.97, 0.01, 0.01, 0.01], (n, 1)),
    )  # fmt: skip


def play(
    crowd: Crowd | None, folder: Path | None, until_s: int = END_S, *, at_leisure: bool = False
) -> Played:
    """The site with its radar, its two drones and perhaps a crowd, to `until_s`.

    `at_leisure`: work takes no time, so that the same is told on every machine.
    """
    desk = Unrecorded(site()) if folder is None else Recorded(folder, site())
    desk.take(_orders())
    settings = FeedSettings("rid", RID, "remote_id_radio", "", {"legal_basis": "a law"})
    decoder = RadioDecoder(settings)
    now = [START_NS]
    inbox = Inbox(lambda: now[0], RADIO.most_waiting, RADIO.most_bytes, RADIO.most_per_s)
    told_s: dict[str, float] = {}
    done_s, busy_s, sent, turned = 0.0, 0.0, 0, 0
    for number, second in _slices(until_s):
        now[0] = START_NS + round(second * NS_PER_S)
        for data in [*(crowd.pieces(number, second) if crowd else ()), *_real_in(number, second)]:
            inbox.put(data)
            sent += 1
        if done_s > second:
            continue  # still at work on what came before: what comes now waits
        begun_s = time.perf_counter()
        waiting: list[Piece] = inbox.take(1_000_000, 0.0)
        items: list[Batch | Tick] = list(decoder.push(waiting)) if waiting else []
        turns = range(turned, math.floor(second) + 1)
        turned = turns.stop
        items = [*map(_radar, turns), *items, Tick(now[0])]
        answers = desk.take(items)
        took_s = time.perf_counter() - begun_s
        busy_s += took_s
        done_s = second if at_leisure else second + took_s
        names = _names(desk.runtime.airspace)
        for answer in answers:
            for event in answer.events:
                if isinstance(event, AlertChanged):
                    for track_id in event.tracks:
                        told_s.setdefault(names.get(track_id, ""), done_s)
    if isinstance(desk, Recorded):
        desk.close()
    return Played(told_s, decoder.shed + inbox.arrived().shed, sent, busy_s)


def _names(airspace: Airspace) -> dict[str, str]:
    """Who the tracks are: what a drone says it is, or `radar`."""
    named = {}
    for view in airspace.tracks():
        named[str(view.track_id)] = view.identity[1] if view.identity else "radar"
    return named


def _real_in(number: int, second: float) -> list[bytes]:
    return real(second) if number % 5 == 0 else []


def _slices(until_s: int) -> Iterator[tuple[int, float]]:
    for number in range(until_s * 10):
        yield number, number / 10


def figures() -> list[Figure]:
    """How late the three real drones' alerts are in either crowd."""
    play(Crowd(False, 100), None, CROWD_FROM_S + 6)  # compiles what is not compiled yet
    folder = Path(tempfile.mkdtemp(prefix=".bench-", dir=ROOT))
    try:
        calm = play(None, folder / "calm")
        found = []
        for persistent in (False, True):
            played = play(Crowd(persistent), folder / f"crowd-{persistent}")
            found.append((persistent, played))
        return [f for persistent, played in found for f in _figures(persistent, calm, played)]
    finally:
        shutil.rmtree(folder)


WHO = {
    "radar": "seen by radar",
    "REAL0": "broadcasting before the crowd",
    "REAL1": "broadcasting from within the crowd",
}


def _figures(persistent: bool, calm: Played, crowded: Played) -> list[Figure]:
    kind = "that go on" if persistent else "heard once each"
    note = f"{crowded.shed} of {crowded.pieces} messages left out, busy {crowded.busy_s:.1f} s"
    found = []
    for who, words in WHO.items():
        late_s = crowded.told_s.get(who, math.inf) - calm.told_s[who]
        # To a newcomer in a crowd that goes on nothing is promised: docs/sources/remote-id.md.
        aim = None if persistent and who == "REAL1" else AIM_S
        name = f"hostile: {CROWD_PER_S} drones a second {kind}: alert of a drone {words}, late by"
        late_s = max(late_s, 1e-3) if math.isfinite(late_s) else float(END_S)
        found.append(Figure(name, late_s, "s", aim=aim, less_is_better=True, note=note))
    return found
