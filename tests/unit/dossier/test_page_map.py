"""The maps: whole, to scale, told in words too, and never broken by a place."""

from __future__ import annotations

import dataclasses
import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.dossier.page_map import MARK_EVERY_S
from skykeep.dossier.page_places import FARTHEST_M, drawable, place_words
from skykeep.dossier.reader import render
from skykeep.dossier.view import DossierView
from tests.unit.dossier.page_sample import FIRST, SECOND, VIEW, Page, straight


def svgs(view: DossierView) -> list[str]:
    return re.findall('<svg viewBox="0 0 540 540".*?</svg>', render(view).decode(), re.DOTALL)


@settings(max_examples=20, deadline=None)
@given(
    places=st.lists(
        st.tuples(*[st.floats() | st.floats(-3000.0, 3000.0)] * 4), min_size=1, max_size=6
    )
)
def test_no_place_breaks_the_map(places: list[tuple[float, float, float, float]]) -> None:
    track = dataclasses.replace(FIRST, points=tuple(places))
    html = render(dataclasses.replace(VIEW, tracks=(track, SECOND)))
    page = Page(html)
    assert page.faults == []
    assert not re.search(r'[" ML](nan|inf|-inf)', html.decode())
    bad = sum(not (abs(e) <= FARTHEST_M and abs(n) <= FARTHEST_M) for _, e, n, _ in places)
    assert (f"Not drawn: {bad} places" in page.text) == (bad > 0)


def test_there_is_a_closer_map_where_it_helps() -> None:
    whole, closer = svgs(VIEW)
    assert ">1 km<" in whole
    assert ">200 m<" in closer
    assert 'class="closer"' in whole
    assert 'class="closer"' not in closer
    near = dataclasses.replace(SECOND, points=straight(0, (-500.0, 0.0), (500.0, 0.0), 60))
    assert len(svgs(dataclasses.replace(VIEW, tracks=(near,)))) == 1


def test_the_map_is_also_told_in_words() -> None:
    for svg in svgs(VIEW):
        assert 'role="img"' in svg
        words = svg.partition("<desc")[2].partition("</desc>")[0]
        assert "Track T0003, not permitted: first seen 3.5 km north-east" in words
        assert "2 found parts are marked" in words
        assert "City-wide ban covers this whole map" in words


def test_north_is_up_and_east_is_right() -> None:
    track = dataclasses.replace(
        FIRST, points=((0.0, -1000.0, -1000.0, 0.0), (10.0, 1000.0, 1000.0, 0.0))
    )
    bare = dataclasses.replace(VIEW, tracks=(track,), zones=(), sensors=(), reports=())
    (svg,) = svgs(bare)
    found = re.search(r'class="under"', svg)
    assert found is not None
    path = re.search(r'd="M([\d.]+) ([\d.]+)L([\d.]+) ([\d.]+)" class="under"', svg)
    assert path is not None
    x1, y1, x2, y2 = (float(v) for v in path.groups())
    assert x1 < x2
    assert y1 > y2


def test_the_scale_bar_is_as_long_as_it_says() -> None:
    whole, closer = svgs(VIEW)
    for svg, metres in ((whole, 1000.0), (closer, 200.0)):
        side = re.search(r"a map of ([\d.]+) km", svg)
        bar = re.search(r'd="M([\d.]+) [\d.]+V[\d.]+H([\d.]+)V[\d.]+" class="scale"', svg)
        assert side is not None
        assert bar is not None
        length = float(bar[2]) - float(bar[1])
        assert length / 540.0 * float(side[1]) * 1000.0 == pytest.approx(metres, rel=0.05)


def test_each_minute_has_a_mark_where_the_track_was_held() -> None:
    track = dataclasses.replace(FIRST, points=straight(0, (-2000.0, 0.0), (2000.0, 0.0), 250))
    lone = dataclasses.replace(VIEW, tracks=(track,), zones=(), sensors=(), reports=())
    (svg,) = svgs(lone)
    assert re.findall(r">\+(\d) min<", svg) == ["1", "2", "3", "4"]
    assert svg.count('class="tick') == 4
    held = tuple(p for p in track.points if not 110.0 <= p[0] <= 130.0)
    (gap,) = svgs(dataclasses.replace(lone, tracks=(dataclasses.replace(track, points=held),)))
    assert re.findall(r">\+(\d) min<", gap) == ["1", "3", "4"]
    path = re.search(r'd="([^"]*)" class="under"', gap)
    assert path is not None
    assert path[1].count("M") == 2
    (clock,) = svgs(dataclasses.replace(lone, minute_marks=((27.0, "23:51"), (400.0, "23:57"))))
    assert ">23:51<" in clock
    assert "23:57" not in clock
    assert MARK_EVERY_S == 60.0


def test_the_page_of_a_long_flight_stays_small() -> None:
    loops = tuple(
        (float(n), 300.0 * math.sin(n / 30), 300.0 * math.cos(n / 30), 9.0) for n in range(20_000)
    )
    html = render(dataclasses.replace(VIEW, tracks=(dataclasses.replace(FIRST, points=loops),)))
    assert len(html) < 1_000_000


def test_places_in_words() -> None:
    assert place_words(0.0, 3.0) == "at the reference point"
    assert place_words(-31.0, 31.0) == "44 m north-west"
    assert place_words(0.0, -886.0) == "890 m south"
    assert place_words(3600.0, 0.0) == "3.6 km east"
    assert place_words(996.0, 0.0) == "1 km east"
    assert place_words(math.nan, 0.0) == "at a place that cannot be true"
    assert drawable(dataclasses.replace(FIRST, points=((math.nan, 1.0, 1.0, 1.0),))) == ()
