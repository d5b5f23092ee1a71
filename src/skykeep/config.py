"""A site's configuration file: one JSON document that names what one authority keeps.

{"authority": "city-x", "name": "Citadel", "time_zone": "Europe/Luxembourg",
 "origin": {"lat_deg": 49.6, "lon_deg": 6.1, "height_hae_m": 337.0},
 "terrain": {"lowest_amsl_m": 230, "highest_amsl_m": 400, "geoid_low_m": 47, "geoid_high_m": 48},
 "policy": {"broadcast_only_counts": false},
 "sensors": [{"sensor": "radar-1", "kind": "radar", "lat_deg": 49.6, "lon_deg": 6.1,
              "height_hae_m": 350, "range_max_m": 6000, "period_s": 1.0, ...}],
 "page": {"basemap": "maps/city.pmtiles"},
 "public": {"zones": true, "contact": "...", "folder": "public", "refresh_min": 10},
 "permits": {"decide_within_days": 10, "appeal": "...", "public_url": "https://...", ...},
 "zones": {"confirm_within_h": 24, "approver_differs": true}}

`terrain` may name a file instead, {"file": "N49E006.hgt", "radius_m": 15000}: an SRTM tile or an
ESRI ASCII grid (store/terrain), of which the ground within that distance counts.

`page` is how the watch page draws: `basemap` a PMTiles file (a path beside this file) or an
http(s) URL of one, `glyphs` a URL template for fonts. Without them nothing is asked of
anybody: grid, range rings, coasts and borders, and local fonts. `procedure` is what the site wants
done next about an alert, one text for each priority from 1 on, as its card says it.

`public` is what everybody may read without a token (docs/publishing.md): nothing, unless
`zones` is true. `sightings` in it opens a form to everybody (docs/sources/people.md):
{"sensor": "people", "legal_basis": "...", "retention": "..."}

`permits` is what the site's law says of its proceedings (core/permit, PermitPolicy), and how
holders are told: `public_url` where their own page is reached, `smtp` the site's mail relay,
`webhook_hosts` the hosts that may be posted to. Without them nothing is sent anywhere.

`retention`: days after which what points to a person is destroyed, but for incidents under hold
(docs/retention.md): `identity_days` (30), `permit_days` (never), `operator_days` (1) for where
exactly an operator stood.

`operator_positions` names the law by which operators' positions are kept,
{"legal_basis": "..."}; without it they are dropped as they come in.

`zones`: when an emergency ban lapses unless it is confirmed, and whether whoever proposes a zone
may also approve it (core/zone_book, ZonePolicy).

`witnesses` are those who cosign the record's heads: each one's public key and address,
{"key": "witness.example/w1+...", "url": "http://..."}. A head counts as published when more than
half of them have cosigned it (docs/witnesses.md).

`timestamps` are authorities (RFC 3161) that are asked once an hour for the time of the newest head:
{"name": "tsa-1", "url": "http://...", "roots": "tsa-1.pem"}; `roots`, a PEM file beside this one,
is whom the site itself trusts to have signed it.

`feeds` bring the sensors' reports into the service by themselves (docs/feeds.md):
{"feed": "adsb", "sensor": "adsb-1", "kind": "sbs1", "address": "tcp://127.0.0.1:30003"}

`watchdog` is told every so often that the site can alert, and misses that when it cannot:
{"url": "https://...", "every_s": 10} (docs/operations.md).

`recipients` are those who may be handed something, and `warnings` what the public is told and how;
deliver/settings reads both.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from cryptography import x509

from skykeep.codec.signed import raw_key
from skykeep.codec.timestamp_token import read_roots
from skykeep.core.airspace import Site
from skykeep.core.geo import Frame, Terrain
from skykeep.core.geometry import MAX_RADIUS_M
from skykeep.core.observation import Coverage, Sensor, SensorKind
from skykeep.core.permit import PermitPolicy
from skykeep.core.retention import RetentionPolicy
from skykeep.core.schedule import time_zone_of
from skykeep.core.verdict import VerdictPolicy
from skykeep.core.zone_book import ZonePolicy
from skykeep.errors import InputError, RecordError
from skykeep.record.cosignature import COSIGNERS
from skykeep.record.keys import PublicKey, parse_public, verifier
from skykeep.units import SensorId

#: A site file is a page or two; anything larger is not one.
MAX_SITE_BYTES = 1_000_000
#: How far a site sees, if it does not say: a drone radar's reach twice over.
DEFAULT_TERRAIN_RADIUS_M = 15_000.0


_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class _Origin(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    lat_deg: float
    lon_deg: float
    height_hae_m: float


class _Terrain(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    lowest_amsl_m: float | None = None
    highest_amsl_m: float | None = None
    geoid_low_m: float | None = None
    geoid_high_m: float | None = None
    file: str | None = None
    radius_m: float = DEFAULT_TERRAIN_RADIUS_M


class _Policy(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    broadcast_only_counts: bool = False
    bound_horizon_s: float = 60.0


class _Sensor(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    sensor: str
    kind: SensorKind
    lat_deg: float
    lon_deg: float
    height_hae_m: float
    range_max_m: float
    range_min_m: float = 0.0
    azimuth_from_deg: float = 0.0
    azimuth_to_deg: float = 360.0
    elevation_min_deg: float = -90.0
    elevation_max_deg: float = 90.0
    period_s: float | None = None
    detection_probability: float = 0.9
    false_per_turn: float = 0.0
    key: str = ""


class _Page(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    basemap: str | None = None
    glyphs: str | None = None
    procedure: Annotated[tuple[_Text, ...], msgspec.Meta(max_length=3)] = ()


class _Sightings(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    sensor: str
    legal_basis: Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]
    retention: Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]


class _Public(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    zones: bool = False
    contact: str = ""
    folder: str | None = None
    refresh_min: float = 10.0
    sightings: _Sightings | None = None


class _Smtp(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    host: str
    sender: str
    port: int = 25
    starttls: bool = False
    user: str | None = None
    password_file: str | None = None


class _Permits(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    decide_within_days: float | None = None
    land_within_s: float = PermitPolicy().land_within_s
    confirm_within_min: float = PermitPolicy().confirm_within_s / 60.0
    longest_emergency_min: float = PermitPolicy().longest_emergency_s / 60.0
    appeal: str = ""
    public_url: str | None = None
    webhook_hosts: tuple[str, ...] = ()
    smtp: _Smtp | None = None


class _Zones(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    confirm_within_h: float = ZonePolicy().confirm_within_s / 3_600.0
    approver_differs: bool = ZonePolicy().approver_differs


class _Witness(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    key: str
    url: str


class _Timestamps(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    url: str
    roots: str | None = None


class _Retention(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    identity_days: float = RetentionPolicy().identity_days
    permit_days: float | None = None
    operator_days: float = RetentionPolicy().operator_days


class _OperatorPositions(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    legal_basis: Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]


#: A feed's option: a value, or names with a value each.
Option = str | int | float | bool | dict[str, str | float] | None


class _Feed(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    feed: str
    sensor: str
    kind: str
    address: str
    options: dict[str, Option] = {}
    raw_days: float = 0.0
    raw_mb_per_day: float = 200.0


class _Watchdog(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    url: str
    every_s: Annotated[float, msgspec.Meta(ge=1.0, le=3_600.0)] = 10.0


class _Site(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    authority: str
    name: str
    origin: _Origin
    time_zone: str = "UTC"
    terrain: _Terrain | None = None
    policy: _Policy = msgspec.field(default_factory=_Policy)
    sensors: tuple[_Sensor, ...] = ()
    page: _Page = msgspec.field(default_factory=_Page)
    public: _Public = msgspec.field(default_factory=_Public)
    permits: _Permits = msgspec.field(default_factory=_Permits)
    zones: _Zones = msgspec.field(default_factory=_Zones)
    retention: _Retention = msgspec.field(default_factory=_Retention)
    witnesses: tuple[_Witness, ...] = ()
    operator_positions: _OperatorPositions | None = None
    timestamps: Annotated[tuple[_Timestamps, ...], msgspec.Meta(max_length=8)] = ()
    feeds: tuple[_Feed, ...] = ()
    watchdog: _Watchdog | None = None
    recipients: tuple[msgspec.Raw, ...] = ()
    warnings: msgspec.Raw = msgspec.Raw(b"{}")


@dataclass(frozen=True, slots=True)
class PageSettings:
    """How the watch page draws: a base map, as a file or as a URL, and fonts; and what it says is
    to be done about an alert, by priority."""

    basemap_file: Path | None = None
    basemap_url: str | None = None
    glyphs_url: str | None = None
    procedure: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WitnessPlace:
    """A witness of the site's log: its public key, and where it is asked."""

    key: PublicKey
    url: str


