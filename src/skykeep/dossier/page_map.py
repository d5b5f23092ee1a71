"""The page's maps: plain SVG in metres east and north, one unit of the drawing a pixel.

Each map is a square of SIZE units; north is up. Names are set where they cover nothing that
was named before; a name of lesser weight that finds no room is left out, its mark is not.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from skykeep.dossier.markup import Markup, element
from skykeep.dossier.page_places import (
    SIZE,
    Box,
    Place,
    closer_box,
    distance_words,
    drawable,
    holds,
    is_place,
    outline_of,
    parts_of,
    way_words,
    whole_box,
)
from skykeep.dossier.page_words import PERSON, look_of, weightiest
from skykeep.dossier.view import DossierView, TrackView, ZoneView

#: A page column of a desk screen shows the map at about its own size, a phone at two thirds;
#: the style then writes larger, so that names are given room for that.
LETTER = 8.6
LINE = 18.0
#: A track without a point for longer was not held: its line has a gap there.
GAP_S = 15.0
MARK_EVERY_S = 60.0
#: A point of a line that lies nearer than this to the last one adds nothing to be seen.
STEP = 0.8
MARKS_APART = 9.0
#: The plate with the scale keeps so far off what is drawn.
CORNER_ROOM = 12.0
#: A name on a line is readable, so a line counts less than another name.
LINE_WEIGHT = 0.2
#: Lines are remembered by squares of this side.
GRID = 6.0
NAME_LETTERS = 30
#: A place in two dimensions lies within so many standard deviations with 95 % (Rayleigh).
SIGMAS_95 = 2.448
#: A smaller circle hides behind its line.
LEAST_RADIUS = 3.0
DOUBTS_APART = 7.0

#: Where a name may stand beside its mark: x and y in parts of the offset, and its anchor.
SEATS = (
    (1.0, 0.0, "start"),
    (-1.0, 0.0, "end"),
    (0.7, -1.0, "start"),
    (-0.7, -1.0, "end"),
    (0.7, 1.0, "start"),
    (-0.7, 1.0, "end"),
    (0.0, -1.3, "middle"),
    (0.0, 1.3, "middle"),
)

#: More zones than these are named only where there is room.
NAMED_ZONES = 30

Cell = tuple[float, float, float, float]
"""Left, top, right, bottom in the drawing."""


@dataclass(slots=True)
class Sheet:
    """A map while it is drawn: names come last, so that no line covers them.

    `closer` is where another map shows more: lesser names are left to that one.
    """

    box: Box
    shapes: list[Markup] = field(default_factory=list)
    names: list[Markup] = field(default_factory=list)
    taken: list[Cell] = field(default_factory=list)
    crossed: set[tuple[int, int]] = field(default_factory=set)
    closer: Cell | None = None

    def name(self, at: Place, text: str, css: str, offset: float, needed: bool) -> None:
        """A name beside a place, where there is room; `needed` ones are set in any case."""
        if not _on_sheet(at) or (not needed and self._elsewhere(at)):
            return
        short = text if len(text) <= NAME_LETTERS else f"{text[: NAME_LETTERS - 1]}…"
        width = LETTER * len(short)
        seats: list[tuple[bool, float, int, Cell, str, float, float]] = []
        for right, down, anchor in SEATS:
            x, y = at[0] + right * offset, at[1] + down * offset
            left = {"start": x, "end": x - width, "middle": x - width / 2.0}[anchor]
            cell = (left, y - LINE / 2.0, left + width, y + LINE / 2.0)
            hidden = self._hidden(cell)
            cost = hidden + LINE_WEIGHT * self._crossed(cell)
            seats.append((hidden > 0.0, cost, len(seats), cell, anchor, x, y))
        hides, _, _, cell, anchor, x, y = min(seats)
        if hides and not needed:
            return
        self.taken.append(cell)
        self.names.append(
            element("text", short, x=_n(x), y=_n(y + 4.5), text_anchor=anchor, class_=css)
        )

    def block(self, at: Place, half: float) -> None:
        """Keep names off a mark."""
        self.taken.append((at[0] - half, at[1] - half, at[0] + half, at[1] + half))

    def follow(self, line: Sequence[Place]) -> None:
        """Keep names off a line where there is room elsewhere."""
        seen = (place for place in line if _on_sheet(place))
        self.crossed |= {(int(x // GRID), int(y // GRID)) for x, y in seen}

    def _elsewhere(self, at: Place) -> bool:
        cell = self.closer
        return cell is not None and cell[0] <= at[0] <= cell[2] and cell[1] <= at[1] <= cell[3]

    def _crossed(self, cell: Cell) -> float:
        """How much of a cell lies on squares that lines go through."""
        left, top, right, bottom = (int(edge // GRID) for edge in cell)
        squares = ((x, y) for x in range(left, right + 1) for y in range(top, bottom + 1))
        return GRID * GRID * sum(square in self.crossed for square in squares)

    def _hidden(self, cell: Cell) -> float:
        outside = max(0.0, -cell[0], -cell[1], cell[2] - SIZE, cell[3] - SIZE)
        return outside * SIZE + _covered(cell, self.taken)


def _covered(cell: Cell, others: Sequence[Cell]) -> float:
    """How much of a cell the others cover, in square units."""
    covered = 0.0
    for other in others:
        wide = min(cell[2], other[2]) - max(cell[0], other[0])
        high = min(cell[3], other[3]) - max(cell[1], other[1])
        covered += max(0.0, wide) * max(0.0, high)
    return covered


def maps(view: DossierView) -> tuple[Markup, ...]:
    """The maps of a view: all of it, and closer where that helps; none without any place."""
    whole = whole_box(view)
    if whole is None:
        return ()
    closer = closer_box(view, whole)
    if closer is None:
        return (_figure(view, whole, 1, "The map"),)
    return (
        _figure(view, whole, 1, "The whole picture", closer),
        _figure(view, closer, 2, "Closer: the zone that was flown into"),
    )


def line_sample(permission: str) -> Markup:
    """A piece of line as on the map, for the legend."""
    look = look_of(permission)
    line = element(
        "path", d="M0 8H44", class_=f"line {look.css}", stroke_dasharray=look.dash or "none"
    )
    return element("svg", line, viewBox="0 0 44 16", aria_hidden="true")


def mark_sample(mark: str) -> Markup:
    """A mark as on the map, for the legend."""
    at = (22.0, 8.0)
    drawn = {"first": _first, "last": _last}.get(mark)
    shape = drawn(at, "unjudged") if drawn else OTHER_MARKS[mark](at)
    return element("svg", shape, viewBox="0 0 44 16", aria_hidden="true")


def permission_of(track: TrackView) -> str:
    """The one permission that a track's line shows."""
    return weightiest(tuple(verdict.permission for verdict in track.verdicts))


