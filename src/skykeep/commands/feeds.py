"""`skykeep feeds`: the kinds there are, whether a cable is right, how a running site does."""

from __future__ import annotations

import json
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from skykeep.codec.moment import format_moment
from skykeep.commands import remote
from skykeep.config import read_feeds
from skykeep.core.event import Finding
from skykeep.core.observation import Form, Observation
from skykeep.errors import InputError
from skykeep.feed.kinds import kind_of
from skykeep.feed.kinds import kinds as all_kinds
from skykeep.runtime import read_grounded_site
from skykeep.service.feeds import Feed, FeedOut

#: Observations and findings of a feed that are printed.
SHOWN = 5
MOST_SECONDS = 3_600.0


def kinds(as_json: bool) -> int:
    """Print every kind of feed: what it reads, from where, for which sensors."""
    found = sorted(all_kinds().values(), key=lambda kind: kind.name)
    if as_json:
        said = [
            {"kind": k.name, "words": k.words, "schemes": k.schemes, "options": k.options,
             "sensors": [str(s) for s in k.sensor_kinds]}
            for k in found
        ]  # fmt: skip
        print(json.dumps({"kinds": said}))
        return 0
    for kind in found:
        print(f"{kind.name}: {kind.words}")
        print(f"    from {', '.join(f'{scheme}://' for scheme in kind.schemes)}")
        print(f"    for a sensor of kind {', '.join(kind.sensor_kinds)}")
        if kind.options:
            print(f"    options {', '.join(kind.options)}")
    return 0


class _Trial:
    """One feed, listened to without a service; nothing is acknowledged to its source."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.seen: deque[Observation] = deque(maxlen=SHOWN)
        self.found: list[Finding] = []
        self.state = feed.state()

    def watch(self, until_s: float) -> None:
        """Take what comes until then."""
        source = threading.Thread(target=self.feed.watch, daemon=True)
        source.start()
        while time.monotonic() < until_s:
            for batch in self.feed.decode()[0]:
                if len(self.seen) < SHOWN:
                    self.seen.extend(list(batch.rows())[: SHOWN - len(self.seen)])
                self.found += batch.findings[: SHOWN - len(self.found)]
        self.state = self.feed.state()
        self.feed.stop()
        source.join(2.0)


def try_(
    site_file: Path, name: str | None, seconds: float, as_json: bool, clock: Callable[[], int]
) -> int:
    """Open a site's feeds for a while and print what each hears; 1 where one hears nothing.

    InputError for a site file that does not fit, or a feed that it does not name.
    """
    if not (math.isfinite(seconds) and 0.0 < seconds <= MOST_SECONDS):
        raise InputError("--seconds", f"is {seconds}", f"Give 0 to {MOST_SECONDS:g}")
    _, sensors = read_grounded_site(site_file)
    known = {str(s.sensor_id): s for s in sensors}
    chosen = [s for s in read_feeds(site_file) if name in (None, s.feed_id)]
    if not chosen:
        problem = "names no feeds" if name is None else f"names no feed {name!r}"
        raise InputError(str(site_file), problem, "See docs/feeds.md")
    trials = []
    for settings in chosen:
        kind = kind_of(settings, known)
        # Under a name of its own: a broker's session of the running service stays as it is.
        tried = replace(settings, feed_id=f"{settings.feed_id}-try", sensors=known)
        trials.append(_Trial(Feed(tried, kind, clock)))
    until_s = time.monotonic() + seconds
    threads = [threading.Thread(target=trial.watch, args=(until_s,)) for trial in trials]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if as_json:
        print(json.dumps({"feeds": [_as_json(trial) for trial in trials]}))
    else:
        for trial in trials:
            _print(trial)
    return 0 if all(trial.feed.books.observations for trial in trials) else 1


def _as_json(trial: _Trial) -> dict[str, object]:
    said: dict[str, object] = trial.state.model_dump()
    said["feed"] = trial.feed.settings.feed_id.removesuffix("-try")
    said["seen"] = [_line(o) for o in trial.seen]
    said["found"] = [f"{f.where}: {f.problem} ({f.assumed})" for f in trial.found]
    return said


def _print(trial: _Trial) -> None:
    state = trial.state
    print(_summary(state, trial.feed.settings.feed_id.removesuffix("-try")))
    for observation in trial.seen:
        print(f"    {_line(observation)}")
    for finding in trial.found:
        print(f"    {finding.severity}: {finding.where}: {finding.problem} ({finding.assumed})")
    if state.connected and not state.pieces:
        print("    nothing came: is anything sent there?")
    elif state.pieces and not state.observations:
        print("    what came holds no observation: is it the right kind?")


def _summary(state: FeedOut, name: str) -> str:
    words = state.problem or "well"
    lines = [
        f"{name} ({state.kind} from {state.address}): {words}",
        f"    {state.pieces} pieces of {state.bytes} bytes, {state.observations} observations,"
        f" {state.findings} findings, {state.shed} shed",
    ]
    if state.delay_median_s is not None:
        lines.append(
            f"    from event to receipt {state.delay_least_s:g} s at least, "
            f"{state.delay_median_s:g} s in the middle"
        )
    lines += [f"    {peer}: {said}" for peer, said in state.peers.items()]
    return "\n".join(lines)


_UNITS = {
    Form.POLAR: ("m", "deg", "deg up"),
    Form.BEARING: ("deg", "deg up", ""),
    Form.POSITION: ("N", "E", "m"),
    Form.TRACK: ("N", "E", "m"),
    Form.SIGHTING: ("deg", "", ""),
}


def _line(o: Observation) -> str:
    parts = [
        f"{value:.6g} {unit}"
        for value, unit in zip(o.values, _UNITS[o.form], strict=True)
        if math.isfinite(value)
    ]
    who = "" if o.claim is None else f", {o.claim.scheme} {o.claim.identity or o.claim.transmitter}"
    return f"{format_moment(o.event_time_ns)} {o.sensor_id} {o.form}: {', '.join(parts)}{who}"


def status(target: str, token_file: Path | None, as_json: bool) -> int:
    """How the feeds of a running site do; 1 where one has a problem."""
    said = remote.ask(target, "/v1/feeds", remote.read_token(token_file))
    states = [FeedOut.model_validate(one) for one in json.loads(said)["feeds"]]
    if as_json:
        print(said.decode())
    else:
        for state in states:
            print(_summary(state, state.feed))
        if not states:
            print("the site names no feeds")
    return 1 if any(state.problem for state in states) else 0
