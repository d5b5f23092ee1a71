"""What points to a person is destroyed when its time is over, by the site's own rule.

First the incidents under hold take what they need, then an entry says which keys go, then they
are gone. Each step is durable before the next: whatever stops it, the next round goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Collection
from functools import partial

from skykeep.codec import entries
from skykeep.core.casebook import Incident
from skykeep.core.event import Actor
from skykeep.core.retention import EraseKeys, RetentionPolicy, due
from skykeep.dossier.build import needed_facts
from skykeep.errors import RecordError
from skykeep.runtime import Recorded
from skykeep.service import log
from skykeep.service.writer import UnavailableError, Writer
from skykeep.store.holds import HeldFact
from skykeep.store.record_store import RecordStore

#: Keys are of an hour: looking more often finds nothing more.
EVERY_S = 3_600.0
#: The sources whose facts are the permit office's files.
PERMIT_SOURCES = frozenset({entries.COMMAND})
RULE = Actor("retention", "rule")
#: One entry names so many keys at the most; the next round goes on.
KEYS_AT_ONCE = 5_000

Keys = tuple[tuple[str, int], ...]


def words_of(policy: RetentionPolicy) -> str:
    """Why, as the entry says it."""
    permits = policy.permit_days
    said = f"identities are kept for {policy.identity_days:g} days"
    said += f", where exactly an operator stood for {policy.operator_days:g}"
    return said if permits is None else f"{said}, permits for {permits:g}"


class Retention:
    """Ends retention while the service runs; `run` it beside the writer."""

    def __init__(self, writer: Writer, policy: RetentionPolicy) -> None:
        self.writer, self.policy = writer, policy
        self.erased = 0
        self._wake = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """Look now."""
        self._wake.set()

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Look every hour until `stop`."""
        while not self._stopping:
            try:
                await self.round()
            except (RecordError, UnavailableError) as error:
                log.event(logging.ERROR, "retention.trouble", why=str(error))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S):
                    await self._wake.wait()
            self._wake.clear()

    async def round(self) -> Keys:
        """Destroy what is due, if anything; returns the keys."""
        now_ns = self.writer.now_ns()

        def look(recorded: Recorded) -> tuple[Keys, tuple[Incident, ...], tuple[str, ...]]:
            found = due(recorded.store.sealing_keys(), PERMIT_SOURCES, now_ns, self.policy)
            incidents = tuple(recorded.runtime.casebook.incidents.values())
            return found[:KEYS_AT_ONCE], incidents, recorded.store.holds()

        keys, incidents, holds = await self.writer.ask(look)
        await self._let_go({str(i.incident_id) for i in incidents if not i.held} & set(holds))
        if not keys:
            return ()
        view = await self.writer.ask(lambda recorded: recorded.store.as_it_is())
        for incident in incidents:
            if incident.held:
                facts = await asyncio.to_thread(_needed, view, incident, frozenset(keys))
                await self._hold(str(incident.incident_id), facts)
        await self.writer.submit([EraseKeys(RULE, keys, words_of(self.policy))])
        self.erased += len(keys)
        log.event(logging.INFO, "retention.erased", keys=len(keys))
        return keys

    async def _hold(self, name: str, facts: list[HeldFact]) -> None:
        if facts:
            await self.writer.ask(lambda recorded: recorded.store.hold(name, facts))

    async def _let_go(self, names: Collection[str]) -> None:
        for name in sorted(names):
            await self.writer.ask(partial(_release, name))


def _release(name: str, recorded: Recorded) -> None:
    recorded.store.release(name)


def _needed(
    store: RecordStore, incident: Incident, keys: frozenset[tuple[str, int]]
) -> list[HeldFact]:
    return needed_facts(store, incident, keys)
