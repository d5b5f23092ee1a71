// "May I fly here, then, that high?", from the published zones alone. An unreadable zone can be
// anything; what cannot be told is never taken for permission.

import { Clock } from "./clock";
import {
  and,
  type Clocks,
  MAYBE,
  NO,
  or,
  type Restriction,
  type Terrain,
  type Tri,
  YES,
  type ZoneData,
  type ZonesDocument,
} from "./data";
import { type Applies, appliesAt } from "./schedule";
import {
  type Area,
  type Fix,
  inArea,
  inHeights,
  overCeiling,
  overFloor,
  prepare,
  BORDER_SIGMAS,
  LEAST_METRES_PER_DEGREE_LAT,
} from "./space";

export type Verdict = Restriction | "NONE" | "UNDETERMINED";

/** The strictest zone holds; a lenient one never opens a stricter one (docs/precedence.md). */
export const RANK: Record<Restriction | "NONE", number> = {
  NONE: 0,
  NO_RESTRICTION: 1,
  CONDITIONAL: 2,
  REQ_AUTHORISATION: 3,
  PROHIBITED: 4,
};
/** What a site says of its ground holds as far as it sees (DEFAULT_TERRAIN_RADIUS_M, config.py). */
const TERRAIN_REACH_M = 15_000;
/** Looking for the next change stops here. */
const AHEAD_MS = 400 * 86_400_000;
const MOST_STEPS = 3_000;

export interface Prepared {
  zone: ZoneData;
  areas: Area[];
  south: number;
  north: number;
  unsureMs: number | null;
}

export interface Question {
  lat: number;
  lon: number;
  /** How far off the place may be (95 %), metres. */
  withinM: number;
  height: Fix["height"];
  atMs: number;
}

/** One zone that has to do with the answer. */
export interface Part {
  zone: ZoneData;
  /** Whether it holds for the question as it was put. */
  holds: Tri;
  /** Why that cannot be told, most telling first. */
  unsure: ("unreadable" | "lapses" | "time" | "height" | "border")[];
}

export interface Answer {
  verdict: Verdict;
  /** Zones that hold or may hold, the strictest first. */
  parts: Part[];
  /** Zones between the ground and that height, and what holds with them. */
  climb: Part[];
  climbVerdict: Verdict;
  /** When `climbVerdict` next changes, and to what; null if it was not found to. */
  nextMs: number | null;
  next: Verdict | null;
}

export class Zones {
  readonly zones: Prepared[];
  private readonly clocks: Clocks;
  private readonly made = new Map<string, Clock>();

  constructor(readonly document: ZonesDocument) {
    this.clocks = document.skykeep.clocks;
    for (const [name, table] of Object.entries(this.clocks.offsets)) {
      this.made.set(name, new Clock(table));
    }
    this.zones = document.features.map(({ properties: { published: zone } }) => {
      const areas = zone.readable ? zone.volumes.map(prepare) : [];
      return {
        zone,
        areas,
        south: Math.min(...areas.map((a) => a.south)),
        north: Math.max(...areas.map((a) => a.north)),
        unsureMs: zone.unsure_from === null ? null : Date.parse(zone.unsure_from),
      };
    });
  }

  clockOf(name: string): Clock | undefined {
    return this.made.get(name);
  }

  /** The first and the last moment about which local times can be told. */
  get reachMs(): [number, number] {
    return [this.clocks.from_s * 1000, (this.clocks.until_s - 6 * 86_400) * 1000];
  }

  terrainAt(lat: number, lon: number): Terrain | null {
    const { terrain, place } = this.document.skykeep;
    const site = prepare({
      circle: [place[0], place[1], TERRAIN_REACH_M],
      lower: null,
      upper: null,
    });
    const here = { lat, lon, sigmaM: 0, height: null, sigmaHeightM: 0 };
    return terrain !== null && inArea(site, here) === YES ? terrain : null;
  }

