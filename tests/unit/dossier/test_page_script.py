"""What the time slider is given: places and times that are numbers, and texts that stay texts."""

from __future__ import annotations

import math
from dataclasses import replace

import msgspec

from skykeep.dossier.page_cover import coverage_map, lanes, outline
from skykeep.dossier.page_places import Box
from skykeep.dossier.page_script import player, scene
from skykeep.dossier.reader import render
from skykeep.dossier.view import ClockView, CoverageView
from tests.unit.dossier.page_sample import FIRST, VIEW

CLOCK = ClockView(1_789_249_833.0, ((0.0, 7_200.0),))
TIMED = replace(VIEW, clock=CLOCK)


def test_without_a_clock_or_a_track_there_is_no_slider() -> None:
    assert scene(VIEW) is None
    assert scene(replace(TIMED, tracks=())) is None
    assert player(VIEW) == []
    assert b"<script" not in render(VIEW)


def test_only_places_that_are_numbers_are_given() -> None:
    radar, finder = TIMED.sensors
    lost = replace(finder, east=math.nan)
    strange = replace(FIRST, points=((0.0, 1.0, 2.0, 3.0), (1.0, math.inf, 0.0, 0.0)))
    told = scene(replace(TIMED, sensors=(radar, lost), tracks=(strange,)))
    assert told is not None
    assert [s["id"] for s in told["sensors"]] == ["radar"]
    assert [p[:3] for p in told["tracks"][0]["points"]] == [[0.0, 1.0, 2.0]]
    assert b"null,null" not in msgspec.json.encode(told["tracks"])


def test_a_text_cannot_end_the_data() -> None:
    zone = replace(TIMED.zones[0], name="</script><script>alert(1)</script><!--")
    page = render(replace(TIMED, zones=(zone,))).decode()
    assert page.count("</script>") == 2
    assert "<script>alert" not in page
    data = page.partition('id="scene">')[2].partition("</script>")[0]
    assert "<" not in data
    assert msgspec.json.decode(data)["zones"][0]["name"] == zone.name


def test_a_sector_is_drawn_from_where_the_sensor_stands() -> None:
    sensor = replace(TIMED.sensors[0], east=0.0, north=0.0)
    box = Box(-1_000.0, -1_000.0, 2_000.0)
    whole = outline(box, sensor, CoverageView(0.0, 500.0))
    sector = outline(box, sensor, CoverageView(0.0, 500.0, 350.0, 10.0))
    assert whole.endswith("Z")
    assert "L270 270Z" not in whole
    assert sector.endswith("L270 270Z")
    xs = [float(p.split()[0]) for p in sector[1:-1].split("L")[:-1]]
    assert max(abs(x - 270.0) for x in xs) < 25.0  # 500 m sin 10 degrees is 87 m, 23 units


def test_what_is_far_is_told_and_not_drawn() -> None:
    radar, finder = TIMED.sensors
    far = replace(radar, sensor_id="adsb", coverage=CoverageView(0.0, 100_000.0))
    near = tuple(replace(s, coverage=CoverageView(0.0, 4_000.0)) for s in (radar, finder))
    drawn = coverage_map(replace(TIMED, sensors=(*near, far)))
    assert drawn is not None
    assert drawn.html.count('class="cover"') == 2
    assert "Not drawn, as it reaches beyond: adsb" in drawn.html
    assert coverage_map(VIEW) is None
    assert lanes(VIEW) is None
