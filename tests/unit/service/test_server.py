"""The real thing in a process of its own: start, addresses, signals, a body of 100 MB."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from skykeep.cli import main
from skykeep.commands.recompute import recompute
from tests.faults.keeper import OFFICER, RADAR, Keeper, prepare


def served(tmp_path: Path, *more: str) -> int:
    prepare(tmp_path)
    site, data = str(tmp_path / "site.json"), str(tmp_path / "data")
    return main(["serve", "--site", site, "--data", data, *more])


def test_it_listens_inside_unless_told_otherwise(tmp_path: Path) -> None:
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.org"):
        assert served(tmp_path, "--host", host) == 2
    assert not (tmp_path / "data").exists()


def test_a_place_that_cannot_be_had(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert served(tmp_path, "--port", str(taken.getsockname()[1])) == 2
    assert served(tmp_path, "--port", "70000") == 2
    assert served(tmp_path, "--port", "-1") == 2


def test_from_start_to_a_clean_end(tmp_path: Path) -> None:
    prepare(tmp_path)
    keeper = Keeper(tmp_path)
    assert keeper.ready == f"Citadel: 4 entries, serving on http://127.0.0.1:{keeper.port}\n"
    assert keeper.post(1)[0] == 200
    spaces = b" " * 100_000_000
    for token, path in ((RADAR, "batches"), (OFFICER, "commands/assess")):
        status, answer = keeper.request("POST", f"/v1/{path}", token, spaces)
        assert (status, answer["where"]) == (413, "body")
    status, answer = keeper.request("POST", "/v1/batches", "wrong", spaces)
    assert (status, answer["where"]) == (401, "header Authorization")
    memory = Path(f"/proc/{keeper.process.pid}/status").read_text(encoding="utf-8")
    assert int(memory.partition("VmHWM:")[2].split()[0]) < 400_000  # kB: it was not all held
    chunked = socket.create_connection(("127.0.0.1", keeper.port))
    head = f"POST /v1/batches HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {RADAR}\r\n"
    chunked.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
    for _ in range(12):
        chunked.sendall(b"f4240\r\n" + b" " * 1_000_000 + b"\r\n")
    chunked.sendall(b"0\r\n\r\n")
    assert b" 413 " in chunked.recv(4_096).split(b"\r\n")[0]
    chunked.close()
    assert keeper.post(2)[0] == 200
    assert keeper.stop() == 0
    assert (tmp_path / "stderr.txt").read_bytes() == b""
    found = recompute(tmp_path / "data")
    assert (found.faults, found.counts["batch"]) == ([], 2)


def test_without_tokens_it_says_what_to_do(tmp_path: Path) -> None:
    prepare(tmp_path)
    (tmp_path / "tokens.json").unlink()
    keeper = Keeper(tmp_path)
    assert keeper.process.stdout is not None
    assert "skykeep token new" in keeper.process.stdout.readline()
    status, health = keeper.request("GET", "/health")
    assert (status, "tokens.json" in json.dumps(health)) == (503, True)
    assert keeper.stop() == 0
