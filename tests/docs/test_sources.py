"""The site files on the pages of sources are ones that the service takes."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from skykeep.config import read_feeds, read_site
from skykeep.feed.kinds import kind_of
from skykeep.feed.sources import source_of

SOURCES = Path(__file__).parents[2] / "docs" / "sources"


@pytest.mark.parametrize("page", ["asterix.md", "adsb.md", "shadow-mode.md"])
def test_the_site_file_of_a_page_is_taken(page: str, tmp_path: Path) -> None:
    (text,) = re.findall(r"```json\n(.*?)```", (SOURCES / page).read_text("utf-8"), re.DOTALL)
    file = tmp_path / "site.json"
    file.write_text(text, encoding="utf-8")
    _, sensors = read_site(file)
    known = {str(s.sensor_id): s for s in sensors}
    (settings,) = read_feeds(file)
    kind = kind_of(settings, known)
    kind.decoder(replace(settings, sensors=known))
    source_of(kind, settings, lambda: 0)
