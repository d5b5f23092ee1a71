// What the live stream says (docs/live-stream.md), after decoding: columns are typed arrays.

/** The roles that may watch (service/tokens.py). */
export type Role = "watch_officer" | "shift_lead" | "permit_officer" | "viewer";

/** A shift lead may whatever a watch officer may. */
export const actsAs = (role: Role): Role => (role === "shift_lead" ? "watch_officer" : role);

export interface SiteMessage {
  topic: "site";
  at_ms: number;
  name: string;
  authority: string;
  version: string;
  lat_deg: number;
  lon_deg: number;
  height_hae_m: number;
  time_zone: string;
  role: Role;
  holder: string;
  simulation: { speed: number; over: boolean } | null;
  basemap: string | null;
  glyphs: string | null;
  /** What the site wants done next about an alert, by priority from 1 on. */
  procedure: string[];
}

export interface TracksMessage {
  topic: "tracks";
  at_ms: number;
  seq: number;
  skipped: number;
  track_id: string[];
  lat_e7: Int32Array;
  lon_e7: Int32Array;
  height_m: Float32Array;
  height_reference: Uint8Array;
  references: string[];
  ve_mps: Float32Array;
  vn_mps: Float32Array;
  vu_mps: Float32Array;
  sigma_m: Float32Array;
  sigma_up_m: Float32Array;
  age_s: Float32Array;
  state_age_s: Float32Array;
  permission: Uint8Array;
  permissions: string[];
  presence: Uint8Array;
  presences: string[];
  entry_s: Float32Array;
  entry_within_s: number;
  entry_percent: Uint8Array;
  entry_10_s: Uint8Array;
  entry_50_s: Uint8Array;
  entry_90_s: Uint8Array;
  zone: Uint16Array;
  zone_ids: string[];
  strength: Uint8Array;
  strengths: string[];
  drone: Float32Array;
  flags: Uint8Array;
  sensors: number[][];
  sensor_ids: string[];
  alert: string[];
}

export const enum TrackFlag {
  TakenForDrone = 1,
  Measured = 2,
  HasAlert = 4,
  HasIdentity = 8,
}

export const NO_ZONE = 65535;

/** Of `entry_percent` and the times beside it: not foreseen, or not reached. */
export const NEVER = 255;

export interface TrailsMessage {
  topic: "trails";
  at_ms: number;
  track_id: string[];
  count: Uint16Array;
  lat_e7: Int32Array;
  lon_e7: Int32Array;
  age_s: Float32Array;
}

export interface Reason {
  code: string;
  words: string;
}

export interface AlertStep {
  event: string;
  at_ms: number;
  by: string;
  role: string;
  why: string;
}

export type AlertState = "raised" | "acknowledged" | "handed_over" | "shelved" | "closed";

export interface AlertView {
  alert_id: string;
  state: AlertState;
  active: boolean;
  priority: number;
  tracks: string[];
  zones: string[];
  permission: string;
  reasons: Reason[];
  raised_ms: number;
  /** How often it was told anew because nobody looked. */
  escalations: number;
  /** Nothing is there: the alarm is tried. */
  test: boolean;
  shelved_until_ms: number | null;
  steps: AlertStep[];
  identity: { scheme: string; identity: string; transmitter: string; strength: string } | null;
}

/** Who could have seen it, and what else it could be. */
export interface CardView {
  missed: { sensor_id: string; health: string }[];
  checks: { what: string; answer: "yes" | "no" | "unknown"; words: string }[];
}

export interface AlertsMessage {
  topic: "alerts";
  at_ms: number;
  alerts: AlertView[];
  more: number;
  /** More come than a person can answer: those of a group are shown as its first, the worst. */
  flood: boolean;
  /** So many were raised in the last ten minutes. */
  raised_lately: number;
  groups: string[][];
  cards: Record<string, CardView>;
  distances: Record<string, { m: number; bearing_deg: number }>;
}

export interface HeightLimit {
  m: number;
  reference: string;
}

export interface ZoneVolume {
  area: { circle: [number, number, number] } | { rings: [number, number][][] };
  lower: HeightLimit | null;
  upper: HeightLimit | null;
}

export interface ZoneView {
  zone_id: string;
  name: string;
  authority_id: string;
  enforced: boolean;
  restriction: "PROHIBITED" | "REQ_AUTHORISATION" | "CONDITIONAL" | "NO_RESTRICTION";
  state: "proposed" | "approved" | "in_force" | "withdrawn";
  applies: "yes" | "no" | "maybe";
  applies_until_ms: number | null;
  emergency: boolean;
  readable: boolean;
  reasons: string[];
  message: string;
  legal_basis: string;
  conditions: string;
  volumes: ZoneVolume[];
}

export interface ZonesMessage {
  topic: "zones";
  at_ms: number;
  zones: ZoneView[];
}

export interface Bias {
  range_m: number;
  azimuth_deg: number;
  elevation_deg: number;
  time_s: number;
}

/** How far a sensor was found to be off; the parts that are `applied` are taken away. */
export interface Registration {
  at_ms: number;
  applied: ("range" | "azimuth" | "elevation" | "time")[];
  bias: Bias;
  sigma: Bias;
  aircraft: number;
  comparisons: number;
}

