"""People's reports: the public form, the guards' route, and what an officer sees of both.

A report is kept as a report (core/event.ReportKept): it starts no track and raises no alert.
The public form is off unless the site switches it on with its legal basis. Nothing that is typed
is taken from the public, so that no name comes into the open record; places are rounded.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import Annotated
from urllib.parse import parse_qsl

import numpy as np
from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from skykeep.codec.moment import format_moment
from skykeep.config import SightingSettings
from skykeep.core.event import ReportKept
from skykeep.core.observation import Batch, Form, Sensor, SensorKind
from skykeep.core.sightings import may_be_one
from skykeep.errors import InputError
from skykeep.service import sighting_page as page
from skykeep.service.desk import COMMANDS, READS, needs
from skykeep.service.hub import Hub
from skykeep.service.looks import looked
from skykeep.service.problems import Refused
from skykeep.service.tokens import Holder
from skykeep.service.writer import UnavailableError, Writer
from skykeep.units import NS_PER_S, BatchId, SensorId

router = APIRouter(tags=["observations"])

#: A form is some hundred bytes.
MOST_BODY_BYTES = 4_096
#: Reports in `WINDOW_S` from one address, and from all: a crowd tells of one drone in minutes.
WINDOW_S = 600.0
MOST_OF_ONE, MOST_OF_ALL = 6, 300
MOST_ADDRESSES = 10_000
#: A phone's compass in a hand, and a direction that was chosen out of eight.
SIGMA_COMPASS_DEG, SIGMA_CHOSEN_DEG = 15.0, 22.5
#: Of degrees: who reports is kept to about 100 m, enough for directions to cross.
PLACE_DECIMALS = 3
_NAN = math.nan


class Limits:
    """How often who may report; what is over it is refused, and counted."""

    def __init__(self) -> None:
        self._of: OrderedDict[str, deque[float]] = OrderedDict()
        self._all: deque[float] = deque()
        self.refused = 0

    def take(self, address: str, now_s: float) -> bool:
        """Whether one more is taken from there now."""
        one = self._of.pop(address, None) or deque()
        for times in (one, self._all):
            while times and now_s - times[0] >= WINDOW_S:
                times.popleft()
        taken = len(one) < MOST_OF_ONE and len(self._all) < MOST_OF_ALL
        if taken:
            one.append(now_s)
            self._all.append(now_s)
        else:
            self.refused += 1
        self._of[address] = one
        if len(self._of) > MOST_ADDRESSES:
            self._of.popitem(last=False)
        return taken


class Sightings:
    """Takes reports in, for the site's sensor of kind `person`."""

    def __init__(
        self, writer: Writer, settings: SightingSettings | None, sensors: Sequence[Sensor]
    ) -> None:
        people = [s.sensor_id for s in sensors if s.kind is SensorKind.PERSON]
        if settings is not None and settings.sensor not in people:
            problem = f"the site has no sensor {settings.sensor!r} of kind person"
            raise InputError("public.sightings.sensor", problem, "Enter one in sensors")
        self.writer, self.settings, self.limits = writer, settings, Limits()
        self.sensor = settings.sensor if settings is not None else next(iter(people), None)
        self._count = 0

    async def keep(
        self, words: str, seen_ns: int, azimuth: tuple[float, float], place: tuple[float, float]
    ) -> int:
        """Record a report; its entry. `azimuth` with its sigma in degrees, NaN: not known."""
        if self.sensor is None:
            raise Refused(409, "sensors", "the site has none of kind person", "Enter one")
        now_ns = self.writer.now_ns()
        self._count += 1
        lat, lon = (round(part, PLACE_DECIMALS) for part in place)
        batch = Batch(
            BatchId(f"{self.sensor}:{now_ns}:{self._count}"), SensorId(self.sensor), now_ns,
            Form.SIGHTING, np.array([min(seen_ns, now_ns)], np.int64),
            np.array([[azimuth[0], lat, lon]]), np.array([[azimuth[1], _NAN, _NAN]]),
            np.full((1, 3), _NAN), np.zeros(1, np.int8), words=(words,),
        )  # fmt: skip
        (answer,) = await self.writer.submit((batch,))
        if isinstance(answer.refused, Exception):
            raise answer.refused
        if answer.entry is None:
            raise UnavailableError("the report has no place in the record")
        return answer.entry


