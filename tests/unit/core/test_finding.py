"""Propositions against a sky that is made by hand: what the record says, and why not."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

from skykeep.core import evidence as room
from skykeep.core import finding as findings
from skykeep.core.casebook import FoundPart, ResponderReport
from skykeep.core.coverage import SensorTime, Span
from skykeep.core.event import Actor, AlertChanged, Permission, Strength, VerdictChanged
from skykeep.core.evidence import Evidence, TrackSeen, WatchState, watched
from skykeep.core.finding import find
from skykeep.core.geo import Frame
from skykeep.core.observation import Coverage, Sensor, SensorKind
from skykeep.core.proposition import (
    Finding,
    Outcome,
    Place,
    Predicate,
    Proposition,
    Sector,
    Why,
    check,
)
from skykeep.errors import InputError
from skykeep.units import NS_PER_S, AlertId, SensorId, TrackId, ZoneId

FRAME = Frame(49.6, 6.1, 300.0)
S, NO, YES = Outcome.NOT_MEASURED, Outcome.CONTRADICTED, Outcome.SUPPORTED
ROOF = Place(49.6, 6.1, 100.0, "the roof")
NIGHT = (0, 600 * NS_PER_S)
WHO = Actor("A", "officer")


def sensor(
    name: str = "radar", kind: SensorKind = SensorKind.RADAR, reach_m: float = 6_000.0,
    period_s: float | None = 1.0, detection: float = 0.9,
) -> Sensor:  # fmt: skip
    lat, lon, hae = FRAME.to_geodetic(-800.0, 0.0, 20.0)
    cover = Coverage(0.0, reach_m)
    return Sensor(SensorId(name), kind, lat, lon, hae, cover, period_s, detection)


def up(one: Sensor, *down_s: tuple[int, int]) -> SensorTime:
    spans, at = [], 0
    for begin, end in down_s:
        spans += [
            Span(at, begin * NS_PER_S, "up"),
            Span(begin * NS_PER_S, end * NS_PER_S, "silent"),
        ]
        at = end * NS_PER_S
    return SensorTime(one, (*spans, Span(at, NIGHT[1], "up")), (), 600)


def track(
    name: str = "T1", from_s: int = 100, to_s: int = 200,
    east: tuple[float, float] = (1_500.0, 0.0), up_m: float = 60.0, drone: bool = True,
    sigma_m: float = 5.0,
    sensors: tuple[str, ...] = ("radar",), permission: Permission = Permission.NOT_PERMITTED,
    probability: float = 1.0, earlier: str | None = None,
) -> TrackSeen:  # fmt: skip
    """Straight from one place east of the roof to another, a state a second."""
    n = to_s - from_s
    at = (from_s + np.arange(n, dtype=np.int64)) * NS_PER_S
    way = np.linspace(east[0], east[1], n)
    places = np.column_stack([way, np.zeros(n), np.full(n, up_m)])
    speed = (east[1] - east[0]) / max(n - 1, 1)
    velocities = np.tile([speed, 0.0, 0.0], (n, 1))
    verdict = VerdictChanged(
        int(at[0]), TrackId(name), ZoneId("Z"), "inside", permission, (), Strength.NONE, None, None
    )
    return TrackSeen(
        TrackId(name), at, places, velocities, np.full(n, sigma_m), np.full(n, sigma_m),
        np.full(n, drone), np.full(n, probability), sensors, (verdict,),
        None if earlier is None else TrackId(earlier),
    )  # fmt: skip


def sky(*tracks: TrackSeen, sensors: tuple[SensorTime, ...] | None = None) -> Evidence:
    return Evidence(FRAME, (up(sensor()),) if sensors is None else sensors, tracks)


def say(
    predicate: Predicate = Predicate.PRESENT, span_s: tuple[int, int] = (150, 250),
    place: Place = ROOF, negated: bool = False, **more: object,
) -> Proposition:  # fmt: skip
    words, a, b = "It was so", span_s[0] * NS_PER_S, span_s[1] * NS_PER_S
    return check(Proposition("P1", words, predicate, place, a, b, negated, **more))  # type: ignore[arg-type]


def got(p: Proposition, e: Evidence) -> tuple[Outcome, Why | None]:
    found = find(p, e)
    assert (found.why is None) == (found.outcome is not S)
    return found.outcome, found.why


def test_a_drone_that_was_tracked_was_there() -> None:
    found = find(say(), sky(track()))
    assert (found.outcome, found.tracks) == (YES, ("T1",))
    assert found.coverage == ("radar (radar): up 100.0% of the time, covers the whole place",)
    assert got(say(negated=True), sky(track())) == (NO, None)


def test_the_claimed_time_and_place_are_held() -> None:
    elsewhere = Place(*FRAME.to_geodetic(0.0, 900.0, 0.0)[:2], 100.0)
    assert got(say(span_s=(300, 400)), sky(track())) == (NO, None)
    assert got(say(place=elsewhere), sky(track())) == (NO, None)


def test_nothing_was_there_only_where_somebody_looked() -> None:
    empty = say(negated=True)
    assert got(empty, sky()) == (YES, None)
    assert got(empty, sky(sensors=())) == (S, Why.NO_COVERAGE)
    assert got(empty, sky(sensors=(up(sensor(reach_m=700.0)),))) == (S, Why.NO_COVERAGE)
    assert got(empty, sky(sensors=(up(sensor(), (160, 220)),))) == (S, Why.OUTAGE)
    assert got(empty, sky(sensors=(up(sensor(detection=0.05)),))) == (S, Why.BELOW_THRESHOLD)
    assert got(say(span_s=(900, 990)), sky()) == (S, Why.OUTAGE)  # after the record


@pytest.mark.parametrize("kind", sorted(set(SensorKind) - {SensorKind.RADAR, SensorKind.POSITION}))
def test_the_silence_of_who_only_hears_says_nothing(kind: SensorKind) -> None:
    assert got(say(), sky(sensors=(up(sensor(kind=kind)),))) == (S, Why.NO_COVERAGE)


def test_what_an_aircraft_says_of_itself_carries_nothing() -> None:
    heard = up(sensor("rid", SensorKind.REMOTE_ID))
    told = track(sensors=("rid",))
    assert got(say(), sky(told, sensors=(heard, up(sensor())))) == (NO, None)
    assert got(say(), sky(told, sensors=(heard,))) == (S, Why.NO_COVERAGE)


def test_the_stated_probability_is_the_binomials() -> None:
    one = sensor(period_s=3.0, detection=0.5)  # ten turns in the half minute that it stays
    other = sensor("second", period_s=2.0, detection=0.4)
    span = (150 * NS_PER_S, 250 * NS_PER_S)
    missed = binom.cdf(2, 10, 0.5) * binom.cdf(2, 15, 0.4)
    seen = watched(sky(sensors=(up(one), up(other))), ROOF, span)
    assert seen.probability == pytest.approx(1.0 - missed)
    assert seen.state is WatchState.WATCHED
    alone = watched(sky(sensors=(up(one),)), ROOF, span)
    assert alone.state is WatchState.BELOW_THRESHOLD
    assert alone.probability == pytest.approx(1.0 - binom.cdf(2, 10, 0.5))


def test_the_least_favourable_moment_counts() -> None:
    half = up(sensor(), (160, 175))
    span = (150 * NS_PER_S, 250 * NS_PER_S)
    whole = watched(sky(sensors=(up(sensor(detection=0.3)),)), ROOF, span).probability
    part = watched(sky(sensors=(replace(half, sensor=sensor(detection=0.3)),)), ROOF, span)
    assert part.probability < whole


def test_what_may_be_no_drone_or_elsewhere_is_below_the_threshold() -> None:
    bird = track(drone=False, probability=0.05)
    assert got(say(), sky(bird)) == (NO, None)
    assert got(say(), sky(track(drone=False, probability=0.4))) == (S, Why.BELOW_THRESHOLD)
    assert got(say(), sky(track(east=(900.0, 130.0), sigma_m=25.0))) == (S, Why.BELOW_THRESHOLD)
    assert got(say(), sky(track(east=(900.0, 130.0), sigma_m=5.0))) == (NO, None)
    assert got(say(), sky(track(east=(900.0, 95.0), sigma_m=5.0))) == (S, Why.BELOW_THRESHOLD)
    assert got(say(), sky(track(east=(900.0, 85.0), sigma_m=5.0))) == (YES, None)


def test_sensors_that_should_have_seen_it_too_disagree() -> None:
    both = (up(sensor()), up(sensor("second")))
    assert got(say(), sky(track(), sensors=both)) == (S, Why.SENSORS_DISAGREE)
    assert got(say(), sky(track(sensors=("radar", "second")), sensors=both)) == (YES, None)
    blind = (up(sensor()), up(sensor("second"), (140, 260)))
    assert got(say(), sky(track(), sensors=blind)) == (YES, None)


def test_how_many() -> None:
    two = sky(track(), track("T2"))

    def many(e: Evidence, least: int, most: int | None = None) -> Outcome:
        return find(say(Predicate.HOW_MANY, least=least, most=most), e).outcome

    assert (many(two, 2, 2), many(two, 3, 3), many(two, 1, 1)) == (YES, NO, NO)
    assert (many(two, 2), many(two, 3), many(sky(), 0, 0)) == (YES, NO, YES)
    again = sky(track(), track("T2", earlier="T1"))
    assert many(again, 1, 1) is YES
    unwatched = replace(two, sensors=(up(sensor(), (180, 240)),))
    assert (many(unwatched, 2), many(unwatched, 3, 3), many(unwatched, 1, 1)) == (YES, S, NO)
    perhaps = sky(track(), track("T2", drone=False, probability=0.5))
    assert (many(perhaps, 1, 2), many(perhaps, 2, 2)) == (YES, S)


def test_where_it_came_from() -> None:
    first = sky(track(east=(5_000.0, 0.0), from_s=50, to_s=400))
    span = (300, 400)

    def came(**where: object) -> Outcome:
        return find(say(Predicate.CAME_FROM, span, **where), first).outcome

    east, west = Sector(45.0, 135.0), Sector(225.0, 315.0)
    far = Place(50.6, 6.1, 20_000.0, "a country far off")
    assert (came(sector=east), came(sector=west), came(origin=far)) == (YES, NO, NO)
    assert find(say(Predicate.CAME_FROM, span, sector=Sector(90.0, 135.0)), first).why is (
        Why.BELOW_THRESHOLD
    )
    assert came(sector=Sector(315.0, 314.0)) is YES  # all round
    other = track("T2", east=(-5_000.0, 0.0), from_s=50, to_s=400)
    for tracks in ((*first.tracks, other), (other, *first.tracks)):  # they came from two sides
        found = find(say(Predicate.CAME_FROM, span, sector=east), sky(*tracks))
        assert (found.outcome, found.why) == (S, Why.BELOW_THRESHOLD)


def test_by_what_it_was_brought_down_is_not_measured() -> None:
    assert got(say(Predicate.BROUGHT_DOWN), sky(track())) == (S, Why.NOT_MEASURABLE)
    assert got(say(Predicate.BROUGHT_DOWN, (150, 198)), sky(track()))[0] is S  # a second later
    hovering = track(from_s=100, to_s=400, east=(0.0, 0.0))
    assert got(say(Predicate.BROUGHT_DOWN), sky(hovering)) == (NO, None)


def test_it_fell_where_a_track_ended_and_parts_were_found() -> None:
    part = FoundPart(49.6001, 6.1001, "a propeller")
    report = ResponderReport(0, WHO, "found", (part,), "none", "none")
    fell = say(Predicate.FELL_AT)
    assert got(fell, replace(sky(track()), reports=(report,))) == (YES, None)
    assert got(fell, sky(track())) == (S, Why.BELOW_THRESHOLD)
    far = track(east=(5_000.0, 2_500.0))
    assert got(fell, sky(far)) == (NO, None)
    assert got(fell, replace(sky(far), reports=(report,))) == (S, Why.SENSORS_DISAGREE)
    assert got(fell, replace(sky(sensors=()), reports=(report,))) == (S, Why.NO_COVERAGE)


def test_permitted_follows_the_verdicts() -> None:
    def of(*permissions: Permission) -> Outcome:
        tracks = (track(f"T{k}", permission=p) for k, p in enumerate(permissions))
        return find(say(Predicate.PERMITTED), sky(*tracks)).outcome

    p, n, u = Permission.PERMITTED, Permission.NOT_PERMITTED, Permission.UNDETERMINED
    assert (of(p), of(n), of(u), of(p, n), of(n, n)) == (YES, NO, S, S, NO)


def test_a_warning_counts_for_what_comes_within_the_time() -> None:
    raised = AlertChanged(
        120 * NS_PER_S, AlertId("A1"), "raised", "raised", True, 1, (TrackId("T1"),), (),
        Permission.NOT_PERMITTED, (), WHO, "",
    )  # fmt: skip
    told = replace(sky(track()), alerts=(raised,))
    warned = say(Predicate.WARNED, (110, 130))
    assert got(warned, told) == (YES, None)
    assert got(say(Predicate.WARNED, (130, 140)), told) == (S, Why.NOT_MEASURABLE)
    assert got(warned, replace(told, alerts=(replace(raised, tracks=(TrackId("T9"),)),)))[0] is S
    assert got(say(Predicate.WARNED, (110, 130), negated=True), told) == (NO, None)


@pytest.mark.parametrize("predicate", [Predicate.MOTIVE, Predicate.ORDER, Predicate.GUILT])
@pytest.mark.parametrize("negated", [False, True])
def test_motive_order_and_guilt_are_never_measurable(predicate: Predicate, negated: bool) -> None:
    assert got(say(predicate, negated=negated), sky(track())) == (S, Why.NOT_MEASURABLE)


def test_harm_is_reported_and_not_measured() -> None:
    report = ResponderReport(0, WHO, "", (), "two, light", "a window")
    found = find(say(Predicate.CAUSED_HARM), replace(sky(track()), reports=(report,)))
    assert (found.outcome, found.why) == (S, Why.NOT_MEASURABLE)
    assert "two, light" in found.words
    assert got(say(Predicate.CAUSED_HARM), sky()) == (NO, None)


@pytest.mark.parametrize("predicate", list(Predicate))
def test_without_coverage_nothing_is_measured(predicate: Predicate) -> None:
    more = {"sector": Sector(0.0, 180.0)} if predicate is Predicate.CAME_FROM else {}
    for negated in (False, True):
        blind = replace(sky(track()), sensors=())
        assert find(say(predicate, negated=negated, **more), blind).outcome is S


BLAME = re.compile(
    r"\b(?:l(?:ie[ds]?|iar|ying)|false(?:ly|hood)?|untrue|wrong(?:ly)?|mislead\w*|dishonest\w*|"
    r"fabricat\w*|propagand\w*|absurd|ridiculous|shameful|guilty|culprit|blam(?:e[ds]?|ing)|"
    r"reckless|irresponsible|incredible|suspicious|alleged\w*|so-called|claim(?:s|ed)? that|"
    r"admit\w*|refus\w*|fail(?:s|ed)?)\b", re.I,
)  # fmt: skip


def test_words_take_no_side() -> None:
    """Every sentence that a finding can say, from the sources and from findings themselves."""
    texts = [*findings._WORDS.values(), *findings._UNWATCHED_WORDS.values()]
    for module in (findings, room):
        source = Path(str(module.__file__)).read_text(encoding="utf-8")
        said_in = re.findall(r'"([^"\n]*)"', re.sub(r'""".*?"""', "", source, flags=re.S))
        texts += [re.sub(r"\{[^}]*\}", "", text) for text in said_in]
    permitted = {"are to blame for", "people meant, ordered or are to blame for."}
    said = [t for t in texts if BLAME.search(t) and not any(p in t for p in permitted)]
    assert said == []
    assert BLAME.search("the minister lied")
    found: Finding = find(say(), sky())
    assert found.words.startswith("The record, kept by an interested party, is incompatible with")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"words": "One thing. And another."}, "words"),
        ({"words": " "}, "words"),
        ({"proposition_id": ""}, "proposition_id"),
        ({"to_ns": 0}, "from"),
        ({"place": Place(99.0, 0.0, 1.0)}, "place.lat_deg"),
        ({"place": Place(0.0, 0.0, float("nan"))}, "place"),
        ({"place": Place(0.0, 0.0, 0.0)}, "place.radius_m"),
        ({"sector": Sector(0.0, 90.0)}, "origin"),
        ({"predicate": Predicate.CAME_FROM}, "origin"),
        ({"least": 3, "most": 2}, "least"),
    ],
)
def test_what_is_no_proposition_is_refused(change: dict[str, object], field: str) -> None:
    with pytest.raises(InputError) as refused:
        check(replace(say(), **change))
    assert refused.value.where == f"proposition.{field}"
