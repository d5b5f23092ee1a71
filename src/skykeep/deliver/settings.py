"""The recipients of a site file: who they are, by which ways they are reached, what they may know.

{"recipients": [{"name": "police", "role": "responder", "priorities": [1, 2], "automatic": [1],
  "zones": ["Z1"], "answer_within_s": 120, "remind_s": 30, "escalate_to": "duty officer",
  "shows": "handed_over", "precision_m": 10, "rate_hz": 1, "most_tracks": 100,
  "languages": ["en", "de"],
  "channels": [{"kind": "tak", "host": "tak.police.example", "port": 8089, "tls": true, ...},
               {"kind": "webhook", "url": "https://...", "secret_file": "police.secret"},
               {"kind": "email", "addresses": ["..."]},
               {"kind": "mqtt", "host": "127.0.0.1", "topic": "skykeep/police"}]}]}

What is not named is the least: only tracks of what was handed over. Where an operator stands is
told to nobody: no track holds it.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from skykeep.config import is_url, read_outgoing
from skykeep.core.handover import ANSWER_WITHIN_S, Recipient
from skykeep.deliver.webhook import read_secret
from skykeep.deliver.words import LANGUAGES
from skykeep.errors import InputError
from skykeep.units import ZoneId

#: A site names some tens; each one costs a look at the tracks a second.
MOST_RECIPIENTS = 50
#: Nobody sees more of a drone in a second than this, and the tracks move no faster.
MOST_RATE_HZ = 1.0
MOST_TRACKS = 1_000
#: Rather than 1 m, which no recipient's role needs.
DEFAULT_PRECISION_M = 10.0
_WORST_PRECISION_M = 10_000.0


class Shows(enum.StrEnum):
    """Which tracks a recipient's stream tells of."""

    NOTHING = "nothing"
    HANDED_OVER = "handed_over"  # those of alerts that were handed to it
    ALERTS = "alerts"  # those of open alerts that it might be handed
    ZONES = "zones"  # all with a verdict in its zones


class _Tak(msgspec.Struct, forbid_unknown_fields=True, tag_field="kind", tag="tak", frozen=True):
    host: str
    port: int = 8087
    name: str = "tak"
    format: str = "xml"
    tls: bool = False
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    server_name: str | None = None


class _Webhook(
    msgspec.Struct, forbid_unknown_fields=True, tag_field="kind", tag="webhook", frozen=True
):
    url: str
    secret_file: str
    name: str = "webhook"


class _Email(
    msgspec.Struct, forbid_unknown_fields=True, tag_field="kind", tag="email", frozen=True
):
    addresses: tuple[str, ...]
    name: str = "email"


class _Mqtt(msgspec.Struct, forbid_unknown_fields=True, tag_field="kind", tag="mqtt", frozen=True):
    host: str
    topic: str
    port: int = 1883
    name: str = "mqtt"
    tls: bool = False
    ca_file: str | None = None
    user: str | None = None
    password_file: str | None = None


