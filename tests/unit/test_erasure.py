"""Ending retention: what pointed to a person is gone, all else still verifies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from skykeep.codec import wire
from skykeep.commands.recompute import recompute
from skykeep.core.airspace import RegisterSensor
from skykeep.core.casebook import HoldIncident, Incident, OpenIncident
from skykeep.core.event import Actor, AlertChanged, IdentityChanged, Tick
from skykeep.core.observation import OperatorPosition
from skykeep.core.retention import DAY_NS, EraseKeys, RetentionPolicy, due
from skykeep.core.zone import PublishZone
from skykeep.dossier.build import Order, build_dossier, needed_facts
from skykeep.errors import DecisionError, RecordError
from skykeep.record.entry import BRIEF
from skykeep.runtime import Input, Recorded
from skykeep.store import erasure
from skykeep.units import IncidentId
from skykeep.verify import verifier
from tests.sky import (
    OFFICER,
    RADAR,
    RECEIVER,
    SERIAL,
    SITE,
    at,
    claim_of,
    claims,
    only,
    plots,
    zone_named,
)  # fmt: skip

INTRUDER, PASSER = (100.0, 0.0, 80.0), (3_000.0, 2_500.0, 80.0)
OTHER = "SKV18OTHER7777777"
KEEPS = replace(SITE, operator_basis="a law")
HOME, OTHER_HOME = OperatorPosition(49.6123457, 6.13), OperatorPosition(49.6234568, 6.14)
RULE = Actor("retention", "rule")


@dataclass
class Kept:
    """A record of one intruder and one passer-by, and the incident of the intruder."""

    recorded: Recorded
    incident: Incident
    folder: Path

    def again(self) -> None:
        self.recorded.close()
        self.recorded = Recorded(self.folder, KEEPS)

    def erase(self, sources: str = "") -> None:
        """All keys that there are, as when their time is over; held incidents keep theirs."""
        keys = tuple(k for k in self.recorded.store.sealing_keys() if k[0].endswith(sources))
        for incident in self.recorded.runtime.casebook.incidents.values():
            if incident.held:
                facts = needed_facts(self.recorded.store, incident, set(keys))
                self.recorded.store.hold(str(incident.incident_id), facts)
        self.recorded.take([EraseKeys(RULE, keys, "older than 30 days")])

    def read(self) -> bytes:
        """Everything that the record, its snapshot and the running engine still say."""
        store = self.recorded.store
        facts = [d for p in store.entries() for d in store.readable(p) if d is not None]
        snapshot = store.snapshot()
        casebook = wire.encode(self.recorded.runtime.casebook)
        return b"\n".join([*facts, casebook, b"" if snapshot is None else snapshot[1]])

    def check(self, tmp_path: Path) -> verifier.Report:
        file = tmp_path / "d.zip"
        file.write_bytes(build_dossier(self.recorded.store, self.incident, Order()))
        key = verifier.read_key((self.folder / "log.vkey").read_text())
        return verifier.verify(file.read_bytes(), key)


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    folder = tmp_path / "record"
    recorded = Recorded(folder, KEEPS)
    items: list[Input] = [
        Tick(at(0.0)), RegisterSensor(OFFICER, RADAR), RegisterSensor(OFFICER, RECEIVER),
        PublishZone(OFFICER, zone_named()),
    ]  # fmt: skip
    for second in range(1, 14):
        items += [
            plots(second, INTRUDER, PASSER),
            claims(
                second, (claim_of(), INTRUDER), (claim_of(OTHER, transmitter="bb"), PASSER),
                operators=(HOME, OTHER_HOME),
            ),
            Tick(at(second + 0.5)),
        ]  # fmt: skip
    events = [e for item in items for e in recorded.take([item])[0].events]
    (alert, *_) = only(events, AlertChanged)
    assert {e.identity for e in only(events, IdentityChanged)} >= {SERIAL, OTHER}
    (opened,) = recorded.take([OpenIncident(OFFICER, "a drone", (alert.alert_id,))])
    assert opened.incident is not None
    # As long after it as the engine remembers claims of aircraft that are gone.
    recorded.take([Tick(at(7_200.0))])
    return Kept(recorded, opened.incident.incident, folder)


def test_after_its_time_nobody_can_read_who_it_was(kept: Kept, tmp_path: Path) -> None:
    assert OTHER.encode() in kept.read()
    secret = [k for (k,) in kept.recorded.store._keys.execute("SELECT key FROM seal_keys")]
    assert secret
    size = kept.recorded.store.size
    kept.erase()
    assert OTHER.encode() not in kept.read()
    kept.again()
    assert OTHER.encode() not in kept.read()
    kept.recorded.close()
    files = b"".join(p.read_bytes() for p in sorted(kept.folder.iterdir()) if p.is_file())
    gone = [k for k in secret if k in files]
    assert gone == []
    found = recompute(kept.folder)
    assert found.faults == []
    assert (found.since, found.erased) == (size + 1, 3)


def test_an_incident_under_hold_keeps_what_it_needs_and_no_more(kept: Kept, tmp_path: Path) -> None:
    before = kept.check(tmp_path)
    kept.erase()
    kept.again()
    said = kept.read()
    for own, foreign in ((SERIAL, OTHER), (str(HOME.lat_deg), str(OTHER_HOME.lat_deg))):
        assert own.encode() in said
        assert foreign.encode() not in said
    after = kept.check(tmp_path)
    assert before.holds
    assert after.holds
    assert any("its key was destroyed" in note for note in after.withheld)
    data = (tmp_path / "d.zip").read_bytes()
    for own, foreign in ((SERIAL, OTHER), (str(HOME.lat_deg), str(OTHER_HOME.lat_deg))):
        assert own.encode() in data
        assert foreign.encode() not in data
    assert b"a hash over all that a sensor sent at once" not in data  # it is gone like all else
    assert any("a hash over all that a sensor sent at once" in note for note in before.withheld)


def test_a_hold_keeps_where_its_operators_stood_past_the_day(kept: Kept, tmp_path: Path) -> None:
    kept.erase(BRIEF)
    said = kept.read()
    assert str(HOME.lat_deg).encode() in said
    assert str(OTHER_HOME.lat_deg).encode() not in said
    assert OTHER.encode() in said
    assert kept.check(tmp_path).holds
    assert str(HOME.lat_deg).encode() in (tmp_path / "d.zip").read_bytes()


def test_what_is_let_go_of_is_gone_with_the_next_erasure(kept: Kept, tmp_path: Path) -> None:
    kept.erase()
    number = IncidentId("I0001")
    with pytest.raises(DecisionError, match="held already"):
        raise kept.recorded.take([HoldIncident(OFFICER, number, True, "x")])[0].refused or OSError
    (answer,) = kept.recorded.take([HoldIncident(OFFICER, number, False, "the court is done")])
    assert answer.incident is not None
    kept.incident = answer.incident.incident
    kept.recorded.store.release("I0001")
    kept.recorded.take([EraseKeys(RULE, (("engine", 10**6),), "older than 30 days")])
    kept.again()
    assert SERIAL.encode() not in kept.read()
    kept.recorded.close()
    assert recompute(kept.folder).faults == []
    kept.recorded = Recorded(kept.folder, KEEPS)
    assert kept.check(tmp_path).holds


def test_a_crash_between_the_entry_and_the_keys_is_made_good(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(erasure, "destroy", killed)
        with pytest.raises(Killed):
            kept.erase()
    assert kept.recorded.store.sealing_keys()
    kept.again()
    assert kept.recorded.store.sealing_keys() == []
    assert OTHER.encode() not in kept.read()


def test_keys_are_destroyed_only_behind_a_snapshot(kept: Kept) -> None:
    with pytest.raises(RecordError, match="only behind a snapshot"):
        kept.recorded.store.stage([next(iter(_entries()))], erase=[("x", 1)])


def _entries():  # type: ignore[no-untyped-def]
    from skykeep.codec.entries import tick_entry

    yield tick_entry(Tick(at(9_000.0)))


def test_what_is_due_is_what_the_policy_says() -> None:
    hour_ns = 3_600 * 10**9
    now_ns = 100 * DAY_NS
    policy = RetentionPolicy(identity_days=30.0)
    last = 70 * 24 - 1  # the last hour that ends 30 days ago
    keys = [("radar", last), ("radar", last + 1), ("command", last), ("engine", last - 5)]
    found = due(keys, frozenset({"command"}), now_ns, policy)
    assert found == (("engine", last - 5), ("radar", last))
    assert EraseKeys(RULE, found, "").before_ns == (last + 1) * hour_ns
    with_permits = RetentionPolicy(30.0, permit_days=30.0)
    assert ("command", last) in due(keys, frozenset({"command"}), now_ns, with_permits)
