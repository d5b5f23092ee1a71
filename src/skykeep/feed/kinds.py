"""The kinds of feed that there are: ours, and those that plugins bring (docs/feeds.md)."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points

from skykeep.config import FeedSettings
from skykeep.core.observation import Sensor
from skykeep.errors import InputError
from skykeep.feed import asterix, beast, cot, json_batches, remote_id_live, sapient, sbs1
from skykeep.feed.contract import FeedKind

#: Packages name their kinds here: an entry point that gives a `FeedKind`.
PLUGINS = "skykeep.feeds"
OURS: tuple[FeedKind, ...] = (
    sbs1.KIND,
    asterix.KIND,
    beast.KIND,
    beast.PAGE,
    cot.KIND,
    sapient.KIND,
    json_batches.KIND,
    remote_id_live.RADIO,
    remote_id_live.DRONESCOUT,
    remote_id_live.MAVLINK,
)


@cache
def kinds() -> dict[str, FeedKind]:
    """Every kind by its name; ours come first and cannot be replaced.

    InputError for a plugin that gives no kind.
    """
    found = {kind.name: kind for kind in OURS}
    for entry in sorted(entry_points(group=PLUGINS), key=lambda e: e.name):
        where = f"plugin {entry.name} ({entry.value})"
        try:
            kind = entry.load()
        except Exception as error:
            raise InputError(where, f"cannot be loaded ({error!r})", "Mend or remove it") from error
        if not isinstance(kind, FeedKind):
            raise InputError(where, "gives no FeedKind", "Mend or remove it")
        found.setdefault(kind.name, kind)
    return found


def kind_of(settings: FeedSettings, sensors: dict[str, Sensor]) -> FeedKind:
    """The kind that a feed is of; InputError where it does not fit its site."""
    where = f"feeds[{settings.feed_id}]"
    kind = kinds().get(settings.kind)
    if kind is None:
        mend = f"Give one of {', '.join(sorted(kinds()))}"
        raise InputError(f"{where}.kind", f"there is no kind {settings.kind!r}", mend)
    unknown = sorted(set(settings.options) - {*kind.options, "interval_s", "silence_s"})
    if unknown:
        mend = f"Leave it out; there are {', '.join(kind.options) or 'none'}"
        raise InputError(f"{where}.options.{unknown[0]}", "is no option of this kind", mend)
    more = () if kind.sensors is None else kind.sensors(settings)
    for sensor_id in (settings.sensor_id, *more):
        sensor = sensors.get(sensor_id)
        if sensor is None:
            problem = f"the site has no sensor {sensor_id!r}"
            raise InputError(f"{where}.sensor", problem, "Name one of the site's sensors")
        if sensor.kind not in kind.sensor_kinds:
            problem = f"sensor {sensor.sensor_id!r} is of kind {sensor.kind}"
            mend = f"A feed of kind {kind.name} needs one of {', '.join(kind.sensor_kinds)}"
            raise InputError(f"{where}.sensor", problem, mend)
    return kind