class _Recipient(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    name: str
    role: str
    channels: tuple[_Tak | _Webhook | _Email | _Mqtt, ...] = ()
    zones: tuple[str, ...] = ()
    priorities: tuple[int, ...] = (1, 2, 3)
    automatic: tuple[int, ...] = ()
    answer_within_s: float = ANSWER_WITHIN_S
    remind_s: float | None = None
    escalate_to: str | None = None
    shows: Shows = Shows.HANDED_OVER
    precision_m: float = DEFAULT_PRECISION_M
    rate_hz: float = 1.0
    most_tracks: int = 100
    languages: tuple[str, ...] = ("en",)


@dataclass(frozen=True, slots=True)
class Tls:
    """How a connection is secured: whom to trust, and by which certificate one is known."""

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    server_name: str | None = None


@dataclass(frozen=True, slots=True)
class TakChannel:
    """A TAK server; with `protobuf` protocol version 1 is spoken where the server offers it."""

    host: str
    port: int
    protobuf: bool = False
    tls: Tls | None = None


@dataclass(frozen=True, slots=True)
class WebhookChannel:
    """An address that hand-overs are posted to, and the key that signs them."""

    url: str
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class EmailChannel:
    """Addresses that are written to through the site's relay."""

    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MqttChannel:
    """A broker, and the topic under which hand-overs and tracks are published."""

    host: str
    port: int
    topic: str
    tls: Tls | None = None
    user: str | None = None
    password_file: Path | None = None


Channel = TakChannel | WebhookChannel | EmailChannel | MqttChannel


@dataclass(frozen=True, slots=True)
class Caps:
    """What a recipient may know of tracks: which, how finely, how often, how many at once."""

    shows: Shows = Shows.HANDED_OVER
    precision_m: float = DEFAULT_PRECISION_M
    rate_hz: float = 1.0
    most_tracks: int = 100


@dataclass(frozen=True, slots=True)
class RecipientSettings:
    """One recipient: the rules that bind it, its channels by name, its caps, its languages."""

    recipient: Recipient
    channels: dict[str, Channel]
    caps: Caps = field(default_factory=Caps)
    languages: tuple[str, ...] = ("en",)


class _Warnings(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    public: bool = False
    draft: bool = False
    sender: str = ""
    languages: tuple[str, ...] = ("en",)
    lasts_min: float = 60.0


@dataclass(frozen=True, slots=True)
class WarningSettings:
    """How the public is warned: not at all, unless `public`; `drafting` has the system draft.

    `sender` names the site in CAP messages; it must stay the same.
    """

    public: bool = False
    drafting: bool = False
    sender: str = ""
    languages: tuple[str, ...] = ("en",)
    lasts_s: float = 3_600.0


def read_warnings(path: Path) -> WarningSettings:
    """The part of a site file about warnings; InputError names the field that does not fit."""
    _, part = read_outgoing(path)
    where = f"{path}: warnings"
    try:
        raw = msgspec.json.decode(part, type=_Warnings)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise InputError(where, str(error), "Mend the field that is named") from None
    if (raw.public or raw.draft) and (not raw.sender or set(raw.sender) & set(" ,<&")):
        problem = f"is {raw.sender!r}"
        mend = "Give a name without spaces, commas, < and &, such as drones@city.example"
        raise InputError(f"{where}.sender", problem, mend)
    if not raw.languages or any(name not in LANGUAGES for name in raw.languages):
        mend = f"Give some of {', '.join(LANGUAGES)}"
        raise InputError(f"{where}.languages", f"is {raw.languages}", mend)
    if not 1.0 <= raw.lasts_min <= 1_440.0:
        raise InputError(f"{where}.lasts_min", f"is {raw.lasts_min}", "Give 1 to 1440 minutes")
    return WarningSettings(raw.public, raw.draft, raw.sender, raw.languages, raw.lasts_min * 60.0)


def read_recipients(path: Path) -> tuple[RecipientSettings, ...]:
    """The recipients of a site file; InputError names the field that does not fit."""
    parts, _ = read_outgoing(path)
    if len(parts) > MOST_RECIPIENTS:
        problem = f"has {len(parts)} entries, more than {MOST_RECIPIENTS}"
        raise InputError(f"{path}: recipients", problem, "Join those that share a desk")
    found: list[RecipientSettings] = []
    for number, part in enumerate(parts):
        where = f"{path}: recipients[{number}]"
        try:
            raw = msgspec.json.decode(part, type=_Recipient)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise InputError(where, str(error), "Mend the field that is named") from None
        found.append(_settings(raw, path, where))
    _check_names(found, f"{path}: recipients")
    return tuple(found)


def _check_names(found: Sequence[RecipientSettings], where: str) -> None:
    names = [f.recipient.name for f in found]
    for number, one in enumerate(found):
        if names.count(one.recipient.name) > 1:
            raise InputError(f"{where}[{number}].name", "is there twice", "Give each its own")
        after = one.recipient.escalate_to
        if after is not None and (after not in names or after == one.recipient.name):
            problem = f"names {after!r}, which is no other recipient"
            raise InputError(f"{where}[{number}].escalate_to", problem, "Give another's name")


def _settings(raw: _Recipient, path: Path, where: str) -> RecipientSettings:
    _check(raw, where)
    channels: dict[str, Channel] = {}
    for number, one in enumerate(raw.channels):
        place = f"{where}.channels[{number}]"
        if one.name in channels or not one.name.strip():
            raise InputError(f"{place}.name", f"{one.name!r} is there twice", "Give it a name")
        channels[one.name] = _channel(one, path, place)
    recipient = Recipient(
        raw.name.strip(), raw.role, tuple(channels), tuple(ZoneId(z) for z in raw.zones),
        raw.priorities, raw.automatic, raw.answer_within_s, raw.remind_s, raw.escalate_to,
    )  # fmt: skip
    caps = Caps(raw.shows, raw.precision_m, raw.rate_hz, raw.most_tracks)
    return RecipientSettings(recipient, channels, caps, raw.languages)


def _check(raw: _Recipient, where: str) -> None:
    within = raw.answer_within_s
    remind = 1.0 if raw.remind_s is None else raw.remind_s
    strange = [name for name in raw.languages if name not in LANGUAGES]
    checks = (
        ("name", bool(raw.name.strip()), "a name"),
        ("role", bool(raw.role.strip()), "what it is, such as responder"),
        ("answer_within_s", math.isfinite(within) and 1.0 <= within <= 86_400.0, "1 to 86400"),
        ("remind_s", math.isfinite(remind) and 1.0 <= remind <= 86_400.0, "1 to 86400"),
        ("precision_m", 0.0 <= raw.precision_m <= _WORST_PRECISION_M, "0 to 10000"),
        ("rate_hz", 0.0 < raw.rate_hz <= MOST_RATE_HZ, f"above 0, at most {MOST_RATE_HZ:g}"),
        ("most_tracks", 1 <= raw.most_tracks <= MOST_TRACKS, f"1 to {MOST_TRACKS}"),
        ("priorities", set(raw.priorities) <= {1, 2, 3}, "of 1, 2 and 3"),
        ("automatic", set(raw.automatic) <= set(raw.priorities), "of its priorities"),
        ("languages", bool(raw.languages) and not strange, f"of {', '.join(LANGUAGES)}"),
    )
    for name, holds, must in checks:
        if not holds:
            problem = f"is {getattr(raw, name)!r}"
            raise InputError(f"{where}.{name}", problem, f"Give {must}")


def _channel(raw: _Tak | _Webhook | _Email | _Mqtt, path: Path, where: str) -> Channel:
    if isinstance(raw, _Email):
        if not raw.addresses:
            raise InputError(f"{where}.addresses", "names nobody", "Give an address")
        return EmailChannel(raw.addresses)
    if isinstance(raw, _Webhook):
        if not is_url(raw.url) or not urlsplit(raw.url).hostname:
            problem = f"{raw.url!r} is no http or https URL"
            raise InputError(f"{where}.url", problem, "Give where hand-overs are posted to")
        return WebhookChannel(raw.url, read_secret(path.parent / raw.secret_file))
    if not 0 < raw.port < 65_536 or not raw.host.strip():
        raise InputError(f"{where}.port", "names no host and port", "Give both")
    if isinstance(raw, _Mqtt):
        if not raw.topic.strip("/") or set(raw.topic) & {"#", "+", "\0"}:
            raise InputError(f"{where}.topic", f"is {raw.topic!r}", "Give one without + and #")
        tls = Tls(_file(raw.ca_file, path, f"{where}.ca_file")) if raw.tls else None
        secret = _file(raw.password_file, path, f"{where}.password_file")
        return MqttChannel(raw.host, raw.port, raw.topic.strip("/"), tls, raw.user, secret)
    if raw.format not in ("xml", "protobuf"):
        raise InputError(f"{where}.format", f"is {raw.format!r}", "Give xml or protobuf")
    secured = None
    if raw.tls:
        secured = Tls(
            _file(raw.ca_file, path, f"{where}.ca_file"),
            _file(raw.cert_file, path, f"{where}.cert_file"),
            _file(raw.key_file, path, f"{where}.key_file"),
            raw.server_name,
        )
    return TakChannel(raw.host, raw.port, raw.format == "protobuf", secured)


def _file(name: str | None, path: Path, where: str) -> Path | None:
    if name is None:
        return None
    file = path.parent / name
    if not file.is_file():
        raise InputError(where, f"there is no {file}", "Correct the path")
    return file
