"""The wire form: whatever of ours goes out comes back, and nothing else comes in."""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import inspect
import json
import math
import sys
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.codec import wire
from skykeep.core.event import (
    Actor,
    AlertChanged,
    Bias,
    Event,
    IdentityChanged,
    InputFound,
    ObservationRejected,
    Permission,
    Reason,
    RegistrationChanged,
    ReportKept,
    SensorChanged,
    Strength,
    TrackUpdated,
    VerdictChanged,
)
from skykeep.core.geo import Circle, HeightAmsl, HeightReference, Tri, Volume, Volume4D
from skykeep.core.identity import ClaimTrack
from skykeep.core.observation import Coverage, Scheme, Sensor, SensorKind
from skykeep.core.permit import Permit, PermitState
from skykeep.core.picture import Held
from skykeep.core.track.tracker import TrackerSnapshot
from skykeep.core.zone import DailyPeriod, Period, Restriction, SunEvent, TimeOfDay, Zone
from skykeep.errors import InputError
from skykeep.units import SensorId, TrackId
from tests.sky import OFFICER, at, claim_of, claimed_at

text = st.text(max_size=8)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    text,
    st.binary(max_size=12),
    st.sampled_from([*Tri, *HeightReference, *Permission, *Scheme, *SunEvent, *PermitState]),
    st.builds(Actor, text, text),
    st.builds(Reason, text, text),
    st.builds(HeightAmsl, st.floats()),
)
keys = st.one_of(st.integers(), text, st.booleans(), st.sampled_from(list(Strength)),
                 st.tuples(st.integers(), text))  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(keys, inner, max_size=4),
        st.builds(Volume, inner, inner, inner),
    ),
    max_leaves=12,
)


