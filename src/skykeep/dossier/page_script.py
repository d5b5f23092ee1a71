"""The time slider: what the page's one program needs, and the program itself.

Without it the page shows everything at once. It reads the data block, draws over the maps that
are there, and asks nobody anything.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from skykeep.dossier.markup import Markup, data_block, element
from skykeep.dossier.page_map import GAP_S, SIGMAS_95, permission_of
from skykeep.dossier.page_places import SIZE, drawable, is_place
from skykeep.dossier.page_words import HEALTH, PERSON, PRESENCE, STEPS, look_of, said
from skykeep.dossier.view import DossierView, TrackView

DATA_ID = "scene"


def scene(view: DossierView) -> dict[str, Any] | None:
    """The incident by its seconds, for the program; None where there is no time to go through."""
    clock = view.clock
    points = [p[0] for track in view.tracks for p in drawable(track)]
    if clock is None or not points:
        return None
    return {
        "size": SIZE,
        "gap": GAP_S,
        "sigmas": SIGMAS_95,
        "zero": clock.zero_s,
        "offsets": clock.offsets,
        "end": max(points),
        "tracks": [_track(track) for track in view.tracks if drawable(track)],
        "zones": [{"id": z.zone_id, "name": z.name, "spans": z.spans} for z in view.zones],
        "sensors": [
            {
                "id": s.sensor_id,
                "at": [s.east, s.north],
                "cover": None
                if s.coverage is None
                else [
                    s.coverage.range_max_m,
                    s.coverage.azimuth_from_deg,
                    s.coverage.azimuth_to_deg,
                ],
                "health": [[since, until, said(HEALTH, h), h] for since, until, h in s.health],
                "seen": s.seen_s,
            }
            for s in view.sensors
            if is_place((s.east, s.north)) and s.kind != PERSON
        ],
        "alerts": [
            {
                "id": a.alert_id,
                "steps": [
                    [at, said(STEPS, what), "" if role == "rule" else who]
                    for at, (_, what, who, role, _) in zip(a.steps_s, a.steps, strict=False)
                    if what in STEPS
                ],
            }
            for a in view.alerts
        ],
        "moments": sorted({item.at_s for item in view.timeline}),
    }


def _track(track: TrackView) -> dict[str, Any]:
    sigmas = track.sigmas_m if len(track.sigmas_m) == len(track.points) else ()
    by_point = dict(zip(track.points, sigmas, strict=False))
    look = look_of(permission_of(track))
    return {
        "id": track.track_id,
        "css": look.css,
        "dash": look.dash or "none",
        "points": [
            [round(p[0], 2), *(round(m, 1) for m in p[1:]), round(by_point.get(p, 0.0), 1)]
            for p in drawable(track)
        ],
        "verdicts": [
            [
                v.at_s,
                v.zone_id,
                said(PRESENCE, v.presence),
                look_of(v.permission).words,
                look_of(v.permission).css,
            ]
            for v in track.verdicts
        ],
    }


def player(view: DossierView) -> list[Markup]:
    """The slider with its buttons, hidden until the program is there, and the program's data."""
    told = scene(view)
    if told is None:
        return []
    buttons = [
        element("button", words, type="button", id=name)
        for name, words in (
            ("play", "Play"),
            ("back", "Event before"),
            ("next", "Next event"),
            ("all", "Everything at once"),
        )
    ]
    cover = element("input", type="checkbox", id="cover")
    time = element(
        "input", type="range", id="time", min="0", max=f"{told['end']:.0f}", step="1", value="0",
        aria_describedby="how",
    )  # fmt: skip
    control = element(
        "div",
        element("p", element("output", "everything at once", id="when", for_="time")),
        element("label", "Go through the time", for_="time"),
        time,
        element("div", *buttons, element("label", cover, " what sensors cover"), class_="buttons"),
        element(
            "p",
            "Arrow keys move by a second, page keys further. The maps, the lanes of the sensors "
            "and the list of events follow.",
            id="how",
            class_="note",
        ),
        element("div", id="now", role="status"),
        id="player",
        class_="player",
        hidden="",
    )
    return [control, data_block(DATA_ID, told)]


PROGRAM = Path(__file__).with_name("slider.js").read_text(encoding="utf-8")
