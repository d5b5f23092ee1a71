"""The composition root: one site's engine and casebook, driven by whatever a feed yields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from skykeep.core.airspace import Airspace, Command, Site, Snapshot
from skykeep.core.casebook import Casebook, CaseCommand, IncidentChanged
from skykeep.core.event import Event, Tick
from skykeep.core.observation import Batch

Input = Batch | Tick | Command


class Runtime:
    """A site at work. Every input goes through here, live, replayed or simulated."""

    def __init__(self, site: Site, saved: Snapshot | None = None) -> None:
        self.airspace = Airspace(site) if saved is None else Airspace.restore(site, saved)
        self.casebook = Casebook()
        self.now_ns = 0 if saved is None else saved.now_ns

    def take(self, item: Input) -> tuple[Event, ...]:
        """One input in, its events out; the casebook has them too."""
        if isinstance(item, Batch):
            self.now_ns = max(self.now_ns, item.receipt_time_ns)
            events = self.airspace.receive(item)
        elif isinstance(item, Tick):
            self.now_ns = max(self.now_ns, item.at_ns)
            events = self.airspace.advance(item.at_ns)
        else:
            events = self.airspace.apply(item, self.now_ns)
        self.casebook.receive(events)
        return events

    def run(self, items: Iterable[Input]) -> Iterator[tuple[Input, tuple[Event, ...]]]:
        """All inputs in their order, each with its events."""
        for item in items:
            yield item, self.take(item)

    def decide(self, command: CaseCommand, at_ns: int) -> IncidentChanged:
        """A casebook command by a named person."""
        self.now_ns = max(self.now_ns, at_ns)
        return self.casebook.apply(command, self.now_ns)
