"""Sensors that sign: what is taken, refused and told, and who was looking, from the record."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from skykeep.cli import main
from skykeep.codec import entries
from skykeep.codec.signed import statement
from skykeep.commands.recompute import recompute
from skykeep.core.airspace import RegisterSensor
from skykeep.core.event import Tick
from skykeep.core.observation import Batch
from skykeep.runtime import Recorded
from skykeep.service.moment import moment_of
from tests.desk import EVIDENCE, OFFICER, RADAR_TOKEN, RECEIVER_TOKEN, Desk, posted
from tests.faults.keeper import RADAR as KEEPER_RADAR
from tests.faults.keeper import SITE as KEEPER_SITE
from tests.faults.keeper import Keeper, prepare
from tests.signing_client import Sensor
from tests.sky import FRAME, RADAR, RECEIVER, SITE, at, claim_of, claims, plots
from tests.sky import OFFICER as PERSON

SEED = bytes(range(32))
ROOT = Path(__file__).parents[3]


def public(seed: bytes = SEED) -> str:
    key = Ed25519PrivateKey.from_private_bytes(seed).public_key()
    return base64.b64encode(key.public_bytes_raw()).decode()


SIGNING = replace(RADAR, key=public())
SIGNING_RECEIVER = replace(RECEIVER, key=public())


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path, (SIGNING, SIGNING_RECEIVER))
    yield made
    made.close()
    assert recompute(tmp_path / "data").faults == []


def sensor_of(session: int = 1, seed: bytes = SEED, name: str = "radar") -> Sensor:
    return Sensor("", "", name, seed, session)


def rows(batch: Batch) -> list[dict[str, object]]:
    found: list[dict[str, object]] = posted(batch)["observations"]
    return found


def send(desk: Desk, body: bytes, token: str = RADAR_TOKEN) -> tuple[int, dict[str, Any]]:
    answer = desk.post(body, token)
    return answer.status_code, answer.json()


def events(desk: Desk, name: str) -> list[dict[str, Any]]:
    recorded = desk.writer.look()
    assert recorded is not None
    found = [f for p in recorded.store.entries() for f in recorded.store.facts(p)]
    start = f'["{name}"'.encode()
    return [json.loads(f)[1] for f in found if f.startswith(start)]


def test_signed_batches_are_taken_and_the_key_is_named(desk: Desk) -> None:
    sensor = sensor_of()
    status, said = send(desk, sensor.sealed(rows(plots(0.0, (100.0, 0.0, 80.0)))))
    assert (status, said["repeated"]) == (200, False)
    status, heartbeat = send(desk, sensor.sealed([]))
    assert status == 200
    recorded = desk.writer.look()
    assert recorded is not None
    (placed,) = recorded.store.entries(said["entry"], said["entry"] + 1)
    head = json.loads(recorded.store.facts(placed)[0])
    signed = head["signed"]
    assert (signed["key"], signed["session"], signed["sequence"]) == (public(), 1, 1)
    # Whoever has the open facts checks it without us.
    key = Ed25519PrivateKey.from_private_bytes(SEED).public_key()
    key.verify(base64.b64decode(signed["value"]), statement("radar", 1, 1, head["raw"][0]))
    (placed,) = recorded.store.entries(heartbeat["entry"], heartbeat["entry"] + 1)
    assert json.loads(recorded.store.facts(placed)[0])["rows"] == 0
    assert events(desk, "SensorNumbered") == []
    shown = {s["sensor"]: s["signs"] for s in desk.get("/v1/sensors").json()["sensors"]}
    assert shown == {"radar": True, "rid": True}


def test_where_somebody_is_named_the_signature_goes_with_the_hash(desk: Desk) -> None:
    batch = claims(0.0, (claim_of(), (100.0, 0.0, 80.0)))
    status, said = send(desk, sensor_of(name="rid").sealed(rows(batch)), RECEIVER_TOKEN)
    assert status == 200
    recorded = desk.writer.look()
    assert recorded is not None
    (placed,) = recorded.store.entries(said["entry"], said["entry"] + 1)
    head, _, raw, _ = recorded.store.facts(placed)
    assert json.loads(head)["signed"]["value"] == ""
    assert set(json.loads(raw)) == {"raw", "signature"}
    batch = entries.batch_of(recorded.store.facts(placed))
    assert batch.signed is not None
    assert batch.signed.value == json.loads(raw)["signature"]


@pytest.mark.parametrize(
    ("change", "status", "where", "problem"),
    [
        ({"signature": "AAAA"}, 422, "$.signature", "does not hold"),
        ({"signature": "not base64!"}, 422, "$.signature", "does not hold"),
        ({"sequence": 2}, 422, "$.signature", "does not hold"),
        ({"session": 2}, 422, "$.signature", "does not hold"),
        ({"payload": '{"batch_id": "x", "sensor": "radar", "observations": []}'}, 422,
         "$.signature", "does not hold"),
        ({"payload": "\ud800"}, 422, "$", ""),
        ({"session": 0}, 422, "$.session", ""),
        ({"sequence": 2**63}, 422, "$.sequence", ""),
        ({"more": 1}, 422, "$", "unknown field"),
    ],
)  # fmt: skip
def test_what_was_not_signed_so_is_refused(
    desk: Desk, change: dict[str, Any], status: int, where: str, problem: str
) -> None:
    said = json.loads(sensor_of().sealed([])) | change
    code, answer = send(desk, json.dumps(said).encode())
    assert (code, answer["where"]) == (status, where), answer
    assert problem in answer["problem"]


def test_unsigned_foreign_and_repeated_ones_are_refused(desk: Desk) -> None:
    code, answer = send(desk, json.dumps(posted(plots(0.0, (9.0, 0.0, 80.0)))).encode())
    assert code == 422
    assert "This sensor signs" in answer["mend"]
    code, answer = send(desk, sensor_of(seed=b"x" * 32).sealed([]))
    assert (code, answer["where"]) == (422, "$.signature")
    # Another sensor's, under the same key: its name is signed too.
    code, answer = send(desk, sensor_of(name="rid").sealed([]))
    assert (code, answer["where"]) == (422, "$.signature")
    first, other = sensor_of(), sensor_of()
    body = first.sealed([])
    assert send(desk, body)[0] == 200
    assert send(desk, body) == (200, send(desk, body)[1])
    assert send(desk, body)[1]["repeated"]
    other.name = "radar"
    replayed = json.loads(other.sealed(rows(plots(0.0, (9.0, 0.0, 80.0)))))
    code, answer = send(desk, json.dumps(replayed).encode())
    assert (code, "with other content" in answer["problem"]) == (422, True)
    size = desk.writer.size
    again = sensor_of()
    again.sealed([])
    again.sequence = 0
    payload = {"batch_id": "another", "sensor": "radar", "observations": []}
    code, answer = send(desk, resealed(again, payload))
    assert (code, "number 1 of session 1 was taken before" in answer["problem"]) == (409, True)
    assert desk.writer.size == size


def resealed(sensor: Sensor, payload: dict[str, Any]) -> bytes:
    """As a sensor that counts wrong would: batch ids of its own, signed all the same."""
    sensor.sequence += 1
    text = json.dumps(payload)
    signed = statement(sensor.name, sensor.session, sensor.sequence, digest(text))
    value = base64.b64encode(sensor.key.sign(signed)).decode()
    head = {"session": sensor.session, "sequence": sensor.sequence, "payload": text}
    return json.dumps(head | {"signature": value}).encode()


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def test_gaps_late_ones_and_restarts_are_entries(desk: Desk) -> None:
    sensor = sensor_of(5)
    bodies = [sensor.sealed([]) for _ in range(5)]
    for place in (0, 4, 2):
        assert send(desk, bodies[place])[0] == 200
    assert send(desk, sensor_of(9).sealed([]))[0] == 200
    code, answer = send(desk, bodies[1])
    assert (code, "session 5 is over" in answer["problem"]) == (409, True)
    numbered = events(desk, "SensorNumbered")
    said = [(e["what"], e["session"], e["first"], e["last"]) for e in numbered]
    assert said == [("gap", 5, 2, 4), ("filled", 5, 3, 3), ("restarted", 9, 1, 1)]


def test_a_new_version_of_a_sensor_counts_on_under_the_same_key(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path / "r", SITE)
    body = json.loads(sensor_of().sealed([]))
    from skykeep.codec.posted import decode_posted
    from skykeep.core.observation import Signature

    signed = Signature(public(), 1, 1, body["signature"])
    batch = decode_posted(body["payload"].encode(), at(1.0), signed).batch
    other = replace(batch, batch_id="other")  # type: ignore[arg-type]
    recorded.take([Tick(at(0.0)), RegisterSensor(PERSON, SIGNING)])
    assert recorded.take([batch])[0].refused is None
    recorded.take([RegisterSensor(PERSON, replace(SIGNING, words="moved"))])
    assert "taken before" in str(recorded.take([other])[0].refused)
    assert "not signed" in str(recorded.take([replace(other, signed=None)])[0].refused)
    recorded.take([RegisterSensor(PERSON, replace(SIGNING, key=public(b"n" * 32)))])
    assert "with its key" in str(recorded.take([other])[0].refused)
    recorded.close()
    assert recompute(tmp_path / "r").faults == []


def test_recompute_finds_a_signature_that_does_not_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from skykeep.codec.posted import decode_posted
    from skykeep.core.observation import Signature

    body = json.loads(sensor_of().sealed([]))
    forged = Signature(public(), 2, 1, body["signature"])  # signed for session 1
    recorded = Recorded(tmp_path / "r", SITE)
    recorded.take([Tick(at(0.0)), RegisterSensor(PERSON, SIGNING)])
    recorded.take([decode_posted(body["payload"].encode(), at(1.0), forged).batch])
    recorded.close()
    (fault,) = recompute(tmp_path / "r").faults
    assert "signature" in fault


def test_who_was_looking_from_the_record(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sensor = sensor_of()
    for second in range(1, 30):
        desk.clock.now_ns = at(second)
        if second not in range(10, 20):
            assert send(desk, sensor.sealed([]))[0] == 200
        desk.get("/v1/sensors")
    maintained = {"sensor": "radar", "begins": True, "why": "a new antenna"}
    assert desk.command("maintain_sensor", maintained).status_code == 200
    again = desk.command("maintain_sensor", maintained)
    assert (again.status_code, "already" in again.json()["problem"]) == (409, True)
    recorded = desk.writer.look()
    assert recorded is not None
    desk.app.state.hub.moment = moment_of(recorded, desk.clock.now_ns)
    assert 'skykeep_sensors{health="maintenance"} 1.0' in desk.get("/metrics").text
    desk.clock.on(2.0)
    lat, lon, _ = FRAME.to_geodetic(500.0, 0.0, 0.0)
    span = "from=2026-09-12T21:48:00Z&to=2026-09-12T21:48:31Z"
    found = desk.get(f"/v1/coverage?{span}&lat={lat}&lon={lon}", EVIDENCE).json()
    radar, receiver = found["sensors"]
    states = [(s["since"][17:-1], s["state"]) for s in radar["spans"]]
    assert [state for _, state in states] == [
        "unknown", "up", "silent", "up", "maintenance",
    ], states  # fmt: skip
    assert states[1:4] == [("01", "up"), ("09", "silent"), ("20", "up")]
    assert (radar["signs"], radar["covers"], radar["batches"]) == (True, True, 19)
    assert [s["state"] for s in radar["watched"]] == ["up", "up"]
    assert receiver["batches"] == 0
    assert found["height_hae_m"] == FRAME.hae_m + 100.0
    # Its silence while somebody works on it is no alert; that of before was one.
    for _ in range(20):
        desk.clock.on(1.0)
        desk.get("/v1/sensors")
    alerts = desk.get("/v1/alerts").json()["alerts"]
    assert [a["active"] for a in alerts if a["reasons"][0]["code"] == "sensor_silent"
            and "radar" in a["reasons"][0]["words"]] == [False]  # fmt: skip
    for query, status in ((span.replace("31Z", "00Z"), 422), (f"{span}&lat=3", 422), ("", 422)):
        assert desk.get(f"/v1/coverage?{query}", OFFICER).status_code == status
    desk.writer.stop()
    desk.loop.run_until_complete(desk.at_work)
    desk.writer.close()
    words = ["coverage", str(tmp_path / "data"), "--from", "2026-09-12T21:48:00Z", "--to",
             "2026-09-12T21:48:31Z", "--at", str(lat), str(lon)]  # fmt: skip
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "radar (position, signs): up 54.8%, 19 batches\n  covers the place at 447.5 m" in said
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == found


def test_the_example_client_speaks_to_a_real_site(tmp_path: Path) -> None:
    prepare(tmp_path)
    site = json.loads(json.dumps(KEEPER_SITE))
    for sensor in site["sensors"]:
        if sensor["sensor"] == "radar-1":
            sensor["key"] = public()
    (tmp_path / "site.json").write_text(json.dumps(site))
    keeper = Keeper(tmp_path)
    client = Sensor(f"http://127.0.0.1:{keeper.port}", KEEPER_RADAR, "radar-1", SEED, 1)
    body = client.sealed([])
    first = client.send(body)
    assert first["rejected"] == []
    assert client.send(body) == first | {"repeated": True}
    assert keeper.post(1)[0] == 422
    assert keeper.stop() == 0
    assert recompute(tmp_path / "data").faults == []


def test_the_page_shows_the_client_as_it_is() -> None:
    page = (ROOT / "docs/signing-sensors.md").read_text(encoding="utf-8")
    code = (ROOT / "tests/signing_client.py").read_text(encoding="utf-8")
    shown = page.partition("```python\n")[2].partition("```")[0]
    assert shown.strip() == code.partition('"""\n\n')[2].strip()
