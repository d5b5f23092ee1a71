"""Sound records, built once; each test damages a copy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.faults import scene


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record with snapshots, built once; nobody writes to it."""
    folder = tmp_path_factory.mktemp("sound") / "record"
    whole = scene.night()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("skykeep.runtime.SNAPSHOT_EVERY", 100)
        scene.record(folder, whole, scene.stretch(whole, scene.UNTIL_S))
    return folder


@pytest.fixture(scope="session")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few seconds of it, for what is tried many times."""
    folder = tmp_path_factory.mktemp("short") / "record"
    whole = scene.night()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("skykeep.runtime.SNAPSHOT_EVERY", 60)
        scene.record(folder, whole, scene.stretch(whole, scene.SHORT_S))
    return folder


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "record"))


@pytest.fixture
def small(short: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(short, tmp_path / "record"))
