"""The assembler: what is remembered and for how long, times, duplicates, bounds."""

from __future__ import annotations

import dataclasses
import hashlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skykeep.codec.remote_id import (
    BasicId,
    CategoryEu,
    Classification,
    HeightAboveTakeOff,
    IdType,
    Location,
    Message,
    OperatorId,
    OperatorLocation,
    Status,
    System,
    UaType,
    encode_message,
    encode_pack,
)
from skykeep.core.geo import HeightAgl, HeightHae, HeightPressure, HeightReference
from skykeep.core.observation import Batch, Claim, Form, OperatorPosition, Scheme
from skykeep.feed.remote_id import REPEAT_NS, Assembler
from skykeep.feed.remote_id_rows import (
    FALLBACK_SIGMA_HEIGHT_M,
    FALLBACK_SIGMA_HORIZONTAL_M,
    FALLBACK_SIGMA_TIME_S,
)
from skykeep.feed.remote_id_said import (
    MAX_TIME_DIFFERENCE_NS,
    STANDSTILL_NS,
    STATIC_MAX_AGE_NS,
)
from skykeep.units import NS_PER_S, SensorId

RID = SensorId("rid")
MAC = "02:00:00:00:00:01"
HOUR_NS = 3600 * NS_PER_S
AT_NS = 473_000 * HOUR_NS + 1_800 * NS_PER_S  # half past the hour
SERIAL = BasicId(IdType.SERIAL_NUMBER, UaType.HELICOPTER_OR_MULTIROTOR, "MFG1A0123456789")
LOCATION = Location(
    status=Status.AIRBORNE,
    lat_deg=49.6,
    lon_deg=6.1,
    altitude_geodetic=HeightHae(350.0),
    altitude_pressure=HeightPressure(310.0),
    height=HeightAgl(50.0),
    direction_deg=90.0,
    speed_mps=10.0,
    vertical_speed_mps=-2.0,
    accuracy_horizontal_m=10.0,
    accuracy_vertical_m=25.0,
    accuracy_pressure_m=45.0,
    accuracy_time_s=0.4,
    time_tenths=18_000,
)


def moved(step: int, **changes: object) -> Location:
    return dataclasses.replace(LOCATION, lat_deg=49.6 + step * 1e-4, **changes)


def tenths_of(at_ns: int) -> int:
    return at_ns % HOUR_NS // (NS_PER_S // 10)


def feed(assembler: Assembler, at_ns: int, *messages: Message, mac: str = MAC) -> Batch | None:
    return assembler.feed(at_ns, mac, encode_pack(messages))


def must(batch: Batch | None) -> Batch:
    assert batch is not None
    return batch


def problems(batch: Batch | None) -> list[str]:
    return [] if batch is None else [f.problem for f in batch.findings]


def test_a_whole_pack_becomes_one_row() -> None:
    assembler = Assembler(RID)
    system = System(
        operator_lat_deg=49.5,
        operator_lon_deg=6.0,
        classification=Classification.EUROPEAN_UNION,
        category_eu=CategoryEu.SPECIFIC,
        class_eu=2,
    )
    # The identity stands behind the location in the pack and still belongs to it.
    pack = encode_pack([LOCATION, system, OperatorId(0, "LUX-OP-1"), SERIAL])
    batch = must(assembler.feed(AT_NS + 5_000_000, MAC, pack))
    assert (batch.batch_id, batch.sensor_id, batch.form) == ("rid/1", RID, Form.POSITION)
    (row,) = batch.rows()
    assert row.event_time_ns == AT_NS
    assert row.receipt_time_ns == AT_NS + 5_000_000
    assert row.values == (49.6, 6.1, 350.0)
    assert row.height_reference is HeightReference.HAE
    assert row.velocity_mps == pytest.approx((10.0, 0.0, -2.0))
    # Half the 95 % bounds, widened by what the speed covers in half of 0.4 s.
    assert row.sigmas == pytest.approx((math.hypot(5, 2), 5.0, math.hypot(12.5, 0.4)))
    assert row.raw_sha256 == hashlib.sha256(pack).hexdigest()
    assert row.claim == Claim(
        scheme=Scheme.REMOTE_ID,
        identity="MFG1A0123456789",
        transmitter=MAC,
        identity_type="serial_number",
        operator_id="LUX-OP-1",
        category="helicopter_or_multirotor, EU specific C2",
        crewed=False,
        airborne=True,
    )
    assert row.words == ""  # the operator's position is not passed on
    assert batch.findings == ()


