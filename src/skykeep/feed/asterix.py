"""ASTERIX from radars, ADS-B ground stations and other systems' trackers, as batches.

One feed may bring many sources: the option `sources` says for each SAC/SIC which of the site's
sensors it is. CAT 048 becomes polar plots, CAT 021 claimed positions, CAT 062 upstream tracks;
CAT 034 tells of the radar itself. The same record heard twice, as on two networks, counts once.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from skykeep.codec.asterix import Record, Splitter, moment_of
from skykeep.codec.asterix_radar import Plot, Service, plot_of, service_of
from skykeep.codec.asterix_targets import UNMANNED, Target, adsb_of, track_of
from skykeep.config import FeedSettings
from skykeep.core.event import Finding, Severity
from skykeep.core.geo import HeightReference
from skykeep.core.observation import Batch, Claim, Form, Scheme, Sensor, SensorKind
from skykeep.errors import InputError
from skykeep.feed.adsb import NAN, SIGMA_PRESSURE_ALTITUDE_M, claim_of, sigma_of_nac_p
from skykeep.feed.contract import FeedKind, option
from skykeep.feed.findings import FindingLog
from skykeep.feed.inbox import Piece
from skykeep.feed.lines import empty_batch
from skykeep.units import NS_PER_S, BatchId, SensorId

#: A monopulse secondary radar: 70 m and 0.08 degrees are required of one sigma (EUROCONTROL
#: SUR.ET1.ST01.1000-STD-01-01, Radar Surveillance in En-Route Airspace, 6.3). The site may say
#: what its own does.
SIGMA_RANGE_M, SIGMA_AZIMUTH_DEG = 70.0, 0.08
#: What a pressure altitude says of the height above the ellipsoid, one sigma: highest and lowest
#: pressures at sea level put it 762 m low to 422 m high (core/geo), temperature a tenth; two sigma.
SIGMA_PRESSURE_TO_HAE_M, SIGMA_TEMPERATURE_SHARE = 300.0, 0.05
#: What a 3D radar's height is good to, where nobody says.
SIGMA_HEIGHT_3D_M = 150.0
#: A plot without a height is not sought above this: nothing small or slow flies higher.
MOST_HEIGHT_M = 15_000.0
EARTH_RADIUS_M = 6_371_008.8
#: A target's own report without an accuracy class is taken as the least that may be flown with.
#: A system track without one: half the separation of 3 NM that trackers serve would be 2.8 km;
#: what en-route trackers must hold is 300 m (EUROCONTROL SUR.ET1.ST01.1000-STD-01-01, 7.3).
SIGMA_TRACK_M, SIGMA_TRACK_HEIGHT_M = 300.0, 150.0
#: Records remembered to know them again: some seconds of a busy network.
MOST_REMEMBERED = 20_000
#: A radar's clock that is further off than its processing takes is told.
TOLD_OFFSET_S = 5.0
#: Data sources told of one by one.
MOST_SOURCES = 200
_CATEGORY_OF = {SensorKind.RADAR: (34, 48), SensorKind.ADSB: (21,), SensorKind.UPSTREAM: (62,)}
_FORM_OF = {48: Form.POLAR, 21: Form.POSITION, 62: Form.TRACK}
_THREE_NAN = (NAN, NAN, NAN)


def sources_of(settings: FeedSettings) -> dict[tuple[int, int], SensorId]:
    """Which SAC/SIC is which sensor; InputError names the entry that makes no sense."""
    where = f"feeds[{settings.feed_id}].options.sources"
    said = option(settings, "sources", None, dict)
    if not said:
        raise InputError(where, "is missing", 'Give {"SAC/SIC": "sensor"} for each source')
    found = {}
    for name, sensor in said.items():
        sac, _, sic = name.partition("/")
        if not (sac.isdecimal() and sic.isdecimal() and int(sac) < 256 and int(sic) < 256):
            raise InputError(f"{where}.{name}", "is no SAC/SIC", "Give two numbers such as 25/201")
        if not isinstance(sensor, str):
            raise InputError(f"{where}.{name}", f"is {sensor!r}", "Name one of the site's sensors")
        found[int(sac), int(sic)] = SensorId(sensor)
    return found


def _sensors(settings: FeedSettings) -> tuple[SensorId, ...]:
    return tuple(dict.fromkeys(sources_of(settings).values()))


def _per_sensor(settings: FeedSettings, name: str, default: float) -> Callable[[str], float]:
    """An option that is a number, or a number for each sensor by its name."""
    said = option(settings, name, default, (int, float, dict))
    values = list(said.values()) if isinstance(said, dict) else [said]
    for value in values:
        if isinstance(value, str) or not (math.isfinite(value) and value > 0.0):
            where = f"feeds[{settings.feed_id}].options.{name}"
            raise InputError(where, f"is {value!r}", "Give a number above 0")
    if isinstance(said, dict):
        return lambda sensor: float(said.get(sensor, default))
    return lambda _: float(said)


@dataclass(slots=True)
class _Rows:
    """Columns of a batch to be."""

    times: list[int] = field(default_factory=list)
    values: list[tuple[float, float, float]] = field(default_factory=list)
    sigmas: list[tuple[float, float, float]] = field(default_factory=list)
    velocities: list[tuple[float, float, float]] = field(default_factory=list)
    velocity_sigmas: list[tuple[float, float, float]] = field(default_factory=list)
    references: list[int] = field(default_factory=list)
    claims: list[Claim | None] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    hashes: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def batch(
        self, batch_id: BatchId, sensor_id: SensorId, receipt_ns: int, form: Form,
        findings: tuple[Finding, ...],
    ) -> Batch:  # fmt: skip
        tracks = form is Form.TRACK
        return Batch(
            batch_id, sensor_id, receipt_ns, form,
            event_time_ns=np.array(self.times, np.int64),
            values=np.array(self.values, np.float64),
            sigmas=np.array(self.sigmas, np.float64),
            velocities_mps=np.array(self.velocities, np.float64),
            height_references=np.array(self.references, np.int8),
            claims=tuple(self.claims) if any(self.claims) else (),
            words=tuple(self.words) if any(self.words) else (),
            raw_sha256=tuple(self.hashes),
            findings=findings,
            upstream_ids=tuple(self.names) if tracks else (),
            velocity_sigmas_mps=np.array(self.velocity_sigmas, np.float64) if tracks else None,
        )  # fmt: skip


class AsterixDecoder:
    """Datagrams of data blocks, as batches; see `feed.contract.Decoder`."""

    def __init__(self, settings: FeedSettings) -> None:
        """InputError where an option makes no sense."""
        self._settings, self._where = settings, settings.feed_id
        self._sources = sources_of(settings)
        self._sigma_range_m = _per_sensor(settings, "sigma_range_m", SIGMA_RANGE_M)
        self._sigma_azimuth_deg = _per_sensor(settings, "sigma_azimuth_deg", SIGMA_AZIMUTH_DEG)
        self._splitter, self._log = Splitter(), FindingLog()
        self._heard: dict[bytes, None] = {}
        self._rows: dict[tuple[SensorId, Form], _Rows] = {}
        self._strangers: set[tuple[int, int, int]] = set()
        self._batches, self._datagrams, self._last_ns = 0, 0, 0

    def push(self, pieces: Sequence[Piece]) -> Iterable[Batch]:
        """What some datagrams say: a batch for each sensor, received when the last of them was."""
        for piece in pieces:
            self._datagrams += 1
            records, found = self._splitter.split(piece.data)
            for fault in found:
                where = f"{self._where} datagram {self._datagrams}: {fault.where}"
                placed = Finding(where, fault.problem, fault.assumed, fault.severity)
                self._log.add(placed, fault.where.partition(": ")[2])
            for record in records:
                try:
                    self._take(record, piece.at_ns)
                except InputError as error:
                    self._log.refuse(f"{self._where} datagram {self._datagrams}", error)
        self._last_ns = pieces[-1].at_ns
        return tuple(self._drain(self._log.drain()))

    def note(self, finding: Finding) -> None:
        """Add a finding about the stream itself to the next batch."""
        self._log.add(finding, finding.where)

    def close(self) -> Batch | None:
        """What is still to be said at the end."""
        return next(self._drain(self._log.close(self._where)), None)

    def _take(self, record: Record, receipt_ns: int) -> None:
        digest = hashlib.sha256(record.raw)
        if self._again(digest.digest()):
            return
        source = record.items.get(10)
        if source is None:
            mend = "Send SAC and SIC with each record"
            raise InputError(f"I{record.category:03d}/010", "is missing", mend)
        sensor = self._sensor(record.category, source[0], source[1])
        if sensor is None:
            return
        if record.category == 34:
            self._service(service_of(record), sensor, receipt_ns)
            return
        rows = self._rows.setdefault((sensor.sensor_id, _FORM_OF[record.category]), _Rows())
        if record.category == 48:
            taken = self._plot(rows, plot_of(record), sensor, receipt_ns)
        else:
            target = adsb_of(record) if record.category == 21 else track_of(record)
            taken = self._target(rows, target, record.category, receipt_ns)
        if taken:
            rows.hashes.append(digest.hexdigest())

    def _again(self, digest: bytes) -> bool:
        if digest in self._heard:
            words = "the same record came twice"
            self._log.once(Finding(self._where, words, "counted once", Severity.NOTE))
            return True
        self._heard[digest] = None
        if len(self._heard) > MOST_REMEMBERED:
            del self._heard[next(iter(self._heard))]
        return False

    def _sensor(self, category: int, sac: int, sic: int) -> Sensor | None:
        sensor_id = self._sources.get((sac, sic))
        sensor = None if sensor_id is None else self._settings.sensors.get(sensor_id)
        problem = ""
        if sensor is None:
            problem = f"SAC/SIC {sac}/{sic} (category {category}) is none of this feed's sources"
        elif category not in _CATEGORY_OF.get(sensor.kind, ()):
            problem = (
                f"category {category} of {sac}/{sic} does not fit a sensor that is {sensor.kind}"
            )
        if not problem:
            return sensor
        stranger = (category, sac, sic)
        if stranger not in self._strangers and len(self._strangers) < MOST_SOURCES:
            self._strangers.add(stranger)
            mend = "left out: name it in the feed's option `sources`"
            self._log.add(Finding(self._where, problem, mend, Severity.WARNING), "SAC/SIC")
        return None

    def _moment(self, ticks: int, receipt_ns: int, sac: int, sic: int) -> int:
        at_ns = moment_of(ticks, receipt_ns)
        late_s = (receipt_ns - at_ns) / NS_PER_S
        if abs(late_s) > TOLD_OFFSET_S:
            side = "behind" if late_s > 0.0 else "ahead of"
            problem = f"{sac}/{sic} is more than {TOLD_OFFSET_S:g} s {side} receipt"
            words = f"taken as stamped; {abs(late_s):.1f} s when first seen"
            self._log.once(Finding(self._where, problem, words, Severity.WARNING))
        return at_ns

    def _plot(self, rows: _Rows, plot: Plot, sensor: Sensor, receipt_ns: int) -> bool:
        at_ns = self._moment(plot.ticks, receipt_ns, plot.sac, plot.sic)
        if plot.apart or plot.range_m is None or plot.azimuth_deg is None or plot.range_m <= 0.0:
            what = plot.apart or "without a place"
            problem = f"a report of {plot.sac}/{plot.sic} is {what}"
            self._log.once(Finding(self._where, problem, "left out", Severity.NOTE))
            return False
        elevation_deg, sigma_deg = _elevation(plot, plot.range_m, sensor)
        rows.times.append(at_ns)
        rows.values.append((plot.range_m, plot.azimuth_deg, elevation_deg))
        sigma_range_m = self._sigma_range_m(sensor.sensor_id)
        rows.sigmas.append((sigma_range_m, self._sigma_azimuth_deg(sensor.sensor_id), sigma_deg))
        rows.velocities.append(_THREE_NAN)
        rows.references.append(int(HeightReference.NONE))
        rows.claims.append(_answer(plot))
        level = plot.flight_level_m
        rows.words.append("" if level is None else f"pressure altitude {level:.0f} m (Mode C)")
        return True

    def _target(self, rows: _Rows, target: Target, category: int, receipt_ns: int) -> bool:
        at_ns = self._moment(target.ticks, receipt_ns, target.sac, target.sic)
        if target.apart or (category == 21 and target.address is None):
            problem = f"a report of {target.sac}/{target.sic} is {target.apart or 'of nobody'}"
            self._log.once(Finding(self._where, problem, "left out", Severity.NOTE))
            return False
        height_m, reference, sigma_m = _height(target, category)
        if category == 21:
            east_m = north_m = sigma_of_nac_p(target.nac_p)
        else:
            east_m = target.sigma_east_m or SIGMA_TRACK_M
            north_m = target.sigma_north_m or SIGMA_TRACK_M
        rows.times.append(at_ns)
        rows.values.append((target.lat_deg, target.lon_deg, height_m))
        rows.sigmas.append((east_m, north_m, sigma_m))
        rows.velocities.append((_or(target.east_mps), _or(target.north_mps), _or(target.up_mps)))
        sigma_mps = (_or(target.sigma_east_mps), _or(target.sigma_north_mps), NAN)
        rows.velocity_sigmas.append(sigma_mps)
        rows.references.append(int(reference))
        rows.claims.append(_claim(target, category))
        rows.words.append("")
        rows.names.append(f"{target.sac}/{target.sic}/{target.track_number}")
        return True

    def _service(self, said: Service, sensor: Sensor, receipt_ns: int) -> None:
        """The radar on itself. It was heard, even where it sees nothing: an empty batch."""
        if said.ticks is not None:
            self._moment(said.ticks, receipt_ns, said.sac, said.sic)
        self._rows.setdefault((sensor.sensor_id, Form.POLAR), _Rows())
        source = f"{said.sac}/{said.sic}"
        if said.nogo:
            problem = f"radar {source} says that it is not to be used"
            self._log.once(Finding(self._where, problem, "its plots are taken", Severity.WARNING))
        if said.overload:
            problem = f"radar {source} says that it is overloaded"
            self._log.once(Finding(self._where, problem, "plots may be missing", Severity.WARNING))
        if said.kind in (4, 6, 7):
            problem = f"radar {source} reports a jamming strobe"
            self._log.once(Finding(self._where, problem, "plots may be missing", Severity.WARNING))
        if said.lat_deg is None or said.lon_deg is None:
            return
        north_m = math.radians(said.lat_deg - sensor.lat_deg) * EARTH_RADIUS_M
        east_m = math.radians(said.lon_deg - sensor.lon_deg) * EARTH_RADIUS_M
        off_m = math.hypot(north_m, east_m * math.cos(math.radians(sensor.lat_deg)))
        if off_m > 100.0:  # a good fraction of an antenna's accuracy, and five steps of I034/120
            problem = f"radar {source} places itself elsewhere than the site file"
            words = f"the site file's place; {off_m:.0f} m apart"
            self._log.once(Finding(self._where, problem, words, Severity.WARNING))

    def _drain(self, findings: tuple[Finding, ...]) -> Iterator[Batch]:
        rows, self._rows = self._rows, {}
        if not rows and findings:
            rows = {(self._settings.sensor_id, Form.POLAR): _Rows()}
        for (sensor_id, form), columns in rows.items():
            self._batches += 1
            batch_id = BatchId(f"{sensor_id}:{self._last_ns}:{self._batches}")
            if columns.times:
                yield columns.batch(batch_id, sensor_id, self._last_ns, form, findings)
            else:
                yield empty_batch(batch_id, sensor_id, self._last_ns, form, findings)
            findings = ()


def _or(value: float | None) -> float:
    return NAN if value is None else value


def _answer(plot: Plot) -> Claim | None:
    """What a transponder answered the radar with: drones carry none, so the aircraft is crewed."""
    airborne = None if plot.on_ground is None else not plot.on_ground
    if plot.address is not None and plot.address not in ("000000", "ffffff"):
        return Claim(
            Scheme.MODE_S, plot.address, plot.address, category=plot.callsign, crewed=True,
            airborne=airborne,
        )  # fmt: skip
    if plot.mode_a is None or plot.track_number is None:
        return None
    # Many fly with the same code: the radar's own number keeps them apart.
    name = f"{plot.sac}/{plot.sic}/{plot.track_number}/{plot.mode_a}"
    return Claim(
        Scheme.MODE_S, None, name, "mode_a", category=plot.mode_a, crewed=True, airborne=airborne
    )


def _claim(target: Target, category: int) -> Claim | None:
    if target.address is None:
        return None
    airborne = None if target.on_ground is None else not target.on_ground
    claim = claim_of(target.address, target.callsign, airborne)
    if target.category != UNMANNED and not target.anonymous and category == 21:
        return claim
    crewed = False if target.category == UNMANNED else None if target.anonymous else True
    scheme = Scheme.ADSB if category == 21 else Scheme.MODE_S
    return Claim(scheme, claim.identity, claim.transmitter, category=claim.category,
                 crewed=crewed, airborne=airborne)  # fmt: skip


def _height(target: Target, category: int) -> tuple[float, HeightReference, float]:
    """Height, its reference and sigma. ADS-B's pressure altitude is the better monitored one."""
    fallback_m = SIGMA_PRESSURE_ALTITUDE_M if category == 21 else SIGMA_TRACK_HEIGHT_M
    if target.hae_m is not None and (category == 62 or target.pressure_m is None):
        return target.hae_m, HeightReference.HAE, target.sigma_height_m or fallback_m
    if target.pressure_m is not None:
        return target.pressure_m, HeightReference.PRESSURE, target.sigma_height_m or fallback_m
    return NAN, HeightReference.NONE, NAN


