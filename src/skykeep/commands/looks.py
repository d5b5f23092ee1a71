"""`skykeep looks DIR|URL`: who looked at what points to a person."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import quote

from skykeep.codec.moment import parse_moment
from skykeep.commands import remote
from skykeep.core.event import Looked
from skykeep.errors import RecordError
from skykeep.service.looks import as_json, looks_in
from skykeep.store.record_store import RECORD_FILE, RecordStore
from skykeep.units import to_datetime

#: Beyond every time that a record knows.
EVER_NS = 1 << 62


def run(
    target: str, since: str | None, until: str | None, token_file: Path | None, json: bool
) -> int:
    """Print them, oldest first; a running site tells the evidence officer alone."""
    if remote.is_remote(target):
        asked = [f"{k}={quote(v, safe='')}" for k, v in (("from", since), ("to", until)) if v]
        path = "/v1/looks" + ("?" + "&".join(asked) if asked else "")
        return remote.show(target, path, remote.read_token(token_file))
    from_ns = 0 if since is None else parse_moment(since, "--from")
    to_ns = EVER_NS if until is None else parse_moment(until, "--to")
    folder = Path(target)
    if not (folder / RECORD_FILE).exists():
        raise RecordError(f"there is no record in {folder}")
    store = RecordStore(folder, "", audit=True)
    try:
        found = list(looks_in(store, from_ns, to_ns))
    finally:
        store.close()
    if json:
        print(as_json(found))
        return 0
    for said in found:
        print(_line(said))
    if not found:
        print("nobody looked", file=sys.stderr)
    return 0


def _line(said: Looked) -> str:
    first, last = to_datetime(said.from_ns), to_datetime(said.until_ns)
    when = f"{first:%Y-%m-%d %H:%M:%S}"
    if said.times > 1:
        when += f" to {last:%H:%M:%S} UTC, {said.times} times"
    else:
        when += " UTC"
    purpose = f" ({said.purpose})" if said.purpose else ""
    return f"{when}  {said.actor.name}, {said.actor.role}: {said.subject}{purpose}"
