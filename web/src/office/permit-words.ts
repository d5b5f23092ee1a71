// A permit in words: its state with a shape, its times, its deadline, where it stands in the queue.

import type { HeightLimit, PermitView, ZoneVolume } from "../messages";
import { areaWords, heightWords } from "./areas";
import { badge } from "./dom";
import type { Desk } from "./site";
import { parseRfc3339, span } from "./times";

interface StateWords {
  words: string;
  shape: string;
  tone: string;
}

const STATES: Record<string, StateWords> = {
  draft: { words: "Draft", shape: "…", tone: "plain" },
  submitted: { words: "Submitted", shape: "◇", tone: "info" },
  information_requested: { words: "Information requested", shape: "?", tone: "info" },
  under_review: { words: "Under review", shape: "◈", tone: "info" },
  granted: { words: "Granted", shape: "✓", tone: "good" },
  activated: { words: "Activated", shape: "▶", tone: "good" },
  provisional: { words: "Emergency, unconfirmed", shape: "!", tone: "warn" },
  refused: { words: "Refused", shape: "✕", tone: "plain" },
  ended: { words: "Ended", shape: "–", tone: "plain" },
  suspended: { words: "Suspended", shape: "‖", tone: "warn" },
  revoked: { words: "Revoked", shape: "✕", tone: "bad" },
  expired: { words: "Expired", shape: "–", tone: "plain" },
};

/** From core/permit.py: the states in which a permit opens anything, and those to be decided. */
const LIVE = ["granted", "activated", "provisional"];
const UNDECIDED = ["submitted", "information_requested", "under_review"];
/** What is due so soon is pointed out. */
const SOON_MS = 48 * 3_600_000;

export const GROUPS = ["decide", "confirm", "holding", "suspended", "draft", "over"] as const;
export type Group = (typeof GROUPS)[number];

export const GROUP_WORDS: Record<Group, string> = {
  decide: "To be decided",
  confirm: "To be confirmed, or they lapse",
  holding: "Granted",
  suspended: "Suspended",
  draft: "Drafts",
  over: "Over, refused or taken back",
};

/** P-9 before P-10; and far quicker than `localeCompare` for thousands. */
const NAMES = new Intl.Collator("en", { numeric: true });

export interface Listed {
  permit: PermitView;
  exempt: boolean;
}

/** A moment by which something must be done, and how that is said. */
export interface Deadline {
  at: number;
  words: string;
  tone: "bad" | "warn" | "plain";
  overdue: boolean;
}

export function stateBadge(permit: PermitView): HTMLElement {
  const known = STATES[permit.state] ?? { words: permit.state, shape: "?", tone: "plain" };
  return badge(known.shape, known.words, known.tone);
}

export function stateWord(state: string): string {
  return (STATES[state]?.words ?? state).toLowerCase();
}

export function groupOf({ permit }: Listed): Group {
  if (UNDECIDED.includes(permit.state)) return "decide";
  if (permit.state === "provisional") return "confirm";
  if (LIVE.includes(permit.state)) return "holding";
  if (permit.state === "suspended" || permit.state === "draft") return permit.state;
  return "over";
}

/** The legal deadline of a decision, or of an exemption that waits to be confirmed. */
export function deadlineOf(permit: PermitView, desk: Desk): Deadline | null {
  const group = groupOf({ permit, exempt: false });
  const told = group === "confirm" ? permit.procedure?.confirm_by : permit.procedure?.decide_by;
  if ((group !== "decide" && group !== "confirm") || !told) return null;
  // Confirmed or not, an exemption is over at its own end.
  const end = bounds(permit).end ?? Infinity;
  const at = group === "confirm" ? Math.min(parseRfc3339(told), end) : parseRfc3339(told);
  const left = at - desk.nowMs();
  const what = group === "confirm" ? "Confirm" : "Decide";
  if (left <= 0) {
    const words = `OVERDUE: ${what.toLowerCase()} by ${desk.clock(at)}, ${span(left)} ago`;
    return { at, words, tone: "bad", overdue: true };
  }
  const words = `${what} by ${desk.clock(at)}, in ${span(left)}`;
  return { at, words, tone: left < SOON_MS ? "warn" : "plain", overdue: false };
}

export function deadlineBadge(deadline: Deadline | null): HTMLElement[] {
  if (deadline === null || deadline.tone === "plain") return [];
  return [badge(deadline.overdue ? "■" : "◷", deadline.overdue ? "Overdue" : "Due soon", deadline.tone)];
}

/** What needs a decision first, the most urgent at the top; then by number. */
export function inOrder(all: Listed[], desk: Desk): Listed[] {
  const keyed = all.map((listed) => ({
    listed,
    place: GROUPS.indexOf(groupOf(listed)),
    due: deadlineOf(listed.permit, desk)?.at ?? Number.MAX_VALUE,
  }));
  keyed.sort(
    (a, b) =>
      a.place - b.place ||
      a.due - b.due ||
      NAMES.compare(a.listed.permit.id, b.listed.permit.id),
  );
  return keyed.map(({ listed }) => listed);
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

/** Whether every word is found in what it says of itself. */
export function matches({ permit, exempt }: Listed, wanted: string[]): boolean {
  const more = [permit.class ?? "", exempt ? "exemption" : "permit", permit.application?.operator];
  const parts = [permit.id, permit.holder, stateWord(permit.state), ...more, ...permit.serials];
  const all = [...parts, ...(permit.zones ?? [])].join(" ").toLowerCase();
  return wanted.every((word) => all.includes(word));
}
