"""What the public is given: versions cut to their validity, plain GeoJSON, a signed list."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from skykeep.codec.publication import (
    ListedFile,
    Manifest,
    changed_ns,
    check_manifest,
    cut,
    parse_manifest,
    published,
    sign_manifest,
)
from skykeep.codec.publication_geojson import offsets, write_geojson
from skykeep.codec.zones import read_zones
from skykeep.core.event import Actor
from skykeep.core.geo import Circle, HeightAmsl, Polygon, Volume
from skykeep.core.schedule import DailyPeriod, Period, SunEvent, TimeOfDay, time_zone_of
from skykeep.core.zone import Authority, PublishZone, ZoneEvent
from skykeep.core.zone_book import ChangeZone, DeclareBan, ProposeZone, ZoneBook, ZonePolicy
from skykeep.errors import RecordError
from skykeep.record import checkpoint as checkpoints
from skykeep.record.checkpoint import Checkpoint
from skykeep.record.keys import ed25519_verifier, signer
from skykeep.units import NS_PER_S, ZoneId, to_ns
from tests.sky import CITY, SITE, at, zone_named

PROPOSER, APPROVER = Actor("P. Roposer", "office"), Actor("A. Pprover", "authority")
KEY = signer("city/skykeep", bytes(range(32)))
LATER = at(86_400.0)
BASIS = "Act 1, section 2"


def approved(book: ZoneBook, effective_ns: int | None, **changes: Any) -> None:
    zone = replace(zone_named(legal_basis=BASIS), **changes)
    book.apply(ProposeZone(PROPOSER, zone, "because", effective_ns), at(1.0))
    book.apply(ChangeZone(APPROVER, zone.zone_id, ZoneEvent.APPROVE, "seen"), at(2.0))


@pytest.fixture
def book() -> ZoneBook:
    return ZoneBook(CITY, ZonePolicy())


def test_what_is_proposed_or_has_no_date_is_not_published(book: ZoneBook) -> None:
    book.apply(ProposeZone(PROPOSER, zone_named("Z1"), "idea", LATER), at(1.0))
    assert published(book.all_versions()) == ()
    assert changed_ns(book.all_versions()) is None
    approved(book, None)
    assert published(book.all_versions()) == ()


def test_an_approved_version_takes_over_at_its_date(book: ZoneBook) -> None:
    book.apply(PublishZone(PROPOSER, replace(zone_named(), name="old")), at(0.0))
    approved(book, LATER, name="new")
    old, new = published(book.all_versions())
    assert (old.zone.name, old.zone.periods) == ("old", (Period(None, LATER),))
    assert (new.zone.name, new.zone.periods) == ("new", (Period(LATER, None),))
    assert (old.zone.zone_id, new.zone.zone_id, new.zone_id) == ("Z1", "Z1-v2", "Z1")
    assert (old.state, new.state, new.from_ns, old.until_ns) == (
        "in_force", "approved", LATER, LATER,
    )  # fmt: skip
    assert new.zone.state == "in_force"
    assert changed_ns(book.all_versions()) == at(2.0)


def test_a_second_name_is_nobody_elses(book: ZoneBook) -> None:
    for name in ("Z1", "Z1-v2"):
        book.apply(PublishZone(PROPOSER, zone_named(zone_id=ZoneId(name))), at(0.0))
    approved(book, LATER)
    names = [str(z.zone.zone_id) for z in published(book.all_versions())]
    assert sorted(names) == ["Z1", "Z1-v2", "Z1-v2-"]


def test_a_version_whose_times_are_over_before_it_begins_is_left_out(book: ZoneBook) -> None:
    approved(book, LATER, periods=(Period(at(0.0), at(60.0)),))
    assert published(book.all_versions()) == ()
    window = DailyPeriod((0,), SunEvent.SR, TimeOfDay(0, True))
    periods = (Period(at(0.0), None, (window,)), Period(None, at(5.0)), Period(LATER + 5, None))
    assert cut(periods, at(10.0), LATER) == (Period(at(10.0), LATER, (window,)),)
    assert cut(periods, None, None) == periods
    assert cut((), None, None) == ()
    assert cut((), at(1.0), at(1.0)) is None


def test_an_emergency_ban_stays_and_says_when_it_may_lapse(book: ZoneBook) -> None:
    book.apply(DeclareBan(PROPOSER, zone_named(legal_basis=BASIS), "a visit"), at(3.0))
    (ban,) = published(book.all_versions())
    assert (ban.unsure_ns, ban.zone.periods) == (at(3.0 + 86_400.0), ())
    book.apply(ChangeZone(APPROVER, ban.zone_id, ZoneEvent.CONFIRM, "yes"), at(9.0))
    (ban,) = published(book.all_versions())
    assert (ban.unsure_ns, changed_ns(book.all_versions())) == (None, at(9.0))
    book.apply(ChangeZone(APPROVER, ban.zone_id, ZoneEvent.WITHDRAW, "over"), at(11.0))
    assert published(book.all_versions()) == ()
    assert changed_ns(book.all_versions()) == at(11.0)


def test_geojson_says_all_that_is_needed_and_nobodys_name(book: ZoneBook) -> None:
    ring = ((6.0, 49.0), (6.1, 49.0), (6.1, 49.1), (6.0, 49.0))
    window = DailyPeriod((0, 6), TimeOfDay(3_600, False), SunEvent.EECT)
    zone = zone_named(
        volumes=(
            Volume(Circle(49.6, 6.1, 500.0), None, HeightAmsl(450.5)),
            Volume(Polygon((ring,)), None, None),
        ),
        periods=(Period(at(0.0) + 1, None, (window,)),),
        time_zone="Europe/Luxembourg",
        authorities=(Authority("Office", "AUTHORIZATION", phone="+352 1", interval_before="P3D"),),
    )
    book.apply(PublishZone(PROPOSER, zone), at(0.0))
    book.apply(PublishZone(APPROVER, zone_named("BAD", readable=False, volumes=())), at(0.0))
    data = write_geojson(published(book.all_versions()), SITE, "ask us", at(0.0), 2026)
    assert b"Roposer" not in data
    assert b"Pprover" not in data
    document = json.loads(data)
    first, bad = document["features"]
    said = first["properties"]["published"]
    assert said["volumes"] == [
        {"circle": [49.6, 6.1, 500.0], "lower": None, "upper": {"m": 450.5, "ref": "AMSL"}},
        {"rings": [[list(p) for p in ring]], "lower": None, "upper": None},
    ]
    assert said["periods"] == [
        {
            "start": "2026-09-12T21:48:00.001Z",
            "end": None,
            "windows": [{"days": [0, 6], "start": {"s": 3600, "utc": False}, "end": "EECT"}],
        }
    ]
    assert said["authorities"][0]["interval_before"] == "P3D"
    assert (first["geometry"]["type"], len(first["geometry"]["coordinates"])) == ("MultiPolygon", 2)
    assert (bad["geometry"], bad["properties"]["published"]["readable"]) == (None, False)
    plain = read_zones(data, "there").zones  # whoever knows no more than GeoJSON, ours too
    assert (plain[0], plain[1].readable) == (zone, False)
    clocks = document["skykeep"]["clocks"]["offsets"]
    assert list(clocks) == ["Europe/Luxembourg", "UTC"]
    summer = int(datetime(2026, 3, 29, 1, tzinfo=UTC).timestamp())
    assert [summer, 7200] in clocks["Europe/Luxembourg"]
    assert len(clocks["Europe/Luxembourg"]) == 11


def test_offsets_are_those_of_the_time_zone_at_every_hour() -> None:
    start = to_ns(datetime(2025, 1, 1, tzinfo=UTC)) // NS_PER_S
    for name in ("Africa/Casablanca", "Australia/Lord_Howe", "UTC"):
        clock = time_zone_of(name)
        assert clock is not None
        table = offsets(clock, start, start + 800 * 86_400)
        for s in range(start, start + 800 * 86_400, 1_800):
            told = [offset for since, offset in table if since <= s][-1]
            shown = datetime.fromtimestamp(s, tz=UTC).astimezone(clock).utcoffset()
            assert shown is not None
            assert told == shown.total_seconds()


FILES = (ListedFile.of("zones.geojson", b"{}", 2, 0), ListedFile.of("b.json", b"x", 1, 1))
MANIFEST = Manifest("city/skykeep", 12, bytes(32), at(0.0), None, FILES)


def test_a_manifest_is_signed_and_read_back() -> None:
    note = sign_manifest(MANIFEST, KEY)
    key = ed25519_verifier(KEY.key)
    assert check_manifest(note, key) == MANIFEST
    assert FILES[0].holds(b"{}")
    assert not FILES[0].holds(b"[]")
    for i in range(0, len(note), 7):
        bent = note[:i] + bytes((note[i] ^ 1,)) + note[i + 1 :]
        with pytest.raises(RecordError):
            check_manifest(bent, key)


def test_a_manifest_is_no_checkpoint_and_a_checkpoint_no_manifest() -> None:
    key = ed25519_verifier(KEY.key)
    with pytest.raises(RecordError):
        checkpoints.check(sign_manifest(MANIFEST, KEY), "city/skykeep", [key])
    head = checkpoints.sign(Checkpoint("city/skykeep", 1, bytes(32)), [KEY]).to_bytes()
    with pytest.raises(RecordError, match="manifest"):
        check_manifest(head, key)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("size 12", "size 012"),
        ("changed never", "changed"),
        ("at 2026", "at 1026"),
        ("file b.json", "file ../b.json"),
        ("file b.json", "file zones.geojson"),
        ("file b.json 1", "file b.json -1"),
        ("record city", "recor city"),
        ("zone publication v1", "zone publication v2"),
    ],
)
def test_a_manifest_that_is_not_one(old: str, new: str) -> None:
    text = MANIFEST.text()
    assert old in text
    with pytest.raises(RecordError, match="manifest"):
        parse_manifest(text.replace(old, new))
    bad = replace(MANIFEST, files=(ListedFile.of("a b", b"", 0, 0),))
    with pytest.raises(RecordError):
        bad.text()
