"""Terrain from synthetic files: a slope that is known everywhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from skykeep.core.geo import Fix, HeightAgl, HeightAmsl, Tri, Volume, in_heights
from skykeep.errors import InputError
from skykeep.store.geoid import undulation_m
from skykeep.store.terrain import ERROR_M, TerrainRaster, read_asc, read_hgt, read_terrain

HEAD = "ncols 3\nnrows 2\nxllcorner 6.0\nyllcorner 49.0\ncellsize 0.5\nNODATA_value -9999\n"


def slope_hgt() -> bytes:
    """100 m at the south edge of a tile, 1300 m at the north; a hole in the north-east."""
    rows = np.repeat(np.arange(1300, 99, -1)[:, None], 1201, axis=1)
    rows[:10, -10:] = -32768
    return rows.astype(">i2").tobytes()


def test_a_tile_lies_where_its_name_says_north_up() -> None:
    raster = read_hgt(slope_hgt(), "N49E006.hgt")
    assert (raster.south_deg, raster.west_deg) == (49.0, 6.0)
    for lat, ground_m in ((49.0, 100.0), (49.5, 700.0), (49.99, 1288.0)):
        found = raster.bounds(lat, 6.25, lat, 6.25)
        assert found is not None
        assert found.lowest_amsl_m == pytest.approx(ground_m - ERROR_M, abs=1e-6)
        assert found.highest_amsl_m == pytest.approx(ground_m + ERROR_M, abs=1e-6)
        assert found.geoid_low_m < undulation_m(lat, 6.25) < found.geoid_high_m
    between = raster.bounds(49.50041, 6.2501, 49.50041, 6.2501)
    assert between is not None
    assert (between.lowest_amsl_m, between.highest_amsl_m) == (690.0, 711.0)
    south_west = read_hgt(slope_hgt(), "s12w077.HGT")
    assert (south_west.south_deg, south_west.west_deg) == (-12.0, -77.0)


def test_the_whole_tile_is_within_it_and_a_hole_or_the_outside_is_not_known() -> None:
    raster = read_hgt(slope_hgt(), "N49E006.hgt")
    assert raster.bounds(49.0, 6.0, 49.9, 7.0) is not None
    assert raster.bounds(49.0, 6.0, 50.0, 7.0) is None  # the hole
    assert raster.bounds(50.0, 6.0, 50.0, 6.0) is not None  # its own edge
    for south, west, north, east in ((48.9, 6.1, 49.1, 6.2), (49.1, 6.9, 49.2, 7.1)):
        assert raster.bounds(south, west, north, east) is None


def test_around_a_place_takes_in_the_distance() -> None:
    raster = read_hgt(slope_hgt(), "N49E006.hgt")
    found = raster.around(49.5, 6.5, 11_000.0)
    assert found is not None
    per_metre = 1200.0 / 111_200.0
    assert found.highest_amsl_m == pytest.approx(700.0 + 11_000.0 * per_metre + ERROR_M, abs=3.0)
    assert found.lowest_amsl_m == pytest.approx(700.0 - 11_000.0 * per_metre - ERROR_M, abs=3.0)
    assert raster.around(49.5, 6.5, 60_000.0) is None


def test_rows_are_bounds_point_by_point() -> None:
    raster = read_hgt(slope_hgt(), "N49E006.hgt")
    rows = raster.rows(np.array([49.5, 40.0]), np.array([6.5, 6.5]))
    t = raster.bounds(49.5, 6.5, 49.5, 6.5)
    assert t is not None
    assert rows[0].tolist() == [t.lowest_amsl_m, t.highest_amsl_m, t.geoid_low_m, t.geoid_high_m]
    assert np.isnan(rows[1]).all()


def test_an_agl_limit_is_undetermined_only_where_the_ground_matters() -> None:
    raster = read_hgt(slope_hgt(), "N49E006.hgt")
    here = raster.bounds(49.5, 6.5, 49.5, 6.5)
    volume = Volume(None, HeightAgl(0.0), HeightAgl(120.0))  # type: ignore[arg-type]

    def ask(amsl_m: float, terrain: object) -> Tri:
        fix = Fix(49.5, 6.5, 0.0, HeightAmsl(amsl_m), 0.0)
        return in_heights(fix, volume.lower, volume.upper, terrain)  # type: ignore[arg-type]

    assert [ask(m, here) for m in (750.0, 820.0, 900.0)] == [Tri.YES, Tri.MAYBE, Tri.NO]
    assert [ask(m, None) for m in (750.0, 900.0)] == [Tri.MAYBE, Tri.MAYBE]
    fix = Fix(49.5, 6.5, 0.0, None, 0.0)
    assert in_heights(fix, HeightAgl(0.0), None, None) is Tri.YES


def test_an_ascii_grid_is_read_north_row_first() -> None:
    raster = read_asc((HEAD + "1 2 3\n4 5 -9999\n").encode(), "g.asc")
    assert (raster.south_deg, raster.west_deg, raster.step_deg) == (49.25, 6.25, 0.5)
    assert raster.heights_m[1].tolist() == [1.0, 2.0, 3.0]
    assert raster.heights_m[0, :2].tolist() == [4.0, 5.0]
    assert np.isnan(raster.heights_m[0, 2])
    centred = read_asc((HEAD.replace("corner", "center") + "1 2 3\n4 5 6\n").encode(), "g.asc")
    assert (centred.south_deg, centred.west_deg) == (49.0, 6.0)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (HEAD + "1 2 3\n", "nrows"),
        (HEAD + "1 2 3\n4 5\n", "line 8"),
        (HEAD + "1 2 3\n4 x 6\n", "line 8"),
        (HEAD + "1 2 3\n4 nan 6\n", "line 8"),
        (HEAD.replace("cellsize 0.5\n", "") + "1 2 3\n4 5 6\n", "line 1"),
        (HEAD.replace("0.5", "0") + "1 2 3\n4 5 6\n", "line 1"),
        (HEAD.replace("6.0", "500000") + "1 2 3\n4 5 6\n", "xllcorner"),
        (HEAD.replace("ncols 3", "ncols three") + "1 2 3\n4 5 6\n", "line 1"),
        (HEAD + "1 2 \u00e9\n", "byte"),
        ("", "line 1"),
    ],
)
def test_a_faulty_grid_names_the_line(text: str, where: str) -> None:
    with pytest.raises(InputError, match=f"g.asc: {where}"):
        read_asc(text.encode(), "g.asc")


def test_files_are_read_by_their_ending(tmp_path: Path) -> None:
    tile = tmp_path / "N49E006.hgt"
    tile.write_bytes(slope_hgt())
    assert isinstance(read_terrain(tile), TerrainRaster)
    grid = tmp_path / "city.asc"
    grid.write_text(HEAD + "1 2 3\n4 5 6\n", encoding="ascii")
    assert read_terrain(grid).heights_m.shape == (2, 3)
    for name, content in (("city.hgt", slope_hgt()), ("N49E006.hgt", b"short"), ("a.tif", b"")):
        bad = tmp_path / name
        bad.write_bytes(content)
        with pytest.raises(InputError):
            read_terrain(bad)
    with pytest.raises(InputError, match="cannot be read"):
        read_terrain(tmp_path / "none.asc")
