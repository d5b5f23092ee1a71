// A zone in words: how strict, whether it applies, until when.

import type { ZoneView } from "../messages";
import { areaWords, heightWords } from "./areas";
import { badge } from "./dom";
import type { Desk } from "./site";
import { span } from "./times";

/** Shapes that no permission of an aircraft has (symbols.ts): these are about zones. */
export const RESTRICTIONS: Record<ZoneView["restriction"], { words: string; shape: string }> = {
  PROHIBITED: { words: "Prohibited", shape: "⊘" },
  REQ_AUTHORISATION: { words: "Authorisation required", shape: "◆" },
  CONDITIONAL: { words: "Conditional", shape: "◇" },
  NO_RESTRICTION: { words: "No restriction", shape: "–" },
};

export const GROUPS = ["applies", "maybe", "later", "coming", "ended"] as const;
export type Group = (typeof GROUPS)[number];

export const GROUP_WORDS: Record<Group, string> = {
  applies: "In force, applying now",
  maybe: "In force, not known whether it applies",
  later: "In force, not applying now",
  coming: "Proposed or approved",
  ended: "Withdrawn",
};

export function groupOf(zone: ZoneView): Group {
  if (zone.state === "withdrawn") return "ended";
  if (zone.state !== "in_force") return "coming";
  if (zone.applies === "yes") return "applies";
  return zone.applies === "maybe" ? "maybe" : "later";
}

const STRICT: ZoneView["restriction"][] = [
  "PROHIBITED",
  "REQ_AUTHORISATION",
  "CONDITIONAL",
  "NO_RESTRICTION",
];

/** Emergencies first, then what is judged here, then the strictest. */
export function inOrder(a: ZoneView, b: ZoneView): number {
  return (
    GROUPS.indexOf(groupOf(a)) - GROUPS.indexOf(groupOf(b)) ||
    Number(b.emergency) - Number(a.emergency) ||
    Number(b.enforced) - Number(a.enforced) ||
    STRICT.indexOf(a.restriction) - STRICT.indexOf(b.restriction) ||
    title(a).localeCompare(title(b))
  );
}

export function title(zone: ZoneView): string {
  return zone.name === "" ? zone.zone_id : zone.name;
}

export function restrictionBadge(zone: ZoneView): HTMLElement {
  const { words, shape } = RESTRICTIONS[zone.restriction];
  return badge(shape, words, `zone-${zone.restriction.toLowerCase()}`);
}

/** What else must be seen at once. */
export function markBadges(zone: ZoneView): HTMLElement[] {
  const emergency = zone.emergency ? [badge("!", "Emergency", "zone-emergency")] : [];
  return zone.readable ? emergency : [...emergency, badge("?", "Unreadable", "warn")];
}

/** Until when it applies, or from when; empty if that is not known. */
export function timesWords(zone: ZoneView, desk: Desk): string {
  const until = zone.applies_until_ms;
  const group = groupOf(zone);
  if (group === "coming") return `${zone.state}: not in force`;
  if (group === "ended") return "withdrawn";
  if (group === "maybe") return "treated as undetermined, never as open";
  if (until === null) return group === "applies" ? "without an end" : "no further time is set";
  const left = span(until - desk.nowMs());
  return group === "applies"
    ? `until ${desk.clock(until)} (${left} left)`
    : `next from ${desk.clock(until)} (in ${left})`;
}

/** The heights of all its volumes, each way of saying them once. */
export function zoneHeights(zone: ZoneView): string {
  const all = new Set(zone.volumes.map((v) => heightWords(v.lower, v.upper)));
  if (all.size > 3) return `${all.size} different heights`;
  return [...all].join("; ");
}

export function zoneAreas(zone: ZoneView): string[] {
  return zone.volumes.map((v) => `${areaWords(v.area)}, ${heightWords(v.lower, v.upper)}`);
}

export function reasonWords(reasons: string[]): string {
  return reasons.map((r) => r.toLowerCase().replaceAll("_", " ")).join(", ");
}

export function matches(zone: ZoneView, words: string[]): boolean {
  if (words.length === 0) return true;
  const parts = [zone.zone_id, zone.name, zone.authority_id, zone.restriction, zone.message];
  const all = [...parts, ...zone.reasons, zone.legal_basis].join(" ").toLowerCase();
  return words.every((word) => all.includes(word));
}
