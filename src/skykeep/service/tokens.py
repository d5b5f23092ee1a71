"""Who may speak to the service: bearer tokens, of which only the hash is kept.

    {"tokens": [{"sha256": "9f..", "name": "C. Weber", "role": "watch_officer"},
                {"sha256": "41..", "name": "radar on the roof", "role": "sensor",
                 "sensor": "radar-1"},
                {"sha256": "77..", "name": "B. Patrol", "role": "recipient",
                 "recipient": "police"}]}

The file is read again when it changes: a token that is taken out of it stops working at once.
"""

from __future__ import annotations

import enum
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import msgspec

from skykeep.core.event import Actor
from skykeep.errors import InputError

#: 256 bits cannot be guessed, so a plain hash, without salt or stretching, protects them.
TOKEN_BYTES = 32
#: A site has tens of sensors and officers.
MAX_TOKENS = 1_000
MAX_FILE_BYTES = 1_000_000

_Hex = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class Role(enum.StrEnum):
    """What a token is for."""

    VIEWER = "viewer"
    WATCH_OFFICER = "watch_officer"
    SHIFT_LEAD = "shift_lead"  # may all that a watch officer may
    PERMIT_OFFICER = "permit_officer"
    EVIDENCE_OFFICER = "evidence_officer"  # sees who looked; makes dossiers and withholds from them
    ADMINISTRATOR = "administrator"  # of people's accounts
    SENSOR = "sensor"
    RECIPIENT = "recipient"


class Holder(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who holds a token, in which role; a sensor's names the sensor, a recipient's the recipient
    that it speaks for.

    A person who is signed in is one too, without a token's hash, perhaps in further roles.
    """

    sha256: _Hex
    name: _Name
    role: Role
    sensor: _Name | None = None
    recipient: _Name | None = None
    also: tuple[Role, ...] = ()

    def acting_as(self, roles: Iterable[Role]) -> Holder | None:
        """The holder in the first of these roles that is one of his, if any is."""
        held = (self.role, *self.also)
        for role in roles:
            if role in held:
                others = tuple(other for other in held if other is not role)
                same = role is self.role
                return self if same else msgspec.structs.replace(self, role=role, also=others)
        return None

    @property
    def actor(self) -> Actor:
        """The person behind what this token does."""
        return Actor(self.name, self.role.value)


class _File(msgspec.Struct, forbid_unknown_fields=True):
    tokens: list[Holder]


@dataclass(slots=True)
class Tokens:
    """The tokens of a file, as they now stand in it; `problem` says why it is not read."""

    path: Path
    holders: tuple[Holder, ...] = ()
    problem: str = ""
    _seen: tuple[int, int, int] | None = None

    def holder_of(self, token: str) -> Holder | None:
        """Who holds a token, compared in a time that does not tell how much of it is right."""
        self.refresh()
        digest = digest_of(token)
        found = None
        for holder in self.holders:
            if hmac.compare_digest(holder.sha256, digest):
                found = holder
        return found

    def refresh(self) -> None:
        """Read the file if it has changed; where it cannot be read, nobody holds a token."""
        try:
            stat = self.path.stat()
            seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        except OSError as error:
            self.holders, self._seen = (), None
            self.problem = f"{self.path}: {error.strerror}"
            return
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self.holders, self.problem = read_tokens(self.path), ""
        except InputError as error:
            self.holders, self.problem = (), str(error)


def digest_of(token: str) -> str:
    """What stands in the file for a token."""
    return sha256(token.encode("utf-8", "replace")).hexdigest()


def read_tokens(path: Path) -> tuple[Holder, ...]:
    """The holders in a tokens file; InputError names what does not fit."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        raise InputError(str(path), problem, "Make a token: skykeep token new") from None
    try:
        read = msgspec.json.decode(data, type=_File)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise InputError(str(path), str(error), "Mend the field that is named") from None
    if len(read.tokens) > MAX_TOKENS:
        problem = f"has {len(read.tokens)} tokens, more than {MAX_TOKENS}"
        raise InputError(str(path), problem, "Take out those that nobody uses")
    for i, holder in enumerate(read.tokens):
        check_holder(holder, f"{path}: tokens[{i}]")
    return tuple(read.tokens)


def check_holder(holder: Holder, where: str) -> None:
    """A sensor's token names its sensor, a recipient's its recipient, others none.

    InputError where one does not.
    """
    if (holder.role is Role.SENSOR) != (holder.sensor is not None):
        problem = "a token of the role sensor names its sensor, and only such a one"
        raise InputError(f"{where}.sensor", problem, "Give or leave out the sensor")
    if (holder.role is Role.RECIPIENT) != (holder.recipient is not None):
        problem = "a token of the role recipient names its recipient, and only such a one"
        raise InputError(f"{where}.recipient", problem, "Give or leave out the recipient")


def new_token(
    name: str, role: Role, sensor: str | None, recipient: str | None = None
) -> tuple[str, Holder]:
    """A fresh token and what is kept of it; InputError where the parts do not fit."""
    token = "sk_" + secrets.token_urlsafe(TOKEN_BYTES)
    holder = Holder(digest_of(token), name.strip(), role, sensor, recipient)
    try:
        msgspec.convert(msgspec.to_builtins(holder), Holder)
    except msgspec.ValidationError as error:
        raise InputError("token", str(error), "Give a name of up to 100 characters") from None
    check_holder(holder, "token")
    return token, holder


def encode_tokens(holders: tuple[Holder, ...]) -> bytes:
    """The tokens file, one token a line."""
    lines = b",\n  ".join(msgspec.json.encode(h) for h in holders)
    return b'{"tokens": [\n  ' + lines + b"\n]}\n"
