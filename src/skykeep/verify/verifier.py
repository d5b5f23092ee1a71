"""Checks a Skykeep dossier or receipt offline: python -I -S verifier.py FILE --key KEYFILE

This is one file on purpose, and so the one file of Skykeep that may pass 500 lines: who does
not trust us reads it from top to bottom in an hour, runs it alone, and needs nothing else but
Python 3.11. It imports the standard library only, opens the files that it is given, opens no
network and writes nothing. In the order of reading:

  1. Limits and errors
  2. Ed25519 signatures         RFC 8032, section 5.1.7
  3. Signed notes, checkpoints  C2SP signed-note, tlog-checkpoint, tlog-cosignature
  4. Merkle tree proofs         RFC 6962, section 2.1; RFC 9162, section 2.1
  5. Leaves and facts           what one entry of the record shows, and what it withholds
  6. The container              a zip written in exactly one way
  7. The dossier                a BagIt bag (RFC 8493), its files, heads, leaves and facts
  8. Receipts                   C2SP tlog-proof
  9. The report                 what was checked, what held, what no proof can know
 10. The command line

Keys, and how many witnesses are enough, come from whoever runs this and never from the file: a
key that travels with what it proves proves nothing. Exit codes: 0 all checks hold, 1 one does
not, 2 the file or a key could not be read at all.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import json
import re
import struct
import sys
import textwrap
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256, sha512
from typing import Final, TypeVar

# ---------------------------------------------------------------------------------------
# 1. Limits and errors
# ---------------------------------------------------------------------------------------

MAX_CONTAINER_BYTES: Final = 1 << 29
"""Half a GiB: the whole file is held in memory twice; also far below zip's own 4 GiB."""
MAX_ENTRIES: Final = 10_000
"""Entries of one container; below the 65,535 at which a zip would need its 64-bit form."""
MAX_NAME_BYTES: Final = 120
"""Keeps a name with a folder before it inside the 255 bytes that file systems take."""
MAX_NOTE_BYTES: Final = 4 << 20
"""A signed manifest of MAX_ENTRIES lines fits; a checkpoint has some hundred bytes."""
MAX_SIGNATURES: Final = 100
"""Signature lines of one note, as the reference implementation of signed notes has it."""
MAX_KEY_FILE_BYTES: Final = 10_000
"""A key is one line of about a hundred bytes; the rest is room for comments."""
MAX_TREE_SIZE: Final = (1 << 63) - 1
"""Sizes of a tree are kept in signed 64-bit integers by every log there is."""


class VerifyError(Exception):
    """Something does not hold: `where` in the dossier, and `problem`, what is wrong there."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where}: {problem}")
        self.where = where
        self.problem = problem


def plain(text: str) -> str:
    """Text from a stranger's file, made safe for a terminal: what is not printable is escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def from_base64(text: str, where: str) -> bytes:
    """Standard base64 with padding, in its one canonical form.

    VerifyError: any other form, such as line breaks or padding bits that are not zero.
    """
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise VerifyError(where, f"not base64: {plain(text[:60])!r}") from None
    if base64.b64encode(raw).decode() != text:
        raise VerifyError(where, f"base64 in a form that is not canonical: {plain(text[:60])!r}")
    return raw


# ---------------------------------------------------------------------------------------
# 2. Ed25519 (RFC 8032, section 5.1)
# ---------------------------------------------------------------------------------------

