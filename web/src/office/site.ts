// What every office page needs to know of the site and of who looks at it.

import type { OfficeContext } from "../context";
import { actsAs, type Role, type SiteMessage } from "../messages";
import * as times from "./times";

export type { Role };

export const ROLE_WORDS: Record<Role, string> = {
  watch_officer: "a watch officer",
  shift_lead: "the shift lead",
  permit_officer: "the permit office",
  viewer: "a viewer",
};

export class Desk {
  constructor(readonly context: OfficeContext) {}

  get site(): SiteMessage | undefined {
    return this.context.store.get("site");
  }

  get role(): Role | undefined {
    return this.site?.role;
  }

  get zone(): string {
    return this.site?.time_zone ?? "UTC";
  }

  /** The site's clock; this machine's until the site has told its own. */
  nowMs(): number {
    const told = this.context.store.siteNowMs();
    return Number.isFinite(told) ? told : Date.now();
  }

  clock(ms: number): string {
    return times.clock(ms, this.zone, this.nowMs());
  }

  /** With its date, also today: for what is printed and read on another day. */
  dated(ms: number): string {
    return times.clock(ms, this.zone, NaN);
  }

  clockSeconds(ms: number): string {
    return times.clockSeconds(ms, this.zone, this.nowMs());
  }

  /** Why this listener may not do what these roles may; empty if it may. */
  whyNot(...roles: Role[]): string {
    const role = this.role;
    if (role === undefined) return "The site has not yet said what you may do.";
    if (roles.includes(role) || roles.includes(actsAs(role))) return "";
    const allowed = roles.map((r) => ROLE_WORDS[r]).join(" or ");
    return `Only ${allowed} may do this; you are here as ${ROLE_WORDS[role]}.`;
  }
}

/** What a command's answer says. */
export interface Done {
  entries: number[];
  changed: Record<string, unknown>[];
  incident: string | null;
  findings: { where: string; problem: string; assumed: string; severity: string }[];
}

/** "entry 1234 of the record, durable after 42 ms". */
export function recorded(done: Done, tookMs: number): string {
  const [first] = done.entries;
  const last = done.entries[done.entries.length - 1];
  const took = `durable after ${Math.max(1, Math.round(tookMs))} ms`;
  if (first === undefined) return took;
  const entry = last === first ? `entry ${first}` : `entries ${first} to ${last}`;
  return `${entry} of the record, ${took}`;
}
