// Areas and heights: in words, in numbers, and as the map is asked to show them.

import type { DrawnArea } from "../context";
import type { HeightLimit, ZoneVolume } from "../messages";

const EARTH_M = 6_371_008.8;
const EQUATOR_M = 40_075_016.7;
const RAD = Math.PI / 180;
/** So many pixels an area takes when it is flown to, and how wide the map's tile is. */
const SHOWN_PX = 300;
const TILE_PX = 512;

export interface View {
  lat: number;
  lon: number;
  zoom: number;
}

type Ring = [number, number][];
type AnyArea = ZoneVolume["area"];

export function metres(m: number): string {
  if (m >= 10_000) return `${Number((m / 1000).toFixed(1))} km`;
  return `${Number(m.toFixed(m < 100 ? 1 : 0))} m`;
}

export function squareKm(m2: number): string {
  const km2 = m2 / 1e6;
  if (km2 < 0.01) return `${Math.round(m2)} m²`;
  return `${Number(km2.toFixed(km2 < 10 ? 2 : 0))} km²`;
}

/** Flat around its first corner: good to a per mille at the size of a city. */
function ringArea(ring: Ring): number {
  const [lon0, lat0] = ring[0] ?? [0, 0];
  const east = Math.cos(lat0 * RAD) * RAD * EARTH_M;
  const north = RAD * EARTH_M;
  let twice = 0;
  for (let i = 0; i + 1 < ring.length; i += 1) {
    const [a, b] = [ring[i]!, ring[i + 1]!];
    twice += (a[0] - lon0) * (b[1] - lat0) - (b[0] - lon0) * (a[1] - lat0);
  }
  return (twice / 2) * east * north;
}

export function drawnAreaM2(area: DrawnArea): number {
  return "circle" in area ? Math.PI * area.circle[2] ** 2 : Math.abs(ringArea(area.ring));
}

export function coordinates(lat: number, lon: number): string {
  return `${lat.toFixed(5)}, ${lon.toFixed(5)}`;
}

export function drawnWords(area: DrawnArea): string {
  if ("circle" in area) {
    const [lat, lon, radius] = area.circle;
    return `within ${metres(radius)} of ${coordinates(lat, lon)}`;
  }
  const { lat, lon } = middle(area.ring);
  const corners = area.ring.length - 1;
  return `inside the drawn outline of ${corners} corners around ${coordinates(lat, lon)}`;
}

export function areaWords(area: AnyArea): string {
  if ("circle" in area) {
    const [lat, lon, radius] = area.circle;
    return `circle of ${metres(radius)} around ${coordinates(lat, lon)}`;
  }
  const corners = area.rings.reduce((sum, ring) => sum + Math.max(0, ring.length - 1), 0);
  const holes = area.rings.length - 1;
  const more = holes > 0 ? `, ${holes} ${holes === 1 ? "hole" : "holes"}` : "";
  const size = squareKm(Math.abs(ringArea(area.rings[0] ?? [])));
  return `outline with ${corners} corners (${size}${more})`;
}

const REFERENCES: Record<string, string> = {
  AGL: "AGL",
  AMSL: "AMSL",
  HAE: "HAE",
  WGS84: "HAE",
  PRESSURE: "pressure altitude",
};

export function limitWords(limit: HeightLimit): string {
  return `${Number(limit.m.toFixed(1))} m ${REFERENCES[limit.reference] ?? limit.reference}`;
}

/** "ground to 300 m AGL"; a height never stands without its reference. */
export function heightWords(lower: HeightLimit | null, upper: HeightLimit | null): string {
  const ground = lower !== null && lower.reference === "AGL" && lower.m <= 0;
  if (lower === null && upper === null) return "at every height";
  const from = lower === null ? "any depth" : ground ? "ground" : limitWords(lower);
  return `${from} to ${upper === null ? "no upper limit" : limitWords(upper)}`;
}

function middle(ring: Ring): { lat: number; lon: number; span_m: number } {
  const lons = ring.map((p) => p[0]);
  const lats = ring.map((p) => p[1]);
  const [west, east] = [Math.min(...lons), Math.max(...lons)];
  const [south, north] = [Math.min(...lats), Math.max(...lats)];
  const lat = (south + north) / 2;
  const wide = (east - west) * Math.cos(lat * RAD) * RAD * EARTH_M;
  return { lat, lon: (west + east) / 2, span_m: Math.max(wide, (north - south) * RAD * EARTH_M) };
}

/** Where to fly so that the areas fill a good part of the map; null if there are none. */
export function viewOf(areas: AnyArea[]): View | null {
  const corners: Ring = [];
  for (const area of areas) {
    if ("circle" in area) {
      const [lat, lon, radius] = area.circle;
      const up = radius / (RAD * EARTH_M);
      const side = up / Math.max(0.01, Math.cos(lat * RAD));
      corners.push([lon - side, lat - up], [lon + side, lat + up]);
    } else {
      corners.push(...(area.rings[0] ?? []));
    }
  }
  if (corners.length === 0) return null;
  const { lat, lon, span_m } = middle(corners);
  const perPixel = Math.max(span_m, 50) / SHOWN_PX;
  const zoom = Math.log2((EQUATOR_M * Math.cos(lat * RAD)) / (TILE_PX * perPixel));
  return { lat, lon, zoom: Math.min(17, Math.max(3, zoom)) };
}

/** Closed and turning left, as ED-318 and GeoJSON want an outer border. */
export function tidyRing(ring: Ring): Ring {
  const first = ring[0];
  const last = ring[ring.length - 1];
  if (!first || !last) return ring;
  const closed: Ring = first[0] === last[0] && first[1] === last[1] ? ring : [...ring, first];
  return ringArea(closed) < 0 ? [...closed].reverse() : closed;
}
