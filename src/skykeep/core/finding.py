"""A proposition against the record: supported, contradicted, or not measured and why.

A finding belongs to a proposition and never to whoever said it. It says that a record, kept by
an interested party, agrees or is incompatible; it calls nobody anything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from skykeep.core.coverage import UP
from skykeep.core.debris import fall_region
from skykeep.core.event import Permission
from skykeep.core.evidence import (
    UNAIDED,
    Evidence,
    TrackSeen,
    Watched,
    WatchState,
    aircraft_of,
    missed_by,
    watched,
)
from skykeep.core.geo import F64
from skykeep.core.origin import launch_region, watch_of
from skykeep.core.proposition import Finding, Outcome, Place, Predicate, Proposition, Why
from skykeep.core.region import Region
from skykeep.core.track.tracker import view_of
from skykeep.units import NS_PER_S, TrackId, to_datetime

#: A region speaks for a place from this share on, against it below the other.
AGREES, DISAGREES = 0.95, 0.05
#: One standard deviation of a velocity in a track's first state: two plots of a radar that are
#: 10 m off each, some seconds apart. The record keeps no covariance of velocities.
FIRST_VELOCITY_SIGMA_MPS = 3.0
#: A track whose last state is this near the span's end went on beyond it.
GOES_ON_NS = 5 * NS_PER_S
#: A warning is about what comes: whoever flies at 10 m/s is 9 km nearer after so long.
WARNED_AHEAD_NS = 15 * 60 * NS_PER_S
#: Models and stated figures carry no more certainty than this.
LEAST_SHARE, MOST_SHARE = 0.001, 0.999


_WORDS = {
    Outcome.SUPPORTED: "The record, kept by an interested party, agrees with this: {}",
    Outcome.CONTRADICTED: "The record, kept by an interested party, is incompatible with this: {}",
    Outcome.NOT_MEASURED: "The record does not measure this: {}",
}
_TURNED = {
    Outcome.SUPPORTED: Outcome.CONTRADICTED,
    Outcome.CONTRADICTED: Outcome.SUPPORTED,
    Outcome.NOT_MEASURED: Outcome.NOT_MEASURED,
}
_UNWATCHED = {
    WatchState.NO_COVERAGE: Why.NO_COVERAGE,
    WatchState.OUTAGE: Why.OUTAGE,
    WatchState.BELOW_THRESHOLD: Why.BELOW_THRESHOLD,
}
_UNWATCHED_WORDS = {
    WatchState.NO_COVERAGE: "no sensor that sees what flies covered the whole place.",
    WatchState.OUTAGE: "for some of the time no sensor that covers the place was up.",
    WatchState.BELOW_THRESHOLD: "a drone that stayed for half a minute would have been seen with "
    "{:.0%} only.",
}


@dataclass(frozen=True, slots=True)
class _Case:
    """A proposition that is measurable, and what the record has of its place and time."""

    p: Proposition
    e: Evidence
    sure: list[TrackSeen]
    perhaps: list[TrackSeen]
    watch: Watched

    @property
    def span(self) -> tuple[int, int]:
        return self.p.from_ns, self.p.to_ns

    def says(
        self, outcome: Outcome, words: str, tracks: list[TrackSeen], why: Why | None = None,
        probability: float | None = None,
    ) -> Finding:  # fmt: skip
        """A finding on the predicate itself, as if it were not negated."""
        names = tuple(t.track_id for t in tracks)
        if probability is not None:
            probability = min(max(probability, LEAST_SHARE), MOST_SHARE)
        return Finding(self.p.proposition_id, outcome, why, words, names, self.watch.lines,
                       probability)  # fmt: skip

    def unmeasured(
        self, why: Why, words: str, tracks: list[TrackSeen], probability: float | None = None
    ) -> Finding:
        return self.says(Outcome.NOT_MEASURED, words, tracks, why, probability)


def find(p: Proposition, e: Evidence) -> Finding:
    """The finding on a proposition, from what a record shows."""
    if not p.measurable:
        words = "no sensor measures what people meant, ordered or are to blame for."
        found = Finding(p.proposition_id, Outcome.NOT_MEASURED, Why.NOT_MEASURABLE, words)
    else:
        sure, perhaps = e.tracks_in(p.place, (p.from_ns, p.to_ns))
        watch = watched(e, p.place, (p.from_ns, p.to_ns))
        found = _BY_PREDICATE[p.predicate](_Case(p, e, sure, perhaps, watch))
    outcome = _TURNED[found.outcome] if p.negated else found.outcome
    return replace(found, outcome=outcome, words=_WORDS[outcome].format(found.words))


def _present(c: _Case) -> Finding:
    if c.sure:
        for track in c.sure:
            other = missed_by(c.e, track, c.p.place, c.span)
            if not other:
                names = ", ".join(t.track_id for t in c.sure)
                words = f"{_drones(aircraft_of(c.sure))} there ({names}; {_when(c)})."
                return c.says(Outcome.SUPPORTED, words, c.sure)
        words = f"{', '.join(c.sure[0].sensors)} saw a drone there, and {other} covered the place, "
        return c.unmeasured(Why.SENSORS_DISAGREE, words + "was up and did not.", c.sure)
    if c.perhaps:
        words = "something was tracked that may have been there, or may have been a drone."
        return c.unmeasured(Why.BELOW_THRESHOLD, words, c.perhaps)
    return _absent(c)


def _absent(c: _Case) -> Finding:
    """No drone was tracked there: what that is worth."""
    if c.watch.state is WatchState.WATCHED:
        words = (
            "no drone was tracked there; one that stayed for half a minute would have been seen "
            f"with at least {_percent(c.watch.probability)}, by the sensors' stated figures."
        )
        return c.says(Outcome.CONTRADICTED, words, [], probability=c.watch.probability)
    words = _UNWATCHED_WORDS[c.watch.state].format(c.watch.probability)
    known = c.watch.state is WatchState.BELOW_THRESHOLD
    return c.unmeasured(
        _UNWATCHED[c.watch.state], words, [], c.watch.probability if known else None
    )


def _how_many(c: _Case) -> Finding:
    least = aircraft_of(c.sure)
    most = aircraft_of([*c.sure, *c.perhaps])
    said_most = c.p.most
    if said_most is not None and least > said_most:
        return c.says(Outcome.CONTRADICTED, f"at least {_drones(least)} tracked there.", c.sure)
    if said_most is None and least >= c.p.least:
        return c.says(Outcome.SUPPORTED, f"at least {_drones(least)} tracked there.", c.sure)
    if c.watch.state is not WatchState.WATCHED:
        return _absent(c)  # more may have been there than were tracked
    tracks = [*c.sure, *c.perhaps]
    words = f"{_drones(least)} tracked there"
    if most > least:
        words += f", and {most - least} more may have been"
    if most < c.p.least:
        return c.says(Outcome.CONTRADICTED, f"{words}.", tracks, None, c.watch.probability)
    if least >= c.p.least and (said_most is None or most <= said_most):
        return c.says(Outcome.SUPPORTED, f"{words}.", tracks, None, c.watch.probability)
    return c.unmeasured(Why.BELOW_THRESHOLD, f"{words}.", tracks)


def _came_from(c: _Case) -> Finding:
    if not c.sure:
        return _present(c)
    least, most, assumes = 1.0, 0.0, ""
    for track in _first_parts(c):
        region = _launch(c, track)
        if region is None:
            words = "the first detection does not tell where the flight began."
            return c.unmeasured(Why.BELOW_THRESHOLD, words, c.sure)
        inside, beyond = _share(c, region)
        least, most = min(least, inside), max(most, inside + beyond)
        assumes = "; ".join(region.assumes[:3])
    if least >= AGREES:
        words = f"{_percent(least)} of where it can have been launched is there ({assumes})."
        return c.says(Outcome.SUPPORTED, words, c.sure, None, least)
    if most <= DISAGREES:
        words = f"at most {_percent(most)} of where it can have been launched is there "
        return c.says(Outcome.CONTRADICTED, f"{words}({assumes}).", c.sure, None, most)
    words = f"{_percent(least)} to {_percent(most)} of where it can have been launched is there "
    return c.unmeasured(Why.BELOW_THRESHOLD, f"{words}({assumes}).", c.sure, least)


def _first_parts(c: _Case) -> list[TrackSeen]:
    """Of each aircraft the track that it was first seen as."""
    by_id = {t.track_id: t for t in c.e.counted}
    found: dict[TrackId, TrackSeen] = {}
    for track in c.sure:
        seen = {track.track_id}
        while track.earlier in by_id and track.earlier not in seen:
            track = by_id[track.earlier]  # noqa: PLW2901 - a chain is followed to its beginning
            seen.add(track.track_id)
        found[track.track_id] = track
    return list(found.values())


def _launch(c: _Case, track: TrackSeen) -> Region | None:
    """Where a flight can have begun, by its first state and the sensors that were up then."""
    at_ns = int(track.at_ns[0])
    up = [
        one.sensor
        for one in c.e.sensors
        if one.sensor.sensor_id in track.sensors
        or (one.sensor.kind in UNAIDED and one.state_at(at_ns) == UP)
    ]
    first = [s for s in up if s.sensor_id in track.sensors]
    views = [view_of(s, c.e.frame) for s in up]
    return launch_region(*_first_state(track, 0), watch_of(views, up.index(first[0])))


def _first_state(track: TrackSeen, k: int) -> tuple[F64, F64]:
    """State (6,) and covariance (6, 6) at one of its states."""
    x = np.concatenate([track.places_m[k], track.velocities_mps[k]])
    sigmas = [track.sigma_m[k], track.sigma_m[k], track.sigma_up_m[k]]
    return x, np.diag(np.square([*sigmas, *[FIRST_VELOCITY_SIGMA_MPS] * 3]))


def _share(c: _Case, region: Region) -> tuple[float, float]:
    """How much of a region lies in the claimed origin, and how much may (what is not drawn)."""
    rows, columns = region.probability.shape
    east = region.west_m + (np.arange(columns) + 0.5) * region.cell_m
    north = region.south_m + (np.arange(rows) + 0.5) * region.cell_m
    to_east, to_north = np.meshgrid(east, north)
    origin, sector = c.p.origin, c.p.sector
    if origin is not None:
        spot = c.e.spot(origin)
        inside = np.hypot(to_east - spot[0], to_north - spot[1]) <= origin.radius_m
    elif sector is not None:
        spot = c.e.spot(c.p.place)
        azimuth = np.degrees(np.arctan2(to_east - spot[0], to_north - spot[1])) % 360.0
        width = (sector.to_deg - sector.from_deg) % 360.0 or 360.0
        inside = (azimuth - sector.from_deg) % 360.0 <= width
    else:
        inside = np.zeros(region.probability.shape, np.bool_)
    return float(region.probability[inside].sum()), region.beyond


def _brought_down(c: _Case) -> Finding:
    if not c.sure:
        return _present(c)
    on = [t for t in c.sure if int(t.at_ns[-1]) > c.p.to_ns + GOES_ON_NS]
    if len(on) == len(c.sure):
        words = f"what was tracked there flew on after that time ({_names(on)})."
        return c.says(Outcome.CONTRADICTED, words, on)
    words = "a track ended; by what it was ended, no sensor measures."
    return c.unmeasured(Why.NOT_MEASURABLE, words, c.sure)


def _fell_at(c: _Case) -> Finding:
    """Parts are reported by people; that a track ended above them is measured."""
    spot = c.e.spot(c.p.place)
    ended = [
        t for t in c.e.counted if t.drone.any() and c.p.from_ns <= int(t.at_ns[-1]) < c.p.to_ns
    ]
    shares = [(t, _fallen(t, spot, c.p.place.radius_m)) for t in ended]
    near = [t for t, share in shares if share > DISAGREES]
    parts = [
        part for report in c.e.reports for part in report.parts
        if np.hypot(*(c.e.spot(Place(part.lat_deg, part.lon_deg, 1.0)) - spot)[:2])
        <= c.p.place.radius_m
    ]  # fmt: skip
    if near and parts:
        words = f"a track ended above it ({_names(near)}), and responders reported {len(parts)} "
        return c.says(Outcome.SUPPORTED, f"{words}parts found there.", near)
    if near:
        words = f"a track ended from where parts can have fallen there ({_names(near)}); that "
        return c.unmeasured(Why.BELOW_THRESHOLD, f"{words}any did is not recorded.", near)
    if c.watch.state is WatchState.WATCHED and not parts:
        words = "no track of a drone ended from where parts can have fallen there, while the "
        words += f"place was watched ({_percent(c.watch.probability)})."
        return c.says(Outcome.CONTRADICTED, words, ended, None, c.watch.probability)
    if parts and c.watch.state is WatchState.WATCHED:
        words = "parts were reported there, and no track that ended carries that."
        return c.unmeasured(Why.SENSORS_DISAGREE, words, ended)
    return _absent(c)


def _fallen(track: TrackSeen, spot: F64, radius_m: float) -> float:
    """The share of the parts of a track that broke up at its end which fall in a circle."""
    region = fall_region(*_first_state(track, len(track.at_ns) - 1))
    if region is None:  # it was on the ground
        off = float(np.hypot(*(track.places_m[-1] - spot)[:2]))
        return float(off <= radius_m)
    rows, columns = region.probability.shape
    east = region.west_m + (np.arange(columns) + 0.5) * region.cell_m - spot[0]
    north = region.south_m + (np.arange(rows) + 0.5) * region.cell_m - spot[1]
    inside = np.hypot(east[None, :], north[:, None]) <= radius_m
    return float(region.probability[inside].sum())


def _permitted(c: _Case) -> Finding:
    if not c.sure:
        return _present(c)
    refused, open_ = [], []
    for track in c.sure:
        said = {v.permission for v in track.verdicts if v.at_ns < c.p.to_ns}
        if Permission.NOT_PERMITTED in said:
            refused.append(track)
        elif said != {Permission.PERMITTED}:
            open_.append(track)
    if refused and len(refused) == len(c.sure):
        words = f"no permit that was in force covers the flight of {_names(refused)}."
        return c.says(Outcome.CONTRADICTED, words, refused)
    if not refused and not open_:
        words = f"a permit that was in force covers the flight of {_names(c.sure)}."
        return c.says(Outcome.SUPPORTED, words, c.sure)
    words = (
        f"of {_drones(len(c.sure))} there {len(refused)} without a permit, {len(open_)} not told."
    )
    return c.unmeasured(Why.BELOW_THRESHOLD, words, c.sure)


def _harm(c: _Case) -> Finding:
    if not c.sure:
        return _present(c)
    told = "; ".join(
        f"responders reported injuries: {r.injuries}, damage: {r.damage}" for r in c.e.reports
    )
    words = "no sensor measures injury or damage" + (f" ({told})." if told else ".")
    return c.unmeasured(Why.NOT_MEASURABLE, words, c.sure)


def _warned(c: _Case) -> Finding:
    """A call of the site itself; others may have warned, which the record cannot know."""
    ahead = c.e.tracks_in(c.p.place, (c.p.from_ns, c.p.to_ns + WARNED_AHEAD_NS))
    names = {t.track_id for found in ahead for t in found}
    told = [
        f"warning {w.warning_id}" for w in c.e.warnings
        if w.event == "release" and c.p.from_ns <= w.at_ns < c.p.to_ns
    ]  # fmt: skip
    told += [
        f"alert {a.alert_id}" for a in c.e.alerts
        if a.event == "raised" and c.p.from_ns <= a.at_ns < c.p.to_ns and names & set(a.tracks)
    ]  # fmt: skip
    if not c.watch.lines:
        words = _UNWATCHED_WORDS[WatchState.NO_COVERAGE]
        return c.unmeasured(Why.NO_COVERAGE, words, [])
    if told:
        return c.says(Outcome.SUPPORTED, f"it was given ({', '.join(told)}).", ahead[0])
    words = "the record holds this site's own warnings only, and none of that time."
    return c.unmeasured(Why.NOT_MEASURABLE, words, c.sure)


def _when(c: _Case) -> str:
    spot = c.e.spot(c.p.place)
    at_ns = np.concatenate(
        [t.at_ns[t.moments(spot, c.p.place.radius_m, c.span) & t.drone] for t in c.sure]
    )
    first, last = to_datetime(int(at_ns.min())), to_datetime(int(at_ns.max()))
    return f"{first:%Y-%m-%d %H:%M:%S} to {last:%H:%M:%S} UTC"


def _names(tracks: list[TrackSeen]) -> str:
    return ", ".join(t.track_id for t in tracks)


def _drones(count: int) -> str:
    return f"{count} drone was" if count == 1 else f"{count} drones were"


def _percent(share: float) -> str:
    """Never 0 or 100 %."""
    return f"{min(max(share, LEAST_SHARE), MOST_SHARE):.1%}"


_BY_PREDICATE = {
    Predicate.PRESENT: _present,
    Predicate.AT_TIME: _present,
    Predicate.HOW_MANY: _how_many,
    Predicate.CAME_FROM: _came_from,
    Predicate.BROUGHT_DOWN: _brought_down,
    Predicate.FELL_AT: _fell_at,
    Predicate.PERMITTED: _permitted,
    Predicate.CAUSED_HARM: _harm,
    Predicate.WARNED: _warned,
}