def test_messages_that_come_one_by_one() -> None:
    assembler = Assembler(RID)
    assert assembler.feed(AT_NS, MAC, encode_message(SERIAL)) is None
    first = must(assembler.feed(AT_NS, MAC, encode_message(LOCATION)))
    other = must(assembler.feed(AT_NS, "02:00:00:00:00:02", encode_message(LOCATION)))
    claims = [must(b).claim_at(0) for b in (first, other)]
    assert [c and c.identity for c in claims] == ["MFG1A0123456789", None]
    assert [c and c.identity_type for c in claims] == ["serial_number", ""]
    assert (first.batch_id, other.batch_id) == ("rid/1", "rid/2")


@pytest.mark.parametrize(
    ("changes", "height_m", "sigma_m", "reference"),
    [
        ({}, 350.0, 12.5, HeightReference.HAE),
        ({"accuracy_vertical_m": None}, 350.0, FALLBACK_SIGMA_HEIGHT_M, HeightReference.HAE),
        ({"altitude_geodetic": None}, 310.0, 22.5, HeightReference.PRESSURE),
        (
            {"altitude_geodetic": None, "altitude_pressure": None},
            50.0,
            FALLBACK_SIGMA_HEIGHT_M,
            HeightReference.AGL,
        ),
        (
            {
                "altitude_geodetic": None,
                "altitude_pressure": None,
                "height": HeightAboveTakeOff(50.0),
            },
            math.nan,
            FALLBACK_SIGMA_HEIGHT_M,
            HeightReference.NONE,
        ),
    ],
)
def test_heights_keep_their_reference(
    changes: dict[str, object], height_m: float, sigma_m: float, reference: HeightReference
) -> None:
    location = dataclasses.replace(LOCATION, vertical_speed_mps=None, **changes)
    batch = must(feed(Assembler(RID), AT_NS, location))
    (row,) = batch.rows()
    assert row.values[2] == pytest.approx(height_m, nan_ok=True)
    assert row.sigmas[2] == pytest.approx(sigma_m)
    assert row.height_reference is reference
    assert ("only a height above take-off" in problems(batch)) == math.isnan(height_m)


def test_unknown_accuracies_fall_back_and_unknown_speeds_stay_unknown() -> None:
    bare = Location(lat_deg=49.6, lon_deg=6.1)
    batch = must(feed(Assembler(RID), AT_NS, bare))
    (row,) = batch.rows()
    assert row.sigmas == (
        FALLBACK_SIGMA_HORIZONTAL_M,
        FALLBACK_SIGMA_HORIZONTAL_M,
        FALLBACK_SIGMA_HEIGHT_M,
    )
    assert np.isnan(row.velocity_mps).all()
    assert row.claim is not None
    assert row.claim.airborne is None
    still = dataclasses.replace(bare, speed_mps=0.0, status=Status.GROUND)
    (row,) = must(feed(Assembler(RID), AT_NS, still)).rows()
    assert row.velocity_mps[:2] == (0.0, 0.0)
    assert row.claim is not None
    assert row.claim.airborne is False


def test_a_time_that_cannot_be_gives_way_to_the_receipt() -> None:
    assembler = Assembler(RID)
    batches = [
        must(feed(assembler, AT_NS + i * NS_PER_S, moved(i, time_tenths=0))) for i in range(3)
    ]
    assert [int(b.event_time_ns[0]) for b in batches] == [AT_NS + i * NS_PER_S for i in range(3)]
    # Said once for one transmitter, again for another.
    assert [len(b.findings) for b in batches] == [1, 0, 0]
    assert batches[0].findings[0].where == "location.time_tenths"
    other = must(feed(assembler, AT_NS, moved(0, time_tenths=0), mac="02:00:00:00:00:02"))
    assert len(other.findings) == 1
    last = must(assembler.close())
    assert len(last) == 0
    assert any(p.startswith("2 more like those") for p in problems(last))


@pytest.mark.parametrize(
    ("late_ns", "timed"),
    [
        (MAX_TIME_DIFFERENCE_NS, True),
        (MAX_TIME_DIFFERENCE_NS + 1, False),
        (-NS_PER_S, None),  # ahead, within the accuracy: not after the receipt
        (-2 * NS_PER_S, False),
    ],
)
def test_how_far_a_time_may_be_off(late_ns: int, timed: bool | None) -> None:
    batch = must(feed(Assembler(RID), AT_NS + late_ns, LOCATION))
    (row,) = batch.rows()
    assert row.event_time_ns == (AT_NS if timed else AT_NS + late_ns)
    assert bool(batch.findings) == (timed is False)
    sigma_time_s = FALLBACK_SIGMA_TIME_S if timed is False else 0.2
    assert row.sigmas[0] == pytest.approx(math.hypot(5.0, 10.0 * sigma_time_s))


