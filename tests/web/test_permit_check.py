"""The page that checks cards offline, in a real browser, from a file and without a network."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from skykeep.codec.permit_card import card_text, status_list
from skykeep.core.geo import Polygon, Volume
from skykeep.core.permit import Permit, PermitState
from skykeep.service.permits_card import card_key, check_page
from skykeep.units import NS_PER_S
from tests.sky import CITY, permit_named

if TYPE_CHECKING:
    from playwright.sync_api import Browser

KEY, OTHER = card_key(bytes(range(32))), card_key(bytes(32))
RFC8032 = Path(__file__).parents[1] / "vectors" / "ed25519" / "rfc8032.json"
#: The whole of Ed25519's own vectors and every answer, in one browser.
PERMIT = permit_named()
SQUARE = Polygon((((6.12, 49.60), (6.14, 49.60), (6.14, 49.62), (6.12, 49.62), (6.12, 49.60)),))


def timed(name: str, start_s: float, end_s: float, **changes: object) -> Permit:
    now_ns = time.time_ns()
    (volume,) = PERMIT.volumes
    start_ns, end_ns = (now_ns + round(s * NS_PER_S) for s in (start_s, end_s))
    area = changes.pop("area", volume.volume.area)
    where = Volume(area, None, None)  # type: ignore[arg-type]
    own = replace(volume, volume=where, start_ns=start_ns, end_ns=end_ns)
    return replace(permit_named(name, **changes), volumes=(own,))


def text_of(permit: Permit, key: object = KEY) -> str:
    return card_text(permit, 0, time.time_ns(), key.public, key.sign)  # type: ignore[attr-defined]


@pytest.fixture
def ask(browser: Browser, tmp_path: Path) -> Callable[[str, str], list[str]]:
    revoked = timed("R1", -60, 3_600, state=PermitState.REVOKED)
    listed = status_list(CITY, [revoked], time.time_ns(), KEY.public, KEY.sign)
    file = tmp_path / "check.html"
    file.write_text(check_page(CITY, KEY.public, listed), encoding="utf-8")
    context = browser.new_context(offline=True)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(file.as_uri())

    def asked(text: str, place: str = "") -> list[str]:
        page.fill("#text", text)
        page.fill("#place", place)
        page.click("#check")
        assert faults == []
        said = [page.inner_text(i) for i in ("#answer", "#words", "#card", "#list")]
        return [*said, str(page.evaluate("0"))][:4]

    asked.page = page  # type: ignore[attr-defined]
    return asked


def test_every_answer_without_a_network(ask: Callable[..., list[str]]) -> None:
    good = text_of(timed("P1", -60, 3_600, holder="Survey Ltd"))
    here = "49.61, 6.13"
    answer, words, card, listed = ask(good, here)
    assert (answer, words) == ("valid", "")
    assert "…0017" in card
    assert "Survey" not in card
    assert "as of 20" in listed
    assert ask(good)[:2] == ["valid", "the place was not checked"]
    assert ask(good, "49.7, 6.13")[0] == "not here"
    assert ask(good, "somewhere")[0] == "unknown"
    assert ask(text_of(timed("P2", 60, 3_600)), here)[0] == "not now"
    assert ask(text_of(timed("P3", -60, -1)), here)[0] == "not now"
    answer, words, *_ = ask(text_of(timed("R1", -60, 3_600)), here)
    assert (answer, words) == ("revoked", "it was revoked")
    answer, words, card, _ = ask(text_of(timed("P1", -60, 3_600), OTHER), here)
    assert (answer, card) == ("unknown", "")
    assert "not signed by this authority" in words
    for broken in ("", "SKY1:", good[:-1], good.replace("SKY1:", "SKY1:0"), "HELLO"):
        assert ask(broken, here)[0] == "unknown"
    outline = text_of(timed("P4", -60, 3_600, area=SQUARE))
    assert [ask(outline, p)[0] for p in (here, "49.63, 6.13")] == ["valid", "not here"]


def test_its_ed25519_is_that_of_rfc_8032(ask: Callable[..., list[str]]) -> None:
    vectors = json.loads(RFC8032.read_text(encoding="utf-8"))
    cases = list(vectors)
    page = ask.page  # type: ignore[attr-defined]
    script = """([key, signature, message]) => {
      const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (h) => parseInt(h, 16));
      const s = bytes(signature), m = bytes(message), bent = s.slice();
      bent[40] ^= 1;
      return [verify(bytes(key), s, m), verify(bytes(key), bent, m)];
    }"""
    assert cases
    for case in cases:
        given = [case[name] for name in ("public_key", "signature", "message")]
        assert page.evaluate(script, given) == [True, False]
