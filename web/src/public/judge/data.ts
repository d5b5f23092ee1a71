// The published zones as they come (src/skykeep/codec/publication_geojson.py says what is what),
// and ready to be asked.

export type Restriction = "PROHIBITED" | "REQ_AUTHORISATION" | "CONDITIONAL" | "NO_RESTRICTION";
export type Reference = "HAE" | "AMSL" | "AGL" | "PRESSURE";
export type SunEvent = "BMCT" | "SR" | "SS" | "EECT";
export type LonLat = [number, number];

export interface Height {
  m: number;
  ref: Reference;
}

export interface Volume {
  circle?: [lat: number, lon: number, radiusM: number];
  rings?: LonLat[][];
  lower: Height | null;
  upper: Height | null;
}

export interface TimeOfDay {
  s: number;
  utc: boolean;
}

export interface Window {
  days: number[];
  start: TimeOfDay | SunEvent;
  end: TimeOfDay | SunEvent;
}

export interface Period {
  start: string | null;
  end: string | null;
  windows: Window[];
}

export interface Authority {
  name: string;
  purpose: string;
  service: string;
  contact: string;
  email: string;
  phone: string;
  site_url: string;
  interval_before: string;
}

export interface ZoneData {
  id: string;
  zone: string;
  version: number;
  name: string;
  restriction: Restriction;
  state: "in_force" | "approved";
  readable: boolean;
  emergency: boolean;
  reasons: string[];
  conditions: string;
  message: string;
  legal_basis: string;
  references: string[];
  authority: string;
  authorities: Authority[];
  valid_from: string | null;
  valid_until: string | null;
  unsure_from: string | null;
  time_zone: string;
  sun_place: [number, number] | null;
  volumes: Volume[];
  periods: Period[];
}

export interface Terrain {
  lowest_amsl_m: number;
  highest_amsl_m: number;
  geoid_low_m: number;
  geoid_high_m: number;
}

export interface Clocks {
  data: string;
  from_s: number;
  until_s: number;
  offsets: Record<string, [number, number][]>;
}

export interface Head {
  format: number;
  site: string;
  authority: string;
  contact: string;
  time_zone: string;
  place: [number, number];
  terrain: Terrain | null;
  changed: string | null;
  clocks: Clocks;
}

export interface ZonesDocument {
  type: "FeatureCollection";
  skykeep: Head;
  features: { id: string; geometry: GeoJSON.Geometry | null; properties: { published: ZoneData } }[];
}

/** Three-valued truth; the smaller is "and", the larger "or". */
export const NO = 0;
export const MAYBE = 1;
export const YES = 2;
export type Tri = 0 | 1 | 2;
export const and = (a: Tri, b: Tri): Tri => (a < b ? a : b);
export const or = (a: Tri, b: Tri): Tri => (a > b ? a : b);
export const not = (a: Tri): Tri => (2 - a) as Tri;

/** Python's round(): halves go to the even neighbour. */
export function roundEven(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  if (rest !== 0.5) return Math.round(x);
  return low % 2 === 0 ? low : low + 1;
}
