// Whether a point lies in a volume: the arithmetic of src/skykeep/core/geo.py, three-valued.

import {
  and,
  type Height,
  type LonLat,
  MAYBE,
  NO,
  not,
  type Reference,
  roundEven,
  type Terrain,
  type Tri,
  type Volume,
  YES,
} from "./data";

const WGS84_A_M = 6_378_137.0;
const WGS84_F = 1.0 / 298.257223563;
const WGS84_E2 = WGS84_F * (2.0 - WGS84_F);
export const LEAST_METRES_PER_DEGREE_LAT = 110_570.0;
export const BORDER_SIGMAS = 2.0;
const PRESSURE_LOW_M = -762.0;
const PRESSURE_HIGH_M = 422.2;
const PRESSURE_TEMPERATURE_SHARE = 0.1;

/** A position with one-sigma uncertainties, the height in its own reference or unknown. */
export interface Fix {
  lat: number;
  lon: number;
  sigmaM: number;
  height: Height | null;
  sigmaHeightM: number;
}

export interface Area {
  circle: [number, number, number] | null;
  rings: LonLat[][];
  west: number;
  south: number;
  east: number;
  north: number;
}

/** Metres in a degree of longitude and of latitude at a latitude, on the ellipsoid. */
export function metresPerDegree(latDeg: number): [number, number] {
  const perRad = Math.PI / 180.0;
  const lat = latDeg * perRad;
  const s2 = Math.sin(lat) ** 2;
  const w = Math.sqrt(1.0 - WGS84_E2 * s2);
  const primeVertical = WGS84_A_M / w;
  const meridian = (WGS84_A_M * (1.0 - WGS84_E2)) / (w * w * w);
  return [primeVertical * Math.cos(lat) * perRad, meridian * perRad];
}

export function prepare(volume: Volume): Area {
  if (volume.circle) {
    const [lat, lon, radius] = volume.circle;
    const dlat = radius / LEAST_METRES_PER_DEGREE_LAT;
    const [perLon] = metresPerDegree(Math.min(Math.abs(lat) + dlat, 90.0));
    const dlon = radius / Math.max(perLon, 1.0);
    return {
      circle: volume.circle,
      rings: [],
      west: lon - dlon,
      south: lat - dlat,
      east: lon + dlon,
      north: lat + dlat,
    };
  }
  const area: Area = {
    circle: null,
    rings: volume.rings ?? [],
    west: Infinity,
    south: Infinity,
    east: -Infinity,
    north: -Infinity,
  };
  for (const ring of area.rings) {
    for (const [lon, lat] of ring) {
      area.west = Math.min(area.west, lon);
      area.east = Math.max(area.east, lon);
      area.south = Math.min(area.south, lat);
      area.north = Math.max(area.north, lat);
    }
  }
  return area;
}

/** Distance to the nearest edge, positive inside (even-odd over all rings). */
function polygonDepthM(lon: number, lat: number, rings: LonLat[][]): number {
  const [perLon, perLat] = metresPerDegree(lat);
  let inside = false;
  let best = Infinity;
  for (const ring of rings) {
    for (let i = 0; i + 1 < ring.length; i++) {
      const x1 = (ring[i]![0] - lon) * perLon;
      const y1 = (ring[i]![1] - lat) * perLat;
      const x2 = (ring[i + 1]![0] - lon) * perLon;
      const y2 = (ring[i + 1]![1] - lat) * perLat;
      if (y1 > 0.0 !== y2 > 0.0 && x1 - (y1 * (x2 - x1)) / (y2 - y1) > 0.0) inside = !inside;
      const dx = x2 - x1;
      const dy = y2 - y1;
      const length2 = dx * dx + dy * dy;
      let along = 0.0;
      if (length2 > 0.0) along = Math.min(1.0, Math.max(0.0, -(x1 * dx + y1 * dy) / length2));
      const cx = x1 + along * dx;
      const cy = y1 + along * dy;
      best = Math.min(best, cx * cx + cy * cy);
    }
  }
  const depth = Math.sqrt(best);
  return inside ? depth : -depth;
}

