// Small geometry on a sphere: fine for drawing (errors far below a pixel within a sensor's range),
// never for judging, which the service does.

import type { Feature, FeatureCollection, Geometry } from "geojson";

export type LonLat = [number, number];

const RADIUS_M = 6_371_008.8;
const DEG = Math.PI / 180;

export function destination(lat: number, lon: number, bearingDeg: number, m: number): LonLat {
  const a = m / RADIUS_M;
  const b = bearingDeg * DEG;
  const sin = Math.sin(lat * DEG) * Math.cos(a) + Math.cos(lat * DEG) * Math.sin(a) * Math.cos(b);
  const dLon = Math.atan2(
    Math.sin(b) * Math.sin(a) * Math.cos(lat * DEG),
    Math.cos(a) - Math.sin(lat * DEG) * sin,
  );
  return [lon + dLon / DEG, Math.asin(sin) / DEG];
}

export function distanceM(lat1: number, lon1: number, lat2: number, lon2: number): number {
  const dLat = (lat2 - lat1) * DEG;
  const dLon = (lon2 - lon1) * DEG;
  const x =
    Math.sin(dLat / 2) ** 2 +
    Math.cos(lat1 * DEG) * Math.cos(lat2 * DEG) * Math.sin(dLon / 2) ** 2;
  return 2 * RADIUS_M * Math.asin(Math.min(1, Math.sqrt(x)));
}

export function bearingDeg(lat1: number, lon1: number, lat2: number, lon2: number): number {
  const dLon = (lon2 - lon1) * DEG;
  const y = Math.sin(dLon) * Math.cos(lat2 * DEG);
  const x =
    Math.cos(lat1 * DEG) * Math.sin(lat2 * DEG) -
    Math.sin(lat1 * DEG) * Math.cos(lat2 * DEG) * Math.cos(dLon);
  return (Math.atan2(y, x) / DEG + 360) % 360;
}

/** A closed ring, counter-clockwise as RFC 7946 wants. */
export function circleRing(lat: number, lon: number, m: number, corners = 72): LonLat[] {
  const ring: LonLat[] = [];
  for (let i = 0; i < corners; i++) ring.push(destination(lat, lon, -(360 * i) / corners, m));
  ring.push(ring[0]!);
  return ring;
}

/** The outline of what lies between two bearings (clockwise) and two distances. */
export function sectorRing(
  lat: number,
  lon: number,
  fromDeg: number,
  toDeg: number,
  minM: number,
  maxM: number,
): LonLat[] {
  const sweep = (((toDeg - fromDeg) % 360) + 360) % 360 || 360;
  const steps = Math.max(2, Math.ceil(sweep / 4));
  const arc = (m: number) =>
    Array.from({ length: steps + 1 }, (_, i) =>
      destination(lat, lon, fromDeg + (sweep * i) / steps, m),
    );
  const near: LonLat[] = minM > 0 ? arc(minM).reverse() : [[lon, lat]];
  const ring = [...arc(maxM), ...near];
  ring.push(ring[0]!);
  return ring;
}

/** A place inside a ring that suits a label: the middle of its widest row at mid height. */
export function labelPoint(ring: readonly LonLat[]): LonLat {
  let south = Infinity;
  let north = -Infinity;
  for (const [, lat] of ring) {
    south = Math.min(south, lat);
    north = Math.max(north, lat);
  }
  const lat = (south + north) / 2;
  const cuts: number[] = [];
  for (let i = 0; i + 1 < ring.length; i++) {
    const [x1, y1] = ring[i]!;
    const [x2, y2] = ring[i + 1]!;
    if (y1 > lat !== y2 > lat) cuts.push(x1 + ((lat - y1) / (y2 - y1)) * (x2 - x1));
  }
  cuts.sort((a, b) => a - b);
  let best: LonLat = ring[0] ?? [0, 0];
  let width = -1;
  for (let i = 0; i + 1 < cuts.length; i += 2) {
    const wide = cuts[i + 1]! - cuts[i]!;
    if (wide > width) {
      width = wide;
      best = [(cuts[i]! + cuts[i + 1]!) / 2, lat];
    }
  }
  return best;
}

export function feature(
  geometry: Geometry,
  properties: Record<string, unknown> = {},
): Feature<Geometry> {
  return { type: "Feature", geometry, properties };
}

export function collection(features: Feature<Geometry>[]): FeatureCollection<Geometry> {
  return { type: "FeatureCollection", features };
}

export const line = (coordinates: LonLat[], properties = {}): Feature<Geometry> =>
  feature({ type: "LineString", coordinates }, properties);
export const point = (coordinates: LonLat, properties = {}): Feature<Geometry> =>
  feature({ type: "Point", coordinates }, properties);
export const polygon = (rings: LonLat[][], properties = {}): Feature<Geometry> =>
  feature({ type: "Polygon", coordinates: rings }, properties);
