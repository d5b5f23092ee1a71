"""Whole dossiers: one that holds, every way to alter one, and the program run alone."""

from __future__ import annotations

import ast
import json
import random
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.dossier.container import write_container
from skykeep.verify import verifier
from skykeep.verify.verifier import (
    ALGORITHM_COSIGNATURE,
    CANNOT_BE_READ,
    CANNOT_KNOW,
    DOES_NOT_HOLD,
    HOLDS,
    STEPS,
    TAGS,
    Report,
    main,
    read_container,
    read_key,
    verify,
)
from tests.reference import notes
from tests.reference.dossiers import (
    BY,
    CHECKPOINT,
    CONSISTENCY,
    COSIGNED_S,
    FACTS,
    FOLDER,
    LEAVES,
    NAME,
    PROOF,
    SEED,
    WHY,
    WITNESSED,
    WITNESSES,
    Made,
    b64,
    bag,
    dossier,
    line,
    sealed,
    zipped,
)
from tests.reference.merkle import mth

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
    assert all(c.held is not False for c in report.checks[:place])
    assert all(c.held is None for c in report.checks[place + 1 :])
    return f"{checks[0].what.partition(':')[0]}: {checks[0].said}"


def test_a_good_dossier_holds() -> None:
    report = verify(good(), KEY)
    assert report.holds
    assert len(report.checks) == len(STEPS)
    said = [check.said for check in report.checks]
    assert "5 files" in said[1]
    assert "7 leaves" in said[2]
    assert said[3] == "no witness's signature is in it: it is the keeper's word alone"
    assert said[4] == "no time-stamp is in it: when things happened is the keeper's word"
    assert said[5] == "leaves 2 to 5 of 7 (counted from 0), with no gap between them"
    assert said[6] == "9 facts, 3 withheld, in 2 of 4 leaves"
    assert [check.held for check in report.checks] == [True] * 3 + [None] * 2 + [True] * 2 + [None]
    assert report.withheld == (
        "0 of 4 leaves: all of the range are here",
        "3 of 9 facts",
        f"radar-2: 1 of 3 facts withheld, in 1 of 1 entries, by {BY}: {WHY}",
        f"radar-4: 2 of 5 facts withheld, in 1 of 1 entries, by {BY}: {WHY}",
    )
    assert len(report.notes) == 1
    assert report.notes[0].endswith("recompute): reader.html")
    text = str(report)
    assert "THIS DOSSIER HOLDS." in text
    assert all(item.split(".")[0] in " ".join(text.split()) for item in CANNOT_KNOW)


def test_a_sensor_of_which_nothing_is_shown_comes_first() -> None:
    made = Made(hide=99)
    for fact in made.facts[4]:
        fact |= {"by": "A. Weber, officer", "why": "its place is secret"}
        fact["hash"] = b64(mth([bytes.fromhex(fact.pop("salt")) + fact.pop("fact").encode()]))
    report = verify(dossier(made.entries()), KEY)
    assert report.holds
    assert report.withheld[2] == (
        "radar-4: 5 of 5 facts (ALL OF IT) withheld, in 1 of 1 entries, by A. Weber, officer: "
        "its place is secret"
    )


def witness_keys(*names: str) -> list[verifier.VerifierKey]:
    return [
        read_key(notes.verifier_key(name, WITNESSES[name], b"\x04"), ALGORITHM_COSIGNATURE)
        for name in names or WITNESSES
    ]


@pytest.mark.parametrize("witnessed", [1, 3, 4, 6, 7])
def test_witnesses_are_checked_with_their_keys(witnessed: int) -> None:
    data = dossier(Made(witnessed=witnessed).entries())
    report = verify(data, KEY, witness_keys())
    assert report.holds, report
    assert report.checks[3].held
    assert report.checks[3].said.startswith("3 of 3, 2 are needed: w1.example+")
    assert report.checks[3].said.endswith(f"the first {witnessed} leaves of the record")
    newer = f"The record's last {7 - witnessed} leaves are newer than what is cosigned"
    assert (newer in report.notes) is (witnessed < 7)
    without = verify(data, KEY)
    assert without.holds
    assert without.checks[3].held is None
    assert without.checks[3].said.startswith(
        "no witness's key was given: the keeper's word alone; present, not checked here: w1.exam"
    )


