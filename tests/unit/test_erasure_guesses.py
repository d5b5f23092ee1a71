"""After keys are destroyed: no byte of the folder says who or where, and no hash confirms a guess.

The attacker has every file, every key that is left, the record's own key too, and guesses right.
"""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from skykeep.codec import entries, wire
from skykeep.codec.moment import format_moment
from skykeep.codec.posted import decode_posted
from skykeep.commands.recompute import recompute
from skykeep.core.airspace import RegisterSensor
from skykeep.core.event import Tick
from skykeep.core.observation import Batch, OperatorPosition
from skykeep.core.retention import EraseKeys, RetentionPolicy, coarse_place, due
from skykeep.record.entry import BRIEF, Fact, Salts, commitment
from skykeep.runtime import DROPPED, Recorded
from skykeep.store.record_files import KEYS_FILE, RECORD_FILE
from skykeep.store.record_store import DIGEST_PLACE
from tests.sky import FRAME, OFFICER, RECEIVER, SERIAL, SITE, at
from tests.unit.test_erasure import RULE

KEEPS = replace(SITE, operator_basis="Regulation (EU) 2019/945, Annex, part 6")
HOME = (49.6123457, 6.1345679)
NUMBER = "FIN87astrdge12k8"


def body(second: float, serial: str = SERIAL, home: tuple[float, float] = HOME) -> bytes:
    lat, lon, _ = FRAME.to_geodetic(100.0 + second, 0.0, 80.0)
    place = {"lat_deg": lat, "lon_deg": lon, "sigma_east_m": 4.0, "sigma_north_m": 4.0}
    said = {
        "scheme": "remote_id", "identity": serial, "transmitter": "aa:bb:cc:dd:ee:ff",
        "operator_id": NUMBER, "operator": {"lat_deg": home[0], "lon_deg": home[1]},
    }  # fmt: skip
    row = {"sensor": RECEIVER.sensor_id, "time": format_moment(at(second)), "position": place}
    return json.dumps({"batch_id": f"b{second}", "observations": [row | {"claim": said}]}).encode()


def batch_at(second: float, **said: Any) -> Batch:
    return decode_posted(body(second, **said), at(second)).batch


@dataclass
class Folder:
    path: Path
    recorded: Recorded

    def erase(self, brief: bool) -> None:
        keys = [k for k in self.recorded.store.sealing_keys() if k[0].endswith(BRIEF) == brief]
        assert keys
        self.recorded.take([EraseKeys(RULE, tuple(keys), "its time is over")])

    def attacked(self) -> bytes:
        """All files, their values apart (SQLite cuts large ones up), and all that still opens."""
        store = self.recorded.store
        told = [f for p in store.entries() for f in store.readable(p) if f is not None]
        told.append(wire.encode(self.recorded.runtime.airspace.snapshot()))
        told.append((store.snapshot() or (0, b""))[1])
        self.recorded.close()
        values = b"\n".join(v for n in (RECORD_FILE, KEYS_FILE) for v in values_in(self.path / n))
        files = b"\n".join(p.read_bytes() for p in sorted(self.path.rglob("*")) if p.is_file())
        self.recorded = Recorded(self.path, KEEPS)
        return b"\n".join([files, values, *told])

    def confirmed(self, guess: Batch, raw: bytes) -> list[str]:
        """Which hashes of a right guess stand anywhere in the folder."""
        data, found = self.attacked(), []
        self.recorded.close()
        names = "SELECT key FROM seal_keys UNION SELECT key FROM record_key"
        with closing(reading(self.path / KEYS_FILE)) as db:
            keys = [key for (key,) in db.execute(names)]
        self.recorded = Recorded(self.path, KEEPS)
        for name, digest in hashes_of(guess, raw, keys, self.recorded.store.size):
            forms = (digest, digest.hex().encode(), base64.b64encode(digest))
            found += [name for form in forms if form in data]
        return sorted(set(found))


