"""Messages of an MQTT broker: mqtt://HOST:PORT/TOPIC, mqtts:// with TLS.

A message is acknowledged to the broker once what it says is durable, so that one sent with
quality 1 comes again after a restart of either side; what was shed is acknowledged at once, for
it would only come again. The session is kept by the broker under the feed's name.
"""

from __future__ import annotations

import ssl
import threading
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from skykeep.config import FeedSettings
from skykeep.errors import InputError
from skykeep.feed.contract import option
from skykeep.feed.inbox import Inbox
from skykeep.feed.sources import lost

PORTS = {"mqtt": 1_883, "mqtts": 8_883}
KEEP_ALIVE_S = 15
LOOP_S = 0.5
_SESSION_S = 24 * 3_600


class Mqtt:
    """Subscribes to one topic of one broker; MQTT 5, quality 1."""

    def __init__(self, settings: FeedSettings) -> None:
        parts = urlsplit(settings.address)
        where = f"feeds[{settings.feed_id}].address"
        try:
            self.host, port = parts.hostname or "", parts.port
        except ValueError:
            self.host, port = "", None
        self.port = port or PORTS[parts.scheme]
        self.topic = unquote(parts.path.removeprefix("/"))
        if not self.host or not self.topic or parts.username:
            problem = f"{parts.hostname}: names no broker and topic, or a user"
            mend = "Give mqtt://HOST:PORT/TOPIC; the user is an option"
            raise InputError(where, problem, mend)
        self.name = f"skykeep-{settings.sensor_id}-{settings.feed_id}"
        self._user = option(settings, "user", None, str)
        self._password = _secret(settings)
        self._tls = None
        if parts.scheme == "mqtts":
            ca_file = option(settings, "ca_file", None, str)
            try:
                self._tls = ssl.create_default_context(cafile=ca_file)
            except OSError as error:
                raise lost(f"feeds[{settings.feed_id}].options.ca_file", error) from None
        self._lock = threading.Lock()

    def run(self, inbox: Inbox, stop: threading.Event) -> None:
        """See `contract.Source`."""
        where = f"{self.host}:{self.port}"
        refused: list[str] = []
        client = self._client(inbox, refused)
        kept = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        kept.SessionExpiryInterval = _SESSION_S
        try:
            client.connect(self.host, self.port, KEEP_ALIVE_S, clean_start=False, properties=kept)
            while not stop.is_set():
                code = client.loop(LOOP_S)
                if refused:
                    raise InputError(where, refused[0], "Check user, password and topic")
                if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
                    raise InputError(where, f"lost ({code.name})", "Check the broker")
            client.disconnect()
            client.loop(LOOP_S)
        except (OSError, ValueError) as error:
            raise lost(where, error) from None

    def _client(self, inbox: Inbox, refused: list[str]) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2, self.name, protocol=MQTTProtocolVersion.MQTTv5,
            manual_ack=True, reconnect_on_failure=False,
        )  # fmt: skip
        client.username_pw_set(self._user, self._password)
        if self._tls is not None:
            client.tls_set_context(self._tls)

        def on_connect(
            client: Client, data: Any, flags: Any, code: ReasonCode, properties: Any
        ) -> None:
            if code.is_failure:
                refused.append(f"refused ({code})")
            else:
                client.subscribe(self.topic, 1)

        def on_subscribe(client: Client, data: Any, mid: int, codes: Any, more: Any) -> None:
            if any(code.is_failure for code in codes):
                refused.append(f"does not give {self.topic!r} ({codes[0]})")
            else:
                inbox.connected()

        def on_message(client: Client, data: Any, message: MQTTMessage) -> None:
            def acknowledge(durable: bool) -> None:
                # What is refused for good is done with too: it would only come again.
                with self._lock:
                    client.ack(message.mid, message.qos)

            settled = acknowledge if message.qos else None
            if not inbox.put(message.payload, self.topic, settled) and settled is not None:
                settled(False)

        client.on_connect = on_connect
        client.on_subscribe = on_subscribe
        client.on_message = on_message
        return client


def _secret(settings: FeedSettings) -> str | None:
    name = option(settings, "password_file", None, str)
    if name is None:
        return None
    try:
        return Path(name).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise lost(f"feeds[{settings.feed_id}].options.password_file", error) from None