def alike(one: Any, other: Any) -> bool:
    """Equal in type and value, NaN alike, 0.0 and -0.0 apart."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        same = math.isnan(one) if math.isnan(other) else one == other
        return same and math.copysign(1.0, one) == math.copysign(1.0, other)
    if isinstance(one, enum.Enum):
        return one is other
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, dict):
        return alike(list(one.items()), list(other.items()))
    if dataclasses.is_dataclass(one):
        names = [f.name for f in dataclasses.fields(one)]
        return all(alike(getattr(one, n), getattr(other, n)) for n in names)
    return bool(one == other)


def unsigned(value: Any) -> Any:
    """NaN has no sign on the wire."""
    if isinstance(value, float) and math.isnan(value):
        return float("nan")
    if isinstance(value, tuple | list):
        return type(value)(unsigned(v) for v in value)
    if isinstance(value, dict):
        return {k: unsigned(v) for k, v in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changed = {f.name: unsigned(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return dataclasses.replace(value, **changed)
    return value


@settings(max_examples=200, deadline=None)
@given(values)
def test_every_value_comes_back_as_it_went(value: Any) -> None:
    data = wire.encode(value)
    assert alike(wire.decode(data), unsigned(value))
    assert wire.encode(wire.decode(data)) == data


ONE_OF_EACH = [
    Sensor(SensorId("s"), SensorKind.RADAR, 1.0, 2.0, 3.0, Coverage(0.0, math.inf)),
    Zone("Z", "n", "a", Restriction.PROHIBITED, (Volume(Circle(1.0, 2.0, 3.0), None, None),),  # type: ignore[arg-type]
         (Period(1, None, (DailyPeriod((0, 6), TimeOfDay(60, True), SunEvent.SS),)),)),
    Permit("P", "a", "h", ("S",), (), (Volume4D(Volume(Circle(1.0, 2.0, 3.0), None, None), 0, 1),),  # type: ignore[arg-type]
           PermitState.GRANTED),
    ClaimTrack(1, claim_of(), at(0.0), claimed_at(0.0, (1.0, 2.0, 3.0)), windows={3: [math.inf]}),
    Held(TrackId("T1"), 1, 0, 2, 3, sensors={SensorId("s"): 4}, identity_key=("a", Strength.NONE)),
    TrackerSnapshot(1, 2, 0, 0.5, (b"\x00\xff", b""), ((SensorId("s"), (b"\x01",)),)),
]  # fmt: skip


@pytest.mark.parametrize("value", ONE_OF_EACH, ids=lambda v: type(v).__name__)
def test_our_own_values_come_back(value: Any) -> None:
    assert alike(wire.decode(wire.encode(value)), value)


def test_the_form_is_plain_json_with_class_and_fields_in_order() -> None:
    assert json.loads(wire.encode(Actor("A", "watch_officer"))) == {
        "is": "Actor", "name": "A", "role": "watch_officer",
    }  # fmt: skip
    assert wire.encode(Actor("A", "o")) == b'{"is":"Actor","name":"A","role":"o"}'
    assert wire.encode((math.nan, -math.inf)) == (
        b'{"is":"tuple","value":[{"is":"float","value":"nan"},{"is":"float","value":"-inf"}]}'
    )
    assert wire.encode(b"ab") == b'{"is":"bytes","value":"YWI="}'
    assert wire.encode(Tri.YES) == b'{"is":"Tri","value":2}'


def test_only_values_that_are_ours_are_written() -> None:
    @dataclasses.dataclass
    class Actor:  # the name alone does not make it ours
        name: str

    for strange in (object(), {1, 2}, 1j, Actor("A"), [object()]):
        with pytest.raises(TypeError, match="is not a value that is written"):
            wire.encode(strange)


# -- what comes in ----------------------------------------------------------------------------


def refused(data: bytes) -> InputError:
    with pytest.raises(InputError) as caught:
        wire.decode(data)
    return caught.value


@pytest.mark.parametrize(
    ("data", "where", "problem"),
    [
        (b"", "document", "truncated"),
        (b"{", "document", "truncated"),
        (b"\xff", "document", "malformed"),
        (b"1e999", "document", "out of range"),
        (b"[1]", "$", "bare list"),
        (b"{}", "$", "no class name"),
        (b'{"is":3}', "$", "no class name"),
        (b'{"is":"Nobody"}', "$", "Nobody has no 'value'"),
        (b'{"is":"Nobody","value":1}', "$", "is not a Nobody"),
        (b'{"is":"Actor","name":"A"}', "$", "Actor lacks ['role']"),
        (b'{"is":"Actor","name":"A","role":"o","age":3}', "$", "Actor has no ['age']"),
        (b'{"is":"Actor","name":[],"role":"o"}', "$.name", "bare list"),
        (b'{"is":"Tri","value":9}', "$", "is not a Tri"),
        (b'{"is":"Tri","value":[1]}', "$", "is not a Tri"),
        (b'{"is":"Tri","value":{}}', "$", "is not a Tri"),
        (b'{"is":"float","value":"1.0"}', "$", "is not a float"),
        (b'{"is":"float","value":[]}', "$", "is not a float"),
        (b'{"is":"bytes","value":"a"}', "$", "is not a bytes"),
        (b'{"is":"bytes","value":"YW*I="}', "$", "is not a bytes"),
        (b'{"is":"bytes","value":"\xc3\xa9"}', "$", "is not a bytes"),
        (b'{"is":"tuple","value":3}', "$", "is not a tuple"),
        (b'{"is":"tuple","value":[1,{}]}', "$[1]", "no class name"),
        (b'{"is":"dict","value":[[1]]}', "$[0]", "not a key and a value"),
        (b'{"is":"dict","value":[[{"is":"list","value":[]},1]]}', "$[0]", "cannot be one"),
        (b'{"is":"dict","value":{}}', "$", "is not a dict"),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(data: bytes, where: str, problem: str) -> None:
    error = refused(data)
    assert error.where == where
    assert problem in error.problem
    assert error.mend


@pytest.mark.parametrize("depth", [wire.DEPTH_LIMIT + 1, 500, 100_000])
@pytest.mark.parametrize("kind", ["tuple", "dict", "raw"])
def test_deep_nesting_is_refused_and_not_followed(depth: int, kind: str) -> None:
    if kind == "raw":
        data = b"[" * depth + b"]" * depth
    elif kind == "tuple":
        data = b'{"is":"tuple","value":[' * depth + b"1" + b"]}" * depth
    else:
        data = b'{"is":"dict","value":[[1,' * depth + b"1" + b"]]}" * depth
    problem = refused(data).problem
    assert "nested too deeply" in problem or kind == "raw"


def test_what_we_write_may_be_as_deep_as_the_limit() -> None:
    def nested(depth: int) -> Any:
        value: Any = 1
        for _ in range(depth):
            value = (value,)
        return value

    assert alike(wire.decode(wire.encode(nested(wire.DEPTH_LIMIT))), nested(wire.DEPTH_LIMIT))
    refused(wire.encode(nested(wire.DEPTH_LIMIT + 1)))
    assert sys.getrecursionlimit() >= 900


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_a_value_or_a_named_fault(data: bytes) -> None:
    with contextlib.suppress(InputError):
        wire.decode(data)


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False,
              allow_infinity=False), st.sampled_from(["is", "value", "Actor", "Tri", "nan"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["is", "value", "name", "role"]), inner, max_size=4),
        st.builds(
            lambda name, value: {"is": name, "value": value},
            st.sampled_from(["Tri", "float", "bytes", "tuple", "list", "dict", "Scheme",
                             "HeightReference", "Actor", "Nobody", "Height"]),
            inner,
        ),
        st.builds(lambda a, b: {"is": "Actor", "name": a, "role": b}, inner, inner),
    ),
    max_leaves=10,
)  # fmt: skip


@settings(max_examples=250, deadline=None)
@given(json_values)
def test_any_document_is_a_value_or_a_named_fault(document: Any) -> None:
    try:
        value = wire.decode(json.dumps(document).encode())
    except InputError:
        return
    assert alike(wire.decode(wire.encode(value)), value)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ONE_OF_EACH), st.data())
def test_a_damaged_value_never_comes_back_whole(value: Any, data: st.DataObject) -> None:
    whole = wire.encode(value)
    at_byte = data.draw(st.integers(0, len(whole) - 1))
    cut = whole[:at_byte] + whole[at_byte + 1 :]
    try:
        back = wire.decode(cut)
    except InputError:
        return
    assert wire.encode(back) != whole


# -- events -----------------------------------------------------------------------------------

REASONS = (Reason("code", "words"),)
EVENTS: list[Event] = [
    ObservationRejected(1, "b", 2, "range_m", "is nan"),  # type: ignore[arg-type]
    ReportKept(1, "b", 0, "guard", 1, None, "a »light«"),  # type: ignore[arg-type]
    SensorChanged(1, "radar", "working"),  # type: ignore[arg-type]
    RegistrationChanged(1, "radar", ("azimuth",), Bias(0.0, 1.5, 0.0, 0.0),  # type: ignore[arg-type]
                        Bias(75.0, 0.1, 2.0, 0.3), 10, 99),
    IdentityChanged(1, TrackId("T1"), Scheme.ADSB, None, "aa", Strength.CONSISTENT, REASONS),
    VerdictChanged(1, TrackId("T1"), "Z", "bound", Permission.PERMITTED, REASONS,  # type: ignore[arg-type]
                   Strength.NONE, None, 1.5),
    AlertChanged(1, "A1", "raised", "raised", True, 1, (TrackId("T1"),), (),  # type: ignore[arg-type]
                 Permission.NOT_PERMITTED, REASONS, OFFICER, ""),
    TrackUpdated(1, TrackId("T1"), 1, -5, 2, 3, 4, 5, 6, 7, 8, "HAE", None, (), ("b/0",), 0.5,
                 True),
]  # fmt: skip


@pytest.mark.parametrize("event", EVENTS, ids=lambda e: type(e).__name__)
def test_an_event_is_one_line_with_its_name_and_all_its_fields(event: Event) -> None:
    line = wire.encode_event(event)
    assert b"\n" not in line
    name, fields = json.loads(line)
    assert name == type(event).__name__
    assert list(fields) == [f.name for f in dataclasses.fields(event)]
    assert fields["at_ns"] == 1
    assert wire.encode_event(dataclasses.replace(event, at_ns=2)) != line


def test_every_event_can_be_written_and_read_in_full() -> None:
    assert InputFound in Event.__args__
    for event in EVENTS:
        assert alike(wire.decode(wire.encode(event)), event)
    for kind in Event.__args__:
        assert b'"is":"%s"' % kind.__name__.encode() in wire.encode(
            kind(*[None] * len(dataclasses.fields(kind)))
        )


def test_no_two_classes_that_are_written_share_a_name() -> None:
    named = Counter(
        found.__name__
        for room in wire._ROOMS
        for found in {found for _, found in inspect.getmembers(room, inspect.isclass)}
        if found.__module__ == room.__name__
        and (dataclasses.is_dataclass(found) or issubclass(found, enum.Enum))
    )
    assert [name for name, count in named.items() if count > 1] == []