def test_a_quorum_is_needed_and_comes_from_outside() -> None:
    one = dict(list(WITNESSES.items())[:1])
    data = dossier(Made(witnessed=5, witnesses=one).entries())
    assert "cosigned by 1 of 3 witnesses, 2 are needed" in failed(verify(data, KEY, witness_keys()))
    assert "1 of 3 witnesses, 3 are needed" in failed(verify(data, KEY, witness_keys(), 3))
    assert verify(data, KEY, witness_keys(), 1).holds
    assert verify(data, KEY, witness_keys("w1.example")).holds
    two = verify(data, KEY, witness_keys("w2.example"))
    assert "cosigned by 0 of 1 witnesses, 1 are needed" in failed(two)
    none = verify(good(), KEY, witness_keys())
    assert "entry data/record/witnessed.txt: is missing" in failed(none)


def test_a_false_cosignature_fails_although_others_hold() -> None:
    made = Made(witnessed=5)
    entries = made.entries()
    forged = notes.cosignature("another text\n", "w3.example", WITNESSES["w3.example"], COSIGNED_S)
    kept = entries[WITNESSED].splitlines(keepends=True)[:-1]
    entries[WITNESSED] = b"".join([*kept, forged])
    said = failed(verify(dossier(entries), KEY, witness_keys()))
    assert "the cosignature of w3.example+" in said


def test_a_witnessed_head_of_another_record_fails() -> None:
    entries = Made(witnessed=5).entries()
    for name in (WITNESSED, CONSISTENCY):
        other = entries | {name: Made(witnessed=4).entries()[name]}
        assert "consistency proof" in failed(verify(dossier(other), KEY, witness_keys()))
    forked = Made(counts=(2, 0, 3, 1, 6, 0, 4), witnessed=5).entries()
    mixed = entries | {WITNESSED: forked[WITNESSED]}
    assert "does not give the root of the smaller" in failed(verify(dossier(mixed), KEY))


@pytest.mark.parametrize(("start", "end"), [(0, 7), (0, 1), (6, 7), (1, 2), (3, 5)])
def test_any_range_holds(start: int, end: int) -> None:
    assert verify(dossier(Made(start=start, end=end).entries()), KEY).holds