def _n(number: float) -> str:
    """A number of the drawing: one decimal, never "-0"."""
    text = f"{number:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def _on_sheet(at: Place) -> bool:
    return 0.0 <= at[0] <= SIZE and 0.0 <= at[1] <= SIZE


def _figure(
    view: DossierView, box: Box, number: int, title: str, closer: Box | None = None
) -> Markup:
    sheet = Sheet(box)
    if closer is not None:
        _draw_closer(sheet, closer)
    plate = _plate(sheet, view)
    beyond = [note for zone in view.zones if (note := _draw_zone(sheet, zone))]
    for track in view.tracks:
        _draw_track(sheet, track)
    things = _draw_things(sheet, view)
    for zone in view.zones:
        _name_zone(sheet, zone, needed=len(view.zones) <= NAMED_ZONES)
    for track in view.tracks:
        _name_track(sheet, track, _marks(view))
    for at, name in things:
        sheet.name(at, name, "minor", 11.0, needed=False)
    ids = (f"map-{number}-title", f"map-{number}-words")
    told = " ".join((_all_words(view), *beyond))
    drawing = element(
        "svg",
        element("title", f"{title}: a map of {distance_words(box.side_m)} by the same", id=ids[0]),
        element("desc", told, id=ids[1]),
        element("g", *sheet.shapes, class_="all"),
        element("g", *sheet.names, class_="names"),
        plate,
        viewBox=f"0 0 {_n(SIZE)} {_n(SIZE)}",
        role="img",
        aria_labelledby=" ".join(ids),
        class_="map",
        data_east=f"{box.east_m:.1f}",
        data_north=f"{box.north_m:.1f}",
        data_side=f"{box.side_m:.1f}",
    )
    side = f"{title}: {distance_words(box.side_m)} from edge to edge, north is up. "
    if closer is not None:
        side += "The dashed square is the closer map. "
    return element("figure", drawing, element("figcaption", side, " ".join(beyond)))


