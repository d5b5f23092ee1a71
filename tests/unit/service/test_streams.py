"""Which tracks a recipient is told of, how finely and how many."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from skykeep.core.alert import Alert, AlertState
from skykeep.core.event import Permission, Strength, TrackUpdated
from skykeep.core.handover import Handover, HandoverState, Recipient
from skykeep.core.picture import TrackView
from skykeep.core.verdict import INSIDE, Presence, Verdict
from skykeep.deliver.settings import Caps, RecipientSettings, Shows
from skykeep.service.moment import Moment
from skykeep.service.streams import share_of
from skykeep.units import AlertId, TrackId, ZoneId
from tests.sky import OFFICER, SITE, at, fix_at

POLICE = Recipient("police", "responder", (), (ZoneId("Z1"),), (1, 2))


def view(number: int, zone: str, permission: Permission) -> TrackView:
    state = TrackUpdated(
        at(1.0), TrackId(f"T{number}"), at(1.0), 104_000, 3_000, 80_000, 3_000, 4_000, 0, 5_000,
        6_000, "HAE", 427_000, (), (), 0.9, True,
    )  # fmt: skip
    where = Presence(INSIDE, None, fix_at((104.0, 3.0, 80.0)), at(1.0))
    verdict = Verdict(permission, (), Strength.NONE, None)
    judged = ((ZoneId(zone), where, verdict),)
    return TrackView(TrackId(f"T{number}"), at(0.0), at(1.0), state, (), judged, None)


def alert(number: int, zone: str, **changes: Any) -> Alert:
    plain = Alert(
        AlertId(f"A{number}"), AlertState.RAISED, True, 1, (TrackId(f"T{number}"),),
        (ZoneId(zone),), Permission.NOT_PERMITTED, (), at(0.0),
    )  # fmt: skip
    return replace(plain, **changes)


def handed(number: int, **changes: Any) -> Handover:
    plain = Handover(
        f"H{number}", AlertId(f"A{number}"), "police", HandoverState.TAKEN, at(0.0), OFFICER, "",
        at(9.0), None, (),
    )  # fmt: skip
    return replace(plain, **changes)


MOMENT = Moment(
    at(1.0),
    (
        view(1, "Z1", Permission.NOT_PERMITTED), view(2, "Z1", Permission.PERMITTED),
        view(3, "Z2", Permission.NOT_PERMITTED), view(4, "Z1", Permission.NOT_PERMITTED),
        view(5, "Z1", Permission.NOT_PERMITTED),
    ),
    (
        alert(1, "Z1"), alert(3, "Z2"), alert(4, "Z1", priority=3),
        alert(5, "Z1", state=AlertState.CLOSED),
    ),
    (), (), (), (), 0,
    (handed(1, exercise=True), handed(3, recipient="others"),
     handed(5, state=HandoverState.WITHDRAWN)),
)  # fmt: skip


@pytest.mark.parametrize(
    ("shows", "told"),
    [
        (Shows.NOTHING, set()),
        (Shows.HANDED_OVER, {"T1"}),
        (Shows.ALERTS, {"T1"}),
        (Shows.ZONES, {"T1", "T2", "T4", "T5"}),
    ],
)
def test_a_recipient_is_told_of_its_own_tracks_alone(shows: Shows, told: set[str]) -> None:
    settings = RecipientSettings(POLICE, {}, Caps(shows))
    assert {t.track_id for t in share_of(settings, MOMENT, False, SITE)} == told


def test_alerts_that_it_might_be_handed_are_told_before_they_are() -> None:
    moment = replace(MOMENT, handovers=())
    settings = RecipientSettings(POLICE, {}, Caps(Shows.ALERTS))
    assert [t.track_id for t in share_of(settings, moment, False, SITE)] == ["T1"]
    bare = RecipientSettings(POLICE, {}, Caps(Shows.HANDED_OVER))
    assert share_of(bare, moment, False, SITE) == []


@pytest.mark.parametrize("precision_m", [0.0, 10.0, 100.0])
def test_a_place_lies_on_the_grid_and_its_error_says_so(precision_m: float) -> None:
    settings = RecipientSettings(POLICE, {}, Caps(precision_m=precision_m))
    (track,) = share_of(settings, MOMENT, False, SITE)
    assert track.height_hae_m is not None
    place = SITE.frame.to_enu(track.lat_deg, track.lon_deg, track.height_hae_m)
    wanted = {0.0: (104.0, 3.0, 80.0), 10.0: (100.0, 0.0, 80.0), 100.0: (100.0, 0.0, 100.0)}
    assert place == pytest.approx(wanted[precision_m], abs=0.1)
    assert track.ce_m == pytest.approx((25.0 + precision_m**2 / 12.0) ** 0.5, abs=0.051)
    assert (track.speed_mps, track.course_deg) == (5.0, 37)
    assert track.exercise  # its hand-over is one
    assert track.permission is Permission.NOT_PERMITTED


def test_an_unknown_height_is_not_told() -> None:
    one = MOMENT.tracks[0]
    moment = replace(MOMENT, tracks=(replace(one, state=replace(one.state, height_mm=None)),))
    (track,) = share_of(RecipientSettings(POLICE, {}), moment, False, SITE)
    assert (track.height_hae_m, track.le_m) == (None, None)
