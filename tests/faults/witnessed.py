"""Logs and witnesses for attacks: records of ticks, witnesses in this process or in their own."""

from __future__ import annotations

import asyncio
import json
import select
import shutil
import signal
import subprocess
import sys
import urllib.request
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from skykeep.config import WitnessPlace
from skykeep.record import checkpoint as checkpoints
from skykeep.record.cosignature import CosignatureVerifier, cosignature_verifier
from skykeep.record.entry import Entry
from skykeep.record.keys import ed25519_verifier, parse_public, verifier
from skykeep.record.note import Verifier
from skykeep.service import witness_client
from skykeep.service.witness import witness_app
from skykeep.service.witness_client import Asked
from skykeep.store.record_files import PUBLIC_FILE, SECRET_FILE
from skykeep.store.record_store import RecordStore
from skykeep.store.witness_state import WitnessState, make_witness
from tests.sky import at

ORIGIN = "city/skykeep"
START_S = 30.0


def record(folder: Path, times: Sequence[int], key_of: Path | None = None) -> RecordStore:
    """A record of ticks under one checkpoint; with the log's key of another folder, if given."""
    if key_of is not None:
        folder.mkdir()
        for name in (PUBLIC_FILE, SECRET_FILE):
            shutil.copy(key_of / name, folder / name)
    store = RecordStore(folder, ORIGIN)
    grow(store, times)
    return store


def grow(store: RecordStore, times: Sequence[int]) -> None:
    store.append([Entry("tick", at(second), "", ()) for second in times])


def forked(folder: Path, store: RecordStore, common: int, size: int) -> RecordStore:
    """What an insider can make: the same beginning, other entries after it, the log's own key."""
    theirs = [*range(common), *range(1_000, 1_000 + size - common)]
    return record(folder, theirs, store.folder)


def offer(store: RecordStore, place: WitnessPlace, known: int = 0) -> Asked:
    """Ask a witness, as the log does."""
    note, log = store.checkpoint(), ed25519_verifier(store.public_key)
    head = checkpoints.check(note, ORIGIN, [log]).checkpoint
    prove = store.tree().consistency_proof
    return witness_client.ask(place, log, note, head, known, prove)


class Local:
    """A witness in this process, behind its real application."""

    def __init__(self, folder: Path, name: str, log_key: Verifier) -> None:
        self.folder, self.logs = folder, {ORIGIN: [log_key]}
        self.place = WitnessPlace(make_witness(folder, name).key, f"http://{name}")
        self.verifier: CosignatureVerifier = cosignature_verifier(self.place.key)
        self.open()

    def open(self) -> None:
        self.state = WitnessState(self.folder, self.logs)
        self.app = witness_app(self.state, lambda: 1_789_000_000)

    def request(self, method: str, path: str, body: bytes = b"") -> httpx.Response:
        async def go() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://w") as client:
                return await client.request(method, path, content=body)

        return asyncio.run(go())

    def seen(self) -> Any:
        return self.request("GET", "/heads").json()

    @property
    def head(self) -> bytes:
        """What it publishes as the log's newest head."""
        note: str = self.seen()["heads"][ORIGIN]
        return note.encode()


def connect(patch: pytest.MonkeyPatch, witnesses: Sequence[Local]) -> None:
    """Let the log's client reach witnesses in this process; others do not answer."""
    by_url = {one.place.url: one for one in witnesses}

    def post(url: str, body: bytes, *_: object) -> tuple[int, str, bytes]:
        base = url.removesuffix("/add-checkpoint")
        if base not in by_url:
            raise witness_client.RecordError("it does not answer (refused)")
        answer = by_url[base].request("POST", "/add-checkpoint", body)
        return answer.status_code, answer.headers["Content-Type"].partition(";")[0], answer.content

    patch.setattr(witness_client, "post", post)


class Process:
    """A real `skykeep witness run` over a folder that is made if need be."""

    def __init__(
        self, folder: Path, log_key: Path, name: str = "w.example/1", before: Sequence[str] = ()
    ) -> None:
        if not folder.exists():
            make_witness(folder, name)
        key = parse_public((folder / "witness.vkey").read_text())
        self.errors = (folder / "stderr.txt").open("ab+")
        self.process = subprocess.Popen(
            [*before, sys.executable, "-m", "skykeep", "witness", "run", str(folder),
             "--log", str(log_key), "--port", "0"],
            stdout=subprocess.PIPE, stderr=self.errors, text=True,
        )  # fmt: skip
        weakref.finalize(self, self.process.kill)  # a test that fails leaves nothing running
        assert self.process.stdout is not None
        readable, _, _ = select.select([self.process.stdout], [], [], START_S)
        self.ready = self.process.stdout.readline() if readable else ""
        self.place = WitnessPlace(key, "http" + self.ready.strip().rpartition("http")[2])
        self.verifier = cosignature_verifier(key)

    def seen(self) -> Any:
        with urllib.request.urlopen(f"{self.place.url}/heads", timeout=10.0) as answer:
            return json.load(answer)

    def size(self) -> int:
        """How many entries its published head is over."""
        note = self.seen()["heads"].get(ORIGIN)
        return 0 if note is None else int(note.split("\n")[1])

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        code = self.process.wait(30.0)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.errors.close()
        return code


def log_key(folder: Path) -> Verifier:
    return verifier(parse_public((folder / PUBLIC_FILE).read_text()))


def witnessed_entry(port: int, entry: int, token: str) -> bytes:
    """A receipt from a running service."""
    url = f"http://127.0.0.1:{port}/v1/receipts/{entry}"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=10.0) as answer:
        data: bytes = answer.read()
        return data
