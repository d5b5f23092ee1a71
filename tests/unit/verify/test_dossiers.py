"""Whole dossiers: one that holds, every way to alter one, and the program run alone."""

from __future__ import annotations

import ast
import json
import random
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.dossier.container import write_container
from skykeep.verify import verifier
from skykeep.verify.verifier import (
    CANNOT_BE_READ,
    CANNOT_KNOW,
    DOES_NOT_HOLD,
    HOLDS,
    STEPS,
    Report,
    main,
    read_container,
    read_key,
    verify,
)
from tests.reference import notes
from tests.reference.dossiers import (
    BY,
    NAME,
    SEED,
    WHY,
    Made,
    b64,
    dossier,
    line,
    manifest_text,
)

SOURCE = Path(verifier.__file__)
KEY_TEXT = notes.verifier_key(NAME, SEED)
KEY = read_key(KEY_TEXT)


@cache
def good() -> bytes:
    return dossier(Made().entries())


def failed(report: Report) -> str:
    """The one check that failed, as 'its first words: what was said'."""
    checks = [c for c in report.checks if c.held is False]
    assert not report.holds
    assert len(checks) == 1
    place = report.checks.index(checks[0])
    assert all(c.held for c in report.checks[:place])
    assert all(c.held is None for c in report.checks[place + 1 :])
    return f"{checks[0].what.partition(':')[0]}: {checks[0].said}"


def test_a_good_dossier_holds() -> None:
    report = verify(good(), KEY)
    assert report.holds
    assert len(report.checks) == len(STEPS)
    said = [check.said for check in report.checks]
    assert "7 leaves" in said[1]
    assert said[2] == "leaves 2 to 5 of 7 (counted from 0), with no gap between them"
    assert said[3] == "9 facts, 3 withheld, in 2 of 4 leaves"
    assert report.notes == (
        "0 of 4 leaves withheld: all of the range are here",
        f"3 of 9 facts withheld by {BY}: {WHY}",
        "Signed, but not shown to follow from the facts: reader.html",
    )
    text = str(report)
    assert "THIS DOSSIER HOLDS." in text
    assert all(item.split(".")[0] in " ".join(text.split()) for item in CANNOT_KNOW)


@pytest.mark.parametrize(("start", "end"), [(0, 7), (0, 1), (6, 7), (1, 2), (3, 5)])
def test_any_range_holds(start: int, end: int) -> None:
    assert verify(dossier(Made(start=start, end=end).entries()), KEY).holds


def test_the_whole_record_shown_with_nothing_withheld() -> None:
    report = verify(dossier(Made(counts=(1, 4), start=0, end=2, hide=99).entries()), KEY)
    assert report.holds
    assert report.checks[3].said == "5 facts, 0 withheld, in 0 of 2 leaves"


def with_part(name: str, alter: Callable[[bytes], bytes]) -> bytes:
    """A dossier with an altered part, whose manifest and container fit it again."""
    entries = Made().entries()
    before = entries[name]
    entries[name] = alter(before)
    assert entries[name] != before
    return dossier(entries)


