// Moments as the site's people read and type them: on the clock of the site's time zone.

const FORMATS = new Map<string, Intl.DateTimeFormat>();

interface Wall {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = FORMATS.get(zone);
  if (known) return known;
  const options: Intl.DateTimeFormatOptions = {
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  };
  let made: Intl.DateTimeFormat;
  try {
    made = new Intl.DateTimeFormat("en-GB", { ...options, timeZone: zone });
  } catch {
    made = new Intl.DateTimeFormat("en-GB", { ...options, timeZone: "UTC" });
  }
  FORMATS.set(zone, made);
  return made;
}

function wallOf(ms: number, zone: string): Wall {
  const found: Record<string, number> = {};
  for (const part of formatOf(zone).formatToParts(ms)) found[part.type] = Number(part.value);
  const get = (name: string) => found[name] ?? 0;
  return {
    year: get("year"),
    month: get("month"),
    day: get("day"),
    hour: get("hour"),
    minute: get("minute"),
    second: get("second"),
  };
}

const two = (n: number) => String(n).padStart(2, "0");

function dayOf(wall: Wall): string {
  return `${wall.year}-${two(wall.month)}-${two(wall.day)}`;
}

/** "05:12", or "2026-09-13 05:12" where that is not today. */
export function clock(ms: number, zone: string, nowMs: number): string {
  if (!Number.isFinite(ms)) return "not known";
  const wall = wallOf(ms, zone);
  const time = `${two(wall.hour)}:${two(wall.minute)}`;
  const today = Number.isFinite(nowMs) && dayOf(wallOf(nowMs, zone)) === dayOf(wall);
  return today ? time : `${dayOf(wall)} ${time}`;
}

/** With seconds, for what a record tells. */
export function clockSeconds(ms: number, zone: string, nowMs: number): string {
  if (!Number.isFinite(ms)) return "not known";
  return `${clock(ms, zone, nowMs)}:${two(wallOf(ms, zone).second)}`;
}

export function utcClock(ms: number): string {
  return `${clock(ms, "UTC", ms)} UTC`;
}

/** "2 h 5 min", "40 s", "3 days". */
export function span(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1000);
  if (seconds < 1) return "under 1 s";
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.round(hours / 24)} days`;
}

/** What a `datetime-local` input shows for a moment. */
export function toInput(ms: number, zone: string): string {
  const wall = wallOf(ms, zone);
  return `${dayOf(wall)}T${two(wall.hour)}:${two(wall.minute)}`;
}

/**
 * The moment that a `datetime-local` input says, on the zone's clock; null if it says none,
 * or one that the clock leaves out. Of a time that comes twice, the first.
 */
export function fromInput(words: string, zone: string): number | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})/.exec(words);
  if (!match) return null;
  const [year, month, day, hour, minute] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const wanted = Date.UTC(year, month - 1, day, hour, minute);
  const shown = toInput(wanted, "UTC");
  for (const around of [wanted - 86_400_000, wanted + 86_400_000]) {
    const guess = wanted - offsetMs(around, zone);
    if (toInput(guess, zone) === shown) return guess;
  }
  return null;
}

function offsetMs(ms: number, zone: string): number {
  const wall = wallOf(ms, zone);
  const { year, month, day, hour, minute, second } = wall;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(ms / 1000) * 1000;
}

/** RFC 3339 in UTC, to the second. */
export function rfc3339(ms: number): string {
  return `${new Date(Math.floor(ms / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}

/** UTC milliseconds of RFC 3339; NaN if it is none. */
export function parseRfc3339(words: string): number {
  return Date.parse(words.replace(/(\.\d{3})\d+/, "$1"));
}
