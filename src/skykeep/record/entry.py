"""Entries of the record: a public leaf over salted facts (docs/decisions/0009).

Bytes in, bytes out: what a fact says is not this room's matter.
"""

from __future__ import annotations

import hmac
import json
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB

from skykeep.errors import RecordError
from skykeep.record.merkle import HASH_BYTES, leaf_hash, root

FORMAT = 1
SALT_BYTES = 16
SEAL_KEY_BYTES = 32  # AES-256
RECORD_KEY_BYTES = 32
HOUR_NS = 3_600 * 1_000_000_000

#: Names what the derived key is for, so that it serves for nothing else.
SALT_LABEL = b"skykeep salt 1"
_spot = struct.Struct(">QQ").pack  # index and place: one block of AES

OPEN, SEALED, SEALED_BRIEFLY = b"\x00", b"\x01", b"\x02"
#: A source's second key of each hour has this behind the source's name: it is destroyed sooner.
BRIEF = "\x00brief"
_HOUR_BYTES = 4
_NONCE_BYTES = 12  # of AES-GCM, NIST SP 800-38D section 5.2.1.1
_SEALED_HEAD = 1 + _HOUR_BYTES + 32  # marker, hour, commitment
_LENGTH_BYTES = 4
_length = struct.Struct(">I").pack
#: What a leaf may say; more would be a different format.
_LEAF_FIELDS = {"at": int, "count": int, "kind": str, "root": str, "source": str, "v": int}
LONGEST_LEAF = 1_000
#: A source of so many characters fits into a leaf, whatever they are (12 bytes at the most).
LONGEST_SOURCE = 64


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact of an entry; a `private` one is sealed before it is committed.

    One that is `brief` too is sealed under the source's second key of the hour.
    """

    data: bytes
    private: bool = False
    brief: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be recorded: its kind, when (ns), from which source, and its facts."""

    kind: str
    at_ns: int
    source: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """An entry at its place in the log: the public leaf and the facts as they are stored."""

    index: int
    leaf: bytes
    stored: tuple[bytes, ...]

    @property
    def hash(self) -> bytes:
        """The leaf's hash in the log's tree."""
        return leaf_hash(self.leaf)


@dataclass(frozen=True, slots=True)
class Leaf:
    """What a leaf says."""

    at_ns: int
    count: int
    kind: str
    root: bytes
    source: str


class Salts:
    """The salts of the facts under one key: nobody without it can guess what is committed.

    A salt is one block of AES-256 over index and place, 8 bytes each, big-endian, under a key
    of its own, HMAC-SHA-256 of the given one. As long as that is secret the blocks cannot be
    told from random ones (NIST SP 800-38A section 6.1), and a group's cost one call.
    """

    def __init__(self, key: bytes) -> None:
        own = hmac.digest(key, SALT_LABEL, "sha256")
        self._blocks = Cipher(AES256(own), ECB()).encryptor().update

    def __call__(self, index: int, place: int) -> bytes:
        """The salt of one fact."""
        return self._blocks(_spot(index, place))

    def many(self, spots: Iterable[tuple[int, int]]) -> list[bytes]:
        """The salts of facts at (index, place), in order."""
        blocks = self._blocks(b"".join([_spot(index, place) for index, place in spots]))
        return [blocks[at : at + SALT_BYTES] for at in range(0, len(blocks), SALT_BYTES)]


class FactKey:
    """A key that seals facts, with the salts under it."""

    __slots__ = ("data", "salts")

    def __init__(self, data: bytes) -> None:
        self.data, self.salts = data, Salts(data)


def commitment(fact_salt: bytes, data: bytes) -> bytes:
    """What stands for a fact in its entry's inner tree."""
    return sha256(b"\x00" + fact_salt + data).digest()


def inner_root(commitments: Sequence[bytes]) -> bytes:
    """The root over the commitments of an entry's facts."""
    return commitments[0] if len(commitments) == 1 else root(commitments)


def hour_of(at_ns: int) -> int:
    """The hour of a moment, counted from 1970: facts of one hour share a key."""
    return at_ns // HOUR_NS


def keep_open(fact_salt: bytes, data: bytes) -> tuple[bytes, bytes]:
    """An open fact as it is stored, and its commitment."""
    return OPEN + data, sha256(b"\x00" + fact_salt + data).digest()


def seal(
    key: FactKey, hour: int, index: int, place: int, data: bytes, brief: bool = False
) -> tuple[bytes, bytes]:
    """A private fact as it is stored, and its commitment.

    The salt comes from the same key: when the key is destroyed nobody can guess what the
    commitment, which stays, hides. The nonce is the commitment's beginning, so that another
    fact at the same place (after a crash the first may be lost) has a nonce of its own.
    """
    if not 0 <= hour < 1 << 8 * _HOUR_BYTES:
        raise RecordError(f"there is no hour {hour} to seal a fact in")
    committed = commitment(key.salts(index, place), data)
    sealed = AESGCM(key.data).encrypt(
        committed[:_NONCE_BYTES], data, _bound(committed, index, place)
    )
    marker = SEALED_BRIEFLY if brief else SEALED
    return marker + hour.to_bytes(_HOUR_BYTES, "big") + committed + sealed, committed


def sealed_hour(stored: bytes) -> int | None:
    """The hour whose key opens a stored fact; None for an open one."""
    if stored[:1] == OPEN:
        return None
    if stored[:1] not in (SEALED, SEALED_BRIEFLY) or len(stored) < _SEALED_HEAD:
        raise RecordError("a stored fact is neither open nor sealed")
    return int.from_bytes(stored[1 : 1 + _HOUR_BYTES], "big")


