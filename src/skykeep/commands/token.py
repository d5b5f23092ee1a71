"""`skykeep token new`: a token for a person or a sensor; only its hash is kept."""

from __future__ import annotations

import os
from pathlib import Path

from skykeep.commands.atomic import only_writer, write_atomically
from skykeep.errors import InputError
from skykeep.service.tokens import Role, encode_tokens, new_token, read_tokens


def new(path: Path, name: str, role: str, sensor: str | None, recipient: str | None = None) -> int:
    """Print a fresh token, once, and append its hash to the file at `path`."""
    token, holder = new_token(name, Role(role), sensor, recipient)
    with only_writer(path):
        if not path.exists():
            _make_private(path)
        known = read_tokens(path) if path.stat().st_size else ()
        write_atomically(path, encode_tokens((*known, holder)))
    print(token)
    return 0


def _make_private(path: Path) -> None:
    """An empty file that only its owner reads; what replaces it keeps that."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise InputError(str(path), str(error.strerror), "Give a place to write") from None
