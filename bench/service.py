"""The whole line over HTTP with the durable record: how much it takes, how soon it alerts.

A `skykeep serve` of its own, posted to over loopback by this process, on the same cores.
"""

from __future__ import annotations

import json
import math
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.client import Connection, Service, wait_until
from bench.figure import Figure

#: Aims: of the project, on two cores.
AIM_PER_S, AIM_LATENCY_S = 20_000.0, 0.250
BATCH = 100

SENSORS = 4
TARGETS = 100
#: Batches of the throughput run: about ten seconds of work.
BATCHES = 2_000
#: Event times are as far apart as at this rate, so that they never run ahead of the clock.
FASTEST_PER_S = 50_000.0

#: The latency run: so many observations a second, drones that turn up one by one.
RATE_PER_S = 2_000
DRONES, DRONE_EVERY_S, LOOKS_PER_S = 100, 0.25, 5.0
#: The third look confirms a track, and judges it; the site's policy then waits for a second.
CONFIRMING_LOOK, POLICY_S = 3, 1.0
POLL_S = 0.01

LAT, LON = 49.61, 6.13
METRES_PER_DEGREE = 111_200.0
DRONE = {"drone": 0.97, "bird": 0.01, "aircraft": 0.01, "clutter": 0.01}
BIRD = {"drone": 0.01, "bird": 0.97, "aircraft": 0.01, "clutter": 0.01}


def figures() -> list[Figure]:
    """Throughput, then latency; each on a fresh record."""
    return [*_throughput(), *_latency()]


def site(sensors: int) -> dict[str, Any]:
    """A site with so many position sensors."""
    return {
        "authority": "city",
        "name": "bench",
        "origin": {"lat_deg": LAT, "lon_deg": LON, "height_hae_m": 347.5},
        "terrain": {
            "lowest_amsl_m": 300,
            "highest_amsl_m": 300,
            "geoid_low_m": 47.5,
            "geoid_high_m": 47.5,
        },
        "sensors": [
            {
                "sensor": f"radar-{i}",
                "kind": "position",
                "lat_deg": LAT,
                "lon_deg": LON,
                "height_hae_m": 350,
                "range_max_m": 20_000,
            }
            for i in range(sensors)
        ],
    }


ZONE = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "geometry": {
                "type": "Point",
                "coordinates": [LON, LAT],
                "extent": {"subType": "Circle", "radius": 2000.0},
                "layer": {
                    "lower": 0,
                    "lowerReference": "AGL",
                    "upper": 300,
                    "upperReference": "AGL",
                    "uom": "m",
                },
            },
            "properties": {
                "identifier": "Z1",
                "country": "LUX",
                "type": "PROHIBITED",
                "variant": "COMMON",
                "zoneAuthority": [{"purpose": "AUTHORIZATION"}],
                "extendedProperties": {"skykeep": {"authorityId": "city"}},
            },
        }
    ],
}


def observation(
    sensor: int, at_ns: int, place: tuple[float, float], kind: dict[str, float]
) -> dict[str, Any]:
    """A measured position, `place` east and north of the origin in metres."""
    east, north = place
    return {
        "sensor": f"radar-{sensor}",
        "time": at_ns,
        "position": {
            "lat_deg": LAT + north / METRES_PER_DEGREE,
            "lon_deg": LON + east / METRES_PER_DEGREE / math.cos(math.radians(LAT)),
            "sigma_east_m": 5.0,
            "sigma_north_m": 5.0,
            "height_m": 447.5,
            "height_reference": "HAE",
            "sigma_height_m": 8.0,
        },
        "kind": kind,
    }


def body(batch_id: str, observations: list[dict[str, Any]]) -> bytes:
    return json.dumps({"batch_id": batch_id, "observations": observations}).encode()


