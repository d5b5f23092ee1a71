"""A feed is of a kind that there is, for a sensor that fits it."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints

import pytest

from skykeep.config import FeedSettings
from skykeep.errors import InputError
from skykeep.feed import kinds as room
from skykeep.feed.kinds import PLUGINS, kind_of, kinds
from skykeep.feed.sbs1 import KIND
from skykeep.units import SensorId
from tests.sky import RADAR

SENSORS = {str(RADAR.sensor_id): RADAR}


def settings(kind: str = "sbs1", sensor: str = "radar-1", **options: str) -> FeedSettings:
    return FeedSettings("f", SensorId(sensor), kind, "tcp://127.0.0.1:1", options)


@pytest.mark.parametrize(
    ("given", "where", "problem"),
    [
        (settings("morse"), "feeds[f].kind", "there is no kind 'morse'"),
        (settings(sensor="nowhere"), "feeds[f].sensor", "the site has no sensor 'nowhere'"),
        (settings(sensor=str(RADAR.sensor_id)), "feeds[f].sensor", "is of kind position"),
    ],
)
def test_what_does_not_fit_is_named(given: FeedSettings, where: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem) as caught:
        kind_of(given, SENSORS)
    assert caught.value.where == where


def plugged(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    entry = EntryPoint("x", value, PLUGINS)
    monkeypatch.setattr(room, "entry_points", lambda group: EntryPoints([entry]))
    kinds.cache_clear()
    monkeypatch.setattr(room.kinds, "cache_clear", kinds.cache_clear)


@pytest.fixture(autouse=True)
def fresh() -> None:
    kinds.cache_clear()


def test_a_plugin_is_a_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    plugged(monkeypatch, "tests.unit.feed.test_kinds:BROUGHT")
    assert kinds()["brought"].words == "of a plugin"


BROUGHT = room.OURS[0].__class__(
    "brought", "of a plugin", ("udp",), KIND.sensor_kinds, KIND.decoder
)


@pytest.mark.parametrize(
    ("value", "problem"),
    [("tests.unit.feed.test_kinds:SENSORS", "gives no FeedKind"), ("no.where:X", "cannot be")],
)
def test_a_plugin_that_is_none(monkeypatch: pytest.MonkeyPatch, value: str, problem: str) -> None:
    plugged(monkeypatch, value)
    with pytest.raises(InputError, match=problem):
        kinds()
