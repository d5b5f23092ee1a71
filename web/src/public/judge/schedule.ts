// When a zone applies. The meaning of a window is that of src/skykeep/core/schedule.py, whose
// text says it; tests/web/test_public_judge.py holds both to the same answers.

import { type Clock, UTC } from "./clock";
import {
  type Clocks,
  MAYBE,
  NO,
  type Period,
  type SunEvent,
  type TimeOfDay,
  type Tri,
  type Window,
  YES,
  type ZoneData,
} from "./data";
import {
  CIVIL_TWILIGHT_ALTITUDE_DEG,
  DAY_S,
  meanNoonS,
  sunCrossingS,
  SUNRISE_ALTITUDE_DEG,
} from "./sun";

const DAYS_BACK = 5;
const DAYS_AHEAD = 3;
const HORIZON_MS = DAY_S * 1000;

/** Altitude, whether before noon, and hours from solar noon at an equinox. */
const SUN: Record<SunEvent, [number, boolean, number]> = {
  BMCT: [CIVIL_TWILIGHT_ALTITUDE_DEG, true, -6.5],
  SR: [SUNRISE_ALTITUDE_DEG, true, -6],
  SS: [SUNRISE_ALTITUDE_DEG, false, 6],
  EECT: [CIVIL_TWILIGHT_ALTITUDE_DEG, false, 6.5],
};

export interface Place {
  lat: number;
  lon: number;
  clock: Clock;
}

/** An answer that holds until before `untilMs`; null is for ever. */
export interface Applies {
  answer: Tri;
  untilMs: number | null;
}

const isSun = (moment: TimeOfDay | SunEvent): moment is SunEvent => typeof moment === "string";

function needsClock(periods: readonly Period[]): boolean {
  return periods.some((p) =>
    p.windows.some((w) => [w.start, w.end].some((m) => isSun(m) || !m.utc)),
  );
}

/** Whether one of a zone's periods holds at a moment; MAYBE where its clock is not known. */
export function appliesAt(
  zone: ZoneData,
  clocks: Clocks,
  made: ReadonlyMap<string, Clock>,
  atMs: number,
): Applies {
  if (!zone.readable) return { answer: MAYBE, untilMs: null };
  if (zone.periods.length === 0) return { answer: YES, untilMs: null };
  let clock: Clock | undefined = UTC;
  if (needsClock(zone.periods)) {
    clock = made.get(zone.time_zone);
    const atS = atMs / 1000;
    const told =
      atS >= clocks.from_s + (DAYS_BACK + 2) * DAY_S && atS < clocks.until_s - 5 * DAY_S;
    if (!told) clock = undefined;
  }
  if (!clock || !zone.sun_place) return { answer: MAYBE, untilMs: null };
  const place = { lat: zone.sun_place[0], lon: zone.sun_place[1], clock };
  return applicability(zone.periods, place, atMs);
}

function applicability(periods: readonly Period[], place: Place, atMs: number): Applies {
  let applies = false;
  let high: number | null = null;
  for (const period of periods) {
    const start = period.start === null ? null : Date.parse(period.start);
    const end = period.end === null ? null : Date.parse(period.end);
    const edges = [start, end].filter((e) => e !== null);
    let inside = (start === null || atMs >= start) && (end === null || atMs < end);
    if (inside && period.windows.length > 0) {
      inside = false;
      edges.push(atMs + HORIZON_MS);
      for (const [a, b] of spansNear(period.windows, place, atMs)) {
        inside ||= a <= atMs && atMs < b;
        edges.push(a, b);
      }
    }
    applies ||= inside;
    for (const edge of edges) {
      if (edge > atMs && (high === null || edge < high)) high = edge;
    }
  }
  return { answer: applies ? YES : NO, untilMs: high };
}

function* spansNear(
  windows: readonly Window[],
  place: Place,
  atMs: number,
): Generator<[number, number]> {
  const today = Math.floor(atMs / 1000 / DAY_S);
  for (let day = today - DAYS_BACK; day <= today + DAYS_AHEAD; day++) {
    const weekday = (((day + 3) % 7) + 7) % 7; // 1970-01-01 was a Thursday
    for (const window of windows) {
      if (!window.days.includes(weekday)) continue;
      const [start, end] = remembered(window, place, day);
      if (start < end) yield [start * 1000, end * 1000];
    }
  }
}

/** A window belongs to one zone, and so to one place; a year of days is asked for many times. */
const spans = new WeakMap<Window, Map<number, [number, number]>>();

function remembered(window: Window, place: Place, day: number): [number, number] {
  let days = spans.get(window);
  if (!days) spans.set(window, (days = new Map<number, [number, number]>()));
  let span = days.get(day);
  if (!span) days.set(day, (span = spanOn(window, place, day)));
  return span;
}

/** Start and end (UTC seconds) of a window on a day; end not after start is an empty window. */
export function spanOn(window: Window, place: Place, day: number): [number, number] {
  const { start, end } = window;
  const startS = momentS(start, place, day, false);
  if (!isSun(start) && !isSun(end) && start.utc === end.utc) {
    return [startS, momentS(end, place, end.s > start.s ? day : day + 1, true)];
  }
  const usualStartS = usualS(start, place, day);
  let endDay = day - 2;
  while (usualS(end, place, endDay) <= usualStartS) endDay++;
  return [startS, momentS(end, place, endDay, true)];
}

function momentS(m: TimeOfDay | SunEvent, place: Place, day: number, last: boolean): number {
  if (isSun(m)) {
    const [altitude, morning] = SUN[m];
    const noonS = place.clock.utcOf(day, 43_200, false);
    return sunCrossingS(noonS, place.lat, place.lon, altitude, morning);
  }
  return m.utc ? day * DAY_S + m.s : place.clock.utcOf(day, m.s, last);
}

/** A moment as it lies at an equinox, by mean sun and standard time: alike all year. */
function usualS(m: TimeOfDay | SunEvent, place: Place, day: number): number {
  let midnightS = day * DAY_S;
  if (!isSun(m) && m.utc) return midnightS + m.s;
  midnightS -= place.clock.standardOffset(new Date(midnightS * 1000).getUTCFullYear());
  if (!isSun(m)) return midnightS + m.s;
  return meanNoonS(midnightS + DAY_S / 2, place.lon) + SUN[m][2] * 3600;
}
