"""Feeds at work in a service: what comes is durable, what is lost is tried again, all is told."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from skykeep.codec.sbs1 import Sbs1Message, encode_line
from skykeep.config import FeedSettings
from skykeep.core.event import Finding
from skykeep.core.observation import Batch, SensorKind
from skykeep.feed.contract import FeedKind
from skykeep.feed.inbox import Piece
from skykeep.feed.sbs1 import KIND
from skykeep.service import feeds as room
from skykeep.service.feeds import Feed, Feeds, shown
from skykeep.store.raw import FILE, RawStore
from skykeep.units import NS_PER_S, SensorId
from tests.desk import Desk
from tests.sky import RADAR, RECEIVER, at, plots

ADSB = replace(RECEIVER, sensor_id=SensorId("adsb-1"), kind=SensorKind.ADSB)


class Peer:
    """A receiver's port: whoever connects is sent what is handed in."""

    def __init__(self, port: int = 0) -> None:
        self.server = socket.create_server(("127.0.0.1", port))
        self.port = self.server.getsockname()[1]
        self.connection: socket.socket | None = None
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        try:
            self.connection, _ = self.server.accept()
        except OSError:
            return

    def send(self, data: bytes) -> None:
        for _ in range(500):
            if self.connection is not None:
                break
            time.sleep(0.01)
        assert self.connection is not None
        self.connection.sendall(data)

    def kill(self) -> None:
        self.server.shutdown(socket.SHUT_RDWR)  # wakes who waits in accept
        self.server.close()
        if self.connection is not None:
            self.connection.close()


def line(number: int) -> bytes:
    at_ns = at(number)
    return encode_line(
        Sbs1Message(
            3, "4D0131", at_ns, at_ns, "", 1_000.0, None, None, 49.61, 6.13, None, None, False, ()
        )
    )


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path, (RADAR, ADSB))
    yield made
    made.close()


def feeding(desk: Desk, port: int) -> tuple[Feeds, Any]:
    settings = FeedSettings("adsb", ADSB.sensor_id, "sbs1", f"tcp://127.0.0.1:{port}")
    made = Feeds(desk.writer, [settings], [RADAR, ADSB], desk.clock)
    desk.app.state.feeds = made
    return made, desk.loop.create_task(made.run())


def until(desk: Desk, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    for _ in range(500):
        (state,) = desk.get("/v1/feeds").json()["feeds"]
        if holds(state):
            return dict(state)
        time.sleep(0.01)
    raise AssertionError(state)


def test_what_comes_is_durable_and_a_lost_receiver_is_tried_again(desk: Desk) -> None:
    peer = Peer()
    feeds, at_work = feeding(desk, peer.port)
    desk.clock.now_ns = at(1)
    until(desk, lambda s: bool(s["connected"]))
    peer.send(line(1))
    state = until(desk, lambda s: bool(s["batches"] == 1))
    assert (state["connected"], state["problem"], state["observations"]) == (True, "", 1)
    assert desk.get("/health").json()["feeds"] == {"adsb": ""}
    peer.kill()
    state = until(desk, lambda s: not s["connected"])
    assert "closed the connection" in state["problem"]
    assert f"127.0.0.1:{peer.port}: " in desk.get("/health").json()["feeds"]["adsb"]  # tried again
    again = Peer(peer.port)
    desk.clock.now_ns = at(2)
    until(desk, lambda s: bool(s["connected"]))
    again.send(line(2))
    state = until(desk, lambda s: bool(s["batches"] == 2))
    assert (state["connected"], state["problem"], state["connects"]) == (True, "", 2)
    assert state["findings"] == 1  # that it was lost, and why
    feeds.stop()
    desk.loop.run_until_complete(at_work)
    again.kill()
    desk.clock.on(1.0)
    rows = desk.get("/v1/observations?from=2026-09-12T00:00:00Z").json()["observations"]
    assert [row["sensor"] for row in rows] == ["adsb-1", "adsb-1"]


def test_a_record_that_is_away_loses_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "AGAIN_S", 0.01)
    peer = Peer()
    feeds, at_work = feeding(desk, peer.port)
    until(desk, lambda s: bool(s["connected"]))
    size = desk.writer.size
    desk.writer.problem = "the disk is away"
    peer.send(line(1))
    until_waiting(desk, feeds.feeds[0])
    assert desk.writer.size == size
    desk.writer.problem = ""
    feeds.stop()
    desk.loop.run_until_complete(at_work)
    desk.clock.on(1.0)
    rows = desk.get("/v1/observations?from=2026-09-12T00:00:00Z").json()["observations"]
    assert len(rows) == 1
    peer.kill()


