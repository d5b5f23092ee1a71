// For the tests: the built page's own judge, put the questions that Python was put.

import { type Height, type Terrain, type Tri, type ZonesDocument } from "./data";
import { appliesAt, type Applies } from "./schedule";
import { Clock } from "./clock";
import { type Part, type Verdict, verdictOf, Zones } from "./judge";

export interface Case {
  lat: number;
  lon: number;
  sigma_m: number;
  height: Height | null;
  sigma_height_m: number;
  at_ms: number;
  terrain: Terrain | null;
}

export interface Told {
  holds: Tri[];
  verdict: Verdict;
}

/** What each zone of a document says to each case, in its order, and what holds. */
export function ask(document: ZonesDocument, cases: Case[]): Told[] {
  const zones = new Zones(document);
  return cases.map((c) => {
    const fix = {
      lat: c.lat,
      lon: c.lon,
      sigmaM: c.sigma_m,
      height: c.height,
      sigmaHeightM: c.sigma_height_m,
    };
    const holds = zones.zones.map((z) => zones.holds(z, fix, c.at_ms, c.terrain));
    const parts: Part[] = zones.zones.map((z, i) => ({
      zone: z.zone,
      holds: holds[i]!,
      unsure: [],
    }));
    return { holds, verdict: verdictOf(parts) };
  });
}

/** Whether each zone applies at each moment, and until when. */
export function times(document: ZonesDocument, atMs: number[]): Applies[][] {
  const { clocks } = document.skykeep;
  const made = new Map(Object.entries(clocks.offsets).map(([n, table]) => [n, new Clock(table)]));
  return document.features.map((f) =>
    atMs.map((at) => appliesAt(f.properties.published, clocks, made, at)),
  );
}
