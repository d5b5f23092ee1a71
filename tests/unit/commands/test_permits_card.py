"""Cards from the command line, and their QR codes as a camera sees them."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from skykeep.codec.permit_card import status_list
from skykeep.codec.permits import encode_permits
from skykeep.commands.permits_card import card, page, qr_picture, verify_card
from skykeep.core.permit import PermitState
from skykeep.errors import InputError
from skykeep.service.permits_card import card_key
from tests.sky import CITY, at, permit_named

SEED = bytes(range(32))
KEY = card_key(SEED)
NOW_NS = at(60.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text(SEED.hex() + "\n")
    (tmp_path / "public").write_text(KEY.public.hex() + "\n")
    (tmp_path / "permits.json").write_bytes(encode_permits(CITY, [permit_named()]))
    for name, state in (("good", PermitState.GRANTED), ("revoked", PermitState.REVOKED)):
        listed = status_list(CITY, [permit_named(state=state)], NOW_NS, KEY.public, KEY.sign)
        (tmp_path / name).write_bytes(listed)
    return tmp_path


def written(folder: Path, name: str, capsys: pytest.CaptureFixture[str]) -> str:
    done = card(
        str(folder / "permits.json"), "P1", 1, folder / name, None, folder / "secret", NOW_NS
    )
    assert done == 0
    return capsys.readouterr().out.strip()


def test_a_card_is_written_and_checked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = written(folder, "card.svg", capsys)
    assert (folder / "card.svg").read_bytes().lstrip().startswith(b"<?xml")
    for status, here, code, answer in (
        ("good", "49.61,6.13", 0, "valid"),
        ("good", "49.9,6.13", 1, "not here"),
        ("revoked", None, 1, "revoked: it was revoked"),
        (None, None, 1, "unknown"),
    ):
        listed = None if status is None else folder / status
        assert verify_card(text, folder / "public", listed, here, NOW_NS, False) == code
        out = capsys.readouterr().out
        assert out.startswith(answer)
        assert "permit: P1" in out
    assert verify_card(text[:-3], folder / "public", None, None, NOW_NS, True) == 1
    assert json.loads(capsys.readouterr().out)["answer"] == "unknown"
    with pytest.raises(InputError, match="no place"):
        verify_card(text, folder / "public", None, "here", NOW_NS, False)
    with pytest.raises(InputError, match=r"neither .svg nor .png"):
        written(folder, "card.gif", capsys)


def test_a_page_is_made_only_around_a_list_that_holds(folder: Path) -> None:
    assert page(CITY, folder / "public", folder / "good", folder / "page.html") == 0
    assert KEY.public.hex() in (folder / "page.html").read_text()
    (folder / "good").write_bytes(b"\x00" * 80)
    with pytest.raises(InputError, match="garbled"):
        page(CITY, folder / "public", folder / "good", folder / "page.html")


def photographed(picture: bytes, turn_deg: float, seed: int) -> bytes:
    """A print as a phone sees it: askew, turned, blurred, unevenly lit, noisy.

    A sensor's noise comes out of the camera softened, since each pixel is made from several.
    """
    from PIL import Image, ImageFilter

    sheet = Image.open(io.BytesIO(picture)).convert("L")
    wide, high = sheet.size
    # A quadrilateral that is not a rectangle: the far edge is an eighth shorter.
    quad = (0.0, 0.0, -0.06 * wide, 1.0 * high, 1.06 * wide, 1.02 * high, 0.97 * wide, 0.03 * high)
    askew = sheet.transform((wide, high), Image.Transform.QUAD, quad, Image.Resampling.BICUBIC,
                            fillcolor=255)  # fmt: skip
    turned = askew.rotate(turn_deg, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    seen = np.asarray(turned.filter(ImageFilter.GaussianBlur(1.2)), np.float64)
    light = np.linspace(0.6, 0.95, seen.shape[1])[None, :]
    noise = np.random.default_rng(seed).normal(0.0, 20.0, seen.shape)
    shot = Image.fromarray(np.clip(seen * light + 12.0 + noise, 0, 255).astype(np.uint8))
    made = io.BytesIO()
    shot.filter(ImageFilter.GaussianBlur(1.2)).save(made, "JPEG", quality=60)
    return made.getvalue()


@pytest.mark.skipif(shutil.which("zbarimg") is None, reason="zbarimg (zbar-tools) is not here")
@pytest.mark.parametrize("turn_deg", [0.0, 17.0, 100.0, 215.0])
def test_a_printed_and_photographed_code_reads_with_another_reader(
    folder: Path, capsys: pytest.CaptureFixture[str], turn_deg: float
) -> None:
    text = written(folder, "card.png", capsys)
    shot = folder / "shot.jpg"
    shot.write_bytes(photographed((folder / "card.png").read_bytes(), turn_deg, seed=7))
    done = subprocess.run(
        ["zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", str(shot)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout.strip("\n") == text


def test_the_largest_card_has_a_code() -> None:
    assert qr_picture("SKY1:" + "A" * 295, ".png").startswith(b"\x89PNG")
