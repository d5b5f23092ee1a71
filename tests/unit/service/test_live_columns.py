"""Columns against a literal reading of docs/live-stream.md, row by row."""

from __future__ import annotations

import math
import random
import struct
from typing import Any

import msgspec
import numpy as np
import pytest

from skykeep.core.alert import Alert, AlertState
from skykeep.core.event import Arrival, Permission, Strength, TrackUpdated
from skykeep.core.picture import TrackView
from skykeep.core.verdict import Presence, Verdict
from skykeep.service.live_columns import (
    NO_ZONE,
    Places,
    Ray,
    Trails,
    nothing_seen,
    rays_message,
    tracks_message,
)
from skykeep.units import AlertId, SensorId, TrackId, ZoneId, seconds
from tests.sky import FRAME, at, fix_at

NOW_NS = at(100.0)
LETTER = {"f32": "f", "i32": "i", "u16": "H", "u8": "B"}
TRACK_COLUMNS = {
    "lat_e7": "i32", "lon_e7": "i32", "height_m": "f32", "height_reference": "u8",
    "ve_mps": "f32", "vn_mps": "f32", "vu_mps": "f32", "sigma_m": "f32", "sigma_up_m": "f32",
    "age_s": "f32", "state_age_s": "f32", "permission": "u8", "presence": "u8", "entry_s": "f32",
    "zone": "u16", "strength": "u8", "drone": "f32", "flags": "u8", "entry_percent": "u8",
    "entry_10_s": "u8", "entry_50_s": "u8", "entry_90_s": "u8",
}  # fmt: skip


def unpacked(message: dict[str, Any], columns: dict[str, str]) -> dict[str, list[Any]]:
    """The columns of an encoded message, by struct alone."""
    plain = msgspec.msgpack.decode(msgspec.msgpack.encode(message))
    out = {}
    for name, kind in columns.items():
        size = struct.calcsize(LETTER[kind])
        count = len(plain[name]) // size
        out[name] = list(struct.unpack(f"<{count}{LETTER[kind]}", plain[name]))
    return out


def verdict(zone: str, permission: Permission, what: str, entry_s: float | None) -> Any:
    arrival = None
    if entry_s is not None:  # the later, the less likely
        late = round(2.0 * entry_s, 1)
        arrival = Arrival(round(0.9 - entry_s / 100.0, 2), entry_s, late, None)
    where = Presence(what, entry_s, fix_at((0.0, 0.0, 50.0)), NOW_NS, arrival)
    return ZoneId(zone), where, Verdict(permission, (), Strength.NONE, None)


def made_up(dice: random.Random, number: int) -> TrackView:
    sensors = dice.sample(["a", "b", "c"], dice.randint(0, 3))
    verdicts = [
        verdict(zone, dice.choice(list(Permission)), what, entry)
        for zone in dice.sample(["Z1", "Z2", "Z3", "Z4"], dice.randint(0, 4))
        for what, entry in [dice.choice([("inside", None), ("bound", dice.uniform(1, 60)),
                                         ("maybe_inside", None)])]
    ]  # fmt: skip
    reference = dice.choice(["HAE", "AMSL", "AGL", "PRESSURE", "NONE"])
    state = TrackUpdated(
        NOW_NS, TrackId(f"T{number:05d}"), NOW_NS - seconds(dice.uniform(0, 20)),
        dice.randint(-10**7, 10**7), dice.randint(-10**7, 10**7), dice.randint(0, 10**6),
        dice.randint(-30_000, 30_000), dice.randint(-30_000, 30_000), dice.randint(-9_000, 9_000),
        dice.randint(0, 90_000), dice.randint(0, 90_000), reference,
        None if reference == "NONE" else dice.randint(0, 10**6),
        tuple(SensorId(s) for s in sensors), (), dice.random(), dice.random() < 0.5,
    )  # fmt: skip
    identity = ("remote_id", "S1", "aa", dice.choice(list(Strength)[1:]).value)
    return TrackView(
        state.track_id, at(0.0), NOW_NS - seconds(dice.uniform(0, 9)), state,
        identity if dice.random() < 0.5 else (), tuple(verdicts),
        AlertId(f"A{dice.randint(1, 3)}") if dice.random() < 0.5 else None, dice.random() < 0.5,
    )  # fmt: skip


