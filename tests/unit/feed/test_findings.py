from __future__ import annotations

from skykeep.core.event import Finding, Severity
from skykeep.errors import InputError
from skykeep.feed.findings import MAX_KINDS, FindingLog


def finding(problem: str) -> Finding:
    return Finding("here", problem, "nothing", Severity.NOTE)


def test_first_of_a_kind_in_full_then_counted() -> None:
    log = FindingLog(max_of_a_kind=2)
    for i in range(5):
        log.refuse(f"line {i}", InputError("field", "bad", "Mend it."))
    log.refuse("line 9", InputError("other", "bad", "Mend it."))
    assert [f.where for f in log.drain()] == ["line 0: field", "line 1: field", "line 9: other"]
    assert log.drain() == ()
    (more,) = log.close("file")
    assert more.problem == "3 more like those at 'field'"
    assert log.close("file") == ()


def test_once() -> None:
    log = FindingLog()
    for problem in ("a", "b", "a"):
        log.once(finding(problem))
    assert [f.problem for f in log.drain()] == ["a", "b"]


def test_kinds_are_bounded() -> None:
    log = FindingLog(max_of_a_kind=1)
    for i in range(MAX_KINDS * 3):
        log.add(finding(str(i)), str(i))
        log.once(finding(str(i)))
    assert len(log.drain()) == 2 * MAX_KINDS + 1
