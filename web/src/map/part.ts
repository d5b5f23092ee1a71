// What each part of the map is: sources and layers in a fixed order, and paint that follows the theme.

import type { GeoJSONSource, LayerSpecification, Map, SourceSpecification } from "maplibre-gl";
import type { FeatureCollection } from "geojson";
import type { Palette } from "./palette";

export type Paint = Record<string, Record<string, unknown>>;

export interface Part {
  sources: Record<string, SourceSpecification>;
  layers: LayerSpecification[];
  /** Paint properties by layer, for a palette. */
  paint(palette: Palette): Paint;
}

/** Labels are drawn from the machine's own fonts: a style without `glyphs` asks no server. */
export const FONT = ["Noto Sans", "DejaVu Sans", "Arial"];
export const FONT_BOLD = ["Noto Sans Bold", "DejaVu Sans", "Arial"];

export function geojson(extra: Record<string, unknown> = {}): SourceSpecification {
  return {
    type: "geojson",
    data: { type: "FeatureCollection", features: [] },
    ...extra,
  } as SourceSpecification;
}

/** Add a part to the map, in the paint of the palette. */
export function addPart(map: Map, part: Part, palette: Palette, before?: string): void {
  const paint = part.paint(palette);
  for (const [id, source] of Object.entries(part.sources)) map.addSource(id, source);
  for (const layer of part.layers) {
    const painted = { ...layer, paint: paint[layer.id] ?? {} } as LayerSpecification;
    map.addLayer(painted, before);
  }
}

export function repaint(map: Map, part: Part, palette: Palette): void {
  for (const [layer, properties] of Object.entries(part.paint(palette))) {
    if (!map.getLayer(layer)) continue;
    for (const [name, value] of Object.entries(properties)) {
      map.setPaintProperty(layer, name as never, value as never);
    }
  }
}

export function setData(map: Map, source: string, data: FeatureCollection): void {
  (map.getSource(source) as GeoJSONSource | undefined)?.setData(data);
}