export interface SensorView {
  sensor_id: string;
  kind: "radar" | "direction_finder" | "remote_id" | "adsb" | "position" | "upstream" | "person";
  lat_deg: number;
  lon_deg: number;
  height_hae_m: number;
  words: string;
  health: "unknown" | "working" | "silent" | "maintenance";
  last_heard_ms: number | null;
  period_s: number | null;
  registration: Registration | null;
  coverage: {
    range_min_m: number;
    range_max_m: number;
    azimuth_from_deg: number;
    azimuth_to_deg: number;
    elevation_min_deg: number;
    elevation_max_deg: number;
  };
}

export interface SensorsMessage {
  topic: "sensors";
  at_ms: number;
  sensors: SensorView[];
}

export interface RaysMessage {
  topic: "rays";
  at_ms: number;
  sensor: Uint16Array;
  azimuth_deg: Float32Array;
  sigma_deg: Float32Array;
  age_s: Float32Array;
  person: Uint8Array;
  sensor_ids: string[];
}

export interface ReportsMessage {
  topic: "reports";
  at_ms: number;
  reports: {
    sensor_id: string;
    seen_ms: number;
    received_ms: number;
    azimuth_deg: number | null;
    words: string;
  }[];
}

/** The proceeding around a permit; moments in RFC 3339. */
export interface ProcedureView {
  identity_proof: string;
  submitted: string | null;
  decide_by: string | null;
  question: string;
  confirm_by: string | null;
  land_by: string | null;
  notified: string | null;
  appeal: string;
  channels: { kind: string; address: string }[];
}

/** Items (2) to (4) and (6) to (10) of (EU) 2021/664, Annex IV, and whom to call on the day. */
export interface ApplicationView {
  mode: string;
  flight_type: string;
  category: string;
  aircraft_class: string;
  identification: string;
  connectivity: string;
  endurance_s: number;
  lost_link: string;
  operator: string;
  aircraft_registration: string;
  contact: { name: string; phone: string };
}

/** As `GET /v1/permits` gives them; the form of a permits file. */
export interface PermitView {
  id: string;
  holder: string;
  serials: string[];
  state: string;
  zones?: string[];
  class?: string;
  volumes: {
    area: Record<string, unknown>;
    lower?: HeightLimit | null;
    upper?: HeightLimit | null;
    start?: string | null;
    end?: string | null;
  }[];
  conditions?: string[];
  must_broadcast?: boolean;
  state_why?: string;
  state_since?: string | null;
  procedure?: Partial<ProcedureView>;
  application?: ApplicationView;
  [more: string]: unknown;
}

export interface PermitsMessage {
  topic: "permits";
  at_ms: number;
  authority: string;
  permits: PermitView[];
  exemptions: PermitView[];
}

export interface IncidentView {
  incident_id: string;
  title: string;
  state: string;
  opened: string;
  opened_by: string;
  alerts: string[];
  tracks: string[];
  reports: number;
  sightings: number;
  assessments: number;
}

export interface IncidentsMessage {
  topic: "incidents";
  at_ms: number;
  incidents: IncidentView[];
}

export interface ServiceMessage {
  topic: "service";
  at_ms: number;
  ok: boolean;
  problem: string;
  entries: number;
  root: string;
  waiting: number;
  shed_requests: number;
  shed_observations: number;
  too_late: number;
  listeners: number;
  rejected: number;
}

/** One thing that is wrong with the watch itself; `grave`: something may be missed. */
export interface TroubleView {
  what: string;
  name: string;
  words: string;
  grave: boolean;
  since_ms: number;
}

export interface TroublesMessage {
  topic: "troubles";
  at_ms: number;
  troubles: TroubleView[];
}

export interface Topics {
  site: SiteMessage;
  tracks: TracksMessage;
  trails: TrailsMessage;
  alerts: AlertsMessage;
  zones: ZonesMessage;
  sensors: SensorsMessage;
  rays: RaysMessage;
  reports: ReportsMessage;
  permits: PermitsMessage;
  incidents: IncidentsMessage;
  service: ServiceMessage;
  troubles: TroublesMessage;
}

export type Topic = keyof Topics;
export type Message = Topics[Topic];

/** Which fields of which topic are columns, and of what type; all others are plain values. */
export const COLUMNS: { [T in Topic]?: Record<string, "f32" | "i32" | "u16" | "u8"> } = {
  tracks: {
    lat_e7: "i32",
    lon_e7: "i32",
    height_m: "f32",
    height_reference: "u8",
    ve_mps: "f32",
    vn_mps: "f32",
    vu_mps: "f32",
    sigma_m: "f32",
    sigma_up_m: "f32",
    age_s: "f32",
    state_age_s: "f32",
    permission: "u8",
    presence: "u8",
    entry_s: "f32",
    entry_percent: "u8",
    entry_10_s: "u8",
    entry_50_s: "u8",
    entry_90_s: "u8",
    zone: "u16",
    strength: "u8",
    drone: "f32",
    flags: "u8",
  },
  trails: { count: "u16", lat_e7: "i32", lon_e7: "i32", age_s: "f32" },
  rays: { sensor: "u16", azimuth_deg: "f32", sigma_deg: "f32", age_s: "f32", person: "u8" },
};
