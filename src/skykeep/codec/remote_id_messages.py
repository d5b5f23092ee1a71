"""Broadcast Remote ID: the messages as values, and the tables of their codes.

Source: ASTM F3411-22a, section 5.4.5 (message types and field tables) and ASD-STAN
EN 4709-002, which carry the same bytes. What the wire calls "unknown" is None here,
never a number. Angles are degrees, lengths metres, speeds metres a second.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from skykeep.core.geo import HeightAgl, HeightAmsl, HeightHae, HeightPressure

MESSAGE_BYTES = 25  # F3411-22a 5.4.5.2: every message type but the pack
PACK_HEADER_BYTES = 3
PACK_MAX_MESSAGES = 9  # F3411-22a 5.4.5.21
PROTOCOL_VERSION = 2  # F3411-22a; 0 is F3411-19, 1 the first ASD-STAN edition

ID_BYTES = 20  # UAS ID and operator ID
TEXT_BYTES = 23  # self-ID description
AUTH_FIRST_PAGE_BYTES = 17
AUTH_PAGE_BYTES = 23
AUTH_MAX_PAGE = 15

#: 2019-01-01T00:00:00Z, from which authentication and system times count their seconds.
EPOCH_2019_S = 1_546_300_800

COUNTS_PER_DEGREE = 10_000_000
ALTITUDE_STEP_M = 0.5
ALTITUDE_ZERO_M = -1000.0  # code 0, which also means unknown
ALTITUDE_MAX_M = 31_767.5  # code 0xFFFF
SPEED_STEP_MPS = 0.25
SPEED_COARSE_STEP_MPS = 0.75
SPEED_COARSE_FROM_MPS = 255 * SPEED_STEP_MPS  # the coarse scale starts where the fine one ends
SPEED_CAP_MPS = 254.25  # "254.25 m/s or more"
SPEED_CAP_CODE, SPEED_UNKNOWN_CODE = 254, 255  # on the coarse scale
VERTICAL_STEP_MPS = 0.5
VERTICAL_CAP_MPS = 62.0  # "62 m/s or more", either way
VERTICAL_UNKNOWN_CODE = 126  # 63 m/s
DIRECTION_UNKNOWN_DEG = 361
TIME_UNKNOWN_CODE = 0xFFFF
TENTHS_PER_HOUR = 36_000
RADIUS_STEP_M = 10.0

#: A declared accuracy is a 95 % bound (F3411-22a tables 7 to 10): two standard deviations.
SIGMAS_PER_BOUND = 2.0

#: Bounds by code; 0 and the codes that are missing here mean unknown.
HORIZONTAL_BOUND_M: dict[int, float] = {
    1: 18_520.0,
    2: 7_408.0,
    3: 3_704.0,
    4: 1_852.0,
    5: 926.0,
    6: 555.6,
    7: 185.2,
    8: 92.6,
    9: 30.0,
    10: 10.0,
    11: 3.0,
    12: 1.0,
}
VERTICAL_BOUND_M: dict[int, float] = {1: 150.0, 2: 45.0, 3: 25.0, 4: 10.0, 5: 3.0, 6: 1.0}
SPEED_BOUND_MPS: dict[int, float] = {1: 10.0, 2: 3.0, 3: 1.0, 4: 0.3}
TIME_BOUND_S: dict[int, float] = {code: code / 10 for code in range(1, 16)}


class MessageType(enum.IntEnum):
    """The high nibble of a message's first byte."""

    BASIC_ID = 0
    LOCATION = 1
    AUTHENTICATION = 2
    SELF_ID = 3
    SYSTEM = 4
    OPERATOR_ID = 5
    PACK = 15


class IdType(enum.IntEnum):
    """What kind of identity a Basic ID carries."""

    NONE = 0
    SERIAL_NUMBER = 1  # ANSI/CTA-2063-A
    CAA_REGISTRATION = 2
    UTM_UUID = 3
    SPECIFIC_SESSION = 4  # from F3411-22a on
    #: Not on this wire, whose codes have four bits: identities that others broadcast.
    FRENCH = 16  # arrêté du 27 décembre 2019
    MANUFACTURER = 17  # a maker's own serial number


class UaType(enum.IntEnum):
    """What the aircraft says it is."""

    NONE = 0
    AEROPLANE = 1
    HELICOPTER_OR_MULTIROTOR = 2
    GYROPLANE = 3
    HYBRID_LIFT = 4
    ORNITHOPTER = 5
    GLIDER = 6
    KITE = 7
    FREE_BALLOON = 8
    CAPTIVE_BALLOON = 9
    AIRSHIP = 10
    FREE_FALL_OR_PARACHUTE = 11
    ROCKET = 12
    TETHERED_POWERED = 13
    GROUND_OBSTACLE = 14
    OTHER = 15


class Status(enum.IntEnum):
    """The aircraft's operational status."""

    UNDECLARED = 0
    GROUND = 1
    AIRBORNE = 2
    EMERGENCY = 3
    REMOTE_ID_FAILURE = 4  # from F3411-22a on


class AuthType(enum.IntEnum):
    """What an authentication signs; codes beyond 5 are reserved or private."""

    NONE = 0
    UAS_ID_SIGNATURE = 1
    OPERATOR_ID_SIGNATURE = 2
    MESSAGE_SET_SIGNATURE = 3
    NETWORK_REMOTE_ID = 4
    SPECIFIC_METHOD = 5