def _draw_zone(sheet: Sheet, zone: ZoneView) -> str:
    """Draw a zone; words where its border is not on the map."""
    outline = outline_of(zone)
    if len(outline) < 3:
        return f"{zone.name} has no border that can be drawn."
    corners = [sheet.box.at(*place) for place in outline]
    css = "zone emergency" if zone.emergency else "zone"
    own = {"data_zone": zone.zone_id}
    sheet.shapes.append(element("path", d=_path(corners) + "Z", class_=css, **own))
    seen = [corner for corner in corners if _on_sheet(corner)]
    if not seen:
        middle = (sheet.box.east_m + sheet.box.side_m / 2.0, sheet.box.north_m)
        middle = (middle[0], middle[1] + sheet.box.side_m / 2.0)
        where = "covers this whole map" if holds(outline, middle) else "lies outside this map"
        return f"{zone.name} {where}."
    return ""


def _name_zone(sheet: Sheet, zone: ZoneView, needed: bool) -> None:
    """The zone's name at the northernmost corner that the map shows."""
    seen = [at for place in outline_of(zone) if _on_sheet(at := sheet.box.at(*place))]
    if seen:
        top = min(seen, key=lambda corner: (corner[1], corner[0]))
        sheet.name(top, zone.name, "zone-name", LINE * 0.8, needed)


def _draw_closer(sheet: Sheet, closer: Box) -> None:
    left, bottom = sheet.box.at(closer.east_m, closer.north_m)
    side = closer.side_m / sheet.box.side_m * SIZE
    sheet.closer = (left, bottom - side, left + side, bottom)
    at = {"x": _n(left), "y": _n(bottom - side), "width": _n(side), "height": _n(side)}
    sheet.shapes.append(element("rect", class_="closer", **at))


def _draw_track(sheet: Sheet, track: TrackView) -> None:
    points = drawable(track)
    if not points:
        return
    look = look_of(permission_of(track))
    sheet.shapes += _doubts(sheet.box, track, look.css)
    pieces = [[sheet.box.at(*p[1:3]) for p in piece] for piece in _pieces(points)]
    path = "".join(_path(_thinned(piece)) for piece in pieces)
    sheet.shapes.append(element("path", d=path, class_="under"))
    dash = look.dash or "none"
    sheet.shapes.append(element("path", d=path, class_=f"line {look.css}", stroke_dasharray=dash))
    for piece in pieces:
        sheet.shapes += _heads([p for p in _thinned(piece) if _on_sheet(p)], look.css)
        sheet.follow(piece)
    first, last = pieces[0][0], pieces[-1][-1]
    sheet.shapes += [_first(first, look.css), _last(last, look.css)]
    sheet.block(first, 7.0)
    sheet.block(last, 7.0)


def _doubts(box: Box, track: TrackView, css: str) -> list[Markup]:
    """Circles that held the aircraft with 95 %, where they are large enough to be seen apart."""
    if len(track.sigmas_m) != len(track.points):
        return []
    drawn: list[Markup] = []
    last: Place | None = None
    for (_, east_m, north_m, _), sigma_m in zip(track.points, track.sigmas_m, strict=True):
        radius = SIGMAS_95 * sigma_m / box.side_m * SIZE
        if not (is_place((east_m, north_m)) and LEAST_RADIUS <= radius <= SIZE):
            continue
        at = box.at(east_m, north_m)
        if not _on_sheet(at) or (last is not None and math.dist(last, at) < DOUBTS_APART):
            continue
        last = at
        circle = {"cx": _n(at[0]), "cy": _n(at[1]), "r": _n(radius)}
        drawn.append(element("circle", class_=f"doubt {css}", **circle))
    return drawn


