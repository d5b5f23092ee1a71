"""The watch page: the files of a build and nothing else, with nothing from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from skykeep.service import problems
from skykeep.service.web_page import Page, router_of


def asked(page: Page, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    import asyncio

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    problems.install(app)
    app.include_router(router_of(page))

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://desk:8460") as client:
            return await client.request(method, path, headers=headers)

    return asyncio.run(ask())


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "web"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Skykeep</title>")
    (folder / "assets" / "index-1a2b.js").write_text("export {}")
    (folder / "icon.svg").write_text("<svg/>")
    (tmp_path / "secret.txt").write_text("not for you")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    return folder


def policy(answer: httpx.Response) -> dict[str, list[str]]:
    rules = answer.headers["Content-Security-Policy"].split("; ")
    return {rule.split()[0]: rule.split()[1:] for rule in rules}


def test_the_page_and_its_files(built: Path) -> None:
    page = Page(folder=built)
    index = asked(page, "/")
    assert (index.status_code, index.headers["Cache-Control"]) == (200, "no-cache")
    assert index.headers["Content-Type"].startswith("text/html")
    script = asked(page, "/assets/index-1a2b.js")
    assert "immutable" in script.headers["Cache-Control"]
    assert "javascript" in script.headers["Content-Type"]
    icon = asked(page, "/icon.svg")
    assert icon.headers["Cache-Control"] == "no-cache"
    for answer in (index, script, icon):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert policy(answer)["default-src"] == ["'none'"]
    head = asked(page, "/", "HEAD")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == index.headers["Content-Length"]


def test_scripts_and_streams_come_from_here_alone(built: Path) -> None:
    rules = policy(asked(Page(folder=built), "/"))
    assert rules["script-src"] == ["'self'"]
    assert rules["connect-src"] == ["'self'", "ws://desk:8460", "wss://desk:8460"]
    assert rules["frame-ancestors"] == ["'none'"]
    odd = asked(Page(folder=built), "/", Host="desk; script-src *")
    assert policy(odd)["connect-src"] == ["'self'"]
    assert "*" not in odd.headers["Content-Security-Policy"]
    page = Page("https://maps.example/city.pmtiles", "https://fonts.example/{fontstack}", built)
    rules = policy(asked(page, "/"))
    assert rules["connect-src"][3:] == ["https://maps.example", "https://fonts.example"]


def test_nothing_outside_of_the_folder(built: Path) -> None:
    page = Page(folder=built)
    for path in (
        "/secret.txt", "/..%2fsecret.txt", "/assets/..%2f..%2fsecret.txt", "/%2e%2e/secret.txt",
        "/assets/../../secret.txt", "/link.txt", "/assets", "/assets/", "/assets/none.js",
        "/%00", f"/{'x' * 5_000}", "/assets/%00.js",
    ):  # fmt: skip
        answer = asked(page, path)
        assert answer.status_code == 404, path
        assert "not for you" not in answer.text


def test_where_it_is_not_built_it_says_how(tmp_path: Path) -> None:
    for page in (Page(folder=None), Page(folder=tmp_path / "none"), Page(folder=tmp_path)):
        answer = asked(page, "/")
        assert answer.status_code == 404
        assert "make web" in answer.text


def test_a_map_of_its_own_is_given_out_in_ranges(tmp_path: Path) -> None:
    tiles = tmp_path / "city.pmtiles"
    tiles.write_bytes(bytes(range(256)) * 40)
    page = Page(folder=None, basemap_file=tiles)
    assert page.basemap_url == "/basemap.pmtiles"
    part = asked(page, "/basemap.pmtiles", Range="bytes=256-259")
    assert (part.status_code, part.content) == (206, b"\x00\x01\x02\x03")
    assert part.headers["Content-Range"] == "bytes 256-259/10240"
    assert asked(page, "/basemap.pmtiles", "HEAD").headers["Accept-Ranges"] == "bytes"
    assert asked(page, "/basemap.pmtiles", Range="bytes=99999-").status_code == 416
    assert asked(Page(folder=None), "/basemap.pmtiles").status_code == 404
    more: dict[str, Any] = {"basemap": "https://maps.example/x"}
    assert Page(folder=None, **more).basemap_url == "https://maps.example/x"