class DescriptionType(enum.IntEnum):
    """What a self-ID text is about; other codes are reserved or private."""

    TEXT = 0
    EMERGENCY = 1
    EXTENDED_STATUS = 2


class OperatorLocation(enum.IntEnum):
    """Where an operator's position comes from."""

    TAKE_OFF = 0
    LIVE_GNSS = 1
    FIXED = 2


class Classification(enum.IntEnum):
    """Whose classes the category and class are."""

    UNDECLARED = 0
    EUROPEAN_UNION = 1


class CategoryEu(enum.IntEnum):
    """Operating category, Regulation (EU) 2019/947 article 3."""

    UNDECLARED = 0
    OPEN = 1
    SPECIFIC = 2
    CERTIFIED = 3


@dataclass(frozen=True, slots=True)
class HeightAboveTakeOff:
    """Metres above the place of take-off, whose own height the message does not give."""

    m: float


@dataclass(frozen=True, slots=True)
class BasicId:
    """Message type 0: who the aircraft says it is.

    `uas_id` is text for serial numbers and registrations (at most 20 characters), the
    UUID's usual writing for UTM_UUID, and 40 hex digits (first the session id's type) for
    SPECIFIC_SESSION; None where the field is empty.
    """

    id_type: IdType
    ua_type: UaType
    uas_id: str | None


@dataclass(frozen=True, slots=True)
class Location:
    """Message type 1: where the aircraft says it is, and how well it knows.

    `direction_deg` is the track over ground clockwise from true north, `vertical_speed_mps`
    is up positive. The `accuracy_*` are 95 % bounds; `sigma_*` are half of them (one
    standard deviation). `time_tenths` counts tenths of a second since the full UTC hour.
    """

    status: Status = Status.UNDECLARED
    lat_deg: float | None = None
    lon_deg: float | None = None
    altitude_geodetic: HeightHae | None = None
    altitude_pressure: HeightPressure | None = None
    height: HeightAboveTakeOff | HeightAgl | None = None
    direction_deg: float | None = None
    speed_mps: float | None = None
    vertical_speed_mps: float | None = None
    accuracy_horizontal_m: float | None = None
    accuracy_vertical_m: float | None = None
    accuracy_pressure_m: float | None = None
    accuracy_speed_mps: float | None = None
    accuracy_time_s: float | None = None
    time_tenths: int | None = None
    altitude_amsl: HeightAmsl | None = None  # of the French beacon alone

    @property
    def sigma_horizontal_m(self) -> float | None:
        """One standard deviation of the position, east and north alike."""
        return _sigma(self.accuracy_horizontal_m)

    @property
    def sigma_vertical_m(self) -> float | None:
        """One standard deviation of the geodetic altitude."""
        return _sigma(self.accuracy_vertical_m)

    @property
    def sigma_pressure_m(self) -> float | None:
        """One standard deviation of the pressure altitude."""
        return _sigma(self.accuracy_pressure_m)

    @property
    def sigma_speed_mps(self) -> float | None:
        """One standard deviation of the speed."""
        return _sigma(self.accuracy_speed_mps)

    @property
    def sigma_time_s(self) -> float | None:
        """One standard deviation of the location time."""
        return _sigma(self.accuracy_time_s)


def _sigma(bound: float | None) -> float | None:
    return None if bound is None else bound / SIGMAS_PER_BOUND


@dataclass(frozen=True, slots=True)
class AuthenticationPage:
    """Message type 2: one page of authentication data.

    `auth_type` is the code (`AuthType` names the known ones). `last_page`, `length_bytes`
    and `at_ns` (UTC) stand on page 0 only; in messages of F3411-19 `last_page` may be the number
    of pages instead, so how many there are follows from `length_bytes`. `data` is 17
    bytes on page 0, else 23.
    """

    auth_type: int
    page: int
    data: bytes
    last_page: int | None = None
    length_bytes: int | None = None
    at_ns: int | None = None


@dataclass(frozen=True, slots=True)
class SelfId:
    """Message type 3: what the operator says about the flight; `description_type` is the code."""

    description_type: int
    text: str | None


@dataclass(frozen=True, slots=True)
class System:
    """Message type 4: where the operator is, the area of a group, the EU category and class.

    `class_eu` is 0 to 6 for C0 to C6. `area_radius_m` comes in steps of 10 m. Heights are
    above the WGS84 ellipsoid. `at_ns` is UTC, whole seconds.
    """

    operator_location: OperatorLocation = OperatorLocation.TAKE_OFF
    operator_lat_deg: float | None = None
    operator_lon_deg: float | None = None
    operator_altitude: HeightHae | None = None
    area_count: int = 1
    area_radius_m: float = 0.0
    area_ceiling: HeightHae | None = None
    area_floor: HeightHae | None = None
    classification: Classification = Classification.UNDECLARED
    category_eu: CategoryEu = CategoryEu.UNDECLARED
    class_eu: int | None = None
    at_ns: int | None = None


@dataclass(frozen=True, slots=True)
class OperatorId:
    """Message type 5: the operator's registration number; `operator_id_type` 0 is the CAA's."""

    operator_id_type: int
    operator_id: str | None


Message = BasicId | Location | AuthenticationPage | SelfId | System | OperatorId
