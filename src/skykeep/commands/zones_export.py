"""`skykeep zones export` and `skykeep zones verify`: the published zones as a folder.

Exported from the record in a data folder while no service holds it; a running one keeps its
own folder (docs/publishing.md). What is exported can be checked by whoever has the record's
public key: the list of files is signed, and so is the record's head beside it.
"""

from __future__ import annotations

from pathlib import Path

from skykeep.codec import entries
from skykeep.codec.publication import (
    CHECKPOINT_FILE,
    MANIFEST_FILE,
    Manifest,
    check_manifest,
)
from skykeep.commands.log_export import read_key
from skykeep.config import PublicSettings, read_public
from skykeep.errors import InputError, RecordError
from skykeep.record import checkpoint as checkpoints
from skykeep.record.keys import verifier
from skykeep.runtime import Recorded
from skykeep.service.publication import known_of, publish
from skykeep.service.publication_folder import page_files, write_folder
from skykeep.store.record_store import RECORD_FILE, RecordStore
from skykeep.units import to_datetime

#: A country's zones in the widest format; more is not read into memory.
MAX_FILE_BYTES = 500_000_000


def export(folder: Path, data: Path, site_file: Path | None) -> int:
    """Write the publication of a record into `folder`; 0 when it is whole."""
    settings = PublicSettings() if site_file is None else read_public(site_file)
    recorded = _open(data)
    try:
        known = known_of(recorded, recorded.store.checkpoint())
    finally:
        recorded.close()
    made = publish(known, settings.contact)
    changed = write_folder(folder, {name: file.data for name, file in made.files.items()})
    _say(folder, made.manifest)
    page = "with the page" if page_files() else "WITHOUT the page, which is not built here"
    print(f"{changed} files written, {page}")
    return 0


def verify(folder: Path, key_file: Path) -> int:
    """Check a copy against the record's public key; RecordError where it does not hold."""
    key = read_key(key_file)
    manifest = check_manifest(_read(folder / MANIFEST_FILE), verifier(key))
    head = checkpoints.check(_read(folder / CHECKPOINT_FILE), key.name, [verifier(key)]).checkpoint
    if (head.origin, head.size, head.root) != (manifest.origin, manifest.size, manifest.root):
        raise RecordError(f"{folder / CHECKPOINT_FILE} is not of the moment that the list names")
    for listed in manifest.files:
        if not listed.holds(_read(folder / listed.name)):
            raise RecordError(f"{folder / listed.name} is not the file that was signed")
    _say(folder, manifest)
    print(f"signed by {key.name}+{key.key_id.hex()}")
    return 0


def _say(folder: Path, manifest: Manifest) -> None:
    at = f"{to_datetime(manifest.at_ns):%Y-%m-%d %H:%M:%S} UTC"
    print(f"{folder}: zones of {manifest.origin} as of {at}, entry {manifest.size}")
    for listed in manifest.files:
        omitted = f", {listed.omitted} that it cannot say left out" if listed.omitted else ""
        print(f"  {listed.name}: {listed.zones} zones{omitted}")


def _open(data: Path) -> Recorded:
    """The record at work; RecordError where a service holds it or there is none."""
    if not (data / RECORD_FILE).exists():
        raise RecordError(f"there is no record in {data}")
    store = RecordStore(data, "", audit=True)
    try:
        site = entries.site_of(store.facts(next(store.entries(0, 1))))
    finally:
        store.close()
    return Recorded(data, site)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        raise InputError(str(path), problem, "Give a folder of `skykeep zones export`") from None
    if len(data) > MAX_FILE_BYTES:
        raise InputError(str(path), f"is over {MAX_FILE_BYTES} bytes", "Give a smaller one")
    return data