def reading(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)


def values_in(path: Path) -> Iterator[bytes]:
    with closing(reading(path)) as db:
        for (table,) in db.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
        ).fetchall():
            for row in db.execute(f"SELECT * FROM {table}"):
                yield from (v if type(v) is bytes else str(v).encode() for v in row)


def hashes_of(
    guess: Batch, raw: bytes, keys: list[bytes], size: int
) -> Iterator[tuple[str, bytes]]:
    entry = entries.batch_entry(guess)
    digest = entries.content_digest(guess, entry)
    yield from (("raw", sha256(raw).digest()), ("digest", digest))
    sealed = [(place, f.data) for place, f in enumerate(entry.facts) if f.private]
    for place, data in sealed:
        yield from (
            (f"fact {place}", sha256(data).digest()),
            (f"leaf {place}", sha256(b"\0" + data).digest()),
        )
    for salts in map(Salts, keys):
        for index in range(size):
            for place, data in [*sealed, (DIGEST_PLACE, digest)]:
                yield f"sealed {place}", commitment(salts(index, place), data)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    path = tmp_path / "record"
    made = Folder(path, Recorded(path, KEEPS))
    made.recorded.take([Tick(at(0.0)), RegisterSensor(OFFICER, RECEIVER)])
    for second in (1.0, 2.0, 3.0):
        (answer,) = made.recorded.take([batch_at(second)])
        assert not answer.refused
    made.recorded.take([Tick(at(7_200.0))])  # the engine has forgotten who flew
    yield made
    made.recorded.close()


def test_the_attack_finds_what_is_not_destroyed(folder: Folder) -> None:
    """Else the tests below would prove nothing."""
    found = folder.confirmed(batch_at(1.0), body(1.0))
    # The raw hash, the claim, the exact place (facts 2 to 4), the digest: each under its key.
    assert found == ["raw", "sealed 2", "sealed 3", "sealed 4", f"sealed {DIGEST_PLACE}"]
    data = folder.attacked()
    assert SERIAL.encode() in data
    assert b"49.6123457" in data


def test_after_a_day_where_the_operator_stood_is_known_to_a_cell(folder: Folder) -> None:
    folder.erase(brief=True)
    data = folder.attacked()
    for said in (*(str(v).encode() for v in HOME), b"49.61234", b"6.13456"):
        assert said not in data
    assert b'"operator_near":[49.615,6.1' in data  # with the identity, as long as that is kept
    # What is left is the claim and the digest, which say no more than the cell.
    left = ["sealed 3", f"sealed {DIGEST_PLACE}"]
    assert folder.confirmed(batch_at(1.0), body(1.0)) == left
    near = coarse_place(*HOME)
    assert folder.confirmed(batch_at(1.0, home=near), body(1.0, home=near)) == left
    found = recompute_closed(folder)
    assert (found.faults, found.since, found.erased) == ([], 0, 1)


def test_after_its_time_no_hash_confirms_a_serial(folder: Folder) -> None:
    folder.erase(brief=True)
    folder.erase(brief=False)
    data = folder.attacked()
    for said in (SERIAL.encode(), NUMBER.encode(), b"aa:bb:cc", b"49.6123457", b"operator_near"):
        assert said not in data
    assert folder.confirmed(batch_at(1.0), body(1.0)) == []
    found = recompute_closed(folder)
    assert found.faults == []
    assert found.since > 0


def test_a_batch_that_may_be_one_of_the_destroyed_is_refused(folder: Folder) -> None:
    (again,) = folder.recorded.take([replace(batch_at(2.0), receipt_time_ns=at(7_300.0))])
    assert (again.repeated, again.entry) == (True, 6)
    folder.erase(brief=True)
    (again,) = folder.recorded.take([replace(batch_at(2.0), receipt_time_ns=at(7_300.0))])
    assert again.repeated
    other = batch_at(2.0, serial="SKV18OTHER7777777")
    (refused,) = folder.recorded.take([other])
    assert "with other content" in str(refused.refused)
    folder.erase(brief=False)
    size = folder.recorded.store.size
    for batch in (batch_at(2.0), other):
        (refused,) = folder.recorded.take([batch])
        assert "what it said then was destroyed" in str(refused.refused)
    assert folder.recorded.store.size == size


