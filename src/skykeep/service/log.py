"""The service's log: one JSON object a line on stderr, without people, tokens or contents.

    {"time": "2026-09-12T21:48:00.123Z", "level": "info", "event": "http.request",
     "method": "POST", "route": "/v1/batches", "status": 200, "duration_ms": 3.2, ...}

Of a fault it says its kind and where in the code, not its words: these may quote what came in.
"""

from __future__ import annotations

import logging
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from skykeep.errors import InputError
from skykeep.service.tokens import Holder

LEVELS = ("debug", "info", "warning", "error")
_FIELDS = "skykeep_fields"
OURS = "skykeep"
_log = logging.getLogger("skykeep.service")


def configure_logs(level: str = "warning") -> None:
    """Send the log of this process to stderr, from a level on; InputError for no level."""
    if level not in LEVELS:
        raise InputError("--log-level", f"{level!r} is none", f"Give one of {', '.join(LEVELS)}")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)  # below it, others tell paths with their queries
    logging.getLogger(OURS).setLevel(level.upper())


def event(level: int, name: str, **fields: Any) -> None:
    """Say that something happened; costs next to nothing where nobody wants to hear it."""
    if _log.isEnabledFor(level):
        _log.log(level, name, extra={_FIELDS: fields})


def wanted(level: int) -> bool:
    """Whether events of a level are heard at all."""
    return _log.isEnabledFor(level)


def who(holder: object) -> dict[str, str]:
    """Of a token's holder the role and the beginning of the token's hash, nothing else."""
    if not isinstance(holder, Holder):
        return {}
    return {"role": holder.role.value, "token": holder.sha256[:8]}


class JsonLines(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        at = datetime.fromtimestamp(record.created, UTC)
        said: dict[str, Any] = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
        }
        if record.name.startswith(OURS):
            said["event"] = record.getMessage()
        else:  # others quote in later lines what they were given
            said["event"], said["logger"] = record.getMessage().partition("\n")[0], record.name
        said |= getattr(record, _FIELDS, {})
        if record.exc_info and record.exc_info[0] is not None:
            kind, _, trace = record.exc_info
            said["error"], said["where"] = kind.__name__, _places(trace)
        return msgspec.json.encode(said, enc_hook=str).decode()


def _places(trace: TracebackType | None) -> list[str]:
    """The innermost places of a fault: file, line, function."""
    frames = traceback.extract_tb(trace)[-8:]
    return [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in frames]
