"""A SAPIENT edge node, a program of its own, made with sapient-proto and nothing of Skykeep.

`python sapient_node.py PORT NODE COUNT`: registers, then sends an alert and three detections
COUNT times, waiting for each acknowledgement; prints each answer as a line. Connects again.
"""

from __future__ import annotations

import socket
import sys
import time

from sapient_msg.bsi_flex_335_v2_0.sapient_message_pb2 import SapientMessage

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ulid(number: int) -> str:
    text = ""
    for _ in range(10):
        text = ALPHABET[number % 32] + text
        number //= 32
    return "01GGYFBAXGDG7AGA" + text


def fresh(node: str) -> SapientMessage:
    message = SapientMessage(node_id=node)
    message.timestamp.GetCurrentTime()
    return message


def registration(node: str) -> SapientMessage:
    message = fresh(node)
    said = message.registration
    said.node_definition.add().node_type = 2
    said.icd_version, said.name = "BSI Flex 335 v2.0", "edge"
    said.capabilities.add(category="Detection", type="Radar")
    said.status_definition.status_interval.units = 4
    said.status_definition.status_interval.value = 5.0
    mode = said.mode_definition.add(mode_name="Default", mode_type=3, tracking_type=1)
    mode.settle_time.units, mode.settle_time.value = 4, 1.0
    mode.task.region_definition.region_type.append(1)
    mode.task.region_definition.region_area.add(location_units=1, location_datum=1)
    said.config_data.add(manufacturer="Acme", model="Radar 3")
    return message


def send(link: socket.socket, message: SapientMessage) -> None:
    data = message.SerializeToString()
    link.sendall(len(data).to_bytes(4, "little") + data)


def receive(link: socket.socket) -> SapientMessage:
    def exactly(count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = link.recv(count - len(data))
            if not more:
                raise ConnectionError
            data += more
        return data

    return SapientMessage.FromString(exactly(int.from_bytes(exactly(4), "little")))


def alert(node: str, number: int) -> SapientMessage:
    message = fresh(node)
    said = message.alert
    said.alert_id, said.alert_type, said.status = ulid(number), 2, 1
    said.description = f"number {number}"
    return message


def detections(link: socket.socket, node: str, number: int) -> None:
    for row in range(3):
        message = fresh(node)
        said = message.detection_report
        said.report_id, said.object_id = ulid(3 * number + row), ulid(row)
        place = said.range_bearing
        place.range, place.azimuth, place.elevation = 500.0 + number, 45.0 + 9.0 * row, 5.0
        place.coordinate_system = place.datum = 1
        send(link, message)


def main(port: int, node: str, first: int, count: int) -> None:
    number = first
    while number < first + count:
        try:
            with socket.create_connection(("127.0.0.1", port), 5.0) as link:
                send(link, registration(node))
                ack = receive(link)
                print("registered", ack.registration_ack.acceptance,
                      *ack.registration_ack.ack_response_reason, flush=True)  # fmt: skip
                while number < first + count:
                    detections(link, node, number)
                    send(link, alert(node, number))
                    said = receive(link)
                    print(said.WhichOneof("content"), said.alert_ack.alert_id, flush=True)
                    number += 1
        except OSError:
            time.sleep(0.05)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
