// Zones: their colours and areas, and their names on the map (ground/ draws the areas).

import type { LayerSpecification, Map } from "maplibre-gl";
import type { Feature, Geometry } from "geojson";
import type { HeightLimit, ZoneView, ZonesMessage } from "../messages";
import { circleRing, collection, labelPoint, point, type LonLat } from "./geo";
import { lookOf, type Look } from "./ground/shapes";
import type { Palette } from "./palette";
import { FONT, FONT_BOLD, geojson, setData, type Part } from "./part";

/** A zone this wide on the screen has room for its name, px. */
const NAMED_PX = 70;

export const ZONE_NAMES: Part = {
  sources: { "zone-names": geojson({ buffer: 32 }) },
  layers: [
    {
      id: "zone-names",
      type: "symbol",
      source: "zone-names",
      // Not larger than its zone: a thousand names would hide what they name.
      filter: ["<=", ["get", "from"], ["zoom"]],
      layout: {
        "text-field": ["get", "label"],
        "text-font": ["match", ["get", "look"], "emergency", ["literal", FONT_BOLD], ["literal", FONT]],
        "text-size": ["match", ["get", "look"], "emergency", 13, 11],
        "text-max-width": 11,
        "text-padding": 6,
        "symbol-sort-key": ["get", "rank"],
      },
    },
  ] as LayerSpecification[],
  paint: (c) => ({
    "zone-names": {
      "text-color": [
        "match",
        ["get", "kind"],
        "unreadable",
        c.unreadable,
        "emergency",
        c.emergency,
        "PROHIBITED",
        c.prohibited,
        "REQ_AUTHORISATION",
        c.authorisation,
        "CONDITIONAL",
        c.conditional,
        c.unrestricted,
      ],
      "text-halo-color": c.halo,
      "text-halo-width": 1.4,
    },
  }),
};

function kindOf(zone: ZoneView): string {
  return !zone.readable ? "unreadable" : zone.emergency ? "emergency" : zone.restriction;
}

export function zoneColour(zone: ZoneView, c: Palette): string {
  const colours: Record<string, string> = {
    unreadable: c.unreadable,
    emergency: c.emergency,
    PROHIBITED: c.prohibited,
    REQ_AUTHORISATION: c.authorisation,
    CONDITIONAL: c.conditional,
  };
  return colours[kindOf(zone)] ?? c.unrestricted;
}

const RANK: Record<Look, number> = { emergency: 0, unsure: 1, yes: 2, no: 3 };

/** A large circle is looked at from nearby: it needs more corners to look round. */
const corners = (m: number) => (m > 1000 ? 240 : 72);

export function zoneRings(zone: ZoneView): LonLat[][][] {
  return zone.volumes.map(({ area }) =>
    "circle" in area ? [circleRing(...area.circle, corners(area.circle[2]))] : area.rings,
  );
}

export function showZoneNames(map: Map, message: ZonesMessage): void {
  const labels: Feature<Geometry>[] = [];
  for (const zone of message.zones) {
    const ring = zoneRings(zone)[0]?.[0];
    if (!ring) continue;
    const look = lookOf(zone);
    const label = labelOf(zone, look);
    const from = look === "emergency" ? 0 : zoomFor(ring);
    labels.push(point(labelPoint(ring), { kind: kindOf(zone), look, label, rank: RANK[look], from }));
  }
  setData(map, "zone-names", collection(labels));
}

/** From which zoom on a ring is wide enough for a name (512 px are 360 degrees at zoom 0). */
function zoomFor(ring: LonLat[]): number {
  const lons = ring.map((c) => c[0]);
  const width = Math.max(...lons) - Math.min(...lons);
  return Math.max(0, Math.log2((NAMED_PX * 360) / (512 * Math.max(width, 1e-6))));
}

function labelOf(zone: ZoneView, shown: Look): string {
  const words = [zone.name || zone.zone_id];
  if (!zone.readable) words.push("unreadable: taken as closed");
  else if (zone.emergency && shown === "emergency") words.push("EMERGENCY BAN");
  else if (zone.applies === "maybe") words.push("applies? unclear");
  else if (zone.state === "proposed") words.push("proposed");
  else if (shown === "no") words.push("not now");
  const limits = limitsOf(zone.volumes[0]?.lower ?? null, zone.volumes[0]?.upper ?? null);
  if (limits) words.push(limits);
  return words.join("\n");
}

function limitsOf(lower: HeightLimit | null, upper: HeightLimit | null): string {
  const say = (limit: HeightLimit) => `${Math.round(limit.m)} m ${limit.reference}`;
  const fromGround = !lower || (lower.m === 0 && lower.reference === "AGL");
  if (fromGround) return upper ? `up to ${say(upper)}` : "";
  return upper ? `${say(lower)} to ${say(upper)}` : `above ${say(lower)}`;
}
