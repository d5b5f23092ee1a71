"""The watch page: files that `web/` was built into, served as they are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, PlainTextResponse, Response

import skykeep
from skykeep.service.problems import Refused

#: Where a build lies inside the package.
BUILT = Path(skykeep.__file__).parent / "data" / "web"
BASEMAP_PATH = "/basemap.pmtiles"
#: What is named after its content never changes.
_FOR_EVER = "public, max-age=31536000, immutable"
_NO_PAGE = """Skykeep is running, but its watch page is not built here.

In a checkout, build it: make web
A package made without SKYKEEP_NO_WEB has it.
The interface for programs is described at /docs
"""
_HOST = re.compile(r"[A-Za-z0-9.\-]+(:[0-9]+)?|\[[0-9A-Fa-f:.]+\](:[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Page:
    """The watch page's files, and its map, if there is one.

    `basemap` is the URL of a PMTiles file, `basemap_file` one that this service gives out
    itself; `glyphs` a URL template for fonts. `procedure` is what is to be done about an alert,
    by its priority from 1 on.
    """

    basemap: str | None = None
    glyphs: str | None = None
    folder: Path | None = BUILT
    basemap_file: Path | None = None
    procedure: tuple[str, ...] = ()

    @property
    def basemap_url(self) -> str | None:
        """Where the page finds its map."""
        return BASEMAP_PATH if self.basemap_file is not None else self.basemap


def router_of(page: Page) -> APIRouter:
    """The routes of the page; they need no token, and what they give tells nothing."""
    router = APIRouter(include_in_schema=False)
    root = None if page.folder is None else page.folder.resolve()

    @router.api_route("/", methods=["GET", "HEAD"])
    async def index(request: Request) -> Response:
        file = None if root is None else root / "index.html"
        if file is None or not file.is_file():
            return PlainTextResponse(_NO_PAGE, 404, {"Cache-Control": "no-cache"})
        return FileResponse(file, headers=_headers(request, page) | {"Cache-Control": "no-cache"})

    @router.api_route(BASEMAP_PATH, methods=["GET", "HEAD"])
    async def basemap(request: Request) -> Response:
        file = page.basemap_file
        if file is None or not file.is_file():
            raise Refused(404, BASEMAP_PATH, "there is no map here", "See the basemap option")
        headers = _headers(request, page) | {"Cache-Control": "no-cache"}
        return FileResponse(file, headers=headers, media_type="application/octet-stream")

    @router.api_route("/{path}", methods=["GET", "HEAD"])
    @router.api_route("/assets/{path:path}", methods=["GET", "HEAD"])
    async def asset(request: Request) -> Response:
        path = request.url.path[1:]
        file = None if root is None else _inside(root, path)
        if file is None:
            raise Refused(
                404, f"/{path}"[:200], "there is nothing here", "See /docs for what there is"
            )
        kept = _FOR_EVER if path.startswith("assets/") else "no-cache"
        return FileResponse(file, headers=_headers(request, page) | {"Cache-Control": kept})

    return router


def _inside(root: Path, path: str) -> Path | None:
    """The file of a path, if it lies in the folder, by whatever way."""
    try:
        file = (root / path).resolve()
        found = file.is_relative_to(root) and file.is_file()
    except (OSError, ValueError):
        return None
    return file if found else None


def _headers(request: Request, page: Page) -> dict[str, str]:
    """Nothing from elsewhere but the map that was configured; the stream from here alone."""
    host = request.headers.get("host", "")
    sockets = f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
    others = "".join(f" {o}" for o in dict.fromkeys(map(_origin, (page.basemap, page.glyphs))) if o)
    policy = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        f"img-src 'self' data: blob:{others}",
        "font-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self' blob:",
        f"connect-src 'self'{sockets}{others}",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
    }


def _origin(url: str | None) -> str:
    """Scheme and host of a URL elsewhere; empty for one of this service."""
    parts = urlsplit(url or "")
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme and parts.netloc else ""
