"""How often one person or token may do what is costly: a bucket of tries for each."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable

from skykeep.service.rights import RIGHTS
from skykeep.units import NS_PER_S

#: Buckets that are kept; the one that was used longest ago is full again by then, or nearly.
MOST_KEPT = 10_000


class Rates:
    """What was done of late, by action and by whom; `clock` never goes back (ns)."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self.clock = clock
        #: How often an action was turned away.
        self.limited: Counter[str] = Counter()
        self._full_ns: OrderedDict[tuple[str, str], int] = OrderedDict()

    def take(self, action: str, who: str) -> float:
        """Count one try; 0 where it may go on, else the seconds until the next may.

        What is kept is when the bucket is full again (the generic cell rate algorithm, ITU-T
        I.371, annex A, as a virtual schedule).
        """
        budget = RIGHTS[action].budget
        if budget is None:
            return 0.0
        every_ns, now_ns = round(budget.every_s * NS_PER_S), self.clock()
        full_ns = max(now_ns, self._full_ns.pop((action, who), now_ns)) + every_ns
        wait_ns = full_ns - now_ns - budget.at_once * every_ns
        if wait_ns > 0:
            self.limited[action] += 1
            full_ns -= every_ns
        self._full_ns[action, who] = full_ns
        while len(self._full_ns) > MOST_KEPT:
            self._full_ns.popitem(last=False)
        return max(0.0, wait_ns / NS_PER_S)
