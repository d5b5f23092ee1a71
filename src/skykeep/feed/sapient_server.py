"""The port at which SAPIENT nodes register: one thread, many nodes, three kinds of answers.

A node registers before anything else. Who is not known, or does not fit its sensor, is refused
in words. What breaks the ICD is answered with an error that names the field. An alert is
acknowledged when it is durable. Nothing here asks a node for anything: no task can be sent.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from sapient_msg.bsi_flex_335_v2_0.sapient_message_pb2 import SapientMessage

from skykeep.codec import sapient
from skykeep.codec.sapient import content_of, faults, is_plain_detection, uuid_of
from skykeep.codec.sapient_report import Node, node_of
from skykeep.errors import InputError
from skykeep.feed.framers import LengthPrefixed
from skykeep.feed.inbox import Inbox
from skykeep.feed.sapient_nodes import Nodes
from skykeep.feed.sources import LOOK_S, lost

MOST_CONNECTIONS = 64
#: Who has not registered by then is sent away.
REGISTER_S = 30.0
#: A node reports its status every few seconds; so many intervals of silence, or so long, end it.
SILENT_INTERVALS = 3.0
SILENCE_S = 60.0
#: Answers that wait for a node that does not read them.
MOST_WAITING_BYTES = 256_000
#: Messages other than detections, and errors sent back, a second and connection.
MOST_OTHERS_PER_S = 50
MOST_ERRORS_PER_S = 5
#: Detections of a connection that are held against the whole ICD: the first, then every so many.
FIRST_WHOLE, EACH_WHOLE = 20, 100
_RECEIVE_BYTES = 65_536


@dataclass(slots=True)
class _Peer:
    """A connection; `nodes` are those that registered over it, with their silences."""

    socket: socket.socket
    name: str
    since_s: float
    framer: LengthPrefixed = field(
        default_factory=lambda: LengthPrefixed(
            sapient.LENGTH_BYTES, "little", sapient.MAX_MESSAGE_BYTES
        )
    )
    nodes: dict[str, Node] = field(default_factory=dict)
    out: bytearray = field(default_factory=bytearray)
    heard_s: float = 0.0
    second: int = 0
    others: int = 0
    errors: int = 0
    detections: int = 0
    ending: bool = False

    def silence_s(self) -> float:
        """How long it may say nothing."""
        intervals = [n.status_s for n in self.nodes.values() if n.status_s is not None]
        return max(SILENCE_S, SILENT_INTERVALS * max(intervals, default=0.0))


class Server:
    """Listens for nodes; see `contract.Source`."""

    def __init__(self, host: str, port: int, nodes: Nodes, clock: Callable[[], int]) -> None:
        self.host, self.port, self.nodes, self.clock = host, port, nodes, clock
        self._settled: deque[tuple[_Peer, str, str, bool]] = deque()
        self._peers: dict[socket.socket, _Peer] = {}
        self._wake: socket.socket | None = None

    def run(self, inbox: Inbox, stop: threading.Event) -> None:
        """See `contract.Source`."""
        try:
            listener = socket.create_server((self.host, self.port), backlog=MOST_CONNECTIONS)
        except OSError as error:
            raise lost(f"{self.host}:{self.port}", error) from None
        woken, self._wake = socket.socketpair()
        with selectors.DefaultSelector() as selector, listener, woken, self._wake:
            for one in (listener, woken, self._wake):
                one.setblocking(False)
            selector.register(listener, selectors.EVENT_READ)
            selector.register(woken, selectors.EVENT_READ)
            inbox.connected()
            try:
                while not stop.is_set():
                    for key, mask in selector.select(LOOK_S):
                        if key.fileobj is listener:
                            self._accept(listener, selector)
                        elif key.fileobj is woken:
                            woken.recv(_RECEIVE_BYTES)
                        elif (peer := self._peers.get(key.fileobj)) is not None:  # type: ignore[call-overload]
                            self._serve(peer, mask, inbox, selector)
                    self._acknowledge()
                    self._tidy(inbox, selector)
            finally:
                for peer in list(self._peers.values()):
                    self._end(peer, "gone: the service ends", inbox, selector)

    def _accept(self, listener: socket.socket, selector: selectors.BaseSelector) -> None:
        try:
            connection, address = listener.accept()
        except OSError:
            return
        if len(self._peers) >= MOST_CONNECTIONS:
            connection.close()
            return
        connection.setblocking(False)
        now_s = time.monotonic()
        peer = _Peer(connection, f"{address[0]}:{address[1]}", now_s, heard_s=now_s)
        self._peers[connection] = peer
        selector.register(connection, selectors.EVENT_READ)

    def _serve(
        self, peer: _Peer, mask: int, inbox: Inbox, selector: selectors.BaseSelector
    ) -> None:
        if mask & selectors.EVENT_READ and not peer.ending:
            try:
                data = peer.socket.recv(_RECEIVE_BYTES)
            except BlockingIOError:
                data = None
            except OSError:
                data = b""
            if data == b"":
                self._end(peer, "gone: closed the connection", inbox, selector)
                return
            if data is not None:
                peer.heard_s = time.monotonic()
                self._hear(peer, data, inbox)
        if mask & selectors.EVENT_WRITE:
            self._flush(peer)

    def _hear(self, peer: _Peer, data: bytes, inbox: Inbox) -> None:
        try:
            messages = peer.framer.push(data)
        except InputError as error:
            self._complain(peer, "", data, [str(error)])
            peer.ending = True  # where the next message begins nobody knows
            return
        for message in messages:
            if peer.ending:
                return
            self._take(peer, message, inbox)

    def _take(self, peer: _Peer, data: bytes, inbox: Inbox) -> None:
        second = int(time.monotonic())
        if second != peer.second:
            peer.second, peer.others, peer.errors = second, 0, 0
        try:
            message = sapient.parse(data)
        except InputError as error:
            self._complain(peer, "", data, [str(error)])
            return
        content, node_id = content_of(message), uuid_of(message.node_id) or ""
        if content == "detection_report" and node_id in peer.nodes:
            self._detection(peer, node_id, message, data, inbox)
            return
        peer.others += 1
        if peer.others > MOST_OTHERS_PER_S:
            words = f"at most {MOST_OTHERS_PER_S} messages a second, detections apart, are taken"
            self._complain(peer, node_id, data, [words])
            return
        self._other(peer, content, node_id, message, data, inbox)

    def _detection(
        self, peer: _Peer, node_id: str, message: SapientMessage, data: bytes, inbox: Inbox
    ) -> None:
        number, peer.detections = peer.detections, peer.detections + 1
        whole = number < FIRST_WHOLE or number % EACH_WHOLE == 0
        if (whole or not is_plain_detection(message)) and (found := faults(message)):
            self._complain(peer, node_id, data, found)
        inbox.put(data, peer.name)  # its faults are findings too, and its bytes are kept

    def _other(
        self, peer: _Peer, content: str, node_id: str, message: SapientMessage, data: bytes,
        inbox: Inbox,
    ) -> None:  # fmt: skip
        found = faults(message)
        if content == "registration":
            self._register(peer, node_id, message, data, found, inbox)
        elif content == "error":
            if node_id in peer.nodes:  # an error is never answered: that could go on for ever
                inbox.put(data, peer.name)
        elif node_id not in peer.nodes:
            self._complain(peer, node_id, data, ["Register first.", *found])
        elif content in ("task", "task_ack"):
            self._complain(peer, node_id, data, ["Skykeep neither takes nor gives tasks."])
        elif content not in ("status_report", "alert"):
            self._complain(peer, node_id, data, found or [f"A node does not send {content}."])
        elif found:
            self._complain(peer, node_id, data, found)
            inbox.put(data, peer.name)
        elif content == "alert":
            done = partial(self._settle, peer, node_id, message.alert.alert_id)
            if not inbox.put(data, peer.name, done):
                words = ["There was no room for it: send it again."]
                ack = (self.nodes.ours, node_id, message.alert.alert_id, words, self.clock())
                self._send(peer, sapient.alert_ack(*ack))
        else:
            inbox.put(data, peer.name)
            if message.status_report.system == message.status_report.SYSTEM_GOODBYE:
                del peer.nodes[node_id]
                inbox.peer(node_id, f"said goodbye, from {peer.name}")

    def _register(
        self, peer: _Peer, node_id: str, message: SapientMessage, data: bytes,
        found: list[str], inbox: Inbox,
    ) -> None:  # fmt: skip
        node = node_of(message)
        reasons = found or self.nodes.refusals(node_id, node)
        kept = inbox.put(data, peer.name)  # a refusal is to be seen in the record too
        if not reasons and not kept:
            reasons = ["There is no room just now: register again."]
        self._send(peer, sapient.registration_ack(self.nodes.ours, node_id, reasons, self.clock()))
        about = f"{node.name or 'a node'} ({node.model or node.type_words}), from {peer.name}"
        if reasons:
            inbox.peer(node_id or peer.name, f"refused: {' '.join(reasons)[:300]} {about}")
            return
        for other in self._peers.values():  # who comes again has lost its old connection
            if other is not peer and node_id in other.nodes:
                del other.nodes[node_id]
                other.ending = other.ending or not other.nodes
        peer.nodes[node_id] = node
        sensor_id = self.nodes.sensors[node_id].sensor_id
        inbox.peer(node_id, f"registered as {sensor_id}: {about}")

    def _complain(self, peer: _Peer, node_id: str, data: bytes, words: list[str]) -> None:
        peer.errors += 1
        if peer.errors <= MOST_ERRORS_PER_S:
            self._send(peer, sapient.error(self.nodes.ours, node_id, data, words, self.clock()))

    def _settle(self, peer: _Peer, node_id: str, alert_id: str, durable: bool) -> None:
        """Called from another thread."""
        self._settled.append((peer, node_id, alert_id, durable))
        if self._wake is not None:
            with contextlib.suppress(OSError):
                self._wake.send(b"\x00")

    def _acknowledge(self) -> None:
        while self._settled:
            peer, node_id, alert_id, durable = self._settled.popleft()
            words = () if durable else ("The record refused it.",)
            ack = sapient.alert_ack(self.nodes.ours, node_id, alert_id, words, self.clock())
            self._send(peer, ack)

    def _send(self, peer: _Peer, data: bytes) -> None:
        if len(peer.out) + len(data) > MOST_WAITING_BYTES:
            peer.ending = True
            peer.out.clear()
            return
        peer.out += data
        self._flush(peer)

    def _flush(self, peer: _Peer) -> None:
        try:
            sent = peer.socket.send(peer.out) if peer.out else 0
        except BlockingIOError:
            return
        except OSError:
            peer.out.clear()
            peer.ending = True
            return
        del peer.out[:sent]

    def _tidy(self, inbox: Inbox, selector: selectors.BaseSelector) -> None:
        now_s = time.monotonic()
        for peer in list(self._peers.values()):
            quiet_s = now_s - peer.heard_s
            if peer.ending and (not peer.out or quiet_s > REGISTER_S):
                self._end(peer, "gone: sent away", inbox, selector)
            elif not peer.nodes and now_s - peer.since_s > REGISTER_S:
                self._end(peer, "gone: did not register", inbox, selector)
            elif quiet_s > peer.silence_s():
                self._end(peer, f"gone: said nothing for {quiet_s:.0f} s", inbox, selector)
            else:
                wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if peer.out else 0)
                if selector.get_key(peer.socket).events != wanted:
                    selector.modify(peer.socket, wanted)

    def _end(self, peer: _Peer, words: str, inbox: Inbox, selector: selectors.BaseSelector) -> None:
        selector.unregister(peer.socket)
        peer.socket.close()
        del self._peers[peer.socket]
        for node_id in peer.nodes:
            inbox.peer(node_id, f"{words}, was at {peer.name}")
