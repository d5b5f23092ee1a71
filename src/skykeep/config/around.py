"""What stands around a site: its pages, its mail, its witnesses, its feeds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

from skykeep.codec.timestamp_token import read_roots
from skykeep.config.document import Option, decode_document, is_url, read_document
from skykeep.core.observation import Sensor
from skykeep.core.retention import RetentionPolicy
from skykeep.errors import InputError, RecordError
from skykeep.record.cosignature import COSIGNERS
from skykeep.record.keys import PublicKey, parse_public, verifier
from skykeep.units import SensorId


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
    raw = decode_document(read_document(path), str(path)).public
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
    raw = decode_document(read_document(path), str(path)).permits
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
    raw = decode_document(read_document(path), str(path))
    return tuple(bytes(one) for one in raw.recipients), bytes(raw.warnings)


def read_retention(path: Path) -> RetentionPolicy:
    """How long a site file says that what points to a person is kept."""
    raw = decode_document(read_document(path), str(path)).retention
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
    raw = decode_document(read_document(path), str(path)).page
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
    for number, raw in enumerate(decode_document(read_document(path), str(path)).witnesses):
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
    site = decode_document(read_document(path), str(path))
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
    for number, raw in enumerate(decode_document(read_document(path), str(path)).timestamps):
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
    raw = decode_document(read_document(path), str(path)).watchdog
    if raw is None:
        return None
    if not is_url(raw.url) or not urlsplit(raw.url).netloc:
        problem = f"{raw.url!r} is no http or https URL"
        raise InputError(f"{path}: watchdog.url", problem, "Give where the watchdog is told")
    return WatchdogSettings(raw.url, raw.every_s)
