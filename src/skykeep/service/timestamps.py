"""Time-stamps (RFC 3161) on one checkpoint an hour, from each authority that the site names.

An authority that is away is asked again, and shown in `/health`; nothing waits for it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from fastapi import APIRouter, Path, Request
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder
from starlette.responses import JSONResponse

from skykeep.codec.moment import format_moment
from skykeep.codec.timestamp_token import MAX_ANSWER_BYTES, check_imprint, check_token
from skykeep.config import TimestampPlace
from skykeep.core.casebook import Incident
from skykeep.dossier.build import stamped_after
from skykeep.errors import RecordError
from skykeep.record import note as notes
from skykeep.record.entry import HOUR_NS, hour_of
from skykeep.service import log
from skykeep.service.problems import Refused
from skykeep.service.witness_client import post
from skykeep.service.writer import Writer, error_of, told
from skykeep.store.timestamps import MOST_HOURS, STAMPS_FILE, StampedHour, TimestampStore

router = APIRouter(prefix="/log", include_in_schema=False)

#: How often it is seen what is missing.
EVERY_S = 60.0
#: An authority has so long to answer.
TIMEOUT_S = 10.0
#: So many hours back what is missing is still asked for; and so much in one round.
HOURS_BACK, ASKED_AT_ONCE = 48, 8
SHOWN_HOURS = 48


class Stamper:
    """Asks the authorities of one site; without any it does nothing."""

    def __init__(self, writer: Writer, places: Sequence[TimestampPlace]) -> None:
        self.places = tuple(places)
        self.problems: dict[str, str] = {}
        self._writer = writer
        self._kept: TimestampStore | None = None
        self._stopping = asyncio.Event()

    def after(self, incident: Incident) -> StampedHour | None:
        """The stamped hour that tells most about an incident, if there is one."""
        if not self.places and not (self._writer.folder / STAMPS_FILE).exists():
            return None
        return stamped_after(self.store().hours(MOST_HOURS), incident)

    async def run(self) -> None:
        """Round after round until `stop`; a fault of one is told, and the next comes."""
        try:
            while self.places and not self._stopping.is_set():
                error = await error_of(self.round())
                if error is not None:
                    self.problems[""] = str(told(error))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(EVERY_S):
                        await self._stopping.wait()
        finally:
            self.close()

    def stop(self) -> None:
        """Begin no further round."""
        self._stopping.set()

    def close(self) -> None:
        """Let go of the file."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    async def round(self) -> None:
        """Choose this hour's checkpoint, if it has none, and ask for what is missing."""
        hour, note = hour_of(self._writer.now_ns()), self._writer.checkpoint
        store = self.store()
        if note:
            store.begin(hour, note)
        places = {place.name: place for place in self.places}
        due = store.missing(hour - HOURS_BACK, tuple(places))[:ASKED_AT_ONCE]
        for of_hour, of_note, name in due:
            try:
                token = await asyncio.to_thread(_ask, places[name], of_note)
            except RecordError as error:
                if self.problems.get(name) != str(error):
                    words = str(error)
                    log.event(logging.WARNING, "timestamp.problem", authority=name, problem=words)
                self.problems[name] = str(error)
                continue
            store.keep(of_hour, name, token)
            self.problems.pop(name, None)
        self.problems.pop("", None)

    def store(self) -> TimestampStore:
        """The file, opened when it is first needed."""
        if self._kept is None:
            self._kept = TimestampStore(self._writer.folder)
        return self._kept

    def troubles(self) -> dict[str, str]:
        """What is wrong with each authority, nothing where all is well."""
        ours = self.problems.get("", "")
        return {place.name: self.problems.get(place.name, ours) for place in self.places}


def _ask(place: TimestampPlace, note: bytes) -> bytes:
    """An authority's answer over a checkpoint's text, looked at; RecordError without one."""
    text = notes.parse(note).text.encode()
    wanted = TimestampRequestBuilder().data(text).hash_algorithm(HashAlgorithm.SHA256).build()
    status, _, body = post(
        place.url, wanted.as_bytes(), "application/timestamp-query", TIMEOUT_S, MAX_ANSWER_BYTES
    )
    if status != 200:
        raise RecordError(f"it answered {status}")
    check_imprint(body, sha256(text).digest(), wanted.nonce)
    if place.roots:
        check_token(body, text, place.roots)
    return body


@router.get("/timestamps")
async def get_timestamps(request: Request) -> JSONResponse:
    """The newest hours' checkpoints with their time-stamps, newest first."""
    stamper: Stamper = request.app.state.stamper
    hours = stamper.store().hours(SHOWN_HOURS) if stamper.places else []
    return JSONResponse({"hours": [shown(h) for h in hours]}, headers={"Cache-Control": "no-cache"})


@router.get("/timestamps/{hour}")
async def get_timestamp(request: Request, hour: int = Path(ge=0, lt=2**40)) -> JSONResponse:
    """One hour, counted from 1970: what `skykeep verify-timestamp` takes."""
    stamper: Stamper = request.app.state.stamper
    found = stamper.store().hours(1, hour) if stamper.places else []
    if not found or found[0].hour != hour:
        raise Refused(404, "path", f"hour {hour} has no checkpoint here", "Look at /log/timestamps")
    return JSONResponse(shown(found[0]), headers={"Cache-Control": "no-cache"})


def shown(stamped: StampedHour) -> dict[str, Any]:
    """An hour as it is served: the signed note, and the DER answers in base64."""
    return {
        "hour": stamped.hour,
        "since": format_moment(stamped.hour * HOUR_NS),
        "note": stamped.note.decode(),
        "tokens": {name: base64.b64encode(token).decode() for name, token in stamped.tokens},
    }
