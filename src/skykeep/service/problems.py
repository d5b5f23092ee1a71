"""Errors over HTTP: always where, what is wrong, how to mend it; never a trace."""

from __future__ import annotations

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import Response

from skykeep.errors import DecisionError, InputError, RecordError, SkykeepError
from skykeep.service.writer import UnavailableError

#: Seconds after which it makes sense to try again.
RETRY_AFTER_S = "1"


class Problem(BaseModel):
    """Why a request was not carried out."""

    where: str
    problem: str
    mend: str


class Refused(HTTPException):
    """A request that is turned away with a status of its own."""

    def __init__(
        self, status: int, where: str, problem: str, mend: str, after_s: int | None = None
    ) -> None:
        headers = None if after_s is None else {"Retry-After": str(after_s)}
        super().__init__(status, problem, headers)
        self.where, self.mend = where, mend


def problem_response(
    status: int, where: str, problem: str, mend: str, headers: dict[str, str] | None = None
) -> Response:
    """A problem as a response."""
    body = msgspec.json.encode({"where": where, "problem": problem, "mend": mend})
    return Response(body, status, headers, "application/json")


def words_of(error: Exception, path: str) -> tuple[int, str, str, str]:
    """Status, where, problem and mend of an error of ours."""
    if isinstance(error, InputError):
        return 422, error.where, error.problem, error.mend
    if isinstance(error, DecisionError):
        return 409, path, str(error), "Look at the present state and decide again"
    if isinstance(error, UnavailableError | RecordError):
        return 503, path, str(error), "Send it again; nothing of it was taken"
    if isinstance(error, Refused):
        return error.status_code, error.where, error.detail, error.mend
    return 500, path, "a fault of the service", "Tell its keeper the time"


def response_to(error: Exception, path: str) -> Response:
    """What an error of ours says over HTTP."""
    status, where, problem, mend = words_of(error, path)
    headers = {"Retry-After": RETRY_AFTER_S} if status == 503 else None
    return problem_response(status, where, problem, mend, headers)


def install(app: FastAPI) -> None:
    """Give every error of the application this form."""

    async def ours(request: Request, error: Exception) -> Response:
        return response_to(error, request.url.path)

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        headers = dict(error.headers) if error.headers else {}
        if isinstance(error, Refused):
            if error.status_code == 401:
                headers["WWW-Authenticate"] = "Bearer"
            elif error.status_code == 503:
                headers["Retry-After"] = RETRY_AFTER_S
            return problem_response(
                error.status_code, error.where, error.detail, error.mend, headers
            )
        path = request.url.path
        if error.status_code == 405 and path.startswith("/v1/") and request.method in _CHANGING:
            return problem_response(405, path, *_HISTORY, headers)
        words, mend = _HTTP.get(error.status_code, (str(error.detail), "See /docs"))
        return problem_response(error.status_code, path, words, mend, headers)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        where = _path(first["loc"])
        problem = "broken JSON" if first["type"] == "json_invalid" else str(first["msg"])
        return problem_response(422, where, problem, "See the fields at /docs")

    app.add_exception_handler(SkykeepError, ours)
    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(500, ours)


_CHANGING = frozenset({"PUT", "PATCH", "DELETE"})
_HISTORY = (
    "history does not change: nothing here is replaced or removed",
    "Correct it with a command; that becomes a new entry. See /docs",
)
_HTTP = {
    400: ("the body cannot be read as JSON", "Send JSON in UTF-8"),
    404: ("there is nothing here", "See /docs for what there is"),
    405: ("not with this method", "See /docs for what there is"),
}


def _path(parts: tuple[int | str, ...]) -> str:
    """A place in a request: `body.alerts[0]`."""
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in parts)[1:]
