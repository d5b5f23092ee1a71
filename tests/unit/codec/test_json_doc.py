from __future__ import annotations

import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skykeep.codec.json_doc import MAX_DOCUMENT_BYTES, load_json, shown
from skykeep.core.event import Severity
from skykeep.errors import InputError


def test_a_byte_order_mark_is_left_out_and_said() -> None:
    value, findings = load_json(b'\xef\xbb\xbf{"a": 1}', "f")
    assert value == {"a": 1}
    assert [(f.where, f.severity) for f in findings] == [("$", Severity.NOTE)]


def test_a_doubled_name_keeps_its_last_value_and_is_named_with_its_place() -> None:
    value, findings = load_json(b'{"a": [1, {"b": 1, "b": 2}], "a b": {"c": 1, "c": 1}}', "f")
    assert value == {"a": [1, {"b": 2}], "a b": {"c": 1}}
    assert [(f.where, f.problem) for f in findings] == [
        ("$.a[1]", 'the name "b" occurs more than once'),
        ('$["a b"]', 'the name "c" occurs more than once'),
    ]


def test_numbers_without_end_become_floats() -> None:
    value, _ = load_json(b"[1" + b"0" * 5000 + b", NaN, -Infinity, 12]", "f")
    assert isinstance(value, list)
    assert value[0] == math.inf
    assert math.isnan(value[1])
    assert value[2:] == [-math.inf, 12]


@pytest.mark.parametrize(
    ("data", "where", "problem"),
    [
        (b'{"a": 1,\n "b": }', "f: line 2, column 7", "broken JSON"),
        (b"", "f: line 1, column 1", "broken JSON"),
        (b'{"a": "\xff"}', "f: byte 7", "not UTF-8"),
        (b"[" * 100_000, "f", "nested too deeply"),
        (b" " * (MAX_DOCUMENT_BYTES + 1), "f", "bytes"),
    ],
)
def test_a_broken_document_is_named_with_its_place(data: bytes, where: str, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        load_json(data, "f")
    assert caught.value.where == where
    assert problem in caught.value.problem


@given(st.binary(max_size=200))
def test_no_bytes_do_worse_than_an_input_error(data: bytes) -> None:
    with suppress(InputError):
        load_json(data, "f")


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_what_is_shown_is_short_and_can_be_printed(value: object) -> None:
    words = shown(value)
    assert len(words) < 100
    assert words.encode("utf-8").decode("utf-8").isprintable() or isinstance(value, str)
    assert "\x1b" not in words
    assert "\n" not in words
