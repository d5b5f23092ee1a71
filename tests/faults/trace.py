"""What a process did to the files of a folder: its system calls, recorded by strace."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

#: Whatever can change a file or a folder, or make a change durable.
CALLS = (
    "open,openat,creat,write,pwrite64,writev,pwritev,pwritev2,lseek,fsync,fdatasync,ftruncate,"
    "truncate,fallocate,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,"
    "mkdir,mkdirat,rmdir,sync_file_range,copy_file_range,sendfile,mmap,sync,syncfs"
)
#: strace cuts off what is longer; no write of ours is.
MOST_BYTES = 1 << 20
_LINE = re.compile(rb"(?:\d+ +)?(\w+)\((.*)\) += (-?\d+|\?|0x[0-9a-f]+)(?:<([^>]*)>)?(.*)")
_STRING = re.compile(rb'"((?:\\x[0-9a-f]{2})*)"')
_PLACE = re.compile(rb"(-?\d+|AT_FDCWD)<([^>]*)>")


@dataclass(frozen=True, slots=True)
class Call:
    """One call: its name, the file, what was written where; `failed` if it said so."""

    name: str
    path: str
    data: bytes = b""
    at: int = 0
    to: str = ""
    flags: str = ""
    failed: bool = False


def missing() -> str:
    """Why nothing can be traced here; empty if it can."""
    if shutil.which("strace") is None:
        return "strace is not installed (Debian: strace)"
    tried = subprocess.run(
        ["strace", "-f", "-o", os.devnull, "true"], check=False, capture_output=True, text=True
    )
    return "" if tried.returncode == 0 else f"strace may not trace here: {tried.stderr.strip()}"


def needs_strace() -> None:
    """Skip, with the reason, where there is no tracing."""
    if why := missing():
        pytest.skip(why)


def record(out: Path, command: Sequence[str], env: dict[str, str], *options: str) -> None:
    """Run a command to its end and keep its calls in `out`."""
    subprocess.run(
        ["strace", "-f", "--seccomp-bpf", "-y", "-xx", "-s", str(MOST_BYTES), "-o", str(out),
         "-e", f"trace={CALLS}", *options, *command],
        check=True, env=env | {"PYTHONDONTWRITEBYTECODE": "1"}, stdout=subprocess.DEVNULL,
    )  # fmt: skip


def read(out: Path, folder: Path) -> Iterator[Call]:
    """The calls upon files in a folder; ValueError for one that the model does not know."""
    below = _hex(str(folder)).encode()
    with out.open("rb") as lines:
        for line in lines:
            if below in line:
                found = _call(line)
                if found is not None:
                    yield found


def _hex(text: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


def _call(line: bytes) -> Call | None:
    match = _LINE.match(line)
    if match is None:
        raise ValueError(f"a line that says nothing whole: {line[:200]!r}")
    name, arguments, result, made, _ = match.groups()
    called = name.decode()
    failed = result.startswith(b"-")
    strings = [_bytes(one) for one in _STRING.findall(arguments)]
    if called.endswith("at") and called != "openat":
        strings = _absolute(arguments, strings)
    if called in ("open", "openat", "creat"):
        if failed:
            return None
        flags = "O_CREAT|O_TRUNC" if called == "creat" else arguments.rpartition(b'"')[2].decode()
        return Call("open", _bytes(made).decode(), flags=flags)
    if called in ("rename", "renameat", "renameat2", "link", "linkat"):
        return Call(called[:6].rstrip("a"), strings[0].decode(), to=strings[1].decode(),
                    failed=failed)  # fmt: skip
    if called in ("unlink", "unlinkat", "mkdir", "mkdirat", "rmdir"):
        kind = "rmdir" if b"AT_REMOVEDIR" in arguments else called.removesuffix("at")
        return Call(kind, strings[0].decode(), failed=failed)
    place = _PLACE.match(arguments)
    if place is None:
        raise ValueError(f"a call upon no file: {line[:200]!r}")
    path = _bytes(place[2]).decode()
    numbers = arguments.rpartition(b", ")[2]
    if called == "pwrite64":
        return Call("write", path, b"" if failed else strings[0][: int(result)], int(numbers),
                    failed=failed)  # fmt: skip
    if called == "write":
        return Call("write", path, b"" if failed else strings[0][: int(result)], -1, failed=failed)
    if called in ("fsync", "fdatasync"):
        return Call("sync", path, failed=failed)
    if called == "ftruncate":
        return Call("truncate", path, at=int(numbers), failed=failed)
    if called == "lseek":
        return Call("seek", path, at=int(result))
    if called == "mmap" and b"PROT_WRITE" not in arguments:
        return None
    if called == "fallocate" and failed:
        return None
    raise ValueError(f"the model knows no {called}: {line[:200]!r}")


def _absolute(arguments: bytes, names: list[bytes]) -> list[bytes]:
    """The names of a call that counts from an open folder."""
    place = _PLACE.match(arguments)
    assert place is not None
    return [os.path.join(_bytes(place[2]), name) for name in names]


def _bytes(escaped: bytes) -> bytes:
    return bytes.fromhex(escaped.replace(b"\\x", b"").decode())