def _number(told: dict[str, str], name: str, low: float, high: float) -> float:
    """A number of a form; NaN where the field is empty, InputError where it is none."""
    text = told.get(name, "").strip().replace(",", ".")
    if not text:
        return _NAN
    try:
        value = float(text)
    except ValueError:
        value = _NAN
    if not low <= value <= high:
        raise InputError(name, f"{text[:20]!r} is no number from {low:g} to {high:g}", "Correct it")
    return value


def read_form(body: bytes) -> tuple[str, float, tuple[float, float], tuple[float, float]]:
    """Words, minutes ago, azimuth with sigma, place: of a form; InputError names the field."""
    try:
        told = dict(parse_qsl(body.decode("ascii"), max_num_fields=20))
    except (ValueError, UnicodeDecodeError):
        raise InputError("form", "cannot be read", "Send the page's own form") from None
    kind, doing, ago = told.get("kind", ""), told.get("doing", ""), told.get("ago", "0")
    if kind not in page.KINDS:
        raise InputError("kind", "is none of the choices", "Choose what you saw")
    if doing not in page.DOING or ago not in map(str, page.AGO_MIN):
        raise InputError("doing", "is none of the choices", "Send the page's own form")
    azimuth, sigma = _number(told, "azimuth", 0.0, 360.0), SIGMA_COMPASS_DEG
    if math.isnan(azimuth):
        azimuth, sigma = _number(told, "direction", 0.0, 360.0), SIGMA_CHOSEN_DEG
    elevation = _number(told, "elevation", -90.0, 90.0)
    lat, lon = _number(told, "lat", -90.0, 90.0), _number(told, "lon", -180.0, 180.0)
    if math.isnan(lat) != math.isnan(lon):
        raise InputError("lat" if math.isnan(lat) else "lon", "is missing", "Give both or none")
    words = page.KINDS[kind] + (f", {page.DOING[doing]}" if doing else "")
    words += "" if math.isnan(elevation) else f", {elevation:.0f} degrees up"
    return words, float(ago), (azimuth, sigma), (lat, lon)


def _sightings(request: Request) -> Sightings:
    found: Sightings = request.app.state.sightings
    return found


def _on(request: Request) -> SightingSettings:
    settings = _sightings(request).settings
    if settings is None:
        raise Refused(404, request.url.path, "there is no form here", "See docs/sources/people.md")
    return settings


@router.get("/sighting", include_in_schema=False)
async def get_form(request: Request) -> Response:
    """The form, where the site has switched it on."""
    settings = _on(request)
    site = _sightings(request).writer.site.name
    return HTMLResponse(
        page.form(site, settings.legal_basis, settings.retention), headers=page.HEADERS
    )


@router.get("/sighting.js", include_in_schema=False)
async def get_script(request: Request) -> Response:
    """What fills in position and direction on a phone."""
    _on(request)
    return PlainTextResponse(
        page.SCRIPT, media_type="text/javascript", headers={"X-Content-Type-Options": "nosniff"}
    )


