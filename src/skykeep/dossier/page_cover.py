"""What the sensors can see: their coverage as one map, and their health over the time as lanes."""

from __future__ import annotations

import math
from collections.abc import Callable

from skykeep.dossier.markup import Markup, element
from skykeep.dossier.page_places import FARTHEST_M, SIZE, Box, distance_words, is_place
from skykeep.dossier.page_words import HEALTH, PERSON, SENSOR_KIND, said
from skykeep.dossier.view import CoverageView, DossierView, SensorView

#: A range that is so much larger than the others' leaves them a dot: it is told in words.
FAR_SHARE = 3.0
ARC_STEP_DEG = 4.0
MARGIN_SHARE = 1.06

LANE_WIDTH, LANE_HEIGHT, LANE_LEFT, LANE_TOP = 1_000.0, 30.0, 190.0, 46.0
#: Ticks nearer than this to each other are one.
TICK_APART = 1.5
#: Alerts nearer than this share a line of words.
WORDS_APART = 70.0


def coverage_map(view: DossierView) -> Markup | None:
    """A map of what each sensor can see from where it stands; None where none is known."""
    drawn = [s for s in view.sensors if s.kind != PERSON and _known(s)]
    if not drawn:
        return None
    ranges = sorted(_range(s) for s in drawn)
    middle = ranges[len(ranges) // 2]
    near = [s for s in drawn if _range(s) <= FAR_SHARE * middle]
    far = [s for s in drawn if _range(s) > FAR_SHARE * middle]
    edge = max(max(abs(s.east), abs(s.north)) + _range(s) for s in near) * MARGIN_SHARE
    box = Box(-edge, -edge, 2.0 * edge)
    shapes: list[Markup] = []
    for number, sensor in enumerate(near):
        coverage = sensor.coverage
        assert coverage is not None  # `_known` has seen it
        dash = ("none", "9 5", "3 4", "12 4 2 4", "1 5")[number % 5]
        shapes.append(
            element("path", d=outline(box, sensor, coverage), class_="cover", stroke_dasharray=dash)
        )
        x, y = box.at(sensor.east, sensor.north)
        shapes.append(element("circle", cx=_n(x), cy=_n(y), r="4", class_="spot"))
        turn = math.radians((coverage.azimuth_from_deg + 20.0 + 47.0 * number) % 360.0)
        at = box.at(
            sensor.east + coverage.range_max_m * math.sin(turn),
            sensor.north + coverage.range_max_m * math.cos(turn),
        )
        anchor = "end" if at[0] > SIZE / 2.0 else "start"
        name = element("text", sensor.sensor_id, x=_n(at[0]), y=_n(at[1]), text_anchor=anchor)
        shapes.append(name)
    for zone in view.zones:
        corners = [box.at(*p) for p in zone.outline if is_place(p)]
        if len(corners) > 2:
            path = "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in corners) + "Z"
            shapes.insert(0, element("path", d=path, class_="zone", data_zone=zone.zone_id))
    told = "; ".join(
        f"{s.sensor_id} ({said(SENSOR_KIND, s.kind)}) {range_words(s.coverage)}" for s in drawn
    )
    title = element("title", "What the sensors can see, where nothing stands in the way", id="cov")
    drawing = element(
        "svg", title, *shapes, viewBox=f"0 0 {_n(SIZE)} {_n(SIZE)}", role="img",
        aria_labelledby="cov", class_="map cover-map", data_east=_n(box.east_m),
        data_north=_n(box.north_m), data_side=_n(box.side_m),
    )  # fmt: skip
    words = (
        f"What the sensors can see, as they are registered: {told}. "
        f"{distance_words(box.side_m)} from edge to edge. Walls, hills and trees hide parts of it."
    )
    if far:
        words += f" Not drawn, as it reaches beyond: {', '.join(s.sensor_id for s in far)}."
    return element("figure", drawing, element("figcaption", words))


def range_words(coverage: CoverageView | None) -> str:
    """A coverage in words."""
    if coverage is None:
        return "not known"
    words = f"up to {distance_words(coverage.range_max_m)}"
    if coverage.range_min_m > 0.0:
        words = f"from {distance_words(coverage.range_min_m)} {words}"
    if _whole(coverage):
        return f"{words} all round"
    return f"{words}, {coverage.azimuth_from_deg:.0f} to {coverage.azimuth_to_deg:.0f} degrees"


def outline(box: Box, sensor: SensorView, coverage: CoverageView) -> str:
    """The path of a coverage: a ring or a sector."""
    first, last = coverage.azimuth_from_deg, coverage.azimuth_to_deg
    if _whole(coverage):
        first, last = 0.0, 360.0
    elif last <= first:
        last += 360.0
    steps = max(2, math.ceil((last - first) / ARC_STEP_DEG))
    turns = [math.radians(first + (last - first) * n / steps) for n in range(steps + 1)]

    def arc(radius_m: float) -> str:
        places = [
            box.at(sensor.east + radius_m * math.sin(t), sensor.north + radius_m * math.cos(t))
            for t in turns
        ]
        return "L".join(f"{_n(x)} {_n(y)}" for x, y in places)

    outer = f"M{arc(coverage.range_max_m)}"
    if _whole(coverage):
        return f"{outer}Z"
    x, y = box.at(sensor.east, sensor.north)
    return f"{outer}L{_n(x)} {_n(y)}Z"


def lanes(view: DossierView) -> Markup | None:
    """A lane for each sensor: when it worked, and when it saw one of the tracks."""
    sensors = [s for s in view.sensors if s.health or s.seen_s]
    end_s = max((until for s in sensors for _, until, _ in s.health), default=0.0)
    if not sensors or end_s <= 0.0:
        return None
    scale = (LANE_WIDTH - LANE_LEFT - 10.0) / end_s

    def x_of(at_s: float) -> float:
        return LANE_LEFT + min(max(at_s, 0.0), end_s) * scale

    height = LANE_TOP + LANE_HEIGHT * len(sensors) + 8.0
    shapes: list[Markup] = []
    for at_s, words in _spread(view.minute_marks, scale):
        x = _n(x_of(at_s))
        line = element("path", d=f"M{x} {_n(LANE_TOP - 6.0)}V{_n(height)}", class_="grid")
        shapes += [line, element("text", words, x=x, y="34", text_anchor="middle", class_="minor")]
    for alert in view.alerts:
        if alert.steps_s and 0.0 <= alert.steps_s[0] <= end_s:
            x = _n(x_of(alert.steps_s[0]))
            shapes.append(element("path", d=f"M{x} 18V{_n(height)}", class_="alarm"))
            name = element("text", f"alert {alert.alert_id}", x=x, y="13", text_anchor="middle")
            shapes.append(name)
    for row, sensor in enumerate(sensors):
        shapes += _lane(sensor, LANE_TOP + row * LANE_HEIGHT, x_of)
    told = " ".join(_lane_words(s) for s in sensors)
    drawing = element(
        "svg",
        element("title", "The sensors over the time", id="lanes-title"),
        element("desc", told, id="lanes-words"),
        *shapes,
        viewBox=f"0 0 {_n(LANE_WIDTH)} {_n(height)}",
        role="img",
        aria_labelledby="lanes-title lanes-words",
        class_="lanes",
        data_left=_n(LANE_LEFT),
        data_scale=f"{scale:.6f}",
        data_height=_n(height),
    )
    caption = (
        "Each sensor's time: a bar while it worked, crossed where it was silent, dotted where "
        "nothing had been heard of it yet. The strokes on the bar are when it saw one of the tracks"
        " of this incident. Where a bar has no stroke, it worked and did not see them."
    )
    return element("figure", drawing, element("figcaption", caption), class_="wide")


def _spread(marks: tuple[tuple[float, str], ...], scale: float) -> list[tuple[float, str]]:
    """As many of the minutes as have room for their words."""
    kept: list[tuple[float, str]] = []
    for mark in marks:
        if not kept or (mark[0] - kept[-1][0]) * scale >= WORDS_APART:
            kept.append(mark)
    return kept


def _lane(sensor: SensorView, top: float, x_of: Callable[[float], float]) -> list[Markup]:
    middle = top + LANE_HEIGHT / 2.0
    shapes = [
        element(
            "text",
            sensor.sensor_id[:22],
            x=_n(LANE_LEFT - 12.0),
            y=_n(middle + 4.0),
            text_anchor="end",
        )
    ]
    for since_s, until_s, state in sensor.health:
        left, right = x_of(since_s), x_of(until_s)
        bar = {"x": _n(left), "y": _n(top + 6.0), "width": _n(max(right - left, 1.0))}
        css = state if state in HEALTH else "unknown"
        shapes.append(element("rect", height=_n(LANE_HEIGHT - 12.0), class_=f"bar {css}", **bar))
        if state == "silent":
            low, high = _n(top + 6.0), _n(top + LANE_HEIGHT - 6.0)
            d = f"M{_n(left)} {low}L{_n(right)} {high}M{_n(left)} {high}L{_n(right)} {low}"
            shapes.append(element("path", d=d, class_="crossed"))
    last, path = -math.inf, []
    for at_s in sensor.seen_s:
        x = x_of(at_s)
        if x - last >= TICK_APART:
            path.append(f"M{_n(x)} {_n(top + 4.0)}v{_n(LANE_HEIGHT - 8.0)}")
            last = x
    if path:
        shapes.append(element("path", d="".join(path), class_="seen"))
    if sensor.withheld:
        x, y = LANE_LEFT + 8.0, middle + 4.0
        shapes.append(element("text", f"WITHHELD: {sensor.withheld}", x=_n(x), y=_n(y)))
    return shapes


def _lane_words(sensor: SensorView) -> str:
    silent_s = sum(until - since for since, until, state in sensor.health if state == "silent")
    seen = "saw none of the tracks"
    if sensor.seen_s:
        seen = f"saw one of the tracks in {len(sensor.seen_s)} moments"
    quiet = f", was silent for {silent_s:.0f} s" if silent_s else ""
    return f"{sensor.sensor_id} {seen}{quiet}."


def _known(sensor: SensorView) -> bool:
    coverage = sensor.coverage
    return (
        coverage is not None
        and is_place((sensor.east, sensor.north))
        and 0.0 < coverage.range_max_m <= FARTHEST_M
    )


def _range(sensor: SensorView) -> float:
    return 0.0 if sensor.coverage is None else sensor.coverage.range_max_m


def _whole(coverage: CoverageView) -> bool:
    return coverage.azimuth_to_deg - coverage.azimuth_from_deg >= 360.0


def _n(number: float) -> str:
    text = f"{number:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text
