// What is under everything: country outlines, or a site's own PMTiles in quiet colours; and the
// labels of the grid.

import { addProtocol, type LayerSpecification, type Map } from "maplibre-gl";
import { PMTiles, Protocol } from "pmtiles";
import type { FeatureCollection } from "geojson";
import type { Topology } from "topojson-specification";
import type { SiteMessage } from "../messages";
import { collection, destination, point } from "./geo";
import { RINGS_M } from "./ground/layer";
import { addPart, FONT, geojson, setData, type Part } from "./part";
import type { Palette } from "./palette";

const COARSE_ZOOM = 9.5;

export const GRID: Part = {
  sources: { countries: geojson({ tolerance: 0.4 }), "grid-labels": geojson() },
  layers: [
    // The outlines are coarse (1:50 million): close up they would lie by a kilometre.
    { id: "land", type: "fill", source: "countries", maxzoom: COARSE_ZOOM },
    { id: "borders", type: "line", source: "countries", maxzoom: COARSE_ZOOM },
    {
      id: "grid-labels",
      type: "symbol",
      source: "grid-labels",
      layout: {
        "text-field": ["get", "label"],
        "text-font": FONT,
        "text-size": 11,
        "text-padding": 12,
      },
    },
  ] as LayerSpecification[],
  paint: (c) => ({
    land: {
      "fill-color": c.land,
      "fill-opacity": ["interpolate", ["linear"], ["zoom"], 7, 1, COARSE_ZOOM, 0],
    },
    borders: {
      "line-color": c.border,
      "line-width": 1,
      "line-opacity": ["interpolate", ["linear"], ["zoom"], 7, 1, COARSE_ZOOM, 0],
    },
    "grid-labels": { "text-color": c.gridText, "text-halo-color": c.halo, "text-halo-width": 1.5 },
  }),
};

export function showGridLabels(map: Map, site: SiteMessage): void {
  const { lat_deg: lat, lon_deg: lon } = site;
  const labels = [];
  for (const m of RINGS_M) {
    const label = m < 1000 ? `${m} m` : `${m / 1000} km`;
    for (const bearing of [0, 180]) {
      labels.push(point(destination(lat, lon, bearing, m), { label }));
    }
    for (let bearing = 30; bearing < 360; bearing += 30) {
      if (bearing === 180) continue;
      const words = `${String(bearing).padStart(3, "0")}°`;
      // Half way between two rings, where the ring's own label is not.
      labels.push(point(destination(lat, lon, bearing, m * 0.72), { label: words }));
    }
  }
  setData(map, "grid-labels", collection(labels));
}

/** The outlines come in a file of their own, after the picture stands. */
export async function showCountries(map: Map): Promise<void> {
  const [{ feature: unpack }, file] = await Promise.all([
    import("topojson-client"),
    import("world-atlas/countries-50m.json"),
  ]);
  const topology = file.default as unknown as Topology;
  const countries = topology.objects.countries;
  if (countries) setData(map, "countries", unpack(topology, countries) as FeatureCollection);
}

let protocol: Protocol | null = null;

/** Draw a PMTiles file, vector or raster, under everything that is there. */
export async function showBasemap(map: Map, url: string, palette: Palette): Promise<Part> {
  const file = new PMTiles(new URL(url, location.href).href);
  if (!protocol) {
    protocol = new Protocol();
    addProtocol("pmtiles", protocol.tile);
  }
  protocol.add(file);
  const header = await file.getHeader();
  const MVT = 1;
  const MLT = 6;
  const vector = header.tileType === MVT || header.tileType === MLT;
  const metadata = vector ? ((await file.getMetadata()) as TileMetadata) : {};
  const names = new Set((metadata.vector_layers ?? []).map((l) => l.id));
  const source = {
    type: vector ? "vector" : "raster",
    url: `pmtiles://${file.source.getKey()}`,
    attribution: metadata.attribution ?? "",
    ...(vector ? {} : { tileSize: 256 }),
    ...(header.tileType === MLT ? { encoding: "mlt" } : {}),
  };
  const part: Part = {
    sources: { basemap: source as never },
    layers: vector ? vectorLayers(names) : [{ id: "base-raster", type: "raster", source: "basemap" }],
    paint: (c) => (vector ? vectorPaint(c) : rasterPaint(c)),
  };
  addPart(map, part, palette, "ground");
  for (const id of ["land", "borders"]) map.setLayoutProperty(id, "visibility", "none");
  return part;
}

interface TileMetadata {
  vector_layers?: { id: string }[];
  attribution?: string;
}

/** [our layer, kind, the layers that Protomaps and OpenMapTiles name so] */
const VECTOR: [string, "fill" | "line" | "symbol", string[]][] = [
  ["earth", "fill", ["earth", "land"]],
  ["green", "fill", ["landcover", "landuse", "park"]],
  ["water", "fill", ["water"]],
  ["river", "line", ["waterway"]],
  ["building", "fill", ["buildings", "building"]],
  ["road", "line", ["roads", "transportation"]],
  ["boundary", "line", ["boundaries", "boundary"]],
  ["place", "symbol", ["places", "place"]],
];

function vectorLayers(names: Set<string>): LayerSpecification[] {
  const layers: LayerSpecification[] = [];
  for (const [id, type, candidates] of VECTOR) {
    for (const name of candidates.filter((n) => names.has(n))) {
      const layer: Record<string, unknown> = {
        id: `base-${id}-${name}`,
        type,
        source: "basemap",
        "source-layer": name,
      };
      if (type === "fill") layer.filter = ["==", ["geometry-type"], "Polygon"];
      if (type === "symbol") {
        layer.layout = { "text-field": ["get", "name"], "text-font": FONT, "text-size": 11 };
      }
      layers.push(layer as unknown as LayerSpecification);
    }
  }
  return layers;
}

function vectorPaint(c: Palette): ReturnType<Part["paint"]> {
  const fills: Record<string, string> = {
    earth: c.land,
    green: c.green,
    water: c.water,
    building: c.building,
  };
  const lines: Record<string, string> = { river: c.water, road: c.road, boundary: c.border };
  const paint: ReturnType<Part["paint"]> = {};
  for (const [id, type, names] of VECTOR) {
    for (const name of names) {
      const layer = `base-${id}-${name}`;
      if (type === "fill") paint[layer] = { "fill-color": fills[id] };
      else if (type === "line") paint[layer] = { "line-color": lines[id], "line-width": 1 };
      else paint[layer] = { "text-color": c.gridText, "text-halo-color": c.halo, "text-halo-width": 1 };
    }
  }
  return paint;
}

function rasterPaint(c: Palette): ReturnType<Part["paint"]> {
  const dark = c.halo < "#8";
  return {
    "base-raster": {
      "raster-saturation": -0.7,
      "raster-opacity": dark ? 0.5 : 0.75,
      "raster-brightness-max": dark ? 0.45 : 1,
    },
  };
}