def _name_track(sheet: Sheet, track: TrackView, marks: Sequence[tuple[float, str]]) -> None:
    """The track's name where it comes into the map, and a tick with the time each minute."""
    points = drawable(track)
    placed = [sheet.box.at(*p[1:3]) for p in points]
    look = look_of(permission_of(track))
    entry = next((p for p in placed if _on_sheet(p)), None)
    if entry is None:
        return
    sheet.name(entry, f"{track.track_id}: {look.words.lower()}", "", 12.0, needed=True)
    last: Place | None = None
    for at_s, words in marks:
        found = _tick(points, at_s, sheet.box)
        if found is None or not _on_sheet(found[0]):
            continue
        (x, y), (along_x, along_y) = found
        if last is not None and math.dist(last, (x, y)) < MARKS_APART:
            continue
        last = (x, y)
        dx, dy = -along_y * 6.0, along_x * 6.0
        d = f"M{_n(x - dx)} {_n(y - dy)}L{_n(x + dx)} {_n(y + dy)}"
        sheet.shapes.append(element("path", d=d, class_=f"tick {look.css}"))
        sheet.block((x, y), 3.0)
        sheet.name((x, y), words, "minor", 11.0, needed=False)


def _draw_things(sheet: Sheet, view: DossierView) -> list[tuple[Place, str]]:
    """Sensors, people and found parts; where they stand on the map, with their names."""
    things: list[tuple[Place, str]] = []
    for sensor in view.sensors:
        if is_place((sensor.east, sensor.north)):
            at = sheet.box.at(sensor.east, sensor.north)
            sheet.shapes.append(_person(at) if sensor.kind == PERSON else _sensor(at))
            things.append((at, sensor.sensor_id))
    for number, part in enumerate(parts_of(view), start=1):
        at = sheet.box.at(*part)
        sheet.shapes.append(_part(at))
        things.append((at, f"part {number}"))
    for at, _ in things:
        sheet.block(at, 6.0)
    return things[::-1]  # the parts are named first: there is less room for all


def _first(at: Place, css: str) -> Markup:
    return element("circle", cx=_n(at[0]), cy=_n(at[1]), r="5", class_=f"first {css}")


def _last(at: Place, css: str) -> Markup:
    x, y = at[0] - 5.0, at[1] - 5.0
    return element("rect", x=_n(x), y=_n(y), width="10", height="10", class_=f"last {css}")


def _sensor(at: Place) -> Markup:
    x, y = at
    d = f"M{_n(x)} {_n(y - 7)}L{_n(x + 7)} {_n(y + 5)}H{_n(x - 7)}Z"
    return element("path", d=d, class_="sensor")


def _part(at: Place) -> Markup:
    x, y = at
    west, east, up, down = _n(x - 5), _n(x + 5), _n(y - 5), _n(y + 5)
    return element("path", d=f"M{west} {up}L{east} {down}M{west} {down}L{east} {up}", class_="part")


def _person(at: Place) -> Markup:
    x, y = at
    d = f"M{_n(x)} {_n(y - 7)}L{_n(x + 6)} {_n(y)}L{_n(x)} {_n(y + 7)}L{_n(x - 6)} {_n(y)}Z"
    return element("path", d=d, class_="sensor")


OTHER_MARKS = {"sensor": _sensor, "person": _person, "part": _part}


def _path(corners: Iterable[Place]) -> str:
    return "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in corners)


def _pieces(
    points: Sequence[tuple[float, float, float, float]],
) -> list[list[tuple[float, float, float, float]]]:
    """The stretches over which a track was held without a gap."""
    pieces = [[points[0]]]
    for before, point in pairwise(points):
        if point[0] - before[0] > GAP_S:
            pieces.append([])
        pieces[-1].append(point)
    return pieces


def _thinned(line: Sequence[Place]) -> list[Place]:
    kept = [line[0]]
    for place in line[1:-1]:
        if math.dist(kept[-1], place) >= STEP:
            kept.append(place)
    return [*kept, line[-1]]


