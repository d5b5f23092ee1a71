"""Where things are on the page: places in metres, what a map must show, and places in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from skykeep.dossier.view import DossierView, TrackView, ZoneView

#: Nothing that a site sees is further off; what says so is a fault, and would leave a map of
#: empty ground.
FARTHEST_M = 200_000.0
MARGIN_SHARE = 0.07
LEAST_SIDE_M = 120.0
#: A zone is fitted in while it is not much larger than what happened; else it runs off the map.
ZONE_SHARE = 1.3
#: The second map is drawn when it shows things at least this much larger than the first.
CLOSER_SHARE = 0.6
#: The size of a map's drawing, a square.
SIZE = 540.0

COMPASS = (
    "north",
    "north-east",
    "east",
    "south-east",
    "south",
    "south-west",
    "west",
    "north-west",
)

Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """What a map shows: a square with its south-west corner and its side, in metres."""

    east_m: float
    north_m: float
    side_m: float

    def at(self, east_m: float, north_m: float) -> Place:
        """A place in the drawing."""
        scale = SIZE / self.side_m
        return (east_m - self.east_m) * scale, SIZE - (north_m - self.north_m) * scale


def undrawn(view: DossierView) -> int:
    """How many places are no places (not finite, or further than FARTHEST_M) and not drawn."""
    given = [point[1:3] for track in view.tracks for point in track.points]
    given += [place for zone in view.zones for place in zone.outline]
    given += [part[:2] for report in view.reports for part in report.parts]
    given += [(sensor.east, sensor.north) for sensor in view.sensors]
    return sum(not is_place(place) for place in given)


def drawable(track: TrackView) -> tuple[tuple[float, float, float, float], ...]:
    """A track's points that are places at a time, in the order of time."""
    points = (p for p in track.points if is_place(p[1:3]) and math.isfinite(p[0]))
    return tuple(sorted(points, key=lambda point: point[0]))


def is_place(place: Sequence[float]) -> bool:
    """Whether numbers are a place that a site can see."""
    # A comparison with NaN is false.
    return all(abs(metres) <= FARTHEST_M for metres in place)


def outline_of(zone: ZoneView) -> tuple[Place, ...]:
    """The corners of a zone that are places."""
    return tuple(place for place in zone.outline if is_place(place))


def parts_of(view: DossierView) -> list[Place]:
    """Where parts were found, over all reports."""
    parts = [part[:2] for report in view.reports for part in report.parts]
    return [part for part in parts if is_place(part)]


@dataclass(frozen=True, slots=True)
class _Bounds:
    """The least rectangle around places, in metres."""

    west: float
    south: float
    east: float
    north: float

    @staticmethod
    def of(places: Sequence[Place]) -> _Bounds:
        easts, norths = [p[0] for p in places], [p[1] for p in places]
        return _Bounds(min(easts), min(norths), max(easts), max(norths))

    def joined(self, other: _Bounds) -> _Bounds:
        return _Bounds(
            min(self.west, other.west), min(self.south, other.south),
            max(self.east, other.east), max(self.north, other.north),
        )  # fmt: skip

    def has(self, place: Place) -> bool:
        return self.west <= place[0] <= self.east and self.south <= place[1] <= self.north

    def square(self) -> Box:
        """A map's square around it, with a margin."""
        span = max(self.east - self.west, self.north - self.south)
        side = max(LEAST_SIDE_M, span * (1.0 + 2.0 * MARGIN_SHARE))
        middle_east, middle_north = (self.west + self.east) / 2.0, (self.south + self.north) / 2.0
        return Box(middle_east - side / 2.0, middle_north - side / 2.0, side)


def whole_box(view: DossierView) -> Box | None:
    """What happened, the sensors, and the zones that fit in; None without any place."""
    happened = [point[1:3] for track in view.tracks for point in drawable(track)]
    happened += parts_of(view)
    sensors = [(s.east, s.north) for s in view.sensors if is_place((s.east, s.north))]
    bounds = [_Bounds.of(o) for z in view.zones if (o := outline_of(z))]
    bounds.sort(key=lambda b: b.square().side_m)
    if happened or not bounds:
        places = happened + sensors if happened else sensors
        if not places:
            return None
        shown = _Bounds.of(places)
    else:
        shown = bounds[0] if not sensors else bounds[0].joined(_Bounds.of(sensors))
    for each in bounds:
        if each.square().side_m <= ZONE_SHARE * shown.square().side_m:
            shown = shown.joined(each)
    return shown.square()


def closer_box(view: DossierView, whole: Box) -> Box | None:
    """Around the smallest zone that a track came into, with the parts that were found."""
    flown = [point[1:3] for track in view.tracks for point in drawable(track)]
    zones = [(_Bounds.of(o), o) for z in view.zones if (o := outline_of(z))]
    zones.sort(key=lambda zone: zone[0].square().side_m)
    for bounds, outline in zones:
        if any(bounds.has(place) and holds(outline, place) for place in flown):
            zone = bounds.square()
            end = (zone.east_m + zone.side_m, zone.north_m + zone.side_m)
            corners = [(zone.east_m, zone.north_m), end, *parts_of(view)]
            closer = _Bounds.of(corners).square()
            return closer if closer.side_m <= CLOSER_SHARE * whole.side_m else None
    return None


def holds(outline: Sequence[Place], place: Place) -> bool:
    """Whether an outline goes around a place (Shimrat 1962: count the crossed edges)."""
    inside = False
    east, north = place
    for (e1, n1), (e2, n2) in zip(outline, (*outline[1:], outline[0]), strict=True):
        if (n1 > north) != (n2 > north) and east < (e2 - e1) * (north - n1) / (n2 - n1) + e1:
            inside = not inside
    return inside


def way_words(track: TrackView) -> str:
    """Where a track came from and went, in words."""
    points = drawable(track)
    if not points:
        return "no place is known."
    nearest = min(points, key=lambda p: math.hypot(p[1], p[2]))
    return (
        f"first seen {place_words(*points[0][1:3])}, last seen {place_words(*points[-1][1:3])}, "
        f"nearest {place_words(*nearest[1:3])}."
    )


def place_words(east_m: float, north_m: float) -> str:
    """A place by its distance and direction from the site's reference point."""
    if not is_place((east_m, north_m)):
        return "at a place that cannot be true"
    metres = math.hypot(east_m, north_m)
    if metres < 10.0:
        return "at the reference point"
    part = round(math.degrees(math.atan2(east_m, north_m)) / 45.0) % 8
    return f"{distance_words(metres)} {COMPASS[part]}"


def distance_words(metres: float) -> str:
    """A distance as people say it: 40 m, 890 m, 3.6 km."""
    if metres < 995.0:  # from there on it rounds to a kilometre
        return f"{round(metres, -1) if metres >= 100.0 else metres:.0f} m"
    return f"{metres / 1_000.0:.1f}".removesuffix(".0") + " km"
