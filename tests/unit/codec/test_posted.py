"""A posted batch: the same rows as JSON lines, and nothing that comes in crashes it."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from skykeep.codec.jsonl import encode_observation
from skykeep.codec.posted import decode_posted
from skykeep.core.geo import HeightReference
from skykeep.core.observation import Batch, batch_of
from skykeep.errors import InputError
from tests.sky import at, claim_of, claims, plots, sighting, tracks

PLACES = ((100.0, 0.0, 80.0), (-300.0, 20.0, 120.0))
BATCHES = (
    plots(1.0, *PLACES),
    claims(1.0, (claim_of(), PLACES[0]), (claim_of(None, operator_id="OP"), PLACES[1])),
    tracks(1.0, ("a-7", PLACES[0]), ("b", PLACES[1])),
    tracks(1.0, ("a-7", PLACES[0]), slack=None, velocity=None),
    sighting(1.0, "two lights", 211.0, reference=HeightReference.NONE),
)


def body_of(batch: Batch) -> dict[str, Any]:
    rows = [msgspec.json.decode(encode_observation(o)) for o in batch.rows()]
    return {"batch_id": str(batch.batch_id), "observations": rows}


def same(a: Batch, b: Batch) -> None:
    assert (a.batch_id, a.sensor_id, a.receipt_time_ns, a.form) == (
        b.batch_id, b.sensor_id, b.receipt_time_ns, b.form,
    )  # fmt: skip
    for name in ("event_time_ns", "values", "sigmas", "velocities_mps", "height_references"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
        assert getattr(a, name).dtype == getattr(b, name).dtype
        assert getattr(a, name).shape == getattr(b, name).shape
    assert a.upstream_ids == b.upstream_ids
    if a.velocity_sigmas_mps is None or b.velocity_sigmas_mps is None:
        assert a.velocity_sigmas_mps is b.velocity_sigmas_mps
    else:
        np.testing.assert_array_equal(a.velocity_sigmas_mps, b.velocity_sigmas_mps)
    if a.kind_likelihood is None or b.kind_likelihood is None:
        assert a.kind_likelihood is b.kind_likelihood
    else:
        np.testing.assert_array_equal(a.kind_likelihood, b.kind_likelihood)
    assert [a.claim_at(i) for i in range(len(a))] == [b.claim_at(i) for i in range(len(b))]


def test_every_form_comes_back_as_it_was() -> None:
    for batch in BATCHES:
        posted = decode_posted(json.dumps(body_of(batch)).encode(), batch.receipt_time_ns)
        same(posted.batch, batch_of(list(batch.rows())))
        assert posted.batch.words == batch.words
        assert (posted.places, posted.rejected) == (tuple(range(len(batch))), ())
        assert len(posted.batch.raw_sha256[0]) == 64


def test_the_receipt_time_is_the_services_not_the_senders() -> None:
    body = json.dumps(body_of(BATCHES[0])).encode()
    assert decode_posted(body, at(7.0)).batch.receipt_time_ns == at(7.0)


def test_rows_are_read_alike_all_at_once_or_one_by_one() -> None:
    for batch in BATCHES:
        document = body_of(batch)
        document["observations"].append({"sensor": 3})
        posted = decode_posted(json.dumps(document).encode(), batch.receipt_time_ns)
        same(posted.batch, batch_of(list(batch.rows())))
        (fault,) = posted.rejected
        assert (fault.row, fault.field) == (len(batch), "$.sensor")
        (finding,) = posted.batch.findings
        assert finding.where == f"$.observations[{len(batch)}].sensor"


def test_an_empty_turn_is_a_batch_without_rows() -> None:
    posted = decode_posted(b'{"batch_id": "x", "sensor": "radar", "observations": []}', at(1.0))
    assert (len(posted.batch), posted.batch.sensor_id) == (0, "radar")
    assert posted.batch.values.shape == (0, 3)


def decoded(body: bytes) -> None:
    try:
        posted = decode_posted(body, at(1.0))
    except InputError:
        return
    assert len(posted.places) == len(posted.batch)


@given(st.binary(max_size=200))
def test_no_bytes_crash_it(body: bytes) -> None:
    decoded(body)


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
FIELDS = ("sensor", "time", "received", "position", "polar", "kind", "claim", "sighting")


@given(st.data())
def test_no_json_crashes_it(data: st.DataObject) -> None:
    document = body_of(BATCHES[data.draw(st.integers(0, 2))])
    row = data.draw(st.sampled_from(document["observations"]))
    row[data.draw(st.sampled_from(FIELDS))] = data.draw(JSON)
    decoded(json.dumps(document).encode("utf-8", "surrogatepass"))