@dataclass(frozen=True, slots=True)
class SightingSettings:
    """The public's sightings form: its sensor, the law it rests on, how long what is kept."""

    sensor: SensorId
    legal_basis: str
    retention: str


@dataclass(frozen=True, slots=True)
class PublicSettings:
    """What everybody may see: nothing, unless `zones` is set (docs/publishing.md).

    `contact` is whom to ask where a zone names nobody; `folder` is kept up to date for a plain
    web server, and its manifest renewed every `refresh_s`.
    """

    zones: bool = False
    contact: str = ""
    folder: Path | None = None
    refresh_s: float = 600.0
    sightings: SightingSettings | None = None


#: The public page warns of data that are a day old.
_MOST_REFRESH_MIN = 720.0


def read_public(path: Path) -> PublicSettings:
    """The public part of a site file; InputError names the field that does not fit."""
    raw = _decode(_bytes_of(path), str(path)).public
    if not 0.1 <= raw.refresh_min <= _MOST_REFRESH_MIN:
        problem = f"is {raw.refresh_min}"
        mend = f"Give 0.1 to {_MOST_REFRESH_MIN:.0f} minutes"
        raise InputError(f"{path}: public.refresh_min", problem, mend)
    if raw.folder is not None and not raw.zones:
        problem = "is given, but public.zones is not true"
        raise InputError(f"{path}: public.folder", problem, "Set zones to true, or leave it out")
    folder = None if raw.folder is None else path.parent / raw.folder
    told = raw.sightings
    sightings = None
    if told is not None:
        sightings = SightingSettings(SensorId(told.sensor), told.legal_basis, told.retention)
    return PublicSettings(raw.zones, raw.contact, folder, raw.refresh_min * 60.0, sightings)


