"""`skykeep raw`: raw bytes that feeds have kept, by their hash."""

from __future__ import annotations

import re
from pathlib import Path

from skykeep.commands.atomic import write_atomically
from skykeep.errors import InputError
from skykeep.store.raw import FILE, RawStore

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


def get(digest: str, folder: Path, out: Path) -> int:
    """Write the bytes of a hash to a file; 1 where they were never kept, or are gone."""
    if not _SHA256.fullmatch(digest.lower()):
        raise InputError("SHA256", f"{digest[:80]!r} is no hash", "Give 64 hexadecimal digits")
    if not (folder / FILE).is_file():
        raise InputError(str(folder), "keeps no raw bytes", "Set raw_days at a feed")
    store = RawStore(folder)
    try:
        data = store.get(bytes.fromhex(digest))
    finally:
        store.close()
    if data is None:
        print("not kept, or gone: see raw_days and raw_mb_per_day of the feed")
        return 1
    write_atomically(out, data)
    print(f"{out}: {len(data)} bytes")
    return 0
