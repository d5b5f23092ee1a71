// A permit in words: its state with a shape, its times, what may be done to it and why not.

import type { HeightLimit, PermitView, ZoneVolume } from "../messages";
import { areaWords, heightWords } from "./areas";
import { badge } from "./dom";
import type { Desk } from "./site";
import { parseRfc3339 } from "./times";

interface StateWords {
  words: string;
  shape: string;
  tone: string;
}

const STATES: Record<string, StateWords> = {
  draft: { words: "Draft", shape: "…", tone: "plain" },
  submitted: { words: "Submitted", shape: "◇", tone: "info" },
  granted: { words: "Granted", shape: "✓", tone: "good" },
  activated: { words: "Activated", shape: "▶", tone: "good" },
  refused: { words: "Refused", shape: "✕", tone: "plain" },
  ended: { words: "Ended", shape: "–", tone: "plain" },
  suspended: { words: "Suspended", shape: "‖", tone: "warn" },
  revoked: { words: "Revoked", shape: "✕", tone: "bad" },
  expired: { words: "Expired", shape: "–", tone: "plain" },
};

/** From core/permit.py, PERMIT_TRANSITIONS: what the service offers of them. */
const MAY_GRANT = ["submitted"];
const MAY_REVOKE = ["granted", "activated", "suspended"];
const LIVE = ["granted", "activated"];

/** What needs a decision first, then what is open, then what is over. */
const ORDER = ["submitted", "activated", "granted", "suspended", "draft"];

export interface Listed {
  permit: PermitView;
  exempt: boolean;
}

export function stateBadge(permit: PermitView): HTMLElement {
  const known = STATES[permit.state] ?? { words: permit.state, shape: "?", tone: "plain" };
  return badge(known.shape, known.words, known.tone);
}

export function stateWord(state: string): string {
  return (STATES[state]?.words ?? state).toLowerCase();
}

export function inOrder(a: Listed, b: Listed): number {
  const place = ({ permit }: Listed) => {
    const found = ORDER.indexOf(permit.state);
    return found < 0 ? ORDER.length : found;
  };
  return place(a) - place(b) || a.permit.id.localeCompare(b.permit.id);
}

/** The earliest start and the latest end; null where there is none. */
export function bounds(permit: PermitView): { start: number | null; end: number | null } {
  let start: number | null = Infinity;
  let end: number | null = -Infinity;
  for (const volume of permit.volumes) {
    const from = volume.start ? parseRfc3339(volume.start) : null;
    const to = volume.end ? parseRfc3339(volume.end) : null;
    start = from === null || start === null ? null : Math.min(start, from);
    end = to === null || end === null ? null : Math.max(end, to);
  }
  return permit.volumes.length === 0 ? { start: null, end: null } : { start, end };
}

/** Its times, and whether it opens anything at this moment. */
export function timesWords(permit: PermitView, desk: Desk): string {
  if (permit.volumes.length === 0) return "no volume: it opens nothing";
  const { start, end } = bounds(permit);
  const from = start === null ? "no start" : desk.clock(start);
  const to = end === null ? "no end" : desk.clock(end);
  const now = desk.nowMs();
  const live = LIVE.includes(permit.state);
  const over = end !== null && now >= end;
  const early = start !== null && now < start;
  const said = over ? "its time is over" : early ? "not yet" : live ? "open now" : "";
  return [`${from} to ${to}`, said].filter(Boolean).join(", ");
}

export function zonesWords({ permit, exempt }: Listed): string {
  const zones = permit.zones ?? [];
  if (zones.length > 0) return zones.join(", ");
  return exempt ? "all zones of this authority" : "none: it opens nothing";
}

function areaOf(area: Record<string, unknown>): ZoneVolume["area"] | null {
  const circle = area["circle"] as Record<string, number> | undefined;
  if (circle) {
    return {
      circle: [circle["lat_deg"] ?? NaN, circle["lon_deg"] ?? NaN, circle["radius_m"] ?? 0],
    };
  }
  const rings = area["coordinates"];
  return Array.isArray(rings) ? { rings: rings as [number, number][][] } : null;
}

export function areasOf(permit: PermitView): ZoneVolume["area"][] {
  return permit.volumes.map((v) => areaOf(v.area)).filter((area) => area !== null);
}

/** Each volume on a line: where, how high, when. */
export function volumeLines(permit: PermitView, desk: Desk): string[] {
  return permit.volumes.map((volume) => {
    const area = areaOf(volume.area);
    const lower: HeightLimit | null = volume.lower ?? null;
    const upper: HeightLimit | null = volume.upper ?? null;
    const from = volume.start ? desk.clock(parseRfc3339(volume.start)) : "no start";
    const to = volume.end ? desk.clock(parseRfc3339(volume.end)) : "no end";
    const where = area ? areaWords(area) : "an area that cannot be shown";
    return `${where}, ${heightWords(lower, upper)}, ${from} to ${to}`;
  });
}

/** Why it cannot be granted by this person now; empty if it can. */
export function whyNoGrant(permit: PermitView, desk: Desk): string {
  if (!MAY_GRANT.includes(permit.state)) {
    return `It is ${stateWord(permit.state)}; only what is submitted can be granted.`;
  }
  return desk.whyNot("permit_office");
}

/** Why it cannot be revoked by this person now; empty if it can. */
export function whyNoRevoke(permit: PermitView, desk: Desk): string {
  if (!MAY_REVOKE.includes(permit.state)) {
    return `It is ${stateWord(permit.state)}; there is nothing to revoke.`;
  }
  return desk.whyNot("permit_office", "officer");
}