def test_the_whole_record_shown_with_nothing_withheld() -> None:
    report = verify(dossier(Made(counts=(1, 4), start=0, end=2, hide=99).entries()), KEY)
    assert report.holds
    assert report.checks[6].said == "5 facts, 0 withheld, in 0 of 2 leaves"


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
        (
            LEAVES,
            lambda c: c.replace(b"radar-3", b"radar-8"),
            "the leaves: entry data/record/leaves.jsonl: as",
        ),
        (
            LEAVES,
            swapped_lines,
            "the leaves: entry data/record/leaves.jsonl: as leaves 2 to 5 of 7",
        ),
        (LEAVES, lambda c: c.partition(b"\n")[2], "the leaves: range proof of leaves 2 to 4"),
        (LEAVES, lambda c: c + c.partition(b"\n")[0] + b"\n", "the leaves: range proof"),
        (
            LEAVES,
            lambda c: c[:-1],
            "the leaves: entry data/record/leaves.jsonl: does not end in a newline",
        ),
        (LEAVES, lambda _: b"", "the leaves: range proof of leaves 2 to 1 of 7: the range is"),
        (PROOF, lambda c: c.replace(b"2\n", b"1\n", 1), "the leaves: "),
        (
            PROOF,
            lambda c: c.replace(b"2\n", b"02\n", 1),
            "the leaves: entry data/record/proof.txt, line 1",
        ),
        (PROOF, lambda c: c[:-10] + b"=\n", "the leaves: entry data/record/proof.txt, line 3: "),
        (PROOF, lambda c: c + b64(bytes(32)).encode() + b"\n", "the leaves: range proof"),
        (PROOF, swapped_lines, "the leaves: entry data/record/proof.txt, line 1"),
        (PROOF, lambda _: b"", "the leaves: entry data/record/proof.txt, line 1"),
        (FACTS, swapped_lines, "the facts: entry data/record/facts.jsonl, line 1: 3 facts are due"),
        (
            FACTS,
            lambda c: c.partition(b"\n")[2],
            "the facts: entry data/record/facts.jsonl: 3 lines",
        ),
        (FACTS, lambda c: c.replace(WHY.encode(), b" "), "withheld without saying by whom"),
        (FACTS, lambda c: c.replace(BY.encode(), b" "), "withheld without saying by whom"),
        (FACTS, lambda c: c.replace(b'"why"', b'"how"', 1), "neither a fact shown nor one"),
        (FACTS, lambda c: c.replace(b"[{", b"[[{", 1), "not a line of JSON"),
        (FACTS, lambda c: c.replace(b'"fact":"[', b'"fact":"\\ud800', 1), "half a character"),
        (FACTS, lambda c: c.replace(b'"salt":"', b'"salt":"AAAA', 1), "a salt that is not 16"),
        (FACTS, lambda c: c.replace(b'"salt":"', b'"salt":"  ', 1), "a salt that is not 16"),
        (FACTS, lambda c: c.replace(b'"salt":"', b'"salt":"xx', 1), "a salt that is not 16"),
        (
            FACTS,
            lambda c: b"[" * 100_000 + c,
            "the facts: entry data/record/facts.jsonl, line 1: not a line",
        ),
        (
            CHECKPOINT,
            lambda c: c.replace(b"\n7\n", b"\n8\n"),
            "the checkpoint: entry data/record/check",
        ),
        (CHECKPOINT, lambda _: b"", "the checkpoint: entry data/record/checkpoint.txt: no text"),
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
                where = f"the facts: entry data/{FACTS}, line {number}[:,]"
                assert re.match(where, failed(report))
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
    assert "the leaves: entry data/record/leaves.jsonl, line 2: " in failed(
        verify(dossier(made.entries()), KEY)
    )


Files = dict[str, bytes]


def rewritten(change: Callable[[Files], Files]) -> bytes:
    """The good dossier's files, changed, in a canonical container again."""
    return zipped(change(bag(Made().entries())))


def resealed(files: Files) -> Files:
    """With a tag manifest and a signature that fit the tag files."""
    rest = {n: c for n, c in files.items() if n not in TAGS}
    return sealed({n: files[n] for n in TAGS[:3]}) | rest


def without(name: str) -> Callable[[Files], Files]:
    return lambda files: {n: c for n, c in files.items() if n != name}


def listing(files: Files, lines: Callable[[list[bytes]], list[bytes]]) -> Files:
    """With another manifest, signed."""
    kept = files["manifest-sha256.txt"].splitlines(keepends=True)
    return resealed(files | {"manifest-sha256.txt": b"".join(lines(kept))})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: f | {"extra.txt": b""}, "entry extra.txt: is not listed"),
        (lambda f: f | {"data/extra": b""}, "entry data/extra: is not listed"),
        (lambda f: f | {"data/reader.html": b"<p>No</p>"}, "entry data/reader.html: is not as it"),
        (without("data/reader.html"), "entry data/reader.html: is missing: manifest-sha256.txt"),
        (without("bagit.txt"), "entry bagit.txt: is missing"),
        (without("bag-info.txt"), "entry bag-info.txt: is missing"),
        (without("manifest-sha256.txt"), "entry manifest-sha256.txt: is missing"),
        (without("tagmanifest-sha256.txt"), "entry tagmanifest-sha256.txt: is missing"),
        (without("signature.txt"), "entry signature.txt: is missing"),
        (
            lambda f: f | {"bag-info.txt": b"A: b\n"},
            "entry bag-info.txt: is not as it is in tagman",
        ),
        (lambda f: dict(reversed(f.items())), "files: they are not in their order"),
        (lambda f: dict(sorted(f.items())), "files: they are not in their order"),
        (lambda f: listing(f, lambda x: x[::-1]), "files: they are not in their order"),
        (lambda f: listing(f, lambda x: [*x, x[0]]), "files: they are not in their order"),
        (lambda f: listing(f, lambda x: x[1:]), "entry data/reader.html: is not listed"),
        (lambda f: listing(f, lambda x: [b"\x85\n", *x]), "entry : is missing"),
        (
            lambda f: f | {"tagmanifest-sha256.txt": f["tagmanifest-sha256.txt"] + b"\n"},
            "entry tagmanifest-sha256.txt: is not the one that was signed",
        ),
    ],
)
def test_a_bag_that_is_not_as_it_was_signed_fails(
    change: Callable[[Files], Files], said: str
) -> None:
    assert f"the files: {said}" in failed(verify(rewritten(change), KEY))


