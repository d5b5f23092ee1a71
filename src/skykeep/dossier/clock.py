"""The dossier's clock: moments in the site's own time, and in seconds since its first point."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from skykeep.dossier.excerpt import Excerpt
from skykeep.dossier.view import ClockView
from skykeep.units import NS_PER_S, to_datetime

#: No zone of time changes its offset twice within this.
STEP_S = 900.0


class Clock:
    """Moments of one excerpt; what happens to its tracks lies in [`zero_ns`, `last_ns`]."""

    def __init__(self, excerpt: Excerpt) -> None:
        self._zone = ZoneInfo(excerpt.site.time_zone)
        held = [states for states in excerpt.states.values() if states]
        self.zero_ns = min((s[0].state_at_ns for s in held), default=excerpt.last_ns)
        self.last_ns = max((s[-1].state_at_ns for s in held), default=excerpt.last_ns)

    def __call__(self, at_ns: int) -> str:
        """The local date and time of day."""
        return f"{to_datetime(at_ns).astimezone(self._zone):%Y-%m-%d %H:%M:%S}"

    def seconds(self, at_ns: int) -> float:
        """Seconds since the first point, to the millisecond."""
        return round((at_ns - self.zero_ns) / NS_PER_S, 3)

    @property
    def end_s(self) -> float:
        """The last point's second."""
        return self.seconds(self.last_ns)

    def view(self) -> ClockView:
        """What a page needs to show times of day by itself."""
        offsets: list[tuple[float, float]] = []
        at_s = 0.0
        while at_s <= self.end_s + STEP_S:
            local = to_datetime(self.zero_ns + round(at_s * NS_PER_S)).astimezone(self._zone)
            ahead = local.utcoffset()
            offset_s = 0.0 if ahead is None else ahead.total_seconds()
            if not offsets or offsets[-1][1] != offset_s:
                offsets.append((at_s, offset_s))
            at_s += STEP_S
        return ClockView(self.zero_ns / NS_PER_S, tuple(offsets))

    def minute_marks(self) -> tuple[tuple[float, str], ...]:
        """The whole minutes of the tracks, in local time."""
        minute_ns = 60 * NS_PER_S
        whole = range(-(-self.zero_ns // minute_ns), self.last_ns // minute_ns + 1)
        return tuple((self.seconds(m * minute_ns), self(m * minute_ns)[11:16]) for m in whole)