def _elevation(plot: Plot, range_m: float, sensor: Sensor) -> tuple[float, float]:
    """Elevation of a plot above the radar's horizontal and its sigma, degrees.

    From the height that a 3D radar measured or the transponder said, on a round earth; else the
    middle of where the radar looks and something may fly.
    """
    height_m = plot.height_m if plot.height_m is not None else plot.flight_level_m
    if height_m is not None:
        sigma_m = SIGMA_HEIGHT_3D_M
        if plot.height_m is None:
            share_m = SIGMA_TEMPERATURE_SHARE * abs(height_m)
            sigma_m = math.hypot(SIGMA_PRESSURE_TO_HAE_M, share_m, SIGMA_PRESSURE_ALTITUDE_M)
        sine = _sine(range_m, height_m, sensor.height_hae_m)
        if abs(sine) < 1.0:
            elevation = math.asin(sine)
            sigma = sigma_m / max(range_m * math.cos(elevation), sigma_m)
            return math.degrees(elevation), math.degrees(sigma)
    top = _sine(range_m, MOST_HEIGHT_M, sensor.height_hae_m)
    highest = math.degrees(math.asin(min(top, 1.0))) if top > -1.0 else -90.0
    low = max(sensor.coverage.elevation_min_deg, 0.0)
    high = max(min(sensor.coverage.elevation_max_deg, highest), low + 1.0)
    return (low + high) / 2.0, (high - low) / math.sqrt(12.0)


def _sine(range_m: float, height_m: float, own_m: float) -> float:
    """Sine of the elevation at which something at that slant range has that height."""
    here, there = EARTH_RADIUS_M + own_m, EARTH_RADIUS_M + height_m
    return (there * there - here * here - range_m * range_m) / (2.0 * here * range_m)


KIND = FeedKind(
    "asterix",
    "ASTERIX CAT 034/048 from radars, 021 from ADS-B stations, 062 from trackers, over UDP",
    ("udp",),
    (SensorKind.RADAR, SensorKind.ADSB, SensorKind.UPSTREAM),
    AsterixDecoder,
    options=("sources", "sigma_range_m", "sigma_azimuth_deg"),
    sensors=_sensors,
)
