// Sensors, what they cover, and the bearings that they and people gave in the last seconds.

import type { LayerSpecification, Map } from "maplibre-gl";
import type { Feature, Geometry } from "geojson";
import type { RaysMessage, SensorsMessage, SensorView } from "../messages";
import { circleRing, collection, destination, line, point, polygon, sectorRing } from "./geo";
import { FONT, geojson, setData, type Part } from "./part";

/** How far a ray is drawn where the sensor's range is not known, m. */
const RAY_M = 5_000;
/** A bearing without a stated spread is drawn as wide as this, degrees. */
const RAY_SIGMA_DEG = 5;

export const COVERAGE: Part = {
  sources: { coverage: geojson() },
  layers: [{ id: "coverage", type: "line", source: "coverage" }],
  paint: (c) => ({
    coverage: {
      "line-color": ["match", ["get", "health"], "silent", c.silent, c.sensor],
      "line-width": 1,
      "line-opacity": 0.6,
      "line-dasharray": [2, 4],
    },
  }),
};

export const RAYS: Part = {
  sources: { rays: geojson({ buffer: 16 }) },
  layers: [
    { id: "ray-wedges", type: "fill", source: "rays", filter: ["==", "$type", "Polygon"] },
    { id: "ray-lines", type: "line", source: "rays", filter: ["==", "$type", "LineString"] },
  ] as LayerSpecification[],
  paint: (c) => {
    const colour = ["case", ["==", ["get", "person"], 1], c.person, c.ray];
    return {
      "ray-wedges": {
        "fill-color": colour,
        "fill-opacity": ["*", 0.1, ["get", "fresh"]],
        "fill-antialias": false,
      },
      "ray-lines": { "line-color": colour, "line-width": 1.5, "line-opacity": ["get", "fresh"] },
    };
  },
};

export const SENSORS: Part = {
  sources: { sensors: geojson() },
  layers: [
    {
      id: "sensors",
      type: "symbol",
      source: "sensors",
      layout: {
        "icon-image": ["concat", "sensor-", ["get", "health"]],
        "icon-allow-overlap": true,
        "icon-ignore-placement": true,
        "text-field": ["step", ["zoom"], ["get", "short"], 11, ["get", "label"]],
        "text-font": FONT,
        "text-size": 11,
        "text-anchor": "top",
        "text-offset": [0, 0.9],
        "text-optional": true,
        "symbol-sort-key": ["case", ["==", ["get", "health"], "silent"], 0, 1],
      },
    },
  ],
  paint: (c) => ({
    sensors: {
      "text-color": ["match", ["get", "health"], "silent", c.silent, c.sensor],
      "text-halo-color": c.halo,
      "text-halo-width": 1.4,
    },
  }),
};

export function showSensors(map: Map, message: SensorsMessage): void {
  const sites: Feature<Geometry>[] = [];
  const covers: Feature<Geometry>[] = [];
  for (const sensor of message.sensors) {
    const { sensor_id: id, health } = sensor;
    const silent = health === "silent";
    const short = silent ? `${id}\nSILENT` : "";
    const label = silent ? short : id;
    sites.push(point([sensor.lon_deg, sensor.lat_deg], { id, health, short, label }));
    for (const ring of coverageRings(sensor)) covers.push(line(ring, { health }));
  }
  setData(map, "sensors", collection(sites));
  setData(map, "coverage", collection(covers));
}

function coverageRings(sensor: SensorView): [number, number][][] {
  const { lat_deg: lat, lon_deg: lon, coverage: c } = sensor;
  if (!c || !(c.range_max_m > 0) || c.range_max_m > 500_000) return [];
  const sweep = c.azimuth_to_deg - c.azimuth_from_deg;
  if (Math.abs(sweep) >= 360 || sweep === 0) {
    const rings = [circleRing(lat, lon, c.range_max_m)];
    if (c.range_min_m > 0) rings.push(circleRing(lat, lon, c.range_min_m));
    return rings;
  }
  return [
    sectorRing(lat, lon, c.azimuth_from_deg, c.azimuth_to_deg, c.range_min_m, c.range_max_m),
  ];
}

export function showRays(map: Map, rays: RaysMessage, sensors: SensorsMessage | undefined): void {
  const byId = new globalThis.Map(sensors?.sensors.map((s) => [s.sensor_id, s]));
  const features: Feature<Geometry>[] = [];
  for (let i = 0; i < rays.azimuth_deg.length; i++) {
    const sensor = byId.get(rays.sensor_ids[rays.sensor[i]!] ?? "");
    if (!sensor) continue;
    const azimuth = rays.azimuth_deg[i]!;
    const sigma = rays.sigma_deg[i]! > 0 ? rays.sigma_deg[i]! : RAY_SIGMA_DEG;
    const range = sensor.coverage?.range_max_m;
    const m = range > 0 && range < 500_000 ? range : RAY_M;
    const fresh = Math.max(0.25, 1 - rays.age_s[i]! / 12);
    const properties = { person: rays.person[i], fresh };
    const { lat_deg: lat, lon_deg: lon } = sensor;
    features.push(polygon([sectorRing(lat, lon, azimuth - sigma, azimuth + sigma, 0, m)], properties));
    features.push(line([[lon, lat], destination(lat, lon, azimuth, m)], properties));
  }
  setData(map, "rays", collection(features));
}