def swapped_lines(content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    return b"".join([lines[1], lines[0], *lines[2:]])


@pytest.mark.parametrize(
    ("name", "alter", "said"),
    [
        ("leaves", lambda c: c.replace(b"radar-3", b"radar-8"), "the leaves: entry leaves: as"),
        ("leaves", swapped_lines, "the leaves: entry leaves: as leaves 2 to 5 of 7"),
        ("leaves", lambda c: c.partition(b"\n")[2], "the leaves: range proof of leaves 2 to 4"),
        ("leaves", lambda c: c + c.partition(b"\n")[0] + b"\n", "the leaves: range proof"),
        ("leaves", lambda c: c[:-1], "the leaves: entry leaves: does not end in a newline"),
        ("leaves", lambda _: b"", "the leaves: range proof of leaves 2 to 1 of 7: the range is"),
        ("proof", lambda c: c.replace(b"2\n", b"1\n", 1), "the leaves: "),
        ("proof", lambda c: c.replace(b"2\n", b"02\n", 1), "the leaves: entry proof, line 1"),
        ("proof", lambda c: c[:-10] + b"=\n", "the leaves: entry proof, line 3: "),
        ("proof", lambda c: c + b64(bytes(32)).encode() + b"\n", "the leaves: range proof"),
        ("proof", swapped_lines, "the leaves: entry proof, line 1"),
        ("proof", lambda _: b"", "the leaves: entry proof, line 1"),
        ("facts", swapped_lines, "the facts: entry facts, line 1: 3 facts are due"),
        ("facts", lambda c: c.partition(b"\n")[2], "the facts: entry facts: 3 lines"),
        ("facts", lambda c: c.replace(WHY.encode(), b" "), "withheld without saying by whom"),
        ("facts", lambda c: c.replace(BY.encode(), b" "), "withheld without saying by whom"),
        ("facts", lambda c: c.replace(b'"why"', b'"how"', 1), "neither a fact shown nor one"),
        ("facts", lambda c: c.replace(b"[{", b"[[{", 1), "not a line of JSON"),
        ("facts", lambda c: c.replace(b'"fact":"[', b'"fact":"\\ud800', 1), "half a character"),
        ("facts", lambda c: c.replace(b'"salt":"', b'"salt":"AAAA', 1), "a salt of 18 bytes"),
        ("facts", lambda c: c.replace(b'"salt":"', b'"salt":"  ', 1), "a salt of 16 bytes, 16"),
        ("facts", lambda c: c.replace(b'"salt":"', b'"salt":"xx', 1), "not hexadecimal"),
        ("facts", lambda c: b"[" * 100_000 + c, "the facts: entry facts, line 1: not a line"),
        ("checkpoint", lambda c: c.replace(b"\n7\n", b"\n8\n"), "the checkpoint: entry check"),
        ("checkpoint", lambda _: b"", "the checkpoint: entry checkpoint: no text"),
    ],
)
def test_altered_parts_fail_even_with_a_manifest_that_fits(
    name: str, alter: Callable[[bytes], bytes], said: str
) -> None:
    assert said in failed(verify(with_part(name, alter), KEY))


def test_any_altered_fact_is_named_by_its_line() -> None:
    made = Made()
    for number, facts in enumerate(made.facts[made.start : made.end], 1):
        for fact in facts:
            for name in fact.keys() & {"salt", "fact", "hash"}:
                kept = fact[name]
                fact[name] = ("A" if kept[0] != "A" else "B") + kept[1:]
                report = verify(dossier(made.entries()), KEY)
                assert f"the facts: entry facts, line {number}: " in failed(report)
                fact[name] = kept
    assert verify(dossier(made.entries()), KEY).holds


def test_two_facts_of_one_leaf_that_changed_places_fail() -> None:
    made = Made()
    made.facts[4][0], made.facts[4][1] = made.facts[4][1], made.facts[4][0]
    assert "line 3: the facts do not give the root" in failed(verify(dossier(made.entries()), KEY))


LEAF = {"at": 1, "count": 1, "kind": "batch", "root": "00" * 32, "source": "radar", "v": 1}


@pytest.mark.parametrize(
    "leaf",
    [
        line(LEAF | {"v": 2}),
        line(LEAF | {"v": True}),
        line(LEAF | {"more": 1}),
        line(LEAF | {"count": -1}),
        line(LEAF | {"count": 1.0}),
        line(LEAF | {"root": "AB" * 32}),
        line(LEAF | {"source": "x" * 1000}),
        json.dumps(LEAF).encode(),
        line(LEAF).replace(b'"at":1', b'"at":1,"at":1'),
        b"[]",
        b"\xff",
        b"",
    ],
)
def test_leaves_of_another_form_fail_although_they_are_in_the_tree(leaf: bytes) -> None:
    made = Made()
    made.leaves[3] = leaf
    assert "the leaves: entry leaves, line 2: " in failed(verify(dossier(made.entries()), KEY))


def rewritten(change: Callable[[dict[str, bytes]], dict[str, bytes]]) -> bytes:
    """The good dossier's entries, changed, in a canonical container again."""
    return write_container(list(change(read_container(good())).items()))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda e: e | {"extra": b""}, "entry extra: is not in the manifest"),
        (lambda e: e | {"reader.html": b"<p>Nothing</p>\n"}, "entry reader.html: is not in"),
        (lambda e: {n: c for n, c in e.items() if n != "reader.html"}, "entry reader.html: is mi"),
        (lambda e: {n: c for n, c in e.items() if n != "manifest"}, "entry manifest: is missing"),
        (lambda e: dict(reversed(e.items())), "entry manifest: must come first"),
        (lambda e: dict(sorted(e.items())), "entry manifest: must come first"),
    ],
)
def test_a_rewritten_container_fails_by_the_signed_manifest(
    change: Callable[[dict[str, bytes]], dict[str, bytes]], said: str
) -> None:
    assert f"the manifest: {said}" in failed(verify(rewritten(change), KEY))


@pytest.mark.parametrize("name", ["checkpoint", "proof", "leaves", "facts"])
def test_a_part_that_is_missing_is_named(name: str) -> None:
    data = rewritten(lambda e: {n: c for n, c in e.items() if n != name})
    assert f"entry {name}: is missing" in failed(verify(data, KEY))


def signed_manifest(text: str) -> bytes:
    return rewritten(lambda e: e | {"manifest": notes.signed(text, NAME, SEED)})


