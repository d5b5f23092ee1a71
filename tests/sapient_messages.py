"""SAPIENT messages as a node would send them, made with the library alone."""

from __future__ import annotations

from typing import Any

from sapient_msg.bsi_flex_335_v2_0.sapient_message_pb2 import SapientMessage

from skykeep.units import NS_PER_S

#: The ids of a harness's examples.
NODE = "a8654cdf-4328-47de-81fa-c495589e30c8"
OTHER = "a8654cdf-4328-47de-81fa-c495589e30c9"
REPORT = "01GGYFBAXGDG7AGAHRZ6XSNY12"
OBJECT = "01GGYFBAXH4VYRQYEX7S3XGK3H"


def message(at_ns: int, node: str = NODE) -> SapientMessage:
    made = SapientMessage(node_id=node)
    made.timestamp.seconds, made.timestamp.nanos = divmod(at_ns, NS_PER_S)
    return made


def registration(
    at_ns: int, node: str = NODE, types: tuple[int, ...] = (2,), tracking: int = 1
) -> SapientMessage:
    made = message(at_ns, node)
    said = made.registration
    for kind in types:
        said.node_definition.add().node_type = kind
    said.icd_version, said.name = "BSI Flex 335 v2.0", "Acme 3"
    said.capabilities.add(category="Detection", type="Radar")
    said.status_definition.status_interval.units = 4
    said.status_definition.status_interval.value = 5.0
    for name, how in (("Default", tracking), ("Other", 4 - tracking)):
        mode = said.mode_definition.add(mode_name=name, mode_type=3 if name == "Default" else 2)
        mode.settle_time.units, mode.settle_time.value = 4, 1.0
        mode.tracking_type = how
        mode.task.region_definition.region_type.append(1)
        mode.task.region_definition.region_area.add(location_units=1, location_datum=1)
        seen = mode.detection_definition.add()
        seen.location_type.range_bearing_units, seen.location_type.range_bearing_datum = 1, 1
        seen.velocity_type.enu_velocity_units.east_north_rate_units = 2
        seen.velocity_type.location_datum = 1
    said.config_data.add(manufacturer="Acme", model="Radar 3")
    return made


def detection(at_ns: int, node: str = NODE, obj: str = OBJECT, **polar: float) -> SapientMessage:
    made = message(at_ns, node)
    said = made.detection_report
    said.report_id, said.object_id = REPORT, obj
    place = said.range_bearing
    for name, value in (polar or {"range": 900.0, "azimuth": 45.0, "elevation": 5.0}).items():
        setattr(place, name, value)
    place.coordinate_system = place.datum = 1
    return made


def located(at_ns: int, node: str = NODE, **where: Any) -> SapientMessage:
    made = message(at_ns, node)
    said = made.detection_report
    said.report_id, said.object_id = REPORT, OBJECT
    given = {"x": 6.13, "y": 49.61, "z": 400.0, "coordinate_system": 1, "datum": 1} | where
    for name, value in given.items():
        setattr(said.location, name, value)
    return made


def status(at_ns: int, node: str = NODE, system: int = 1, mode: str = "Default") -> SapientMessage:
    made = message(at_ns, node)
    said = made.status_report
    said.report_id, said.system, said.info, said.mode = REPORT, system, 1, mode
    return made


def alert(at_ns: int, node: str = NODE) -> SapientMessage:
    made = message(at_ns, node)
    said = made.alert
    said.alert_id, said.alert_type, said.status = REPORT, 2, 1
    said.description = "clutter over the river"
    return made
