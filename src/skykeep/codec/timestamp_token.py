"""Time-stamp answers (RFC 3161): that an authority saw a checkpoint no later than a moment.

The library checks the token's signature, its chain to a root that the caller trusts at the time
that it states, the signer's key purpose and the imprint; see decision 22.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cryptography import x509
from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response
from rfc3161_client.tsp import PKIStatus, TimeStampResponse

from skykeep.errors import InputError, RecordError
from skykeep.units import to_ns

#: A token with its chain of certificates has some kilobytes.
MAX_ANSWER_BYTES = 100_000
_IMPRINT = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1")  # SHA-256, NIST


def read_answer(data: bytes) -> TimeStampResponse:
    """A TimeStampResp in DER that was granted; RecordError with what it says otherwise."""
    if len(data) > MAX_ANSWER_BYTES:
        raise RecordError(f"the answer is over {MAX_ANSWER_BYTES} bytes")
    try:
        answer = decode_timestamp_response(data)
        status = PKIStatus(answer.status)
    except ValueError as error:
        raise RecordError(f"it is no time-stamp answer ({str(error)[:100]})") from None
    if status is not PKIStatus.GRANTED:
        words = "; ".join(answer.status_string)[:200]
        raise RecordError(f"the authority said {status.name.lower()}: {words}")
    return answer


def check_imprint(data: bytes, digest: bytes, nonce: int | None) -> None:
    """Whether it answers our request; who signed it is not checked.

    RecordError where it is over another SHA-256 or answers another request.
    """
    answer = read_answer(data)
    try:
        info = answer.tst_info
        said, algorithm = info.message_imprint.message, info.message_imprint.hash_algorithm
        fits = said == digest and algorithm == _IMPRINT and info.nonce == nonce
    except ValueError as error:
        raise RecordError(f"its token cannot be read ({str(error)[:100]})") from None
    if not fits:
        raise RecordError("its token is over something else, or answers another request")


def check_token(data: bytes, message: bytes, roots: Sequence[x509.Certificate]) -> int:
    """When (ns, UTC) a message was there, by an authority below one of the trusted roots.

    RecordError with why it does not hold.
    """
    answer = read_answer(data)
    try:
        VerifierBuilder(roots=list(roots)).build().verify_message(answer, message)
        return to_ns(answer.tst_info.gen_time)
    except (VerificationError, ValueError) as error:
        raise RecordError(f"the time-stamp does not hold: {str(error)[:200]}") from None


def read_roots(files: Iterable[tuple[str, bytes]]) -> tuple[x509.Certificate, ...]:
    """The certificates of PEM files; InputError names the file that is none."""
    found: list[x509.Certificate] = []
    for name, data in files:
        try:
            found += x509.load_pem_x509_certificates(data)
        except ValueError as error:
            raise InputError(name, f"has no certificate ({error})", "Give PEM") from None
    return tuple(found)
