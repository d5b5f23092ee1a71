"""Run by itself, with the package aics-tlog: `python with_aics_tlog.py PACKAGE_FOLDER FOLDER`.

Checks with that library's code what ours left in FOLDER, and leaves there a log of its own
making, for ours to check. Prints what it found as JSON.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])

import aics_tlog as tlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

LEAVES = [b"message %d" % number for number in range(600)]
ORIGIN = "log.example/aics"


def theirs(folder: Path) -> dict[str, object]:
    """Our log, by their code."""
    said = json.loads((folder / "said.json").read_text())
    reader = tlog.FileSystemTileReader(folder / "www")
    note = tlog.parse_note((folder / "www" / "checkpoint").read_bytes())
    head = tlog.parse_checkpoint(note.text)
    report = tlog.audit_tiles(reader, head.size, head.root, entries=True)
    witnesses = [tlog.parse_vkey(key) for key in said["witnesses"]]
    checked = tlog.verify_checkpoint(note, tlog.parse_vkey(said["log"]), witnesses, quorum=2)
    lone = tlog.Note(text=note.text, signatures=note.signatures[:2])
    few = tlog.verify_checkpoint(lone, tlog.parse_vkey(said["log"]), witnesses, quorum=2)
    included = [
        tlog.verify_inclusion(
            tlog.leaf_hash(base64.b64decode(one["leaf"])), one["index"], head.size,
            [base64.b64decode(h) for h in one["hashes"]], head.root,
        )
        for one in said["proofs"]
    ]  # fmt: skip
    same = [
        tlog.inclusion_proof_from_tiles(reader, one["index"], head.size)
        == [base64.b64decode(h) for h in one["hashes"]]
        for one in said["proofs"]
    ]
    grown = [
        tlog.verify_consistency(
            one["old"], head.size, base64.b64decode(one["root"]), head.root,
            [base64.b64decode(h) for h in one["hashes"]],
        )
        for one in said["growth"]
    ]  # fmt: skip
    return {
        "tiles": report.tiles, "bundles": report.bundles, "quorum": checked.ok, "few": few.ok,
        "included": included, "same": same, "grown": grown,
    }  # fmt: skip


def ours(folder: Path) -> dict[str, object]:
    """Their log, for our code."""
    log, witness = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    store = tlog.DirectoryTileStore(folder / "their-www", fsync=False)
    tlog.IncrementalTileWriter(store).append(LEAVES)
    tree = tlog.MerkleTree(LEAVES)
    head = tlog.Checkpoint(ORIGIN, len(LEAVES), tree.root())
    note = tlog.sign_checkpoint(head, log, ORIGIN)
    _, line = tlog.sign_cosignature(
        witness, "wit.example/1", 1_767_000_000, ORIGIN, head.size, head.root
    )
    signed = tlog.Note(text=note.text, signatures=(*note.signatures, line))
    store.write_checkpoint(signed.to_bytes())
    return {
        "log": tlog.format_vkey(tlog.vkey_from_ed25519(ORIGIN, log.public_key())),
        "witness": tlog.format_vkey(tlog.cosignature_vkey("wit.example/1", witness.public_key())),
        "proof": [base64.b64encode(h).decode() for h in tree.inclusion_proof(77)],
        "growth": [base64.b64encode(h).decode() for h in tree.consistency_proof(300, 600)],
        "root": base64.b64encode(tree.root(300)).decode(),
    }


place = Path(sys.argv[2])
print(json.dumps({"theirs": theirs(place), "ours": ours(place)}))
