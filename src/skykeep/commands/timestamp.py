"""`skykeep verify-timestamp FILE`: time-stamps of an hour's checkpoint against trusted roots."""

from __future__ import annotations

import base64
import binascii
import sys
from pathlib import Path
from typing import Annotated

import msgspec

from skykeep.codec.timestamp_token import MAX_ANSWER_BYTES, check_token, read_roots
from skykeep.errors import InputError, RecordError
from skykeep.record import checkpoint as checkpoints
from skykeep.record import note as notes
from skykeep.record.keys import ed25519_verifier, parse_public
from skykeep.units import to_datetime

MAX_FILE_BYTES = 100 * MAX_ANSWER_BYTES


class _Hour(msgspec.Struct):
    note: str
    tokens: Annotated[dict[str, str], msgspec.Meta(max_length=20)]


def verify(file: Path, key: Path, roots: list[Path]) -> int:
    """Print each authority's time; 0 where all tokens and the log's signature hold."""
    try:
        data = file.read_bytes()
        trusted = read_roots((str(path), path.read_bytes()) for path in roots)
        log_key = parse_public(key.read_text(encoding="utf-8").strip())
        if len(data) > MAX_FILE_BYTES:
            raise InputError(str(file), "is too large", "Give an hour of /log/timestamps")
        said = msgspec.json.decode(data, type=_Hour)
    except (OSError, UnicodeDecodeError, msgspec.DecodeError) as error:
        mend = "Give an hour of /log/timestamps"
        raise InputError(str(file), f"cannot be read ({error})", mend) from None
    note = said.note.encode()
    head = checkpoints.check(note, log_key.name, [ed25519_verifier(log_key)]).checkpoint
    print(f"{log_key.name}: a head over {head.size} entries, signed by the log")
    text, bad = notes.parse(note).text.encode(), not said.tokens
    for name, token in sorted(said.tokens.items()):
        try:
            at_ns = check_token(base64.b64decode(token, validate=True), text, trusted)
        except (RecordError, binascii.Error) as error:
            print(f"{name}: {error}", file=sys.stderr)
            bad = True
        else:
            print(f"{name}: it was there at {to_datetime(at_ns):%Y-%m-%d %H:%M:%S} UTC")
    if not said.tokens:
        print("no authority has answered", file=sys.stderr)
    return int(bad)
