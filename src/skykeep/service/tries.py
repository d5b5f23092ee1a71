"""What is tried again and again until it is taken: how often, and when next."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=tuple[object, ...])


@dataclass(slots=True)
class _Try:
    tries: int = 0
    due_s: float = 0.0


class Tries(Generic[K]):
    """Tries of things by key, by the event loop's clock; what is new is due at once."""

    def __init__(self, retries_s: Sequence[float]) -> None:
        """`retries_s` are the seconds until the next try; behind the last it stays so."""
        self._retries_s = tuple(retries_s)
        self._tries: dict[K, _Try] = {}

    def keep(self, known: Iterable[K]) -> None:
        """These are what waits now, in their order; others are forgotten."""
        self._tries = {key: self._tries.get(key, _Try()) for key in known}

    def due(self) -> list[K]:
        """What is to be tried now."""
        now_s = asyncio.get_running_loop().time()
        return [key for key, tried in self._tries.items() if tried.due_s <= now_s]

    def tried(self, key: K) -> int:
        """It was tried; how often by now."""
        tried = self._tries.setdefault(key, _Try())
        tried.tries += 1
        wait_s = self._retries_s[min(tried.tries, len(self._retries_s)) - 1]
        tried.due_s = asyncio.get_running_loop().time() + wait_s
        return tried.tries

    def again(self) -> None:
        """All of it is due at once: something has changed that may let it through."""
        for tried in self._tries.values():
            tried.due_s = 0.0

    def done(self, key: K) -> None:
        """It is taken, or given up."""
        self._tries.pop(key, None)

    def wait_s(self, but: Collection[K] = ()) -> float | None:
        """Seconds until the next is due, None where nothing waits; `but` are under way."""
        due_s = [tried.due_s for key, tried in self._tries.items() if key not in but]
        if not due_s:
            return None
        return max(0.0, min(due_s) - asyncio.get_running_loop().time())
