"""Receipts: whoever handed something in can show it to anybody, without us."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skykeep.cli import main
from skykeep.record import note as notes
from skykeep.record import proof
from skykeep.record.cosignature import parse_cosigner
from skykeep.record.entry import read_leaf
from skykeep.verify import verifier
from tests.desk import OFFICER, RADAR_TOKEN, READER, RECEIVER_TOKEN
from tests.sky import SERIAL, at, claim_of, claims, plots
from tests.unit.service.test_publish_log import Site

FILE = Path(verifier.__file__)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with pytest.MonkeyPatch.context() as patch:
        made = Site(tmp_path_factory.mktemp("site"), patch)
        yield made
        made.close()


@pytest.fixture(scope="module")
def entry(site: Site) -> int:
    """A batch of the radar's, published."""
    site.desk.clock.now_ns = at(2.0)
    answer = site.desk.send(plots(2.0, (100.0, 0.0, 80.0), (200.0, 0.0, 90.0)))
    found: int = answer.json()["entry"]
    early = site.desk.get(f"/v1/receipts/{found}", RADAR_TOKEN)
    assert early.status_code == 503
    assert "published yet" in early.json()["problem"]
    site.round()
    return found


@pytest.fixture(scope="module")
def receipt(site: Site, entry: int) -> bytes:
    answer = site.desk.get(f"/v1/receipts/{entry}", RADAR_TOKEN)
    assert answer.status_code == 200
    return answer.content


