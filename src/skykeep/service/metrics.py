"""Figures for Prometheus at `/metrics`; counted where things happen, gathered when asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

from fastapi import APIRouter, Request
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.responses import PlainTextResponse, Response

from skykeep import __version__
from skykeep.core.alert import AlertState
from skykeep.core.stations import MAINTENANCE, SILENT, UNKNOWN, WORKING
from skykeep.service.desk import needs
from skykeep.service.desk import problems as statuses
from skykeep.service.examples import METRICS, text_answer
from skykeep.service.hub import Hub
from skykeep.service.live_columns import PERMISSIONS, gravest_permission
from skykeep.service.publish_log import LogPublisher
from skykeep.service.rates import Rates
from skykeep.service.rights import RIGHTS
from skykeep.service.tokens import Holder
from skykeep.service.writer import Group

router = APIRouter(tags=["service"])

#: From a request that only looks, by a sync of the disk, to a disk that is failing.
_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
#: The label of sensors that are not registered: labels must be few.
OTHER = "other"


class Metrics:
    """What is counted of one service, in a registry of its own."""

    def __init__(self, hub: Hub, publisher: LogPublisher, rates: Rates) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "skykeep_http_requests", "Requests, by their route's template",
            ("method", "route", "status"), registry=self.registry,
        )  # fmt: skip
        self._request_s = self._histogram("http_request", "Time that a request took", ("route",))
        self._group_s = self._histogram("group_compute", "Time to compute a group of inputs")
        self._commit_s = self._histogram("group_commit", "Time until a group was on the disk")
        self.registry.register(_Site(hub, publisher, rates))
        ProcessCollector("skykeep", registry=self.registry)
        hub.writer.listeners.append(self.hear)

    def _histogram(self, name: str, words: str, labels: tuple[str, ...] = ()) -> Histogram:
        name = f"skykeep_{name}_duration_seconds"
        return Histogram(name, words, labels, registry=self.registry, buckets=_BUCKETS_S)

    def hear(self, group: Group) -> None:
        """A group has become durable."""
        self._group_s.observe(group.compute_s)
        self._commit_s.observe(group.commit_s)

    def request(self, method: str, route: str, status: int, took_s: float) -> None:
        """A request was answered."""
        self._requests.labels(method, route, str(status)).inc()
        self._request_s.labels(route).observe(took_s)

    def text(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self.registry)


class _Site(Collector):
    """The site as the hub saw it last, and what the writer and the hub have counted."""

    def __init__(self, hub: Hub, publisher: LogPublisher, rates: Rates) -> None:
        self.hub, self.publisher, self.rates = hub, publisher, rates

    def collect(self) -> Iterable[Metric]:
        """Gather what is counted elsewhere."""
        hub, writer, heard = self.hub, self.hub.writer, self.hub.heard
        yield _gauge("build_info", "The version that runs", "version", {__version__: 1})
        problem = writer.problem or hub.sockets.tokens.problem
        yield GaugeMetricFamily("skykeep_ok", "1 while the service takes inputs", not problem)
        yield self._by_sensor("observations_taken", "Observations used", heard.taken)
        yield self._by_sensor("observations_rejected", "Observations not used", heard.refused)
        yield self._by_sensor("observations_shed", "Turned away: too many", writer.shed_by)
        yield self._by_sensor("batches_taken", "Batches that are durable", heard.batches)
        yield CounterMetricFamily("skykeep_requests_shed", "Turned away", writer.shed_jobs)
        words = "Turned away because one person or token asked too often"
        limited = CounterMetricFamily("skykeep_requests_limited", words, labels=("action",))
        for action, right in RIGHTS.items():
            if right.budget is not None:
                limited.add_metric((action,), self.rates.limited[action])
        yield limited
        yield GaugeMetricFamily("skykeep_queue_jobs", "Inputs that wait", writer.waiting)
        yield GaugeMetricFamily("skykeep_record_entries", "Entries in the record", writer.size)
        yield from self._published()
        yield GaugeMetricFamily("skykeep_listeners", "Of the live stream", len(hub.listeners))
        yield CounterMetricFamily("skykeep_frames_sent", "Messages to listeners", hub.sent)
        words = "Frames of tracks left out for slow listeners"
        yield CounterMetricFamily("skykeep_frames_skipped", words, hub.skipped)
        yield from self._seen()

    def _published(self) -> Iterable[Metric]:
        log = self.publisher
        words = "Entries under a head that a quorum of witnesses cosigned"
        yield GaugeMetricFamily("skykeep_published_entries", words, log.size)
        words = "How long ago the published head was the newest"
        yield GaugeMetricFamily("skykeep_published_lag_seconds", words, log.lag_s())
        words = "Entries under the newest head that a witness cosigned"
        yield _gauge("witness_entries", words, "witness", log.told()["witnesses"])

    def _seen(self) -> Iterable[Metric]:
        moment = self.hub.moment
        permissions = dict.fromkeys(PERMISSIONS, 0)
        states = dict.fromkeys((s.value for s in AlertState), 0)
        health = dict.fromkeys((UNKNOWN, WORKING, SILENT, MAINTENANCE), 0)
        if moment is not None:
            for track in moment.tracks:
                permissions[gravest_permission(track)] += 1
            for alert in moment.alerts:
                states[alert.state.value] += 1
            for station in moment.stations:
                health[station.health] += 1
        yield _gauge("tracks", "Tracks, by their gravest verdict", "permission", permissions)
        yield _gauge("alerts", "Alerts that are held", "state", states)
        yield _gauge("sensors", "Registered sensors", "health", health)
        words = "Observations that came too long after newer ones"
        late = 0 if moment is None else moment.too_late
        yield CounterMetricFamily("skykeep_observations_too_late", words, late)

    def _by_sensor(self, name: str, words: str, counted: Mapping[str, int]) -> Metric:
        moment = self.hub.moment
        known = [] if moment is None else [s.sensor.sensor_id for s in moment.stations]
        told: dict[str, int] = dict.fromkeys(map(str, known), 0)
        for sensor, count in counted.items():
            label = sensor if sensor in told else OTHER
            told[label] = told.get(label, 0) + count
        family = CounterMetricFamily(f"skykeep_{name}", words, labels=("sensor",))
        for sensor, count in told.items():
            family.add_metric((sensor,), count)
        return family


def _gauge(name: str, words: str, label: str, values: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(f"skykeep_{name}", words, labels=(label,))
    for value, count in values.items():
        family.add_metric((value,), count)
    return family


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses=statuses(401, 403) | text_answer(METRICS, "the figures"),
)
async def get_metrics(
    request: Request, holder: Annotated[Holder, needs("metrics.read")]
) -> Response:
    """How the service does, in figures, for Prometheus."""
    metrics: Metrics = request.app.state.metrics
    return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)
