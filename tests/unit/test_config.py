"""A site file: what is read from it, and what is said of one that does not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from skykeep.config import PageSettings, read_feeds, read_page, read_retention, read_site
from skykeep.core.zone_book import ZonePolicy
from skykeep.errors import InputError
from tests.faults.keeper import SITE


def site_file(folder: Path, **changes: Any) -> Path:
    path = folder / "site.json"
    path.write_text(json.dumps(SITE | changes), encoding="utf-8")
    return path


def test_a_site_with_its_sensors(tmp_path: Path) -> None:
    site, sensors = read_site(site_file(tmp_path))
    assert (site.authority_id, site.name, site.time_zone) == ("city", "Citadel", "UTC")
    assert [s.sensor_id for s in sensors] == ["radar-1"]
    assert sensors[0].coverage.range_max_m == 20_000


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"authority": 7}, "authority"),
        ({"origin": {"lat_deg": 95.0, "lon_deg": 6.0, "height_hae_m": 0.0}}, "origin.lat_deg"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"sensors": [SITE["sensors"][0] | {"period_s": 0.0}]}, "sensors[0].period_s"),
        ({"page": {"map": "x"}}, "map"),
        ({"retention": {"identity_days": -1}}, "retention.identity_days"),
        ({"zones": {"confirm_within_h": 0}}, "zones.confirm_within_h"),
    ],
)
def test_the_field_that_does_not_fit_is_named(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    path = site_file(tmp_path, **changes)
    with pytest.raises(InputError) as caught:
        _ = read_site(path), read_retention(path)
    assert words in str(caught.value)


def test_a_page_asks_nothing_of_anybody_unless_the_site_says_so(tmp_path: Path) -> None:
    assert read_page(site_file(tmp_path)) == PageSettings(None, None, None)


def test_a_map_is_a_file_beside_the_site_file_or_a_url(tmp_path: Path) -> None:
    file = tmp_path / "city.pmtiles"
    file.write_bytes(b"PMTiles")
    assert read_page(site_file(tmp_path, page={"basemap": "city.pmtiles"})).basemap_file == file
    url = "https://maps.example/city.pmtiles"
    assert read_page(site_file(tmp_path, page={"basemap": url})).basemap_url == url


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ({"basemap": "gone.pmtiles"}, "page.basemap"),
        ({"basemap": "https://"}, "page.basemap"),
        ({"glyphs": "fonts/{range}"}, "page.glyphs"),
    ],
)
def test_a_map_or_font_that_cannot_be_had_is_named(
    tmp_path: Path, page: dict[str, str], words: str
) -> None:
    with pytest.raises(InputError) as caught:
        read_page(site_file(tmp_path, page=page))
    assert words in str(caught.value)


def test_the_policy_on_zones_is_the_sites(tmp_path: Path) -> None:
    zones = {"confirm_within_h": 2.5, "approver_differs": False}
    site, _ = read_site(site_file(tmp_path, zones=zones))
    assert site.zone_policy == ZonePolicy(9_000.0, approver_differs=False)


def test_raw_bytes_are_kept_no_longer_than_where_operators_stood(tmp_path: Path) -> None:
    file = tmp_path / "site.json"
    site = (
        '{"authority": "c", "name": "n", "origin": {"lat_deg": 1, "lon_deg": 1, "height_hae_m": 1},'
        '"retention": {"operator_days": 2}, "feeds": [{"feed": "f", "sensor": "s", "kind": "k", '
        '"address": "udp://127.0.0.1:1", %s}]}'
    )
    file.write_text(site % '"raw_days": 2, "raw_mb_per_day": 1.5')
    (feed,) = read_feeds(file)
    assert (feed.raw_days, feed.raw_day_bytes) == (2.0, 1_500_000)
    for wrong in ('"raw_days": 2.1', '"raw_days": -1', '"raw_days": 1, "raw_mb_per_day": 0'):
        file.write_text(site % wrong)
        with pytest.raises(InputError, match="operator_days"):
            read_feeds(file)
