"""Receipts: a proof that an entry is in the published log, as C2SP tlog-proof, checkable alone.

    GET /log/receipts/<entry>     for everybody: the entry's public leaf, and the proof
    GET /v1/receipts/<entry>      with a token: also the facts under the leaf, if they are yours

A receipt's `extra` is the leaf's line, and then, where facts are shown, a line with each fact
and its salt as in a dossier. Whoever handed something in thereby holds all that is needed to
show later that just this was recorded, and when: `skykeep verify-receipt`.
"""

from __future__ import annotations

import base64
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Request
from starlette.responses import PlainTextResponse, Response

from skykeep.codec import entries
from skykeep.dossier.withholding import WHY_ERASED
from skykeep.record import checkpoint as checkpoints
from skykeep.record import note as notes
from skykeep.record.entry import read_leaf
from skykeep.record.proof import Proof
from skykeep.service.desk import READS, needs, writer_of
from skykeep.service.desk import problems as statuses
from skykeep.service.examples import RECEIPT, text_answer
from skykeep.service.looks import looked
from skykeep.service.problems import Refused
from skykeep.service.publish_log import LogPublisher
from skykeep.service.tiles import tiles_of_app
from skykeep.service.tokens import Holder, Role
from skykeep.service.writer import UnavailableError
from skykeep.store.record_store import RecordStore

router = APIRouter(tags=["receipts"])
Index = Annotated[
    int, Path(ge=0, lt=2**63, description="as the answer to a POST names it", examples=[4711])
]


@router.get(
    "/v1/receipts/{entry}",
    response_class=Response,
    responses=READS | statuses(404) | text_answer(RECEIPT, "the receipt, a tlog-proof"),
)
async def get_receipt(
    request: Request,
    entry: Index,
    holder: Annotated[Holder, needs("receipts.read")],
) -> Response:
    """That an entry is in the record, as a file that anybody can check without us.

    A sensor's own batches come with all their facts and salts. Status 503 until the entry is
    published: some seconds, where the site has witnesses.
    """
    if holder.role is Role.SENSOR:
        await looked(request, holder, f"receipts of {holder.sensor}")
    return await _receipt(request, entry, holder)


@router.api_route("/log/receipts/{entry}", methods=["GET", "HEAD"], include_in_schema=False)
async def get_public_receipt(request: Request, entry: Index) -> Response:
    """The same without facts, for everybody."""
    return await _receipt(request, entry, None)


async def _receipt(request: Request, entry: int, holder: Holder | None) -> Response:
    tiles = tiles_of_app(request)
    publisher: LogPublisher = request.app.state.log_publisher
    note, keeper = publisher.note, writer_of(request).site.authority_id

    def make(store: RecordStore) -> bytes:
        if entry >= store.size:
            problem = f"the record has {store.size} entries, none with the number {entry}"
            raise Refused(404, request.url.path, problem, "Give one that an answer named")
        size = checkpoints.parse(notes.parse(note).text).size
        if entry >= size:
            raise UnavailableError(f"entry {entry} is not published yet: {size} entries are")
        hashes = tiles.tree(store, size).inclusion_proof(entry, size)
        (leaf,) = store.leaves(entry, entry + 1)
        lines = [leaf, *_facts(store, entry, leaf, holder, keeper)]
        extra = b"".join(line + b"\n" for line in lines)
        return Proof(entry, hashes, note, extra).to_bytes()

    data = await tiles.read(make)
    # A later head is as good; who wants none older asks again.
    return PlainTextResponse(data, headers={"Cache-Control": "no-cache"})


def _facts(
    store: RecordStore, entry: int, leaf: bytes, holder: Holder | None, keeper: str
) -> list[bytes]:
    """The line of facts for who handed them in; nobody else gets one."""
    said = read_leaf(leaf)
    if holder is None or said.kind != entries.BATCH or holder.sensor != said.source:
        return []
    (placed,) = store.entries(entry, entry + 1)
    commitments, line = store.commitments(placed), []
    for place, fact in enumerate(store.readable(placed)):
        if fact is None:  # its key is destroyed: only the sender still knows it
            hidden = base64.b64encode(commitments[place]).decode()
            line.append({"by": keeper, "hash": hidden, "why": WHY_ERASED})
        else:
            line.append({"fact": fact.decode(), "salt": store.salt(placed, place).hex()})
    return [msgspec.json.encode(line)]