FIELD_PRIME: Final = 2**255 - 19
GROUP_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
CURVE_D: Final = -121665 * pow(121666, -1, FIELD_PRIME) % FIELD_PRIME
SQRT_MINUS_ONE: Final = pow(2, (FIELD_PRIME - 1) // 4, FIELD_PRIME)

PUBLIC_KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64

Point = tuple[int, int, int, int]
"""Extended homogeneous coordinates (X, Y, Z, T): x = X/Z, y = Y/Z, x*y = T/Z (5.1.4)."""

NEUTRAL: Final[Point] = (0, 1, 1, 0)


def point_add(p: Point, q: Point) -> Point:
    """The sum of two points, any two (5.1.4)."""
    x1, y1, z1, t1 = p
    x2, y2, z2, t2 = q
    a = (y1 - x1) * (y2 - x2) % FIELD_PRIME
    b = (y1 + x1) * (y2 + x2) % FIELD_PRIME
    c = 2 * t1 * t2 * CURVE_D % FIELD_PRIME
    d = 2 * z1 * z2 % FIELD_PRIME
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % FIELD_PRIME, g * h % FIELD_PRIME, f * g % FIELD_PRIME, e * h % FIELD_PRIME


def point_double(p: Point) -> Point:
    """Twice a point, with fewer products than `point_add(p, p)` (5.1.4)."""
    x, y, z, _ = p
    a = x * x % FIELD_PRIME
    b = y * y % FIELD_PRIME
    c = 2 * z * z
    h = a + b
    e = h - (x + y) * (x + y)
    g = a - b
    f = c + g
    return e * f % FIELD_PRIME, g * h % FIELD_PRIME, f * g % FIELD_PRIME, e * h % FIELD_PRIME


def point_decode(raw: bytes) -> Point | None:
    """The point that 32 bytes stand for (5.1.3), or None if there is none.

    Strict: y must be below the prime, and the sign bit of x = 0 must be 0, so that each
    point has one encoding only.
    """
    if len(raw) != PUBLIC_KEY_BYTES:
        return None
    number = int.from_bytes(raw, "little")
    sign, y = number >> 255, number & ((1 << 255) - 1)
    if y >= FIELD_PRIME:
        return None
    u = (y * y - 1) % FIELD_PRIME
    v = (CURVE_D * y * y + 1) % FIELD_PRIME
    # A candidate for sqrt(u / v): u v^3 (u v^7)^((p-5)/8).
    power = pow(u * pow(v, 7, FIELD_PRIME), (FIELD_PRIME - 5) // 8, FIELD_PRIME)
    x = u * pow(v, 3, FIELD_PRIME) * power % FIELD_PRIME
    if v * x * x % FIELD_PRIME == -u % FIELD_PRIME:
        x = x * SQRT_MINUS_ONE % FIELD_PRIME
    if v * x * x % FIELD_PRIME != u or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = FIELD_PRIME - x
    return x, y, 1, x * y % FIELD_PRIME


def point_encode(p: Point) -> bytes:
    """The 32 bytes of a point (5.1.2)."""
    x, y, z, _ = p
    inverse = pow(z, -1, FIELD_PRIME)
    x, y = x * inverse % FIELD_PRIME, y * inverse % FIELD_PRIME
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE_Y: Final = 4 * pow(5, -1, FIELD_PRIME) % FIELD_PRIME
_base = point_decode(BASE_Y.to_bytes(32, "little"))
assert _base is not None
BASE: Final[Point] = _base
"""The generator of the group: y = 4/5 and the even x (5.1)."""


def public_key_point(public_key: bytes) -> Point | None:
    """The point of a usable public key, or None: not canonical, or of small order.

    A key of small order (8 times it is the neutral point) would let one signature hold for
    many messages.
    """
    point = point_decode(public_key)
    if point is None:
        return None
    eightfold = point_double(point_double(point_double(point)))
    return None if point_encode(eightfold) == point_encode(NEUTRAL) else point


def ed25519_holds(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Does this 64-byte signature of this message hold under this 32-byte key (5.1.7)?

    Strict and without cofactor: S below the group order, key canonical and not of small
    order, and [S]B - [k]A must encode to the very bytes of R, which also refuses an R that
    is not canonical. Nothing here is secret, so nothing needs constant time.
    """
    if len(signature) != SIGNATURE_BYTES:
        return False
    key = public_key_point(public_key)
    r_bytes, s = signature[:32], int.from_bytes(signature[32:], "little")
    if key is None or s >= GROUP_ORDER:
        return False
    digest = sha512(r_bytes + public_key + message).digest()
    k = int.from_bytes(digest, "little") % GROUP_ORDER
    x, y, z, t = key
    minus_key = (FIELD_PRIME - x, y, z, FIELD_PRIME - t)
    # [s]B + [k](-A) in one ladder: at each bit, add none, one or both.
    addends = (None, BASE, minus_key, point_add(BASE, minus_key))
    total = NEUTRAL
    for bit in range(GROUP_ORDER.bit_length() - 1, -1, -1):
        total = point_double(total)
        addend = addends[(s >> bit & 1) | (k >> bit & 1) << 1]
        if addend is not None:
            total = point_add(total, addend)
    return point_encode(total) == r_bytes


# ---------------------------------------------------------------------------------------
# 3. Signed notes and checkpoints (C2SP signed-note, tlog-checkpoint)
# ---------------------------------------------------------------------------------------

ALGORITHM_ED25519: Final = 0x01
ALGORITHM_COSIGNATURE: Final = 0x04
"""Of a witness: Ed25519 over the time and the checkpoint (tlog-cosignature)."""
KEY_ID_BYTES: Final = 4
SIGNATURE_MARK: Final = "\N{EM DASH} "


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """Whose signature counts: the record's name, its 4-byte key id and its public key."""

    name: str
    key_id: bytes
    public_key: bytes

    def __str__(self) -> str:
        return f"{plain(self.name)}+{self.key_id.hex()}"


@dataclass(frozen=True, slots=True)
class Note:
    """A signed note whose signature by the given key holds.

    `text` ends in a newline. `others` are the names of signers that were not checked, as no
    key of theirs was given.
    """

    text: str
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the record's keeper signed: this tree of `size` leaves has this 32-byte root."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...]
    others: tuple[str, ...]


def is_key_name(name: str) -> bool:
    """May this name a key: not empty, printable, no space of any kind, no plus sign?"""
    return name != "" and "+" not in name and name.isprintable() and not re.search(r"\s", name)


def read_key(text: str, algorithm: int = ALGORITHM_ED25519) -> VerifierKey:
    """A verifier key from a key file: one line `NAME+ID+BASE64`; `#` begins a comment line.

    VerifyError: no such line or several; an id that is not the key's; a key that is no
    Ed25519 key or cannot be trusted with any signature.
    """
    where = "key file"
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if len(lines) != 1:
        raise VerifyError(where, f"one line NAME+ID+BASE64 is due, {len(lines)} lines are there")
    parts = lines[0].split("+", 2)
    if len(parts) != 3 or not is_key_name(parts[0]) or not re.fullmatch("[0-9a-f]{8}", parts[1]):
        raise VerifyError(where, f"not NAME+ID+BASE64: {plain(lines[0][:120])!r}")
    name, key_id, raw = parts[0], bytes.fromhex(parts[1]), from_base64(parts[2], where)
    if len(raw) != 1 + PUBLIC_KEY_BYTES or raw[0] != algorithm:
        problem = f"not an Ed25519 key of this kind (one byte {algorithm:02x}, then 32 bytes)"
        raise VerifyError(where, problem)
    if sha256(name.encode() + b"\n" + raw).digest()[:KEY_ID_BYTES] != key_id:
        raise VerifyError(where, "the id is not that of this name and key: a part was altered")
    if public_key_point(raw[1:]) is None:
        raise VerifyError(where, "the public key is no point of the curve, or one of small order")
    return VerifierKey(name, key_id, raw[1:])


def _signature_line(line: str, where: str) -> tuple[str, bytes]:
    """Name and raw bytes (key id, signature) of one line `— NAME BASE64`."""
    parts = line.removeprefix(SIGNATURE_MARK).split(" ")
    if not line.startswith(SIGNATURE_MARK) or len(parts) != 2 or not is_key_name(parts[0]):
        raise VerifyError(where, f"not a signature line: {plain(line[:120])!r}")
    raw = from_base64(parts[1], where)
    if len(raw) <= KEY_ID_BYTES:
        raise VerifyError(where, f"a signature of {len(raw)} bytes is too short")
    return parts[0], raw


def split_note(data: bytes, where: str) -> tuple[str, list[tuple[str, bytes]]]:
    """A note's text and its signatures: name, then key id and signature.

    Text that ends in a newline, an empty line, then one or more lines `— NAME BASE64`.
    VerifyError: not such a note.
    """
    if len(data) > MAX_NOTE_BYTES:
        raise VerifyError(where, f"longer than {MAX_NOTE_BYTES} bytes")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as e:
        raise VerifyError(f"{where}, byte {e.start}", "not UTF-8 text") from None
    control = re.search(r"[\x00-\x09\x0b-\x1f\x7f]", whole)
    if control:
        raise VerifyError(f"{where}, character {control.start()}", "a control character")
    text, gap, block = whole.rpartition("\n\n")
    if not gap or not text or not block.endswith("\n"):
        raise VerifyError(where, "no text, empty line and signatures after it")
    text += "\n"
    lines = block[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise VerifyError(where, f"more than {MAX_SIGNATURES} signatures")
    return text, [_signature_line(line, where) for line in lines]


def read_note(data: bytes, key: VerifierKey, where: str) -> Note:
    """A signed note with the key's signature checked.

    Signatures of other keys are counted and not checked. VerifyError: not a note, no signature
    by the key, or one that does not hold.
    """
    text, signatures = split_note(data, where)
    signed, others = False, []
    for name, raw in signatures:
        if name != key.name or raw[:KEY_ID_BYTES] != key.key_id:
            others.append(f"{name}+{raw[:KEY_ID_BYTES].hex()}")
        elif ed25519_holds(key.public_key, text.encode(), raw[KEY_ID_BYTES:]):
            signed = True
        else:
            raise VerifyError(where, f"the signature of {key} does not hold for this text")
    if not signed:
        raise VerifyError(where, f"no signature of {key}; signed by: {', '.join(others)}")
    return Note(text, tuple(others))


def read_checkpoint(data: bytes, key: VerifierKey, where: str = "checkpoint") -> Checkpoint:
    """A signed checkpoint: lines origin, tree size, root in base64, then extensions if any.

    The origin must be the key's name. VerifyError: as `read_note`, or the text is not so.
    """
    note = read_note(data, key, where)
    lines = note.text[:-1].split("\n")
    if len(lines) < 3 or "" in lines:
        raise VerifyError(where, "the lines origin, tree size and root are due")
    origin, size_text, root_text = lines[:3]
    if origin != key.name:
        raise VerifyError(where, f"of {plain(origin[:120])!r}, the key is for {plain(key.name)!r}")
    size = read_decimal(size_text, MAX_TREE_SIZE, f"{where}, tree size")
    root = from_base64(root_text, f"{where}, root")
    if len(root) != HASH_BYTES:
        raise VerifyError(f"{where}, root", f"{len(root)} bytes, {HASH_BYTES} are due")
    if size == 0 and root != EMPTY_ROOT:
        raise VerifyError(f"{where}, root", "not the root of the empty tree, which the size says")
    return Checkpoint(origin, size, root, tuple(lines[3:]), note.others)


TIME_BYTES: Final = 8
Keys = Sequence[VerifierKey]


def check_cosigned(note: bytes, keeper: VerifierKey, witnesses: Keys, quorum: int) -> str:
    """At least `quorum` of the witnesses cosigned this checkpoint; says who, when, who else.

    A cosignature is the witness's time, 8 bytes, and a signature over it and the text. One key
    counts once. VerifyError: one that does not hold, or too few.
    """
    text, signatures = split_note(note, "checkpoint")
    cosigned: dict[bytes, str] = {}
    others = set()
    for name, raw in signatures:
        known = [w for w in witnesses if (name, raw[:KEY_ID_BYTES]) == (w.name, w.key_id)]
        if not known and (name, raw[:KEY_ID_BYTES]) != (keeper.name, keeper.key_id):
            others.add(f"{name}+{raw[:KEY_ID_BYTES].hex()}")
        for witness in known:
            time, signature = raw[KEY_ID_BYTES:][:TIME_BYTES], raw[KEY_ID_BYTES + TIME_BYTES :]
            at_s = int.from_bytes(time, "big")
            message = f"cosignature/v1\ntime {at_s}\n{text}".encode()
            if not ed25519_holds(witness.public_key, message, signature):
                raise VerifyError("checkpoint", f"the cosignature of {witness} does not hold")
            cosigned[witness.public_key] = f"{witness} at {shown_time(at_s)}"
    if len(cosigned) < quorum:
        problem = f"cosigned by {len(cosigned)} of {len(witnesses)} witnesses"
        raise VerifyError("checkpoint", f"{problem}, {quorum} are needed")
    rest = f"; present, not checked here: {', '.join(sorted(others))}" if others else ""
    if not witnesses:
        return f"no witness's key was given: the keeper's word alone{rest}"
    held = ", ".join(cosigned.values())
    return f"{len(cosigned)} of {len(witnesses)}, {quorum} are needed: {held}{rest}"


def majority(witnesses: Keys) -> int:
    """More than half, so that any two quorums share a witness; 0 where there are none."""
    return len(witnesses) // 2 + 1 if witnesses else 0


def shown_time(at_s: int) -> str:
    """A POSIX time in UTC, or the number where no calendar has it."""
    try:
        return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return f"{at_s} s"


def read_decimal(text: str, limit: int, where: str) -> int:
    """A whole number from 0 to `limit` in its one form: ASCII digits, no leading zero."""
    if not re.fullmatch(r"0|[1-9][0-9]{0,18}", text) or int(text) > limit:
        raise VerifyError(where, f"not a whole number from 0 to {limit}: {plain(text[:40])!r}")
    return int(text)


# ---------------------------------------------------------------------------------------
# 4. Merkle tree proofs (RFC 6962, section 2.1; RFC 9162, section 2.1)
# ---------------------------------------------------------------------------------------

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf: SHA-256 of 00 and its bytes."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node: SHA-256 of 01, its left and its right hash."""
    return sha256(b"\x01" + left + right).digest()


def tree_root(leaf_hashes: Sequence[bytes]) -> bytes:
    """The root over these leaf hashes, the MTH of RFC 6962.

    Level by level in pairs; a last one without a neighbour moves up as it is, which gives the
    same tree as the RFC's split at the largest power of two.
    """
    if not leaf_hashes:
        return EMPTY_ROOT
    level = list(leaf_hashes)
    while len(level) > 1:
        pairs = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = pairs + level[len(pairs) * 2 :]
    return level[0]


def _require_hashes(where: str, leaves: Sequence[bytes], proof: Sequence[bytes]) -> None:
    for what, hashes in (("leaf", leaves), ("hash", proof)):
        for i, value in enumerate(hashes):
            if len(value) != HASH_BYTES:
                problem = f"{len(value)} bytes, {HASH_BYTES} are due"
                raise VerifyError(f"{where}, {what} {i} of those given", problem)


def root_of_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root of a tree of `size` leaves in which leaf `index` (from 0) has this leaf hash.

    `proof` are the sibling hashes from the leaf upwards (RFC 9162, 2.1.3.2). VerifyError: the
    index is not in the tree, or the proof is too long or too short for it.
    """
    where = f"inclusion proof of leaf {index} of {size}"
    _require_hashes(where, [leaf], proof)
    if not 0 <= index < size <= MAX_TREE_SIZE:
        raise VerifyError(where, "there is no such leaf")
    result, place, last = leaf, index, size - 1
    rest = iter(proof)
    while last > 0:
        # The last node of a level has a sibling only if it is a right one.
        if place & 1 or place < last:
            sibling = next(rest, None)
            if sibling is None:
                raise VerifyError(where, f"too short with {len(proof)} hashes")
            result = node_hash(sibling, result) if place & 1 else node_hash(result, sibling)
        place, last = place >> 1, last >> 1
    if next(rest, None) is not None:
        raise VerifyError(where, f"too long with {len(proof)} hashes")
    return result


def check_consistency(
    size1: int, root1: bytes, size2: int, root2: bytes, proof: Sequence[bytes]
) -> None:
    """VerifyError unless the tree (size1, root1) is the beginning of the tree (size2, root2).

    `proof` as in RFC 6962, section 2.1.2, checked as in RFC 9162, section 2.1.4.2. From the
    empty tree nothing can be proven, and nothing needs to be.
    """
    where = f"consistency proof from {size1} to {size2} leaves"
    if not 1 <= size1 <= size2 <= MAX_TREE_SIZE:
        raise VerifyError(where, "the first tree is empty, or larger than the second")
    if size1 == size2:
        if proof:
            raise VerifyError(where, f"{len(proof)} hashes where none is due")
        if root1 != root2:
            raise VerifyError(where, "two roots for one size")
        return
    _require_hashes(where, [root1, root2], proof)
    place, last = size1 - 1, size2 - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    # A first tree that is one full subtree of the second is its own first step.
    steps = list(proof) if place else [root1, *proof]
    if not steps:
        raise VerifyError(where, "too short")
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            raise VerifyError(where, f"too long with {len(proof)} hashes")
        if place & 1 or place == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, step)
        place, last = place >> 1, last >> 1
    if last != 0:
        raise VerifyError(where, f"too short with {len(proof)} hashes")
    if old != root1:
        raise VerifyError(where, "does not give the root of the smaller tree")
    if new != root2:
        raise VerifyError(where, "does not give the root of the larger tree")


def root_of_range(leaves: Sequence[bytes], start: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root of a tree of `size` leaves in which these leaf hashes stand side by side.

    They are leaves `start` to `start + len(leaves) - 1`, counted from 0, and at least one.
    `proof` is the least that is missing: the tree splits as RFC 6962 says (a subtree of m > 1
    leaves at the largest power of two below m); each subtree that has no leaf of the range,
    while its parent has one, gives its hash, and these stand in the order of the tree, left
    to right. There are at most two for each level. For a range of one leaf they are the
    hashes of its inclusion proof in another order; for the whole tree there are none.
    VerifyError: the range is not in the tree, or the proof is too long or too short for it.
    """
    end = start + len(leaves)
    where = f"range proof of leaves {start} to {end - 1} of {size}"
    _require_hashes(where, leaves, proof)
    if not 0 <= start < end <= size <= MAX_TREE_SIZE:
        raise VerifyError(where, "the range is empty or not in the tree")
    rest = iter(proof)

    def subtree(low: int, high: int) -> bytes:
        if start <= low and high <= end:
            return tree_root(leaves[low - start : high - start])
        if high <= start or end <= low:
            outside = next(rest, None)
            if outside is None:
                raise VerifyError(where, f"too short with {len(proof)} hashes")
            return outside
        middle = low + (1 << (high - low - 1).bit_length() - 1)
        return node_hash(subtree(low, middle), subtree(middle, high))

    root = subtree(0, size)
    if next(rest, None) is not None:
        raise VerifyError(where, f"too long with {len(proof)} hashes")
    return root


# ---------------------------------------------------------------------------------------
# 5. Leaves and facts (Skykeep, docs/decisions/0009-record-format.md)
# ---------------------------------------------------------------------------------------
# An entry of the record is a leaf, one line of JSON that anybody may see, over a list of
# facts. The leaf names the root of a small tree of its own, whose leaves are salt and fact,
# hashed; so a fact can be shown (its salt and bytes) or withheld (its hash), and whoever
# sees the hash cannot guess the fact.

LEAF_FORMAT: Final = 1
MAX_LEAF_BYTES: Final = 1_000
SALT_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Leaf:
    """What a leaf says: when (ns since 1970, UTC), what kind, from where, over how many facts."""

    at_ns: int
    count: int
    kind: str
    root: bytes
    source: str


@dataclass(frozen=True, slots=True)
class Withheld:
    """A fact that is not shown: whose decision that was, and why."""

    by: str
    why: str


def read_json(line: bytes, where: str) -> object:
    """One JSON text. VerifyError: whatever is wrong with it."""
    try:
        value: object = json.loads(line)
    except (ValueError, RecursionError):
        raise VerifyError(where, "not a line of JSON") from None
    return value


def read_leaf(line: bytes, where: str) -> Leaf:
    """What a leaf says. VerifyError: not a leaf, or not in its one way of writing."""
    fields = read_json(line, where) if len(line) <= MAX_LEAF_BYTES else None
    if not isinstance(fields, dict) or fields.get("v") != LEAF_FORMAT:
        raise VerifyError(where, f"not a leaf of format {LEAF_FORMAT}")
    kinds = {"at": int, "count": int, "kind": str, "root": str, "source": str, "v": int}
    if {name: type(value) for name, value in fields.items()} != kinds:
        raise VerifyError(where, "a leaf has other fields")
    if json.dumps(fields, sort_keys=True, separators=(",", ":")).encode() != line:
        raise VerifyError(where, "a leaf written in another way than the one it has")
    if not re.fullmatch("[0-9a-f]{64}", fields["root"]) or fields["count"] < 0:
        raise VerifyError(where, "a leaf with no root or no count")
    root = bytes.fromhex(fields["root"])
    return Leaf(fields["at"], fields["count"], fields["kind"], root, fields["source"])


SALT_TEXT: Final = re.compile(f"[0-9a-f]{{{2 * SALT_BYTES}}}")


def read_fact(fields: object, where: str, number: int) -> tuple[bytes, Withheld | None]:
    """A fact's commitment, and who withheld it and why if it is not shown.

    Shown: {"fact": TEXT, "salt": HEX}. Withheld: {"by": TEXT, "hash": BASE64, "why": TEXT}. The
    commitment, which stands for it in the tree of its leaf, is the leaf hash of salt and fact.
    VerifyError: neither.
    """
    if not isinstance(fields, dict):
        raise VerifyError(f"{where}, fact {number}", "neither a fact shown nor one withheld")
    fact, salt = fields.get("fact"), fields.get("salt")
    if len(fields) == 2 and isinstance(fact, str) and isinstance(salt, str):
        if not SALT_TEXT.fullmatch(salt):
            problem = f"a salt that is not {SALT_BYTES} bytes in hexadecimal"
            raise VerifyError(f"{where}, fact {number}", problem)
        try:
            return leaf_hash(bytes.fromhex(salt) + fact.encode()), None
        except UnicodeEncodeError:
            problem = "half a character, which no text has"
            raise VerifyError(f"{where}, fact {number}", problem) from None
    where = f"{where}, fact {number}"
    if fields.keys() != {"by", "hash", "why"} or {type(v) for v in fields.values()} != {str}:
        raise VerifyError(where, "neither a fact shown nor one withheld")
    if not fields["by"].strip() or not fields["why"].strip():
        raise VerifyError(where, "withheld without saying by whom and why")
    hidden = from_base64(fields["hash"], where)
    _require_hashes(where, [], [hidden])
    return hidden, Withheld(fields["by"], fields["why"])


def check_facts(leaf: Leaf, facts: object, where: str) -> list[Withheld]:
    """The facts of one leaf, an array, fit its count and root; those that are withheld."""
    if not isinstance(facts, list) or len(facts) != leaf.count:
        raise VerifyError(where, f"{leaf.count} facts are due")
    read = [read_fact(fact, where, i) for i, fact in enumerate(facts)]
    if tree_root([hidden for hidden, _ in read]) != leaf.root:
        raise VerifyError(where, "the facts do not give the root that their leaf names")
    return [withheld for _, withheld in read if withheld is not None]


# ---------------------------------------------------------------------------------------
# 6. The container: a zip written in exactly one way
# ---------------------------------------------------------------------------------------
# Any program that opens zip files opens it. For us it has one form only: the entries one
# after the other with no gap, each a local header, its name and its content as it is; then
# the directory with one record an entry in the same order; then the end record. Every field
# has one right value (APPNOTE.TXT 6.3, sections 4.3.7, 4.3.12 and 4.3.16), so the bytes of
# the whole file follow from the names and contents: they are rebuilt and compared.

ZIP_VERSION: Final = 20
ZIP_DATE: Final = (1980 - 1980) << 9 | 1 << 5 | 1
"""1 January 1980, the first day that a zip can name: a dossier's times stand inside it."""
LOCAL: Final = struct.Struct("<4s5H3L2H")
"""Mark, version, flags, method, time, date, checksum, stored size, size, name and extra length."""
DIRECTORY: Final = struct.Struct("<4s6H3L5H2L")
"""The same with who made it after the mark; then comment length, disk, attributes, offset."""
END: Final = struct.Struct("<4s4H2LH")
"""Mark, disk twice, entries twice, the directory's size and offset, comment length."""
LOCAL_MARK: Final = b"PK\x03\x04"
DIRECTORY_MARK: Final = b"PK\x01\x02"
END_MARK: Final = b"PK\x05\x06"

_NAME_PART = r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?"
ENTRY_NAME: Final = re.compile(rf"{_NAME_PART}(?:/{_NAME_PART})*")
"""Parts of [a-z0-9._-] that begin and end in a letter or digit, with / between: no name
leads out of a folder, hides, or means two things on two file systems."""

Entries = Sequence[tuple[str, bytes]]


def local_header(name: str, content: bytes) -> bytes:
    """What stands before an entry's content: local header and name."""
    size = len(content)
    fields = (ZIP_VERSION, 0, 0, 0, ZIP_DATE, zlib.crc32(content), size, size, len(name), 0)
    return LOCAL.pack(LOCAL_MARK, *fields) + name.encode("ascii")


def directory_record(name: str, content: bytes, offset: int) -> bytes:
    """An entry's record in the directory; `offset` is where its local header begins."""
    size = len(content)
    head = (ZIP_VERSION, ZIP_VERSION, 0, 0, 0, ZIP_DATE, zlib.crc32(content), size, size)
    return DIRECTORY.pack(
        DIRECTORY_MARK, *head, len(name), 0, 0, 0, 0, 0, offset
    ) + name.encode("ascii")  # fmt: skip


def _pieces(entries: Entries) -> list[tuple[str, bytes]]:
    """The whole file, from its names and contents: stretches of it, each with what it is."""
    body: list[tuple[str, bytes]] = []
    directory: list[tuple[str, bytes]] = []
    offset = 0
    for name, content in entries:
        head = local_header(name, content)
        body += ((f"entry {name}, its header", head), (f"entry {name}, its content", content))
        what = f"directory, record of {name} (header at byte {offset})"
        directory.append((what, directory_record(name, content, offset)))
        offset += len(head) + len(content)
    count, length = len(entries), sum(len(raw) for _, raw in directory)
    end = END.pack(END_MARK, 0, 0, count, count, length, offset, 0)
    return [*body, *directory, ("end record", end)]


def _compare(data: bytes, pieces: Entries) -> None:
    """VerifyError at the first byte where the file is not as it has to be."""
    start = 0
    for what, raw in pieces:
        found = data[start : start + len(raw)]
        if found != raw:
            pairs = enumerate(zip(found, raw, strict=False))
            same = next((i for i, (a, b) in pairs if a != b), len(found))
            where = f"{what} (byte {start + same} of the file)"
            if same == len(found):
                raise VerifyError(where, f"the file ends here, {len(data)} bytes long")
            problem = f"is {found[same]:02x}, must be {raw[same]:02x} to fit what it holds"
            raise VerifyError(where, problem)
        start += len(raw)
    if len(data) > start:
        raise VerifyError(f"end of the file (byte {start})", f"{len(data) - start} bytes too many")


def _read_entry(data: bytes, offset: int, number: int) -> tuple[str, bytes]:
    """Name and content of the entry whose local header begins at `offset`."""
    where = f"entry number {number} (header at byte {offset} of the file)"
    if offset + LOCAL.size > len(data):
        raise VerifyError(where, f"the file ends inside its header, {len(data)} bytes long")
    header = LOCAL.unpack_from(data, offset)
    checksum, size, name_bytes = header[6], header[7], header[9]
    name_at = offset + LOCAL.size
    if not 1 <= name_bytes <= MAX_NAME_BYTES:
        raise VerifyError(where, f"a name of {name_bytes} bytes, 1 to {MAX_NAME_BYTES} may be")
    name = data[name_at : name_at + name_bytes].decode("latin-1")
    if not ENTRY_NAME.fullmatch(name):
        raise VerifyError(where, f"a name that may not be: {plain(name)!r}")
    start = name_at + name_bytes
    where = f"entry {name} (header at byte {offset}, content at byte {start} of the file)"
    if size > len(data) - start:
        raise VerifyError(where, f"{size} bytes long, but only {len(data) - start} are left")
    content = data[start : start + size]
    if zlib.crc32(content) != checksum:
        raise VerifyError(where, "its content does not fit the size and checksum in its header")
    return name, content


def read_container(data: bytes) -> dict[str, bytes]:
    """The entries of a canonical container, name to content, in the order of the file.

    Reads the entries front to back, rebuilds the whole file from them, and compares it byte
    for byte. VerifyError: with entry, field and offset of the first thing that is not as it
    has to be; any altered bit, anything missing, added or moved inside headers is found.
    """
    if len(data) > MAX_CONTAINER_BYTES:
        raise VerifyError("file", f"longer than {MAX_CONTAINER_BYTES} bytes")
    entries: dict[str, bytes] = {}
    folders: set[str] = set()
    offset = 0
    while data[offset : offset + 4] == LOCAL_MARK:
        if len(entries) == MAX_ENTRIES:
            raise VerifyError(f"byte {offset} of the file", f"more than {MAX_ENTRIES} entries")
        name, content = _read_entry(data, offset, len(entries) + 1)
        above = {name[:i] for i, c in enumerate(name) if c == "/"}
        if name in entries or name in folders or not above.isdisjoint(entries):
            raise VerifyError(
                f"entry {name} (header at byte {offset} of the file)",
                "a second one of this name, or a file and a folder of one name",
            )
        entries[name] = content
        folders |= above
        offset += LOCAL.size + len(name) + len(content)
    if not entries:
        raise VerifyError("file (byte 0)", "does not begin with an entry: not a dossier")
    if data[offset : offset + 4] != DIRECTORY_MARK:
        where = f"after entry {name} (byte {offset} of the file)"
        raise VerifyError(where, "neither the next entry nor the directory begins here")
    _compare(data, _pieces(list(entries.items())))
    return entries


# ---------------------------------------------------------------------------------------
# 7. The dossier
# ---------------------------------------------------------------------------------------
# One folder with a BagIt bag: tag files first, in the order of TAGS, then the payload under
# data/. Of the payload the folder data/record/ proves; the rest is for people and programs.
# The signature covers the tag manifest, which covers the manifest, which covers the payload.

TAGS: Final = (
    "bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt", "signature.txt",
)  # fmt: skip
SIGNED_TITLE: Final = "skykeep dossier 2"
"""First line of what is signed. No text is both this and a checkpoint: the second line differs."""
RECORD: Final = "data/record/"
CHECKPOINT, PROOF = f"{RECORD}checkpoint.txt", f"{RECORD}proof.txt"
WITNESSED, CONSISTENCY = f"{RECORD}witnessed.txt", f"{RECORD}consistency.txt"
STAMPED, STAMPED_GROWN = f"{RECORD}stamped.txt", f"{RECORD}stamped-consistency.txt"
TIMESTAMP: Final = f"{RECORD}timestamp-"
LEAVES, FACTS = f"{RECORD}leaves.jsonl", f"{RECORD}facts.jsonl"
CONTEXT: Final = f"{RECORD}context.jsonl"
CHECKED: Final = frozenset(
    {CHECKPOINT, PROOF, WITNESSED, CONSISTENCY, STAMPED, STAMPED_GROWN, LEAVES, FACTS, CONTEXT}
)


class NotChecked(str):
    """What a step says that had nothing to hold the dossier against; it is no failure."""

    __slots__ = ()


@dataclass(slots=True)
class Dossier:
    """A dossier while it is checked: each step leaves here what the next ones need."""

    data: bytes
    key: VerifierKey
    witnesses: Keys = ()
    quorum: int = 0
    entries: dict[str, bytes] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    checkpoint: Checkpoint | None = None
    leaves: list[Leaf] = field(default_factory=list)
    withheld: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def file(self, name: str) -> bytes:
        """The content of a file that has to be there."""
        if name not in self.files:
            raise VerifyError(f"entry {name}", "is missing")
        return self.files[name]

    def lines(self, name: str) -> list[bytes]:
        """The lines of a file in which each line, also the last, ends in a newline."""
        content = self.file(name)
        if content and not content.endswith(b"\n"):
            raise VerifyError(f"entry {name}", "does not end in a newline")
        return content.split(b"\n")[:-1]

    def hashes(self, name: str, first: int = 1) -> list[bytes]:
        """The hashes of a file, base64 lines from line `first` on."""
        lines = [line.decode("latin-1") for line in self.lines(name)[first - 1 :]]
        return [from_base64(x, f"entry {name}, line {i}") for i, x in enumerate(lines, first)]


def check_container(dossier: Dossier) -> str:
    """The file is a canonical container."""
    dossier.entries = read_container(dossier.data)
    digest = sha256(dossier.data).hexdigest()
    return f"{len(dossier.entries)} entries, {len(dossier.data)} bytes, SHA-256 {digest}"


def check_bag(dossier: Dossier) -> str:
    """The key signed the digests of all files; none is unlisted, missing or out of order."""
    folder, slash, _ = next(iter(dossier.entries)).partition("/")
    for name, content in dossier.entries.items():
        if not slash or not name.startswith(f"{folder}/"):
            raise VerifyError(f"entry {name}", "all entries stand in one folder, this one does not")
        dossier.files[name.removeprefix(f"{folder}/")] = content
    signed = read_note(dossier.file(TAGS[4]), dossier.key, f"entry {TAGS[4]}").text
    digest = sha256(dossier.file(TAGS[3])).hexdigest()
    if signed != f"{SIGNED_TITLE}\n{digest} {TAGS[3]}\n":
        raise VerifyError(f"entry {TAGS[3]}", "is not the one that was signed")
    payload = [name for name in dossier.files if name.startswith("data/")]
    listed = [*check_manifest(dossier, TAGS[3]), *check_manifest(dossier, TAGS[2])]
    for name in (*TAGS, *dossier.files):
        if name not in dossier.files or name not in (*listed, *TAGS[3:]):
            what = "is not listed" if name in dossier.files else "is missing"
            raise VerifyError(f"entry {name}", f"{what}: it is no part of what was signed")
    if listed != [*TAGS[:3], *payload] or list(dossier.files) != [*TAGS, *payload]:
        raise VerifyError("files", "they are not in their order, or one is listed twice")
    return f"{len(payload)} files with the SHA-256 that {dossier.key} signed, none unlisted"


def check_manifest(dossier: Dossier, manifest: str) -> list[str]:
    """The names that a manifest lists, each with the digest of the file that is here."""
    names = []
    for line in dossier.lines(manifest):
        digest, _, name = line.decode("latin-1").partition("  ")
        where = f"entry {plain(name[:MAX_NAME_BYTES])}"
        if name not in dossier.files:
            raise VerifyError(where, f"is missing: {manifest} lists it")
        if sha256(dossier.files[name]).hexdigest() != digest:
            raise VerifyError(where, f"is not as it is in {manifest}")
        names.append(name)
    return names


def check_checkpoint(dossier: Dossier) -> str:
    """The head of the record is one that the key signed."""
    point = read_checkpoint(dossier.file(CHECKPOINT), dossier.key, f"entry {CHECKPOINT}")
    dossier.checkpoint = point
    if point.others:
        dossier.notes.append(f"Also signed, not checked here: {', '.join(point.others)}")
    root = base64.b64encode(point.root).decode()
    return f"{dossier.key} signed: {point.size} leaves with the root {root}"


def check_witnesses(dossier: Dossier) -> str:
    """Witnesses cosigned a head that is the beginning of the signed one."""
    head = dossier.checkpoint
    assert head is not None  # Its check comes first, and the first failure ends.
    if WITNESSED not in dossier.files:
        if dossier.witnesses:
            raise VerifyError(f"entry {WITNESSED}", "is missing: no witness cosigned this record")
        return NotChecked("no witness's signature is in it: it is the keeper's word alone")
    note = dossier.file(WITNESSED)
    seen = read_checkpoint(note, dossier.key, f"entry {WITNESSED}")
    check_consistency(seen.size, seen.root, head.size, head.root, dossier.hashes(CONSISTENCY))
    said = check_cosigned(note, dossier.key, dossier.witnesses, dossier.quorum)
    newer = head.size - seen.size
    said += f"; the first {seen.size} leaves of the record"
    if newer:
        dossier.notes.append(f"The record's last {newer} leaves are newer than what is cosigned")
    return said if dossier.witnesses else NotChecked(said)


def check_stamped(dossier: Dossier) -> str:
    """The head that was time-stamped (RFC 3161) is the beginning of the signed one.

    The time-stamps themselves take a library: they are named, not checked.
    """
    head = dossier.checkpoint
    assert head is not None
    tokens = sorted(n for n in dossier.files if n.startswith(TIMESTAMP))
    if STAMPED not in dossier.files:
        if tokens:
            raise VerifyError(f"entry {STAMPED}", f"is missing: {tokens[0]} stamps it")
        return NotChecked("no time-stamp is in it: when things happened is the keeper's word")
    seen = read_checkpoint(dossier.file(STAMPED), dossier.key, f"entry {STAMPED}")
    grown = dossier.hashes(STAMPED_GROWN)
    check_consistency(seen.size, seen.root, head.size, head.root, grown)
    said = f"a head over the first {seen.size} leaves; {len(tokens)} time-stamps on it present, "
    return NotChecked(said + "not checked here")


def check_leaves(dossier: Dossier) -> str:
    """The leaves, one a line, stand side by side in the tree of the checkpoint.

    The file with the proof has the first leaf's index in decimal, then the hashes that
    `root_of_range` needs, a base64 line each.
    """
    assert dossier.checkpoint is not None
    size, root = dossier.checkpoint.size, dossier.checkpoint.root
    lines, first = dossier.lines(LEAVES), b"".join(dossier.lines(PROOF)[:1]).decode("latin-1")
    start = read_decimal(first, MAX_TREE_SIZE, f"entry {PROOF}, line 1")
    hashes = dossier.hashes(PROOF, 2)
    span = f"{start} to {start + len(lines) - 1} of {size}"
    if root_of_range([leaf_hash(x) for x in lines], start, size, hashes) != root:
        problem = f"as leaves {span} they and the entry {PROOF} do not give the signed root"
        raise VerifyError(f"entry {LEAVES}", problem)
    dossier.leaves = [read_leaf(x, f"entry {LEAVES}, line {i}") for i, x in enumerate(lines, 1)]
    return f"leaves {span} (counted from 0), with no gap between them"


def check_context(dossier: Dossier) -> str:
    """Earlier entries, such as the zones' declarations, stand where they say in the same tree.

    Each line: {"facts": as in FACTS, "index": N, "leaf": TEXT, "proof": [BASE64, ...]}.
    """
    assert dossier.checkpoint is not None
    if CONTEXT not in dossier.files:
        return NotChecked("no entry from before the range is shown")
    size, root, before = dossier.checkpoint.size, dossier.checkpoint.root, -1
    number = 0
    for number, line in enumerate(dossier.lines(CONTEXT), 1):
        where = f"entry {CONTEXT}, line {number}"
        fields = read_json(line, where)
        kinds = {"facts": list, "index": int, "leaf": str, "proof": list}
        if not isinstance(fields, dict) or {k: type(v) for k, v in fields.items()} != kinds:
            raise VerifyError(where, "not the facts, index, leaf and proof of an entry")
        leaf = fields["leaf"].encode("utf-8", "replace")
        hashes = [from_base64(str(x), where) for x in fields["proof"]]
        if root_of_inclusion(leaf_hash(leaf), fields["index"], size, hashes) != root:
            raise VerifyError(where, "leaf and proof do not give the signed root")
        if fields["index"] <= before:
            raise VerifyError(where, "does not follow the entry before it")
        check_facts(read_leaf(leaf, where), fields["facts"], where)
        before = fields["index"]
    dossier.notes.append(f"Of the entries before the range {number} are shown, the others are not")
    return f"{number} entries from before the range, each in its place"


def check_all_facts(dossier: Dossier) -> str:
    """The facts, one line of JSON for each leaf, fit the leaves."""
    lines, leaves = dossier.lines(FACTS), dossier.leaves
    if len(lines) != len(leaves):
        problem = f"{len(lines)} lines, one for each of the {len(leaves)} leaves is due"
        raise VerifyError(f"entry {FACTS}", problem)
    entries = Counter(leaf.source for leaf in leaves)
    facts: Counter[str] = Counter()
    hidden: Counter[tuple[str, Withheld]] = Counter()
    touched: Counter[tuple[str, Withheld]] = Counter()
    partly = 0
    for number, (leaf, line) in enumerate(zip(leaves, lines, strict=True), 1):
        where = f"entry {FACTS}, line {number}"
        found = check_facts(leaf, read_json(line, where), where)
        facts[leaf.source] += leaf.count
        if found:
            hidden.update((leaf.source, each) for each in found)
            touched.update((leaf.source, each) for each in set(found))
            partly += 1
    total, withheld = facts.total(), hidden.total()
    dossier.withheld.append(f"0 of {len(leaves)} leaves: all of the range are here")
    dossier.withheld.append(f"{withheld} of {total} facts")
    for key, count in sorted(hidden.items(), key=lambda item: item[1] < facts[item[0][0]]):
        source, each = key
        whole = " (ALL OF IT)" if count == facts[source] else ""
        words = f"{source}: {count} of {facts[source]} facts{whole} withheld"
        words += f", in {touched[key]} of {entries[source]} entries"
        dossier.withheld.append(f"{words}, by {each.by}: {each.why}")
    rest = sorted(n for n in dossier.files if n.startswith("data/") and n not in CHECKED)
    proving = [name for name in rest if name.startswith(RECORD)]
    if proving:
        dossier.notes.append(f"Present, not checked here: {', '.join(proving)}")
    told = [name.removeprefix("data/") for name in rest if name not in proving]
    dossier.notes.append(
        "Signed by the keeper, and not shown here to follow from the facts (the program skykeep "
        f"can, with its command recompute): {', '.join(told) or 'nothing'}"
    )
    return f"{total} facts, {withheld} withheld, in {partly} of {len(leaves)} leaves"


STEPS: Final = (
    ("the container: every byte is what it has to be", check_container),
    ("the files: each is as it was signed, and there is no other", check_bag),
    ("the checkpoint: signed with the key given", check_checkpoint),
    ("the witnesses: enough of those given have cosigned", check_witnesses),
    ("the time-stamps: on a head of the same record", check_stamped),
    ("the leaves: a range of the tree that was signed", check_leaves),
    ("the facts: those that the leaves stand for", check_all_facts),
    ("the context: earlier entries, in the same tree", check_context),
)


def verify(
    data: bytes, key: VerifierKey, witnesses: Keys = (), quorum: int | None = None
) -> Report:
    """Check a whole dossier against the keeper's and witnesses' keys.

    `quorum` of the witnesses must have cosigned; more than half if it is not given. Never
    raises on account of `data`.
    """
    needed = majority(witnesses) if quorum is None else quorum
    dossier = Dossier(data, key, witnesses, needed)
    checks = run_steps(STEPS, dossier)
    return Report(checks, tuple(dossier.notes), tuple(dossier.withheld))


# ---------------------------------------------------------------------------------------
# 8. Receipts (C2SP tlog-proof)
# ---------------------------------------------------------------------------------------
# A receipt proves that one entry is in the record: the leaf in its line `extra`, its place,
# the hashes from there to the root, and the checkpoint with the signatures of the keeper and
# of witnesses. A second line in `extra`, if there is one, has the leaf's facts, as a dossier
# has them.

RECEIPT_MARK: Final = b"c2sp.org/tlog-proof@v1\n"
MAX_PROOF_HASHES: Final = 63
MOST_FACTS_PRINTED: Final = 20


@dataclass(slots=True)
class Receipt:
    """A receipt while it is checked."""

    data: bytes
    key: VerifierKey
    witnesses: Keys
    quorum: int
    index: int = 0
    hashes: tuple[bytes, ...] = ()
    note: bytes = b""
    extra: tuple[bytes, ...] = ()
    leaf: Leaf | None = None
    notes: list[str] = field(default_factory=list)


def check_receipt_form(receipt: Receipt) -> str:
    """The lines are those of a tlog-proof, with a leaf as `extra`."""
    head, gap, receipt.note = receipt.data.partition(b"\n\n")
    lines = head.decode("latin-1").split("\n")[1:]
    if not gap or len(lines) < 2 or not lines[0].startswith("extra "):
        raise VerifyError("receipt", "not the lines extra, index, hashes, and a checkpoint")
    extra = from_base64(lines[0].removeprefix("extra "), "receipt, line 2 (extra)")
    receipt.extra = tuple(extra.split(b"\n"))
    if len(receipt.extra) not in (2, 3) or receipt.extra[-1]:
        raise VerifyError("receipt, line 2 (extra)", "not a line with a leaf, and one with facts")
    if not lines[1].startswith("index "):
        raise VerifyError("receipt, line 3", "does not begin with the word index")
    receipt.index = read_decimal(lines[1].removeprefix("index "), MAX_TREE_SIZE, "receipt, line 3")
    if len(lines) - 2 > MAX_PROOF_HASHES:
        raise VerifyError("receipt", f"more than {MAX_PROOF_HASHES} hashes")
    receipt.hashes = tuple(
        from_base64(line, f"receipt, line {i}") for i, line in enumerate(lines[2:], 4)
    )
    return f"entry {receipt.index} (counted from 0), {len(receipt.hashes)} hashes"


def check_receipt_inclusion(receipt: Receipt) -> str:
    """The leaf is in the tree that the key signed."""
    point = read_checkpoint(receipt.note, receipt.key)
    leaf = leaf_hash(receipt.extra[0])
    if root_of_inclusion(leaf, receipt.index, point.size, receipt.hashes) != point.root:
        raise VerifyError("receipt", "leaf and hashes do not give the signed root")
    receipt.leaf = read_leaf(receipt.extra[0], "receipt, the leaf")
    return f"entry {receipt.index} of {point.size} that {receipt.key} signed"


def check_receipt_witnesses(receipt: Receipt) -> str:
    """Enough of the witnesses given have cosigned the checkpoint."""
    said = check_cosigned(receipt.note, receipt.key, receipt.witnesses, receipt.quorum)
    return said if receipt.witnesses else NotChecked(said)


def check_receipt_facts(receipt: Receipt) -> str:
    """The facts, if any are shown, are those that the leaf stands for."""
    leaf = receipt.leaf
    assert leaf is not None  # An earlier step has read it, and the first failure ends.
    receipt.notes.append(
        f"A {leaf.kind} from {leaf.source or 'nobody'} with {leaf.count} facts, recorded by the"
        f" keeper's clock at {shown_time(leaf.at_ns // 10**9)}"
    )
    if len(receipt.extra) == 2:
        return f"none of the {leaf.count} facts is shown: what was recorded cannot be seen here"
    facts = read_json(receipt.extra[1], "receipt, the facts")
    hidden = check_facts(leaf, facts, "receipt, the facts")
    assert isinstance(facts, list)  # `check_facts` has seen it.
    shown = [f"Fact {i}: {fact['fact']}" for i, fact in enumerate(facts) if "fact" in fact]
    receipt.notes += shown[:MOST_FACTS_PRINTED]
    if len(shown) > MOST_FACTS_PRINTED:
        receipt.notes.append(f"{len(shown) - MOST_FACTS_PRINTED} more facts are in the file")
    return f"{leaf.count} facts, {len(hidden)} withheld"


RECEIPT_STEPS: Final = (
    ("the form: a proof with a leaf and a checkpoint", check_receipt_form),
    ("the place: the leaf is in the tree that was signed", check_receipt_inclusion),
    ("the witnesses: enough of those given have cosigned", check_receipt_witnesses),
    ("the facts: those that the leaf stands for", check_receipt_facts),
)


def verify_receipt(
    data: bytes, key: VerifierKey, witnesses: Keys = (), quorum: int | None = None
) -> Report:
    """Check a receipt against keeper's and witnesses' keys. Never raises on account of `data`."""
    needed = majority(witnesses) if quorum is None else quorum
    receipt = Receipt(data, key, witnesses, needed)
    checks = run_steps(RECEIPT_STEPS, receipt)
    return Report(checks, tuple(receipt.notes), (), "RECEIPT")


# ---------------------------------------------------------------------------------------
# 9. The report
# ---------------------------------------------------------------------------------------

CANNOT_KNOW: Final = (
    "Whether the key is the right one. Get it from the record's keeper by another way than the"
    " dossier, and compare it letter by letter.",
    "Whether what was recorded is true. The signature says that the keeper recorded it, not"
    " that a sensor measured well, that a person reported rightly, or that an aircraft was the"
    " one whose number it broadcast.",
    "Whether everything was recorded. What no sensor saw, or what was left out before it was"
    " recorded, leaves no trace here. The range shown has no gap inside; what stands before"
    " and after it in the record is not shown.",
    "What is in a part that is withheld: only that it was there, unaltered, in its place.",
    "Whether the keeper shows others another record. Compare the checkpoint above with one"
    " that somebody else got, or have it signed by witnesses.",
    "When things happened, other than by the keeper's own clocks; nor whether the key was"
    " in other hands when it signed.",
)

Subject = TypeVar("Subject")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to check: `held` is None where it was not, and `said` tells why."""

    what: str
    held: bool | None
    said: str


def run_steps(
    steps: Sequence[tuple[str, Callable[[Subject], str]]], subject: Subject
) -> tuple[Check, ...]:
    """All steps in their order, until one fails."""
    checks: list[Check] = []
    failed = False
    for what, step in steps:
        if failed:
            checks.append(Check(what, None, "an earlier check failed"))
            continue
        try:
            said = step(subject)
            checks.append(Check(what, None if isinstance(said, NotChecked) else True, said))
        except VerifyError as e:
            failed = True
            checks.append(Check(what, False, str(e)))
    return tuple(checks)


@dataclass(frozen=True, slots=True)
class Report:
    """The checks in their order, what else a reader has to know, and what is withheld."""

    checks: tuple[Check, ...]
    notes: tuple[str, ...]
    withheld: tuple[str, ...] = ()
    what: str = "DOSSIER"

    @property
    def holds(self) -> bool:
        """Did every check hold that could be made?"""
        return all(check.held is not False for check in self.checks)

    def __str__(self) -> str:
        marks = {True: "held", False: "FAILED", None: "not checked"}
        lines = ["Checked"]
        for check in self.checks:
            lines.append(f"  {marks[check.held]:<12} {plain(check.what)}")
            lines += wrapped(check.said, " " * 15)
        for title, items in (("Withheld", self.withheld), ("To know", self.notes)):
            lines += ["", title] if items else []
            for item in items:
                lines += wrapped(item, "    ", "  - ")
        lines += ["", f"THIS {self.what} {'HOLDS' if self.holds else 'DOES NOT HOLD'}."]
        lines += [f"  {plain(check.said)}" for check in self.checks if check.held is False]
        lines += ["", "What such a proof cannot know"]
        for item in CANNOT_KNOW:
            lines += wrapped(item, "    ", "  - ")
        return "\n".join(lines)


def wrapped(text: str, indent: str, first: str = "") -> list[str]:
    """A text in lines of a terminal's width; long words stay whole."""
    return textwrap.wrap(
        plain(text), 96, initial_indent=first or indent, subsequent_indent=indent,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


# ---------------------------------------------------------------------------------------
# 10. The command line
# ---------------------------------------------------------------------------------------

HOLDS: Final = 0
DOES_NOT_HOLD: Final = 1
CANNOT_BE_READ: Final = 2


def read_file(path: str, limit: int) -> bytes:
    """A file's bytes. VerifyError: it cannot be read, or is longer than `limit` bytes."""
    try:
        with open(path, "rb") as file:
            data = file.read(limit + 1)
    except (OSError, ValueError) as e:
        raise VerifyError(plain(path), f"cannot be read: {e}") from None
    if len(data) > limit:
        raise VerifyError(plain(path), f"longer than {limit} bytes")
    return data


def read_key_file(path: str, algorithm: int = ALGORITHM_ED25519) -> VerifierKey:
    """The key in a file. VerifyError: it cannot be read, or is no such key."""
    return read_key(read_file(path, MAX_KEY_FILE_BYTES).decode("utf-8", "replace"), algorithm)


def run(
    path: str, key_path: str, witness_paths: Sequence[str] = (), quorum: int | None = None
) -> int:
    """Check the file against the keys in the others, print the report, return the exit code."""
    try:
        key = read_key_file(key_path)
        witnesses = [read_key_file(one, ALGORITHM_COSIGNATURE) for one in witness_paths]
        if len({one.public_key for one in witnesses}) < len(witnesses):
            raise VerifyError("witnesses", "one key is given twice: it counts once")
        if quorum is not None and not 1 <= quorum <= len(witnesses):
            raise VerifyError("quorum", f"{quorum} of {len(witnesses)} witnesses cannot be")
        data = read_file(path, MAX_CONTAINER_BYTES)
    except VerifyError as e:
        print(f"nothing was checked: {e}", file=sys.stderr)
        return CANNOT_BE_READ
    receipt = data.startswith(RECEIPT_MARK)
    report = (verify_receipt if receipt else verify)(data, key, witnesses, quorum)
    what = "Receipt" if receipt else "Dossier"
    print(f"{what} {plain(path)}\nKey     {key}\n\n{report}")
    return HOLDS if report.holds else DOES_NOT_HOLD


def main(arguments: Sequence[str] | None = None) -> int:
    """`verifier.py FILE --key KEYFILE`; 0 holds, 1 does not, 2 cannot be read."""
    parser = argparse.ArgumentParser(
        prog="verifier.py", description="Check a Skykeep dossier or receipt offline."
    )
    parser.add_argument("file", metavar="FILE", help="a dossier (a zip file) or a receipt")
    parser.add_argument(
        "--key",
        metavar="KEYFILE",
        required=True,
        help="the record keeper's public key, one line NAME+ID+BASE64, not from the dossier",
    )
    parser.add_argument(
        "--witness",
        metavar="KEYFILE",
        action="append",
        default=[],
        help="a witness's public key; may be given again",
    )
    parser.add_argument(
        "--quorum", metavar="N", type=int, help="so many of them are enough (else over half)"
    )
    options = parser.parse_args(arguments)
    return run(options.file, options.key, options.witness, options.quorum)


if __name__ == "__main__":
    sys.exit(main())
