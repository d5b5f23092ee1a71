"""The printed map: the whole picture and, where that helps, a closer one beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from reportlab.graphics.shapes import (  # type: ignore[import-untyped]
    Circle,
    Drawing,
    Line,
    Path,
    Polygon,
    Rect,
    String,
)
from reportlab.lib import colors  # type: ignore[import-untyped]

from skykeep.dossier.page_map import permission_of
from skykeep.dossier.page_places import (
    SIZE,
    Box,
    Place,
    closer_box,
    distance_words,
    drawable,
    is_place,
    outline_of,
    parts_of,
    whole_box,
)
from skykeep.dossier.view import DossierView

GAP = 10.0
#: As on the page: a colour for each permission, and a dash, so that nobody needs the colour.
_LINES: dict[str, tuple[str, Sequence[int] | None]] = {
    "not_permitted": ("#b53d00", None),
    "undetermined": ("#8a6100", (5, 3)),
    "permitted": ("#00659e", (1, 3)),
    "not_subject": ("#5d6470", (7, 2, 2, 2)),
}
_UNJUDGED = ("#5d6470", (1, 2))
_ZONE = colors.HexColor("#7a3b66")

Letters = Callable[[str], str]


def drawing(view: DossierView, width: float, letters: Letters) -> Any:
    """One or two square maps over the width (points); None without any place."""
    whole = whole_box(view)
    if whole is None:
        return None
    near = closer_box(view, whole)
    boxes = [whole] if near is None else [whole, near]
    side = (width - GAP) / 2.0
    made = Drawing(width, side)
    for number, box in enumerate(boxes):
        _map(made, view, box, number * (side + GAP), side, letters, closer=number > 0)
    return made


def _map(
    made: Any,
    view: DossierView,
    box: Box,
    left: float,
    side: float,
    letters: Letters,
    closer: bool,
) -> None:
    scale = side / SIZE

    def at(east_m: float, north_m: float) -> Place:
        x, y = box.at(east_m, north_m)
        return left + x * scale, side - y * scale

    def on_sheet(place: Place) -> bool:
        return left <= place[0] <= left + side and 0.0 <= place[1] <= side

    made.add(Rect(left, 0, side, side, fillColor=None, strokeColor=colors.grey, strokeWidth=0.5))
    for zone in view.zones:
        corners = [at(*place) for place in outline_of(zone)]
        # What runs off the map would run over the other one: its corners are held to the edge.
        held = [(min(max(x, left), left + side), min(max(y, 0.0), side)) for x, y in corners]
        if len(held) > 2 and any(on_sheet(c) for c in corners):
            flat = [n for place in held for n in place]
            made.add(Polygon(flat, strokeColor=_ZONE, fillColor=None, strokeWidth=0.8))
            top = max((c for c in corners if on_sheet(c)), key=lambda c: c[1])
            made.add(_words(letters(zone.name), (top[0], top[1] + 3.0), left, side))
    for track in view.tracks:
        places = [p for p in (at(*point[1:3]) for point in drawable(track)) if on_sheet(p)]
        if not places:
            continue
        colour, dash = _LINES.get(permission_of(track), _UNJUDGED)
        ink = colors.HexColor(colour)
        path = Path(strokeColor=ink, strokeWidth=1.4, fillColor=None, strokeDashArray=dash)
        path.moveTo(*places[0])
        for place in places[1:]:
            path.lineTo(*place)
        made.add(path)
        made.add(Circle(*places[0], 2.5, strokeColor=ink, fillColor=colors.white))
        x, y = places[-1]
        made.add(Rect(x - 2.5, y - 2.5, 5, 5, strokeColor=ink, fillColor=ink))
        name = (places[0][0] + 5.0, places[0][1] - 8.0)
        made.add(_words(letters(track.track_id), name, left, side))
    for sensor in view.sensors:
        if is_place((sensor.east, sensor.north)) and on_sheet(at(sensor.east, sensor.north)):
            x, y = at(sensor.east, sensor.north)
            made.add(
                Polygon(
                    [x, y + 3.0, x + 3.0, y - 2.5, x - 3.0, y - 2.5],
                    strokeColor=colors.black,
                    fillColor=colors.white,
                    strokeWidth=0.7,
                )
            )
            if not closer:
                made.add(_words(letters(sensor.sensor_id), (x + 5.0, y - 2.5), left, side))
    for place in parts_of(view):
        x, y = at(*place)
        if on_sheet((x, y)):
            made.add(Line(x - 2.5, y - 2.5, x + 2.5, y + 2.5, strokeWidth=1.2))
            made.add(Line(x - 2.5, y + 2.5, x + 2.5, y - 2.5, strokeWidth=1.2))
    told = f"{distance_words(box.side_m)} from edge to edge"
    made.add(String(left + 4.0, 4.0, told, fontName="Helvetica", fontSize=7))


def _words(text: str, place: Place, left: float, side: float) -> Any:
    """A name at a place, held inside its map."""
    short = text if len(text) <= 34 else f"{text[:33]}."
    x = min(max(place[0], left + 2.0), left + side - 4.2 * len(short))
    y = min(max(place[1], 14.0), side - 8.0)
    return String(max(x, left + 2.0), y, short, fontName="Helvetica", fontSize=7)