@dataclass(frozen=True, slots=True)
class Smtp:
    """The site's mail relay."""

    host: str
    port: int
    sender: str
    starttls: bool = False
    user: str | None = None
    password_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """How holders of permits are told; what is not configured is not used."""

    public_url: str | None = None
    webhook_hosts: tuple[str, ...] = ()
    smtp: Smtp | None = None


def read_delivery(path: Path) -> Delivery:
    """How a site file says that holders are told; InputError names what does not fit."""
    raw = _decode(_bytes_of(path), str(path)).permits
    where = f"{path}: permits"
    if raw.public_url is not None and not (
        is_url(raw.public_url) and urlsplit(raw.public_url).netloc
    ):
        problem = f"{raw.public_url!r} is no http or https URL"
        raise InputError(f"{where}.public_url", problem, "Give where holders reach this site")
    public_url = None if raw.public_url is None else raw.public_url.rstrip("/")
    smtp = None
    if raw.smtp is not None:
        if not 0 < raw.smtp.port < 65_536:
            raise InputError(f"{where}.smtp.port", "is no port", "Give 1 to 65535")
        secret = raw.smtp.password_file
        file = None if secret is None else path.parent / secret
        if file is not None and not file.is_file():
            raise InputError(f"{where}.smtp.password_file", f"there is no {file}", "Correct it")
        smtp = Smtp(
            raw.smtp.host, raw.smtp.port, raw.smtp.sender, raw.smtp.starttls, raw.smtp.user, file
        )
    return Delivery(public_url, tuple(h.lower() for h in raw.webhook_hosts), smtp)


def read_outgoing(path: Path) -> tuple[tuple[bytes, ...], bytes]:
    """The parts of a site file about recipients, and about warnings: JSON, not yet read."""
    raw = _decode(_bytes_of(path), str(path))
    return tuple(bytes(one) for one in raw.recipients), bytes(raw.warnings)


def _policy(raw: _Permits, where: str) -> PermitPolicy:
    days = raw.decide_within_days
    for name, value in (
        ("decide_within_days", 1.0 if days is None else days),
        ("land_within_s", raw.land_within_s),
        ("confirm_within_min", raw.confirm_within_min),
        ("longest_emergency_min", raw.longest_emergency_min),
    ):
        if not (math.isfinite(value) and 0.0 < value < 1e6):
            raise InputError(f"{where}.{name}", f"is {value}", "Give a number above 0")
    return PermitPolicy(
        None if days is None else days * 86_400.0,
        raw.land_within_s,
        raw.confirm_within_min * 60.0,
        raw.longest_emergency_min * 60.0,
        raw.appeal,
    )


