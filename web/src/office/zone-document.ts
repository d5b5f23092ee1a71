// A proposed version of a zone as ED-318: a new one, or one that is published with some of it changed.

import type { DrawnArea } from "../context";
import type { HeightLimit } from "../messages";
import { geometry, shortText, type ZoneDocument } from "./ban-document";
import { rfc3339 } from "./times";

type Json = Record<string, unknown>;

export interface Drafted {
  zoneId: string;
  name: string;
  restriction: string;
  legalBasis: string;
  message: string;
  conditions: string;
  email: string;
  phone: string;
  /** Null: the area and the heights stay as they are. */
  where: { area: DrawnArea; lower: HeightLimit | null; upper: HeightLimit | null } | null;
  /** Null: the times stay as they are; for a new zone, always. */
  times: { startMs: number; endMs: number } | null;
}

const LONGEST_SHORT = 200;
const IDENTIFIER = /^[A-Za-z0-9]{1,7}$/;
const NO_COUNTRY = "ZZZ";
/** ED-318 spells one of them otherwise than ED-269 and the rest of this page. */
const TYPES: Record<string, string> = { REQ_AUTHORISATION: "REQ_AUTHORIZATION" };

/** The feature of a zone among those that are published; undefined where it cannot be written. */
export function featureOf(document: ZoneDocument, zoneId: string): Json | undefined {
  return document.features.find((feature) => {
    const properties = (feature["properties"] ?? {}) as Json;
    const own = extensionOf(properties);
    return own["zoneId"] === zoneId || (properties["identifier"] === zoneId && !own["zoneId"]);
  });
}

function extensionOf(properties: Json): Json {
  const holder = (properties["extendedProperties"] ?? {}) as Json;
  return { ...((holder["skykeep"] ?? {}) as Json) };
}

/** The document that proposes it; `before` is the feature of the version that it changes. */
export function proposal(draft: Drafted, authority: string, before?: Json): ZoneDocument {
  const old = (before?.["properties"] ?? {}) as Json;
  const extension = extensionOf(old);
  for (const each of ["name", "message", "conditions", "state", "emergency"]) delete extension[each];
  extension["authorityId"] = authority;
  extension["legalBasis"] = draft.legalBasis;
  if (!before) extension["country"] = "";
  if (draft.name.length > LONGEST_SHORT) extension["name"] = draft.name;
  if (draft.message.length > LONGEST_SHORT) extension["message"] = draft.message;
  const properties: Json = {
    identifier: draft.zoneId,
    country: NO_COUNTRY,
    variant: "COMMON",
    reason: ["OTHER"],
    zoneAuthority: [contact(draft, authority)],
    ...old,
    name: shortText(draft.name),
    type: TYPES[draft.restriction] ?? draft.restriction,
  };
  for (const each of ["message", "restrictionConditions"]) delete properties[each];
  if (draft.message !== "") properties["message"] = shortText(draft.message);
  if (draft.conditions !== "") properties["restrictionConditions"] = draft.conditions;
  if (draft.times) {
    delete extension["limitedApplicability"];
    const { startMs, endMs } = draft.times;
    const period = { startDateTime: rfc3339(startMs), endDateTime: rfc3339(endMs) };
    properties["limitedApplicability"] = [period];
  }
  let shape = before?.["geometry"];
  if (draft.where) {
    for (const each of ["geometry", "pressureLimits"]) delete extension[each];
    shape = geometry(draft.where.area, draft.where.upper, draft.where.lower ?? undefined);
  }
  if (!before && !IDENTIFIER.test(draft.zoneId)) {
    extension["zoneId"] = draft.zoneId;
    properties["identifier"] = draft.zoneId.replace(/[^A-Za-z0-9]/g, "").slice(0, 7) || "ZONE";
  }
  properties["extendedProperties"] = { skykeep: extension };
  const feature = { type: "Feature", properties, geometry: shape };
  return { type: "FeatureCollection", features: [feature] };
}

function contact({ email, phone }: Drafted, authority: string): Json {
  return {
    purpose: "AUTHORIZATION",
    name: shortText(authority),
    ...(email === "" ? {} : { email }),
    ...(phone === "" ? {} : { phone }),
  };
}
