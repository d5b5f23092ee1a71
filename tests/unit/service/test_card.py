"""What a card says beside the track: who could have seen it, and what else it could be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from skykeep.core.geo import Circle, Volume, Volume4D
from skykeep.core.permit import PermitState
from skykeep.core.picture import TrackView
from skykeep.core.stations import SILENT, WORKING, StationSnapshot
from skykeep.service import card as room
from skykeep.service.card import Check, checks, missed_by
from skykeep.service.moment import Moment
from skykeep.units import SensorId
from tests.sky import FRAME, at, engine, permit_named, plots, zone_named

PLACE = (100.0, 0.0, 80.0)


def seen() -> tuple[TrackView, tuple[StationSnapshot, ...]]:
    """A drone that the radar alone has seen for some seconds, and all sensors at work."""
    site = engine(zone_named())
    for second in range(1, 6):
        site.receive(plots(second, PLACE))
        site.advance(at(second + 0.1))
    (track,) = site.tracks()
    return track, tuple(replace(s, health=WORKING) for s in site.stations())


def moment(**changes: object) -> Moment:
    track, stations = seen()
    plain = Moment(at(6.0), (track,), (), (), (), stations, (), 0)
    return replace(plain, **changes)  # type: ignore[arg-type]


def answers(now: Moment) -> dict[str, Check]:
    return {c.what: c for c in checks(now.tracks[0], now, FRAME)}


def test_who_could_have_seen_it_is_told_and_who_did_or_speaks_for_others_is_not() -> None:
    track, stations = seen()
    assert track.state.sensors == ("radar",)
    missed = [m["sensor_id"] for m in missed_by(track, stations, FRAME)]
    assert missed == ["rid", "adsb", "df"]
    blind = replace(stations[3].sensor.coverage, range_max_m=50.0)
    near = replace(stations[3], sensor=replace(stations[3].sensor, coverage=blind))
    assert [m["sensor_id"] for m in missed_by(track, (near,), FRAME)] == []


def test_an_aircraft_near_is_named_and_without_a_receiver_nobody_knows() -> None:
    now = moment()
    assert answers(now)["crewed aircraft"].answer == "no"
    track = now.tracks[0]
    plane = replace(
        track.state, sensors=(SensorId("adsb"),), east_mm=track.state.east_mm + 640_000,
        up_mm=track.state.up_mm + 300_000,
    )  # fmt: skip
    other = replace(track, track_id="T2", state=plane)
    found = answers(replace(now, tracks=(track, other)))["crewed aircraft"]
    assert (found.answer, found.words) == ("yes", "ADS-B: T2 640 m away, 300 m higher")
    far = replace(other, state=replace(plane, east_mm=track.state.east_mm + 2_000_001))
    assert answers(replace(now, tracks=(track, far)))["crewed aircraft"].answer == "no"
    deaf = tuple(
        replace(s, health=SILENT) if s.sensor.sensor_id == "adsb" else s for s in now.stations
    )
    assert answers(replace(now, stations=deaf))["crewed aircraft"].answer == "unknown"
    own = replace(track, state=replace(track.state, sensors=("radar", "adsb")))
    assert answers(replace(now, tracks=(own,)))["crewed aircraft"].answer == "yes"


@pytest.mark.parametrize("exempt", [True, False])
def test_who_flies_with_a_right_near_here_and_now_is_named(exempt: bool) -> None:
    what = "own or police drone" if exempt else "permitted flight"
    lat, lon, _ = FRAME.to_geodetic(*PLACE)

    def permit(radius_m: float, lat_deg: float = lat, **changes: object) -> Moment:
        volume = Volume(Circle(lat_deg, lon, radius_m), None, None)
        when = Volume4D(volume, at(0.0), at(60.0))
        one = permit_named(
            "P1", volumes=(when,), exemption_class="police" if exempt else "",
            state=PermitState.GRANTED,
        )  # fmt: skip
        return moment(permits=(replace(one, **changes),))  # type: ignore[arg-type]

    assert answers(permit(100.0))[what] == Check(what, "yes", "P1 takes this place in")
    beside = answers(permit(100.0, lat + 0.01))[what]
    assert (beside.answer, beside.words[:18]) == ("yes", "P1 begins 1012 m a")
    assert answers(permit(100.0, lat + 0.05))[what].answer == "no"
    assert answers(permit(100.0, state=PermitState.REVOKED))[what].answer == "no"
    over = replace(permit(100.0), at_ns=at(60.0) + room.NEAR_NS)
    assert answers(over)[what].answer == "no"
    others = {"own or police drone", "permitted flight"} - {what}
    assert answers(permit(100.0))[others.pop()].answer == "no"


@pytest.mark.parametrize(("drone", "answer"), [(0.95, "no"), (0.7, "unknown"), (0.3, "yes")])
def test_a_bird_is_as_likely_as_a_drone_is_not(drone: float, answer: str) -> None:
    now = moment()
    track = now.tracks[0]
    likely = replace(track, state=replace(track.state, probability_drone=drone))
    assert answers(replace(now, tracks=(likely,)))["bird or clutter"].answer == answer


def test_a_fault_is_excluded_by_a_second_sensor_alone() -> None:
    now = moment()
    track = now.tracks[0]
    assert answers(now)["sensor fault"].words == "one sensor alone reports it"
    both = replace(track, state=replace(track.state, sensors=("radar", "df")))
    assert answers(replace(now, tracks=(both,)))["sensor fault"].answer == "no"
    ill = tuple(replace(s, health=SILENT) for s in now.stations)
    assert answers(replace(now, stations=ill))["sensor fault"].words == "radar is silent"
    claim = replace(both, measured=False)
    assert answers(replace(now, tracks=(claim,)))["sensor fault"].answer == "unknown"
