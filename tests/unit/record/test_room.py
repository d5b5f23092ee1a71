"""The record stands on the errors, the standard library and cryptography, and on no clock."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOM = Path(__file__).parents[3] / "src" / "skykeep" / "record"
SOURCES = sorted(ROOM.rglob("*.py"))
ALLOWED = {"skykeep.errors", "skykeep.record", "cryptography"}
# What asks the world for something that an argument should give.
CHANCE_OR_CLOCK = {"random", "secrets", "uuid", "time", "datetime", "logging", "os", "socket"}


def imported(source: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names.add(node.module or "")
    return names


def strangers(source: str) -> set[str]:
    return {
        name
        for name in imported(source)
        if name.split(".")[0] not in sys.stdlib_module_names
        and not any(name == room or name.startswith(room + ".") for room in ALLOWED)
    }


def test_the_room_is_there() -> None:
    assert {"checkpoint.py", "keys.py", "merkle.py", "note.py"} <= {p.name for p in SOURCES}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_imports_nothing_else(path: Path) -> None:
    assert strangers(path.read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_chance_comes_in_at_one_place_and_time_nowhere(path: Path) -> None:
    found = {name.split(".")[0] for name in imported(path.read_text(encoding="utf-8"))}
    assert found & CHANCE_OR_CLOCK == ({"os"} if path.name == "keys.py" else set())


def test_only_keys_need_cryptography() -> None:
    found = {
        path.name
        for path in SOURCES
        if any(
            name.split(".")[0] == "cryptography"
            for name in imported(path.read_text(encoding="utf-8"))
        )
    }
    assert "keys.py" in found
    assert not found & {"merkle.py", "note.py", "checkpoint.py"}


def test_a_stranger_is_seen() -> None:
    assert strangers("import numpy.linalg\nfrom skykeep.core import geo\nimport json") == {
        "numpy.linalg",
        "skykeep.core",
    }
