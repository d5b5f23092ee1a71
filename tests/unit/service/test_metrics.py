"""Figures for Prometheus: true, few, in its own format."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from skykeep.codec.ed318_write import write_ed318
from skykeep.service import writer as room
from tests.desk import OFFICE, OFFICER, RADAR_TOKEN, READER, Desk, posted
from tests.sky import at, plots, zone_named
from tests.unit.service.line import Line
from tests.unit.service.test_routes import DRONE_AT, fly
from tests.unit.service.watched import beats, watched

__all__ = ["watched"]
Samples = dict[tuple[str, tuple[str, ...]], float]


@pytest.fixture
def desk(watched: Desk) -> Desk:
    return watched


def scraped(desk: Desk, token: str = READER) -> Samples:
    """Every sample by its name and the values of its labels."""
    answer = desk.get("/metrics", token)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    families = list(text_string_to_metric_families(answer.text))
    assert all(f.name.startswith("skykeep_") and f.documentation for f in families)
    return {(s.name, tuple(s.labels.values())): s.value for f in families for s in f.samples}


def test_what_is_counted_is_what_happened(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.command("publish_zone", write_ed318([zone_named()]))
    fly(desk, 2, 8)
    odd = posted(plots(8.0, DRONE_AT, (200.0, 0.0, 50.0))) | {"batch_id": "odd"}
    odd["observations"][0]["position"]["lat_deg"] = 100.0
    desk.clock.now_ns = at(8.0)
    assert desk.post(odd).status_code == 200
    assert desk.post(odd).json()["repeated"]
    stale = plots(0.5, DRONE_AT)
    assert desk.send(stale).json()["rejected"]
    with Line(desk, "/v1/live", READER).opened() as line:
        line.topic("tracks")
        beats(desk)
        before = scraped(desk)
        monkeypatch.setattr(room, "QUEUE_JOBS", 0)
        assert desk.send(plots(9.0, DRONE_AT, DRONE_AT)).status_code == 503
        monkeypatch.undo()
    told = scraped(desk)
    assert told["skykeep_ok", ()] == 1
    assert told["skykeep_observations_taken_total", ("radar",)] == 7
    assert told["skykeep_observations_rejected_total", ("radar",)] == 2
    assert told["skykeep_observations_shed_total", ("radar",)] == 2
    assert told["skykeep_observations_too_late_total", ()] == 1
    assert told["skykeep_batches_taken_total", ("radar",)] == 8
    assert told["skykeep_batches_taken_total", ("rid",)] == 0
    assert told["skykeep_requests_shed_total", ()] == 1
    assert told["skykeep_record_entries", ()] >= before["skykeep_record_entries", ()] > 20
    assert told["skykeep_tracks", ("not_permitted",)] == 1
    assert told["skykeep_alerts", ("raised",)] == 1
    assert told["skykeep_sensors", ("working",)] == 1
    assert told["skykeep_sensors", ("unknown",)] == 1
    assert (before["skykeep_listeners", ()], told["skykeep_listeners", ()]) == (1, 0)
    assert told["skykeep_frames_sent_total", ()] > 10
    assert told["skykeep_group_commit_duration_seconds_count", ()] > 10
    assert told["skykeep_group_compute_duration_seconds_sum", ()] > 0
    assert told["skykeep_process_resident_memory_bytes", ()] > 1e6
    posts = ("POST", "/v1/batches")
    assert told["skykeep_http_requests_total", (*posts, "200")] == 9
    assert told["skykeep_http_requests_total", (*posts, "503")] == 1


def test_labels_are_few_whatever_is_asked_for(desk: Desk) -> None:
    for number in range(30):
        desk.get(f"/v1/incidents/I{number}")
        desk.get(f"/nowhere/{number}/at/all")
        desk.request(f"ODD{number}", "/v1/tracks", OFFICER)
        desk.get("/v1/tracks", f"wrong {number}")
    told = scraped(desk)
    routes = {labels for name, labels in told if name == "skykeep_http_requests_total"}
    assert ("GET", "/v1/incidents/{incident_id}", "404") in routes
    assert ("GET", "none", "404") in routes
    assert ("GET", "none", "401") in routes
    assert len(routes) < 12


def test_a_sensor_that_is_not_registered_has_no_label_of_its_own(desk: Desk) -> None:
    desk.writer.shed_by.update({"x1": 2, "x2": 3})
    beats(desk)
    assert scraped(desk)["skykeep_observations_shed_total", ("other",)] == 5


def test_the_figures_are_not_for_everybody(desk: Desk) -> None:
    assert desk.get("/metrics", None).status_code == 401
    assert desk.get("/metrics", RADAR_TOKEN).status_code == 403
    assert desk.get("/metrics", OFFICE).status_code == 403
    assert desk.get("/metrics", OFFICER).status_code == 200
