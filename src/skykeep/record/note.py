"""Signed notes: a text and the signatures under it (C2SP signed-note v1.0.0).

    text, one line or more
    <empty line>
    — key.name base64(key id || signature)

What a signature is made with lies behind `Signer` and `Verifier`, so that a second kind
(another algorithm byte) needs no change here. Reading is strict: one note has one form, and
whatever the bytes, RecordError says which line is wrong.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from skykeep.errors import RecordError

KEY_ID_BYTES = 4
MAX_NOTE_BYTES = 1_000_000  # both limits are those of Go's golang.org/x/mod/sumdb/note;
MAX_SIGNATURES = 100  # the specification asks for at least 16 signatures
_SHOWN_CHARACTERS = 40  # of what a stranger wrote, in our own messages

#: Any but the newline (signed-note, Format).
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_DASH = "— "


class Signer(Protocol):
    """Signs as one key."""

    @property
    def name(self) -> str:
        """The key's name."""

    @property
    def key_id(self) -> bytes:
        """4 bytes (see `key_id` below)."""

    def sign(self, text: bytes) -> bytes:
        """What stands behind the key id in the signature line."""


class Verifier(Protocol):
    """Knows one key."""

    @property
    def name(self) -> str:
        """The key's name."""

    @property
    def key_id(self) -> bytes:
        """4 bytes (see `key_id` below)."""

    def verify(self, text: bytes, signature: bytes) -> bool:
        """Whether the key signed the text; `signature` is what stands behind the key id."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: key name, key id (4 bytes), and the signature behind it."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def key(self) -> str:
        """The key as text, `name+hexid`."""
        return f"{self.name}+{self.key_id.hex()}"

    def line(self) -> str:
        """The line, without its newline."""
        return f"{_DASH}{self.name} {encode_base64(self.key_id + self.signature)}"


@dataclass(frozen=True, slots=True)
class Note:
    """A text that ends in a newline, and the signatures under it, in their order."""

    text: str
    signatures: tuple[Signature, ...]

    def to_bytes(self) -> bytes:
        """The note as it is sent, UTF-8; RecordError for what no reader would take."""
        lines = "".join(signature.line() + "\n" for signature in self.signatures)
        data = _utf8(f"{self.text}\n{lines}")
        if parse(data) != self:
            raise RecordError("note: read again, it is not the same")
        return data


@dataclass(frozen=True, slots=True)
class CheckedNote:
    """A note whose known signatures hold.

    `held` has one signature a known key, at least one. `unknown` are those of keys that
    the reader was not given: nothing is known about them.
    """

    note: Note
    held: tuple[Signature, ...]
    unknown: tuple[Signature, ...]


def key_id(name: str, algorithm: int, public_key: bytes) -> bytes:
    """The 4 bytes that tell keys of one name apart (signed-note, Signatures).

    `algorithm` is the signature type byte; 0x01 is Ed25519. RecordError for a name that no
    signature line could hold.
    """
    check_name(name)
    return sha256(name.encode() + b"\n" + bytes((algorithm,)) + public_key).digest()[:KEY_ID_BYTES]


def parse(data: bytes) -> Note:
    """A note from bytes; says nothing about its signatures. RecordError names the line."""
    if len(data) > MAX_NOTE_BYTES:
        raise RecordError(f"note: {len(data)} bytes, at most {MAX_NOTE_BYTES} are read")
    try:
        whole = data.decode()
    except UnicodeDecodeError as error:
        raise RecordError(f"note: byte {error.start} is not UTF-8") from error
    _check_characters(whole)
    if not whole.endswith("\n"):
        raise RecordError("note: the last line has no end; is the note cut short?")
    cut = whole.rfind("\n\n")
    if cut < 0:
        raise RecordError("note: no empty line between text and signatures")
    text, below = whole[: cut + 1], whole[cut + 2 :]
    lines = below.split("\n")[:-1]
    if not lines:
        raise RecordError("note: no signature under the text")
    if len(lines) > MAX_SIGNATURES:
        raise RecordError(f"note: {len(lines)} signatures, at most {MAX_SIGNATURES} are read")
    first = text.count("\n") + 2
    return Note(text, tuple(_signature(line, first + i) for i, line in enumerate(lines)))


def sign(text: str, signers: Sequence[Signer]) -> Note:
    """The text under the signatures of all signers, in their order."""
    return cosign(Note(text, ()), signers)


def cosign(note: Note, signers: Sequence[Signer]) -> Note:
    """The note with more signatures below those it has; RecordError for what is no text.

    That it is read back as it was shows when it is written (`Note.to_bytes`).
    """
    _check_characters(note.text)
    if not note.text.endswith("\n"):
        raise RecordError("note: the text's last line has no end")
    text = _utf8(note.text)
    more = (Signature(one.name, one.key_id, one.sign(text)) for one in signers)
    return Note(note.text, (*note.signatures, *more))


def check(note: Note, verifiers: Iterable[Verifier]) -> CheckedNote:
    """The note, if a known key signed it and no known key's signature is false.

    RecordError otherwise. Who has to have signed beyond that is the caller's to ask.
    """
    known: dict[tuple[str, bytes], Verifier] = {}
    for verifier in verifiers:
        if known.setdefault((verifier.name, verifier.key_id), verifier) is not verifier:
            raise RecordError(f"two keys are both {verifier.name}+{verifier.key_id.hex()}")
    text = _utf8(note.text)
    held: dict[tuple[str, bytes], Signature] = {}
    unknown: list[Signature] = []
    for number, signature in enumerate(note.signatures, start=1):
        by = known.get((signature.name, signature.key_id))
        if by is None:
            unknown.append(signature)
        elif by.verify(text, signature.signature):
            held.setdefault((signature.name, signature.key_id), signature)
        else:
            raise RecordError(
                f"note, signature {number}: {signature.key} did not sign this text; "
                "text or signature was altered"
            )
    if not held:
        raise RecordError(
            "note: none of the keys given has signed it; signed by "
            + ", ".join(shown(signature.key) for signature in note.signatures[:5])
        )
    return CheckedNote(note, tuple(held.values()), tuple(unknown))


def check_name(name: str) -> None:
    """RecordError unless a signature line can hold this key name."""
    if not name:
        raise RecordError("the key name is empty")
    bad = next((c for c in name if c == "+" or c < " " or c.isspace()), None)
    if bad is not None:
        raise RecordError(f"the key name {shown(name)} has {shown(bad)} in it")
    if any("\ud800" <= c <= "\udfff" for c in name):
        raise RecordError(f"the key name {shown(name)} is not Unicode")


def encode_base64(data: bytes) -> str:
    """RFC 4648 section 4, padded."""
    return base64.b64encode(data).decode("ascii")


def decode_base64(text: str, where: str) -> bytes:
    """The bytes of base64 in its one canonical form; RecordError names `where`.

    Python and Go let stray bits in the last character pass; then two texts would stand for
    one value and a flipped bit could go unseen.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RecordError(f"{where}: {shown(text)} is not base64") from error
    if encode_base64(data) != text:
        raise RecordError(f"{where}: {shown(text)} is not base64 in its canonical form")
    return data


def shown(text: str) -> str:
    """A stranger's text for a message: quoted, ASCII, cut."""
    cut = text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "..."
    return ascii(cut)


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise RecordError(f"note: character {error.start} is half of a surrogate pair") from error


def _check_characters(whole: str) -> None:
    found = _CONTROL.search(whole)
    if found is not None:
        line = whole.count("\n", 0, found.start()) + 1
        raise RecordError(f"note, line {line}: a control character, {shown(found[0])}")


def _signature(line: str, number: int) -> Signature:
    where = f"note, line {number} (signature)"
    if not line.startswith(_DASH):
        raise RecordError(f"{where}: {shown(line)} does not begin with a dash (U+2014) and a space")
    name, space, encoded = line[len(_DASH) :].partition(" ")
    if not space:
        raise RecordError(f"{where}: no signature behind the key name")
    try:
        check_name(name)
    except RecordError as error:
        raise RecordError(f"{where}: {error}") from error
    data = decode_base64(encoded, where)
    if len(data) <= KEY_ID_BYTES:
        raise RecordError(f"{where}: {len(data)} bytes leave no signature behind the key id")
    return Signature(name, data[:KEY_ID_BYTES], data[KEY_ID_BYTES:])
