"""A permit as a card that anyone can check on the spot, and the list of those that were taken back.

    "SKY1:" BASE45(COSE_Sign1)                     RFC 9285; RFC 9052 section 4.2, tagged 18
    protected   {1: -8, 4: key id}                 EdDSA (Ed25519); the first 4 bytes of the
                                                   public key's SHA-256
    unprotected {}
    payload     a CWT (RFC 8392): {1: issuer, 4: exp, 5: nbf, 6: iat, 7: permit id,
                 -65537: [[last 4 characters of each serial], area, top]}
    area        [0, lat, lon, radius_m] a circle
              | [1, lat, lon, dlat, dlon, ...] a polygon, each vertex by its step from the last
              | [2, south, west, north, east] a box around an area that does not fit
    top         [metres, reference 1 HAE 2 AMSL 3 AGL 4 pressure] | null

Places are in 1e-5 degrees, about a metre; times in seconds since 1970 (UTC). A status list is
likewise signed, its private claim a map from permit id to 1 revoked, 2 suspended, 3 ended, 4
expired; it says no more than that, and is void after its exp. A card shows neither holder nor
contact, nor a whole serial number.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from typing import Any

import cbor2

from skykeep.codec.moment import format_moment
from skykeep.core.geo import (
    Area,
    Circle,
    Fix,
    Polygon,
    Tri,
    Volume4D,
    in_area,
    prepare,
    reference_of,
)
from skykeep.core.permit import LIVE_STATES, Permit, PermitState, ends_ns
from skykeep.errors import DecisionError, InputError
from skykeep.units import NS_PER_S

PREFIX = "SKY1:"
#: A QR code of version 10 to 13 (57 to 69 modules) still reads from a creased print.
MAX_CHARACTERS = 300
SHOWN_OF_SERIAL = 4
#: How long a status list may be relied on.
STATUS_VALID_S = 86_400

_TAG, _EDDSA, _ALG, _KID = 18, -8, 1, 4
_ISS, _EXP, _NBF, _IAT, _CTI, _OWN = 1, 4, 5, 6, 7, -65_537
_SCALE = 100_000.0
_BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_BASE45_VALUE = {character: i for i, character in enumerate(_BASE45)}
#: More than any status list of ours; a document beyond it is none.
MAX_SIGNED_BYTES = 4_000_000

Sign = Callable[[bytes], bytes]
Verify = Callable[[bytes, bytes], bool]


class Gone(enum.IntEnum):
    """Why a card is no longer good."""

    REVOKED = 1
    SUSPENDED = 2
    ENDED = 3
    EXPIRED = 4


_GONE = {
    PermitState.REVOKED: Gone.REVOKED,
    PermitState.SUSPENDED: Gone.SUSPENDED,
    PermitState.ENDED: Gone.ENDED,
    PermitState.EXPIRED: Gone.EXPIRED,
}


@dataclass(frozen=True, slots=True)
class Card:
    """What a card says; times in UTC seconds. `area` is None where it holds only a box."""

    issuer: str
    permit_id: str
    start_s: int
    end_s: int
    issued_s: int
    serial_ends: tuple[str, ...]
    area: Area | None
    box: tuple[float, float, float, float] | None  # south, west, north, east
    top: tuple[float, int] | None


@dataclass(frozen=True, slots=True)
class StatusList:
    """The permits that were taken back, as of `issued_s`; void after `until_s`."""

    issuer: str
    issued_s: int
    until_s: int
    gone: Mapping[str, Gone]


class Answer(enum.StrEnum):
    """What a check says."""

    VALID = "valid"
    NOT_NOW = "not now"
    NOT_HERE = "not here"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


def key_id(public_key: bytes) -> bytes:
    """What a card names its key by."""
    return sha256(public_key).digest()[:4]


# -- making ------------------------------------------------------------------------------


def card_text(permit: Permit, volume: int, issued_ns: int, key: bytes, sign: Sign) -> str:
    """The card of one of a permit's volumes (from 0) as text of at most `MAX_CHARACTERS`.

    DecisionError for a permit that opens nothing, InputError for one that fits on no card.
    """
    if permit.state not in LIVE_STATES or permit.state is PermitState.PROVISIONAL:
        raise DecisionError(f"permit {permit.permit_id} is {permit.state}: it gets no card")
    if not 0 <= volume < len(permit.volumes):
        problem = f"is {volume + 1}, the permit has {len(permit.volumes)}"
        raise InputError("volume", problem, "Give one of them")
    chosen = permit.volumes[volume]
    if chosen.end_ns is None:
        raise InputError("volume", "has no end", "Give a permit an end before it gets a card")
    areas = [_fine(chosen.volume.area), _box(chosen.volume.area)]
    for area in areas:
        payload = cbor2.dumps(_claims(permit, chosen, area, issued_ns), canonical=True)
        text = PREFIX + base45(signed(payload, key, sign))
        if len(text) <= MAX_CHARACTERS:
            return text
    problem = f"takes {len(text)} characters, at most {MAX_CHARACTERS} fit"
    raise InputError("card", problem, "Give the permit a shorter id or fewer aircraft")


def _claims(permit: Permit, volume4d: Volume4D, area: list[int], issued_ns: int) -> dict[int, Any]:
    assert volume4d.end_ns is not None
    upper = volume4d.volume.upper
    top = None if upper is None else [int(upper.m), int(reference_of(upper))]
    ends = [s.strip()[-SHOWN_OF_SERIAL:] for s in permit.serials]
    claims = {
        _ISS: permit.authority_id,
        _EXP: volume4d.end_ns // NS_PER_S,
        _IAT: issued_ns // NS_PER_S,
        _CTI: str(permit.permit_id),
        _OWN: [ends, area, top],
    }
    if volume4d.start_ns is not None:
        claims[_NBF] = -(-volume4d.start_ns // NS_PER_S)  # never earlier than it says
    return claims


def _fine(area: Area) -> list[int]:
    if isinstance(area, Circle):
        return [0, _e5(area.lat_deg), _e5(area.lon_deg), int(area.radius_m)]
    if len(area.rings) != 1:
        return _box(area)  # a hole must not be left out
    flat: list[int] = [1]
    before = (0, 0)
    for lon, lat in area.rings[0][:-1]:
        here = (_e5(lat), _e5(lon))
        flat += [here[0] - before[0], here[1] - before[1]]
        before = here
    return flat


def _box(area: Area) -> list[int]:
    prepared = prepare(area)
    return [2, *map(_e5, (prepared.south_deg, prepared.west_deg, prepared.north_deg,
                          prepared.east_deg))]  # fmt: skip


def _e5(degrees: float) -> int:
    return round(degrees * _SCALE)


def status_list(
    issuer: str, permits: Sequence[Permit], issued_ns: int, key: bytes, sign: Sign
) -> bytes:
    """The signed list of permits that a card may still claim and that no longer hold."""
    gone = {
        str(p.permit_id): int(_GONE[p.state])
        for p in sorted(permits, key=lambda p: p.permit_id)
        if p.state in _GONE and ((end_ns := ends_ns(p)) is None or end_ns > issued_ns)
    }
    issued_s = issued_ns // NS_PER_S
    claims = {_ISS: issuer, _EXP: issued_s + STATUS_VALID_S, _IAT: issued_s, _OWN: gone}
    return signed(cbor2.dumps(claims, canonical=True), key, sign)


def signed(payload: bytes, key: bytes, sign: Sign) -> bytes:
    """A COSE_Sign1 over a payload."""
    protected = cbor2.dumps({_ALG: _EDDSA, _KID: key_id(key)}, canonical=True)
    body = [protected, {}, payload, sign(_to_be_signed(protected, payload))]
    return cbor2.dumps(cbor2.CBORTag(_TAG, body), canonical=True)


def _to_be_signed(protected: bytes, payload: bytes) -> bytes:
    """RFC 9052, section 4.4."""
    return cbor2.dumps(["Signature1", protected, b"", payload], canonical=True)


# -- reading -----------------------------------------------------------------------------


def read_card(text: str, verify: Verify) -> Card:
    """What a card says, if its signature holds; InputError otherwise."""
    text = text.strip()
    if not text.startswith(PREFIX):
        raise InputError("card", f"does not begin with {PREFIX}", "Give the text of a card")
    if len(text) > MAX_CHARACTERS:
        raise InputError("card", f"is over {MAX_CHARACTERS} characters", "Give one card")
    claims = _verified("card", from_base45(text[len(PREFIX) :]), verify)
    try:
        ends, area, top = claims[_OWN]
        read, box = _area(area)
        return Card(
            _typed(claims[_ISS], str), _typed(claims[_CTI], str), _typed(claims.get(_NBF, 0), int),
            _typed(claims[_EXP], int), _typed(claims[_IAT], int),
            tuple(_typed(e, str) for e in ends), read, box,
            None if top is None else (float(_typed(top[0], int)), _typed(top[1], int)),
        )  # fmt: skip
    except (LookupError, TypeError, ValueError):
        raise _strange("card") from None


def read_status(data: bytes, verify: Verify) -> StatusList:
    """A status list, if its signature holds; InputError otherwise."""
    claims = _verified("status list", data, verify)
    try:
        gone = {_typed(k, str): Gone(v) for k, v in claims[_OWN].items()}
        issuer, issued_s = _typed(claims[_ISS], str), _typed(claims[_IAT], int)
        return StatusList(issuer, issued_s, _typed(claims[_EXP], int), gone)
    except (LookupError, TypeError, ValueError, AttributeError):
        raise _strange("status list") from None


def _typed(value: Any, kind: type) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError
    return value


def _strange(where: str) -> InputError:
    return InputError(where, "is signed and not of this format", "Ask the office for a new one")


def _area(flat: Any) -> tuple[Area | None, tuple[float, float, float, float] | None]:
    kind, *numbers = (_typed(n, int) for n in flat)
    if kind == 0:
        lat, lon, radius_m = numbers
        return Circle(lat / _SCALE, lon / _SCALE, float(radius_m)), None
    if kind == 2:
        south, west, north, east = (n / _SCALE for n in numbers)
        return None, (south, west, north, east)
    if kind != 1 or len(numbers) % 2 or len(numbers) < 6:
        raise ValueError
    lat = lon = 0
    ring = []
    for dlat, dlon in zip(numbers[::2], numbers[1::2], strict=True):
        lat, lon = lat + dlat, lon + dlon
        ring.append((lon / _SCALE, lat / _SCALE))
    return Polygon(((*ring, ring[0]),)), None


def _verified(where: str, data: bytes, verify: Verify) -> dict[int, Any]:
    """The claims of a COSE_Sign1 whose signature holds."""
    garbled = InputError(where, "is garbled", "Read it anew")
    if len(data) > MAX_SIGNED_BYTES:
        raise garbled
    try:
        stream = BytesIO(data)
        outer = cbor2.load(stream)
        protected, unprotected, payload, signature = outer.value
        fits = outer.tag == _TAG and unprotected == {} and not stream.read(1)
        fits = fits and cbor2.loads(protected)[_ALG] == _EDDSA
    except (cbor2.CBORDecodeError, AttributeError, LookupError, TypeError, ValueError):
        raise garbled from None
    if not fits or not isinstance(payload, bytes) or not isinstance(signature, bytes):
        raise garbled
    if not verify(signature, _to_be_signed(protected, payload)):
        problem = "is not signed by this authority's key"
        raise InputError(where, problem, "Check the key; else it is forged or altered")
    try:
        claims = cbor2.loads(payload)
    except (cbor2.CBORDecodeError, TypeError, ValueError):
        raise _strange(where) from None
    if not isinstance(claims, dict):
        raise _strange(where)
    return claims


# -- checking ----------------------------------------------------------------------------


def check(
    card: Card, status: StatusList | None, at_s: float, place: tuple[float, float] | None
) -> tuple[Answer, str]:
    """What a card is worth at a moment (UTC seconds) and, if given, a place (lat, lon), in words.

    Without a status list that is still good nobody can tell whether it was taken back: unknown.
    """
    own = status is not None and status.issuer == card.issuer
    gone = status.gone.get(card.permit_id) if status is not None and own else None
    if gone is not None:
        return Answer.REVOKED, f"it was {gone.name.lower()}"
    if at_s < card.start_s:
        return Answer.NOT_NOW, f"it begins {format_moment(card.start_s * NS_PER_S)}"
    if at_s >= card.end_s:
        return Answer.NOT_NOW, f"it ended {format_moment(card.end_s * NS_PER_S)}"
    inside = _inside(card, place)
    if inside is Tri.NO:
        return Answer.NOT_HERE, "this place is outside its area"
    if status is None or not own:
        return Answer.UNKNOWN, "signed and in time; without a status list it may be revoked"
    if at_s > status.until_s:
        old = format_moment(status.issued_s * NS_PER_S)
        return Answer.UNKNOWN, f"signed and in time; the status list of {old} is too old"
    if inside is Tri.MAYBE:
        return Answer.UNKNOWN, "its border does not fit on a card: ask the office"
    return Answer.VALID, "" if place is not None else "the place was not checked"


def _inside(card: Card, place: tuple[float, float] | None) -> Tri:
    if place is None:
        return Tri.YES if card.area is not None else Tri.MAYBE
    lat, lon = place
    if card.area is not None:
        return in_area(prepare(card.area), Fix(lat, lon, 0.0, None, 0.0))
    assert card.box is not None
    south, west, north, east = card.box
    return Tri.MAYBE if south <= lat <= north and west <= lon <= east else Tri.NO


# -- RFC 9285 ----------------------------------------------------------------------------


def base45(data: bytes) -> str:
    """Bytes as text that a QR code holds in its alphanumeric mode."""
    made: list[str] = []
    for i in range(0, len(data), 2):
        pair = data[i : i + 2]
        value = int.from_bytes(pair, "big")
        for _ in range(3 if len(pair) == 2 else 2):
            value, digit = divmod(value, 45)
            made.append(_BASE45[digit])
    return "".join(made)


def from_base45(text: str) -> bytes:
    """The bytes of such a text; InputError where it is none."""
    garbled = InputError("card", "is garbled", "Read it anew")
    if len(text) % 3 == 1:
        raise garbled
    made = bytearray()
    for i in range(0, len(text), 3):
        part = text[i : i + 3]
        value = 0
        for character in reversed(part):
            if character not in _BASE45_VALUE:
                raise garbled
            value = value * 45 + _BASE45_VALUE[character]
        size = len(part) - 1
        if value >= 1 << (8 * size):
            raise garbled
        made += value.to_bytes(size, "big")
    return bytes(made)
