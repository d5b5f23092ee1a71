// One zone in words: how strict, why, how high, when, whom to ask.

import { h } from "../dom";
import type { Clock } from "./judge/clock";
import type { Authority, Restriction, ZoneData } from "./judge/data";
import type { Zones } from "./judge/judge";
import { type Words } from "./words";

/** More than this in one page helps nobody. */
const LISTED = 300;
const HEIGHTS_SAID = 3;
const ORDER: Restriction[] = ["PROHIBITED", "REQ_AUTHORISATION", "CONDITIONAL", "NO_RESTRICTION"];

export const kindOf = (zone: ZoneData): string => (zone.readable ? zone.restriction : "unreadable");

export function chip(words: Words, kind: string): HTMLElement {
  const key = `restriction_${kind}`;
  return h("span", { class: `chip ${kind}` }, words.has(key) ? words.say(key) : kind);
}

export function keyView(words: Words): HTMLElement {
  const rows = ORDER.map((kind) => h("li", {}, chip(words, kind)));
  return h("ul", { class: "key", "aria-label": words.say("key") }, ...rows);
}

/** The whole of a zone, under a heading. */
export function zoneView(
  words: Words,
  zones: Zones,
  zone: ZoneData,
  clock: Clock,
  unsure: readonly string[] = [],
  heading: "h3" | "h4" = "h3",
): HTMLElement {
  const rows: [string, (Node | string)[]][] = [];
  const reasons = zone.reasons.map((r) => {
    const key = `reason_${r}`;
    return words.has(key) ? words.say(key) : r;
  });
  if (reasons.length > 0) rows.push([words.say("reason"), [reasons.join(", ")]]);
  for (const [key, text] of [
    ["conditions", zone.conditions],
    ["message", zone.message],
  ] as const) {
    if (text !== "") rows.push([words.say(key), [text]]);
  }
  if (zone.readable) {
    const heights = [...new Set(zone.volumes.map((v) => words.heights(v)))];
    const more = heights.length > HEIGHTS_SAID ? " …" : "";
    rows.push([words.say("heights"), [heights.slice(0, HEIGHTS_SAID).join("; ") + more]]);
    rows.push([words.say("times"), [timesOf(words, zones, zone)]]);
  }
  if (zone.legal_basis !== "") {
    rows.push([words.say("legal_basis"), [[zone.legal_basis, ...zone.references].join("; ")]]);
  }
  if (zone.restriction !== "NO_RESTRICTION" || !zone.readable) {
    rows.push([words.say("ask"), whomToAsk(words, zones, zone)]);
  }
  return h(
    "article",
    { class: `zone ${kindOf(zone)}`, "data-testid": "zone", "data-zone": zone.zone },
    h(heading, {}, zone.name || zone.zone),
    h(
      "p",
      { class: "chips" },
      chip(words, kindOf(zone)),
      zone.emergency && h("span", { class: "chip emergency" }, words.say("emergency")),
      zone.valid_from !== null &&
        h("span", { class: "chip" }, words.say("valid_from", { when: when(words, zone.valid_from, clock) })),
      zone.unsure_from !== null &&
        h("span", { class: "chip" }, words.say("lapses", { when: when(words, zone.unsure_from, clock) })),
    ),
    ...unsure.map((text) => h("p", { class: "unsure" }, text)),
    h("dl", {}, ...rows.flatMap(([term, said]) => [h("dt", {}, term), h("dd", {}, ...said)])),
  );
}

const when = (words: Words, at: string, clock: Clock): string =>
  words.moment(Date.parse(at), clock);

function timesOf(words: Words, zones: Zones, zone: ZoneData): string {
  const own = zones.clockOf(zone.time_zone);
  if (zone.periods.length === 0) return words.say("always");
  if (!own) return words.say("unsure_time");
  const said = zone.periods.map((p) => words.period(p, own)).join("; ");
  return `${said} (${words.say("times_in", { zone: zone.time_zone })})`;
}

function whomToAsk(words: Words, zones: Zones, zone: ZoneData): (Node | string)[] {
  const rank = (a: Authority): number => (a.purpose === "AUTHORIZATION" ? 0 : 1);
  const listed = [...zone.authorities]
    .filter((a) => a.name || a.phone || a.email || a.site_url || a.service)
    .sort((a, b) => rank(a) - rank(b));
  if (listed.length === 0) {
    const { contact } = zones.document.skykeep;
    return [contact || words.say("ask_unknown", { authority: zone.authority })];
  }
  return listed.map((a) => h("div", { class: "authority" }, ...contactOf(words, a)));
}

function contactOf(words: Words, a: Authority): (Node | string)[] {
  const parts: (Node | string)[] = [[a.name, a.service, a.contact].filter(Boolean).join(", ")];
  if (a.phone) parts.push(h("a", { href: `tel:${a.phone.replace(/[^\d+]/g, "")}` }, a.phone));
  if (/^[\w.+-]+@[\w.-]+$/.test(a.email)) {
    parts.push(h("a", { href: `mailto:${a.email}` }, a.email));
  } else parts.push(a.email);
  if (/^https?:\/\//i.test(a.site_url)) {
    parts.push(h("a", { href: a.site_url, rel: "noreferrer noopener" }, a.site_url));
  }
  if (a.interval_before) {
    const time = words.duration(a.interval_before);
    parts.push(h("strong", {}, words.say("ask_before", { time })));
  }
  return parts.filter((p) => p !== "").map((p) => h("div", {}, p));
}

/** Every zone, closed until somebody wants it. */
export function zoneList(
  words: Words,
  zones: Zones,
  clock: Clock,
  go: (zone: ZoneData) => void,
): HTMLElement {
  const all = zones.zones.map((z) => z.zone);
  if (all.length === 0) return h("p", { "data-testid": "no-zones" }, words.say("all_zones_none"));
  const details = h(
    "details",
    { class: "all-zones no-print", "data-testid": "all-zones" },
    h("summary", {}, words.say("all_zones", { count: all.length })),
  );
  details.addEventListener(
    "toggle",
    () => {
      for (const zone of all.slice(0, LISTED)) {
        const view = zoneView(words, zones, zone, clock);
        if (zone.sun_place) {
          const show = (): void => go(zone);
          view.append(h("button", { type: "button", onclick: show }, words.say("show")));
        }
        details.append(view);
      }
      if (all.length > LISTED) {
        details.append(h("p", {}, words.say("all_zones_cut", { count: LISTED })));
      }
    },
    { once: true },
  );
  return details;
}
