"""The cookies: who is signed in, which browser it is; and a mark for the page's script."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie

from starlette.responses import Response
from starlette.types import Scope

from skykeep.service.auth.people import DEVICE_NS, LONGEST_NS
from skykeep.units import NS_PER_S

SESSION, DEVICE = "skykeep_session", "skykeep_device"
#: Says only that it is worth asking who is signed in.
MARK = "skykeep_in"
#: With a change that a page makes, beside the session's cookie.
CSRF_HEADER = b"skykeep-csrf"
_LONGEST = 4_096


def cookie_of(scope: Scope, name: str) -> str:
    """What a cookie carries; empty where there is none, or more than one of the name."""
    found = []
    for header, value in scope["headers"]:
        if header == b"cookie" and len(value) <= _LONGEST:
            try:
                parsed = SimpleCookie(value.decode("latin-1"))
            except CookieError:
                continue
            if name in parsed:
                found.append(parsed[name].value)
    return found[0] if len(found) == 1 else ""


def set_session(response: Response, carried: str, *, secure: bool) -> None:
    """For this browser's lifetime, a shift at the longest; no script reads it."""
    response.set_cookie(
        SESSION, carried, max_age=LONGEST_NS // NS_PER_S, httponly=True, samesite="strict",
        secure=secure, path="/",
    )  # fmt: skip
    response.set_cookie(
        MARK, "1", max_age=LONGEST_NS // NS_PER_S, samesite="strict", secure=secure, path="/"
    )


def set_device(response: Response, carried: str, *, secure: bool) -> None:
    """The browser is known from now on; it is sent to the sign-in alone."""
    response.set_cookie(
        DEVICE, carried, max_age=DEVICE_NS // NS_PER_S, httponly=True, samesite="strict",
        secure=secure, path="/sign-in",
    )  # fmt: skip


def end_session(response: Response) -> None:
    """Take the session's cookie back, and the mark."""
    response.delete_cookie(MARK, path="/", samesite="strict")
    response.delete_cookie(SESSION, path="/", httponly=True, samesite="strict")
