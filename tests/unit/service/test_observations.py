"""Observations read from the record, page by page, against reading all of it."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from skykeep.codec import entries
from skykeep.codec.moment import format_moment
from skykeep.commands.recompute import recompute
from skykeep.core.geo import HeightReference
from skykeep.record.entry import read_leaf
from skykeep.service import observations as room
from skykeep.service.rates import Rates
from skykeep.service.tokens import Holder, Role, digest_of
from tests.desk import OFFICE, OFFICER, RADAR_TOKEN, READER, RECEIVER_TOKEN, Desk
from tests.sky import (
    C2,
    FINDER,
    FRAME,
    GUARD,
    NOWHERE,
    RADAR,
    RECEIVER,
    SERIAL,
    Form,
    at,
    batch,
    claim_of,
    claims,
    plots,
    sighting,
    tracks,
)

PLACES = [(100.0 * i, -50.0 * i, 80.0) for i in range(6)]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A minute with five sensors and all forms of measurement."""
    folder: Path = tmp_path_factory.mktemp("desk")
    made = Desk(folder, (RADAR, RECEIVER, FINDER, GUARD, C2))
    path = folder / "tokens.json"
    kept = json.loads(path.read_bytes())
    kept["tokens"] += [
        msgspec.to_builtins(Holder(digest_of(s), s, Role.SENSOR, s)) for s in ("df", "guard", "c2")
    ]
    path.write_text(json.dumps(kept))
    for second in range(1, 61):
        made.clock.now_ns = at(second)
        sent = [(plots(second, *PLACES[: 1 + second % 6]), RADAR_TOKEN)]
        if second % 5 == 0:
            sent.append((claims(second, (claim_of(), PLACES[1])), RECEIVER_TOKEN))
        if second % 7 == 0:
            polar = batch(RADAR, second + 0.5, Form.POLAR, [(1_500.0, 90.0, 10.0)], (5.0, 0.4, 0.6),
                          reference=HeightReference.NONE)  # fmt: skip
            sent.append((polar, RADAR_TOKEN))
        if second % 9 == 0:
            sent.append((tracks(second, ("a-7", PLACES[2]), velocity=(3.0, 4.0, 0.0)), "c2"))
        if second % 11 == 0:
            bearing = batch(FINDER, second, Form.BEARING, [(30.0, NOWHERE, NOWHERE)],
                            (4.0, NOWHERE, NOWHERE), reference=HeightReference.NONE)  # fmt: skip
            sent.append((bearing, "df"))
        if second % 13 == 0:
            report = sighting(
                second,
                "Anna saw it",
                210.0,
            )
            sent.append((report, "guard"))
        for each, token in sent:
            made.clock.now_ns += 1_000_000
            answer = made.send(each, token)
            assert (answer.status_code, answer.json()["rejected"]) == (200, []), answer.text
    yield made
    made.close()
    assert recompute(folder / "data").faults == []


def get(desk: Desk, token: str = OFFICER, **query: Any) -> dict[str, Any]:
    desk.app.state.rates = Rates(time.monotonic_ns)  # more questions than one person asks
    answer = desk.get("/v1/observations?" + urlencode(query), token)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


def pages(desk: Desk, token: str = OFFICER, **query: Any) -> list[dict[str, Any]]:
    """All observations, page after page."""
    found, cursor = [], None
    for _ in range(1_000):
        page = get(desk, token, **query, **({} if cursor is None else {"cursor": cursor}))
        found += page["observations"]
        cursor = page["next"]
        if cursor is None:
            return found
    raise AssertionError("it does not end")


def span(first_s: float, last_s: float) -> dict[str, str]:
    return {"from": format_moment(at(first_s)), "to": format_moment(at(last_s))}


def everything(desk: Desk) -> list[tuple[int, Any]]:
    """Every observation in the record with its entry, by reading all entries."""
    recorded = desk.writer.look()
    assert recorded is not None
    found = []
    for placed in recorded.store.entries():
        if read_leaf(placed.leaf).kind == entries.BATCH:
            whole = entries.batch_of(recorded.store.facts(placed))
            found += [(placed.index, o) for o in whole.rows()]
    return found


def keys(found: list[dict[str, Any]]) -> list[tuple[int, int]]:
    return [(o["entry"], o["row"]) for o in found]


