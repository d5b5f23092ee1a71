"""Tokens: made once, kept as a hash, told apart by role."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from skykeep.cli import main
from skykeep.errors import InputError
from skykeep.service.tokens import Role, Tokens, digest_of, new_token, read_tokens


def made(path: Path, *arguments: str) -> int:
    return main(["token", "new", str(path), *arguments])


def test_a_token_is_printed_once_and_only_its_hash_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "tokens.json"
    assert made(path, "--name", "C. Weber", "--role", "watch_officer") == 0
    first = capsys.readouterr().out.strip()
    assert made(path, "--name", "radar", "--role", "sensor", "--sensor", "radar-1") == 0
    second = capsys.readouterr().out.strip()
    assert first != second
    assert len(first) > 40
    text = path.read_text(encoding="utf-8")
    assert first not in text
    assert digest_of(first) in text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    tokens = Tokens(path)
    holder = tokens.holder_of(first)
    assert holder is not None
    assert (holder.actor.name, holder.actor.role) == ("C. Weber", "watch_officer")
    sensor = tokens.holder_of(second)
    assert sensor is not None
    assert (sensor.role, sensor.sensor) == (Role.SENSOR, "radar-1")
    assert tokens.holder_of(first + "x") is None
    assert tokens.holder_of("") is None
    assert tokens.holder_of(digest_of(first)) is None  # who reads the file has no token


@pytest.mark.parametrize(
    "arguments",
    [
        ("--name", "radar", "--role", "sensor"),
        ("--name", "x", "--role", "watch_officer", "--sensor", "radar-1"),
        ("--name", "  ", "--role", "watch_officer"),
        ("--name", "x" * 101, "--role", "watch_officer"),
    ],
)
def test_a_token_that_makes_no_sense_is_not_made(tmp_path: Path, arguments: tuple[str]) -> None:
    path = tmp_path / "tokens.json"
    assert made(path, *arguments) == 2
    assert not path.exists()


GOOD = {"sha256": "0" * 64, "name": "x", "role": "watch_officer"}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("{", "truncated"),
        ("[]", "Expected `object`"),
        (json.dumps({"tokens": [GOOD | {"sha256": "0" * 63}]}), "tokens[0].sha256"),
        (json.dumps({"tokens": [GOOD | {"role": "admin"}]}), "tokens[0].role"),
        (json.dumps({"tokens": [GOOD | {"name": ""}]}), "tokens[0].name"),
        (json.dumps({"tokens": [GOOD | {"token": "plain"}]}), "token"),
        (json.dumps({"tokens": [GOOD, GOOD | {"role": "sensor"}]}), "tokens[1].sensor"),
        (json.dumps({"tokens": [GOOD] * 1_001}), "more than 1000"),
    ],
)
def test_a_faulty_file_lets_nobody_in_and_says_what_is_wrong(
    tmp_path: Path, document: str, words: str
) -> None:
    path = tmp_path / "tokens.json"
    path.write_text(document, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_tokens(path)
    assert words in str(caught.value)
    tokens = Tokens(path)
    assert tokens.holder_of("x") is None
    assert words in tokens.problem


def test_a_new_token_is_new() -> None:
    assert len({new_token("x", Role.VIEWER, None)[0] for _ in range(50)}) == 50
