"""Files and folders that survive a power failure once a call has returned.

A file's own sync makes what it says durable, and not its name: that is the folder's.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make durable which names a folder has; OSError if the disk refuses."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """A folder with those above it, durable; OSError if the system refuses."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def put_in_place(path: Path, data: bytes, temporary: Path, mode: int | None = None) -> None:
    """Replace a file as a whole or not at all; its new name is durable with its folder.

    `temporary` lies beside it and is gone afterwards; one that a crash left is overwritten.
    `mode` is the new file's, whatever the umask; without one it is 0o644 less the umask.
    OSError if the system refuses, and the file is what it was.
    """
    try:
        temporary.unlink(missing_ok=True)
        narrow = 0o644 if mode is None else mode & 0o700
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, narrow)
        with os.fdopen(descriptor, "wb") as file:
            if mode is not None:
                os.fchmod(descriptor, mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def write_synced(path: Path, line: str, mode: int) -> None:
    """A file of one line, whole and durable, or none: no half of a key is left by whatever."""
    put_in_place(path, f"{line}\n".encode(), path.with_name(path.name + ".part"), mode)
    sync_folder(path.parent)