def is_brief(stored: bytes) -> bool:
    """Whether a stored fact is sealed under its source's second key."""
    return stored[:1] == SEALED_BRIEFLY


def key_source(source: str, brief: bool) -> str:
    """The name under which a source's key is kept."""
    return source + BRIEF if brief else source


def committed_to(salts: Salts, index: int, place: int, stored: bytes) -> bytes:
    """The commitment of a fact as it is stored; that of a sealed one stands in it."""
    if sealed_hour(stored) is None:
        return commitment(salts(index, place), stored[1:])
    return stored[1 + _HOUR_BYTES : _SEALED_HEAD]


def unseal(key: FactKey | None, index: int, place: int, stored: bytes) -> bytes:
    """The fact as it was; RecordError where it cannot be opened, and why."""
    if sealed_hour(stored) is None:
        return stored[1:]
    where = f"entry {index}, fact {place}"
    if key is None:
        raise RecordError(f"{where}: its key is gone")
    committed = stored[1 + _HOUR_BYTES : _SEALED_HEAD]
    try:
        return AESGCM(key.data).decrypt(
            committed[:_NONCE_BYTES], stored[_SEALED_HEAD:], _bound(committed, index, place)
        )
    except (InvalidTag, ValueError):  # ValueError: a key that is not 32 bytes long
        raise RecordError(f"{where}: it was altered, or the key is wrong") from None


def pack_fact(stored: bytes) -> bytes:
    """A stored fact behind its length: so they stand one behind another."""
    return _length(len(stored)) + stored


def unpack_facts(index: int, data: bytes) -> tuple[bytes, ...]:
    """The stored facts of an entry; RecordError names it where they are cut short."""
    facts, at = [], 0
    if type(data) is not bytes:
        raise RecordError(f"entry {index}: its facts are not stored as bytes")
    while at < len(data):
        begin = at + _LENGTH_BYTES
        at = begin + int.from_bytes(data[at:begin], "big")
        if at > len(data):
            raise RecordError(f"entry {index}: its stored facts are cut short")
        facts.append(data[begin:at])
    return tuple(facts)


def _bound(committed: bytes, index: int, place: int) -> bytes:
    """What is sealed is sealed with: a fact that was moved does not open."""
    return committed + index.to_bytes(8, "big") + place.to_bytes(4, "big")


def write_leaf(entry: Entry, facts_root: bytes) -> bytes:
    """The public leaf: one line of JSON with sorted names and no spaces.

    RecordError for one that is longer than a leaf may be.
    """
    before, after = _around_root(entry.at_ns, len(entry.facts), entry.kind, entry.source)
    return before + facts_root.hex().encode() + after


def write_open(salts: Salts, entries: Sequence[Entry], first: int) -> Iterator[tuple[bytes, bytes]]:
    """Leaf and packed facts of entries with one open fact each, numbered from `first`.

    The same as `write_leaf` and `pack_fact` give, in a third less time: most entries of a
    group differ in their fact alone.
    """
    given = iter(salts.many((index, 0) for index in range(first, first + len(entries))))
    said: tuple[int, int, str, str] | None = None
    before = after = b""
    for entry, salt in zip(entries, given, strict=True):
        (fact,) = entry.facts
        says = (entry.at_ns, 1, entry.kind, entry.source)
        if says != said:
            said = says
            before, after = _around_root(*says)
        committed = sha256(b"\x00" + salt + fact.data).hexdigest()
        yield before + committed.encode() + after, _length(len(fact.data) + 1) + OPEN + fact.data


def leaf_time(data: bytes) -> int:
    """When a leaf that `write_leaf` wrote says that it was, without reading the rest of it."""
    return int(data[len(b'{"at":') : data.index(b",")])


def read_leaf(data: bytes) -> Leaf:
    """What a leaf says; RecordError for anything that `write_leaf` would not write."""
    try:
        fields = json.loads(data) if len(data) <= LONGEST_LEAF else None
    except (ValueError, RecursionError):
        raise RecordError("a leaf is not a line of JSON") from None
    if type(fields) is not dict or {k: type(v) for k, v in fields.items()} != _LEAF_FIELDS:
        raise RecordError("a leaf has not the fields of this format")
    try:
        leaf = Leaf(
            fields["at"], fields["count"], fields["kind"], bytes.fromhex(fields["root"]),
            fields["source"],
        )  # fmt: skip
    except ValueError:
        raise RecordError("a leaf names no root") from None
    if leaf.count < 0 or len(leaf.root) != HASH_BYTES:
        raise RecordError("a leaf names no root or no count")
    before, after = _around_root(leaf.at_ns, leaf.count, leaf.kind, leaf.source)
    if before + leaf.root.hex().encode() + after != data:
        raise RecordError("a leaf is not written as this format writes it")
    return leaf


@lru_cache(maxsize=64)
def _around_root(at_ns: int, count: int, kind: str, source: str) -> tuple[bytes, bytes]:
    """A leaf's line without its root; the entries of a group mostly share it."""
    before = f'{{"at":{at_ns},"count":{count},"kind":{_quoted(kind)},"root":"'
    after = f'","source":{_quoted(source)},"v":{FORMAT}}}'
    length = len(before) + 2 * HASH_BYTES + len(after)
    if length > LONGEST_LEAF:
        raise RecordError(f"a leaf of {length} bytes is longer than {LONGEST_LEAF}")
    return before.encode("ascii"), after.encode("ascii")


@lru_cache(maxsize=1_024)
def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=True)