  answer(question: Question): Answer {
    const terrain = this.terrainAt(question.lat, question.lon);
    const fix = fixOf(question);
    const near = this.zones.filter((z) => overArea(z, fix) !== NO);
    const { atMs } = question;
    const parts = this.partsAt(near, fix, atMs, terrain);
    const climb = this.climbParts(near, fix, atMs, terrain, parts);
    const verdict = verdictOf(parts);
    const climbVerdict = verdictOf([...parts, ...climb]);
    const [nextMs, next] = this.nextChange(near, fix, atMs, terrain, climbVerdict);
    return { verdict, parts, climb, climbVerdict, nextMs, next };
  }

  private appliesTo(prepared: Prepared, atMs: number): Applies {
    const { zone, unsureMs } = prepared;
    const found = appliesAt(zone, this.clocks, this.made, atMs);
    if (unsureMs === null) return found;
    if (atMs >= unsureMs) return { ...found, answer: and(found.answer, MAYBE) };
    const untilMs = Math.min(found.untilMs ?? Infinity, unsureMs);
    return { answer: found.answer, untilMs };
  }

  /** Whether one zone holds at a point and a moment. */
  holds(prepared: Prepared, fix: Fix, atMs: number, terrain: Terrain | null): Tri {
    if (!prepared.zone.readable) return MAYBE;
    const inSpace = inVolumes(prepared, fix, terrain);
    return inSpace === NO ? NO : and(inSpace, this.appliesTo(prepared, atMs).answer);
  }

  private partsAt(
    near: Prepared[],
    fix: Fix,
    atMs: number,
    terrain: Terrain | null,
  ): Part[] {
    const parts: Part[] = [];
    for (const prepared of near) {
      const holds = this.holds(prepared, fix, atMs, terrain);
      if (holds === NO) continue;
      const unsure = holds === YES ? [] : this.whyUnsure(prepared, fix, atMs, terrain);
      parts.push({ zone: prepared.zone, holds, unsure });
    }
    return sorted(parts);
  }

  private whyUnsure(
    prepared: Prepared,
    fix: Fix,
    atMs: number,
    terrain: Terrain | null,
  ): Part["unsure"] {
    if (!prepared.zone.readable) return ["unreadable"];
    const why: Part["unsure"] = [];
    if (prepared.unsureMs !== null && atMs >= prepared.unsureMs) why.push("lapses");
    else if (this.appliesTo(prepared, atMs).answer === MAYBE) why.push("time");
    if (overArea(prepared, fix) === MAYBE) why.push("border");
    if (inVolumes(prepared, { ...fix, sigmaM: 0 }, terrain) === MAYBE) why.push("height");
    return why;
  }

  /** Zones that do not hold at that height but, now, somewhere between there and the ground. */
  private climbParts(
    near: Prepared[],
    fix: Fix,
    atMs: number,
    terrain: Terrain | null,
    already: Part[],
  ): Part[] {
    if (fix.height === null) return [];
    const known = new Set(already.map((p) => p.zone));
    const parts: Part[] = [];
    for (const prepared of near) {
      if (!prepared.zone.readable || known.has(prepared.zone)) continue;
      const holds = and(underVolumes(prepared, fix, terrain), this.appliesTo(prepared, atMs).answer);
      if (holds !== NO) parts.push({ zone: prepared.zone, holds, unsure: [] });
    }
    return sorted(parts);
  }