def test_a_tag_file_may_not_be_left_out_although_that_is_signed() -> None:
    def change(files: Files) -> Files:
        rest = {n: c for n, c in files.items() if n not in TAGS}
        return sealed({n: files[n] for n in TAGS[:3] if n != "bagit.txt"}) | rest

    assert "entry bagit.txt: is missing" in failed(verify(rewritten(change), KEY))


def test_all_stands_in_one_folder() -> None:
    files = {f"{FOLDER}/{n}": c for n, c in bag(Made().entries()).items()}
    out = write_container([*files.items(), ("beside.txt", b"")])
    assert "entry beside.txt: all entries stand in one folder" in failed(verify(out, KEY))
    flat = write_container(list(bag(Made().entries()).items()))
    assert "entry bagit.txt: all entries stand in one folder" in failed(verify(flat, KEY))


@pytest.mark.parametrize("name", [CHECKPOINT, PROOF, LEAVES, FACTS])
def test_a_part_that_is_missing_is_named(name: str) -> None:
    payload = {n: c for n, c in Made().entries().items() if n != name}
    assert f"entry data/{name}: is missing" in failed(verify(dossier(payload), KEY))


def test_what_proves_and_is_not_known_is_named() -> None:
    entries = Made().entries() | {"record/stamp.tsr": b"a token"}
    report = verify(dossier(entries), KEY)
    assert report.holds
    assert report.notes[0] == "Present, not checked here: data/record/stamp.tsr"


@pytest.mark.parametrize("title", ["skykeep dossier 1", NAME])
def test_signatures_over_another_text_fail(title: str) -> None:
    def change(files: Files) -> Files:
        over = sha256(files["tagmanifest-sha256.txt"]).hexdigest()
        text = f"{title}\n{over} tagmanifest-sha256.txt\n"
        return files | {"signature.txt": notes.signed(text, NAME, SEED)}

    assert "is not the one that was signed" in failed(verify(rewritten(change), KEY))


def test_a_checkpoint_is_no_signature_of_a_bag() -> None:
    data = rewritten(lambda f: f | {"signature.txt": f[f"data/{CHECKPOINT}"]})
    assert "is not the one that was signed" in failed(verify(data, KEY))


def test_another_key_another_record_and_another_dossiers_proof_fail() -> None:
    for name, seed in ((NAME, bytes(32)), ("other.example", SEED)):
        other = read_key(notes.verifier_key(name, seed))
        assert "no signature of" in failed(verify(good(), other))
    longer = Made(counts=(2, 0, 3, 1, 5, 0, 4, 1)).entries()
    for name in (CHECKPOINT, PROOF, LEAVES, FACTS):
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
@given(st.sampled_from([CHECKPOINT, PROOF, LEAVES, FACTS]), st.binary(max_size=80))
def test_no_content_does_more_than_fail(name: str, content: bytes) -> None:
    assert not verify(dossier(Made().entries() | {name: content}), KEY).holds


def test_nothing_from_the_dossier_reaches_the_terminal_as_it_is() -> None:
    made = Made()
    made.facts[2][0] = {"by": "\x1b[2J", "hash": made.facts[2][0]["hash"], "why": "a\nheld"}
    report = verify(dossier(made.entries()), KEY)
    assert report.holds
    assert "\x1b" not in str(report)
    assert "by \\x1b[2J: a\\nheld" in " ".join(str(report).split())


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
