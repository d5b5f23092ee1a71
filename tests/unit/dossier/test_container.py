"""The container: written one way, read by its own reader and by everybody's, any bit counts."""

from __future__ import annotations

import contextlib
import io
import random
import re
import shutil
import struct
import subprocess
import zipfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from skykeep.dossier import container
from skykeep.dossier.container import write_container
from skykeep.errors import InputError
from skykeep.verify import verifier
from skykeep.verify.verifier import VerifyError, read_container

SMALL = [("manifest", b"a, b/c\n"), ("a", b""), ("b/c.txt", b"PK\x03\x04 no header\n")]
WHOLE = write_container(SMALL)
LARGE = [
    (f"part-{n}/entry-{i:03}.bin", random.Random(f"{n} {i}").randbytes(i * 37))
    for n in range(2)
    for i in range(40)
]

FLAT_NAMES = st.from_regex("[a-z0-9]([a-z0-9._-]{0,30}[a-z0-9])?", fullmatch=True)


def flipped(data: bytes, bit: int) -> bytes:
    altered = bytearray(data)
    altered[bit // 8] ^= 1 << bit % 8
    return bytes(altered)


def failure(data: bytes) -> VerifyError:
    with pytest.raises(VerifyError) as caught:
        read_container(data)
    return caught.value


def stretches(entries: list[tuple[str, bytes]]) -> list[tuple[int, str]]:
    """Where each header, content and record of the file begins, and what names it."""
    begins, at = [], 0
    for name, content in entries:
        begins += [(at, "header"), (at + 30 + len(name), f"entry {name} (")]
        at += 30 + len(name) + len(content)
    for name, _ in entries:
        begins.append((at, "directory"))
        at += 46 + len(name)
    return [*begins, (at, "end record"), (at + 22, "end of the file")]


def require_placed(error: VerifyError, bit: int, begins: list[tuple[int, str]]) -> None:
    """The message gives the very byte, or where its stretch begins or where the next is due."""
    byte = bit // 8
    stretch = max(i for i, (begin, _) in enumerate(begins) if begin <= byte)
    offsets = {int(n) for n in re.findall(r"byte (\d+)", error.where)}
    assert offsets & {byte, begins[stretch][0], begins[stretch + 1][0]}, f"bit {bit}: {error}"
    if begins[stretch][1].startswith("entry"):
        assert error.where.startswith(begins[stretch][1]), f"bit {bit}: {error}"


def test_what_is_written_is_read() -> None:
    assert list(read_container(WHOLE).items()) == SMALL
    large = write_container(LARGE)
    assert list(read_container(large).items()) == LARGE
    assert write_container(LARGE) == large


@settings(max_examples=40)
@given(st.lists(st.tuples(FLAT_NAMES, st.binary(max_size=50)), min_size=1, max_size=8))
def test_writer_and_verifier_agree(entries: list[tuple[str, bytes]]) -> None:
    entries = list(dict(entries).items())
    data = write_container(entries)
    assert list(read_container(data).items()) == entries
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert [(i.filename, archive.read(i)) for i in archive.infolist()] == entries


def test_the_limits_are_the_same_on_both_sides() -> None:
    assert container.MAX_BYTES == verifier.MAX_CONTAINER_BYTES
    assert container.MAX_ENTRIES == verifier.MAX_ENTRIES
    assert container.MAX_NAME_BYTES == verifier.MAX_NAME_BYTES


def test_pythons_zipfile_sees_what_is_meant() -> None:
    with zipfile.ZipFile(io.BytesIO(WHOLE)) as archive:
        assert archive.testzip() is None
        assert archive.comment == b""
        for info, (name, content) in zip(archive.infolist(), SMALL, strict=True):
            assert (info.filename, archive.read(info)) == (name, content)
            assert info.date_time == (1980, 1, 1, 0, 0, 0)
            assert info.compress_type == zipfile.ZIP_STORED
            assert (info.flag_bits, info.extra, info.comment) == (0, b"", b"")
            assert (info.internal_attr, info.external_attr, info.create_system) == (0, 0, 0)


@pytest.mark.skipif(shutil.which("unzip") is None, reason="unzip is not installed")
def test_unzip_opens_it(tmp_path: Path) -> None:
    (tmp_path / "d.zip").write_bytes(WHOLE)
    command = ["unzip", "-q", str(tmp_path / "d.zip"), "-d", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    for name, content in SMALL:
        assert (tmp_path / "out" / name).read_bytes() == content


def test_any_flipped_bit_of_a_small_container_is_found_and_placed() -> None:
    begins = stretches(SMALL)
    for bit in range(len(WHOLE) * 8):
        require_placed(failure(flipped(WHOLE, bit)), bit, begins)


def test_random_flipped_bits_of_a_large_container_are_found_and_placed() -> None:
    data = write_container(LARGE)
    begins = stretches(LARGE)
    for bit in random.Random(500).sample(range(len(data) * 8), 500):
        require_placed(failure(flipped(data, bit)), bit, begins)


def test_a_content_that_was_altered_is_named() -> None:
    at = WHOLE.index(b"no header")
    error = failure(flipped(WHOLE, at * 8))
    assert error.where.startswith("entry b/c.txt (")
    assert "checksum" in error.problem


def test_every_truncation_is_found() -> None:
    for length in range(len(WHOLE)):
        assert "byte" in failure(WHOLE[:length]).where


def test_what_stands_before_or_after_is_found() -> None:
    assert "8 bytes too many" in failure(WHOLE + b"appendix").problem
    assert "not a dossier" in failure(b"#!/bin/sh\n" + WHOLE).problem
    assert failure(WHOLE + WHOLE).problem.endswith("too many")


def test_entries_that_are_added_removed_or_swapped_in_the_body_alone_are_found() -> None:
    directory = WHOLE.index(b"PK\x01\x02")
    for entries in (SMALL[:2], [*SMALL, ("d", b"new")], [SMALL[1], SMALL[0], SMALL[2]]):
        other = write_container(entries)
        body = other[: other.index(b"PK\x01\x02")]
        place = failure(body + WHOLE[directory:]).where
        assert place.startswith(("directory, record of", "end record"))


def test_other_ways_to_write_the_same_entries_are_found() -> None:
    for kind in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", kind) as archive:
            for name, content in SMALL:
                archive.writestr(zipfile.ZipInfo(name), content, kind)
        error = failure(buffer.getvalue())
        assert "byte" in error.where


def patched(offset: int, layout: str, value: int) -> bytes:
    data = bytearray(WHOLE)
    struct.pack_into(layout, data, offset, value)
    return bytes(data)


@pytest.mark.parametrize("offset", [4, 6, 8, 10, 12, 28])
def test_a_header_that_was_altered_is_named(offset: int) -> None:
    error = failure(patched(offset, "<H", 0x0101))
    assert error.where == f"entry manifest, its header (byte {offset} of the file)"


def test_an_altered_directory_or_end_is_named() -> None:
    at = WHOLE.index(b"PK\x01\x02")
    error = failure(patched(at + 38, "<L", 0o644))
    record = "directory, record of manifest (header at byte 0)"
    assert error.where == f"{record} (byte {at + 38} of the file)"
    at = WHOLE.index(b"PK\x05\x06")
    error = failure(patched(at + 10, "<H", 2))
    assert error.where == f"end record (byte {at + 10} of the file)"


BAD_NAMES = [
    "", "/", "/a", "a/", "a//b", "..", "a/../b", ".a", "a.", "-a", "A", "a b", "ä", "a\\b",
    "c:d", "a\n", "a" * 121,
]  # fmt: skip


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_may_not_be(name: str) -> None:
    with pytest.raises(InputError, match="is no name"):
        write_container([(name, b"")])
    raw = name.encode()
    head = verifier.local_header("x" * len(raw), b"")[: verifier.LOCAL.size] + raw
    assert "name" in failure(head + WHOLE).problem


@pytest.mark.parametrize("names", [["a", "a"], ["a", "a/b"], ["a/b", "a"], ["a/b/c", "a/b"]])
def test_names_that_collide(names: list[str]) -> None:
    with pytest.raises(InputError, match="there twice"):
        write_container([(name, b"") for name in names])
    # Written as names of the same lengths that do not collide, then renamed.
    apart = ["x" * len(names[0]), "y" * len(names[1])]
    data = write_container([(name, b"") for name in apart])
    for old, new in zip(apart, names, strict=True):
        data = data.replace(old.encode(), new.encode())
    assert "second one of this name" in failure(data).problem


def test_limits_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="0 entries"):
        write_container([])
    monkeypatch.setattr(container, "MAX_ENTRIES", 2)
    with pytest.raises(InputError, match="3 entries"):
        write_container(SMALL)
    monkeypatch.setattr(container, "MAX_BYTES", 60)
    with pytest.raises(InputError, match="larger than"):
        write_container(SMALL[:2])
    monkeypatch.setattr(verifier, "MAX_ENTRIES", 2)
    assert "more than 2 entries" in failure(WHOLE).problem
    monkeypatch.setattr(verifier, "MAX_CONTAINER_BYTES", len(WHOLE) - 1)
    assert "longer than" in failure(WHOLE).problem


@given(st.binary(max_size=120) | st.binary(max_size=90).map(lambda b: verifier.LOCAL_MARK + b))
@example(b"")
@example(verifier.LOCAL_MARK)
@example(verifier.END.pack(b"PK\x05\x06", 0, 0, 0, 0, 0, 0, 0))
def test_no_bytes_do_more_than_fail(data: bytes) -> None:
    assert failure(data).where


@given(st.integers(0, len(WHOLE)), st.integers(0, len(WHOLE)), st.binary(max_size=8))
def test_no_splice_does_more_than_fail(start: int, end: int, middle: bytes) -> None:
    data = WHOLE[:start] + middle + WHOLE[end:]
    with contextlib.suppress(VerifyError):
        assert list(read_container(data).items()) == SMALL
        assert data == WHOLE
