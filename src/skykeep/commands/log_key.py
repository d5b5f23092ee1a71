"""`skykeep log new-key` and `skykeep verify-handover`: a log's key changes, and who trusts it."""

from __future__ import annotations

from pathlib import Path

from skykeep.commands.atomic import write_atomically
from skykeep.commands.log_export import read_key
from skykeep.errors import InputError, RecordError
from skykeep.record import handover
from skykeep.store.record_files import has_begun
from skykeep.store.record_store import RecordStore

#: A hand-over is some lines; anything larger is none.
MAX_BYTES = 100_000


def change(folder: Path, out: Path) -> int:
    """Hand the log of a record that is not served over to a new key; the note goes to `out`."""
    if not has_begun(folder):
        raise RecordError(f"there is no record in {folder}, or it is empty")
    store = RecordStore(folder, "")
    try:
        key = store.hand_over()
        note = store.handovers()[-1]
    finally:
        store.close()
    RecordStore(folder, "").close()  # it holds under both keys, or this says what does not
    write_atomically(out, note)
    print(key.to_text())
    return 0


def verify(path: Path, key_file: Path, out: Path | None) -> int:
    """Print what a hand-over says; 0 where the trusted key and the new one signed it."""
    key = read_key(key_file)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES)
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        raise InputError(str(path), problem, "Check the path") from None
    try:
        found = handover.check(data, key)
    except RecordError as error:
        print(f"THIS CHANGES NO KEY.\n  {error}")
        return 1
    print(f"{found.head.origin} has a new key behind {found.head.size} entries:")
    print(found.new.to_text())
    if out is not None:
        write_atomically(out, found.new.to_text().encode() + b"\n")
    return 0