def test_manifests_of_another_form_fail() -> None:
    text = manifest_text(Made().entries())
    for other, said in (
        (text.replace("dossier 1", "dossier 2"), "does not begin with"),
        (text + text.splitlines(keepends=True)[-1], "list the entries once"),
        (text.replace(" reader.html", "  reader.html"), "entry reader.html: is not in"),
        (text + "\x85", "entry \\x85: is missing"),
    ):
        shown = other if other.endswith("\n") else other + "\n"
        assert said in str(verify(signed_manifest(shown), KEY))


def test_a_checkpoint_is_no_manifest() -> None:
    data = rewritten(lambda e: e | {"manifest": e["checkpoint"]})
    assert "does not begin with" in failed(verify(data, KEY))


def test_another_key_another_record_and_another_dossiers_proof_fail() -> None:
    for name, seed in ((NAME, bytes(32)), ("other.example", SEED)):
        other = read_key(notes.verifier_key(name, seed))
        assert "no signature of" in failed(verify(good(), other))
    longer = Made(counts=(2, 0, 3, 1, 5, 0, 4, 1)).entries()
    for name in ("checkpoint", "proof", "leaves", "facts"):
        shifted = Made(start=1, end=5).entries()
        for donor in (longer, shifted):
            if donor[name] != Made().entries()[name]:
                entries = Made().entries() | {name: donor[name]}
                assert not verify(dossier(entries), KEY).holds


def test_any_flipped_bit_fails_and_says_where() -> None:
    data = good()
    for bit in random.Random(500).sample(range(len(data) * 8), 500):
        altered = bytearray(data)
        altered[bit // 8] ^= 1 << bit % 8
        assert "byte" in failed(verify(bytes(altered), KEY)), bit


def test_any_flipped_bit_fails_although_checksums_were_mended() -> None:
    """Whoever alters a dossier on purpose writes the container anew."""
    entries = read_container(good())
    rng = random.Random(8)
    for name, content in entries.items():
        for bit in rng.sample(range(len(content) * 8), 25):
            altered = bytearray(content)
            altered[bit // 8] ^= 1 << bit % 8
            data = write_container(list((entries | {name: bytes(altered)}).items()))
            assert failed(verify(data, KEY)), (name, bit)


@settings(max_examples=50, deadline=None)  # Signing literally is slow.
@given(st.sampled_from(["checkpoint", "proof", "leaves", "facts"]), st.binary(max_size=80))
def test_no_content_does_more_than_fail(name: str, content: bytes) -> None:
    assert not verify(dossier(Made().entries() | {name: content}), KEY).holds


def test_nothing_from_the_dossier_reaches_the_terminal_as_it_is() -> None:
    made = Made()
    made.facts[2][0] = {"by": "\x1b[2J", "hash": made.facts[2][0]["hash"], "why": "a\nheld"}
    report = verify(dossier(made.entries()), KEY)
    assert report.holds
    assert "\x1b" not in str(report)
    assert "by \\x1b[2J: a\\nheld" in str(report)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "d.zip").write_bytes(good())
    (tmp_path / "key").write_text(f"# the keeper's\n{KEY_TEXT}\n", "utf-8")
    return tmp_path / "d.zip", tmp_path / "key"


def alone(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The file run by itself: no site-packages, no PYTHON* variables, elsewhere."""
    command = [sys.executable, "-I", "-S", str(SOURCE), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")


def test_it_runs_alone(files: tuple[Path, Path]) -> None:
    path, key = files
    done = alone(path, "--key", key)
    assert (done.returncode, done.stderr) == (HOLDS, "")
    assert "THIS DOSSIER HOLDS." in done.stdout
    assert "What such a proof cannot know" in done.stdout
    path.write_bytes(good()[:-1])
    done = alone(path, "--key", key)
    assert (done.returncode, done.stderr) == (DOES_NOT_HOLD, "")
    assert "THIS DOSSIER DOES NOT HOLD." in done.stdout
    assert alone(path).returncode == CANNOT_BE_READ


def test_what_cannot_be_read(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, key = files
    assert main([str(path), "--key", str(key)]) == HOLDS
    assert main([str(path), "--key", str(path)]) == CANNOT_BE_READ
    assert main([str(path), "--key", str(key.with_name("none"))]) == CANNOT_BE_READ
    assert main([str(key.parent), "--key", str(key)]) == CANNOT_BE_READ
    assert main(["a\x00b", "--key", str(key)]) == CANNOT_BE_READ
    monkeypatch.setattr(verifier, "MAX_CONTAINER_BYTES", len(good()) - 1)
    assert main([str(path), "--key", str(key)]) == CANNOT_BE_READ
    assert "longer than" in capsys.readouterr().err


def test_it_imports_the_standard_library_only() -> None:
    tree = ast.parse(SOURCE.read_text("utf-8"))
    imported = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    imported |= {n.module or "." for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    roots = {name.partition(".")[0] for name in imported}
    assert roots <= sys.stdlib_module_names
    assert roots.isdisjoint({"socket", "urllib", "http", "subprocess", "ctypes", "os", "pickle"})