def test_a_site_without_a_legal_basis_never_keeps_where_an_operator_is(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path / "r", SITE)
    recorded.take([Tick(at(0.0)), RegisterSensor(OFFICER, RECEIVER)])
    (answer,) = recorded.take([batch_at(1.0)])
    assert DROPPED in repr(answer.events)
    kept = Folder(tmp_path / "r", recorded)
    store = recorded.store
    facts = b"".join(f for p in store.entries() for f in store.facts(p))
    assert SERIAL.encode() in facts
    assert b"49.61234" not in facts
    assert sha256(body(1.0)).hexdigest().encode() not in facts
    assert not any(source.endswith(BRIEF) for source, _ in store.sealing_keys())
    kept.recorded.close()
    assert recompute(kept.path).faults == []


def test_a_place_comes_back_exact_and_then_as_its_cell() -> None:
    facts = entries.batch_entry(batch_at(1.0)).facts
    whole = entries.batch_of([f.data for f in facts])
    assert whole.operators == (OperatorPosition(*HOME),)
    assert whole.raw_sha256 == (sha256(body(1.0)).hexdigest(),)
    later = entries.batch_of([None if f.brief else f.data for f in facts])
    assert later.operators == (OperatorPosition(*coarse_place(*HOME), exact=False),)
    assert later.raw_sha256 == ()
    kept = [f for f in entries.batch_entry(later).facts if not f.brief]
    assert kept == [f for f in facts if not f.brief]
    assert [f.brief for f in facts] == [False, False, True, False, True]
    assert Fact(b"x") == Fact(b"x", private=False, brief=False)


def test_what_is_brief_is_due_after_a_day_and_never_outlives_its_identity() -> None:
    hour = at(0.0) // (3_600 * 10**9)
    end_ns = (hour + 1) * 3_600 * 10**9
    keys = [("rid", hour), ("rid" + BRIEF, hour)]

    def found(after_h: float, policy: RetentionPolicy) -> tuple[tuple[str, int], ...]:
        return due(keys, frozenset({"command"}), end_ns + round(after_h * 3_600 * 10**9), policy)

    assert found(23.999, RetentionPolicy()) == ()
    assert found(24.0, RetentionPolicy()) == (keys[1],)
    assert found(24.0 * 30, RetentionPolicy()) == tuple(keys)
    assert found(24.0, RetentionPolicy(identity_days=1.0, operator_days=9.0)) == tuple(keys)
    assert EraseKeys(RULE, (keys[1],), "").before_ns == 0
    assert EraseKeys(RULE, tuple(keys), "").before_ns == end_ns


@pytest.mark.parametrize("lat", [-90.0, -89.999, -49.6, 0.0, 49.6123457, 70.0, 89.9, 90.0])
@pytest.mark.parametrize("lon", [-180.0, -0.001, 6.1345679, 179.999, 180.0])
def test_a_cell_is_about_a_kilometre_and_its_middle_stays(lat: float, lon: float) -> None:
    from skykeep.core.geo import Frame

    near = coarse_place(lat, lon)
    assert coarse_place(*near) == near
    east, north, _ = Frame(lat, lon, 0.0).to_enu(*near, 0.0)
    assert abs(north) < 600.0
    assert abs(east) < 600.0 or abs(lat) > 89.9


def recompute_closed(folder: Folder) -> Any:
    folder.recorded.close()
    found = recompute(folder.path)
    folder.recorded = Recorded(folder.path, KEEPS)
    return found
