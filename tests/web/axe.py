"""axe-core on a page: its faults that are serious or critical."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

SCRIPT = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = ("serious", "critical")


def faults_of(page: Page) -> list[str]:
    """What is wrong and where, one line each; the test is skipped where axe-core is not there."""
    if not SCRIPT.is_file():
        pytest.skip("axe-core is not there (`npm ci` in web/ brings it)")
    # The page's policy allows no foreign script; the debugger may still run one.
    if not page.evaluate("'axe' in window"):
        page.evaluate(SCRIPT.read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{fault['id']}: {node['html'][:160]} ({node['failureSummary'][:200]})"
        for fault in found["violations"]
        if fault["impact"] in GRAVE
        for node in fault["nodes"]
    ]
