// An emergency ban as an ED-318 feature collection, with the members that write_ed318 writes
// (codec/ed318_write.py), so that others' programs read it too.

import type { DrawnArea } from "../context";
import type { HeightLimit } from "../messages";
import { drawnWords, limitWords, tidyRing } from "./areas";
import { clock, rfc3339, utcClock } from "./times";

/** ED-318's textShortType; longer words go into the extension whole. */
const MAX_SHORT_TEXT = 200;
/** ED-318: the identifier of a zone has at most seven characters. */
const IDENTIFIER_LENGTH = 7;
/** Without letters and digits that are taken for each other. */
const ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
const LANGUAGE = "en-GB";
/** What write_ed318 writes where no country is known. */
const NO_COUNTRY = "ZZZ";

export interface Ban {
  identifier: string;
  name: string;
  message: string;
  legalBasis: string;
  area: DrawnArea;
  upper: HeightLimit | null;
  startMs: number;
  endMs: number;
}

export interface ZoneDocument {
  type: string;
  features: Record<string, unknown>[];
  [more: string]: unknown;
}

/**
 * A new identifier, by chance: one that was ever used before could stand in an old permit, which
 * would then open the ban; and to publish one that is in use replaces that zone.
 */
export function freshIdentifier(taken: ReadonlySet<string>): string {
  for (;;) {
    const drawn = crypto.getRandomValues(new Uint8Array(IDENTIFIER_LENGTH - 1));
    const made = `E${Array.from(drawn, (n) => ALPHABET[n % ALPHABET.length]).join("")}`;
    if (!taken.has(made)) return made;
  }
}

/**
 * The document that publishes it. It names the site's authority alone: more stands in its other
 * zones, but to ask for all of them keeps a busy site from its work just when it must not be.
 */
export function banDocument(ban: Ban, authority: string): ZoneDocument {
  const extension: Record<string, unknown> = { authorityId: authority, country: "" };
  if (ban.name.length > MAX_SHORT_TEXT) extension["name"] = ban.name;
  if (ban.message.length > MAX_SHORT_TEXT) extension["message"] = ban.message;
  extension["legalBasis"] = ban.legalBasis;
  extension["emergency"] = true;
  const properties = {
    identifier: ban.identifier,
    country: NO_COUNTRY,
    name: shortText(ban.name),
    type: "PROHIBITED",
    variant: "COMMON",
    reason: ["EMERGENCY"],
    ...(ban.message === "" ? {} : { message: shortText(ban.message) }),
    zoneAuthority: [{ purpose: "AUTHORIZATION", name: shortText(authority) }],
    limitedApplicability: [
      { startDateTime: rfc3339(ban.startMs), endDateTime: rfc3339(ban.endMs) },
    ],
    extendedProperties: { skykeep: extension },
  };
  const feature = { type: "Feature", properties, geometry: geometry(ban.area, ban.upper) };
  return { type: "FeatureCollection", name: shorten(ban.name), features: [feature] };
}

export function shorten(words: string): string {
  return words.slice(0, MAX_SHORT_TEXT);
}

export function shortText(words: string): Record<string, unknown>[] {
  return [{ text: shorten(words), lang: LANGUAGE }];
}

/** The area with its limits as ED-318 writes them; without a lower one it begins at the ground. */
export function geometry(
  area: DrawnArea,
  upper: HeightLimit | null,
  lower: HeightLimit = { m: 0, reference: "AGL" },
): Record<string, unknown> {
  const name = (reference: string) => (reference === "HAE" ? "WGS84" : reference);
  const layer: Record<string, unknown> = {
    lower: lower.m,
    lowerReference: name(lower.reference),
    uom: "m",
  };
  if (upper) {
    layer["upper"] = upper.m;
    layer["upperReference"] = name(upper.reference);
  }
  if ("circle" in area) {
    const [lat, lon, radius] = area.circle;
    const extent = { subType: "Circle", radius };
    return { type: "Point", coordinates: [lon, lat], extent, layer };
  }
  return { type: "Polygon", coordinates: [tidyRing(area.ring)], layer };
}

/** The ban in one sentence, as those read it who must stand by it. */
export function banSentence(
  area: DrawnArea,
  upper: HeightLimit | null,
  endMs: number,
  zone: string,
  nowMs: number,
): string {
  const heights = upper ? `from ground to ${limitWords(upper)}` : "at every height";
  const until = `${clock(endMs, zone, nowMs)} local (${utcClock(endMs)})`;
  return `All drones are banned ${drawnWords(area)} ${heights}, from now until ${until}.`;
}
