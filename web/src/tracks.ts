// What the page knows of single tracks, beyond the last message: rows by id, and since when inside.

import { NEVER, NO_ZONE, TrackFlag, type TracksMessage } from "./messages";
import type { Store } from "./store";
import { asPermission, type Permission } from "./symbols";

/** A track measured this long ago is shown as old, s. */
export const OLD_S = 5;

export interface TrackFacts {
  id: string;
  lat: number;
  lon: number;
  heightM: number;
  heightReference: string;
  speedMps: number;
  headingDeg: number;
  climbMps: number;
  sigmaM: number;
  sigmaUpM: number;
  /** s since the last observation, now. */
  ageS: number;
  stateAgeS: number;
  permission: Permission;
  presence: string;
  /** s until it enters, now; NaN: none. */
  entryS: number;
  /** By its uncertainty; null: not foreseen. */
  arrival: ArrivalFacts | null;
  zoneId: string | null;
  strength: string;
  drone: number;
  takenForDrone: boolean;
  measured: boolean;
  hasIdentity: boolean;
  sensors: string[];
  alert: string;
}

/** % within so many s; s by which it has entered with 10, 50, 90 %, now; NaN: not reached. */
export interface ArrivalFacts {
  percent: number;
  withinS: number;
  by10S: number;
  by50S: number;
  by90S: number;
}

/** Since when a track is inside; `atLeast` where it was so already when this page first saw it. */
export interface Inside {
  sinceMs: number;
  atLeast: boolean;
}

export class Tracks {
  private rows = new Map<string, number>();
  private readonly inside = new Map<string, Inside>();
  private readonly known = new Set<string>();

  constructor(private readonly store: Store) {
    store.on("tracks", (message) => this.take(message));
  }

  row(id: string): number | undefined {
    return this.rows.get(id);
  }

  insideSince(id: string): Inside | undefined {
    return this.inside.get(id);
  }

  private take(m: TracksMessage): void {
    const rows = new Map<string, number>();
    const within = m.presences.indexOf("inside");
    m.track_id.forEach((id, i) => {
      rows.set(id, i);
      if (m.presence[i] !== within) this.inside.delete(id);
      else if (!this.inside.has(id)) {
        this.inside.set(id, { sinceMs: m.at_ms, atLeast: !this.known.has(id) });
      }
    });
    for (const id of this.rows.keys()) {
      if (rows.has(id)) continue;
      this.inside.delete(id);
      this.known.delete(id);
    }
    for (const id of rows.keys()) this.known.add(id);
    this.rows = rows;
  }

  facts(id: string): TrackFacts | null {
    const m = this.store.get("tracks");
    const i = this.rows.get(id);
    if (!m || i === undefined) return null;
    const sinceS = Math.max(0, (this.store.siteNowMs() - m.at_ms) / 1000);
    const ve = m.ve_mps[i]!;
    const vn = m.vn_mps[i]!;
    const flags = m.flags[i]!;
    const zone = m.zone[i]!;
    return {
      id,
      lat: m.lat_e7[i]! / 1e7,
      lon: m.lon_e7[i]! / 1e7,
      heightM: m.height_m[i]!,
      heightReference: m.references[m.height_reference[i]!] ?? "UNKNOWN",
      speedMps: Math.hypot(ve, vn),
      headingDeg: ((Math.atan2(ve, vn) * 180) / Math.PI + 360) % 360,
      climbMps: m.vu_mps[i]!,
      sigmaM: m.sigma_m[i]!,
      sigmaUpM: m.sigma_up_m[i]!,
      ageS: m.age_s[i]! + sinceS,
      stateAgeS: m.state_age_s[i]! + sinceS,
      permission: asPermission(m.permissions[m.permission[i]!]),
      presence: m.presences[m.presence[i]!] ?? "none",
      entryS: m.entry_s[i]! - sinceS,
      arrival: arrivalOf(m, i, sinceS),
      zoneId: zone === NO_ZONE ? null : (m.zone_ids[zone] ?? null),
      strength: m.strengths[m.strength[i]!] ?? "none",
      drone: m.drone[i]!,
      takenForDrone: (flags & TrackFlag.TakenForDrone) !== 0,
      measured: (flags & TrackFlag.Measured) !== 0,
      hasIdentity: (flags & TrackFlag.HasIdentity) !== 0,
      sensors: (m.sensors[i] ?? []).map((s) => m.sensor_ids[s] ?? "?"),
      alert: m.alert[i] ?? "",
    };
  }
}

function arrivalOf(m: TracksMessage, i: number, sinceS: number): ArrivalFacts | null {
  const percent = m.entry_percent[i]!;
  if (percent === NEVER) return null;
  const by = (s: number): number => (s === NEVER ? NaN : Math.max(0, s - sinceS));
  return {
    percent,
    withinS: m.entry_within_s,
    by10S: by(m.entry_10_s[i]!),
    by50S: by(m.entry_50_s[i]!),
    by90S: by(m.entry_90_s[i]!),
  };
}
