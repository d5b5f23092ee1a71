"""The history: what the record says and no more, whole files only, nobody's name."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from skykeep.core.retention import EraseKeys
from skykeep.errors import RecordError
from skykeep.record.entry import HOUR_NS, FactKey
from skykeep.runtime import Recorded
from skykeep.store import history as room
from skykeep.store import history_files, history_query, history_rows
from skykeep.store.history import Follower, History, joinable
from skykeep.store.history_catalogue import CATALOGUE_FILE, read_catalogue
from skykeep.store.history_query import (
    Wanted,
    find_observations,
    find_tracks,
    looked_up,
)
from skykeep.store.pseudonym import Pseudonyms
from skykeep.store.record_store import RecordStore
from tests.sky import OFFICER, SERIAL, SITE, at
from tests.unit.store.history_scene import (
    HISTORY,
    OTHER,
    copy_of,
    identities_in,
    keys_of,
    observations_in,
    opened,
    play,
    states_in,
    written,
)

ALL = Wanted(0, 2**62)
SENSOR = "rid"


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("night") / "record"
    play(folder)
    return folder


@pytest.fixture
def folder(night: Path, tmp_path: Path) -> Path:
    return copy_of(night, tmp_path / "record")


def asked(history: History, **more: Any) -> list[tuple[int, int]]:
    found = find_observations(history, Wanted(**({"from_ns": 0, "to_ns": 2**62} | more)))
    return [(r["entry"], r["row"]) for r in found.dicts()]


def rows_of(history: History) -> list[tuple[Any, ...]]:
    return [*find_observations(history, ALL).rows, *find_tracks(history, ALL).rows]


def names_of(store: RecordStore, serial: str) -> tuple[bytes, ...]:
    return tuple(Pseudonyms(store).all_of(serial, range(2**31)))


# -- what it says -------------------------------------------------------------------------


@pytest.mark.parametrize("every", [None, 7])
def test_it_answers_as_reading_all_of_the_record_does(folder: Path, every: int | None) -> None:
    with opened(folder) as (store, history):
        written(store, history, every)
        seen, states = observations_in(store), states_in(store)
        lat, lon = seen[0]["lat"], seen[0]["lon"]
        box = (lat - 1e-3, lon - 2e-3, lat + 2e-4, lon + 1e-3)
        south, west, north, east = box

        def inside(r: dict[str, Any]) -> bool:
            return bool(south <= r["lat"] <= north and west <= r["lon"] <= east)

        some = keys_of(seen, inside)
        assert 10 < len(some) < len(seen) - 10
        assert asked(history) == keys_of(seen, lambda r: True)
        assert asked(history, box=box) == some
        assert asked(history, box=(south, east, north, west)) == keys_of(
            seen,
            lambda r: bool(south <= r["lat"] <= north) and (r["lon"] >= east or r["lon"] <= west),
        )
        low, high = at(3.0), at(7.0)
        assert asked(history, from_ns=low, to_ns=high) == keys_of(
            seen, lambda r: bool(low <= r["at_ns"] < high)
        )
        assert asked(history, sensor="df") == keys_of(seen, lambda r: r["sensor"] == "df")
        for serial in (SERIAL, OTHER, "NOBODY"):
            names = names_of(store, serial)
            told = keys_of(seen, lambda r, s=serial: r["serial"] == s)  # type: ignore[misc]
            assert asked(history, pseudonyms=names) == told, serial
        said = [(e, p, s.track_id) for e, p, s in states]
        rows = list(find_tracks(history, ALL).dicts())
        assert [(r["entry"], r["row"], r["track_id"]) for r in rows] == said


def test_a_track_is_found_with_all_that_it_rests_on(folder: Path) -> None:
    with opened(folder) as (store, history):
        written(store, history, 9)
        seen, states = observations_in(store), states_in(store)
        for track in sorted({s.track_id for _, _, s in states}):
            own = [(e, p, s) for e, p, s in states if s.track_id == track]
            refs = {ref for _, _, s in own for ref in s.observations}
            rest = [(r["entry"], r["row"]) for r in seen if r["ref"] in refs]
            assert asked(history, track=str(track)) == rest
            found = find_tracks(history, Wanted(0, 2**62, track=str(track)))
            assert [(r["entry"], r["row"]) for r in found.dicts()] == [(e, p) for e, p, _ in own]
            for row, (_, _, state) in zip(found.dicts(), own, strict=True):
                place = SITE.frame.to_geodetic(
                    state.east_mm / 1e3, state.north_mm / 1e3, state.up_mm / 1e3
                )
                assert (row["lat_deg"], row["lon_deg"], row["height_hae_m"]) == place
                assert row["sensors"] == list(state.sensors)
                assert row["observations"] == list(state.observations)
                assert row["velocity_east_mps"] == np.float32(state.velocity_east_mmps / 1e3)
        assert asked(history, track="T99999") == []


def test_a_serial_finds_the_tracks_that_were_taken_for_it(folder: Path) -> None:
    with opened(folder) as (store, history):
        written(store, history, 11)
        for serial in (SERIAL, OTHER):
            taken = {i.track_id for i in identities_in(store) if i.identity == serial}
            assert taken
            wanted = Wanted(at(10.0), at(13.0))
            found = find_tracks(history, looked_up(history, store, wanted, serial))
            assert {r["track_id"] for r in found.dicts()} == taken
        assert not find_tracks(history, Wanted(0, 2**62, pseudonyms=())).rows


@pytest.mark.parametrize("limit", [1, 4, 1_000])
def test_pages_together_are_all_of_it(folder: Path, limit: int) -> None:
    with opened(folder) as (store, history):
        written(store, history, 10)
        found: list[tuple[int, int]] = []
        wanted: Wanted | None = Wanted(0, 2**62, limit=limit)
        while wanted is not None:
            page = find_observations(history, wanted)
            assert len(page.rows) <= limit
            found += [(r["entry"], r["row"]) for r in page.dicts()]
            more = page.more
            wanted = None if more is None else Wanted(0, 2**62, limit=limit, after=more)
        assert found == keys_of(observations_in(store), lambda r: True)


def test_a_row_says_what_was_measured(folder: Path) -> None:
    with opened(folder) as (store, history):
        written(store, history)
        rows = list(find_observations(history, ALL).dicts())
        polar = next(r for r in rows if r["form"] == "polar")
        assert (polar["range_m"], polar["azimuth_deg"], polar["elevation_deg"]) == (1_500, 93, 10)
        assert (polar["sigma_range_m"], polar["sigma_east_m"]) == (5.0, None)
        assert polar["height_reference"] == "HAE"
        plot = next(r for r in rows if r["sensor"] == "radar" and r["form"] == "position")
        assert (plot["sigma_east_m"], plot["sigma_height_m"], plot["range_m"]) == (5.0, 8.0, None)
        assert plot["kind_drone"] == np.float32(0.97)
        assert plot["received_ns"] == at(1.0)
        assert plot["batch_id"] == "radar:1"
        bearing = next(r for r in rows if r["form"] == "bearing")
        assert (bearing["azimuth_deg"], bearing["sigma_azimuth_deg"]) == (30.0, 4.0)
        assert bearing["elevation_deg"] is None


def test_the_curve_steps_from_neighbour_to_neighbour() -> None:
    side, bits = 16, history_rows.CELL_BITS
    step_lat, step_lon = 180.0 / (1 << bits), 360.0 / (1 << bits)
    i, j = (a.ravel() for a in np.meshgrid(np.arange(side), np.arange(side), indexing="ij"))
    # A square of the grid whose corner is a multiple of its side: the curve fills it in one go.
    lat, lon = (i + side * 40_000 + 0.5) * step_lat - 90.0, (j + side * 30_000 + 0.5) * step_lon
    cells = history_rows.cells_of(lat, lon - 180.0)
    order = np.argsort(cells)
    assert np.array_equal(np.diff(cells[order].astype(np.int64)), np.ones(side * side - 1))
    walked = np.abs(np.diff(i[order])) + np.abs(np.diff(j[order]))
    assert set(walked.tolist()) == {1}
    nowhere = history_rows.cells_of(np.array([np.nan, 91.0]), np.array([0.0, 181.0]))
    assert nowhere[0] == history_rows.NOWHERE != nowhere[1]


# -- nobody's name ------------------------------------------------------------------------


def bytes_of(history: History) -> bytes:
    """Every file, and every value in it as text: nothing hides behind a compression."""
    found = [p.read_bytes() for p in sorted(history.folder.rglob("*")) if p.is_file()]
    for path in sorted(history.folder.glob("*/*/*.parquet")):
        rows = duckdb.execute("SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
        found += [str(rows).encode()]
    return b"\n".join(found)


def test_no_name_is_in_it_and_without_its_key_none_can_be_looked_up(folder: Path) -> None:
    with opened(folder) as (store, history):
        written(store, history, 8)
        names = names_of(store, SERIAL)
        assert len(asked(history, pseudonyms=names)) == 13
        said = bytes_of(history)
        for word in (SERIAL, OTHER, "Anna", "a-7"):
            assert word.encode() not in said, word
        keys = tuple(store.sealing_keys())
    desk = Recorded(folder, SITE)
    desk.take([EraseKeys(OFFICER, keys, "older than 30 days")])
    desk.close()
    with opened(folder) as (store, history):
        written(store, history)
        assert names_of(store, SERIAL) == ()
        assert len(asked(history)) == len(observations_in(store))
        fresh = FactKey(bytes(32))

        class Guessed:
            def sealing_keys(self) -> list[tuple[str, int]]:
                return [*keys]

            def sealing_key(self, source: str, hour: int) -> FactKey:
                return fresh

        guess = tuple(Pseudonyms(Guessed()).all_of(SERIAL, range(2**31)))
        assert guess
        assert asked(history, pseudonyms=guess) == []
        assert SERIAL.encode() not in bytes_of(history)
        shutil.rmtree(history.folder)
    with opened(folder) as (store, history):
        written(store, history)
        assert not find_tracks(history, Wanted(0, 2**62, pseudonyms=names)).rows
        assert asked(history, pseudonyms=names) == []
        assert len(asked(history)) == len(observations_in(store))


def test_a_pseudonym_is_of_its_source_hour_and_scheme(folder: Path) -> None:
    with opened(folder) as (store, _):
        names = Pseudonyms(store)
        hour = at(1.0) // HOUR_NS
        one = names.of(SENSOR, hour, "remote_id", SERIAL)
        assert one is not None
        assert len(one) == 16
        assert one == Pseudonyms(store).of(SENSOR, hour, "remote_id", SERIAL)
        assert one != names.of(SENSOR, hour, "adsb", SERIAL)
        assert one != names.of("engine", hour, "remote_id", SERIAL)
        assert one != names.of(SENSOR, hour, "remote_id", OTHER)
        assert names.of(SENSOR, hour + 9, "remote_id", SERIAL) is None
        assert names.all_of(SERIAL, range(hour + 1, hour + 9)) == []


# -- whole files only ---------------------------------------------------------------------


class KilledError(BaseException):
    """As if the process were gone."""


def test_whatever_step_it_dies_at_only_whole_parts_are_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(folder) as (store, history):
        written(store, history, 30)
        whole = rows_of(history)
        shutil.rmtree(history.folder)
    steps = 0
    while True:
        left = [steps]

        def die(*given: Any, name: str, own: Any, left: list[int] = left) -> Any:
            if left[0] == 0:
                raise KilledError(name)
            left[0] -= 1
            return own(*given)

        with opened(folder) as (store, history), monkeypatch.context() as patched:
            for owner, name in (
                (history_files.os, "fsync"), (history_files.Path, "replace"),
                (room, "write_catalogue"),
            ):  # fmt: skip
                own = getattr(owner, name)
                patched.setattr(
                    owner, name, lambda *given, name=name, own=own: die(*given, name=name, own=own)
                )
            try:
                written(store, history, 30)
            except KilledError:
                pass
            else:
                break
        with opened(folder) as (_, history):
            found = rows_of(history)
            assert len(found) == len(set(map(str, found)))
            assert {str(r) for r in found} <= {str(r) for r in whole}
            assert history.gaps() == []
            assert list(history.faults()) == []
        if steps % 3 == 2:  # and it goes on from there as if nothing had been
            with opened(folder) as (store, history):
                written(store, history)
                assert rows_of(history) == whole
                assert not list(history.folder.rglob("*.part"))
            shutil.rmtree(folder / HISTORY)
        steps += 3
    assert steps >= 15


def test_a_copy_that_is_taken_while_it_is_written_can_be_asked(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies: list[Path] = []
    own = history_files.put_in_place

    def copied(part: Path, path: Path) -> None:
        for when in (0, 1):
            copies.append(copy_of(folder / HISTORY, tmp_path / f"copy-{len(copies)}"))
            if when == 0:
                own(part, path)

    with opened(folder) as (store, history):
        with monkeypatch.context() as patched:
            patched.setattr(history_files, "put_in_place", copied)
            patched.setattr("skykeep.store.history_catalogue.put_in_place", copied)
            written(store, history, 15)
            history.join(0.0)
        whole = rows_of(history)
        seen = observations_in(store)
    assert len(copies) > 20
    reached = []
    for copy in copies[::4]:
        history = History(copy)
        found = find_observations(history, ALL).rows
        assert found == find_observations_before(whole, len(seen), history.end)
        reached.append(history.end)
        history.close()
    assert reached == sorted(reached)
    assert len(set(reached)) > 3


def find_observations_before(
    whole: list[tuple[Any, ...]], count: int, end: int
) -> list[tuple[Any, ...]]:
    return [row for row in whole[:count] if row[0] < end]


@pytest.mark.parametrize("damage", ["gone", "torn", "old", "other"])
def test_a_catalogue_that_is_behind_or_damaged_is_made_again_from_the_files(
    folder: Path, damage: str
) -> None:
    with opened(folder) as (store, history):
        follower = Follower(history, store)
        follower.follow(store, 30)
        follower.close_part()
        path = history.folder / CATALOGUE_FILE
        old = path.read_bytes()
        written(store, history, 10)
        whole, files = rows_of(history), read_catalogue(history.folder)
        new = path.read_bytes()
        path.write_bytes({"torn": new[: len(new) // 2], "old": old, "other": b"x" * 999}.get(
            damage, b"")
        )  # fmt: skip
        if damage == "gone":
            path.unlink()
    with opened(folder) as (store, history):
        assert rows_of(history) == whole
        written(store, history)
        assert read_catalogue(history.folder) == files


def test_a_file_that_is_lost_is_named_and_written_again(folder: Path) -> None:
    with opened(folder) as (store, history):
        written(store, history, 12)
        whole = rows_of(history)
        lost = history.parts[2]
        (history.folder / lost.files[0].path).unlink()
    with opened(folder) as (store, history):
        assert history.gaps() == [(lost.first, lost.end)]
        assert len(rows_of(history)) < len(whole)
        written(store, history)
        assert history.gaps() == []
        assert rows_of(history) == whole


def test_a_flipped_bit_is_found_by_the_hash(folder: Path) -> None:
    with opened(folder) as (store, history):
        written(store, history)
        assert list(history.faults()) == []
        name = history.parts[0].files[0].path
        path = history.folder / name
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        assert list(history.faults()) == [f"{name} was altered"]


def test_a_file_that_is_none_of_ours_is_left_out_and_one_of_another_record_goes(
    folder: Path, tmp_path: Path
) -> None:
    play(tmp_path / "other", 4)
    with opened(tmp_path / "other") as (store, history):
        written(store, history)
        foreign = len(rows_of(history))
        stray = history.folder / "tracks" / "2026-09-12" / "stray.parquet"
        stray.write_bytes(b"no Parquet at all")
        duckdb.execute(f"COPY (SELECT 1 AS one) TO '{stray}2.parquet' (FORMAT parquet)")
        history.refresh()
        assert len(rows_of(history)) == foreign
    copy_of(tmp_path / "other" / HISTORY, folder / HISTORY)
    with opened(folder) as (store, history):
        assert history.records()
        written(store, history)
        assert keys_of(observations_in(store), lambda r: True) == asked(history)


def test_small_parts_are_joined_and_stay_for_a_copy_that_is_under_way(folder: Path) -> None:
    with opened(folder) as (store, history):
        written(store, history, 3)
        whole, before = rows_of(history), len(history.parts)
        assert before > 2 * room.JOINED
        history.join(100.0)
        assert len(history.parts) < before / 2
        assert joinable(history.parts) == ()
        assert rows_of(history) == whole
        names = {f.path for p in history.parts for f in p.files}
        there = {
            p.relative_to(history.folder).as_posix() for p in history.folder.glob("*/*/*.parquet")
        }
        assert names < there
        again = History(history.folder)  # as a copy with all of them sees it
        assert again.parts == history.parts
        again.close()
        history.join(100.0 + room.GRACE_S)
        assert {f.exists() for f in (history.folder / n for n in there - names)} == {True}
        history.join(101.0 + room.GRACE_S)
        assert {f.exists() for f in (history.folder / n for n in there - names)} == {False}
        assert rows_of(history) == whole
    with opened(folder) as (store, history):
        written(store, history)
        assert rows_of(history) == whole


def test_it_goes_on_as_one_that_never_stopped(folder: Path) -> None:
    """Sensors are known from before: a part's foot has them."""
    for step in (9, 31, 4):
        with opened(folder) as (store, history):
            follower = Follower(history, store)
            follower.follow(store, step)
            follower.close_part()
    with opened(folder) as (store, history):
        written(store, history)
        parts = rows_of(history)
        shutil.rmtree(history.folder)
    with opened(folder) as (store, history):
        written(store, history)
        assert rows_of(history) == parts
        assert all(r[7] is not None for r in find_observations(history, ALL).rows)


def test_what_duckdb_cannot_read_is_an_error_of_ours(folder: Path) -> None:
    with opened(folder) as (store, history):
        written(store, history)
        for part in history.parts:
            for file in part.files:
                (history.folder / file.path).write_bytes(b"PAR1 torn")
        with pytest.raises(RecordError, match="history cannot be read"):
            find_observations(history, ALL)


def test_a_question_that_takes_too_long_is_stopped(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_query, "QUERY_S", 0.1)
    with opened(folder) as (store, history):
        written(store, history)
        with (
            pytest.raises(RecordError, match="took too long"),
            history_query._asking(history) as db,
        ):
            db.execute("SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b")
        assert asked(history)


def test_the_catalogue_can_be_asked_with_plain_sql(folder: Path) -> None:
    with opened(folder) as (store, history):
        written(store, history, 25)
        db = sqlite3.connect(history.folder / CATALOGUE_FILE)
        rows = db.execute("SELECT sum(rows) FROM files WHERE kind = 'observations'").fetchone()
        db.close()
        assert rows == (len(observations_in(store)),)