def flock(second: float) -> Iterator[tuple[float, float]]:
    """Birds on circles of 50 m around places that are 300 m apart, outside the zone."""
    for i in range(TARGETS):
        angle = second / 5.0 + i
        east = 3_000.0 + 300.0 * (i % 10) + 50.0 * math.cos(angle)
        yield east, 300.0 * (i // 10) + 50.0 * math.sin(angle)


def _throughput() -> list[Figure]:
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        service = Service(Path(folder), site(SENSORS))
        officer = service.token("watch_officer", "watch_officer")
        tokens = [service.token(f"r{i}", "sensor", f"radar-{i}") for i in range(SENSORS)]
        with service:
            desk = Connection(service.port, officer)
            assert desk.post("/v1/commands/publish_zone", json.dumps(ZONE).encode())[0] == 200
            bodies = _bodies()
            connections = [Connection(service.port, token) for token in tokens]
            waits: list[float] = []
            strange: list[bytes] = []
            threads = [
                threading.Thread(
                    target=_post_all, args=(connections[i], bodies[i::SENSORS], waits, strange)
                )
                for i in range(SENSORS)
            ]
            cpu_s, begun = service.cpu_s(), time.perf_counter()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            took_s = time.perf_counter() - begun
            used = (service.cpu_s() - cpu_s) / took_s
            peak_mb = service.peak_mb()
            tracks = len(desk.get("/v1/tracks")["tracks"])
    per_s = BATCHES * BATCH / took_s
    waits.sort()
    spoiled = f"{len(strange)} batches were not wholly taken: {strange[0]!r}" if strange else ""
    note = (
        f"{BATCHES} batches of {BATCH} from {SENSORS} sensors, {tracks} tracks; answer after "
        f"{_at(waits, 0.5) * 1e3:.0f} ms (p50), {_at(waits, 0.99) * 1e3:.0f} ms (p99); the "
        f"service took {used:.2f} cores and {peak_mb:.0f} MB"
    )
    return [
        Figure("over HTTP, durable: observations", per_s, "1/s", AIM_PER_S, note=note,
               spoiled=spoiled)
    ]  # fmt: skip


def _bodies() -> list[bytes]:
    start_ns = time.time_ns()
    made = []
    for number in range(BATCHES):
        second = number * BATCH / FASTEST_PER_S
        at_ns = start_ns + round(second * 1e9)
        rows = [observation(number % SENSORS, at_ns, place, BIRD) for place in flock(second)]
        made.append(body(f"b{number}", rows))
    return made


def _post_all(
    connection: Connection, bodies: list[bytes], waits: list[float], strange: list[bytes]
) -> None:
    for each in bodies:
        begun = time.perf_counter()
        status, answer = connection.post("/v1/batches", each)
        waits.append(time.perf_counter() - begun)
        if status != 200 or b'"rejected":[]' not in answer:
            strange.append(answer)


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def _latency() -> list[Figure]:
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        service = Service(Path(folder), site(2))
        officer = service.token("watch_officer", "watch_officer")
        flock_token, drone_token = (service.token(f"r{i}", "sensor", f"radar-{i}") for i in (0, 1))
        with service:
            desk = Connection(service.port, officer)
            assert desk.post("/v1/commands/publish_zone", json.dumps(ZONE).encode())[0] == 200
            start_s = time.perf_counter() + 1.0
            confirmed: dict[int, float] = {}
            seen: list[float] = []
            flying = threading.Thread(
                target=_fly, args=(Connection(service.port, drone_token), start_s, confirmed)
            )
            birds = threading.Thread(
                target=_birds, args=(Connection(service.port, flock_token), start_s)
            )
            flying.start()
            birds.start()
            while len(seen) < DRONES and (flying.is_alive() or birds.is_alive()):
                count = len(desk.get("/v1/alerts")["alerts"])
                seen += [time.perf_counter()] * (count - len(seen))
                time.sleep(POLL_S)
            flying.join()
            birds.join()
    late = sorted(s - confirmed[i] - POLICY_S for i, s in enumerate(seen))
    spoiled = "" if len(seen) == DRONES else f"{len(seen)} alerts for {DRONES} drones"
    note = (
        f"{RATE_PER_S} observations/s, {DRONES} drones; from posting the look that confirms a "
        f"track to reading the alert, beyond the {POLICY_S:.0f} s of the site's policy"
    )
    return [
        Figure(f"detection to alert, p{share * 100:.0f}", _at(late, share), "s", AIM_LATENCY_S,
               less_is_better=True, note=note, spoiled=spoiled)
        for share in (0.5, 0.99)
    ]  # fmt: skip


def _duration_s() -> float:
    return DRONES * DRONE_EVERY_S + 3.0


def _birds(connection: Connection, start_s: float) -> None:
    """Batches of 100 in step with the clock; with the drones' looks they make the whole rate."""
    mean_drones = DRONES / 2.0
    per_s = (RATE_PER_S - mean_drones * LOOKS_PER_S) / BATCH
    for number in range(round(_duration_s() * per_s)):
        wait_until(start_s + number / per_s)
        rows = [observation(0, time.time_ns(), place, BIRD) for place in flock(number / per_s)]
        assert connection.post("/v1/batches", body(f"f{number}", rows))[0] == 200


def _fly(connection: Connection, start_s: float, confirmed: dict[int, float]) -> None:
    """Every drone that is there by now, five times a second; another one every quarter."""
    looks = [0] * DRONES
    for turn in range(round(_duration_s() * LOOKS_PER_S)):
        second = turn / LOOKS_PER_S
        wait_until(start_s + second)
        there = min(int(second / DRONE_EVERY_S) + 1, DRONES)
        rows = [
            observation(1, time.time_ns(), (-700.0 + 150.0 * (i % 10), -700.0 + 150.0 * (i // 10)),
                        DRONE)
            for i in range(there)
        ]  # fmt: skip
        posted_s = time.perf_counter()
        assert connection.post("/v1/batches", body(f"d{turn}", rows))[0] == 200
        for i in range(there):
            looks[i] += 1
            if looks[i] == CONFIRMING_LOOK:
                confirmed[i] = posted_s
