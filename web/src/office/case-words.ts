// What the live engine said of an incident, in words: the events of core/event.py as they come
// in GET /v1/incidents/{id}.

import { capital } from "./problems";

export interface CaseEvent {
  event_name: string;
  at_ns: number;
  [field: string]: unknown;
}

export interface Person {
  name: string;
  role: string;
}

export interface CaseReport {
  at_ns: number;
  author: Person;
  words: string;
  parts: { lat_deg: number; lon_deg: number; words: string }[];
  injuries: string;
  damage: string;
}

export interface CaseAssessment {
  at_ns: number;
  author: Person;
  conclusion: string;
  words: string;
  evidence: string[];
}

export interface IncidentWhole {
  incident: import("../messages").IncidentView;
  history: CaseEvent[];
  sightings: CaseEvent[];
  reports: CaseReport[];
  assessments: CaseAssessment[];
}

/** core/casebook.py, `Conclusion` and `EVIDENCE_NEEDED`. */
export const CONCLUSIONS: { value: string; words: string; needs: number }[] = [
  { value: "unverified", words: "Unverified", needs: 0 },
  { value: "corroborated", words: "Corroborated", needs: 1 },
  { value: "confirmed", words: "Confirmed", needs: 2 },
  { value: "identified_as_other", words: "Identified as other", needs: 1 },
  { value: "closed_undetermined", words: "Closed, undetermined", needs: 0 },
];

export function conclusionWords(value: string): string {
  return CONCLUSIONS.find((c) => c.value === value)?.words ?? value;
}

/** Milliseconds of the engine's nanoseconds. */
export function msOf(ns: unknown): number {
  return typeof ns === "number" ? ns / 1e6 : NaN;
}

export function plain(code: unknown): string {
  return typeof code === "string" ? code.replaceAll("_", " ") : "";
}

function text(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

function list(value: unknown): string {
  return Array.isArray(value) ? value.map(text).join(", ") : "";
}

function reasons(value: unknown): string {
  if (!Array.isArray(value)) return "";
  return value
    .map((r: { words?: unknown; code?: unknown }) => text(r.words) || plain(r.code))
    .join("; ");
}

function by(event: CaseEvent): string {
  const actor = event["actor"] as Person | undefined;
  if (!actor) return "";
  return actor.role === "rule" ? `by the ${actor.name}` : `by ${actor.name}`;
}

/** One event in words, without its time. */
export function eventWords(event: CaseEvent): string {
  const parts = (WORDS[event.event_name] ?? other)(event).filter((part) => part !== "");
  return capital(parts.join(": "));
}

const WORDS: Record<string, (event: CaseEvent) => string[]> = {
  TrackStarted: (e) => [`track ${text(e["track_id"])} began, ${plain(e["source"])}`],
  TrackEnded: (e) => [`track ${text(e["track_id"])} was lost`],
  TrackContinued: (e) => [
    `track ${text(e["track_id"])} is taken for ${text(e["earlier"])} after a gap`,
    text(e["basis"]),
  ],
  IdentityChanged: (e) => [
    `track ${text(e["track_id"])} says it is ${text(e["identity"]) || "nobody in particular"}`,
    `${text(e["scheme"])} ${plain(e["strength"])}`.trim(),
    reasons(e["reasons"]),
  ],
  VerdictChanged: (e) => [
    `track ${text(e["track_id"])} in zone ${text(e["zone_id"])} (${plain(e["presence"])})`,
    plain(e["permission"]),
    reasons(e["reasons"]),
  ],
  AlertChanged: (e) => [
    `alert ${text(e["alert_id"])} ${plain(e["event"])} ${by(e)}`.trim(),
    `${plain(e["permission"])}, priority ${text(e["priority"])}, tracks ${list(e["tracks"]) || "none"}`,
    text(e["why"]),
  ],
};

function other(event: CaseEvent): string[] {
  return [event.event_name];
}

/** A person's sighting in words. */
export function sightingWords(event: CaseEvent): string {
  const azimuth = event["azimuth_deg"];
  const where = typeof azimuth === "number" ? `towards ${azimuth.toFixed(0)}°` : "";
  const words = text(event["words"]);
  return [words === "" ? "no words" : `“${words}”`, where].filter(Boolean).join(", ");
}
