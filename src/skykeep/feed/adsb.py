"""What every source of ADS-B shares: its accuracy, its claim, its velocity vector."""

from __future__ import annotations

import math

from skykeep.core.geo import HeightReference
from skykeep.core.observation import Claim, Scheme
from skykeep.units import METRES_PER_FOOT, MPS_PER_FOOT_PER_MINUTE, MPS_PER_KNOT

NAN = math.nan

#: One sigma east and north. The declared accuracy (NACp) is in none of these formats, so the
#: worst that may be flown with is taken: NACp 8, 92.6 m at 95 % (14 CFR 91.227(c)(1)), and
#: 2.448 sigma hold 95 % in two dimensions.
SIGMA_HORIZONTAL_M = 92.6 / 2.448
#: One sigma of pressure altitude: the encoder agrees with the altimeter within 125 ft at 95 %
#: (ICAO Annex 10 vol. IV, 3.1.1.7.12.2.4), which is two sigma.
SIGMA_PRESSURE_ALTITUDE_M = 125.0 * METRES_PER_FOOT / 2.0

#: NACp to the radius in metres that holds 95 % (RTCA DO-260B, 2.2.5.1.34, table 2-70).
_RADIUS_OF_NAC_P_M = {
    1: 18_520.0, 2: 7_408.0, 3: 3_704.0, 4: 1_852.0, 5: 926.0, 6: 555.6, 7: 185.2, 8: 92.6,
    9: 30.0, 10: 10.0, 11: 3.0,
}  # fmt: skip

SIGMAS = (SIGMA_HORIZONTAL_M, SIGMA_HORIZONTAL_M, SIGMA_PRESSURE_ALTITUDE_M)


def claim_of(icao24: str, callsign: str, airborne: bool | None) -> Claim:
    """The claim that an ADS-B message makes; who flies with ADS-B out is taken as crewed."""
    return Claim(
        scheme=Scheme.ADSB,
        identity=icao24,
        transmitter=icao24,
        category=callsign,
        crewed=True,
        airborne=airborne,
    )


def sigma_of_nac_p(nac_p: int | None) -> float:
    """One sigma east and north that a declared accuracy means; what must be, for none."""
    radius_m = None if nac_p is None else _RADIUS_OF_NAC_P_M.get(nac_p)
    return SIGMA_HORIZONTAL_M if radius_m is None else radius_m / 2.448


def velocity_of(
    ground_speed_kn: float | None, track_deg: float | None, vertical_rate_fpm: float | None
) -> tuple[float, float, float]:
    """East, north, up in m/s; NaN for what is not known."""
    east = north = NAN
    if ground_speed_kn is not None and track_deg is not None:
        speed_mps, angle = ground_speed_kn * MPS_PER_KNOT, math.radians(track_deg)
        east, north = speed_mps * math.sin(angle), speed_mps * math.cos(angle)
    up = NAN if vertical_rate_fpm is None else vertical_rate_fpm * MPS_PER_FOOT_PER_MINUTE
    return east, north, up


def height_of_feet(altitude_ft: float | None) -> tuple[float, HeightReference]:
    """Pressure altitude in metres and its reference; NaN and NONE for none."""
    if altitude_ft is None:
        return NAN, HeightReference.NONE
    return altitude_ft * METRES_PER_FOOT, HeightReference.PRESSURE
