"""An incident from the record to a file that a stranger checks: what holds, what is found out."""

from __future__ import annotations

import random
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from skykeep.codec import entries
from skykeep.commands.incident import dossier_of, incidents_in
from skykeep.commands.recompute import recompute
from skykeep.core.casebook import Assess, Conclusion, FileReport, OpenIncident
from skykeep.core.event import Actor, AlertChanged, Tick
from skykeep.dossier import build
from skykeep.dossier.container import write_container
from skykeep.feed.citadel_night import citadel_night
from skykeep.feed.citadel_site import REVOKED_SERIAL, SURVEY_SERIAL
from skykeep.record.entry import read_leaf
from skykeep.runtime import Input, Recorded
from skykeep.units import NS_PER_S, AlertId, IncidentId
from skykeep.verify import verifier

OFFICER = Actor("C. Weber", "watch officer")
#: Until the drone whose permit was revoked has raised the first alert.
UNTIL_S = 262
FLIPS = 500


@dataclass(frozen=True)
class Made:
    folder: Path
    dossier: bytes
    key: verifier.VerifierKey


def make(folder: Path, seed: int) -> Made:
    night = citadel_night(seed)
    desk = Recorded(folder, night.site)
    group: list[Input] = []
    raised: list[AlertId] = []
    for item in night.items():
        group.append(item)
        if isinstance(item, Tick):
            if item.at_ns > night.start_ns + UNTIL_S * NS_PER_S:
                break
            for answer in desk.take(group):
                assert answer.refused is None
                raised += [e.alert_id for e in answer.events if isinstance(e, AlertChanged)]
            group = []
    number = IncidentId("I0001")
    opened = OpenIncident(OFFICER, "A drone without a permit", tuple(dict.fromkeys(raised)))
    filed = FileReport(OFFICER, number, "The pilot was met.", (), "none", "none")
    concluded = Assess(OFFICER, number, Conclusion.CORROBORATED, "Seen twice.", ("report 1",))
    for answer in desk.take([opened, filed, concluded]):
        assert answer.refused is None
    desk.close()
    key = verifier.read_key((folder / "log.vkey").read_text(encoding="utf-8"))
    return Made(folder, dossier_of(folder, number, "d.zip"), key)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("one"), 1)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("two"), 2)


def failed(report: verifier.Report) -> str:
    assert not report.holds
    return next(check.said for check in report.checks if check.held is False)


def test_the_record_and_its_dossier_hold(made: Made) -> None:
    assert recompute(made.folder).faults == []
    report = verifier.verify(made.dossier, made.key)
    assert report.holds, str(report)
    said = str(report)
    assert "0 of " in said
    assert "leaves withheld" in said
    assert "withheld by lux-citadel-authority: it names a person" in said
    assert "What such a proof cannot know" in said


def test_the_incident_is_listed(made: Made) -> None:
    (incident,) = incidents_in(made.folder)
    assert incident.title == "A drone without a permit"
    assert len(incident.tracks) >= 1


def test_the_same_record_gives_the_same_dossier(made: Made) -> None:
    assert dossier_of(made.folder, IncidentId("I0001"), "d.zip") == made.dossier


def test_who_is_not_part_of_the_incident_is_not_named(made: Made) -> None:
    assert REVOKED_SERIAL.encode() in made.dossier
    assert SURVEY_SERIAL.encode() not in made.dossier


def test_any_flipped_bit_is_found_and_placed(made: Made) -> None:
    dice = random.Random(5)
    for _ in range(FLIPS):
        place = dice.randrange(len(made.dossier) * 8)
        flipped = bytearray(made.dossier)
        flipped[place // 8] ^= 1 << place % 8
        said = failed(verifier.verify(bytes(flipped), made.key))
        assert "byte" in said or "entry" in said, said


def test_another_key_is_refused(made: Made, other: Made) -> None:
    assert "sign" in failed(verifier.verify(made.dossier, other.key))


def contents(of: Made) -> dict[str, bytes]:
    return verifier.read_container(of.dossier)


@pytest.mark.parametrize(
    "names",
    [
        ("checkpoint",),
        ("checkpoint", "proof"),
        ("facts",),
        ("leaves", "facts"),
        ("reader.html",),
        ("incident.json",),
    ],
)
def test_parts_of_another_dossier_are_refused(
    made: Made, other: Made, names: tuple[str, ...]
) -> None:
    mixed = contents(made) | {name: contents(other)[name] for name in names}
    assert mixed != contents(made)
    failed(verifier.verify(write_container(list(mixed.items())), made.key))


def test_a_range_in_the_middle_needs_and_has_its_proof(
    made: Made, other: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "CONTEXT_LEAVES", 0)
    late = dossier_of(made.folder, IncidentId("I0001"), "d.zip")
    assert len(late) < len(made.dossier)
    assert verifier.verify(late, made.key).holds
    parts = verifier.read_container(late)
    start, *hashes = parts["proof"].split()
    assert int(start) > 0
    assert hashes
    parts["proof"] = b"\n".join([start, *hashes[1:], hashes[0]]) + b"\n"
    failed(verifier.verify(write_container(list(parts.items())), made.key))
    foreign = verifier.read_container(dossier_of(other.folder, IncidentId("I0001"), "d.zip"))
    parts["proof"] = foreign["proof"]
    failed(verifier.verify(write_container(list(parts.items())), made.key))


def test_added_removed_and_truncated_are_refused(made: Made) -> None:
    parts = contents(made)
    more = write_container([*parts.items(), ("more.txt", b"more")])
    assert "more.txt" in failed(verifier.verify(more, made.key))
    for name in parts:
        less = write_container([(n, data) for n, data in parts.items() if n != name])
        failed(verifier.verify(less, made.key))
    for length in (0, 1, 1_000, len(made.dossier) // 2, len(made.dossier) - 1):
        failed(verifier.verify(made.dossier[:length], made.key))


def test_a_changed_fact_is_named_by_its_line(made: Made) -> None:
    parts = contents(made)
    lines = parts["facts"].split(b"\n")
    number = next(
        i for i, leaf in enumerate(parts["leaves"].split(b"\n"))
        if read_leaf(leaf).kind == entries.VERDICT
    )  # fmt: skip
    lines[number] = (
        lines[number].replace(b"not_permitted", b"permitted").replace(b"undetermined", b"permitted")
    )
    parts["facts"] = b"\n".join(lines)
    assert f"line {number + 1}:" in failed(
        verifier.verify(write_container(list(parts.items())), made.key)
    )


def test_the_verifier_alone_says_the_same(made: Made, tmp_path: Path) -> None:
    path = tmp_path / "d.zip"
    path.write_bytes(made.dossier)
    command = [sys.executable, "-I", "-S", str(Path(verifier.__file__)), str(path)]
    ran = subprocess.run(
        [*command, "--key", str(made.folder / "log.vkey")], capture_output=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert b"THIS DOSSIER HOLDS" in ran.stdout
