"""Notes, cosignatures, tiles and proofs hold under a library that is not ours, and its under ours.

aics-tlog says that it needs Python 3.12 and runs on 3.11 too. It is fetched into a folder of its
own; where pip cannot fetch it, the test is skipped and named.
"""

from __future__ import annotations

import json
import subprocess
import sys
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import pytest

from skykeep.commands import log_export
from skykeep.commands.log_export import Source
from skykeep.record import checkpoint as checkpoints
from skykeep.record import note as notes
from skykeep.record import proof
from skykeep.record.cosignature import check_cosigned, cosigner
from skykeep.record.keys import parse_public, verifier
from skykeep.record.merkle import verify_consistency
from skykeep.record.proof import Proof
from skykeep.verify.verifier import read_key, verify_receipt
from tests.faults import witnessed

PACKAGE = "aics-tlog==0.2.1"
FETCH_S, RUN_S = 60.0, 60.0
SCRIPT = Path(__file__).parent / "with_aics_tlog.py"
WITNESSES = [cosigner(f"w{n}.example", bytes((n,)) * 32) for n in (1, 2, 3)]
SIZE = 700


@pytest.fixture(scope="module")
def aics(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("aics")
    options = ["--no-deps", "--ignore-requires-python", "--disable-pip-version-check", "-q"]
    # This environment has no pip of its own; the interpreter that it was made from has.
    python = getattr(sys, "_base_executable", sys.executable)
    command = [python, "-m", "pip", "install", *options, "--target", str(folder), PACKAGE]
    try:
        done = subprocess.run(command, check=False, capture_output=True, timeout=FETCH_S, text=True)
    except subprocess.TimeoutExpired:
        pytest.skip(f"pip could not fetch {PACKAGE} in {FETCH_S:.0f} s")
    if done.returncode:
        pytest.skip(f"pip could not fetch {PACKAGE}")
    return folder


def b64(hashes: tuple[bytes, ...]) -> list[str]:
    return [b64encode(h).decode() for h in hashes]


def test_each_holds_under_the_other(aics: Path, tmp_path: Path) -> None:
    store = witnessed.record(tmp_path / "record", range(SIZE))
    signed = notes.parse(store.checkpoint())
    cosigned = notes.cosign(signed, [w.at(1_789_000_000 + n) for n, w in enumerate(WITNESSES[:2])])
    source = Source(cosigned.to_bytes, log_export.local(store).tile)
    head = log_export.mirror(source, store.public_key, tmp_path / "www")
    tree = store.tree()
    said: dict[str, Any] = {
        "log": store.public_key.to_text(),
        "witnesses": [one.key.to_text() for one in WITNESSES],
        "proofs": [
            {"index": index, "leaf": b64encode(store.leaves(index, index + 1)[0]).decode(),
             "hashes": b64(tree.inclusion_proof(index, SIZE))}
            for index in (0, 255, 256, 511, 512, 699)
        ],
        "growth": [
            {"old": old, "root": b64encode(tree.root(old)).decode(),
             "hashes": b64(tree.consistency_proof(old, SIZE))}
            for old in (1, 255, 256, 300, 512, 699, 700)
        ],
    }  # fmt: skip
    (tmp_path / "said.json").write_text(json.dumps(said))
    done = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), str(aics), str(tmp_path)],
        check=False, capture_output=True, timeout=RUN_S, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["theirs"] == {
        "tiles": 4, "bundles": 3, "quorum": True, "few": False,
        "included": [True] * 6, "same": [True] * 6, "grown": [True] * 7,
    }  # fmt: skip
    assert head.size == SIZE
    store.close()
    check_theirs(tmp_path, found["ours"])


def check_theirs(folder: Path, said: dict[str, Any]) -> None:
    """A log that the other library wrote, signed and cosigned, by our code."""
    key, witness = parse_public(said["log"]), parse_public(said["witness"])
    served = folder / "their-www"
    note = (served / "checkpoint").read_bytes()
    source = Source(lambda: note, lambda tile: (served / tile.path()).read_bytes())
    head = log_export.mirror(source, key, folder / "copy")
    copied = {p.relative_to(folder / "copy") for p in (folder / "copy").rglob("*") if p.is_file()}
    assert copied == {p.relative_to(served) for p in served.rglob("*") if p.is_file()}
    for path in copied:
        assert (folder / "copy" / path).read_bytes() == (served / path).read_bytes()
    cosigned = check_cosigned(note, key.name, [verifier(key)], [witness], 1)
    assert cosigned.cosigners == (("wit.example/1", 1_767_000_000),)
    hashes = tuple(map(b64decode, said["proof"]))
    made = Proof(77, hashes, note, b"message 77\n").to_bytes()
    again = proof.parse(made)
    assert proof.check(again, b"message 77", key.name, [verifier(key)], [witness], 1)
    # The lone file too: only that the leaf is none of ours is what it finds amiss.
    report = verify_receipt(made, read_key(said["log"]), [read_key(said["witness"], 4)])
    assert [check.held for check in report.checks] == [True, False, None, None]
    assert "the leaf: not a line of JSON" in report.checks[1].said
    growth = list(map(b64decode, said["growth"]))
    verify_consistency(300, 600, b64decode(said["root"]), head.root, growth)
    assert checkpoints.parse(notes.parse(note).text) == head
