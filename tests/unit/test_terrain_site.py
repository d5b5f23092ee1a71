"""A site whose ground is a file that its configuration names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skykeep.config import read_site
from skykeep.core.geo import Terrain
from skykeep.errors import InputError
from skykeep.runtime import read_grounded_site
from skykeep.store.geoid import undulation_m
from skykeep.store.terrain import ERROR_M
from tests.faults.keeper import SITE

BOUNDS = {"lowest_amsl_m": 230, "highest_amsl_m": 400, "geoid_low_m": 47, "geoid_high_m": 48}


def site_file(folder: Path, terrain: dict[str, Any]) -> Path:
    tile = np.full((1201, 1201), 300, ">i2")
    tile[600, 600] = 450  # a hill in the middle
    (folder / "N49E006.hgt").write_bytes(tile.tobytes())
    path = folder / "site.json"
    origin = {"lat_deg": 49.5, "lon_deg": 6.6, "height_hae_m": 340.0}
    path.write_text(json.dumps(SITE | {"origin": origin, "terrain": terrain}), encoding="utf-8")
    return path


def test_the_ground_is_that_of_the_file_within_the_radius(tmp_path: Path) -> None:
    near, _ = read_grounded_site(site_file(tmp_path, {"file": "N49E006.hgt", "radius_m": 3_000}))
    wide, _ = read_grounded_site(site_file(tmp_path, {"file": "N49E006.hgt"}))
    assert near.terrain is not None
    assert wide.terrain is not None
    assert (near.terrain.lowest_amsl_m, near.terrain.highest_amsl_m) == (290.0, 310.0)
    assert wide.terrain.highest_amsl_m == 450.0 + ERROR_M
    assert near.terrain.geoid_low_m < undulation_m(49.5, 6.6) < near.terrain.geoid_high_m


def test_bounds_by_hand_are_as_they_were_and_a_file_needs_the_runtime(tmp_path: Path) -> None:
    path = site_file(tmp_path, BOUNDS)
    assert read_grounded_site(path) == read_site(path)
    assert read_site(path)[0].terrain == Terrain(230.0, 400.0, 47.0, 48.0)
    assert read_site(site_file(tmp_path, {"file": "N49E006.hgt"}))[0].terrain is None


@pytest.mark.parametrize(
    ("terrain", "where"),
    [
        ({"file": "gone.hgt"}, "gone.hgt"),
        ({"file": "N49E006.hgt", "radius_m": 60_000}, "terrain.file"),
        ({"file": "N49E006.hgt", "radius_m": 0}, "terrain.radius_m"),
        ({"file": "N49E006.hgt"} | BOUNDS, "terrain"),
        ({"lowest_amsl_m": 230}, "terrain"),
        (BOUNDS | {"lowest_amsl_m": 500}, "terrain"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, terrain: dict[str, Any], where: str) -> None:
    with pytest.raises(InputError, match=where):
        read_grounded_site(site_file(tmp_path, terrain))
