"""RFC 3161 time-stamps on hourly checkpoints, from openssl's own authorities over loopback."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from skykeep.cli import main
from skykeep.codec.timestamp_token import check_token, read_answer, read_roots
from skykeep.config import TimestampPlace, read_timestamps
from skykeep.errors import InputError, RecordError
from skykeep.record import note as notes
from skykeep.record.entry import hour_of
from skykeep.service.timestamps import HOURS_BACK, Stamper
from tests.desk import Desk
from tests.sky import plots
from tests.stamping import OPENSSL, Authority

pytestmark = pytest.mark.skipif(OPENSSL is None, reason="the openssl command is not there")
HOUR_S = 3_600.0


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Authority, Authority]]:
    folder = tmp_path_factory.mktemp("authorities")
    first, second = (Authority(folder / name, name) for name in ("tsa-1", "tsa-2"))
    yield first, second
    first.close()
    second.close()


@pytest.fixture
def desk(tmp_path: Path, authorities: tuple[Authority, Authority]) -> Iterator[Desk]:
    made = Desk(tmp_path)
    stamper = Stamper(made.writer, [place_of(a) for a in authorities])
    made.app.state.stamper = stamper
    yield made
    for one in authorities:
        one.change = lambda status, body: (status, body)
    stamper.close()
    made.close()


def place_of(authority: Authority) -> TimestampPlace:
    roots = read_roots([("roots", authority.roots.read_bytes())])
    return TimestampPlace(authority.name, authority.url, roots)


def round_of(desk: Desk) -> None:
    desk.loop.run_until_complete(desk.app.state.stamper.round())


def hours(desk: Desk) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = desk.get("/log/timestamps", None).json()["hours"]
    return found


def test_two_authorities_stamp_one_head_an_hour(
    desk: Desk, authorities: tuple[Authority, Authority], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    round_of(desk)
    asked = [a.asked for a in authorities]
    head = desk.writer.checkpoint
    desk.send(plots(0.0, (100.0, 0.0, 80.0)))
    round_of(desk)  # nothing is missing in this hour any more
    assert [a.asked for a in authorities] == asked
    desk.clock.on(HOUR_S)
    desk.send(plots(HOUR_S, (100.0, 0.0, 80.0)))
    round_of(desk)
    newer, older = hours(desk)
    assert older["note"].encode() == head
    assert newer["hour"] == older["hour"] + 1 == hour_of(desk.clock.now_ns)
    assert set(older["tokens"]) == {"tsa-1", "tsa-2"}
    assert desk.get("/health", None).json()["timestamps"] == {"tsa-1": "", "tsa-2": ""}
    one = desk.get(f"/log/timestamps/{older['hour']}", None)
    assert one.json() == older
    assert desk.get(f"/log/timestamps/{older['hour'] - 1}", None).status_code == 404
    # openssl reads ours, ours openssl's.
    text, authority = notes.parse(head).text.encode(), authorities[0]
    token = base64.b64decode(older["tokens"]["tsa-1"])
    (authority.folder / "text").write_bytes(text)
    (authority.folder / "kept").write_bytes(token)
    said = authority.openssl("-verify", "-data", "text", "-in", "kept", "-CAfile", "root.pem")
    assert "Verification: OK" in said
    at_ns = check_token(token, text, place_of(authority).roots)
    assert abs(at_ns / 1e9 - time.time()) < 3_600
    # What anybody checks, with roots and key of their own.
    (tmp_path / "hour.json").write_bytes(one.content)
    key = str(tmp_path / "data/log.vkey")
    words = ["verify-timestamp", str(tmp_path / "hour.json"), "--key", key]
    both = [w for a in authorities for w in ("--roots", str(a.roots))]
    assert main([*words, *both]) == 0
    assert "tsa-1: it was there at" in capsys.readouterr().out
    assert main([*words, "--roots", str(authority.roots)]) == 1
    assert "tsa-2: the time-stamp does not hold" in capsys.readouterr().err
    (tmp_path / "hour.json").write_text(json.dumps(older | {"note": newer["note"]}))
    assert main([*words, *both]) == 1
    assert "Mismatch between messages" in capsys.readouterr().err
    (tmp_path / "hour.json").write_text(json.dumps(older | {"tokens": {}}))
    assert main([*words, *both]) == 1


def test_an_authority_that_is_away_is_told_and_asked_again(
    desk: Desk, authorities: tuple[Authority, Authority]
) -> None:
    first, _ = authorities
    first.change = lambda *_: (503, b"later")
    round_of(desk)
    assert set(hours(desk)[0]["tokens"]) == {"tsa-2"}
    health = desk.get("/health", None).json()
    assert health["timestamps"] == {"tsa-1": "it answered 503", "tsa-2": ""}
    assert desk.get("/health", None).json()["ok"]  # nothing waits for it
    desk.clock.on(HOUR_S)
    first.change = lambda status, body: (status, body)
    round_of(desk)
    assert [set(h["tokens"]) for h in hours(desk)] == [{"tsa-1", "tsa-2"}] * 2
    assert desk.get("/health", None).json()["timestamps"]["tsa-1"] == ""
    first.change = lambda *_: (503, b"later")
    desk.clock.on(HOUR_S)
    round_of(desk)
    asked = first.asked
    desk.clock.on((HOURS_BACK + 1) * HOUR_S)  # too long ago to be asked for
    first.change = lambda status, body: (status, body)
    round_of(desk)
    assert first.asked == asked + 1


def of_another(first: Authority, body: bytes) -> bytes:
    """A sound answer to a request over something else."""
    (first.folder / "other").write_text("something else")
    first.openssl("-query", "-data", "other", "-sha256", "-cert", "-out", "query")
    first.openssl("-reply", "-config", "tsa.cnf", "-queryfile", "query", "-out", "reply")
    return (first.folder / "reply").read_bytes()


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda body, _: b"", "no time-stamp answer"),
        (lambda body, _: b"<html>", "no time-stamp answer"),
        (lambda body, _: body[:-200], "no time-stamp answer"),
        (lambda body, _: b"x" * 200_000, "over 100000 bytes"),
        (lambda body, first: of_another(first, body), "over something else"),
        (lambda body, _: body[:-3] + bytes([body[-3] ^ 1]) + body[-2:], "does not hold"),
        (lambda body, _: bytes.fromhex("30073005020102a000"), ""),
    ],
)
def test_a_useless_answer_is_not_kept(
    desk: Desk, authorities: tuple[Authority, Authority], spoil: Any, why: str
) -> None:
    first, _ = authorities
    first.change = lambda status, body: (status, spoil(body, first))
    round_of(desk)
    assert set(hours(desk)[0]["tokens"]) == {"tsa-2"}
    assert why in desk.get("/health", None).json()["timestamps"]["tsa-1"]


def test_a_token_of_an_authority_that_the_site_does_not_trust_is_not_kept(
    desk: Desk, authorities: tuple[Authority, Authority]
) -> None:
    first, second = authorities
    places = [replace(place_of(first), roots=place_of(second).roots), place_of(second)]
    desk.app.state.stamper.places = tuple(places)
    round_of(desk)
    assert set(hours(desk)[0]["tokens"]) == {"tsa-2"}
    assert "does not hold" in desk.get("/health", None).json()["timestamps"]["tsa-1"]


def test_a_site_without_authorities_says_so(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert hours(desk) == []
    assert desk.get("/log/timestamps/1", None).status_code == 404
    assert desk.get("/health", None).json()["timestamps"] == {}
    assert not (tmp_path / "data" / "timestamps.sqlite").exists()
    desk.close()


def test_the_site_file(tmp_path: Path, authorities: tuple[Authority, Authority]) -> None:
    first, _ = authorities
    site = tmp_path / "site.json"

    def read(*places: dict[str, str]) -> tuple[TimestampPlace, ...]:
        origin = {"lat_deg": 49.6, "lon_deg": 6.1, "height_hae_m": 300.0}
        document = {"authority": "a", "name": "n", "origin": origin, "timestamps": list(places)}
        site.write_text(json.dumps(document))
        return read_timestamps(site)

    (tmp_path / "roots.pem").write_bytes(first.roots.read_bytes())
    (tmp_path / "none.pem").write_text("nothing")
    good = {"name": "a", "url": first.url, "roots": "roots.pem"}
    (place,) = read(good)
    assert (place.name, place.url, place.roots) == ("a", first.url, place_of(first).roots)
    for bad, where in (
        ({**good, "url": "ftp://x"}, "[1].url"), (good, "[1].name"),
        ({**good, "name": "b", "roots": "none.pem"}, "[1].roots"),
        ({**good, "name": "b", "roots": "gone.pem"}, "[1].roots"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=r"timestamps\[1\]") as caught:
            read(good, bad)
        assert where in str(caught.value)


def test_no_bytes_crash_the_reader() -> None:
    for data in (b"", b"0", b"\x30\x80", bytes(100), b"\xff" * 50):
        with pytest.raises(RecordError):
            read_answer(data)
