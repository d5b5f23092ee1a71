"""What everybody may read: nothing unless it is switched on, then files that caches can keep."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from skykeep.codec.publication import check_manifest
from skykeep.codec.zones import read_zones
from skykeep.commands import zones_export
from skykeep.config import PublicSettings, read_public
from skykeep.core.zone import ZoneState
from skykeep.errors import InputError, RecordError
from skykeep.record import checkpoint as checkpoints
from skykeep.record.keys import ed25519_verifier
from skykeep.service.app import create_app
from skykeep.service.public import is_among, takes_gzip
from skykeep.service.publication import ED269_FILE, ED318_FILE, GEOJSON_FILE
from skykeep.service.publication_folder import page_files, write_folder
from skykeep.service.tokens import Tokens
from skykeep.service.web_page import Page
from tests.desk import OFFICER, Desk
from tests.faults.keeper import SITE
from tests.sky import zone_named

ZONE = replace(zone_named(), name="The citadel", legal_basis="Act 1", country="LUX")
FILES = (GEOJSON_FILE, ED318_FILE, ED269_FILE, "manifest.txt", "checkpoint.txt", "log.vkey")


class Public:
    """A desk with public routes beside its own."""

    def __init__(self, folder: Path, settings: PublicSettings) -> None:
        self.desk = Desk(folder)
        tokens = Tokens(folder / "tokens.json")
        self.app = create_app(self.desk.writer, tokens, Page(folder=folder / "web"), None, settings)
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://desk")

    def close(self) -> None:
        self.desk.loop.run_until_complete(self.client.aclose())
        self.desk.close()

    def get(self, name: str, method: str = "GET", **headers: str) -> httpx.Response:
        named = {"Accept-Encoding": "identity"} | {
            key.replace("_", "-"): value for key, value in headers.items()
        }
        asked = self.client.request(method, f"/public/{name}", headers=named)
        return self.desk.loop.run_until_complete(asked)

    def publish(self, *zones: Any) -> None:
        from skykeep.codec.ed318_write import write_ed318

        assert self.desk.command("publish_zone", write_ed318(zones)).status_code == 200


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Public]:
    assets = tmp_path / "web" / "assets"
    assets.mkdir(parents=True)
    (tmp_path / "web" / "index.html").write_text("the watch page")
    (tmp_path / "web" / "public.html").write_text("<script src=./assets/public-1.js>")
    (assets / "public-1.js").write_text("import './shared-2.js'")
    (assets / "shared-2.js").write_text("1")
    (assets / "index-3.js").write_text("import './shared-2.js'")
    made = Public(tmp_path, PublicSettings(True, "ask the city"))
    made.publish(ZONE)
    yield made
    made.close()


def test_nothing_is_there_unless_the_site_says_so(tmp_path: Path) -> None:
    made = Public(tmp_path, PublicSettings())
    for name in ("", *FILES):
        assert made.get(name).status_code == 404
    assert made.get(GEOJSON_FILE, "OPTIONS").status_code == 404
    made.close()


def test_zones_without_a_token_for_every_page(site: Public) -> None:
    for name in FILES:
        answer = site.get(name)
        assert answer.status_code == 200, name
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Cache-Control"] == "public, no-cache"
        assert "A. Weber" not in answer.text
        head = site.get(name, "HEAD")
        assert head.headers["Content-Length"] == answer.headers["Content-Length"]
    for name in (ED318_FILE, ED269_FILE):
        assert read_zones(site.get(name).content, "there").zones == (ZONE,)
    document = site.get(GEOJSON_FILE)
    assert document.headers["Content-Type"] == "application/geo+json"
    assert document.json()["skykeep"]["contact"] == "ask the city"
    asked = site.get(GEOJSON_FILE, "OPTIONS", Access_Control_Request_Headers="if-none-match")
    assert asked.status_code == 204
    assert "If-None-Match" in asked.headers["Access-Control-Allow-Headers"]


def test_a_cache_hears_that_nothing_changed(site: Public) -> None:
    first = site.get(GEOJSON_FILE)
    tag, at = first.headers["ETag"], first.headers["Last-Modified"]
    assert not tag.startswith("W/")
    assert at == "Sat, 12 Sep 2026 21:48:00 GMT"
    again = site.get(GEOJSON_FILE, If_None_Match=f'"other", W/{tag}')
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    assert site.get(GEOJSON_FILE, If_Modified_Since=at).status_code == 304
    before = "Sat, 12 Sep 2026 21:47:59 GMT"
    assert site.get(GEOJSON_FILE, If_Modified_Since=before).status_code == 200
    assert site.get(GEOJSON_FILE, If_Modified_Since="yesterday").status_code == 200
    # If-None-Match goes before (RFC 9110 section 13.1.3).
    both = site.get(GEOJSON_FILE, If_Modified_Since=at, If_None_Match='"other"')
    assert both.status_code == 200
    site.desk.clock.on(5.0)
    site.desk.get("/v1/sensors")  # the clock's tick comes with it
    site.publish(replace(ZONE, name="The castle"))
    changed = site.get(GEOJSON_FILE, If_None_Match=tag)
    assert changed.status_code == 200
    assert "The castle" in changed.text
    assert changed.headers["Last-Modified"] == "Sat, 12 Sep 2026 21:48:05 GMT"
    ended = {"zone_id": "Z1", "why": "over"}  # no version more, one of them another
    assert site.desk.command("withdraw_zone", ended).status_code == 200
    assert site.get(GEOJSON_FILE).json()["features"] == []


def test_packed_if_asked_with_a_name_of_its_own(site: Public) -> None:
    plain = site.get(GEOJSON_FILE)
    packed = site.get(GEOJSON_FILE, Accept_Encoding="br, gzip;q=0.5")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.content == plain.content  # httpx unpacks it
    assert int(packed.headers["Content-Length"]) < len(plain.content)
    assert packed.headers["ETag"] != plain.headers["ETag"]
    assert "Accept-Encoding" in packed.headers["Vary"]
    for accepted, takes in {
        "": False, "*": True, "gzip;q=0": False, "*, gzip;q=0": False, "gzip ; q=0.1": True,
        "identity": False, "gzip;q=x": False,
    }.items():  # fmt: skip
        assert takes_gzip(accepted) is takes, accepted
    assert is_among('"a"', "*")
    assert not is_among('"a"', '"ab", "b"')


def test_the_statement_is_signed_and_fits_the_files(site: Public) -> None:
    recorded = site.desk.writer.look()
    assert recorded is not None
    key = ed25519_verifier(recorded.store.public_key)
    manifest = check_manifest(site.get("manifest.txt").content, key)
    head = checkpoints.check(site.get("checkpoint.txt").content, "city/skykeep", [key]).checkpoint
    assert (head.size, head.root) == (manifest.size, manifest.root)
    assert {f.name for f in manifest.files} == {GEOJSON_FILE, ED318_FILE, ED269_FILE}
    for listed in manifest.files:
        assert listed.holds(site.get(listed.name).content)
        assert (listed.zones, listed.omitted) == (1, 0)


def test_the_page_and_what_it_needs_but_not_the_watch_page(site: Public) -> None:
    index = site.get("")
    assert index.text.startswith("<script")
    rules = index.headers["Content-Security-Policy"].split("; ")
    assert "connect-src 'self'" in rules
    assert site.get("assets/shared-2.js").headers["Cache-Control"].endswith("immutable")
    for name in ("assets/index-3.js", "public.html", "nothing"):
        assert site.get(name).status_code == 404
    moved = site.desk.loop.run_until_complete(site.client.get("/public.html"))
    assert (moved.status_code, moved.headers["Location"]) == (307, "public/")


def test_while_the_record_is_away_the_last_one_stands(site: Public) -> None:
    before = site.get("manifest.txt").content
    site.desk.writer.problem = "the disk is full"
    site.app.state.publisher._made_s -= 100.0
    assert site.get("manifest.txt").content == before


def test_a_folder_is_kept_up_to_date(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    made = Public(tmp_path, PublicSettings(True, "", folder))
    publisher, loop = made.app.state.publisher, made.desk.loop

    async def until(words: bytes) -> None:
        async with asyncio.timeout(10.0):
            while (
                not (folder / "manifest.txt").is_file()
                or words not in (folder / GEOJSON_FILE).read_bytes()
            ):
                await asyncio.sleep(0.02)

    working = loop.create_task(publisher.run())
    loop.run_until_complete(until(b"FeatureCollection"))
    made.publish(ZONE)
    loop.run_until_complete(until(b"The citadel"))
    assert {path.name for path in folder.iterdir()} >= set(FILES)
    publisher.stop()
    loop.run_until_complete(working)
    made.close()
    with pytest.raises(InputError, match="cannot be written"):
        write_folder(folder / GEOJSON_FILE, {"manifest.txt": b""})


def test_exported_from_a_record_and_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = Desk(tmp_path)
    from skykeep.codec.ed318_write import write_ed318

    hidden = replace(ZONE, zone_id="P1", state=ZoneState.PROPOSED)
    assert desk.command("publish_zone", write_ed318((ZONE, hidden)), OFFICER).status_code == 200
    desk.close()
    out, data = tmp_path / "out", tmp_path / "data"
    assert zones_export.export(out, data, None) == 0
    assert "1 zones" in capsys.readouterr().out
    key = data / "log.vkey"
    assert zones_export.verify(out, key) == 0
    first = (out / GEOJSON_FILE).read_bytes()
    assert [f["id"] for f in json.loads(first)["features"]] == ["Z1"]
    assert zones_export.export(out, data, None) == 0
    assert (out / GEOJSON_FILE).read_bytes() == first
    (out / GEOJSON_FILE).write_bytes(first.replace(b"citadel", b"citadeL"))
    with pytest.raises(RecordError, match="not the file that was signed"):
        zones_export.verify(out, key)
    with pytest.raises(RecordError, match="there is no record"):
        zones_export.export(out, tmp_path / "nowhere", None)


def test_page_files_are_those_that_are_named_in_turn(site: Public, tmp_path: Path) -> None:
    found = page_files(tmp_path / "web")
    assert set(found) == {"index.html", "assets/public-1.js", "assets/shared-2.js"}
    assert page_files(tmp_path) == {}
    site.get("log.vkey")
    held = site.app.state.publisher._held.files["log.vkey"]
    assert gzip.decompress(held.packed) == held.data


def test_nobody_elses_start_page_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("the city")
    with pytest.raises(InputError, match="not of a publication"):
        write_folder(tmp_path, {"manifest.txt": b""})
    assert (tmp_path / "index.html").read_text() == "the city"


def test_the_site_file_switches_it_on(tmp_path: Path) -> None:
    def read(**public: Any) -> PublicSettings:
        path = tmp_path / "site.json"
        path.write_text(json.dumps(SITE | ({"public": public} if public else {})), "utf-8")
        return read_public(path)

    assert read() == PublicSettings(False, "", None, 600.0)
    assert read(zones=True, contact="us", folder="out", refresh_min=1.0) == PublicSettings(
        True, "us", tmp_path / "out", 60.0
    )
    for wrong, field in (
        ({"zones": True, "refresh_min": 0}, "public.refresh_min"),
        ({"folder": "out"}, "public.folder"),
        ({"zone": True}, "zone"),
    ):
        with pytest.raises(InputError) as caught:
            read(**wrong)
        assert field in str(caught.value)
