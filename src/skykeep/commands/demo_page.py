"""`skykeep demo` with its watch page: the night is played before somebody's eyes.

The same inputs in the same order as when it is played at once; only the clock is slower, and
whoever watches may act. When the night is over its time stands still and the page stays.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from pathlib import Path

from skykeep.commands.scorer import Scorer, Summary
from skykeep.commands.story import (
    ACKNOWLEDGE_AFTER_NS,
    Watch,
    aftermath,
    incident_after,
    seconds_of,
)
from skykeep.core.casebook import Incident
from skykeep.core.event import Tick
from skykeep.dossier.build import Order
from skykeep.feed.citadel_night import Night
from skykeep.service.incidents import make_dossier
from skykeep.service.server import Place, serve
from skykeep.service.tokens import Holder, Role, encode_tokens, new_token
from skykeep.service.writer import Group, Item, Writer
from skykeep.units import NS_PER_S

TOKENS_FILE = "tokens.json"
HOST = "127.0.0.1"
#: Who may speak to the demo; the first is who the printed link makes you.
PEOPLE = (
    ("C. Weber", Role.WATCH_OFFICER),
    ("C. Muller", Role.PERMIT_OFFICER),
    ("a viewer", Role.VIEWER),
)


class PlayedClock:
    """The night's own time: `speed` times the machine's, never ahead of what was handed in."""

    def __init__(self, start_ns: int, speed: float, monotonic: Callable[[], float]) -> None:
        self._start_ns, self._speed, self._monotonic = start_ns, speed, monotonic
        self._begun_s = monotonic()
        self.reached_ns = start_ns

    def begin(self) -> None:
        """The night begins now."""
        self._begun_s = self._monotonic()

    def __call__(self) -> int:
        """UTC nanoseconds of the night."""
        elapsed_ns = round((self._monotonic() - self._begun_s) * self._speed * NS_PER_S)
        return min(self._start_ns + elapsed_ns, self.reached_ns)

    def wait_s(self, at_ns: int) -> float:
        """Real seconds until a moment of the night."""
        due_s = self._begun_s + (at_ns - self._start_ns) / NS_PER_S / self._speed
        return max(0.0, due_s - self._monotonic())


class Player:
    """Hands a night to a writer, second by second; `told` hears how it ended.

    The story's officer leaves a person at the page `patience_s` real seconds to acknowledge.
    """

    def __init__(
        self,
        night: Night,
        speed: float,
        patience_s: float,
        folder: Path,
        begun: Callable[[str], None],
        told: Callable[[Summary, Incident | None, bytes | None], None],
    ) -> None:
        self.night, self.speed, self.folder = night, speed, folder
        self.clock = PlayedClock(night.start_ns, speed, time.monotonic)
        self._begun, self._told = begun, told
        self._scorer = Scorer(night)
        self._watch = Watch(max(1.0, patience_s * speed * NS_PER_S / ACKNOWLEDGE_AFTER_NS))

    async def play(self, writer: Writer, listener: socket.socket) -> None:
        """The whole story; afterwards the page shows the last moment."""
        writer.simulation = {"speed": self.speed, "over": False}
        writer.listeners.append(self._hear)
        host, port = listener.getsockname()[:2]
        self._begun(f"http://{host}:{port}")
        self.clock.begin()
        to_do: list[Item] = []
        for at_ns, group in seconds_of(self.night):
            await asyncio.sleep(self.clock.wait_s(at_ns))
            self.clock.reached_ns = at_ns
            await writer.submit([*to_do, *group])
            to_do = [*self._watch.due(at_ns)]
        writer.listeners.remove(self._hear)
        incident, dossier = await self._afterwards(writer), None
        if incident is not None:
            dossier = await make_dossier(writer, incident, Order())
        writer.simulation = {"speed": self.speed, "over": True}
        await asyncio.to_thread(self._told, self._scorer.summary(), incident, dossier)

    def _hear(self, group: Group) -> None:
        """Also what somebody at the page has done."""
        for answer in group.answers:
            self._scorer.take(answer.events)
            self._watch.hear(answer.events)

    async def _afterwards(self, writer: Writer) -> Incident | None:
        """What came in later is filed at once: a tick to the next morning would empty the sky."""
        steps = aftermath(self.night, self._scorer)
        try:
            items = next(steps)
            while True:
                answers = await writer.submit([i for i in items if not isinstance(i, Tick)])
                items = steps.send(incident_after(answers))
        except StopIteration as end:
            incident: Incident | None = end.value
            return incident


def run(player: Player, port: int, tokens: Path) -> None:
    """Serve the page and play the night until somebody ends it."""
    place = Place(HOST, port, player.folder, tokens)
    serve(place, player.night.site, (), player.clock, lambda words: None, play=player.play)


def make_tokens(folder: Path) -> tuple[Path, list[tuple[str, Role, str]]]:
    """Fresh tokens for the demo's people: where they are kept, and name, role and token."""
    made: list[tuple[str, Role, str]] = []
    holders: list[Holder] = []
    for name, role in PEOPLE:
        token, holder = new_token(name, role, None)
        made.append((name, role, token))
        holders.append(holder)
    path = folder / TOKENS_FILE
    path.unlink(missing_ok=True)
    path.touch(0o600)
    path.write_bytes(encode_tokens(tuple(holders)))
    return path, made


def free_port(wanted: int) -> int:
    """The wanted port, or 0 (any) where somebody else has it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted))
        except OSError:
            return 0
    return wanted