def _heads(line: Sequence[Place], css: str) -> list[Markup]:
    """Arrow heads at a third and two thirds of a line's length."""
    lengths = [math.dist(a, b) for a, b in pairwise(line)]
    total = sum(lengths)
    if total < 40.0:
        return []
    heads, gone, wanted = [], 0.0, [total / 3.0, total * 2.0 / 3.0]
    for (x, y), (x2, y2), length in zip(line, line[1:], lengths, strict=False):
        gone += length
        if wanted and gone >= wanted[0] and length > 0.0:
            wanted.pop(0)
            turn = math.degrees(math.atan2(y2 - y, x2 - x))
            place = f"translate({_n(x2)} {_n(y2)}) rotate({_n(turn)})"
            heads.append(
                element("path", d="M9 0L-7 7L-3 0L-7 -7Z", transform=place, class_=f"head {css}")
            )
    return heads


def _marks(view: DossierView) -> Sequence[tuple[float, str]]:
    if view.minute_marks:
        return view.minute_marks
    times = [point[0] for track in view.tracks for point in drawable(track)]
    minutes = int(min(max(times, default=0.0), 24 * 3600.0) // MARK_EVERY_S)
    return [(MARK_EVERY_S * n, f"+{n} min") for n in range(1, minutes + 1)]


def _tick(
    points: Sequence[tuple[float, float, float, float]], at_s: float, box: Box
) -> tuple[Place, Place] | None:
    """Where a track was at a time, and its direction there; None where it was not held."""
    place = bisect_left(points, at_s, key=lambda point: point[0])
    if not 0 < place < len(points):
        return None
    before, after = points[place - 1], points[place]
    span = after[0] - before[0]
    if span > GAP_S:
        return None
    share = (at_s - before[0]) / span
    a, b = box.at(*before[1:3]), box.at(*after[1:3])
    length = math.dist(a, b)
    along = ((b[0] - a[0]) / length, (b[1] - a[1]) / length) if length else (0.0, 1.0)
    return (a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])), along


def _plate(sheet: Sheet, view: DossierView) -> Markup:
    """North and a bar of a round length, at most a third of the map, in the emptiest corner."""
    most = sheet.box.side_m / 3.0
    power = 10.0 ** math.floor(math.log10(most))
    metres = max(step * power for step in (1.0, 2.0, 5.0) if step * power <= most)
    length = metres / sheet.box.side_m * SIZE
    width, height = length + 56.0, 50.0
    drawn = [sheet.box.at(*p[1:3]) for track in view.tracks for p in drawable(track)]
    drawn += [sheet.box.at(s.east, s.north) for s in view.sensors if is_place((s.east, s.north))]
    corners = [(x, y) for y in (SIZE - height - 4.0, 4.0) for x in (4.0, SIZE - width - 4.0)]

    def covered(corner: Place) -> int:
        x, y = corner
        room = CORNER_ROOM
        return sum(
            x - room <= px <= x + width + room and y - room <= py <= y + height + room
            for px, py in drawn
        )

    x, y = min(corners, key=covered)  # the first of several
    sheet.taken.append((x, y, x + width, y + height))
    needle = f"M{_n(x + 20)} {_n(y + 5)}L{_n(x + 27)} {_n(y + 27)}l-7 -5l-7 5Z"
    left, low = x + 44.0, y + height - 10.0
    bar = f"M{_n(left)} {_n(low - 6)}V{_n(low)}H{_n(left + length)}V{_n(low - 6)}"
    at = {"x": _n(x), "y": _n(y), "width": _n(width), "height": _n(height)}
    return element(
        "g",
        element("rect", class_="plate", **at),
        element("path", d=needle, class_="needle"),
        element("text", "N", x=_n(x + 20.0), y=_n(low + 3.0), text_anchor="middle"),
        element("path", d=bar, class_="scale"),
        element("text", distance_words(metres), x=_n(left + 4.0), y=_n(low - 10.0)),
    )


def _all_words(view: DossierView) -> str:
    """The map in words, for those who do not see it."""
    told = [
        f"Track {t.track_id}, {look_of(permission_of(t)).words.lower()}: {way_words(t)}"
        for t in view.tracks
    ]
    parts = len(parts_of(view))
    if parts:
        told.append(f"{parts} found {'part is' if parts == 1 else 'parts are'} marked.")
    return " ".join(told)