@router.post("/sighting", include_in_schema=False)
async def post_form(request: Request) -> Response:
    """A report from the public, answered with its place in the log once it is durable."""
    _on(request)
    sightings = _sightings(request)
    address = request.client.host if request.client is not None else ""
    if not sightings.limits.take(address, time.monotonic()):
        words = "Too many reports came in just now. Please try again in ten minutes."
        return HTMLResponse(page.refused(words), 429, page.HEADERS | {"Retry-After": "600"})
    body = await request.body()
    try:
        if len(body) > MOST_BODY_BYTES:
            raise InputError("form", "is too large", "Send the page's own form")
        words, ago_min, azimuth, place = read_form(body)
        seen_ns = sightings.writer.now_ns() - int(ago_min * 60) * NS_PER_S
        entry = await sightings.keep(words, seen_ns, azimuth, place)
    except InputError as error:
        said = f"{error.where}: {error.problem}. {error.mend}."
        return HTMLResponse(page.refused(said), 422, page.HEADERS)
    except UnavailableError:
        words = "The report cannot be kept just now. Please try again in a minute."
        return HTMLResponse(page.refused(words), 503, page.HEADERS)
    return HTMLResponse(page.thanks(entry), headers=page.HEADERS)


class SightingIn(BaseModel):
    """A guard's report: words, when it was seen, and what is known of place and direction."""

    words: str = Field(min_length=1, max_length=500)
    seconds_ago: float = Field(default=0.0, ge=0.0, le=3_600.0)
    azimuth_deg: float | None = Field(default=None, ge=0.0, le=360.0)
    lat_deg: float | None = Field(default=None, ge=-90.0, le=90.0)
    lon_deg: float | None = Field(default=None, ge=-180.0, le=180.0)


class SightingTaken(BaseModel):
    """The report is durable: its entry in the record."""

    entry: int


class SightingOut(BaseModel):
    """A report, with those before it in the list that may be of the same event, and why."""

    seen: str
    received: str
    sensor: str
    words: str
    azimuth_deg: float | None
    lat_deg: float | None
    lon_deg: float | None
    may_be_one: dict[int, str]


class SightingList(BaseModel):
    """The latest reports, oldest first; `refused` came too often."""

    sightings: list[SightingOut]
    refused: int


@router.post("/v1/sightings", response_model=SightingTaken, responses=COMMANDS)
async def post_sighting(
    request: Request,
    told: SightingIn,
    holder: Annotated[Holder, needs("sightings.report")],
) -> SightingTaken:
    """What a guard or an officer saw, kept as a report with the name of who told it."""
    sightings = _sightings(request)
    seen_ns = sightings.writer.now_ns() - int(told.seconds_ago * NS_PER_S)
    azimuth = _NAN if told.azimuth_deg is None else told.azimuth_deg
    if (told.lat_deg is None) != (told.lon_deg is None):
        raise Refused(422, "$.lat_deg", "one of the place's two parts is missing", "Give both")
    place = (_NAN, _NAN) if told.lat_deg is None else (told.lat_deg, told.lon_deg or 0.0)
    words = f"{told.words} (told by {holder.name})"
    return SightingTaken(
        entry=await sightings.keep(words, seen_ns, (azimuth, SIGMA_COMPASS_DEG), place)
    )


@router.get("/v1/sightings", response_model=SightingList, responses=READS)
async def get_sightings(
    request: Request, holder: Annotated[Holder, needs("sightings.read")]
) -> SightingList:
    """The latest reports, and which of them may be of one event: suggested, never merged."""
    await looked(request, holder, "reports")
    hub: Hub = request.app.state.hub
    reports: list[ReportKept] = list(hub.heard.reports)
    pairs: dict[int, dict[int, str]] = {}
    for pair in may_be_one(reports):
        pairs.setdefault(pair.second, {})[pair.first] = pair.words
    return SightingList(
        sightings=[
            SightingOut(
                seen=format_moment(r.seen_at_ns), received=format_moment(r.at_ns),
                sensor=r.sensor_id, words=r.words, azimuth_deg=r.azimuth_deg,
                lat_deg=r.lat_deg, lon_deg=r.lon_deg, may_be_one=pairs.get(index, {}),
            )
            for index, r in enumerate(reports)
        ],
        refused=_sightings(request).limits.refused,
    )  # fmt: skip
