"""Which SAPIENT nodes a site has: who may register, as which sensor, and what is known of each."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass

from skykeep.codec.sapient import uuid_of
from skykeep.codec.sapient_report import Node, North, grid_convergence_deg
from skykeep.config import FeedSettings
from skykeep.core.observation import Sensor, SensorKind
from skykeep.errors import InputError
from skykeep.feed.contract import option
from skykeep.units import SensorId

OPTIONS = ("nodes", "node_id", "headings", "declination_deg", "sigma_m", "sigma_deg")
#: Where a node says nothing of its errors: those of a drone radar.
SIGMA_M, SIGMA_DEG = 10.0, 1.0


@dataclass(frozen=True, slots=True)
class Nodes:
    """A feed's options. `sensors` by the nodes' ids; `ours` is Skykeep's own id."""

    ours: str
    sensors: Mapping[str, Sensor]
    norths: Mapping[str, North]
    sigma_m: float
    sigma_deg: float

    def refusals(self, node_id: str, node: Node) -> list[str]:
        """Why a node may not register, a sentence each; empty where it may."""
        sensor = self.sensors.get(node_id)
        if sensor is None:
            return [f"Node {node_id} is not known here: enter it in the feed's option nodes."]
        return self.misfits(sensor, node, node.first_mode)

    def misfits(self, sensor: Sensor, node: Node, mode: str) -> list[str]:
        """Why what a node sends in a mode cannot be its sensor's."""
        # Tracks are correlated over time: they are fused as tracks, never as plots.
        tracks = node.tracks_in(mode)
        if tracks and sensor.kind is not SensorKind.UPSTREAM:
            return [
                f"The node sends tracks in its mode {mode or node.first_mode!r}, but sensor "
                f"{sensor.sensor_id} is of kind {sensor.kind}: make it of kind upstream."
            ]
        if not tracks and sensor.kind is SensorKind.UPSTREAM:
            return [
                f"The node does not track in its mode {mode or node.first_mode!r}, but sensor "
                f"{sensor.sensor_id} is of kind upstream: give it the kind of sensor that it is."
            ]
        return []


def sensors_of(settings: FeedSettings) -> tuple[SensorId, ...]:
    """The sensors that the nodes are, in the order of the option."""
    return tuple(SensorId(str(name)) for name in _names(settings, "nodes").values())


def nodes_of(settings: FeedSettings) -> Nodes:
    """A feed's options as they are meant; InputError names the one that does not fit."""
    where = f"feeds[{settings.feed_id}].options"
    sensors = {}
    for text, name in _names(settings, "nodes").items():
        node_id = _uuid(f"{where}.nodes", text)
        if str(name) not in settings.sensors:
            problem = f"the site has no sensor {name!r}"
            raise InputError(f"{where}.nodes[{text}]", problem, "Name one of the site's sensors")
        sensors[node_id] = settings.sensors[str(name)]
    headings = {}
    for text, degrees in _names(settings, "headings").items():
        if not isinstance(degrees, int | float) or not math.isfinite(degrees):
            problem = f"is {degrees!r}"
            raise InputError(f"{where}.headings[{text}]", problem, "Give degrees from true north")
        headings[_uuid(f"{where}.headings", text)] = float(degrees)
    declination = option(settings, "declination_deg", None, (int, float))
    given = option(settings, "node_id", None, str)
    digest = hashlib.sha256(f"skykeep {settings.feed_id}".encode()).hexdigest()
    # Of no name space: a UUID of one's own making (RFC 9562, version 8).
    ours = f"{digest[:8]}-{digest[8:12]}-8{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"
    return Nodes(
        ours if given is None else _uuid(f"{where}.node_id", given),
        sensors,
        {
            node_id: North(
                None if declination is None else float(declination),
                grid_convergence_deg(sensor.lat_deg, sensor.lon_deg),
                headings.get(node_id),
            )
            for node_id, sensor in sensors.items()
        },
        _sigma(settings, "sigma_m", SIGMA_M),
        _sigma(settings, "sigma_deg", SIGMA_DEG),
    )


def _names(settings: FeedSettings, name: str) -> Mapping[str, str | float]:
    found: Mapping[str, str | float] | None = option(settings, name, {}, dict)
    return found or {}


def _uuid(where: str, text: str) -> str:
    found = uuid_of(text)
    if found is None:
        raise InputError(where, f"{text!r} is no UUID", "Give the node's id")
    return found


def _sigma(settings: FeedSettings, name: str, default: float) -> float:
    value = option(settings, name, default, (int, float))
    if value is None or not 1e-6 <= value <= 1e6:
        where = f"feeds[{settings.feed_id}].options.{name}"
        raise InputError(where, f"is {value}", "Give a number above 0")
    return float(value)
