"""What everybody may read under `/public/`: the zones, their signed list, and the page.

Nobody is asked for a token. The site file switches it on; without that there is nothing here.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, RedirectResponse, Response

from skykeep.codec.publication import KEY_FILE
from skykeep.service.problems import Refused
from skykeep.service.publication import Made, Publisher
from skykeep.service.publication_folder import ASSETS, INDEX_FILE, PAGE_FILE, page_files
from skykeep.service.web_page import BUILT
from skykeep.units import NS_PER_S, to_datetime

PREFIX = "/public/"
#: Everybody's page may ask, and read what a cache needs.
_SHARED = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Last-Modified, Content-Length",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}
_PREFLIGHT = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "If-None-Match, If-Modified-Since, Cache-Control",
    "Access-Control-Max-Age": "86400",
}
#: An emergency ban must not wait for a cache: it asks each time, and hears 304.
_ASK_AGAIN = "public, no-cache"
_FOR_EVER = "public, max-age=31536000, immutable"
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_PAGE_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@dataclass(slots=True)
class _PageFiles:
    """Found once: a build does not change under a running service."""

    built: Path | None
    found: dict[str, Path] | None = None

    def path_of(self, name: str) -> Path | None:
        if self.found is None:
            self.found = page_files(self.built)
        return self.found.get(name)


def router_of(publisher: Publisher, built: Path | None = BUILT) -> APIRouter:
    """The public routes; every one is 404 where the site did not switch them on."""
    router = APIRouter(include_in_schema=False)
    page = _PageFiles(built)
    on = publisher.settings.zones

    @router.api_route(f"/{PAGE_FILE}", methods=["GET", "HEAD"])
    @router.api_route(PREFIX[:-1], methods=["GET", "HEAD"])
    async def page_elsewhere(request: Request) -> Response:
        return RedirectResponse(PREFIX[1:], 307) if on else _nothing(request)

    @router.options(PREFIX + "{name:path}")
    async def preflight(request: Request) -> Response:
        return Response(status_code=204, headers=_PREFLIGHT) if on else _nothing(request)

    @router.api_route(PREFIX + "{name:path}", methods=["GET", "HEAD"])
    async def file(request: Request, name: str) -> Response:
        if not on:
            return _nothing(request)
        path = page.path_of(name or INDEX_FILE)
        if path is not None:
            kept = _FOR_EVER if name.startswith(f"{ASSETS}/") else "no-cache"
            return FileResponse(path, headers=_PAGE_HEADERS | {"Cache-Control": kept})
        made = (await publisher.current()).files.get(name)
        return _nothing(request) if made is None else respond(request, made, name)

    return router


def _nothing(request: Request) -> Response:
    raise Refused(
        404, request.url.path[:200], "there is nothing public here", "See docs/publishing.md"
    )


def respond(request: Request, made: Made, name: str) -> Response:
    """A file, or that it is the one which is known already (RFC 9110 sections 8.8 and 13.1)."""
    headers = request.headers
    packed = takes_gzip(headers.get("accept-encoding", ""))
    tag = f'"{made.sha256[:32]}{"-gz" if packed else ""}"'
    told = {**_SHARED, "ETag": tag, "Cache-Control": _ASK_AGAIN, "Vary": "Accept-Encoding"}
    if name != KEY_FILE and made.changed_ns is not None:
        at = to_datetime(made.changed_ns // NS_PER_S * NS_PER_S)
        told["Last-Modified"] = format_datetime(at, usegmt=True)
    wanted = headers.get("if-none-match")
    if wanted is not None:
        known = is_among(tag, wanted)
    else:
        known = _not_since(made, headers.get("if-modified-since"))
    if known:
        return Response(status_code=304, headers=told)
    if packed:
        told["Content-Encoding"] = "gzip"
    return Response(made.packed if packed else made.data, 200, told, made.media_type)


def is_among(tag: str, wanted: str) -> bool:
    """Whether an If-None-Match names this tag; weak ones count (section 13.1.2)."""
    names = (part.strip().removeprefix("W/") for part in wanted.split(","))
    return any(name in ("*", tag) for name in names)


def _not_since(made: Made, given: str | None) -> bool:
    if given is None or made.changed_ns is None:
        return False
    try:
        since = parsedate_to_datetime(given)
    except ValueError:
        return False
    if since.tzinfo is None:
        return False
    return to_datetime(made.changed_ns // NS_PER_S * NS_PER_S) <= since


def takes_gzip(accepted: str) -> bool:
    """Whether Accept-Encoding allows gzip (section 12.5.3): its own weight goes before `*`."""
    weights: dict[str, float] = {}
    for part in accepted.split(","):
        name, _, parameters = part.partition(";")
        weight = parameters.replace(" ", "").lower().removeprefix("q=")
        try:
            weights[name.strip().lower()] = float(weight) if weight else 1.0
        except ValueError:
            weights[name.strip().lower()] = 0.0
    return weights.get("gzip", weights.get("*", 0.0)) > 0.0
