"""Numbers on what a sensor signs: what is missing, what came twice, when it started anew.

A sensor counts its batches from 1 in each session, and each session's number is above the one
before. What is missing may still come for a while (a window, as against replay in RFC 4303
section 3.4.3); nothing is taken twice.
"""

from __future__ import annotations

from dataclasses import dataclass

from skykeep.errors import DecisionError

#: Stretches of missing numbers that may still come; an older one is given up.
WINDOW = 32

GAP, FILLED, RESTARTED = "gap", "filled", "restarted"


@dataclass(frozen=True, slots=True)
class Numbering:
    """The last session and number of a sensor, and stretches (first, last) not seen so far."""

    session: int = 0
    sequence: int = 0
    missing: tuple[tuple[int, int], ...] = ()

    def after(self, session: int, sequence: int) -> tuple[Numbering, tuple[Numbered, ...]]:
        """What is known with one more batch, and what that says; DecisionError for a repetition."""
        if session > self.session:
            if not self.session:
                return Numbering(session, sequence), ()
            said = Numbered(RESTARTED, session, sequence, sequence)
            if sequence == 1:
                return Numbering(session, sequence), (said,)
            gap = (1, sequence - 1)
            return Numbering(session, sequence, (gap,)), (said, Numbered(GAP, session, *gap))
        if session < self.session:
            raise DecisionError(
                f"session {session} is over: {self.session} is the sensor's last. "
                "Give each start of the sensor a higher number"
            )
        if sequence > self.sequence + 1:
            gap = (self.sequence + 1, sequence - 1)
            kept = (*self.missing, gap)[-WINDOW:]
            return Numbering(session, sequence, kept), (Numbered(GAP, session, *gap),)
        if sequence == self.sequence + 1:
            return Numbering(session, sequence, self.missing), ()
        return self._filled(sequence)

    def _filled(self, sequence: int) -> tuple[Numbering, tuple[Numbered, ...]]:
        for place, (first, last) in enumerate(self.missing):
            if first <= sequence <= last:
                halves = ((first, sequence - 1), (sequence + 1, last))
                left = tuple(half for half in halves if half[0] <= half[1])
                missing = (*self.missing[:place], *left, *self.missing[place + 1 :])[-WINDOW:]
                known = Numbering(self.session, self.sequence, missing)
                return known, (Numbered(FILLED, self.session, sequence, sequence),)
        raise DecisionError(
            f"number {sequence} of session {self.session} was taken before, or is given up: the "
            f"last is {self.sequence}. Count on from there"
        )


@dataclass(frozen=True, slots=True)
class Numbered:
    """What a number says: `gap` (first to last did not come), `filled`, or `restarted`."""

    what: str
    session: int
    first: int
    last: int
