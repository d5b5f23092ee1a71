"""The public page's judge against Python's, on thousands of random questions.

The questions are drawn from a fixed seed around what goes wrong: windows over midnight, both
switches of clocks, days without a sunrise, borders to the last corner, heights in references
that cannot be told apart without terrain.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from skykeep.codec.publication import PublicZone
from skykeep.codec.publication_geojson import write_geojson
from skykeep.core.geo import (
    Circle,
    Fix,
    Height,
    HeightAgl,
    HeightAmsl,
    HeightHae,
    HeightPressure,
    Polygon,
    Terrain,
    Tri,
    Volume,
    reference_of,
)
from skykeep.core.precedence import Outcome, ruling
from skykeep.core.schedule import DailyPeriod, Period, SunEvent, TimeOfDay
from skykeep.core.zone import (
    PreparedZone,
    Restriction,
    Zone,
    ZoneState,
    applies_until,
    contains,
    prepare_zone,
)
from skykeep.units import NS_PER_MS, ZoneId, to_ns
from tests.sky import SITE
from tests.web.conftest import HOST, PageWatcher

if TYPE_CHECKING:
    from playwright.sync_api import Page

SEED = 6
DOCUMENTS, ZONES, CASES = 44, 4, 48  # 2,112 questions, each to four zones
YEAR = 2026
CLOCKS = (
    "UTC", "Europe/Luxembourg", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca",
    "Asia/Kolkata", "Nowhere/Known",
)  # fmt: skip
PLACES = ((49.61, 6.13), (70.0, 25.0), (78.2, 15.6), (-33.9, 151.2), (0.0, 179.995), (64.1, -21.9))
#: Days on which some of those clocks are set forward or back.
SWITCHES = ("2026-03-29", "2026-10-25", "2026-03-08", "2026-11-01", "2026-04-05", "2026-10-04",
            "2026-02-15", "2026-03-22")  # fmt: skip
TERRAINS = (None, Terrain(300.0, 300.0, 47.5, 47.5), Terrain(200.0, 420.0, 46.0, 48.0))
#: As core/zone.py and the page's text say it: the strictest holds, unless a stricter may.
OUTCOMES = {
    "NONE": Outcome.OPEN, "NO_RESTRICTION": Outcome.OPEN, "CONDITIONAL": Outcome.CONDITIONS,
    "REQ_AUTHORISATION": Outcome.ASK, "PROHIBITED": Outcome.PROHIBITED,
    "UNDETERMINED": Outcome.UNDETERMINED,
}  # fmt: skip
RANKS = {r: i for i, r in enumerate(reversed(Restriction), start=1)}


@dataclass(frozen=True)
class Case:
    fix: Fix
    at_ms: int
    terrain: Terrain | None

    @property
    def at_ns(self) -> int:
        return self.at_ms * NS_PER_MS

    def told(self) -> dict[str, Any]:
        height = self.fix.height
        return {
            "lat": self.fix.lat_deg,
            "lon": self.fix.lon_deg,
            "sigma_m": self.fix.sigma_horizontal_m,
            "sigma_height_m": self.fix.sigma_height_m,
            "height": height and {"m": height.m, "ref": reference_of(height).name},
            "at_ms": self.at_ms,
            "terrain": self.terrain
            and {name: getattr(self.terrain, name) for name in Terrain.__dataclass_fields__},
        }


class Draw:
    """Zones and questions from chance with a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def document(self) -> tuple[tuple[PublicZone, ...], list[Case]]:
        draw = self.random
        place = draw.choice(PLACES)
        zones = tuple(self.zone(f"Z{i}", place) for i in range(ZONES))
        return zones, [self.case(zones, place) for _ in range(CASES)]

    def zone(self, name: str, place: tuple[float, float]) -> PublicZone:
        draw = self.random
        zone = Zone(
            ZoneId(name), name, "city", draw.choice(list(Restriction)),
            tuple(self.volume(place) for _ in range(draw.choice((1, 1, 2)))),
            tuple(self.period() for _ in range(draw.choice((0, 1, 1, 2)))),
            time_zone=draw.choice(CLOCKS), readable=draw.random() > 0.04,
        )  # fmt: skip
        unsure_ns = self.moment_ms() * NS_PER_MS if draw.random() < 0.1 else None
        return PublicZone(zone, zone.zone_id, 1, ZoneState.IN_FORCE, unsure_ns=unsure_ns)

    def volume(self, place: tuple[float, float]) -> Volume:
        draw = self.random
        lat, lon = (c + draw.choice((-0.005, 0.0, 0.005)) for c in place)
        size = draw.choice((0.01, 0.02, 0.005))
        shape = draw.randrange(4)
        area: Circle | Polygon = Circle(lat, lon, draw.uniform(200.0, 2_500.0))
        if shape == 1:
            hole = square(lat, lon, size / 2) if draw.random() < 0.5 else ()
            area = Polygon((square(lat, lon, size), *((hole,) if hole else ())))
        elif shape > 1:
            corners = [
                (lon + draw.uniform(-size, size), lat + draw.uniform(-size, size)) for _ in range(5)
            ]
            area = Polygon(((*corners, corners[0]),))
        lower, upper = self.limit(), self.limit()
        return Volume(area, lower, upper)

    def limit(self) -> Height | None:
        draw = self.random
        kind = draw.choice((HeightAgl, HeightAmsl, HeightHae, HeightPressure, *(None,) * 5))
        return kind and kind(draw.choice((0.0, 50.0, 120.0, 300.0, 420.0, draw.uniform(0, 900))))

    def period(self) -> Period:
        draw = self.random
        start, end = sorted(self.moment_ms() * NS_PER_MS for _ in range(2))
        windows = tuple(self.window() for _ in range(draw.choice((0, 1, 1, 2))))
        return Period(
            start + draw.choice((0, 0, 1)) if draw.random() < 0.3 else None,
            end if draw.random() < 0.3 else None,
            windows,
        )

    def window(self) -> DailyPeriod:
        draw = self.random
        days = tuple(sorted(draw.sample(range(7), draw.choice((1, 3, 7, 7)))))
        return DailyPeriod(days, self.time(), self.time())

    def time(self) -> TimeOfDay | SunEvent:
        draw = self.random
        if draw.random() < 0.35:
            return draw.choice(list(SunEvent))
        seconds = draw.choice((0, 3_600, 5_400, 7_200, 9_000, 10_800, 43_200, 86_400, 79_200))
        return TimeOfDay(seconds, draw.random() < 0.25)

    def moment_ms(self) -> int:
        draw = self.random
        if draw.random() < 0.5:
            day = datetime.fromisoformat(draw.choice(SWITCHES)).replace(tzinfo=UTC)
            at = day + timedelta(minutes=draw.randrange(-20 * 60, 20 * 60))
        else:
            at = datetime(YEAR, 1, 1, tzinfo=UTC) + timedelta(minutes=draw.randrange(525_600))
        return to_ns(at) // NS_PER_MS

    def case(self, zones: tuple[PublicZone, ...], place: tuple[float, float]) -> Case:
        draw = self.random
        lat, lon = (c + draw.uniform(-0.014, 0.014) for c in place)
        volume = draw.choice(draw.choice(zones).zone.volumes)
        if draw.random() < 0.4 and isinstance(volume.area, Polygon):
            lon, lat = draw.choice(draw.choice(volume.area.rings))  # a corner
        elif draw.random() < 0.2 and isinstance(volume.area, Polygon):
            (x1, y1), (x2, y2) = volume.area.rings[0][:2]  # within a hair of an edge
            lon, lat = (x1 + x2) / 2 + draw.choice((-1e-7, 1e-7)), (y1 + y2) / 2
        if lon > 180.0 and draw.random() < 0.5:
            lon -= 360.0
        kind = draw.choice((HeightAgl, HeightAmsl, HeightHae, HeightPressure, None))
        limit = draw.choice((volume.lower, volume.upper))
        m = limit.m if limit is not None and draw.random() < 0.4 else draw.uniform(0.0, 900.0)
        at_ms = self.moment_ms()
        if draw.random() < 0.4:  # the very edge of what holds, and the millisecond before
            until_ns = applies_until(draw.choice(zones).zone, at_ms * NS_PER_MS).until_ns
            if until_ns is not None:
                at_ms = -(-until_ns // NS_PER_MS) - draw.choice((0, 1))
        lapses = [p.unsure_ns for p in zones if p.unsure_ns is not None]
        if lapses and draw.random() < 0.3:
            at_ms = draw.choice(lapses) // NS_PER_MS - draw.choice((0, 1))
        sigmas = draw.choice(((0.0, 0.0), (0.0, 0.0), (15.0, 5.0)))
        fix = Fix(lat, lon, sigmas[0], kind and kind(m), sigmas[1])
        return Case(fix, at_ms, draw.choice(TERRAINS))


def square(lat: float, lon: float, size: float) -> tuple[tuple[float, float], ...]:
    west, east, south, north = lon - size, lon + size, lat - size, lat + size
    return ((west, south), (east, south), (east, north), (west, north), (west, south))


def holds(public: PublicZone, prepared: PreparedZone, case: Case) -> Tri:
    found = contains(prepared, case.fix, case.at_ns, case.terrain)
    lapsed = public.unsure_ns is not None and case.at_ns >= public.unsure_ns
    return found & Tri.MAYBE if lapsed else found


def verdict(zones: tuple[PublicZone, ...], answers: list[Tri]) -> str:
    sure, possible = 0, 0
    for public, answer in zip(zones, answers, strict=True):
        rank = RANKS[public.zone.restriction]
        if answer is Tri.YES:
            sure = max(sure, rank)
        elif answer is Tri.MAYBE:
            possible = max(possible, rank if public.zone.readable else len(RANKS))
    if possible > max(sure, RANKS[Restriction.NO_RESTRICTION]):
        return "UNDETERMINED"
    return next((r.value for r, rank in RANKS.items() if rank == sure), "NONE")


@pytest.fixture(scope="module")
def address(built_page: Path) -> Iterator[str]:
    """The built page over plain HTTP, as any web server would give it out."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None: ...

    if not (built_page / "public.html").is_file():
        pytest.skip("the public page is not built (`make web` builds it)")
    server = ThreadingHTTPServer((HOST, 0), partial(Quiet, directory=str(built_page)))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://{HOST}:{server.server_address[1]}/public.html"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def judge(watcher: PageWatcher, address: str) -> Page:
    watcher.allow("status of 404|zones could not be loaded")  # the judge alone, without zones
    page = watcher.open(address)
    page.wait_for_function("window.skykeep !== undefined")
    return page


def document(zones: tuple[PublicZone, ...]) -> str:
    return write_geojson(zones, SITE, "", None, YEAR).decode()


@pytest.mark.parametrize(
    ("documents", "many"),
    [(DOCUMENTS // 3, 15), pytest.param(DOCUMENTS, 50, marks=pytest.mark.soak)],
)
def test_the_same_answers_as_python(judge: Page, documents: int, many: int) -> None:
    draw = Draw(SEED)
    seen: Counter[Any] = Counter()
    drawn = [draw.document() for _ in range(documents)]
    told = judge.evaluate(
        "(all) => all.map(([text, cases]) => window.skykeep.ask(JSON.parse(text), cases))",
        [[document(zones), [case.told() for case in cases]] for zones, cases in drawn],
    )
    for (zones, cases), answers in zip(drawn, told, strict=True):
        ready = [prepare_zone(public.zone) for public in zones]
        for case, said in zip(cases, answers, strict=True):
            wanted = [holds(*pair, case) for pair in zip(zones, ready, strict=True)]
            assert said["holds"] == [answer.value for answer in wanted], (case, zones)
            assert said["verdict"] == verdict(zones, wanted), (case, zones)
            if case.at_ms % 11 == 0 and not any(p.unsure_ns for p in zones):
                ruled = ruling(ready, case.fix, case.at_ns, case.terrain)
                assert OUTCOMES[said["verdict"]] is ruled.outcome
                seen["ruled"] += 1
            seen.update([said["verdict"], *said["holds"]])
    # Every kind of answer was among them, many times.
    assert (
        min(seen[k] for k in (0, 1, 2, "NONE", "ruled", "UNDETERMINED", *map(str, RANKS))) > many
    ), seen


def same_times(page: Page, drawn: list[tuple[tuple[PublicZone, ...], list[int]]]) -> None:
    told = page.evaluate(
        "(all) => all.map(([text, at]) => window.skykeep.times(JSON.parse(text), at))",
        [[document(zones), moments] for zones, moments in drawn],
    )
    for (zones, moments), answers in zip(drawn, told, strict=True):
        for public, own in zip(zones, answers, strict=True):
            for at_ms, said in zip(moments, own, strict=True):
                wanted = applies_until(public.zone, at_ms * NS_PER_MS)
                until_ns = wanted.until_ns
                until_ms = None if until_ns is None else -(-until_ns // NS_PER_MS)
                assert said == {"answer": wanted.answer.value, "untilMs": until_ms}, (
                    at_ms, public,
                )  # fmt: skip


def test_the_same_times_as_python(judge: Page) -> None:
    draw = Draw(SEED + 1)
    same_times(
        judge,
        [
            (
                tuple(draw.zone(f"Z{i}", place) for i in range(8)),
                [draw.moment_ms() for _ in range(12)],
            )
            for place in PLACES * 2
        ],
    )


def test_the_same_times_while_clocks_are_set(judge: Page) -> None:
    every_day = (0, 1, 2, 3, 4, 5, 6)
    plain = Draw(1).zone("Z1", PLACES[0])
    zones = tuple(
        replace(
            plain,
            zone=replace(
                plain.zone, zone_id=ZoneId(f"{clock} {start} {end}"), time_zone=clock,
                periods=(Period(None, None, (DailyPeriod(every_day, *ends),)),), readable=True,
            ),
        )
        for clock in CLOCKS[1:5]
        for start, end in ((5_400, 9_000), (9_000, 5_400), (0, 7_200), (8_100, 10_800))
        for ends in [(TimeOfDay(start, False), TimeOfDay(end, False))]
    )  # fmt: skip
    moments = [
        to_ns(datetime.fromisoformat(day).replace(tzinfo=UTC)) // NS_PER_MS + minutes * 60_000
        for day in SWITCHES
        for minutes in range(-10 * 60, 9 * 60, 15)
    ]
    same_times(judge, [(zones, moments)])


def test_beyond_the_published_offsets_local_times_cannot_be_told(judge: Page) -> None:
    window = DailyPeriod((0, 1, 2, 3, 4, 5, 6), TimeOfDay(0, False), TimeOfDay(0, False))
    local = Draw(1).zone("Z1", PLACES[0])
    zone = replace(
        local.zone, time_zone="Europe/Luxembourg", periods=(Period(None, None, (window,)),),
        readable=True,
    )  # fmt: skip
    zones = (replace(local, zone=zone, unsure_ns=None),)
    moments = [to_ns(datetime(y, 6, 1, tzinfo=UTC)) // NS_PER_MS for y in (2024, 2029, 2030)]
    told = judge.evaluate(
        "([text, at]) => window.skykeep.times(JSON.parse(text), at)", [document(zones), moments]
    )
    assert [answer["answer"] for answer in told[0]] == [1, 2, 1]


def test_sha256_and_coordinates(judge: Page) -> None:
    import hashlib

    for size in (0, 1, 55, 56, 63, 64, 65, 1_000):
        data = bytes(i * 7 % 251 for i in range(size))
        found = judge.evaluate("(d) => window.skykeep.sha256(new Uint8Array(d))", list(data))
        assert found == hashlib.sha256(data).hexdigest()
    for text, wanted in {
        "49.611, 6.13": [49.611, 6.13],
        "49,611 6,13": [49.611, 6.13],
        "49.5 N 6.25 W": [49.5, -6.25],
        "-33.5;151": [-33.5, 151],
        "49°30'36\"N 6°15'0\"E": [49.51, 6.25],
        "95, 6": None,
        "citadel": None,
        "6": None,
    }.items():
        found = judge.evaluate("(t) => window.skykeep.coordinates(t)", text)
        assert found == (wanted and pytest.approx(wanted)), text
