"""Core and codec ask no clock, roll no dice and say nothing: their sources are read to see it.

The import contract (pyproject.toml) forbids whole modules; this test finds what hides in
modules that are allowed, such as `datetime.now` or `numpy.random`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src" / "skykeep"
ROOMS = ("core", "codec")

FORBIDDEN_MODULES = frozenset({"time", "random", "secrets", "uuid", "logging", "numpy.random"})
FORBIDDEN_ATTRIBUTES = frozenset({"now", "utcnow", "today", "urandom"})
FORBIDDEN_CALLS = frozenset({"print", "open", "input", "eval", "exec"})


def _dotted(node: ast.expr) -> str:
    """`a.b.c` of an attribute chain; empty for anything else at its root."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        root = _dotted(node.value)
        return f"{root}.{node.attr}" if root else ""
    return ""


def _module_forbidden(name: str) -> bool:
    return any(name == m or name.startswith(m + ".") for m in FORBIDDEN_MODULES)


def impurities(source: str) -> Iterator[str]:
    """Each impure thing in a source as 'line: what'."""
    aliases = {"np": "numpy"}
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                aliases[alias.asname or alias.name] = alias.name
                if _module_forbidden(alias.name):
                    yield f"{node.lineno}: import {alias.name}"
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            for alias in node.names:
                aliases[alias.asname or alias.name] = f"{module}.{alias.name}"
                if _module_forbidden(module) or _module_forbidden(f"{module}.{alias.name}"):
                    yield f"{node.lineno}: from {module} import {alias.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            head, _, rest = _dotted(node).partition(".")
            name = f"{aliases.get(head, head)}.{rest}"
            if node.attr in FORBIDDEN_ATTRIBUTES or _module_forbidden(name):
                yield f"{node.lineno}: {name}"
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in FORBIDDEN_CALLS
        ):
            yield f"{node.lineno}: {node.func.id}()"


@pytest.mark.parametrize("room", ROOMS)
def test_room_is_pure(room: str) -> None:
    files = sorted((SRC / room).rglob("*.py"))
    assert files, f"no sources in {room}"
    found = [
        f"{path.relative_to(SRC)}:{what}"
        for path in files
        for what in impurities(path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "import time\n",
        "import time as t\nt.time()\n",
        "from time import time\n",
        "from datetime import datetime\ndatetime.now()\n",
        "import datetime as dt\ndt.datetime.utcnow()\n",
        "from datetime import date\ntoday = date.today\n",
        "import uuid\n",
        "from uuid import uuid4\n",
        "import random\n",
        "import numpy as np\nrng = np.random.default_rng(1)\n",
        "from numpy import random as dice\n",
        "from numpy.random import default_rng\n",
        "import logging.handlers\n",
        "print('seen')\n",
        "with open('zones.json') as f:\n    pass\n",
    ],
)
def test_an_impure_source_is_found(source: str) -> None:
    assert list(impurities(source))


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import UTC, datetime, time, timedelta\nnoon = time(12)\n",
        "import numpy as np\nx = np.zeros(3)\n",
        "def judge(now_ns: int) -> int:\n    return now_ns\n",
        "import math\nmath.sqrt(2.0)\n",
        "def of(column: Column) -> int:\n    return column.time_ns\n",
    ],
)
def test_a_pure_source_is_not(source: str) -> None:
    assert list(impurities(source)) == []
