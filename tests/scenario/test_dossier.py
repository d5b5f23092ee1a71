"""An incident from the record to a file that a stranger checks: what holds, what is found out."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from skykeep.cli import main
from skykeep.codec import entries
from skykeep.commands import recompute_dossier
from skykeep.commands.incident import dossier_of, incidents_in
from skykeep.commands.recompute import recompute
from skykeep.core.casebook import Assess, Conclusion, FileReport, OpenIncident
from skykeep.core.event import Actor, AlertChanged, Tick
from skykeep.dossier import build
from skykeep.dossier.bag import make_bag
from skykeep.dossier.build import Order, build_dossier, stamped_after
from skykeep.dossier.container import write_container
from skykeep.dossier.withholding import Withholding
from skykeep.errors import InputError, RecordError
from skykeep.feed.citadel_night import citadel_night
from skykeep.feed.citadel_site import REVOKED_SERIAL, SURVEY_SERIAL
from skykeep.record import note as notes
from skykeep.record.entry import HOUR_NS, read_leaf
from skykeep.record.keys import parse_secret
from skykeep.runtime import Input, Recorded
from skykeep.store.timestamps import StampedHour
from skykeep.units import NS_PER_S, AlertId, IncidentId
from skykeep.verify import verifier
from tests.stamping import OPENSSL, Authority

OFFICER = Actor("C. Weber", "watch officer")
#: Until the drone whose permit was revoked has raised the first alert.
UNTIL_S = 262
DATA = "dossier-i0001/data/"
LEAVES, FACTS = f"{DATA}record/leaves.jsonl", f"{DATA}record/facts.jsonl"
PROOF = f"{DATA}record/proof.txt"
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
    return Made(folder, dossier_of(folder, number, Order()), key)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("one"), 1)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("two"), 2)


Build = Callable[[Order], bytes]


@pytest.fixture(scope="module")
def built(made: Made) -> Iterator[Build]:
    """Dossiers of the record that is opened once."""
    site = citadel_night(1).site
    desk = Recorded(made.folder, site)
    incident = desk.runtime.casebook.incidents[IncidentId("I0001")]
    yield partial(build_dossier, desk.store, incident)
    desk.close()


def failed(report: verifier.Report) -> str:
    assert not report.holds
    return next(check.said for check in report.checks if check.held is False)


def test_the_record_and_its_dossier_hold(made: Made) -> None:
    assert recompute(made.folder).faults == []
    report = verifier.verify(made.dossier, made.key)
    assert report.holds, str(report)
    said = str(report)
    said = " ".join(said.split())
    assert re.search("0 of [0-9]+ leaves: all of the range are here", said)
    assert re.search("remote-id: [0-9]+ of [0-9]+ facts withheld, in .* by lux-citadel-auth", said)
    assert "it names a person, or an aircraft by its serial" in said
    assert "What such a proof cannot know" in said


def test_the_incident_is_listed(made: Made) -> None:
    (incident,) = incidents_in(made.folder)
    assert incident.title == "A drone without a permit"
    assert len(incident.tracks) >= 1


def test_the_same_record_gives_the_same_dossier(made: Made) -> None:
    assert dossier_of(made.folder, IncidentId("I0001"), Order()) == made.dossier


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
        ("record/checkpoint.txt",),
        ("record/checkpoint.txt", "record/proof.txt"),
        ("record/facts.jsonl",),
        ("record/leaves.jsonl", "record/facts.jsonl"),
        ("reader.html",),
        ("incident.json",),
    ],
)
def test_parts_of_another_dossier_are_refused(
    made: Made, other: Made, names: tuple[str, ...]
) -> None:
    places = [f"{DATA}{name}" for name in names]
    mixed = contents(made) | {name: contents(other)[name] for name in places}
    assert mixed != contents(made)
    failed(verifier.verify(write_container(list(mixed.items())), made.key))


@pytest.fixture(scope="module")
def late(built: Build) -> bytes:
    """A dossier of a record that is much longer than what is shown of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "CONTEXT_LEAVES", 0)
        return built(Order())


