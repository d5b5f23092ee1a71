"""The only errors that leave Skykeep: whose fault, which field, how to mend it."""

from __future__ import annotations


class SkykeepError(Exception):
    """Base of every error that Skykeep raises on purpose."""


class InputError(SkykeepError):
    """What came in cannot be used, and its sender can mend it.

    `where` is the place (a JSON path, a byte offset, a file and line), `problem` what is
    wrong there, `mend` what the sender should do.
    """

    def __init__(self, where: str, problem: str, mend: str) -> None:
        super().__init__(f"{where}: {problem}. {mend}")
        self.where = where
        self.problem = problem
        self.mend = mend


class DecisionError(SkykeepError):
    """The request is well formed but not allowed in the present state."""


class RecordError(SkykeepError):
    """The record does not hold: something in it is missing, altered or out of order."""
