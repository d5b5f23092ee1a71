"""The dossier's container: a zip written in exactly one way.

ZIP as in PKWARE's APPNOTE.TXT 6.3.10, cut down until the file's bytes follow from its names
and contents alone: entries stored in the order given, one local header (4.3.7) each with no
gap, then the central directory (4.3.12) and its end record (4.3.16). Every entry is dated
1980-01-01 00:00, with no flags, extra fields, comments, attributes or data descriptors.

The verifier has its own reading of the same rules and imports nothing from here, nor this
from there: the tests hold the two against each other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate
from struct import pack
from zlib import crc32

from skykeep.errors import InputError

MAX_BYTES = 1 << 29
"""What the verifier agrees to hold in memory; far below zip's 4 GiB."""
MAX_ENTRIES = 10_000
"""Far below the 65,535 from which a zip would need its 64-bit form."""
MAX_NAME_BYTES = 120
"""A name with a folder before it stays inside the 255 bytes of common file systems."""

_VERSION = 20  # of the specification: 2.0, which every reader of zip files has
_FLAGS = 0  # no encryption, no data descriptor; names are ASCII, so no mark for UTF-8
_STORED = 0  # no compression
_MIDNIGHT = 0
_FIRST_DAY = 0x0021  # 1 January 1980, where the calendar of zip begins

# Names that mean one thing on every file system: parts of lower-case letters, digits and
# ._- that begin and end in a letter or digit. So no part is "..", hidden, or an option.
_PART = "[a-z0-9]([a-z0-9._-]*[a-z0-9])?"
_NAME = re.compile(f"{_PART}(/{_PART})*")


def _require_name(name: str, names: set[str], folders: set[str]) -> None:
    """InputError unless this name may follow those, and keep it with its folders."""
    where = f"entry {name!r}"
    if len(name) > MAX_NAME_BYTES or not _NAME.fullmatch(name):
        raise InputError(
            where,
            "is no name for an entry",
            f"Use at most {MAX_NAME_BYTES} of a-z, 0-9, '.', '_', '-' with '/' between parts "
            "that begin and end in a letter or digit.",
        )
    parts = name.split("/")
    above = set(accumulate(parts[:-1], lambda folder, part: f"{folder}/{part}"))
    if name in names or name in folders or above & names:
        raise InputError(
            where, "is there twice, or names a folder and a file", "Give each its own name."
        )
    names.add(name)
    folders |= above


def write_container(entries: Sequence[tuple[str, bytes]]) -> bytes:
    """The bytes of the container with these (name, content) entries, in this order.

    InputError, with the entry: no entry at all, a name that may not be or comes twice, or
    more than MAX_ENTRIES entries or MAX_BYTES bytes.
    """
    if not 1 <= len(entries) <= MAX_ENTRIES:
        raise InputError(
            "container", f"has {len(entries)} entries", f"Give 1 to {MAX_ENTRIES} of them."
        )
    names: set[str] = set()
    folders: set[str] = set()
    body: list[bytes] = []
    directory: list[bytes] = []
    offset = 0
    for name, content in entries:
        _require_name(name, names, folders)
        raw_name, size = name.encode("ascii"), len(content)
        if offset + size > MAX_BYTES:
            raise InputError(
                f"entry {name!r}",
                f"makes the container larger than {MAX_BYTES} bytes",
                "Show a shorter range.",
            )
        # What local header and directory say alike, from the version to the extra length.
        alike = pack("<5H", _VERSION, _FLAGS, _STORED, _MIDNIGHT, _FIRST_DAY)
        alike += pack("<3L2H", crc32(content), size, size, len(raw_name), 0)
        head = b"PK\x03\x04" + alike + raw_name
        body += (head, content)
        # Comment length, disk, inner and outer attributes are 0.
        tail = pack("<3H2L", 0, 0, 0, 0, offset)
        directory.append(b"PK\x01\x02" + pack("<H", _VERSION) + alike + tail + raw_name)
        offset += len(head) + size
    records = b"".join(directory)
    count = len(entries)
    end = b"PK\x05\x06" + pack("<4H2LH", 0, 0, count, count, len(records), offset, 0)
    whole = b"".join((*body, records, end))
    if len(whole) > MAX_BYTES:
        raise InputError("container", f"is larger than {MAX_BYTES} bytes", "Show a shorter range.")
    return whole
