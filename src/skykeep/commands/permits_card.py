"""`skykeep permit card|verify-card|check-page`: a permit that can be checked on the spot.

Exit codes: 0 done, and of a check: valid; 1 not allowed, or any other answer; 2 bad input.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from urllib.parse import quote

from skykeep.codec.permit_card import Answer, card_text, check, read_card, read_status
from skykeep.codec.permits import decode_permits
from skykeep.commands import remote
from skykeep.commands.atomic import write_atomically
from skykeep.errors import DecisionError, InputError
from skykeep.service.permit_keys import read_key
from skykeep.service.permits_card import card_key, check_page, verifier_of
from skykeep.units import NS_PER_S, PermitId

#: Pixels a module: 0.7 mm at 300 dots an inch, which a phone reads from 25 cm.
PIXELS = 8
MAX_STATUS_BYTES = 4_000_000


def card(
    target: str,
    permit_id: str,
    volume: int,
    out: Path,
    token_file: Path | None,
    key_file: Path | None,
    now_ns: int,
) -> int:
    """Write a permit's card as a QR code (.svg or .png) and print its text.

    From a running site, which signs it, or from a permits file with the office's secret key.
    """
    if out.suffix.lower() not in (".svg", ".png"):
        raise InputError(str(out), "is neither .svg nor .png", "Name such a file")
    if remote.is_remote(target):
        path = f"/v1/permits/card?permit_id={quote(permit_id, safe='')}&volume={volume}"
        text = str(json.loads(remote.ask(target, path, remote.read_token(token_file)))["text"])
    else:
        if key_file is None:
            raise InputError("--key", "is missing", "Name the file of the office's secret key")
        file = decode_permits(remote.read_file(Path(target)), target)
        permit = next((p for p in file.permits if p.permit_id == PermitId(permit_id)), None)
        if permit is None:
            raise DecisionError(f"there is no permit {permit_id} in {target}")
        key = card_key(read_key(key_file))
        text = card_text(permit, volume - 1, now_ns, key.public, key.sign)
    write_atomically(out, qr_picture(text, out.suffix.lower()))
    print(text)
    return 0


def qr_picture(text: str, suffix: str) -> bytes:
    """A card's text as a QR code: of the highest correction that needs no larger one than M."""
    import segno

    code = segno.make(text, error="m", micro=False)
    made = io.BytesIO()
    code.save(made, kind=suffix.removeprefix("."), scale=PIXELS, border=4)
    return made.getvalue()


def verify_card(
    text: str, key: Path, status: Path | None, here: str | None, at_ns: int, as_json: bool
) -> int:
    """Say what a card is worth: valid, not now, not here, revoked or unknown, and why."""
    place = None if here is None else place_of(here)
    verify = verifier_of(read_key(key))
    listed = None
    if status is not None:
        listed = read_status(remote.read_file(status)[: MAX_STATUS_BYTES + 1], verify)
    try:
        read = read_card(text, verify)
    except InputError as error:
        answer, words, said = Answer.UNKNOWN, error.problem, {}
    else:
        answer, words = check(read, listed, at_ns / NS_PER_S, place)
        said = {"permit": read.permit_id, "issuer": read.issuer, "serials": read.serial_ends}
    if as_json:
        print(json.dumps({"answer": answer.value, "words": words, **said}))
    else:
        print(f"{answer}: {words}" if words else answer.value)
        for name, value in said.items():
            shown = value if isinstance(value, str) else ", ".join(f"...{v}" for v in value)
            print(f"  {name}: {shown}")
    return 0 if answer is Answer.VALID else 1


def place_of(text: str) -> tuple[float, float]:
    """ "49.6,6.1" as latitude and longitude."""
    try:
        lat, lon = (float(part) for part in text.split(","))
    except ValueError:
        lat = lon = float("nan")
    if not (abs(lat) <= 90.0 and abs(lon) <= 180.0):
        raise InputError("--here", f"{text!r} is no place", "Give LAT,LON in degrees")
    return lat, lon


def page(authority: str, key: Path, status: Path, out: Path) -> int:
    """Write the checking page with a public key and a status list inside."""
    public, listed = read_key(key), remote.read_file(status)
    read_status(listed, verifier_of(public))  # a list that does not hold helps nobody
    write_atomically(out, check_page(authority, public, listed).encode("utf-8"))
    print(f"page: {out}")
    return 0