def _zone_policy(raw: _Zones, where: str) -> ZonePolicy:
    hours = raw.confirm_within_h
    if not (math.isfinite(hours) and 0.0 < hours < 1e5):
        raise InputError(f"{where}.confirm_within_h", f"is {hours}", "Give a number above 0")
    return ZonePolicy(hours * 3_600.0, raw.approver_differs)


def read_retention(path: Path) -> RetentionPolicy:
    """How long a site file says that what points to a person is kept."""
    raw = _decode(_bytes_of(path), str(path)).retention
    for name, days in (
        ("identity_days", raw.identity_days),
        ("permit_days", raw.permit_days),
        ("operator_days", raw.operator_days),
    ):
        if days is not None and not (math.isfinite(days) and 0.0 < days < 1e5):
            where = f"{path}: retention.{name}"
            raise InputError(where, f"is {days}", "Give a number of days above 0")
    return RetentionPolicy(raw.identity_days, raw.permit_days, raw.operator_days)


def read_page(path: Path) -> PageSettings:
    """The page's part of a site file; InputError names the field that does not fit."""
    raw = _decode(_bytes_of(path), str(path)).page
    for name, value in (("basemap", raw.basemap), ("glyphs", raw.glyphs)):
        if value is not None and is_url(value) and not urlsplit(value).netloc:
            raise InputError(f"{path}: page.{name}", f"{value!r} is no URL", "Correct it")
    if raw.glyphs is not None and not is_url(raw.glyphs):
        problem = f"{raw.glyphs!r} is no http or https URL"
        raise InputError(f"{path}: page.glyphs", problem, "Give one with {fontstack} and {range}")
    if raw.basemap is None or is_url(raw.basemap):
        return PageSettings(None, raw.basemap, raw.glyphs, raw.procedure)
    file = path.parent / raw.basemap
    if not file.is_file():
        raise InputError(f"{path}: page.basemap", f"there is no file {file}", "Correct the path")
    return PageSettings(file, None, raw.glyphs, raw.procedure)


def read_witnesses(path: Path) -> tuple[WitnessPlace, ...]:
    """Who cosigns the site's log; InputError names the field that does not fit."""
    places: list[WitnessPlace] = []
    for number, raw in enumerate(_decode(_bytes_of(path), str(path)).witnesses):
        where = f"{path}: witnesses[{number}]"
        try:
            key = parse_public(raw.key)
            verifier(key, COSIGNERS)
        except RecordError as error:
            mend = "Give what `skykeep witness new` printed"
            raise InputError(f"{where}.key", str(error), mend) from None
        if any(key.material == other.key.material for other in places):
            raise InputError(f"{where}.key", "is there twice", "One key counts once: remove one")
        if not is_url(raw.url) or not urlsplit(raw.url).netloc:
            problem = f"{raw.url!r} is no http or https URL"
            raise InputError(f"{where}.url", problem, "Give where the witness listens")
        places.append(WitnessPlace(key, raw.url.rstrip("/")))
    return tuple(places)


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """A feed as the site file names it: for which sensor, of which kind, from where.

    `sensors` are all of the site's, by their names; whoever runs the feed fills them in.
    What arrives is kept for `raw_days`, at most so many bytes a day (store/raw).
    """

    feed_id: str
    sensor_id: SensorId
    kind: str
    address: str
    options: Mapping[str, Option] = field(default_factory=dict)
    sensors: Mapping[str, Sensor] = field(default_factory=dict)
    raw_days: float = 0.0
    raw_day_bytes: int = 0


def read_feeds(path: Path) -> tuple[FeedSettings, ...]:
    """The feeds of a site file; InputError for a name that is there twice."""
    found: dict[str, FeedSettings] = {}
    site = _decode(_bytes_of(path), str(path))
    for number, raw in enumerate(site.feeds):
        where = f"{path}: feeds[{number}].feed"
        # Raw bytes may say where exactly an operator stood: they go no later than that.
        most = site.retention.operator_days
        if not 0.0 <= raw.raw_days <= most or not 0.0 < raw.raw_mb_per_day <= 1e6:
            problem = f"{raw.raw_days} days, {raw.raw_mb_per_day} MB"
            mend = f"Give 0 to {most:g} days (retention.operator_days), and MB above 0"
            raise InputError(f"{path}: feeds[{number}].raw_days", problem, mend)
        if not raw.feed or raw.feed in found:
            problem = "is empty" if not raw.feed else f"{raw.feed!r} is there twice"
            raise InputError(where, problem, "Give each feed a name of its own")
        found[raw.feed] = FeedSettings(
            raw.feed, SensorId(raw.sensor), raw.kind, raw.address, raw.options,
            raw_days=raw.raw_days, raw_day_bytes=int(raw.raw_mb_per_day * 1e6),
        )  # fmt: skip
    return tuple(found.values())