def test_an_unknown_time_gives_way_to_the_receipt() -> None:
    batch = must(feed(Assembler(RID), AT_NS + 7, moved(0, time_tenths=None)))
    assert int(batch.event_time_ns[0]) == AT_NS + 7
    assert problems(batch) == ["unknown"]


def test_a_clock_that_stands_still_is_not_believed_at_its_own_hour() -> None:
    assembler = Assembler(RID)
    start_ns = AT_NS + 1_800 * NS_PER_S - 20 * NS_PER_S  # to the full hour and over it
    receipts = [start_ns + i * NS_PER_S for i in range(40)]
    batches = [
        must(feed(assembler, at_ns, moved(i, time_tenths=0))) for i, at_ns in enumerate(receipts)
    ]
    times = [int(b.event_time_ns[0]) for b in batches]
    assert times == receipts
    assert "stands still" in {p for b in batches for p in problems(b)}


def test_a_clock_that_runs_again_is_believed_again() -> None:
    assembler = Assembler(RID)
    feed(assembler, AT_NS, moved(0, time_tenths=0))
    at_ns = AT_NS + NS_PER_S
    batch = must(feed(assembler, at_ns + 50_000_000, moved(1, time_tenths=tenths_of(at_ns))))
    assert int(batch.event_time_ns[0]) == at_ns