def test_a_piece_is_acknowledged_when_it_is_durable(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "AGAIN_S", 0.01)
    peer = Peer()
    feeds, at_work = feeding(desk, peer.port)
    until(desk, lambda s: bool(s["connected"]))
    sizes: list[int] = []
    inbox, size = feeds.feeds[0].inbox, desk.writer.size
    desk.writer.problem = "the disk is away"
    inbox.put(line(1), "", lambda durable: sizes.append(desk.writer.size if durable else -1))
    until_waiting(desk, feeds.feeds[0])
    desk.loop.run_until_complete(asyncio.sleep(0.05))
    assert sizes == []
    desk.writer.problem = ""
    until(desk, lambda s: bool(sizes))
    assert sizes[0] > size
    feeds.stop()
    desk.loop.run_until_complete(at_work)
    peer.kill()


def test_what_the_decoder_or_the_record_refuses_is_not_acknowledged(desk: Desk) -> None:
    feed = failing()
    told: list[tuple[str, bool]] = []
    feed.inbox.put(b"break", "", lambda durable: told.append(("break", durable)))
    feed.decode()
    assert told == [("break", False)]
    feed.inbox.put(b"well", "", lambda durable: told.append(("well", durable)))
    feed.inbox.put(b"worse", "", lambda durable: told.append(("", bool(1 // 0))))
    feed.inbox.put(b"best", "", lambda durable: told.append(("best", durable)))
    feed.settle(feed.decode()[1], True)
    assert told[1:] == [("well", True), ("best", True)]
    feeds, batch = Feeds(desk.writer, [], [], desk.clock), plots(1.0, (1.0, 2.0, 3.0))

    def submitted(batch: Batch) -> bool | None:
        return desk.loop.run_until_complete(feeds._submit(batch))

    assert submitted(batch)
    other = replace(batch, values=batch.values + 1.0)  # under an id that is taken
    assert submitted(other) is False


def test_what_arrives_is_kept_by_its_hash_for_the_days_that_the_site_says(
    tmp_path: Path,
) -> None:
    now = [at(3)]
    kind = FeedKind("f", "", ("udp",), (SensorKind.RADAR,), lambda _: Failing())
    settings = FeedSettings(
        "x", RADAR.sensor_id, "f", "udp://127.0.0.1:1", raw_days=0.5, raw_day_bytes=10
    )
    store = RawStore(tmp_path)
    feed = Feed(settings, kind, lambda: now[0], store)
    feed.inbox.connected()
    for data in (b"break", b"well", b"no room for it"):
        feed.inbox.put(data)
    feed.decode()
    known = [hashlib.sha256(data).digest() for data in (b"break", b"well", b"no room for it")]
    assert [store.get(digest) for digest in known] == [b"break", b"well", None]
    assert store.left_out("x") == (1, 14)
    now[0] += 12 * 3_600 * NS_PER_S
    feed.decode()
    assert store.get(known[1]) == b"well"  # the hour that it is of is not over for so long
    now[0] += 3_600 * NS_PER_S
    feed.decode()
    assert store.get(known[1]) is None
    store.close()
    feed.inbox.put(b"break")
    feed.decode()
    assert "raw bytes are not kept" in feed.books.raw


def test_a_file_of_raw_bytes_that_is_broken_stops_no_feed(desk: Desk, tmp_path: Path) -> None:
    (desk.writer.folder / FILE).write_bytes(b"no database" * 500)
    settings = FeedSettings(
        "adsb", ADSB.sensor_id, "sbs1", "tcp://127.0.0.1:1", raw_days=1.0, raw_day_bytes=10
    )
    (feed,) = Feeds(desk.writer, [settings], [RADAR, ADSB], desk.clock).feeds
    feed.inbox.connected()
    assert FILE in feed.trouble()


def until_waiting(desk: Desk, feed: Feed) -> None:
    async def seen() -> None:
        while feed.books.batches == 0:
            await asyncio.sleep(0.01)

    desk.loop.run_until_complete(seen())


class Failing:
    """A decoder that breaks on one word, and tells the others on."""

    def __init__(self) -> None:
        self.noted: list[Finding] = []

    def push(self, pieces: Sequence[Piece]) -> Iterable[Batch]:
        if any(piece.data == b"break" for piece in pieces):
            raise ZeroDivisionError
        yield replace(plots(1.0, (1.0, 2.0, 3.0)), findings=tuple(self.noted))
        self.noted.clear()

    def note(self, finding: Finding) -> None:
        self.noted.append(finding)

    def close(self) -> Batch | None:
        raise ZeroDivisionError


def failing(most: int = 100) -> Feed:
    kind = FeedKind("f", "", ("udp",), (SensorKind.RADAR,), lambda _: Failing(), most_waiting=most)
    return Feed(FeedSettings("x", RADAR.sensor_id, "f", "udp://127.0.0.1:1"), kind, lambda: at(3))


def test_a_decoder_that_breaks_is_named_and_goes_on() -> None:
    feed = failing()
    feed.inbox.connected()
    feed.inbox.put(b"break")
    assert feed.decode() == ([], [])
    assert "ZeroDivisionError" in feed.trouble()
    feed.inbox.put(b"well")
    assert len(feed.decode()[0]) == 1
    assert feed.last() == []


def test_what_is_shed_is_told_in_the_record() -> None:
    feed = failing(most=2)
    feed.inbox.connected()
    for _ in range(5):
        feed.inbox.put(b"xyz")
    ((batch,), _) = feed.decode()
    (said,) = batch.findings
    assert said.problem == "more came than could be taken"
    assert said.assumed.startswith("3 pieces of 9 bytes shed so far, sha256 ")
    state = feed.state()
    assert (state.pieces, state.shed, state.delay_least_s) == (5, 3, 0.0)


def test_a_feed_that_is_behind_says_so() -> None:
    feed = failing(most=4)
    assert feed.trouble() == "not connected yet"
    feed.inbox.connected()
    assert feed.trouble() == ""
    for _ in range(3):
        feed.inbox.put(b"x")
    assert feed.trouble() == "behind: 3 pieces wait"


def test_an_address_is_shown_without_its_secrets() -> None:
    assert shown("mqtt://me:secret@broker:1883/x?token=s") == "mqtt://broker:1883/x"


def test_the_delay_tells_of_the_clocks() -> None:
    assert KIND.most_per_s > 0
    feed = failing()
    feed._count(replace(plots(5.0, (1.0, 2.0, 3.0)), receipt_time_ns=at(5.0) - NS_PER_S // 4))
    assert feed.state().delay_least_s == -0.25


class Differing(Failing):
    """Gives each batch the same id and another content: the record refuses the second."""

    def push(self, pieces: Sequence[Piece]) -> Iterable[Batch]:
        for piece in pieces:
            yield plots(1.0, (float(len(piece.data)), 2.0, 3.0))


def test_what_the_record_refuses_is_settled_and_what_it_has_not_is_left_open(desk: Desk) -> None:
    kind = FeedKind("f", "", ("udp",), (SensorKind.RADAR,), lambda _: Differing())
    settings = FeedSettings("x", RADAR.sensor_id, "f", "udp://127.0.0.1:0")
    feeds = Feeds(desk.writer, [], [RADAR], desk.clock)
    feeds.feeds = [Feed(settings, kind, desk.clock)]
    desk.app.state.feeds = feeds
    desk.clock.now_ns = at(1)
    at_work = desk.loop.create_task(feeds.run())
    told: list[tuple[bytes, bool]] = []

    def settled(data: bytes) -> Callable[[bool], None]:
        return lambda durable: told.append((data, durable))

    inbox = feeds.feeds[0].inbox
    inbox.put(b"1", "", settled(b"1"))
    until(desk, lambda s: len(told) == 1)
    inbox.put(b"22", "", settled(b"22"))
    until(desk, lambda s: len(told) == 2)
    assert told == [(b"1", True), (b"22", False)]
    desk.writer.problem = "the disk is away"
    inbox.put(b"1", "", settled(b"333"))
    until_waiting(desk, feeds.feeds[0])
    feeds.stop()
    desk.loop.run_until_complete(at_work)
    desk.writer.problem = ""
    assert len(told) == 2
