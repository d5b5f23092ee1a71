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

from pathlib import Path
from typing import Annotated

import msgspec

from skykeep.core.observation import SensorKind
from skykeep.core.permit import PermitPolicy
from skykeep.core.retention import RetentionPolicy
from skykeep.core.zone_book import ZonePolicy
from skykeep.errors import InputError

#: A site file is a page or two; anything larger is not one.
MAX_SITE_BYTES = 1_000_000
#: How far a site sees, if it does not say: a drone radar's reach twice over.
DEFAULT_TERRAIN_RADIUS_M = 15_000.0


_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class OriginPart(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The origin of the site's own frame."""

    lat_deg: float
    lon_deg: float
    height_hae_m: float


class TerrainPart(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The ground: bounds, or a file."""

    lowest_amsl_m: float | None = None
    highest_amsl_m: float | None = None
    geoid_low_m: float | None = None
    geoid_high_m: float | None = None
    file: str | None = None
    radius_m: float = DEFAULT_TERRAIN_RADIUS_M


class PolicyPart(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What counts, and how far ahead is looked."""

    broadcast_only_counts: bool = False
    bound_horizon_s: float = 60.0


class SensorPart(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A sensor: place, coverage, rate."""

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


class PagePart(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """How the watch page draws, and what it says is next."""

    basemap: str | None = None
    glyphs: str | None = None
    procedure: Annotated[tuple[_Text, ...], msgspec.Meta(max_length=3)] = ()


class SightingsPart(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The form for what people saw."""

    sensor: str
    legal_basis: Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]
    retention: Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]


class PublicPart(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What everybody may see."""

    zones: bool = False
    contact: str = ""
    folder: str | None = None
    refresh_min: float = 10.0
    sightings: SightingsPart | None = None


class SmtpPart(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The site's mail relay."""

    host: str
    sender: str
    port: int = 25
    starttls: bool = False
    user: str | None = None
    password_file: str | None = None


class PermitsPart(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What the law says of permits' proceedings."""

    decide_within_days: float | None = None
    land_within_s: float = PermitPolicy().land_within_s
    confirm_within_min: float = PermitPolicy().confirm_within_s / 60.0
    longest_emergency_min: float = PermitPolicy().longest_emergency_s / 60.0
    appeal: str = ""
    public_url: str | None = None
    webhook_hosts: tuple[str, ...] = ()
    smtp: SmtpPart | None = None


class ZonesPart(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What the law says of bans."""

    confirm_within_h: float = ZonePolicy().confirm_within_s / 3_600.0
    approver_differs: bool = ZonePolicy().approver_differs


class WitnessPart(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Who cosigns the log."""

    key: str
    url: str


class TimestampsPart(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A time-stamp authority."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    url: str
    roots: str | None = None


class RetentionPart(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """How long what is kept."""

    identity_days: float = RetentionPolicy().identity_days
    permit_days: float | None = None
    operator_days: float = RetentionPolicy().operator_days


class OperatorPositionsPart(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """On what legal basis operators' positions are kept."""

    legal_basis: Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]


#: A feed's option: a value, or names with a value each.
Option = str | int | float | bool | dict[str, str | float] | None


class FeedPart(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A feed: for which sensor, from where."""

    feed: str
    sensor: str
    kind: str
    address: str
    options: dict[str, Option] = {}
    raw_days: float = 0.0
    raw_mb_per_day: float = 200.0


class WatchdogPart(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Who outside is told that the site can alert."""

    url: str
    every_s: Annotated[float, msgspec.Meta(ge=1.0, le=3_600.0)] = 10.0


class Document(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The whole document."""

    authority: str
    name: str
    origin: OriginPart
    time_zone: str = "UTC"
    terrain: TerrainPart | None = None
    policy: PolicyPart = msgspec.field(default_factory=PolicyPart)
    sensors: tuple[SensorPart, ...] = ()
    page: PagePart = msgspec.field(default_factory=PagePart)
    public: PublicPart = msgspec.field(default_factory=PublicPart)
    permits: PermitsPart = msgspec.field(default_factory=PermitsPart)
    zones: ZonesPart = msgspec.field(default_factory=ZonesPart)
    retention: RetentionPart = msgspec.field(default_factory=RetentionPart)
    witnesses: tuple[WitnessPart, ...] = ()
    operator_positions: OperatorPositionsPart | None = None
    timestamps: Annotated[tuple[TimestampsPart, ...], msgspec.Meta(max_length=8)] = ()
    feeds: tuple[FeedPart, ...] = ()
    watchdog: WatchdogPart | None = None
    recipients: tuple[msgspec.Raw, ...] = ()
    warnings: msgspec.Raw = msgspec.Raw(b"{}")


def is_url(text: str) -> bool:
    """Whether a text begins as an http or https URL does."""
    return text.startswith(("http://", "https://"))


def read_document(path: Path) -> bytes:
    """A site file's bytes; InputError where there is none, or one that is too large."""
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


def decode_document(data: bytes, source: str) -> Document:
    """The document; InputError names the field that does not fit."""
    try:
        return msgspec.json.decode(data, type=Document)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise InputError(source, str(error), "Mend the field that is named") from None