def test_times_over_the_full_hour_keep_their_order() -> None:
    assembler = Assembler(RID)
    times = []
    for i in range(8):
        sent_ns = AT_NS + 1_798 * NS_PER_S + i * NS_PER_S // 2
        location = moved(i, time_tenths=tenths_of(sent_ns))
        times.append(int(must(feed(assembler, sent_ns + 9_000_000, location)).event_time_ns[0]))
    assert np.diff(times).tolist() == [NS_PER_S // 2] * 7


@pytest.mark.parametrize("tenths", [18_000, None, 0])
@pytest.mark.parametrize("early_ns", [0, 200_000_000])
def test_the_same_location_in_two_frames_is_one(tenths: int | None, early_ns: int) -> None:
    assembler = Assembler(RID)
    location = moved(0, time_tenths=tenths)
    at_ns = AT_NS - early_ns
    assert feed(assembler, at_ns, location) is not None
    assert feed(assembler, at_ns + 2_000_000, location) is None
    assert feed(assembler, at_ns + 2_000_000, location, mac="02:00:00:00:00:02") is not None
    assert assembler.counts.duplicates == 1
    assert assembler.counts.observations == 2


def test_a_hovering_drone_stays_seen() -> None:
    assembler = Assembler(RID)
    untimed = moved(0, time_tenths=None)
    assert feed(assembler, AT_NS, untimed) is not None
    assert feed(assembler, AT_NS + REPEAT_NS, untimed) is None
    assert feed(assembler, AT_NS + REPEAT_NS + 1, untimed) is not None
    timed = Assembler(RID)
    assert feed(timed, AT_NS, LOCATION) is not None
    assert feed(timed, AT_NS + STANDSTILL_NS, LOCATION) is None
    assert feed(timed, AT_NS + STANDSTILL_NS + 1, LOCATION) is not None
    assert feed(timed, AT_NS + HOUR_NS, LOCATION) is not None


def test_several_identities_and_which_one_counts() -> None:
    assembler = Assembler(RID)
    session = BasicId(IdType.SPECIFIC_SESSION, UaType.NONE, "01" + "ab" * 19)
    registration = BasicId(IdType.CAA_REGISTRATION, UaType.NONE, "LX-001")
    at_ns = AT_NS
    expected = [
        (session, "01" + "ab" * 19, "specific_session"),
        (registration, "LX-001", "caa_registration"),
        (BasicId(IdType.NONE, UaType.NONE, "XYZ1"), "XYZ1", "serial_number"),
        (SERIAL, "MFG1A0123456789", "serial_number"),
        (session, "MFG1A0123456789", "serial_number"),
    ]
    for step, (basic, identity, identity_type) in enumerate(expected):
        at_ns += NS_PER_S
        batch = must(feed(assembler, at_ns, basic, moved(step, time_tenths=tenths_of(at_ns))))
        claim = batch.claim_at(0)
        assert claim is not None
        assert (claim.identity, claim.identity_type) == (identity, identity_type)
        assert "one transmitter states another identity" not in problems(batch)


def test_a_changed_identity_is_taken_and_said_once() -> None:
    assembler = Assembler(RID)
    found = []
    for step, name in enumerate(["A", "B", "A"]):
        at_ns = AT_NS + step * NS_PER_S
        basic = BasicId(IdType.SERIAL_NUMBER, UaType.NONE, name)
        batch = must(feed(assembler, at_ns, basic, moved(step, time_tenths=tenths_of(at_ns))))
        claim = batch.claim_at(0)
        assert claim is not None
        assert claim.identity == name
        found += problems(batch)
    assert found == ["one transmitter states another identity"]


def test_an_identity_that_was_not_heard_for_long_is_forgotten() -> None:
    assembler = Assembler(RID)
    feed(assembler, AT_NS, SERIAL)
    names = []
    for at_ns in (AT_NS + STATIC_MAX_AGE_NS, AT_NS + STATIC_MAX_AGE_NS + 1):
        location = moved(at_ns % 7, time_tenths=None)
        claim = must(feed(assembler, at_ns, location)).claim_at(0)
        names.append(claim and claim.identity)
    assert names == ["MFG1A0123456789", None]


def test_operator_positions_only_by_decision_of_the_site() -> None:
    system = System(OperatorLocation.LIVE_GNSS, operator_lat_deg=49.5, operator_lon_deg=6.0)
    for decided, kept in [(False, ()), (True, (OperatorPosition(49.5, 6.0, "live gnss"),))]:
        assembler = Assembler(RID, operator_positions=decided)
        batch = must(feed(assembler, AT_NS, system, LOCATION))
        assert batch.operators == kept
        assert not any(batch.words)
        assert ("49.5" in repr(vars(assembler))) == decided  # not even kept


def test_a_location_without_a_position_is_counted() -> None:
    assembler = Assembler(RID)
    assert feed(assembler, AT_NS, Location(status=Status.AIRBORNE)) is None
    assert assembler.counts.without_position == 1
    assert problems(feed(assembler, AT_NS, LOCATION)) == ["no position"]


def test_unreadable_bytes_become_a_finding_of_the_next_batch() -> None:
    assembler = Assembler(RID)
    assert assembler.feed(AT_NS, MAC, b"\xf2\x19") is None
    assert assembler.counts.unreadable == 1
    (finding,) = must(feed(assembler, AT_NS, LOCATION)).findings
    assert finding.where == "message: byte 2: pack"
    assert assembler.close() is None


def test_memory_for_transmitters_is_bounded_and_the_oldest_goes() -> None:
    assembler = Assembler(RID, max_transmitters=2)
    for number in (1, 2, 1, 3):  # 2 is longest unheard when 3 comes
        feed(assembler, AT_NS, SERIAL, mac=f"02:00:00:00:00:0{number}")
    assert assembler.counts.forgotten == 1
    names = {}
    for number in (3, 1, 2):
        batch = must(feed(assembler, AT_NS, LOCATION, mac=f"02:00:00:00:00:0{number}"))
        claim = batch.claim_at(0)
        names[number] = claim and claim.identity
        if number == 3:
            assert "over 2 at once" in problems(batch)
    assert names == {3: "MFG1A0123456789", 1: "MFG1A0123456789", 2: None}


def test_findings_never_quote_identities_or_addresses() -> None:
    assembler = Assembler(RID)
    faulty = b"\x02\x00MFG1A0\x1b123\0junk".ljust(25, b"\0")
    assembler.feed(AT_NS, MAC, faulty)
    batch = must(feed(assembler, AT_NS, moved(0, time_tenths=None)))
    assert len(batch.findings) >= 3
    for text in ("MFG1", "junk", MAC):
        assert text not in repr(batch.findings)


@given(
    st.lists(
        st.tuples(
            st.integers(AT_NS, AT_NS + 100 * NS_PER_S),
            st.sampled_from(["a", "b", "c"]),
            st.binary(max_size=60)
            | st.builds(
                lambda kind, body: bytes((kind,)) + body,
                st.sampled_from([0x02, 0x12, 0x12, 0x42, 0x52]),
                st.binary(min_size=24, max_size=24),
            ),
        ),
        max_size=30,
    )
)
def test_any_bytes_give_sound_batches_and_twice_the_same(
    heard: list[tuple[int, str, bytes]],
) -> None:
    runs = []
    for _ in range(2):
        assembler = Assembler(RID, max_transmitters=2, operator_positions=True)
        batches = [b for b in (assembler.feed(*h) for h in heard) if b is not None]
        last = assembler.close()
        runs.append([[(list(b.rows()), b.findings) for b in batches], last and last.findings])
        for batch in batches:
            assert np.isfinite(batch.values[:, :2]).all()
            assert (batch.sigmas > 0).all()
            assert (batch.event_time_ns <= batch.receipt_time_ns).all()
            assert (batch.receipt_time_ns - batch.event_time_ns <= MAX_TIME_DIFFERENCE_NS).all()
    assert repr(runs[0]) == repr(runs[1])