@pytest.fixture(scope="module")
def keys(site: Site, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Arguments: the log's key and its witnesses'."""
    folder = tmp_path_factory.mktemp("keys")
    (folder / "log.vkey").write_text(f"# ours\n{site.store.public_key.to_text()}\n")
    words = ["--key", str(folder / "log.vkey")]
    for one in site.witnesses:
        path = folder / f"{one.place.key.name}.vkey"
        path.write_text(one.place.key.to_text())
        words += ["--witness", str(path)]
    return words


def held(site: Site, data: bytes) -> verifier.Report:
    log = verifier.read_key(site.store.public_key.to_text())
    witnesses = [verifier.read_key(one.place.key.to_text(), 4) for one in site.witnesses]
    return verifier.verify_receipt(data, log, witnesses)


def test_a_sensors_own_batch_with_all_its_facts(
    site: Site, receipt: bytes, entry: int, keys: list[str], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    found = proof.parse(receipt)
    assert found.extra is not None
    leaf, facts, end = found.extra.split(b"\n")
    assert (found.index, read_leaf(leaf).source, end) == (entry, "radar", b"")
    witnesses = [one.place.key for one in site.witnesses]
    assert proof.check(found, leaf, site.key.name, [site.key], witnesses, 2)
    assert json.loads(json.loads(facts)[0]["fact"])["rows"] == 2
    path = tmp_path / "4711.tlog-proof"
    path.write_bytes(receipt)
    assert main(["verify-receipt", str(path), *keys]) == 0
    said = capsys.readouterr().out
    for words in (
        "THIS RECEIPT HOLDS",
        "A batch from radar with 3 facts",
        '"batch":',
        "3 of 3, 2 are needed: w",
    ):
        assert words in said
    alone = subprocess.run(
        [sys.executable, "-I", "-S", str(FILE), str(path), *keys],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert (alone.returncode, alone.stdout) == (0, said)
    assert main(["verify", str(path), *keys[:2]]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "the keeper's word alone; present, not checked here: w1" in said


@pytest.mark.parametrize("token", [OFFICER, READER, RECEIVER_TOKEN, None])
def test_nobody_else_is_shown_a_sensors_facts(
    site: Site, entry: int, receipt: bytes, token: str | None
) -> None:
    path = f"/v1/receipts/{entry}" if token else f"/log/receipts/{entry}"
    data = site.desk.get(path, token).content
    report = held(site, data)
    assert report.holds
    assert "none of the 3 facts is shown" in str(report)
    leaf = data.split(b"\n")[1]
    assert receipt.split(b"\n")[1].startswith(leaf.rstrip(b"=")[:-2])


def test_claimed_identities_of_ones_own(site: Site) -> None:
    site.desk.clock.now_ns = at(4.0)
    answer = site.desk.send(claims(4.0, (claim_of(SERIAL), (100.0, 0.0, 80.0))), RECEIVER_TOKEN)
    assert answer.status_code == 200, answer.text
    site.round()
    index = answer.json()["entry"]
    report = held(site, site.desk.get(f"/v1/receipts/{index}", RECEIVER_TOKEN).content)
    assert report.holds
    assert SERIAL in str(report)
    with site.store._keys as db:  # retention ends: the hour's key is destroyed
        kept = db.execute("SELECT source, hour, key FROM seal_keys").fetchall()
        db.execute("DELETE FROM seal_keys WHERE source = 'rid'")
    site.store._cache.clear()
    after = held(site, site.desk.get(f"/v1/receipts/{index}", RECEIVER_TOKEN).content)
    assert after.holds
    assert SERIAL not in str(after)
    assert "2 withheld" in str(after)  # the claim, and the hash of the bytes that made it
    with site.store._keys as db:
        db.executemany("INSERT OR IGNORE INTO seal_keys VALUES (?, ?, ?)", kept)


def test_what_there_is_no_receipt_for(site: Site) -> None:
    assert site.desk.get("/v1/receipts/0", None).status_code == 401
    site.desk.clock.on(1.0)
    site.desk.get("/v1/sensors")  # a tick that no witness has seen
    early = site.desk.get(f"/v1/receipts/{site.store.size - 1}", OFFICER)
    assert early.status_code == 503
    assert f"entry {site.store.size - 1} is not published yet" in early.json()["problem"]
    missing = site.desk.get("/v1/receipts/99999999", OFFICER)
    assert (missing.status_code, "none with the number" in missing.json()["problem"]) == (404, True)
    for odd in ("-1", "x", str(2**63)):
        assert site.desk.get(f"/v1/receipts/{odd}", OFFICER).status_code == 422


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_flipped_bit_is_found(site: Site, receipt: bytes, data: st.DataObject) -> None:
    bit = data.draw(st.integers(0, len(receipt) * 8 - 1))
    flipped = bytearray(receipt)
    flipped[bit // 8] ^= 1 << bit % 8
    altered = bytes(flipped)
    if altered.startswith(verifier.RECEIPT_MARK):
        report = held(site, altered)
        # In a witness's name or key id: then it is a stranger's line, and one fewer cosigned.
        assert not report.holds or "2 of 3, 2 are needed: w" in " ".join(str(report).split())


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.binary(max_size=200)
    | st.lists(st.sampled_from([b"extra e30K", b"index 0", b"", b"YQ==", b"a\n0\n"])).map(
        b"\n".join
    )
)
def test_whatever_the_bytes(site: Site, data: bytes) -> None:
    assert not held(site, verifier.RECEIPT_MARK + data).holds


def test_what_does_not_hold(
    site: Site, receipt: bytes, keys: list[str], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    text = receipt.decode()
    lines = text.split("\n")
    signed = [n for n, line in enumerate(lines) if line.startswith("— w")]
    without = "\n".join(line for n, line in enumerate(lines) if n not in signed[1:])
    assert "cosigned by 1 of 3 witnesses, 2 are needed" in str(held(site, without.encode()))
    twice = without.rstrip("\n") + "\n" + lines[signed[0]] + "\n"
    assert "cosigned by 1 of 3 witnesses" in str(held(site, twice.encode()))
    # They stand in the order in which they answered.
    kept = next(w for w in site.witnesses if w.place.key.name == lines[signed[0]].split()[1])
    own = parse_cosigner((kept.folder / "witness.skey").read_text().split("\n")[0])
    again = notes.cosign(notes.parse(proof.parse(without.encode()).note), [own.at(7)]).to_bytes()
    other_time = without.encode().partition(b"\n\n")[0] + b"\n\n" + again
    assert "cosigned by 1 of 3 witnesses" in str(held(site, other_time))
    found = proof.parse(receipt)
    assert found.extra is not None
    other = found.extra.replace(b"[5.0,5.0,8.0]", b"[5.0,5.0,9.0]", 1)
    assert other != found.extra
    moved = proof.Proof(found.index, found.hashes, found.note, other).to_bytes()
    assert "do not give the root that their leaf names" in str(held(site, moved))
    path = tmp_path / "r.tlog-proof"
    path.write_bytes(without.encode())
    assert main(["verify-receipt", str(path), *keys]) == 1
    assert main(["verify-receipt", str(path), *keys[:2], *keys[2:4], *keys[2:4]]) == 2
    assert main(["verify-receipt", str(path), *keys[:2], "--witness", keys[1]]) == 2
    assert "one byte 04" in capsys.readouterr().err
    path.write_bytes(b"PK")
    assert main(["verify-receipt", str(path), *keys]) == 1
