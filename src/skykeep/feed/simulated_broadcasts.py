"""What simulated aircraft broadcast: Remote ID and ADS-B, as real bytes through the codecs.

A message is encoded, "received" and decoded again by the same code that reads a real
receiver, so that a simulated night exercises the whole line from the bytes on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from skykeep.codec.remote_id_encode import encode_pack
from skykeep.codec.remote_id_messages import (
    BasicId,
    CategoryEu,
    Classification,
    HeightAboveTakeOff,
    IdType,
    Location,
    OperatorLocation,
    Status,
    System,
    UaType,
)
from skykeep.codec.sbs1 import Sbs1Message, encode_line
from skykeep.core.geo import F64, HeightHae, HeightPressure
from skykeep.core.observation import Batch, Sensor
from skykeep.feed.paths import Path
from skykeep.feed.remote_id import Assembler
from skykeep.feed.sbs1 import Sbs1Assembler
from skykeep.feed.simulator import Observer, Placement, Stretch, stream
from skykeep.units import METRES_PER_FOOT, MPS_PER_FOOT_PER_MINUTE, MPS_PER_KNOT, NS_PER_S

#: Errors of a drone's satellite receiver in a city: one sigma east and north alike, and up.
GNSS_SIGMA_M = (3.0, 3.0, 5.0)
#: They wander slowly, with the satellites and the reflecting walls.
GNSS_CORRELATION_S = 30.0
#: What it declares: the bounds of 95 % that cover the sigmas (F3411-22a tables 8 and 9).
GNSS_BOUND_HORIZONTAL_M, GNSS_BOUND_VERTICAL_M = 10.0, 10.0
SPEED_BOUND_MPS, TIME_BOUND_S = 1.0, 0.1
#: From the broadcast's last bit to the receiver's report.
RECEIPT_DELAY_S = 0.002
#: Reception falls from this share near by ...
NEAR_RECEPTION = 0.97
#: ... to half of it at this share of the range, and to none at the range's end.
HALF_RECEPTION_SHARE = 0.8

#: The standard atmosphere's constants (ICAO Doc 7488): sea level, lapse rate, exponent.
ISA_PRESSURE_HPA, ISA_TEMPERATURE_K, ISA_LAPSE_KPM = 1013.25, 288.15, 0.0065
ISA_EXPONENT = 0.190_263  # R * lapse / g
ALTITUDE_STEP_FT = 25.0  # Mode S altitude code with the Q bit
CALLSIGN_EVERY_S = 5  # aircraft identification in flight, ICAO Doc 9871


def pressure_altitude_m(amsl_m: float, qnh_hpa: float) -> float:
    """Standard-atmosphere altitude of a height above sea level on a day with this QNH.

    The day's temperature is the standard one (that is what QNH assumes).
    """
    ratio = math.pow(qnh_hpa / ISA_PRESSURE_HPA, ISA_EXPONENT)
    zero = ISA_TEMPERATURE_K / ISA_LAPSE_KPM
    return zero * (1.0 - ratio * (1.0 - amsl_m / zero))


@dataclass(frozen=True, slots=True, eq=False)
class RemoteIdEmitter:
    """A transmitter of Remote ID: where its radio is, and where it says its aircraft is.

    `claimed` and `radio` are the same path but for a lie. `phase_s` is when in each second
    it sends, in tenths (the wire's step).
    """

    transmitter: str
    serial: str
    radio: Path
    claimed: Path
    start_s: float
    end_s: float
    phase_s: float
    operator_m: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class RemoteIdModel:
    """A Remote ID receiver: one message pack a second of each transmitter that gets through.

    A pack holds Basic ID, Location and System. `geoid_m` and `qnh_hpa` are of the place and
    the night, for the heights that are sent.
    """

    sensor: Sensor
    emitters: tuple[RemoteIdEmitter, ...]
    geoid_m: float
    qnh_hpa: float

    def observer(self, seed: int) -> Observer:
        """See `SensorModel`."""
        return _RemoteId(self, seed)


class _RemoteId:
    def __init__(self, model: RemoteIdModel, seed: int) -> None:
        self._model = model
        self._assembler = Assembler(model.sensor.sensor_id)
        self._radios = [_Radio(model, e, seed, i) for i, e in enumerate(model.emitters)]

    def observe(self, stretch: Stretch) -> list[Batch]:
        packs = sorted(
            (pack for radio in self._radios for pack in radio.packs(stretch)),
            key=lambda pack: pack[0],
        )
        batches = [self._assembler.feed(*pack) for pack in packs]
        return [batch for batch in batches if batch is not None]


class _Radio:
    """One transmitter with its satellite receiver's wandering error."""

    def __init__(
        self, model: RemoteIdModel, emitter: RemoteIdEmitter, seed: int, number: int
    ) -> None:
        self._model = model
        self._emitter = emitter
        self._rng = stream(seed, model.sensor, number)
        self._error = self._rng.standard_normal(3) * GNSS_SIGMA_M

    def packs(self, stretch: Stretch) -> list[tuple[int, str, bytes]]:
        """Receipt time, transmitter and bytes of each pack that gets through."""
        emitter = self._emitter
        if stretch.start_s >= emitter.end_s or stretch.start_s + stretch.steps <= emitter.start_s:
            return []
        times = stretch.times_s(emitter.phase_s)
        on = (times >= emitter.start_s) & (times < emitter.end_s)
        polar = Placement.of(self._model.sensor, stretch.frame).polar(
            emitter.radio.states(times)[0]
        )
        luck = self._rng.random(len(times))
        heard = on & (luck < reception(polar[:, 0], self._model.sensor.coverage.range_max_m))
        position, velocity = emitter.claimed.states(times)
        position = position + self._errors(len(times))
        packs = []
        for i in np.flatnonzero(heard):
            at_ns = stretch.at_ns(float(times[i]))
            bits = self._pack(stretch, at_ns, position[i], velocity[i])
            receipt_ns = stretch.at_ns(float(times[i]) + RECEIPT_DELAY_S)
            packs.append((receipt_ns, emitter.transmitter, bits))
        return packs

    def _errors(self, steps: int) -> F64:
        """A first-order Gauss-Markov wander, one step a second (steps, 3)."""
        keep = math.exp(-1.0 / GNSS_CORRELATION_S)
        fresh = self._rng.standard_normal((steps, 3)) * GNSS_SIGMA_M
        errors = np.empty((steps, 3))
        for i in range(steps):
            self._error = keep * self._error + math.sqrt(1.0 - keep * keep) * fresh[i]
            errors[i] = self._error
        return errors

    def _pack(self, stretch: Stretch, at_ns: int, position: F64, velocity: F64) -> bytes:
        emitter, model = self._emitter, self._model
        east, north, up = (float(v) for v in position)
        v_east, v_north, v_up = (float(v) for v in velocity)
        lat, lon, hae = stretch.frame.to_geodetic(east, north, up)
        home = stretch.frame.to_geodetic(*emitter.operator_m)
        amsl = hae - model.geoid_m
        location = Location(
            status=Status.AIRBORNE,
            lat_deg=lat,
            lon_deg=lon,
            altitude_geodetic=HeightHae(hae),
            altitude_pressure=HeightPressure(pressure_altitude_m(amsl, model.qnh_hpa)),
            height=HeightAboveTakeOff(up - emitter.operator_m[2]),
            direction_deg=math.degrees(math.atan2(v_east, v_north)) % 360.0,
            speed_mps=math.hypot(v_east, v_north),
            vertical_speed_mps=v_up,
            accuracy_horizontal_m=GNSS_BOUND_HORIZONTAL_M,
            accuracy_vertical_m=GNSS_BOUND_VERTICAL_M,
            accuracy_speed_mps=SPEED_BOUND_MPS,
            accuracy_time_s=TIME_BOUND_S,
            time_tenths=at_ns % (3600 * NS_PER_S) // (NS_PER_S // 10),
        )
        system = System(
            operator_location=OperatorLocation.TAKE_OFF,
            operator_lat_deg=home[0],
            operator_lon_deg=home[1],
            operator_altitude=HeightHae(home[2]),
            classification=Classification.EUROPEAN_UNION,
            category_eu=CategoryEu.SPECIFIC,
            at_ns=at_ns,
        )
        identity = BasicId(IdType.SERIAL_NUMBER, UaType.HELICOPTER_OR_MULTIROTOR, emitter.serial)
        return encode_pack([identity, location, system])


def reception(range_m: F64, range_max_m: float) -> F64:
    """Chance (n,) that one broadcast gets through from these ranges (n,)."""
    steepness = 8.0  # from nearly all to half within a quarter of the range, as in open air
    share = range_m / range_max_m
    chance = NEAR_RECEPTION / (1.0 + (share / HALF_RECEPTION_SHARE) ** steepness)
    return np.where(share <= 1.0, chance, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class AdsbEmitter:
    """An aircraft with ADS-B out."""

    icao24: str
    callsign: str
    path: Path
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class AdsbModel:
    """An ADS-B receiver that writes SBS-1: velocity, then position, once a second.

    `sigma_m` is the aircraft's satellite error, east and north alike. Altitude is the
    encoder's pressure altitude on a night with `qnh_hpa`.
    """

    sensor: Sensor
    emitters: tuple[AdsbEmitter, ...]
    geoid_m: float
    qnh_hpa: float
    sigma_m: float = 3.0
    phase_s: float = 0.25
    delay_s: float = 0.004

    def observer(self, seed: int) -> Observer:
        """See `SensorModel`."""
        return _Adsb(self, seed)


class _Adsb:
    def __init__(self, model: AdsbModel, seed: int) -> None:
        self._model = model
        self._rngs = [stream(seed, model.sensor, i) for i in range(len(model.emitters))]
        self._assembler = Sbs1Assembler(model.sensor.sensor_id)

    def observe(self, stretch: Stretch) -> list[Batch]:
        batches = []
        times = stretch.times_s(self._model.phase_s)
        for emitter, rng in zip(self._model.emitters, self._rngs, strict=True):
            if stretch.start_s >= emitter.end_s or times[-1] < emitter.start_s:
                continue
            position, velocity = emitter.path.states(times)
            error = rng.standard_normal((len(times), 2)) * self._model.sigma_m
            position[:, :2] += error
            chosen = rng.random(len(times)) < self._model.sensor.detection_probability
            for i in np.flatnonzero(chosen & (times >= emitter.start_s) & (times < emitter.end_s)):
                time_s = float(times[i])
                lines = self._lines(stretch, emitter, time_s, (position[i], velocity[i]))
                receipt_ns = stretch.at_ns(time_s + self._model.delay_s)
                batches.append(self._assembler.push(lines, receipt_ns))
        return [batch for batch in batches if batch is not None]

    def _lines(
        self, stretch: Stretch, emitter: AdsbEmitter, time_s: float, state: tuple[F64, F64]
    ) -> list[bytes]:
        at_ns = stretch.at_ns(time_s)
        receipt_ns = stretch.at_ns(time_s + self._model.delay_s)
        (east, north, up), (v_east, v_north, v_up) = state[0].tolist(), state[1].tolist()
        lat, lon, hae = stretch.frame.to_geodetic(east, north, up)
        altitude_m = pressure_altitude_m(hae - self._model.geoid_m, self._model.qnh_hpa)
        steps = round(altitude_m / METRES_PER_FOOT / ALTITUDE_STEP_FT)
        velocity = Sbs1Message(
            4,
            emitter.icao24,
            at_ns,
            receipt_ns,
            ground_speed_kn=math.hypot(v_east, v_north) / MPS_PER_KNOT,
            track_deg=math.degrees(math.atan2(v_east, v_north)) % 360.0,
            vertical_rate_fpm=v_up / MPS_PER_FOOT_PER_MINUTE,
        )
        position = Sbs1Message(
            3,
            emitter.icao24,
            at_ns,
            receipt_ns,
            altitude_ft=steps * ALTITUDE_STEP_FT,
            lat_deg=lat,
            lon_deg=lon,
            on_ground=False,
        )
        messages = [velocity, position]
        if int(time_s) % CALLSIGN_EVERY_S == 0:
            name = Sbs1Message(1, emitter.icao24, at_ns, receipt_ns, callsign=emitter.callsign)
            messages.insert(0, name)
        return [encode_line(message) for message in messages]
