"""`skykeep verify FILE`: the offline verifier, and what it cannot check without libraries.

A second signature with ML-DSA-44 (FIPS 204), of the log or of a witness, is checked here when its
key is given, and so are time-stamps (RFC 3161) when roots are; the verifier of one file names
them as present and not checked.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from cryptography.x509 import Certificate

from skykeep.codec.timestamp_token import check_token, read_roots
from skykeep.errors import RecordError, SkykeepError
from skykeep.record import note as notes
from skykeep.record.cosignature import ML_DSA_44_COSIGNATURE, cosigned_at, ml_dsa_verifier
from skykeep.record.keys import PublicKey, parse_public
from skykeep.units import NS_PER_S
from skykeep.verify import verifier

#: A key of ML-DSA-44 is one line of some 1,800 characters.
MAX_KEY_BYTES = 10_000


def run(
    path: str, key: str, witnesses: Sequence[str], quorum: int | None, roots: Sequence[Path] = ()
) -> int:
    """Print the verifier's report and what was checked beyond it; 0 if all of it holds."""
    try:
        second = [(one, _second(one)) for one in witnesses]
        trusted = read_roots((str(root), root.read_bytes()) for root in roots)
    except OSError as error:
        print(f"nothing was checked: {error}", file=sys.stderr)
        return verifier.CANNOT_BE_READ
    except SkykeepError as error:
        print(f"nothing was checked: {error}", file=sys.stderr)
        return verifier.CANNOT_BE_READ
    plain = [one for one, found in second if found is None]
    code = verifier.run(path, key, plain, quorum)
    if code == verifier.CANNOT_BE_READ:
        return code
    keys = [found for _, found in second if found is not None]
    if not keys and not trusted:
        return code
    print("\nChecked with libraries")
    held = [_check(path, one) for one in keys]
    if trusted:
        held.append(_check_stamps(path, trusted))
    return code if all(held) else verifier.DOES_NOT_HOLD


def _second(path: str) -> PublicKey | None:
    """The ML-DSA-44 key in a file, or None where it is of another kind."""
    try:
        text = verifier.read_file(path, MAX_KEY_BYTES).decode("utf-8", "replace")
    except verifier.VerifyError as error:
        raise RecordError(str(error)) from None
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    try:
        key = parse_public(lines[0].strip()) if len(lines) == 1 else None
    except RecordError:
        return None  # the verifier says what is wrong with it
    return key if key is not None and key.algorithm == ML_DSA_44_COSIGNATURE else None


def _check(path: str, key: PublicKey) -> bool:
    """Hold one key's signatures against the heads in the file, and say what came of it."""
    where = f"{key.name}+{key.key_id.hex()} (ML-DSA-44)"
    try:
        checks = ml_dsa_verifier(key)
        times = []
        for data in _heads(Path(path).read_bytes()):
            note = notes.parse(data)
            for one in note.signatures:
                if (one.name, one.key_id) != (key.name, key.key_id):
                    continue
                if not checks.verify(note.text.encode(), one.signature):
                    raise RecordError("its signature does not hold")
                times.append(verifier.shown_time(cosigned_at(one.signature)))
        if not times:
            raise RecordError("has signed nothing here")
    except (RecordError, verifier.VerifyError, OSError) as error:
        print(f"  FAILED       {where}: {error}")
        return False
    print(f"  held         {where} signed at {', '.join(times)}")
    return True


def _check_stamps(path: str, roots: Sequence[Certificate]) -> bool:
    """Hold every time-stamp against the roots, and say when the stamped head was there."""
    try:
        entries = verifier.read_container(Path(path).read_bytes())
    except (verifier.VerifyError, OSError):
        return False  # the report says it
    stamped = [data for name, data in entries.items() if name.endswith(verifier.STAMPED)]
    tokens = {n: data for n, data in entries.items() if verifier.TIMESTAMP in n}
    if not stamped or not tokens:
        print("  FAILED       time-stamps: there are none here")
        return False
    text = notes.parse(stamped[0]).text.encode()
    held = True
    for name, token in sorted(tokens.items()):
        where = name.rpartition("/")[2]
        try:
            at = verifier.shown_time(check_token(token, text, roots) // NS_PER_S)
            print(f"  held         {where}: the stamped head was there at {at}")
        except RecordError as error:
            print(f"  FAILED       {where}: {error}")
            held = False
    return held


def _heads(data: bytes) -> list[bytes]:
    """The checkpoints of a dossier or a receipt."""
    if data.startswith(verifier.RECEIPT_MARK):
        return [data.partition(b"\n\n")[2]]
    entries = verifier.read_container(data)
    ends = (verifier.CHECKPOINT, verifier.WITNESSED)
    return [content for name, content in entries.items() if name.endswith(ends)]