@dataclass(frozen=True, slots=True)
class TimestampPlace:
    """A time-stamp authority: its name here, where it is asked, whom the site trusts for it."""

    name: str
    url: str
    roots: tuple[x509.Certificate, ...] = ()


def read_timestamps(path: Path) -> tuple[TimestampPlace, ...]:
    """Who time-stamps the log's heads; InputError names the field that does not fit."""
    places: list[TimestampPlace] = []
    for number, raw in enumerate(_decode(_bytes_of(path), str(path)).timestamps):
        where = f"{path}: timestamps[{number}]"
        if not is_url(raw.url) or not urlsplit(raw.url).netloc:
            problem = f"{raw.url!r} is no http or https URL"
            raise InputError(f"{where}.url", problem, "Give where the authority is asked")
        if any(raw.name == other.name for other in places):
            raise InputError(f"{where}.name", "is there twice", "Give each one a name of its own")
        roots: tuple[x509.Certificate, ...] = ()
        if raw.roots is not None:
            file = path.parent / raw.roots
            try:
                roots = read_roots([(f"{where}.roots", file.read_bytes())])
            except OSError as error:
                problem = f"{file} cannot be read ({error.strerror})"
                raise InputError(f"{where}.roots", problem, "Correct the path") from None
        places.append(TimestampPlace(raw.name, raw.url, roots))
    return tuple(places)


@dataclass(frozen=True, slots=True)
class WatchdogSettings:
    """Who is told every `every_s` that the site can alert; it has `timeout_s` to answer."""

    url: str
    every_s: float = 10.0

    @property
    def timeout_s(self) -> float:
        """Within its turn, so that one that hangs holds up no signal after it."""
        return min(self.every_s, 5.0)


def read_watchdog(path: Path) -> WatchdogSettings | None:
    """Whom to tell that the site can alert; InputError names the field that does not fit."""
    raw = _decode(_bytes_of(path), str(path)).watchdog
    if raw is None:
        return None
    if not is_url(raw.url) or not urlsplit(raw.url).netloc:
        problem = f"{raw.url!r} is no http or https URL"
        raise InputError(f"{path}: watchdog.url", problem, "Give where the watchdog is told")
    return WatchdogSettings(raw.url, raw.every_s)


def is_url(text: str) -> bool:
    """Whether a text begins as an http or https URL does."""
    return text.startswith(("http://", "https://"))


def read_site(path: Path) -> tuple[Site, tuple[Sensor, ...]]:
    """The site and its sensors; InputError names the field that does not fit."""
    return decode_site(_bytes_of(path), str(path))


def _bytes_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SITE_BYTES + 1)
    except OSError as error:
        raise InputError(
            str(path), f"cannot be read ({error.strerror})", "Check the path"
        ) from None
    if len(data) > MAX_SITE_BYTES:
        raise InputError(str(path), f"is over {MAX_SITE_BYTES} bytes", "Give a site file")
    return data


def _decode(data: bytes, source: str) -> _Site:
    try:
        return msgspec.json.decode(data, type=_Site)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise InputError(source, str(error), "Mend the field that is named") from None