def alert(name: str, state: AlertState) -> Alert:
    return Alert(AlertId(name), state, True, 1, (), (), Permission.NOT_PERMITTED, (), NOW_NS)


ALERTS = (alert("A1", AlertState.RAISED), alert("A2", AlertState.CLOSED),
          alert("A3", AlertState.SHELVED))  # fmt: skip

GRAVITY = ["not_subject", "permitted", "undetermined", "not_permitted"]
NEARNESS = ["maybe_inside", "bound", "inside"]


def gravest(view: TrackView) -> tuple[str, str, float, str]:
    """Permission, presence, entry and zone of the gravest verdict, by looking at each."""
    best: Any = None
    for zone, where, said in view.verdicts:
        soon = -(where.entry_in_s or 0.0)
        rank = (GRAVITY.index(said.permission), NEARNESS.index(where.what), soon)
        if best is None or rank > best[0]:
            entry = math.nan if where.entry_in_s is None else where.entry_in_s
            best = (rank, (str(said.permission), where.what, entry, str(zone)))
    return ("none", "none", math.nan, "") if best is None else best[1]


@pytest.mark.parametrize("seed", range(5))
def test_tracks_say_row_by_row_what_the_tracks_are(seed: int) -> None:
    dice = random.Random(seed)
    views = [made_up(dice, i) for i in range(40)]
    message, _ = tracks_message(NOW_NS, views, ALERTS, FRAME, (7, 3))
    columns = unpacked(message, TRACK_COLUMNS)
    assert (message["topic"], message["seq"], message["skipped"]) == ("tracks", 7, 3)
    assert message["at_ms"] == NOW_NS / 1e6
    assert message["references"][0] == "UNKNOWN"
    for i, view in enumerate(views):
        s = view.state
        row = {name: values[i] for name, values in columns.items()}
        lat, lon, _ = FRAME.to_geodetic(s.east_mm / 1e3, s.north_mm / 1e3, s.up_mm / 1e3)
        assert message["track_id"][i] == view.track_id
        assert (row["lat_e7"], row["lon_e7"]) == (round(lat * 1e7), round(lon * 1e7))
        named = "UNKNOWN" if s.height_reference == "NONE" else s.height_reference
        assert message["references"][row["height_reference"]] == named
        assert same(row["height_m"], math.nan if s.height_mm is None else s.height_mm / 1e3)
        wanted = (s.velocity_east_mmps, s.velocity_north_mmps, s.velocity_up_mmps,
                  s.sigma_horizontal_mm, s.sigma_up_mm)  # fmt: skip
        told = (row["ve_mps"], row["vn_mps"], row["vu_mps"], row["sigma_m"], row["sigma_up_m"])
        assert told == pytest.approx([w / 1e3 for w in wanted], rel=1e-6)
        assert row["age_s"] == pytest.approx((NOW_NS - view.last_ns) / 1e9, rel=1e-6)
        assert row["state_age_s"] == pytest.approx((NOW_NS - s.state_at_ns) / 1e9, rel=1e-6)
        permission, presence, entry_s, zone = gravest(view)
        assert message["permissions"][row["permission"]] == permission
        assert message["presences"][row["presence"]] == presence
        assert same(row["entry_s"], entry_s)
        ahead = (row["entry_percent"], row["entry_10_s"], row["entry_50_s"], row["entry_90_s"])
        if math.isnan(entry_s):
            assert ahead == (255, 255, 255, 255)
        else:
            later_s = round(2.0 * entry_s, 1)
            assert ahead == (round(90.0 - entry_s), round(entry_s), round(later_s), 255)
        assert ("" if row["zone"] == NO_ZONE else message["zone_ids"][row["zone"]]) == zone
        strength = view.identity[3] if view.identity else "none"
        assert message["strengths"][row["strength"]] == strength
        assert row["drone"] == pytest.approx(s.probability_drone, rel=1e-6)
        assert row["flags"] == (
            (1 if s.taken_for_drone else 0) + (2 if view.measured else 0)
            + (4 if view.alert_id in ("A1", "A3") else 0) + (8 if view.identity else 0)
        )  # fmt: skip
        assert [message["sensor_ids"][k] for k in message["sensors"][i]] == list(s.sensors)
        assert message["alert"][i] == (view.alert_id or "")


