"""Any zone that may be published, for the round trips of all writers."""

from __future__ import annotations

from hypothesis import strategies as st

from skykeep.core.geo import (
    Circle,
    HeightAgl,
    HeightAmsl,
    HeightHae,
    HeightPressure,
    Polygon,
    Volume,
)
from skykeep.core.zone import (
    Authority,
    DailyPeriod,
    Period,
    Restriction,
    SunEvent,
    TimeOfDay,
    Zone,
    ZoneState,
)
from skykeep.units import ZoneId

_text = st.text(st.characters(codec="utf-8"), max_size=12).map(str.strip)
_long = st.sampled_from(["", "x" * 250, "Zone de l'aéroport"])
_references = st.sampled_from([HeightAgl, HeightAmsl, HeightHae, HeightPressure])
_clock = st.integers(0, 86_399)


@st.composite
def _volumes(draw: st.DrawFn) -> Volume:
    lon, lat = draw(st.floats(-170, 170)), draw(st.floats(-80, 80))
    area = draw(
        st.sampled_from(
            [
                Circle(lat, lon, draw(st.floats(1.0, 50_000.0))),
                Polygon((((lon, lat), (lon + 1, lat), (lon, lat + 1), (lon, lat)),)),
            ]
        )
    )
    reference = draw(_references)
    lower = draw(st.none() | st.floats(-100, 1000).map(reference))
    upper = draw(st.none() | st.floats(1001, 90_000).map(reference))
    return Volume(area, lower, upper)


@st.composite
def _windows(draw: st.DrawFn, utc: bool) -> DailyPeriod:
    days = tuple(sorted(draw(st.sets(st.integers(0, 6), min_size=1))))
    start_s, end_s = draw(_clock), draw(_clock)
    start = draw(st.sampled_from([TimeOfDay(start_s, utc), SunEvent.SS]))
    end_s = end_s if end_s not in (0, 86_340, 86_399, start_s) else 3_601
    end = draw(st.sampled_from([TimeOfDay(end_s, utc), TimeOfDay(86_400, utc), SunEvent.SR]))
    return DailyPeriod(days, start, end)


@st.composite
def _periods(draw: st.DrawFn, utc: bool) -> Period:
    start = draw(st.none() | st.integers(10**18, 2 * 10**18))
    end = draw(st.none() | st.integers(2 * 10**18 + 1, 4 * 10**18))
    windows = draw(st.lists(_windows(utc), max_size=2))
    windows = [
        w for w in windows if (w.start, w.end) != (TimeOfDay(0, utc), TimeOfDay(86_400, utc))
    ]
    if (start, end, windows) == (None, None, []):
        start = 10**18
    return Period(start, end, tuple(windows))


@st.composite
def zones_of(draw: st.DrawFn, index: int) -> Zone:
    """A zone whose identifier starts with `index`."""
    time_zone = draw(st.sampled_from(["UTC", "Europe/Luxembourg"]))
    authority = st.builds(
        Authority,
        _text,
        st.sampled_from(["AUTHORIZATION", "NOTIFICATION", "", "BOSS"]),
        _text,
        _long,
        _text | st.just("a@b.example"),
        _text | _long,
        _text | st.just("https://example.org/a"),
        _text | st.just("P3DT4H"),
    )
    return Zone(
        zone_id=ZoneId(f"{index}{draw(_text)}"),
        name=draw(_text | _long),
        authority_id=draw(st.text("abc:-", min_size=1, max_size=9)),
        restriction=draw(st.sampled_from(list(Restriction))),
        volumes=tuple(draw(st.lists(_volumes(), min_size=1, max_size=2))),
        periods=tuple(draw(st.lists(_periods(time_zone == "UTC"), max_size=2))),
        state=draw(st.sampled_from(list(ZoneState))),
        country=draw(st.sampled_from(["", "LUX", "lu", "ZZZ"])),
        variant=draw(st.sampled_from(["COMMON", "CUSTOMIZED", "OTHER"])),
        reasons=tuple(draw(st.lists(st.sampled_from(["NOISE", "OTHER", "UFO"]), max_size=3))),
        authorities=tuple(draw(st.lists(authority, max_size=2))),
        conditions=draw(_text | _long),
        message=draw(_text | _long),
        legal_basis=draw(_text),
        time_zone=time_zone,
        emergency=draw(st.booleans()),
        references=tuple(draw(st.lists(_text, max_size=2))),
    )
