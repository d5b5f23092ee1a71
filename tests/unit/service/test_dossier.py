"""A dossier over HTTP: with the witnessed head, and what an evidence officer withholds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from skykeep.commands import verify as command
from skykeep.record import note as notes
from skykeep.record.checkpoint import parse
from skykeep.record.cosignature import ml_dsa_signer
from skykeep.verify import verifier
from tests.desk import EVIDENCE, OFFICER, READER
from tests.unit.service.test_publish_log import Site
from tests.unit.service.test_routes import alerted

PATH = "/v1/incidents/I0001/dossier"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with pytest.MonkeyPatch.context() as patch:
        made = Site(tmp_path_factory.mktemp("site"), patch)
        alerted(made.desk)
        opened = made.desk.command("open_incident", {"title": "a drone", "alerts": ["A00001"]})
        assert opened.status_code == 200
        made.round()
        yield made
        made.close()


def checked(site: Site, data: bytes, witnesses: bool = True) -> verifier.Report:
    key = verifier.read_key(site.store.public_key.to_text())
    keys = [verifier.read_key(w.place.key.to_text(), 4) for w in site.witnesses]
    return verifier.verify(data, key, keys if witnesses else ())


def test_it_carries_what_the_witnesses_cosigned(site: Site) -> None:
    answer = site.desk.get(PATH)
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == 'attachment; filename="dossier-i0001.zip"'
    report = checked(site, answer.content)
    assert report.holds, str(report)
    said = {check.what.partition(":")[0]: check for check in report.checks}["the witnesses"]
    assert said.held
    assert said.said.startswith("3 of 3, 2 are needed: w")
    page = verifier.read_container(answer.content)["dossier-i0001/data/reader.html"].decode()
    assert "Cosigned by" in page
    assert "w1.example" in page
    without = checked(site, answer.content, witnesses=False)
    assert without.holds
    assert "present, not checked here: w1.example" in " ".join(str(without).split())


def test_what_is_newer_than_the_witnessed_head_is_said(site: Site) -> None:
    assert site.desk.command("acknowledge_alert", {"alert_id": "A00001"}).status_code == 200
    report = checked(site, site.desk.get(PATH).content)
    assert report.holds
    assert any("leaves are newer than what is cosigned" in note for note in report.notes)


def test_an_evidence_officer_withholds_by_name_and_with_a_reason(site: Site) -> None:
    answer = site.desk.get(f"{PATH}?withhold=radar&reason=its+place+is+secret", EVIDENCE)
    assert answer.status_code == 200
    report = checked(site, answer.content)
    assert report.holds
    (said,) = [line for line in report.withheld if line.startswith("radar: ")]
    assert "(ALL OF IT) withheld" in said
    assert said.endswith("by E. Vidence, evidence_officer: its place is secret")
    kind = site.desk.get(f"{PATH}?withhold_kind=position&reason=secret", EVIDENCE)
    assert kind.status_code == 200, kind.text
    assert any("(ALL OF IT)" in line for line in checked(site, kind.content).withheld)
    assert checked(site, site.desk.get(f"{PATH}?whole=true", EVIDENCE).content).holds


@pytest.mark.parametrize(
    ("query", "token", "status", "said"),
    [
        ("withhold=radar&reason=x", OFFICER, 403, "evidence_officer"),
        ("whole=true", OFFICER, 403, "evidence_officer"),
        ("", READER, 403, "role"),
        ("withhold=radar", EVIDENCE, 422, "is empty"),
        ("withhold=rader&reason=x", EVIDENCE, 422, "no sensor 'rader'"),
        ("withhold_kind=weather&reason=x", EVIDENCE, 422, "is no kind"),
    ],
)
def test_what_is_refused(site: Site, query: str, token: str, status: int, said: str) -> None:
    answer = site.desk.get(f"{PATH}?{query}", token)
    assert answer.status_code == status
    assert said in answer.json()["problem"]


def test_a_second_signature_is_checked_with_libraries(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("cryptography.hazmat.primitives.asymmetric.mldsa")
    site.round()
    note = site.publisher.note
    strong = ml_dsa_signer("w4.example", bytes(32), 1_789_000_000)
    point = parse(notes.parse(note).text)
    receipt = tmp_path / "r.tlog-proof"
    entry = point.size - 1
    made = site.desk.get(f"/v1/receipts/{entry}", OFFICER).content
    head, _, tail = made.partition(b"\n\n")
    both = notes.cosign(notes.parse(tail), [strong]).to_bytes()
    receipt.write_bytes(head + b"\n\n" + both)
    (tmp_path / "log.vkey").write_text(site.store.public_key.to_text())
    (tmp_path / "w4.vkey").write_text(strong.key.to_text())
    files = [str(tmp_path / name) for name in ("r.tlog-proof", "log.vkey", "w4.vkey")]
    assert command.run(files[0], files[1], [], None) == 0
    assert "not checked here" in capsys.readouterr().out
    assert command.run(files[0], files[1], [files[2]], None) == 0
    assert "held         w4.example+" in capsys.readouterr().out
    (tmp_path / "w5.vkey").write_text(ml_dsa_signer("w4.example", bytes([1]) * 32, 1).key.to_text())
    assert command.run(files[0], files[1], [str(tmp_path / "w5.vkey")], None) == 1
    assert "has signed nothing here" in capsys.readouterr().out
    wrong = both.replace(both[-60:-50], b"A" * 10)
    receipt.write_bytes(head + b"\n\n" + wrong)
    assert command.run(files[0], files[1], [files[2]], None) == 1
    assert "its signature does not hold" in capsys.readouterr().out
