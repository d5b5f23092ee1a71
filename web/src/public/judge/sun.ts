// When the sun rises and sets; the same series as src/skykeep/core/sun.py, in whole UTC seconds.

import { roundEven } from "./data";

export const DAY_S = 86_400;
export const SUNRISE_ALTITUDE_DEG = -50 / 60;
export const CIVIL_TWILIGHT_ALTITUDE_DEG = -6;
const J2000_S = 946_728_000;
const CENTURY_S = 36_525 * DAY_S;
const ROUNDS = 5;
const radians = (deg: number): number => deg * (Math.PI / 180);
const degrees = (rad: number): number => rad * (180 / Math.PI);
/** Python's %: the result has the sign of the divisor. */
const modulo = (x: number, by: number): number => ((x % by) + by) % by;

/** Declination (degrees) and equation of time (seconds, sundial minus clock). */
export function sunPosition(atS: number): [number, number] {
  const t = (atS - J2000_S) / CENTURY_S;
  const meanLongitude = radians(modulo(280.46646 + t * (36000.76983 + 0.0003032 * t), 360));
  const anomaly = radians(modulo(357.52911 + t * (35999.05029 - 0.0001537 * t), 360));
  const eccentricity = 0.016708634 - t * (0.000042037 + 0.0000001267 * t);
  const centreDeg =
    Math.sin(anomaly) * (1.914602 - t * (0.004817 + 0.000014 * t)) +
    Math.sin(2 * anomaly) * (0.019993 - 0.000101 * t) +
    Math.sin(3 * anomaly) * 0.000289;
  const node = radians(125.04 - 1934.136 * t);
  const longitude = meanLongitude + radians(centreDeg - 0.00569 - 0.00478 * Math.sin(node));
  const obliquityArcsec = 84381.448 - t * (46.815 + t * (0.00059 - t * 0.001813));
  const obliquity = radians(obliquityArcsec / 3600 + 0.00256 * Math.cos(node));
  const declination = Math.asin(Math.sin(obliquity) * Math.sin(longitude));
  const y = Math.tan(0.5 * obliquity) ** 2;
  const equation =
    y * Math.sin(2 * meanLongitude) -
    2 * eccentricity * Math.sin(anomaly) +
    4 * eccentricity * y * Math.sin(anomaly) * Math.cos(2 * meanLongitude) -
    0.5 * y * y * Math.sin(4 * meanLongitude) -
    1.25 * eccentricity * eccentricity * Math.sin(2 * anomaly);
  return [degrees(declination), (equation * 43_200) / Math.PI];
}

/** Noon of the mean sun nearest to a moment, at a longitude. */
export function meanNoonS(nearS: number, lonDeg: number): number {
  const localNoonS = DAY_S / 2 - roundEven(lonDeg * 240);
  return localNoonS + roundEven((nearS - localNoonS) / DAY_S) * DAY_S;
}

/** The sun's upper transit nearest to a moment. */
export function solarNoonS(nearS: number, lonDeg: number): number {
  const meanS = meanNoonS(nearS, lonDeg);
  let noonS = meanS;
  for (let i = 0; i < 2; i++) noonS = meanS - roundEven(sunPosition(noonS)[1]);
  return noonS;
}

/** When the sun crosses an altitude before or after the noon nearest to a moment. */
export function sunCrossingS(
  nearS: number,
  latDeg: number,
  lonDeg: number,
  altitudeDeg: number,
  morning: boolean,
): number {
  const noonS = solarNoonS(nearS, lonDeg);
  const sign = morning ? -1 : 1;
  let crossingS = noonS;
  const lat = radians(Math.max(-89.99, Math.min(89.99, latDeg)));
  const noonEquationS = sunPosition(noonS)[1];
  for (let i = 0; i < ROUNDS; i++) {
    const [declinationDeg, equationS] = sunPosition(crossingS);
    const declination = radians(declinationDeg);
    const cosine =
      (Math.sin(radians(altitudeDeg)) - Math.sin(lat) * Math.sin(declination)) /
      (Math.cos(lat) * Math.cos(declination));
    if (cosine <= -1) {
      const neighbourS = solarNoonS(noonS + sign * DAY_S, lonDeg);
      return Math.floor((noonS + neighbourS) / 2);
    }
    const halfDayS = (Math.acos(Math.min(1, cosine)) * 43_200) / Math.PI;
    const movedS = sign * halfDayS - (equationS - noonEquationS);
    crossingS = cosine < 1 ? noonS + roundEven(movedS) : noonS;
  }
  return crossingS;
}
