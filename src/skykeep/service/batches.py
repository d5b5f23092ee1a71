"""`POST /v1/batches`: observations of one sensor, answered when they are durable."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import Response

from skykeep.codec.posted import MAX_ROWS, Posted, decode_posted
from skykeep.codec.signed import open_envelope
from skykeep.core.event import ObservationRejected
from skykeep.runtime import Answer
from skykeep.service.desk import COMMANDS, holder_of, needs, writer_of
from skykeep.service.problems import Refused
from skykeep.service.tokens import Holder
from skykeep.service.writer import Writer

router = APIRouter(tags=["observations"])

_EXAMPLE = {
    "batch_id": "radar-1:000042",
    "observations": [
        {
            "sensor": "radar-1",
            "time": "2026-09-12T00:27:00.250Z",
            "polar": {
                "range_m": 1520.0,
                "azimuth_deg": 211.4,
                "elevation_deg": 3.1,
                "sigma_range_m": 5.0,
                "sigma_azimuth_deg": 0.4,
                "sigma_elevation_deg": 0.6,
            },
            "kind": {"drone": 0.8, "bird": 0.15, "aircraft": 0.01, "clutter": 0.04},
        }
    ],
}
_NAME = {"type": "string", "minLength": 1, "maxLength": 100}
_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["batch_id", "observations"],
                "properties": {
                    "batch_id": _NAME,
                    "sensor": _NAME,
                    "observations": {
                        "type": "array",
                        "maxItems": MAX_ROWS,
                        "items": {
                            "type": "object",
                            "required": ["sensor", "time"],
                            "properties": {
                                "sensor": _NAME,
                                "time": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
                                "polar": {"type": "object"},
                                "position": {"type": "object"},
                                "track": {"type": "object"},
                                "bearing": {"type": "object"},
                                "sighting": {"type": "object"},
                                "claim": {"type": "object"},
                                "kind": {"type": "object"},
                            },
                        },
                    },
                },
                "example": _EXAMPLE,
            }
        }
    },
}


class Rejected(BaseModel):
    """A row that was not used: its place in `observations` (-1: several), field and why."""

    row: int
    field: str
    problem: str


class Taken(BaseModel):
    """A batch that is durable: its entry in the record; `repeated` if it was there before."""

    batch_id: str
    entry: int
    repeated: bool
    rejected: list[Rejected]


@router.post(
    "/v1/batches",
    response_model=Taken,
    responses=COMMANDS,
    openapi_extra={"requestBody": _BODY},
    dependencies=[needs("batches.send")],
)
async def post_batch(request: Request) -> Response:
    """Observations of one sensor in one form; the answer comes when they are on the disk.

    The same batch sent again does nothing again and gets the same entry. Rows that cannot be
    used are named in the answer; those beside them are used.
    """
    holder = holder_of(request, "batches.send")
    said = await take_batch(writer_of(request), holder, await request.body())
    return Response(msgspec.json.encode(said), media_type="application/json")


async def take_batch(writer: Writer, holder: Holder, body: bytes) -> dict[str, Any]:
    """What is said to a batch once it is durable; raises what it was refused for."""
    posted = _read(writer, holder, body)
    if posted.batch.sensor_id != holder.sensor:
        words = f"{holder.name} speaks for {holder.sensor!r}, not for {posted.batch.sensor_id!r}"
        raise Refused(403, "$.observations[0].sensor", words, "Use the sensor's own token")
    (answer,) = await writer.submit((posted.batch,))
    if answer.refused is not None:
        raise answer.refused
    return {
        "batch_id": posted.batch.batch_id,
        "entry": answer.entry,
        "repeated": answer.repeated,
        "rejected": [*_unread(posted), *_unused(posted, answer)],
    }


def _read(writer: Writer, holder: Holder, body: bytes) -> Posted:
    """What a sensor posted; of one that has a key, what it signed."""
    recorded, sensor_id = writer.look(), holder.sensor or ""
    sensor = None if recorded is None else recorded.runtime.airspace.sensor(sensor_id)
    if sensor is None or not sensor.key:
        return decode_posted(body, writer.now_ns())
    payload, signature = open_envelope(body, sensor_id, sensor.key)
    return decode_posted(payload, writer.now_ns(), signature)


def _unread(posted: Posted) -> list[dict[str, Any]]:
    return [
        {"row": fault.row, "field": fault.field, "problem": fault.problem}
        for fault in posted.rejected
    ]


def _unused(posted: Posted, answer: Answer) -> list[dict[str, Any]]:
    """Rows that the engine left aside, by their places in what was posted."""
    return [
        {
            "row": posted.places[e.row] if e.row >= 0 else -1,
            "field": e.field,
            "problem": e.problem,
        }
        for e in answer.events
        if isinstance(e, ObservationRejected)
    ]
