from __future__ import annotations

from pathlib import Path

import pytest

from skykeep.errors import InputError
from skykeep.feed.lines import read_lines


def test_lines_are_numbered_and_bounded(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"one\n" + b"2" * 50 + b"\n\nfour\n" + b"5" * 11)
    assert list(read_lines(path, 10)) == [
        (1, b"one\n"),
        (2, None),
        (3, b"\n"),
        (4, b"four\n"),
        (5, None),
    ]


def test_the_bound_is_exact(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"123456789\n1234567890\nx")
    assert list(read_lines(path, 10)) == [(1, b"123456789\n"), (2, None), (3, b"x")]


def test_no_file_and_no_right(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(InputError) as caught:
            list(read_lines(path, 10))
        assert caught.value.where == str(path)