def test_a_range_in_the_middle_needs_and_has_its_proof(
    made: Made, other: Made, late: bytes
) -> None:
    assert len(late) < len(made.dossier)
    report = verifier.verify(late, made.key)
    assert report.holds
    assert report.checks[-1].held
    parts = verifier.read_container(late)
    start, *hashes = parts[PROOF].split()
    assert int(start) > 0
    assert hashes
    for changed in (b"\n".join([start, *hashes[1:], hashes[0]]) + b"\n", contents(other)[PROOF]):
        assert changed != parts[PROOF]
        failed(verifier.verify(signed(made, {PROOF: changed}, parts), made.key))


def test_what_was_declared_before_the_range_stands_there_with_its_proof(
    made: Made, late: bytes
) -> None:
    parts = verifier.read_container(late)
    context = f"{DATA}record/context.jsonl"
    lines = parts[context].splitlines()
    assert len(lines) > 40
    zones = msgspec.json.decode(parts[f"{DATA}zones.json"])
    assert zones == msgspec.json.decode(contents(made)[f"{DATA}zones.json"])
    page = parts[f"{DATA}reader.html"].decode()
    assert "Citadel, 500 m" in page
    assert "3-D surveillance radar" in page
    for change, said in (
        (lambda x: x.replace(b"Citadel, 500 m", b"Citadel, 400 m"), "do not give the root that"),
        (lambda x: x.replace(b'"index":0,', b'"index":1,'), "do not give the signed root"),
        (lambda x: b"".join(reversed(x.splitlines(keepends=True))), "does not follow the entry"),
        (lambda x: x.replace(b'"proof"', b'"proofs"', 1), "not the facts, index, leaf and proof"),
    ):
        changed = change(parts[context])
        assert changed != parts[context]
        assert said in failed(verifier.verify(signed(made, {context: changed}, parts), made.key))


def signed(made: Made, changed: dict[str, bytes], parts: dict[str, bytes]) -> bytes:
    """A dossier with other files that its keeper signs."""
    signer = parse_secret((made.folder / "log.skey").read_text(encoding="utf-8"))
    files = [(n.removeprefix(DATA), changed.get(n, c)) for n, c in parts.items()
             if n.startswith(DATA)]  # fmt: skip
    return write_container(make_bag("dossier-i0001", files, [], signer))


