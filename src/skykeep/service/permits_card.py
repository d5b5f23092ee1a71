"""Cards of permits, the list of those taken back, the key, and a page that checks them offline.

The list, the key and the page need no token and name nobody: an id and what became of it.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
import segno
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import HTMLResponse, PlainTextResponse, Response

import skykeep
from skykeep.codec.permit_card import Sign, Verify, card_text, status_list
from skykeep.core.permit import Permit
from skykeep.runtime import Recorded
from skykeep.service.desk import READS, found_or_404, needs, problems, writer_of
from skykeep.service.examples import shown
from skykeep.service.looks import looked
from skykeep.service.outbox import Outbox
from skykeep.service.tokens import Holder
from skykeep.units import NS_PER_S, PermitId

router = APIRouter(tags=["permits"])

TEMPLATE = Path(skykeep.__file__).parent / "data" / "permit-check.html"
#: A status list is signed anew when a permit changed, or after so long.
RENEW_NS = 60 * NS_PER_S
COSE = 'application/cose; cose-type="cose-sign1"'


class CardText(BaseModel):
    """The text of a card, and its QR code: a line a row, 1 for a dark module, without border."""

    model_config = ConfigDict(
        json_schema_extra=shown(
            {
                "permit_id": "P-1",
                "text": "SKY1:6BF1B-VC.FAPJ5SKRSGTH%1...",
                "qr": ["1111111010...", "1000001001..."],
            }
        )
    )
    permit_id: str
    text: str
    qr: list[str]


@dataclass(frozen=True, slots=True)
class CardKey:
    """Signs cards; `public` is what checks them, 32 bytes (RFC 8032)."""

    public: bytes
    sign: Sign


def card_key(seed: bytes) -> CardKey:
    """The key that a seed of 32 bytes stands for."""
    private = Ed25519PrivateKey.from_private_bytes(seed)
    return CardKey(private.public_key().public_bytes_raw(), private.sign)


def verifier_of(public: bytes) -> Verify:
    """Whether a signature over some bytes is that of a public key."""
    key = Ed25519PublicKey.from_public_bytes(public)

    def verify(signature: bytes, data: bytes) -> bool:
        try:
            key.verify(signature, data)
        except InvalidSignature:
            return False
        return True

    return verify


def qr_rows(text: str) -> list[str]:
    """A card's text as the rows of a QR code: correction M or better, for print and phone."""
    code = segno.make(text, error="m", micro=False)
    return ["".join(str(int(module)) for module in row) for row in code.matrix]


def check_page(authority: str, public: bytes, status: bytes) -> str:
    """The checking page with a key and a status list inside: one file, needs no network."""
    given = {
        "authority": authority,
        "key": public.hex(),
        "status": base64.b64encode(status).decode("ascii"),
    }
    text = msgspec.json.encode(given).decode("utf-8").replace("<", "\\u003c")
    return TEMPLATE.read_text(encoding="utf-8").replace("{{GIVEN}}", text)


@router.get("/v1/permits/card", responses=READS | problems(404, 409))
async def get_card(
    request: Request,
    holder: Annotated[Holder, needs("permits.card")],
    permit_id: Annotated[str, Query(description="of which permit", examples=["P-1"])],
    volume: Annotated[int, Query(description="for which of its volumes, from 1", ge=1)] = 1,
) -> CardText:
    """A permit as a signed text of at most 300 characters, for a QR code on paper or phone.

    It names permit, times, area and the last 4 characters of each serial number: no holder.
    """
    key, now_ns = _key(request), writer_of(request).now_ns()
    permits = await writer_of(request).ask(_permits)
    known = next((p for p in permits if p.permit_id == PermitId(permit_id)), None)
    permit: Permit = found_or_404(request, known, "such permit")
    await looked(request, holder, f"permit {permit.permit_id}")
    text = card_text(permit, volume - 1, now_ns, key.public, key.sign)
    return CardText(permit_id=permit_id, text=text, qr=qr_rows(text))


@router.get("/permits/status", include_in_schema=False)
async def get_status(request: Request) -> Response:
    """The signed list of permits that were taken back."""
    return Response(await _status(request), media_type=COSE, headers={"Cache-Control": "no-cache"})


@router.get("/permits/key", include_in_schema=False)
async def get_key(request: Request) -> Response:
    """The public key of the cards, in hexadecimal."""
    return PlainTextResponse(_key(request).public.hex() + "\n")


@router.get("/permits/check", include_in_schema=False)
async def get_check(request: Request) -> Response:
    """The page that checks cards, with today's list inside; it can be kept and used offline."""
    authority = writer_of(request).site.authority_id
    page = check_page(authority, _key(request).public, await _status(request))
    return HTMLResponse(page, headers=page_headers(page))


def page_headers(page: str) -> dict[str, str]:
    """The page runs its own script alone, and asks for the status list of this site alone."""
    script = page.partition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    policy = (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-cache",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }


def _permits(recorded: Recorded) -> tuple[Permit, ...]:
    return recorded.runtime.airspace.book.permits()


def _key(request: Request) -> CardKey:
    outbox: Outbox = request.app.state.outbox
    return card_key(outbox.keys.card_seed)


async def _status(request: Request) -> bytes:
    """The list as it is now; made anew only where it could say something else."""
    writer = writer_of(request)
    permits, now_ns = await writer.ask(_permits), writer.now_ns()
    kept: tuple[tuple[Permit, ...], int, bytes] | None
    kept = getattr(request.app.state, "permit_status", None)
    if kept is None or kept[0] != permits or now_ns - kept[1] >= RENEW_NS:
        key = _key(request)
        made = status_list(writer.site.authority_id, permits, now_ns, key.public, key.sign)
        kept = request.app.state.permit_status = (permits, now_ns, made)
    return kept[2]
