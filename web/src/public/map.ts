// The map: zones by how strict they are, country outlines under them, and the place asked about.

import "maplibre-gl/dist/maplibre-gl.css";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import {
  type FilterSpecification,
  type GeoJSONSource,
  type LayerSpecification,
  Map as GlMap,
  Marker,
  NavigationControl,
  ScaleControl,
  setWorkerUrl,
} from "maplibre-gl";
import type { Feature, FeatureCollection, Geometry } from "geojson";
import type { Topology } from "topojson-specification";
import { labelPoint, type LonLat } from "../map/geo";
import { PALETTES } from "../map/palette";
import { FONT, geojson } from "../map/part";
import type { ZonesDocument } from "./judge/data";
import type { Words } from "./words";
import { kindOf } from "./zone-view";

const CLOSE_ZOOM = 12.5;
const FIRST_ZOOM = 11;
/** The outlines are coarse (1:50 million): close up they would lie by a kilometre. */
const COARSE_ZOOM = 9.5;
const COLOURS = PALETTES.day;
const KINDS: [string, string, number[] | null][] = [
  ["NO_RESTRICTION", COLOURS.unrestricted, [1, 2]],
  ["CONDITIONAL", COLOURS.conditional, [1.5, 1.5]],
  ["REQ_AUTHORISATION", COLOURS.authorisation, [4, 1.5]],
  ["PROHIBITED", COLOURS.prohibited, null],
];

export class PublicMap {
  private readonly gl: GlMap;
  private readonly marker = new Marker({ color: "#0d1620" });
  private readonly bounds: [number, number, number, number] | null;
  private readonly ready: Promise<void>;

  constructor(
    host: HTMLElement,
    words: Words,
    document_: ZonesDocument,
    private readonly onAsk: (lat: number, lon: number) => void,
  ) {
    setWorkerUrl(new URL(workerUrl, document.baseURI).href);
    const [lat, lon] = document_.skykeep.place;
    this.bounds = boundsOf(document_);
    this.gl = new GlMap({
      container: host,
      style: { version: 8, sources: {}, layers: [] },
      center: [lon, lat],
      zoom: FIRST_ZOOM,
      minZoom: 2,
      maxZoom: 19,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      maxPitch: 0,
      fadeDuration: 0,
      renderWorldCopies: false,
      attributionControl: false,
      cooperativeGestures: false,
      // Printed pages show what is on the canvas.
      canvasContextAttributes: { preserveDrawingBuffer: true },
      locale: { "Map.Title": words.say("map"), "Marker.Title": words.say("place") },
    });
    this.gl.touchZoomRotate.disableRotation();
    this.gl.keyboard.disableRotation();
    this.gl.addControl(new NavigationControl({ showCompass: false }), "top-right");
    this.gl.addControl(new ScaleControl({ maxWidth: 120 }), "bottom-left");
    this.gl.on("error", ({ error }) => console.warn("map:", error.message));
    this.gl.on("click", ({ lngLat }) => this.onAsk(lngLat.lat, lngLat.lng));
    this.gl.getCanvas().addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      this.askMiddle();
    });
    host.append(Object.assign(document.createElement("div"), { className: "crosshair" }));
    this.ready = new Promise((done) => {
      this.gl.once("style.load", () => {
        this.build(document_);
        this.showAll(false); // before the style is there, what is drawn waits for the next move
        done();
      });
    });
  }

  private build(document_: ZonesDocument): void {
    const { gl } = this;
    gl.addSource("countries", geojson({ tolerance: 0.4 }));
    gl.addSource("zones", { ...geojson({ tolerance: 0.05 }), data: shapes(document_) } as never);
    gl.addSource("names", { ...geojson(), data: names(document_) } as never);
    // Close up there is nothing under the zones: blue would be taken for water.
    const ground = ["step", ["zoom"], COLOURS.water, COARSE_ZOOM, COLOURS.land];
    const layers = [
      { id: "sea", type: "background", paint: { "background-color": ground } },
      {
        id: "land",
        type: "fill",
        source: "countries",
        maxzoom: COARSE_ZOOM,
        paint: { "fill-color": COLOURS.land },
      },
      {
        id: "borders",
        type: "line",
        source: "countries",
        maxzoom: COARSE_ZOOM,
        paint: { "line-color": COLOURS.border, "line-width": 1 },
      },
      ...KINDS.flatMap(([kind, colour, dash]) => [
        {
          id: `fill-${kind}`,
          type: "fill",
          source: "zones",
          filter: ["==", ["get", "kind"], kind],
          paint: { "fill-color": colour, "fill-opacity": kind === "PROHIBITED" ? 0.32 : 0.16 },
        },
        {
          id: `line-${kind}`,
          type: "line",
          source: "zones",
          filter: ["==", ["get", "kind"], kind],
          paint: {
            "line-color": colour,
            "line-width": 2,
            ...(dash ? { "line-dasharray": dash } : {}),
          },
        },
      ]),
      {
        id: "meant",
        type: "line",
        source: "zones",
        filter: meant([]),
        paint: { "line-color": COLOURS.select, "line-width": 3.5 },
      },
      {
        id: "names",
        type: "symbol",
        source: "names",
        layout: {
          "text-field": ["get", "label"],
          "text-font": FONT,
          "text-size": 12,
          "text-max-width": 10,
          "text-padding": 6,
          "text-anchor": "top", // the mark's tip stands in the middle
          "text-offset": [0, 0.4],
        },
        paint: {
          "text-color": COLOURS.text,
          "text-halo-color": COLOURS.halo,
          "text-halo-width": 1.6,
        },
      },
    ];
    for (const layer of layers) gl.addLayer(layer as LayerSpecification);
    void this.showCountries();
  }

  private async showCountries(): Promise<void> {
    const [{ feature }, file] = await Promise.all([
      import("topojson-client"),
      import("world-atlas/countries-50m.json"),
    ]);
    const topology = file.default as unknown as Topology;
    const countries = topology.objects.countries;
    if (!countries) return;
    const data = feature(topology, countries) as FeatureCollection;
    (this.gl.getSource("countries") as GeoJSONSource | undefined)?.setData(data);
  }

  /** Set the mark; with `look` the map goes there. */
  mark(lat: number, lon: number, look: boolean): void {
    this.marker.setLngLat([lon, lat]).addTo(this.gl);
    if (!look) return;
    void this.ready.then(() => {
      const zoom = Math.max(this.gl.getZoom(), CLOSE_ZOOM);
      this.gl.jumpTo({ center: [lon, lat], zoom });
    });
  }

  remove(): void {
    this.gl.remove();
  }

  highlight(ids: string[]): void {
    void this.ready.then(() => this.gl.setFilter("meant", meant(ids)));
  }

  askMiddle(): void {
    const { lat, lng } = this.gl.getCenter();
    this.onAsk(lat, lng);
  }

  showAll(animate = true): void {
    if (!this.bounds) return;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const duration = animate && !calm ? 500 : 0;
    const padding = this.gl.getContainer().clientWidth < 600 ? 14 : 36;
    this.gl.fitBounds(this.bounds, { padding, maxZoom: 14, duration });
  }
}