  /** Go from edge to edge until the verdict is another one. */
  private nextChange(
    near: Prepared[],
    fix: Fix,
    atMs: number,
    terrain: Terrain | null,
    verdict: Verdict,
  ): [number, Verdict] | [null, null] {
    const timed = near
      .filter((z) => z.zone.readable)
      .map((z) => ({ prepared: z, inSpace: onTheWay(z, fix, terrain) }))
      .filter((z) => z.inSpace !== NO);
    const always = near
      .filter((z) => !z.zone.readable)
      .map((z) => ({ zone: z.zone, holds: MAYBE as Tri, unsure: [] }));
    const known = new Map<Prepared, Applies>();
    let now = atMs;
    for (let step = 0; step < MOST_STEPS; step++) {
      let until = Infinity;
      const parts: Part[] = [...always];
      for (const { prepared, inSpace } of timed) {
        let found = known.get(prepared);
        if (!found || (found.untilMs !== null && found.untilMs <= now)) {
          found = this.appliesTo(prepared, now);
          known.set(prepared, found);
        }
        until = Math.min(until, found.untilMs ?? Infinity);
        const holds = and(inSpace, found.answer);
        if (holds !== NO) parts.push({ zone: prepared.zone, holds, unsure: [] });
      }
      const then = verdictOf(parts);
      if (then !== verdict) return [now, then];
      if (until > atMs + AHEAD_MS) return [null, null];
      now = until;
    }
    return [null, null];
  }
}

function fixOf(question: Question): Fix {
  return {
    lat: question.lat,
    lon: question.lon,
    sigmaM: question.withinM / BORDER_SIGMAS,
    height: question.height,
    sigmaHeightM: 0,
  };
}

function overArea(prepared: Prepared, fix: Fix): Tri {
  if (!prepared.zone.readable) return MAYBE;
  const margin = (BORDER_SIGMAS * fix.sigmaM) / LEAST_METRES_PER_DEGREE_LAT;
  if (fix.lat + margin < prepared.south || fix.lat - margin > prepared.north) return NO;
  return prepared.areas.reduce<Tri>((found, area) => or(found, inArea(area, fix)), NO);
}

/** The volumes' answers joined one by one. */
function inVolumes(prepared: Prepared, fix: Fix, terrain: Terrain | null): Tri {
  const margin = (BORDER_SIGMAS * fix.sigmaM) / LEAST_METRES_PER_DEGREE_LAT;
  if (fix.lat + margin < prepared.south || fix.lat - margin > prepared.north) return NO;
  let answer: Tri = NO;
  for (const [i, area] of prepared.areas.entries()) {
    const inside = inArea(area, fix);
    if (inside !== NO) {
      answer = or(answer, and(inside, inHeights(fix, prepared.zone.volumes[i]!, terrain)));
    }
    if (answer === YES) break;
  }
  return answer;
}

/** Whether a volume of the zone ends below that height, at that place. */
function underVolumes(prepared: Prepared, fix: Fix, terrain: Terrain | null): Tri {
  return prepared.areas.reduce<Tri>((found, area, i) => {
    const { lower, upper } = prepared.zone.volumes[i]!;
    const passed = and(overFloor(fix, lower, terrain), overCeiling(fix, upper, terrain));
    return or(found, and(inArea(area, fix), passed));
  }, NO);
}

/** At that height, or between there and the ground. */
function onTheWay(prepared: Prepared, fix: Fix, terrain: Terrain | null): Tri {
  const at = inVolumes(prepared, fix, terrain);
  return fix.height === null ? at : or(at, underVolumes(prepared, fix, terrain));
}

/** How strict a zone may turn out to be: one that could not be read, as strict as any. */
const possibleRank = (zone: ZoneData): number =>
  zone.readable ? RANK[zone.restriction] : RANK.PROHIBITED;

function sorted(parts: Part[]): Part[] {
  return parts.sort(
    (a, b) =>
      possibleRank(b.zone) - possibleRank(a.zone) ||
      b.holds - a.holds ||
      (a.zone.id < b.zone.id ? -1 : 1),
  );
}

/** The strictest zone that holds, unless one that is stricter may hold. */
export function verdictOf(parts: readonly Part[]): Verdict {
  let sure: Restriction | "NONE" = "NONE";
  let possible = 0;
  for (const { zone, holds } of parts) {
    if (holds === YES && RANK[zone.restriction] > RANK[sure]) sure = zone.restriction;
    if (holds === MAYBE) possible = Math.max(possible, possibleRank(zone));
  }
  // "No restriction" and no zone allow the same.
  return possible > Math.max(RANK[sure], RANK.NO_RESTRICTION) ? "UNDETERMINED" : sure;
}
