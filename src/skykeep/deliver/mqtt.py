"""A broker: hand-overs and tracks published under a recipient's topic (MQTT 3.1.1, paho-mqtt).

`TOPIC/handovers` with quality of service 1: taken when the broker has acknowledged it.
`TOPIC/tracks` with quality 0, all tracks in one message: what is lost is followed by newer.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Sequence
from typing import Any

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from skykeep.deliver.link import BACK_OFF_S, STUCK_S, LinkState
from skykeep.deliver.message import HandoverMessage, encode, track_fields
from skykeep.deliver.settings import MqttChannel
from skykeep.deliver.shared import SharedTrack

#: Seconds without a word after which broker and client ask each other.
KEEP_ALIVE_S = 20
#: Messages that the client holds while the broker is slow; a hand-over waits in the record.
INFLIGHT = 20


class MqttLink:
    """One broker; `run` it until `stop`."""

    def __init__(self, channel: MqttChannel, client_id: str) -> None:
        self.state = LinkState()
        self.channel = channel
        self._stopped = asyncio.Event()
        self._lock = threading.Lock()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id)
        self._client.max_inflight_messages_set(INFLIGHT)
        self._client.max_queued_messages_set(INFLIGHT)
        self._client.reconnect_delay_set(1, round(BACK_OFF_S[-1]))
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        if channel.tls is not None:
            self._client.tls_set_context(ssl.create_default_context(cafile=channel.tls.ca_file))

    async def run(self) -> None:
        """Keep the connection; paho's own thread sends, and connects again."""
        if self.channel.user is not None:
            secret = self.channel.password_file
            password = None if secret is None else secret.read_text(encoding="utf-8").strip()
            self._client.username_pw_set(self.channel.user, password)
        self._client.connect_async(self.channel.host, self.channel.port, KEEP_ALIVE_S)
        self._client.loop_start()
        await self._stopped.wait()
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)

    def stop(self) -> None:
        """Send nothing more."""
        self._stopped.set()

    def push(self, tracks: Sequence[SharedTrack], now_ns: int) -> None:
        """The tracks as they are now, one message."""
        if not self.state.connected:
            return
        body = msgspec.json.encode({"at_ns": now_ns, "tracks": [track_fields(t) for t in tracks]})
        info = self._client.publish(f"{self.channel.topic}/tracks", body, qos=0)
        if info.rc == paho.MQTT_ERR_SUCCESS:
            self.state.sent += 1
        else:
            self.state.shed += len(tracks)

    async def deliver(self, message: HandoverMessage, now_ns: int) -> str:
        """Publish a hand-over; empty once the broker has acknowledged it, else why not."""
        if not self.state.connected:
            return f"not connected: {self.state.problem}"
        return await asyncio.to_thread(self._publish, encode(message))

    def _publish(self, body: bytes) -> str:
        try:
            info = self._client.publish(f"{self.channel.topic}/handovers", body, qos=1)
            info.wait_for_publish(STUCK_S)
            taken = info.is_published()
        except (ValueError, RuntimeError) as error:
            return f"the broker did not take it ({type(error).__name__})"
        self.state.sent += taken
        return "" if taken else f"the broker did not confirm it within {STUCK_S:.0f} s"

    def _on_connect(self, *given: Any) -> None:
        failed = given[3].is_failure
        with self._lock:
            self.state.connected = not failed
            self.state.problem = f"the broker says: {given[3]}" if failed else ""
            self.state.connects += not failed

    def _on_disconnect(self, *_given: Any) -> None:
        with self._lock:
            self.state.connected = False
            self.state.problem = "the broker is away"
