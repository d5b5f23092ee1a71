"""A witness over HTTP: statuses, media types and bounds of C2SP tlog-witness."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from skykeep.errors import RecordError
from skykeep.record.cosignature import check_cosigned
from skykeep.record.keys import parse_public
from skykeep.record.witness import MAX_REQUEST_BYTES
from skykeep.service import witness as room
from skykeep.service.witness import witness_app
from skykeep.store.witness_state import WitnessState, make_witness
from tests.unit.record.test_cosignature import LOG_KEY, ORIGIN
from tests.unit.record.test_witness import FORKED, LOGS, request, signed


class Asked:
    """The application and a client of it, in this process."""

    def __init__(self, state: WitnessState) -> None:
        self.state = state
        self.app = witness_app(state, lambda: 1_789_000_000)

    def __call__(self, method: str, path: str, content: object = None) -> httpx.Response:
        async def go() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://w") as client:
                return await client.request(method, path, content=content)  # type: ignore[arg-type]

        return asyncio.run(go())

    def add(self, data: bytes) -> httpx.Response:
        return self("POST", "/add-checkpoint", data)


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    make_witness(tmp_path, "witness.example/w1")
    state = WitnessState(tmp_path, LOGS)
    yield Asked(state)
    state.close()


def test_from_a_head_to_what_is_published(asked: Asked) -> None:
    answer = asked.add(request(0, 7))
    assert answer.status_code == 200
    assert answer.text.startswith("— witness.example/w1 ")
    assert answer.text.endswith("\n")
    told = asked("GET", "/heads").json()
    key = parse_public(told["witness"])
    note = told["heads"][ORIGIN].encode()
    assert note == signed(7) + answer.content
    assert check_cosigned(note, ORIGIN, [LOG_KEY], [key], 1).checkpoint.size == 7
    assert (told["refused"], told["forks"]) == ([], {})


def test_refusals_as_the_specification_has_them(asked: Asked) -> None:
    asked.add(request(0, 12))
    behind = asked.add(request(0, 20))
    assert (behind.status_code, behind.content) == (409, b"12\n")
    assert behind.headers["Content-Type"] == "text/x.tlog.size"
    forked = asked.add(request(12, 20, FORKED))
    assert (forked.status_code, "12" in forked.text) == (422, True)
    other = asked.add(request(12, 12, FORKED))
    assert (other.status_code, other.headers["Content-Type"][:10]) == (409, "text/plain")
    assert asked.add(b"nothing").status_code == 400
    told = asked("GET", "/heads").json()
    assert [one["status"] for one in told["refused"]] == [422, 409]
    assert list(told["forks"]) == [ORIGIN]


def test_bounds(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked.add(bytes(MAX_REQUEST_BYTES + 1)).status_code == 413
    monkeypatch.setattr(room, "BODY_S", 0.05)

    async def slow() -> AsyncIterator[bytes]:
        yield b"old 0\n"
        await asyncio.sleep(1.0)

    assert asked("POST", "/add-checkpoint", slow()).status_code == 408
    monkeypatch.setattr(room, "MOST_WAITING", 0)
    assert asked.add(request(0, 7)).status_code == 503
    assert asked.state.heads() == {}


def test_a_witness_that_stopped_says_so(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked("GET", "/health").json()["ok"] is True

    def stopped(*_: object) -> bytes:
        raise RecordError("the witness stopped: its disk")

    monkeypatch.setattr(WitnessState, "add", stopped)
    answer = asked.add(request(0, 7))
    assert (answer.status_code, "its disk" in answer.text) == (503, True)
    asked.state._broken = "its disk"
    assert asked("GET", "/health").status_code == 503
