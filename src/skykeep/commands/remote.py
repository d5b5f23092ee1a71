"""Commands on a running site: the same words, sent to its service with a token.

The person who acts is the one whom the token names. Exit codes as everywhere: 1 where the
site does not allow it, 2 where what was asked cannot be used.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from skykeep.commands.atomic import write_atomically
from skykeep.errors import DecisionError, InputError

#: Where the token is taken from unless a file is named: it never stands on a command line.
TOKEN_VARIABLE = "SKYKEEP_TOKEN"
#: A dossier of a long incident takes the site some seconds to write.
TIMEOUT_S = 120.0
#: Answers that say that the request was understood and is not allowed.
_NOT_ALLOWED = frozenset({401, 403, 409})


def is_remote(target: str | Path) -> bool:
    """Whether a target is the address of a running site."""
    return str(target).startswith(("http:/", "https:/"))


def address_of(target: str | Path) -> str:
    """The address, also where it came in as a path (which folds its slashes)."""
    scheme, _, rest = str(target).partition(":")
    address = f"{scheme}://{rest.lstrip('/')}".rstrip("/")
    if not urlsplit(address).netloc:
        raise InputError(str(target), "names no host", "Give one such as http://127.0.0.1:8460")
    return address


def read_token(token_file: Path | None) -> str:
    """The token from a file, or from the environment."""
    if token_file is None:
        token = os.environ.get(TOKEN_VARIABLE, "")
        if not token:
            mend = f"Set {TOKEN_VARIABLE}, or name a file with --token-file"
            raise InputError("token", "there is none", mend)
        return token.strip()
    try:
        return token_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(str(token_file), f"cannot be read ({error})", "Check the file") from None


def ask(
    target: str | Path,
    path: str,
    token: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """One request; InputError or DecisionError with the site's own words where it says no."""
    url = address_of(target) + path
    said = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, data=body, headers={**said, **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            data: bytes = answer.read()
            return data
    except urllib.error.HTTPError as error:
        raise _refusal(error) from None
    except (urllib.error.URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise InputError(url, f"does not answer ({reason})", "Check that the site is up") from None


def _refusal(error: urllib.error.HTTPError) -> InputError | DecisionError:
    try:
        said = json.loads(error.read())
        where, problem, mend = (str(said[name]) for name in ("where", "problem", "mend"))
    except (ValueError, KeyError, TypeError, OSError):
        where, problem, mend = "service", f"answered {error.code}", "See the service's own words"
    if error.code in _NOT_ALLOWED:
        return DecisionError(f"{where}: {problem}. {mend}")
    return InputError(where, problem, mend)


def command(target: str | Path, name: str, token: str, fields: dict[str, Any] | bytes) -> int:
    """A command of the site; prints what it answered."""
    body = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
    sys.stdout.write(_text(ask(target, f"/v1/commands/{name}", token, body)))
    return 0


def show(target: str | Path, path: str, token: str) -> int:
    """What the site answers to a question, as it is."""
    sys.stdout.write(_text(ask(target, path, token)))
    return 0


def _text(answer: bytes) -> str:
    return json.dumps(json.loads(answer), indent=2, ensure_ascii=False) + "\n"


def dossier(
    target: str | Path,
    incident_id: str,
    out: Path,
    token: str,
    sensors: Sequence[str] = (),
    kinds: Sequence[str] = (),
    reason: str = "",
    whole: bool = False,
) -> int:
    """The dossier of an incident of a running site, into a file."""
    asked = [
        *(("withhold", name) for name in sensors),
        *(("withhold_kind", name) for name in kinds),
        *([("reason", reason)] if sensors or kinds else []),
        *([("whole", "true")] if whole else []),
    ]
    path = f"/v1/incidents/{quote(incident_id, safe='')}/dossier"
    write_atomically(out, ask(target, f"{path}?{urlencode(asked)}" if asked else path, token))
    print(f"dossier: {out}")
    return 0


def read_file(path: Path) -> bytes:
    """A document that is to be sent; InputError where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        raise InputError(str(path), problem, "Check the path") from None
