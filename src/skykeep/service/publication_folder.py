"""A publication as a folder that any plain web server can give out.

The page's own files and those of the zones lie beside each other. The manifest is written
last: who reads between two writes sees a file that is not the listed one, and asks again.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from skykeep.codec.publication import MANIFEST_FILE
from skykeep.errors import InputError
from skykeep.service.web_page import BUILT
from skykeep.store.durable import make_folder, put_in_place, sync_folder

PAGE_FILE, INDEX_FILE, ASSETS = "public.html", "index.html", "assets"
#: What lies beside the page in a build and goes with it.
_BESIDE = ("icon.svg", "THIRD-PARTY-LICENSES.txt")


def page_files(built: Path | None = BUILT) -> dict[str, Path]:
    """The public page's files in a build, by their names in the folder; empty if not built.

    Of the assets those that the page names, or one of them in turn: names carry a digest of
    the content, so that one is found in another's text only where it is meant.
    """
    if built is None or not (built / PAGE_FILE).is_file():
        return {}
    found = {INDEX_FILE: built / PAGE_FILE}
    found |= {name: built / name for name in _BESIDE if (built / name).is_file()}
    folder = built / ASSETS
    left = {path.name: path for path in sorted(folder.iterdir())} if folder.is_dir() else {}
    texts = [(built / PAGE_FILE).read_bytes()]
    while texts:
        text = texts.pop()
        for name in [name for name in left if name.encode() in text]:
            path = left.pop(name)
            found[f"{ASSETS}/{name}"] = path
            texts.append(path.read_bytes())
    return found


def write_folder(folder: Path, files: Mapping[str, bytes], built: Path | None = BUILT) -> int:
    """Bring a folder up to date: the page, then the files, the manifest last; how many changed.

    InputError for a folder with a start page that is somebody else's, and where the system
    refuses; what is there is then of one publication or seen not to be. Files that the folder
    has besides are left alone.
    """
    if (folder / INDEX_FILE).exists() and not (folder / MANIFEST_FILE).exists():
        problem = f"has an {INDEX_FILE} that is not of a publication"
        raise InputError(str(folder), problem, "Give a folder of its own; nothing was written")
    page = {name: path.read_bytes() for name, path in page_files(built).items()}
    last = {MANIFEST_FILE: files[MANIFEST_FILE]}
    rest = {name: data for name, data in files.items() if name not in last}
    changed = _put_all(folder, page | rest)
    return changed + _put_all(folder, last)


def _put_all(folder: Path, files: Mapping[str, bytes]) -> int:
    """Bring files up to date, durably; how many changed."""
    changed = [folder / name for name, data in files.items() if _put(folder / name, data)]
    for holding in sorted({path.parent for path in changed}):
        try:
            sync_folder(holding)
        except OSError as error:
            problem = f"may not survive a power failure ({error.strerror or error})"
            raise InputError(str(holding), problem, "Check the disk, then write it again") from None
    return len(changed)


def _put(path: Path, data: bytes) -> bool:
    """Replace a file as a whole, unless it says the same; whether it was replaced."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        if path.is_file() and path.read_bytes() == data:
            return False
        make_folder(path.parent)
        put_in_place(path, data, temporary)
    except OSError as error:
        problem = f"cannot be written ({error.strerror or error})"
        raise InputError(str(path), problem, "Check space and rights of the folder") from None
    return True