def test_added_removed_and_truncated_are_refused(made: Made) -> None:
    parts = contents(made)
    more = write_container([*parts.items(), ("more.txt", b"more")])
    assert "more.txt" in failed(verifier.verify(more, made.key))
    for name in parts:
        less = write_container([(n, data) for n, data in parts.items() if n != name])
        failed(verifier.verify(less, made.key))
    for length in (0, 1, 1_000, len(made.dossier) // 2, len(made.dossier) - 1):
        failed(verifier.verify(made.dossier[:length], made.key))


def test_a_changed_fact_is_found_also_where_the_keeper_signs_it(made: Made) -> None:
    parts = contents(made)
    lines = parts[FACTS].split(b"\n")
    number = next(
        i for i, leaf in enumerate(parts[LEAVES].split(b"\n"))
        if read_leaf(leaf).kind == entries.VERDICT
    )  # fmt: skip
    lines[number] = (
        lines[number].replace(b"not_permitted", b"permitted").replace(b"undetermined", b"permitted")
    )
    parts[FACTS] = b"\n".join(lines)
    said = failed(verifier.verify(write_container(list(parts.items())), made.key))
    assert said == "entry data/record/facts.jsonl: is not as it is in manifest-sha256.txt"
    again = signed(made, {}, parts)
    assert f"line {number + 1}:" in failed(verifier.verify(again, made.key))


def test_the_verifier_alone_says_the_same(made: Made, tmp_path: Path) -> None:
    path = tmp_path / "d.zip"
    path.write_bytes(made.dossier)
    command = [sys.executable, "-I", "-S", str(Path(verifier.__file__)), str(path)]
    ran = subprocess.run(
        [*command, "--key", str(made.folder / "log.vkey")], capture_output=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert b"THIS DOSSIER HOLDS" in ran.stdout


RADAR = Withholding(Actor("D. Evers", "evidence officer"), "its place is secret", sensor="radar")


@pytest.fixture(scope="module")
def without_radar(built: Build) -> bytes:
    return built(Order((RADAR,)))


def test_a_sensor_that_is_withheld_is_named_by_the_verifier(
    made: Made, without_radar: bytes
) -> None:
    report = verifier.verify(without_radar, made.key)
    assert report.holds
    said = report.withheld[2]
    found = re.fullmatch(
        r"radar: (\d+) of (\d+) facts \(ALL OF IT\) withheld, in (\d+) of (\d+) entries, "
        "by D. Evers, evidence officer: its place is secret",
        said,
    )
    assert found is not None, said
    assert found[1] == found[2]
    assert found[3] == found[4]
    assert int(found[3]) > 200


def test_a_sensor_that_is_withheld_is_named_on_the_first_page(without_radar: bytes) -> None:
    parts = verifier.read_container(without_radar)
    page = parts[f"{DATA}reader.html"].decode()
    first = page[page.index("<header") : page.index("</header>")]
    assert "This dossier does not show everything." in first
    assert re.search("([0-9]+) of \\1 batches of radar \\(radar\\) are withheld", first)
    assert "D. Evers, evidence officer" in first
    assert "its place is secret" in first


def test_what_is_withheld_is_nowhere_and_its_commitment_is(
    made: Made, without_radar: bytes
) -> None:
    whole, less = contents(made), verifier.read_container(without_radar)
    leaves = whole[LEAVES].splitlines()
    assert less[LEAVES] == whole[LEAVES]
    shown = [line for line, leaf in zip(less[FACTS].splitlines(), leaves, strict=True)
             if read_leaf(leaf).source == "radar"]  # fmt: skip
    assert len(shown) > 200
    assert not any(b'"fact"' in line for line in shown)
    told = msgspec.json.decode(less[f"{DATA}withheld.json"])
    (group,) = [g for g in told["groups"] if g["source"] == "radar"]
    assert group["by"] == "D. Evers, evidence officer"
    facts = [msgspec.json.decode(line) for line in less[FACTS].splitlines()]
    start = int(less[PROOF].split()[0])
    for place in group["places"][:50]:
        where, commitment = place.split(" ")
        entry, fact = map(int, where.split("/"))
        assert facts[entry - start][fact]["hash"] == commitment


def test_a_persons_words_are_withheld_wherever_they_are_repeated(made: Made, built: Build) -> None:
    one = Withholding(OFFICER, "he is afraid", kind="person")
    whole = contents(made)
    words = msgspec.json.decode(whole[f"{DATA}incident.json"])["sightings"]["value"][0]["words"]
    assert any(words.encode() in content for content in whole.values())
    data = built(Order((one,)))
    assert verifier.verify(data, made.key).holds
    assert words.encode() not in data


def test_all_identities_can_be_withheld(made: Made, built: Build) -> None:
    one = Withholding(OFFICER, "the court did not ask", kind="identity")
    data = built(Order((one,)))
    assert verifier.verify(data, made.key).holds
    assert REVOKED_SERIAL.encode() in made.dossier
    assert REVOKED_SERIAL.encode() not in data


def test_a_whole_dossier_shows_also_who_is_not_part_of_it(made: Made, built: Build) -> None:
    data = built(Order(whole=True))
    report = verifier.verify(data, made.key)
    assert report.holds
    assert len(report.withheld) == 2
    assert SURVEY_SERIAL.encode() in data


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (Withholding(OFFICER, "why", sensor="rader"), "there is no sensor 'rader'.*radar"),
        (Withholding(OFFICER, " ", sensor="radar"), "reason: is empty"),
        (Withholding(OFFICER, "why", kind="weather"), "'weather' is no kind"),
        (Withholding(Actor(" ", ""), "why", sensor="radar"), "by: is empty"),
    ],
)
def test_withholding_needs_a_name_a_reason_and_a_sensor(
    built: Build, one: Withholding, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        built(Order((one,)))


def test_independent_libraries_read_the_bag_and_the_crate(made: Made, tmp_path: Path) -> None:
    bagit, crates = pytest.importorskip("bagit"), pytest.importorskip("rocrate.rocrate")
    file = tmp_path / "d.zip"
    file.write_bytes(made.dossier)
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["d.zip", "dossier-i0001"]
    bag = bagit.Bag(str(tmp_path / "dossier-i0001"))
    assert bag.validate()
    assert bag.info["External-Identifier"].endswith("/I0001")
    assert int(bag.info["Payload-Oxum"].split(".")[1]) == len(list(bag.payload_files()))
    crate = crates.ROCrate(str(tmp_path / "dossier-i0001" / "data"))
    described = {e.id for e in crate.get_entities() if e.type == "File"}
    there = {name.removeprefix("data/") for name in bag.payload_files()}
    assert described == there - {"ro-crate-metadata.json"}
    assert crate.name == "Dossier of incident I0001: A drone without a permit"
    (tmp_path / "dossier-i0001" / "data" / "incident.json").write_bytes(b"{}")
    with pytest.raises(bagit.BagValidationError):
        bag.validate()


def test_verdicts_and_documents_follow_from_what_is_disclosed(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = recompute_dossier.recompute(made.dossier)
    assert found.reach == recompute_dossier.JUDGED
    assert found.faults == []
    assert found.judged is not None
    assert found.judged.verdicts["same"] >= 3
    assert found.judged.alerts["same"] >= 1
    assert {"reader.html", "dossier.pdf", "incident.json", "the incident itself"} <= {*found.same}
    file = tmp_path / "d.zip"
    file.write_bytes(made.dossier)
    assert main(["recompute", str(file)]) == 0
    said = capsys.readouterr().out
    assert "Reach: judge() from disclosed track states." in said
    assert "0 differ" in said


def test_it_follows_also_with_a_sensor_withheld_and_from_the_middle(
    without_radar: bytes, late: bytes
) -> None:
    for data in (without_radar, late):
        found = recompute_dossier.recompute(data)
        assert found.faults == []
        assert found.judged is not None
        assert found.judged.verdicts["same"] >= 3


@pytest.mark.soak
def test_everything_is_derived_again_where_nothing_is_withheld(built: Build) -> None:
    data = built(Order(whole=True))
    found = recompute_dossier.recompute(data)
    assert (found.reach, found.faults) == (recompute_dossier.FULL, [])
    other = edited(data, FACTS, first_state)
    (fault, *_) = [f for f in recompute_dossier.recompute(other).faults if f.startswith("entry")]
    assert "(tracks): fact" in fault
    assert "differs: recorded" in fault


def first_state(facts: bytes) -> bytes:
    """With another first state of a track."""
    at = facts.index(b'[\\"TrackUpdated\\",[') + 60
    digit = next(i for i in range(at, at + 200) if facts[i] in b"12345678")
    return facts[:digit] + b"9" + facts[digit + 1 :]


def edited(data: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    parts = verifier.read_container(data)
    changed = change(parts[name])
    assert changed != parts[name]
    return write_container(list((parts | {name: changed}).items()))


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        (FACTS, b'not_permitted', b'permitted', "verdict on T"),
        (f"{DATA}tracks.geojson", b"sigma_up_m", b"sigma_up_x", "tracks.geojson does not follow"),
        (f"{DATA}incident.json", b"Seen twice.", b"Seen once.", "assessments do not follow"),
        (f"{DATA}reader.html", b"Seen twice.", b"Seen once.", "reader.html does not follow"),
    ],
)  # fmt: skip
def test_what_does_not_follow_is_named(
    made: Made, name: str, old: bytes, new: bytes, said: str
) -> None:
    data = edited(made.dossier, name, lambda c: c.replace(old, new))
    assert any(said in fault for fault in recompute_dossier.recompute(data).faults)


def test_a_file_that_is_no_dossier_is_refused_in_words(tmp_path: Path) -> None:
    file = tmp_path / "x.zip"
    for content in (b"", b"PK", write_container([("a/data/x", b"")])):
        file.write_bytes(content)
        assert main(["recompute", str(file)]) == 2


def test_the_printed_pages_say_what_is_withheld_first(without_radar: bytes, tmp_path: Path) -> None:
    if shutil.which("pdftotext") is None:
        pytest.skip("no pdftotext on this machine (Debian: apt-get install poppler-utils)")
    file = tmp_path / "d.pdf"
    file.write_bytes(verifier.read_container(without_radar)[f"{DATA}dossier.pdf"])
    ran = subprocess.run(["pdftotext", "-layout", str(file), "-"], capture_output=True, check=True)
    pages = ran.stdout.decode().split("\f")
    assert 3 <= len(pages) <= 10
    first = " ".join(pages[0].split())
    assert "This dossier does not show everything." in first
    assert re.search(r"(\d+) of \1 batches of radar \(radar\) are withheld", first)
    assert "D. Evers, evidence officer" in first
    assert "What the proof cannot know" in ran.stdout.decode()
    subprocess.run(["pdftoppm", "-r", "30", "-png", str(file), str(tmp_path / "p")], check=True)
    drawn = [Image.open(p).convert("L") for p in sorted(tmp_path.glob("p-*.png"))]
    assert len(drawn) == len(pages) - 1
    assert all(image.getextrema()[0] < 128 for image in drawn)


# -- time-stamps --------------------------------------------------------------------------


def stamped_head(made: Made, folder: Path) -> tuple[Authority, StampedHour]:
    """The record's head with an authority's answer."""
    if OPENSSL is None:
        pytest.skip("no openssl on this machine (Debian: apt-get install openssl)")
    authority = Authority(folder / "tsa", "tsa-1")
    note = (made.folder / "newest.checkpoint").read_bytes()
    digest = sha256(notes.parse(note).text.encode()).hexdigest()
    authority.openssl("-query", "-digest", digest, "-sha256", "-cert", "-out", "asked")
    token = authority.stamped((authority.folder / "asked").read_bytes())
    return authority, StampedHour(1, note, (("tsa-1", token),))


def test_a_time_stamp_goes_along_and_is_checked_where_libraries_are(
    built: Build, made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    authority, hour = stamped_head(made, tmp_path)
    data = built(Order(stamped=hour))
    report = verifier.verify(data, made.key)
    assert report.holds, str(report)
    assert "1 time-stamps on it present, not checked here" in " ".join(str(report).split())
    file, key = tmp_path / "d.zip", str(made.folder / "log.vkey")
    file.write_bytes(data)
    root = ["--timestamp-root", str(authority.roots)]
    assert main(["verify", str(file), "--key", key, *root]) == 0
    assert "timestamp-1.tsr: the stamped head was there at" in capsys.readouterr().out
    other = Authority(tmp_path / "other", "tsa-2")
    assert main(["verify", str(file), "--key", key, "--timestamp-root", str(other.roots)]) == 1
    assert "FAILED       timestamp-1.tsr" in capsys.readouterr().out
    for one in (authority, other):
        one.close()
    assert verifier.verify(built(Order()), made.key).holds


def test_a_head_of_another_record_is_not_taken_as_stamped(
    built: Build, made: Made, other: Made
) -> None:
    note = (other.folder / "newest.checkpoint").read_bytes()
    with pytest.raises(RecordError, match="were time-stamped are not the record's beginning"):
        built(Order(stamped=StampedHour(1, note, (("tsa", b"x"),))))


def test_the_first_hour_behind_the_incident_is_the_one_that_says_most(built: Build) -> None:
    incident = built.args[1]  # type: ignore[attr-defined]
    last = max(e.at_ns for e in incident.history) // HOUR_NS
    hours = [StampedHour(last + n, b"", (("tsa", b"x"),) if n != 1 else ()) for n in range(-2, 5)]
    chosen = stamped_after(hours, incident)
    assert chosen is not None
    assert chosen.hour == last + 2
    early = stamped_after(hours[:3], incident)
    assert early is not None
    assert early.hour == last
    assert stamped_after([], incident) is None
