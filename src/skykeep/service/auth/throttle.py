"""Guessing made slow, without a way to lock anybody out.

Failures are counted for each login twice over: from browsers that have signed in with it before
(each by itself) and from all others together. Who floods the sign-in with somebody's login locks
strangers out of it for a while; the desk in the watch room is none, and gets in (OWASP, "Slow
down online guessing attacks with device cookies").
"""

from __future__ import annotations

from collections import OrderedDict, deque

from skykeep.units import NS_PER_S

#: A person mistypes a few times; at this pace a random 6-digit code is found in decades.
MOST_FAILURES = 5
STRANGERS_NS = 15 * 60 * NS_PER_S
#: Who sits at a known desk waits for a minute: he may be the one who is on watch.
KNOWN_NS = 60 * NS_PER_S
#: Logins and devices that are counted; the oldest are forgotten, which helps a guesser little.
MOST_KEPT = 10_000


class Throttle:
    """Failures of late, by login and browser."""

    def __init__(self) -> None:
        self._failures: OrderedDict[tuple[str, str], deque[int]] = OrderedDict()

    def wait_ns(self, login: str, device: str, now_ns: int) -> int:
        """How long until another try is taken; 0 where one is. `device` empty: a stranger."""
        failures = self._failures.get((login, device))
        if failures is None:
            return 0
        window_ns = KNOWN_NS if device else STRANGERS_NS
        while failures and now_ns - failures[0] >= window_ns:
            failures.popleft()
        if len(failures) < MOST_FAILURES:
            return 0
        return failures[0] + window_ns - now_ns

    def failed(self, login: str, device: str, now_ns: int) -> bool:
        """Count a failure; True where it was the last for a while."""
        key = (login, device)
        failures = self._failures.pop(key, None) or deque(maxlen=MOST_FAILURES)
        failures.append(now_ns)
        self._failures[key] = failures
        while len(self._failures) > MOST_KEPT:
            self._failures.popitem(last=False)
        return self.wait_ns(login, device, now_ns) > 0

    def succeeded(self, login: str, device: str) -> None:
        """Forget the failures of a browser that got in; strangers' are another matter."""
        if device:
            self._failures.pop((login, device), None)
