// Zones on the map: in force (filled), not applying now (dashed), perhaps or unreadable (hatched).

import type { LayerSpecification, Map } from "maplibre-gl";
import type { Feature, Geometry } from "geojson";
import type { HeightLimit, ZoneView, ZonesMessage } from "../messages";
import { circleRing, collection, labelPoint, point, polygon, type LonLat } from "./geo";
import { FONT, FONT_BOLD, geojson, setData, type Part } from "./part";

/** How a zone is drawn; the first that fits. */
type Look = "emergency" | "unsure" | "yes" | "no";

export const ZONES: Part = {
  sources: {
    zones: geojson({ tolerance: 0.375, buffer: 32 }),
    "zone-labels": geojson({ buffer: 32 }),
    "zone-shown": geojson(),
  },
  layers: [
    { id: "zone-fill", type: "fill", source: "zones", filter: look("yes", "emergency") },
    {
      id: "zone-hatch",
      type: "fill",
      source: "zones",
      filter: look("unsure"),
    },
    { id: "zone-dashed", type: "line", source: "zones", filter: look("no", "unsure") },
    { id: "zone-line", type: "line", source: "zones", filter: look("yes") },
    { id: "zone-emergency-glow", type: "line", source: "zones", filter: look("emergency") },
    { id: "zone-emergency", type: "line", source: "zones", filter: look("emergency") },
    { id: "zone-shown", type: "line", source: "zone-shown" },
    {
      id: "zone-names",
      type: "symbol",
      source: "zone-labels",
      minzoom: 9,
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
  paint: (c) => {
    const colour = [
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
    ];
    return {
      "zone-fill": {
        "fill-color": colour,
        "fill-opacity": ["match", ["get", "kind"], "emergency", 0.2, "PROHIBITED", 0.11, 0.06],
        "fill-antialias": false,
      },
      "zone-hatch": { "fill-pattern": "hatch", "fill-antialias": false },
      "zone-dashed": { "line-color": colour, "line-width": 1.3, "line-dasharray": [4, 3] },
      "zone-line": {
        "line-color": colour,
        "line-width": ["match", ["get", "kind"], "PROHIBITED", 2, 1.2],
      },
      "zone-emergency-glow": { "line-color": c.emergency, "line-width": 9, "line-opacity": 0.3 },
      "zone-emergency": { "line-color": c.emergency, "line-width": 3 },
      "zone-shown": { "line-color": c.select, "line-width": 3, "line-dasharray": [1.5, 1] },
      "zone-names": {
        "text-color": colour,
        "text-halo-color": c.halo,
        "text-halo-width": 1.4,
      },
    };
  },
};

function look(...looks: Look[]): unknown {
  return ["in", ["get", "look"], ["literal", looks]];
}

function lookOf(zone: ZoneView): Look {
  if (!zone.readable || zone.applies === "maybe") return "unsure";
  if (zone.applies === "no" || zone.state === "proposed" || zone.state === "withdrawn") return "no";
  return zone.emergency ? "emergency" : "yes";
}

const RANK: Record<Look, number> = { emergency: 0, unsure: 1, yes: 2, no: 3 };

export function zoneRings(zone: ZoneView): LonLat[][][] {
  return zone.volumes.map(({ area }) =>
    "circle" in area ? [circleRing(area.circle[0], area.circle[1], area.circle[2])] : area.rings,
  );
}

export function showZones(map: Map, message: ZonesMessage): void {
  const areas: Feature<Geometry>[] = [];
  const labels: Feature<Geometry>[] = [];
  for (const zone of message.zones) {
    const shown = lookOf(zone);
    const kind = !zone.readable ? "unreadable" : zone.emergency ? "emergency" : zone.restriction;
    const properties = { zone_id: zone.zone_id, kind, look: shown };
    for (const rings of zoneRings(zone)) {
      if (!rings[0] || rings[0].length < 4) continue;
      areas.push(polygon(rings, properties));
    }
    const first = zoneRings(zone)[0]?.[0];
    if (!first) continue;
    const label = labelOf(zone, shown);
    labels.push(point(labelPoint(first), { ...properties, label, rank: RANK[shown] }));
  }
  setData(map, "zones", collection(areas));
  setData(map, "zone-labels", collection(labels));
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
