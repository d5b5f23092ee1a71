"""A file is replaced as a whole or not at all, and by one at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skykeep.errors import DecisionError, InputError
from skykeep.store.durable import put_in_place, sync_folder


def write_atomically(path: Path, data: bytes) -> None:
    """Put `data` in place of `path`, durably: it survives a power cut after the return.

    Written beside it, flushed to disk, renamed over it, the directory flushed. Keeps the
    old file's permission bits; follows a symbolic link. Raises InputError where the system
    refuses: with the old file untouched, or saying that the new one may not be durable.
    """
    path = path.resolve()
    state = "nothing was changed"
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        mode = path.stat().st_mode & 0o7777 if path.exists() else None
        put_in_place(path, data, temporary, mode)
        state = "the new file stands, but may not survive a power cut"
        sync_folder(path.parent)
    except OSError as e:
        problem = f"cannot be written ({e.strerror or e})"
        raise InputError(str(path), problem, f"Check space and rights; {state}.") from e


@contextmanager
def only_writer(path: Path) -> Iterator[None]:
    """Hold the directory of `path` against other Skykeep commands; DecisionError if held."""
    try:
        directory = os.open(path.resolve().parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as e:
        raise InputError(str(path), e.strerror or "no directory", "Give a place to write.") from e
    try:
        try:
            fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DecisionError(f"{path} is being changed by somebody else; try again") from None
        yield
    finally:
        os.close(directory)
