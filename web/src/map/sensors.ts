// Where the sensors stand. What they cover is in ground/, their bearings in tracks/rays.ts.

import type { Map } from "maplibre-gl";
import type { Feature, Geometry } from "geojson";
import type { SensorsMessage } from "../messages";
import { collection, point } from "./geo";
import { FONT, geojson, setData, type Part } from "./part";

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
  for (const sensor of message.sensors) {
    const { sensor_id: id, health } = sensor;
    const silent = health === "silent";
    const short = silent ? `${id}\nSILENT` : "";
    const label = silent ? short : id;
    sites.push(point([sensor.lon_deg, sensor.lat_deg], { id, health, short, label }));
  }
  setData(map, "sensors", collection(sites));
}
