"""What a feed found amiss, bounded: the first of each kind in full, the others counted."""

from __future__ import annotations

from skykeep.core.event import Finding, Severity
from skykeep.errors import InputError

#: Enough to see a pattern; a stream of rubbish must not become a stream of findings.
MAX_OF_A_KIND = 20
#: Kinds are field names; more than this means that the input chooses them.
MAX_KINDS = 200


class FindingLog:
    """Collects findings between batches; not for use by two threads at once."""

    def __init__(self, max_of_a_kind: int = MAX_OF_A_KIND) -> None:
        self._max = max_of_a_kind
        self._count: dict[str, int] = {}
        self._said: set[str] = set()
        self._fresh: list[Finding] = []

    def add(self, finding: Finding, kind: str) -> None:
        """Keep a finding, or only count it once its kind is known well enough."""
        if kind not in self._count and len(self._count) >= MAX_KINDS:
            kind = "other"
        n = self._count.get(kind, 0) + 1
        self._count[kind] = n
        if n <= self._max:
            self._fresh.append(finding)

    def once(self, finding: Finding) -> None:
        """Keep a finding the first time that its problem is met."""
        if finding.problem not in self._said and len(self._said) < MAX_KINDS:
            self._said.add(finding.problem)
            self._fresh.append(finding)

    def refuse(self, where: str, error: InputError) -> None:
        """Keep what could not be used, with the place put before the field."""
        finding = Finding(
            f"{where}: {error.where}", error.problem, f"left out. {error.mend}", Severity.ERROR
        )
        self.add(finding, error.where)

    @property
    def waits(self) -> bool:
        """Whether anything is new since the last call of `drain`."""
        return bool(self._fresh)

    def drain(self) -> tuple[Finding, ...]:
        """What is new since the last call."""
        fresh = tuple(self._fresh)
        self._fresh.clear()
        return fresh

    def close(self, where: str) -> tuple[Finding, ...]:
        """What is new, and one count for each kind of which some were left out."""
        for kind, n in self._count.items():
            if n > self._max:
                self._fresh.append(
                    Finding(
                        where,
                        f"{n - self._max} more like those at {kind!r}",
                        "the same as for those",
                        Severity.WARNING,
                    )
                )
        self._count.clear()
        return self.drain()
