"""`skykeep witness`: a process with a key and a memory of its own that cosigns logs' heads."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from skykeep.commands.log_export import read_key
from skykeep.errors import InputError, RecordError
from skykeep.record.keys import verifier
from skykeep.record.note import Verifier
from skykeep.service.witness import serve_witness
from skykeep.store.witness_state import WitnessState, make_witness


def new(folder: Path, name: str) -> int:
    """Make a witness and print its public key, which the logs need."""
    print(make_witness(folder, name).key.to_text())
    return 0


def run(
    folder: Path,
    logs: Sequence[Path],
    host: str,
    port: int,
    public: bool,
    clock_s: Callable[[], int],
) -> int:
    """Serve until a signal; 0 after a clean end."""
    if not public and not _is_loopback(host):
        problem = f"{host} can be reached from outside this machine"
        raise InputError("--host", problem, "Put a proxy in front, or add --i-know-this-is-public")
    state = WitnessState(folder, read_logs(logs))
    try:
        with _listener(host, port) as listener:
            shown, at = listener.getsockname()[:2]
            place = f"[{shown}]" if ":" in shown else shown
            print(f"{state.name}: {len(state.logs)} logs, on http://{place}:{at}", flush=True)
            serve_witness(state, listener, clock_s)
    finally:
        state.close()
    return 0


def read_logs(files: Sequence[Path]) -> dict[str, list[Verifier]]:
    """The keys of logs by their names, which are their origins; one log may have several keys."""
    logs: dict[str, list[Verifier]] = {}
    for path in files:
        key = read_key(path)
        try:
            logs.setdefault(key.name, []).append(verifier(key))
        except RecordError as error:
            raise InputError(str(path), str(error), "Give a log's public key") from None
    return logs


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise InputError(f"{host}:{port}", str(error), "Give another --host or --port") from None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