@pytest.mark.parametrize("limit", [1, 3, 200])
@pytest.mark.parametrize("scan", [7, 5_000])
def test_pages_together_are_what_the_record_holds(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, limit: int, scan: int
) -> None:
    monkeypatch.setattr(room, "SCAN_ENTRIES", scan)
    monkeypatch.setattr(room, "WINDOW", 3)
    first, last = 20.0, 31.0
    wanted = [
        (entry, o.row) for entry, o in everything(desk) if at(first) <= o.receipt_time_ns < at(last)
    ]
    assert len(wanted) > 30
    assert keys(pages(desk, limit=limit, **span(first, last))) == wanted


def test_all_of_the_time_and_none_of_it(desk: Desk) -> None:
    assert keys(pages(desk, **span(-1.0, 100.0))) == [(e, o.row) for e, o in everything(desk)]
    assert pages(desk, **span(-100.0, 0.0)) == []
    assert pages(desk, **span(200.0, 300.0)) == []
    desk.clock.now_ns = at(61.0)
    assert keys(pages(desk)) == [(e, o.row) for e, o in everything(desk)]  # five minutes back


def test_the_span_takes_in_its_start_and_not_its_end(desk: Desk) -> None:
    told = everything(desk)
    entry, first = told[40]
    last = next(o for e, o in told if e > entry + 5)
    query = {
        "from": format_moment(first.receipt_time_ns),
        "to": format_moment(last.receipt_time_ns),
    }
    wanted = [
        (e, o.row) for e, o in told
        if first.receipt_time_ns <= o.receipt_time_ns < last.receipt_time_ns
    ]  # fmt: skip
    assert wanted[0][0] == entry
    assert keys(pages(desk, **query)) == wanted


def test_one_sensor_alone(desk: Desk) -> None:
    found = pages(desk, sensor="df", **span(0.0, 100.0))
    assert {o["sensor"] for o in found} == {"df"}
    assert len(found) == 5
    assert pages(desk, sensor="nobody", **span(0.0, 100.0)) == []


def test_a_box_holds_what_lies_in_it(desk: Desk) -> None:
    south, west, _ = FRAME.to_geodetic(150.0, -175.0, 0.0)
    north, east, _ = FRAME.to_geodetic(350.0, -75.0, 0.0)
    box = f"{south},{west},{north},{east}"
    found = pages(desk, box=box, **span(0.0, 100.0))
    places = {(o["place"]["lat_deg"], o["place"]["lon_deg"]) for o in found}
    exact = {tuple(round(v, 7) for v in FRAME.to_geodetic(*PLACES[i])[:2]) for i in (2, 3)}
    assert places == exact
    around = pages(desk, box=f"-90,{east},90,{west}", **span(0.0, 100.0))  # the other way round
    assert len(around) > 0
    assert not places & {(o["place"]["lat_deg"], o["place"]["lon_deg"]) for o in around}


def test_what_is_told_of_each_form(desk: Desk) -> None:
    found = pages(desk, **span(0.0, 100.0))
    by_form = {o["form"]: o for o in found if o["sensor"] != "rid"}
    position = next(o for o in found if o["form"] == "position")
    assert position["measured"]["sigma_height_m"] == 8.0
    assert position["measured"]["height_reference"] == "HAE"
    assert position["measured"]["velocity_mps"] is None
    assert position["place"]["height_m"] == pytest.approx(
        position["measured"]["height_m"], abs=1e-3
    )
    assert position["kind"]["drone"] == 0.97
    assert position["batch_id"].startswith("radar:")
    assert position["event_time"] == format_moment(at(1.0))
    polar = by_form["polar"]
    assert polar["measured"] == {
        "range_m": 1_500.0, "azimuth_deg": 90.0, "elevation_deg": 10.0, "sigma_range_m": 5.0,
        "sigma_azimuth_deg": 0.4, "sigma_elevation_deg": 0.6,
    }  # fmt: skip
    level_m, up_m = 1_500.0 * math.cos(math.radians(10.0)), 1_500.0 * math.sin(math.radians(10.0))
    lat, lon, hae_m = FRAME.to_geodetic(-100.0 + level_m, 0.0, up_m)  # the radar stands 100 m west
    assert polar["place"]["lat_deg"] == pytest.approx(lat, abs=2e-6)
    assert polar["place"]["lon_deg"] == pytest.approx(lon, abs=2e-6)
    assert polar["place"]["height_m"] == pytest.approx(hae_m, abs=0.1)
    assert polar["place"]["height_reference"] == "HAE"
    bearing = by_form["bearing"]
    assert bearing["measured"]["elevation_deg"] is None
    assert bearing["place"]["lat_deg"] == pytest.approx(FINDER.lat_deg, abs=1e-7)
    assert by_form["sighting"]["measured"]["words"] == "Anna saw it"
    track = by_form["track"]
    assert (track["measured"]["id"], track["sensor"]) == ("a-7", "c2")
    assert track["measured"]["velocity_mps"] == [3.0, 4.0, 0.0]
    assert track["measured"]["sigma_velocity_mps"] == [1.0, 1.0, 0.5]
    assert track["measured"]["sigma_east_m"] == 5.0
    assert track["place"]["height_reference"] == "HAE"