def decode_site(data: bytes, source: str) -> tuple[Site, tuple[Sensor, ...]]:
    """The same from bytes; `source` is named in errors."""
    raw = _decode(data, source)
    _check_place(f"{source}: origin", raw.origin.lat_deg, raw.origin.lon_deg)
    if time_zone_of(raw.time_zone) is None:
        problem = f"{raw.time_zone!r} is no IANA time zone"
        raise InputError(f"{source}: time_zone", problem, "Give one such as Europe/Luxembourg")
    terrain = None if raw.terrain is None else _terrain(raw.terrain, f"{source}: terrain")
    site = Site(
        raw.authority,
        raw.name,
        Frame(raw.origin.lat_deg, raw.origin.lon_deg, raw.origin.height_hae_m),
        terrain,
        raw.time_zone,
        VerdictPolicy(
            broadcast_only_counts=raw.policy.broadcast_only_counts,
            bound_horizon_s=raw.policy.bound_horizon_s,
        ),
        permit_policy=_policy(raw.permits, f"{source}: permits"),
        zone_policy=_zone_policy(raw.zones, f"{source}: zones"),
        operator_basis="" if raw.operator_positions is None else raw.operator_positions.legal_basis,
    )
    return site, tuple(
        _sensor(f"{source}: sensors[{i}]", sensor) for i, sensor in enumerate(raw.sensors)
    )


def _terrain(t: _Terrain, where: str) -> Terrain | None:
    """The bounds as they are written; None where a file says them."""
    low, high, geoid_low, geoid_high = (
        t.lowest_amsl_m, t.highest_amsl_m, t.geoid_low_m, t.geoid_high_m,
    )  # fmt: skip
    if t.file is not None:
        if (low, high, geoid_low, geoid_high) != (None,) * 4:
            raise InputError(where, "has a file and bounds beside it", "Give one of the two")
        if not 0.0 < t.radius_m <= MAX_RADIUS_M:
            problem = f"is {t.radius_m}"
            raise InputError(f"{where}.radius_m", problem, f"Give 0 to {MAX_RADIUS_M:g} m")
        return None
    if low is None or high is None or geoid_low is None or geoid_high is None:
        mend = "Give lowest_amsl_m, highest_amsl_m, geoid_low_m and geoid_high_m, or a file"
        raise InputError(where, "a bound is missing", mend)
    if low > high or geoid_low > geoid_high:
        raise InputError(where, "a low bound is above its high one", "Swap them")
    return Terrain(low, high, geoid_low, geoid_high)


def read_terrain_file(path: Path) -> tuple[Path, float] | None:
    """The terrain file that a site names (beside its own), and how far around it is needed."""
    raw = _decode(_bytes_of(path), str(path)).terrain
    if raw is None or raw.file is None:
        return None
    return path.parent / raw.file, raw.radius_m


def _sensor(where: str, raw: _Sensor) -> Sensor:
    _check_place(where, raw.lat_deg, raw.lon_deg)
    checks = (
        ("range_max_m", raw.range_min_m < raw.range_max_m, "above range_min_m"),
        ("range_min_m", raw.range_min_m >= 0.0, "0 or more"),
        ("azimuth_to_deg", raw.azimuth_from_deg < raw.azimuth_to_deg, "above azimuth_from_deg"),
        ("elevation_max_deg", raw.elevation_min_deg < raw.elevation_max_deg, "above the minimum"),
        ("period_s", raw.period_s is None or raw.period_s > 0.0, "above 0"),
        ("detection_probability", 0.0 < raw.detection_probability < 1.0, "between 0 and 1"),
        ("false_per_turn", raw.false_per_turn >= 0.0, "0 or more"),
        ("key", not raw.key or raw_key(raw.key) is not None, "base64 of 32 bytes (Ed25519)"),
    )
    for name, holds, must in checks:
        if not holds:
            problem = f"is {getattr(raw, name)}, must be {must}"
            raise InputError(f"{where}.{name}", problem, "Correct it")
    coverage = Coverage(
        raw.range_min_m,
        raw.range_max_m,
        raw.azimuth_from_deg,
        raw.azimuth_to_deg,
        raw.elevation_min_deg,
        raw.elevation_max_deg,
    )
    return Sensor(
        SensorId(raw.sensor),
        raw.kind,
        raw.lat_deg,
        raw.lon_deg,
        raw.height_hae_m,
        coverage,
        raw.period_s,
        raw.detection_probability,
        raw.false_per_turn,
        key=raw.key,
    )


def _check_place(where: str, lat_deg: float, lon_deg: float) -> None:
    if not (math.isfinite(lat_deg) and abs(lat_deg) <= 90.0):
        raise InputError(f"{where}.lat_deg", f"is {lat_deg}", "Give -90 to 90")
    if not (math.isfinite(lon_deg) and abs(lon_deg) <= 180.0):
        raise InputError(f"{where}.lon_deg", f"is {lon_deg}", "Give -180 to 180")