const meant = (ids: string[]): FilterSpecification => ["in", ["get", "id"], ["literal", ids]];

function shapes({ features }: ZonesDocument): FeatureCollection {
  const drawn: Feature<Geometry>[] = features.flatMap(({ geometry, properties: { published: zone } }) =>
    geometry
      ? [{ type: "Feature" as const, geometry, properties: { id: zone.id, kind: kindOf(zone) } }]
      : [],
  );
  return { type: "FeatureCollection", features: drawn };
}

function names({ features }: ZonesDocument): FeatureCollection {
  const drawn: Feature<Geometry>[] = [];
  for (const { geometry, properties } of features) {
    const ring = outer(geometry);
    if (!ring) continue;
    const zone = properties.published;
    const coordinates = labelPoint(ring);
    const label = zone.name || zone.zone;
    drawn.push({ type: "Feature", geometry: { type: "Point", coordinates }, properties: { label } });
  }
  return { type: "FeatureCollection", features: drawn };
}

function outer(geometry: GeoJSON.Geometry | null): LonLat[] | null {
  if (geometry?.type === "Polygon") return (geometry.coordinates[0] as LonLat[]) ?? null;
  if (geometry?.type === "MultiPolygon") return (geometry.coordinates[0]?.[0] as LonLat[]) ?? null;
  return null;
}

function boundsOf({ features }: ZonesDocument): [number, number, number, number] | null {
  const bounds: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { geometry } of features) {
    const polygons =
      geometry?.type === "MultiPolygon"
        ? geometry.coordinates
        : geometry?.type === "Polygon"
          ? [geometry.coordinates]
          : [];
    for (const [lon, lat] of polygons.flatMap((rings) => rings[0] ?? []) as LonLat[]) {
      bounds[0] = Math.min(bounds[0], lon);
      bounds[1] = Math.min(bounds[1], lat);
      bounds[2] = Math.max(bounds[2], lon);
      bounds[3] = Math.max(bounds[3], lat);
    }
  }
  return bounds[0] <= bounds[2] ? bounds : null;
}