def test_claims_and_words_are_for_officers(desk: Desk) -> None:
    named = pages(desk, sensor="rid", **span(0.0, 100.0))
    assert {o["claim"]["identity"] for o in named} == {SERIAL}
    assert not any(o["claim_withheld"] for o in named)
    said = pages(desk, READER, **span(0.0, 100.0))
    assert keys(said) == keys(pages(desk, **span(0.0, 100.0)))
    text = json.dumps(said)
    assert SERIAL not in text
    assert "Anna" not in text
    heard = [o for o in said if o["sensor"] == "rid"]
    assert all(o["claim"] is None and o["claim_withheld"] for o in heard)
    assert not any(o["claim_withheld"] for o in said if o["sensor"] == "radar")
    for token in (OFFICE, RADAR_TOKEN):
        assert desk.get("/v1/observations", token).status_code == 403


def test_claims_whose_keys_are_gone_are_withheld_from_all(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from skykeep.errors import RecordError
    from skykeep.store.record_store import RecordStore

    def gone(*_: Any) -> Any:
        raise RecordError("its key is gone")

    monkeypatch.setattr(RecordStore, "lasting", gone)
    found = pages(desk, sensor="rid", **span(0.0, 100.0))
    assert len(found) == 12
    assert all(o["claim"] is None and o["claim_withheld"] for o in found)


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ({"from": "yesterday"}, "query.from"),
        ({"to": "2026-09-12T00:00:00"}, "query.to"),
        (span(5.0, 5.0), "query.from"),
        ({"box": "1,2,3"}, "query.box"),
        ({"box": "a,b,c,d"}, "query.box"),
        ({"box": "nan,0,1,1"}, "query.box"),
        ({"box": "10,0,9,1"}, "query.box"),
        ({"box": "0,0,1,181"}, "query.box"),
        ({"limit": 0}, "query.limit"),
        ({"limit": 1_001}, "query.limit"),
        ({"cursor": "x"}, "query.cursor"),
        ({"cursor": "1-2-3"}, "query.cursor"),
        ({"sensor": "x" * 101}, "query.sensor"),
    ],
)
def test_questions_that_make_no_sense(desk: Desk, query: dict[str, Any], where: str) -> None:
    answer = desk.get("/v1/observations?" + urlencode(query))
    assert (answer.status_code, answer.json()["where"]) == (422, where)


def test_a_cursor_from_nowhere_finds_nothing(desk: Desk) -> None:
    assert get(desk, cursor="999999999999-999999", **span(0.0, 100.0)) == {
        "observations": [], "next": None
    }  # fmt: skip
    assert get(desk, cursor="0-0", **span(0.0, 100.0))["observations"]


def test_a_batch_that_waited_is_found_though_younger_entries_stand_before_it() -> None:
    class Leaves:
        """A record whose entries have these times alone."""

        def __init__(self, times_s: list[float]) -> None:
            from skykeep.record.entry import Entry, Placed, write_leaf

            made = [Entry("tick", at(t), "clock", ()) for t in times_s]
            leaves = [write_leaf(e, b"\0" * 32) for e in made]
            self.placed = [Placed(i, leaf, ()) for i, leaf in enumerate(leaves)]
            self.size = len(times_s)

        def entries(self, start: int, end: int) -> Any:
            return iter(self.placed[start:end])

    times = [float(t) for t in range(500)]
    times[251:251] = [220.0, 221.0]  # received half a minute before its neighbours
    leaves: Any = Leaves(times)  # the search looks at the middle, which is one of these, first
    for wanted in (0.0, 100.0, 220.0, 235.0, 250.0, 499.0, 700.0):
        index = room.first_index(leaves, at(wanted))
        assert all(t < wanted for t in times[:index])
        assert index >= sum(t < wanted for t in times) - 125