def same(told: float, wanted: float) -> bool:
    return bool(np.float32(wanted) == np.float32(told)) or (math.isnan(told) and math.isnan(wanted))


def test_no_tracks_are_columns_of_no_rows() -> None:
    message = nothing_seen(NOW_NS, (1, 0), FRAME)
    assert all(column == [] for column in unpacked(message, TRACK_COLUMNS).values())
    assert message["track_id"] == message["alert"] == message["zone_ids"] == []


TRAIL_COLUMNS = {"count": "u16", "lat_e7": "i32", "lon_e7": "i32", "age_s": "f32"}


def test_trails_hold_each_track_of_the_last_beat_oldest_point_first() -> None:
    dice, trails = random.Random(1), Trails(beats=7)  # enough points that a sort must be stable
    names = [f"T{i}" for i in range(30)]
    beats: list[dict[str, tuple[int, int]]] = []
    for second in range(25):
        ids = dice.sample(names, dice.choice([0, 3, 27, 30, 30]))
        places = {i: (dice.randint(-9, 9), dice.randint(-9, 9)) for i in ids}
        beats.append(places)
        lat, lon = ([p[k] for p in places.values()] for k in (0, 1))
        now_ns = at(float(second))
        trails.add(Places(now_ns, tuple(ids), np.array(lat, np.int32), np.array(lon, np.int32)))
        message = trails.message(now_ns)
        columns = unpacked(message, TRAIL_COLUMNS)
        assert message["track_id"] == ids
        start = 0
        for row, track_id in enumerate(ids):
            end = start + columns["count"][row]
            told = [
                (columns["lat_e7"][k], columns["lon_e7"][k], columns["age_s"][k])
                for k in range(start, end)
            ]
            wanted: list[tuple[int, int, float]] = []
            for age, beat in enumerate(reversed(beats[-7:])):
                if track_id not in beat:
                    break  # what comes back after a gap is drawn from there on
                wanted.insert(0, (*beat[track_id], float(age)))
            assert told == wanted, (second, track_id)
            start = end
        assert start == len(columns["age_s"])


def test_trails_before_the_first_beat_are_empty() -> None:
    message = Trails().message(NOW_NS)
    assert unpacked(message, TRAIL_COLUMNS) == {name: [] for name in TRAIL_COLUMNS}


def test_rays_say_from_where_and_how_sure() -> None:
    rays = [
        Ray(NOW_NS - seconds(2.0), "df", 10.0, 3.0, False),
        Ray(NOW_NS, "guard", 200.0, 15.0, True),
        Ray(NOW_NS, "df", 20.0, 3.0, False),
    ]
    message = rays_message(NOW_NS, rays)
    kinds = {"sensor": "u16", "azimuth_deg": "f32", "sigma_deg": "f32", "age_s": "f32",
             "person": "u8"}  # fmt: skip
    assert unpacked(message, kinds) == {
        "sensor": [0, 1, 0], "azimuth_deg": [10.0, 200.0, 20.0], "sigma_deg": [3.0, 15.0, 3.0],
        "age_s": [2.0, 0.0, 0.0], "person": [0, 1, 0],
    }  # fmt: skip
    assert message["sensor_ids"] == ["df", "guard"]