/** How deep a point lies inside an area; negative is the distance outside. */
export function depthM(area: Area, lat: number, lon: number): number {
  if (area.circle) {
    const [centreLat, centreLon, radius] = area.circle;
    const [perLon, perLat] = metresPerDegree(0.5 * (lat + centreLat));
    const turned = lon - centreLon;
    const dx = (turned - 360.0 * roundEven(turned / 360.0)) * perLon;
    const dy = (lat - centreLat) * perLat;
    return radius - Math.sqrt(dx * dx + dy * dy);
  }
  return polygonDepthM(lonNear(area, lon), lat, area.rings);
}

function lonNear(area: Area, lon: number): number {
  const away = lon - 0.5 * (area.west + area.east);
  return Math.abs(away) <= 180.0 ? lon : lon - Math.sign(away) * 360.0;
}

export function inArea(area: Area, fix: Fix): Tri {
  const margin = BORDER_SIGMAS * fix.sigmaM;
  const [perLon, perLat] = metresPerDegree(fix.lat);
  const dlat = margin / perLat;
  const dlon = margin / Math.max(perLon, 1.0);
  const lon = lonNear(area, fix.lon);
  if (
    fix.lat + dlat < area.south ||
    fix.lat - dlat > area.north ||
    lon + dlon < area.west ||
    lon - dlon > area.east
  ) {
    return NO;
  }
  const depth = depthM(area, fix.lat, lon);
  if (depth >= margin) return YES;
  return depth < -margin ? NO : MAYBE;
}

type Span = [low: number, high: number];

/** The bounds of a height, widened, in another reference; null without terrain for it. */
function heightSpan(
  height: Height,
  marginM: number,
  reference: Reference,
  terrain: Terrain | null,
): Span | null {
  const low = height.m - marginM;
  const high = height.m + marginM;
  if (height.ref === reference) return [low, high];
  const amsl = toAmsl(low, high, height.ref, terrain);
  if (!amsl || reference === "AMSL") return amsl;
  if (reference === "PRESSURE") {
    const share = PRESSURE_TEMPERATURE_SHARE / (1.0 - PRESSURE_TEMPERATURE_SHARE);
    return [
      amsl[0] - share * Math.abs(amsl[0]) - PRESSURE_HIGH_M,
      amsl[1] + share * Math.abs(amsl[1]) - PRESSURE_LOW_M,
    ];
  }
  if (!terrain) return null;
  if (reference === "HAE") return [amsl[0] + terrain.geoid_low_m, amsl[1] + terrain.geoid_high_m];
  return [amsl[0] - terrain.highest_amsl_m, amsl[1] - terrain.lowest_amsl_m];
}

function toAmsl(low: number, high: number, own: Reference, terrain: Terrain | null): Span | null {
  if (own === "AMSL") return [low, high];
  if (own === "PRESSURE") {
    const l = low + PRESSURE_LOW_M;
    const h = high + PRESSURE_HIGH_M;
    return [
      l - PRESSURE_TEMPERATURE_SHARE * Math.abs(l),
      h + PRESSURE_TEMPERATURE_SHARE * Math.abs(h),
    ];
  }
  if (!terrain) return null;
  if (own === "HAE") return [low - terrain.geoid_high_m, high - terrain.geoid_low_m];
  return [low + terrain.lowest_amsl_m, high + terrain.highest_amsl_m];
}

/** Whether a fix is at or above a volume's floor, and whether above its ceiling. */
export function overFloor(fix: Fix, lower: Height | null, terrain: Terrain | null): Tri {
  // A lower limit at or below the ground holds for anything that flies.
  if (lower === null || (lower.ref === "AGL" && lower.m <= 0.0)) return YES;
  return above(fix, lower, terrain);
}

export function overCeiling(fix: Fix, upper: Height | null, terrain: Terrain | null): Tri {
  return upper === null ? NO : above(fix, upper, terrain);
}

function above(fix: Fix, limit: Height, terrain: Terrain | null): Tri {
  if (fix.height === null) return MAYBE;
  const margin = BORDER_SIGMAS * fix.sigmaHeightM;
  const span = heightSpan(fix.height, margin, limit.ref, terrain);
  if (!span) return MAYBE;
  if (span[0] >= limit.m) return YES;
  return span[1] < limit.m ? NO : MAYBE;
}

export function inHeights(fix: Fix, volume: Volume, terrain: Terrain | null): Tri {
  return and(
    overFloor(fix, volume.lower, terrain),
    not(overCeiling(fix, volume.upper, terrain)),
  );
}
