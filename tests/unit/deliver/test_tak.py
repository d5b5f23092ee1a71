"""A connection to a TAK server that dies, dawdles, echoes or babbles."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from skykeep.codec.cot import CotEvent, CotSplitter, Element, decode_xml, encode_xml
from skykeep.core.event import Permission
from skykeep.deliver import tak
from skykeep.deliver.link import Answer
from skykeep.deliver.message import HandoverMessage
from skykeep.deliver.settings import TakChannel
from skykeep.deliver.shared import SharedTrack
from skykeep.deliver.tak import TakLink
from tests.sky import at

MESSAGE = HandoverMessage(
    "H00001.1", "H00001", "handed_over", False, "a site", "city", "", "", None, "", "", None, (),
    None, "please acknowledge H00001 ok",
)  # fmt: skip
TRACK = SharedTrack(
    "skykeep.city.T1", "T1", at(0.0), 49.6, 6.1, 300.0, 5.0, 6.0, 3.0, 90.0,
    Permission.NOT_PERMITTED, "unverified", ("Z1",), False,
)  # fmt: skip
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tak, "BACK_OFF_S", (0.02,))
    monkeypatch.setattr(tak, "STUCK_S", 1.0)


async def with_link(serve: Serve, use: Callable[[TakLink, list[Answer]], Awaitable[None]]) -> None:
    heard: list[Answer] = []
    lines: list[asyncio.Task[None]] = []

    async def line(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.append(asyncio.ensure_future(serve(reader, writer)))  # type: ignore[arg-type]
        await asyncio.wait(lines[-1:])
        writer.close()
        await asyncio.wait([asyncio.ensure_future(writer.wait_closed())])

    server = await asyncio.start_server(line, "127.0.0.1", 0)
    channel = TakChannel("127.0.0.1", server.sockets[0].getsockname()[1])
    link = TakLink(
        channel, "skykeep.city.site", "a site", (49.6, 6.1, 300.0), lambda: at(1.0), heard.append
    )
    task = asyncio.ensure_future(link.run())
    try:
        await use(link, heard)
    finally:
        link.stop()
        await asyncio.wait_for(task, 10.0)
        server.close()
        for one in lines:
            one.cancel()
        await asyncio.sleep(0.05)


async def until(holds: Callable[[], object]) -> None:
    for _ in range(500):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never held")


async def events(reader: asyncio.StreamReader) -> list[CotEvent]:
    """What comes next; empty at the end."""
    splitter = CotSplitter()
    while data := await reader.read(65_536):
        if found := splitter.feed(data):
            return [decode_xml(m) for _, m in found]
    return []


PONG = encode_xml(CotEvent("takPong", "t-x-c-t-r", "h-g-i-g-o", at(0.0), at(0.0), at(9.0)))


def test_what_the_server_has_not_confirmed_is_not_taken_and_comes_again_under_its_uid() -> None:
    chats: list[str] = []
    lives = iter((False, True))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers = next(lives)
        while got := await events(reader):
            chats.extend(e.uid for e in got if e.type == "b-t-f")
            if chats and not answers:
                break  # it has read the message, and dies before it has said so
            writer.writelines(PONG for e in got if e.type == "t-x-c-t")

    async def use(link: TakLink, _: list[Answer]) -> None:
        await until(lambda: link.state.connected)
        assert "before the server confirmed it" in await link.deliver(MESSAGE, at(1.0))
        await until(lambda: link.state.connected)
        assert await link.deliver(MESSAGE, at(2.0)) == ""

    asyncio.run(with_link(serve, use))
    assert chats == ["GeoChat.skykeep.city.site.All Chat Rooms.H00001.1"] * 2


def test_a_server_that_takes_nothing_is_left_and_what_it_missed_is_counted() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30.0)

    async def use(link: TakLink, _: list[Answer]) -> None:
        await until(lambda: link.state.connected)
        for number in range(400):
            link.push([TRACK], at(number))  # nobody waits for the server
        assert link.state.shed == 399  # of one track only the newest state is held
        assert "confirm it within" in await link.deliver(MESSAGE, at(1.0))
        assert not link._waiting

    asyncio.run(with_link(serve, use))


def test_an_echo_of_our_own_and_nonsense_answer_nothing() -> None:
    said = Element("remarks", (), "H00001 ack")
    other = CotEvent("GeoChat.A.1", "b-t-f", "h-g", at(0.0), at(0.0), at(9.0), detail=(said,))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while got := await events(reader):
            for event in got:
                writer.write(encode_xml(event))  # everything comes back
            writer.write(b"<event>nonsense</event>")
            if any(e.type == "b-t-f" for e in got):
                writer.write(encode_xml(other))

    async def use(link: TakLink, heard: list[Answer]) -> None:
        await until(lambda: link.state.connected)
        delivering = asyncio.ensure_future(link.deliver(MESSAGE, at(1.0)))
        await until(lambda: heard)
        assert [a.who for a in heard] == ["GeoChat.A.1"]
        assert link.state.refused > 0
        assert link.state.connected
        delivering.cancel()

    asyncio.run(with_link(serve, use))
