from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import Any

import pytest

from skykeep.codec.permits import decode_permits
from skykeep.commands.permits import BAD_INPUT, NOT_ALLOWED, OK, due, grant, list_, revoke, step
from skykeep.core.permit import Permit, PermitEvent, PermitState, Terms

NOW = 1_789_172_820_000_000_000
VOLUME: dict[str, Any] = {
    "area": {"circle": {"lat_deg": 49.6, "lon_deg": 6.1, "radius_m": 300}},
    "lower": None,
    "upper": {"m": 120, "reference": "AGL"},
    "start": "2026-09-12T00:00:00Z",
    "end": "2026-09-12T06:00:00Z",
}
PERMIT: dict[str, Any] = {
    "id": "P-1",
    "holder": "Survey [Ltd]",
    "serials": ["1596A0123456789"],
    "zones": ["Z1"],
    "volumes": [VOLUME],
    "state": "granted",
}


def write(path: Path, *permits: dict[str, Any], authority: str = "city") -> Path:
    path.write_text(json.dumps({"authority": authority, "permits": permits}))
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "permits.json", PERMIT, PERMIT | {"id": "P-2", "state": "submitted"})


def read(path: Path) -> dict[str, Permit]:
    file = decode_permits(path.read_bytes(), "f")
    assert file.findings == ()
    return {str(p.permit_id): p for p in file.permits}


def do_revoke(path: Path, permit_id: str = "P-1", why: str = "unsafe", **more: Any) -> int:
    arguments = {"actor_name": "C. Weber", "actor_role": "permit office", "now_ns": NOW}
    return revoke(path, permit_id, why, **(arguments | {"as_json": False} | more))


def do_grant(path: Path, permit_id: str = "P-2", **more: Any) -> int:
    arguments = {"actor_name": "C. Weber", "actor_role": "permit office", "now_ns": NOW}
    return grant(path, permit_id, "", **(arguments | {"as_json": False} | more))


def test_list(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert list_(path, as_json=True) == OK
    record = json.loads(capsys.readouterr().out)
    assert [p["id"] for p in record["permits"]] == ["P-1", "P-2"]
    assert record["findings"] == []
    assert list_(path, as_json=False) == OK
    out = capsys.readouterr().out
    assert "Permits and exemptions of city" in out
    assert "P-2" in out


def test_list_of_a_faulty_file(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(path, PERMIT, {"id": "P-9"})
    assert list_(path, as_json=False) == BAD_INPUT
    out, err = capsys.readouterr()
    assert "P-1" in out
    assert "$.permits[1]." in err


def test_revoke(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert do_revoke(path) == OK
    assert "P-1 is revoked since 2026-09-12T00:27:00Z: unsafe" in capsys.readouterr().out
    permit = read(path)["P-1"]
    assert permit.state is PermitState.REVOKED
    assert permit.state_why == "unsafe (by C. Weber, permit office)"
    assert permit.state_since_ns == NOW
    assert read(path)["P-2"].state is PermitState.SUBMITTED
    before = path.read_bytes()
    assert do_revoke(path) == NOT_ALLOWED
    assert "P-1 is revoked; it cannot revoke" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_grant(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert do_grant(path, as_json=True) == OK
    assert json.loads(capsys.readouterr().out)["state"] == "granted"
    assert read(path)["P-2"].state is PermitState.GRANTED
    assert do_grant(path) == NOT_ALLOWED
    assert do_grant(path, "P-1") == NOT_ALLOWED


@pytest.mark.parametrize("state", ["draft", "submitted"])
def test_grant_an_application(path: Path, tmp_path: Path, state: str) -> None:
    new = write(tmp_path / "new.json", PERMIT | {"id": "P-3", "state": state})
    assert do_grant(path, "P-3", application=new) == OK
    assert read(path)["P-3"].state is PermitState.GRANTED
    assert set(read(path)) == {"P-1", "P-2", "P-3"}
    assert do_grant(path, "P-3", application=new) == NOT_ALLOWED
    fresh = tmp_path / "fresh.json"
    assert do_grant(fresh, "P-3", application=new) == OK
    assert set(read(fresh)) == {"P-3"}


def test_an_application_that_will_not_do(path: Path, tmp_path: Path) -> None:
    before = path.read_bytes()
    new = tmp_path / "new.json"
    write(new, PERMIT | {"id": "P-3", "state": "revoked"})
    assert do_grant(path, "P-3", application=new) == NOT_ALLOWED
    write(new, PERMIT | {"id": "P-3", "state": "draft"}, authority="airport")
    assert do_grant(path, "P-3", application=new) == BAD_INPUT
    write(new, PERMIT | {"id": "P-3", "state": "draft", "volumes": [{}]})
    assert do_grant(path, "P-3", application=new) == BAD_INPUT
    assert path.read_bytes() == before


def test_bad_input(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = path.read_bytes()
    assert do_revoke(path, "P-7") == BAD_INPUT
    assert "There is: P-1, P-2." in capsys.readouterr().err
    assert do_revoke(path, why=" ") == BAD_INPUT
    assert do_revoke(path, actor_name="") == BAD_INPUT
    assert do_revoke(tmp_path / "none") == BAD_INPUT
    assert do_revoke(tmp_path / "none" / "none") == BAD_INPUT
    assert list_(tmp_path, as_json=True) == BAD_INPUT
    assert path.read_bytes() == before


def test_a_faulty_file_is_not_written(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(path, PERMIT, {"id": "P-9"})
    before = path.read_bytes()
    assert do_revoke(path) == BAD_INPUT
    assert "would lose" in capsys.readouterr().err
    assert path.read_bytes() == before


@pytest.mark.parametrize("call", ["fsync", "replace", "fdopen"])
def test_a_failed_write_leaves_the_old_file(
    path: Path, monkeypatch: pytest.MonkeyPatch, call: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = path.read_bytes()
    opened: list[int] = []

    def fail(*arguments: Any) -> None:
        opened.extend(a for a in arguments[:1] if call == "fdopen")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, fail)
    assert do_revoke(path) == BAD_INPUT
    monkeypatch.undo()
    for descriptor in opened:
        os.close(descriptor)
    assert "No space left on device" in capsys.readouterr().err
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["permits.json"]


def test_rights_and_links_are_kept(path: Path, tmp_path: Path) -> None:
    path.chmod(0o640)
    link = tmp_path / "link.json"
    link.symlink_to(path)
    assert do_revoke(link) == OK
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert read(path)["P-1"].state is PermitState.REVOKED


def test_one_writer_at_a_time(path: Path) -> None:
    before = path.read_bytes()
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        assert do_revoke(path) == NOT_ALLOWED
    finally:
        os.close(directory)
    assert path.read_bytes() == before
    assert do_revoke(path) == OK


def do_step(path: Path, event: PermitEvent, why: str = "because", **more: Any) -> int:
    who = {"actor_name": "C. Weber", "actor_role": "permit office", "now_ns": NOW}
    return step(path, "P-2", event, why, **(who | {"as_json": False} | more))


def test_every_step_of_a_proceeding_in_a_file(path: Path) -> None:
    deadline = Terms(decide_by_ns=NOW + 3_600 * 10**9, identity_proof="eID")
    assert do_step(path, PermitEvent.REVIEW, terms=deadline) == OK
    assert do_step(path, PermitEvent.REQUEST_INFORMATION, " ") == BAD_INPUT
    assert do_step(path, PermitEvent.REQUEST_INFORMATION, "which payload?") == OK
    permit = read(path)["P-2"]
    assert permit.state is PermitState.INFORMATION_REQUESTED
    assert permit.procedure.identity_proof == "eID"
    assert "which payload?" in permit.procedure.question
    assert do_step(path, PermitEvent.GRANT) == NOT_ALLOWED
    assert do_step(path, PermitEvent.ANSWER) == OK
    assert do_step(path, PermitEvent.GRANT, terms=Terms(conditions=("below 60 m",))) == OK
    assert read(path)["P-2"].conditions == ("below 60 m",)
    assert do_step(path, PermitEvent.CONFIRM) == BAD_INPUT  # nothing lapses in a file
    assert do_step(path, PermitEvent.END, actor_name=" ") == BAD_INPUT


def test_what_is_due_in_a_file(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    deadline = Terms(decide_by_ns=NOW + 3_600 * 10**9)
    assert do_step(path, PermitEvent.REVIEW, terms=deadline) == OK
    capsys.readouterr()
    assert due(path, 1.0, NOW, as_json=False) == OK
    assert capsys.readouterr().out == "2026-09-12T01:27:00Z decide P-2: it is under_review\n"
    assert due(path, 0.9, NOW, as_json=True) == OK
    assert json.loads(capsys.readouterr().out) == {"due": []}
