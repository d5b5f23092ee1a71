// Drawing an area with the pointer, and what the office pages may do with the map.

import type { LayerSpecification, MapMouseEvent } from "maplibre-gl";
import type { Feature, Geometry } from "geojson";
import type { DrawnArea, MapHandle } from "../context";
import { h } from "../dom";
import { distance } from "../format";
import type { Store } from "../store";
import { circleRing, collection, distanceM, line, point, polygon, type LonLat } from "./geo";
import type { WatchMap } from "./map";
import { addPart, geojson, repaint, setData, type Part } from "./part";
import { zoneRings } from "./zones";

/** Clicks nearer than this to the last corner do not make another, px: a double click is two. */
const SAME_CORNER_PX = 4;
const LEAST_RADIUS_M = 5;

const DRAWN: Part = {
  sources: {
    drawn: geojson({ tolerance: 0 }),
    preview: geojson({ tolerance: 0 }),
    others: geojson({ tolerance: 0 }),
  },
  layers: [
    { id: "others-fill", type: "fill", source: "others" },
    { id: "others-line", type: "line", source: "others" },
    { id: "preview-fill", type: "fill", source: "preview" },
    { id: "preview-line", type: "line", source: "preview" },
    { id: "drawn-fill", type: "fill", source: "drawn", filter: ["==", "$type", "Polygon"] },
    { id: "drawn-line", type: "line", source: "drawn", filter: ["!=", "$type", "Point"] },
    { id: "drawn-corners", type: "circle", source: "drawn", filter: ["==", "$type", "Point"] },
  ] as LayerSpecification[],
  paint: (c) => ({
    "others-fill": { "fill-color": c.person, "fill-opacity": 0.12 },
    "others-line": { "line-color": c.person, "line-width": 2 },
    "preview-fill": { "fill-color": c.drawn, "fill-opacity": 0.15 },
    "preview-line": { "line-color": c.drawn, "line-width": 2.5, "line-dasharray": [3, 2] },
    "drawn-fill": { "fill-color": c.drawn, "fill-opacity": 0.12 },
    "drawn-line": { "line-color": c.drawn, "line-width": 2 },
    "drawn-corners": {
      "circle-color": c.drawn,
      "circle-radius": 5,
      "circle-stroke-color": c.halo,
      "circle-stroke-width": 2,
    },
  }),
};

type Source = "drawn" | "preview" | "others";

export class Drawing implements MapHandle {
  private end: ((area: DrawnArea | null) => void) | null = null;
  private readonly hint = h("div", { class: "draw-hint", role: "status", hidden: true });

  constructor(
    private readonly watch: WatchMap,
    private readonly store: Store,
    host: HTMLElement,
  ) {
    host.append(this.hint);
    void watch.ready.then(() => {
      addPart(watch.gl, DRAWN, watch.colours, "sensors");
      this.put("drawn", []);
      this.put("preview", []);
      this.put("others", []);
    });
  }

  repaint(): void {
    void this.watch.ready.then(() => repaint(this.watch.gl, DRAWN, this.watch.colours));
  }

  flyTo(lat: number, lon: number, zoom?: number): void {
    this.watch.flyTo(lat, lon, zoom);
  }

  showZone(zoneId: string | null): void {
    const zone = this.store.get("zones")?.zones.find((z) => z.zone_id === zoneId);
    const areas = zone ? zoneRings(zone).filter((r) => r[0]) : [];
    this.watch.ground.show(zone ? zone.zone_id : null);
    const corners = areas.flatMap((rings) => rings[0]!);
    if (corners.length > 0) this.fit(corners);
  }

  preview(area: DrawnArea | null): void {
    this.outline("preview", area ? [area] : []);
  }

  compare(asked: DrawnArea[], others: DrawnArea[]): void {
    this.outline("others", others);
    this.outline("preview", asked);
  }

  /** Only what is asked for is brought into view: others may be as large as a country. */
  private outline(source: Source, areas: DrawnArea[]): void {
    const rings = areas.map(ringOf).filter((ring) => ring.length > 0);
    this.put(
      source,
      rings.map((ring) => polygon([ring])),
    );
    if (source === "preview" && rings.length > 0) this.fit(rings.flat());
  }

  /**
   * Layers without anything are hidden: an empty source costs as much as a full one. A page that is
   * opened before the map is drawn is shown once it is.
   */
  private put(source: Source, features: Feature<Geometry>[]): void {
    void this.watch.ready.then(() => {
      const { gl } = this.watch;
      setData(gl, source, collection(features));
      const visibility = features.length > 0 ? "visible" : "none";
      for (const { id } of DRAWN.layers.filter((l) => l.id.startsWith(source))) {
        gl.setLayoutProperty(id, "visibility", visibility);
      }
    });
  }

  private fit(corners: LonLat[]): void {
    const lons = corners.map((c) => c[0]);
    const lats = corners.map((c) => c[1]);
    const bounds: [number, number, number, number] = [
      Math.min(...lons),
      Math.min(...lats),
      Math.max(...lons),
      Math.max(...lats),
    ];
    this.watch.gl.fitBounds(bounds, { padding: 90, maxZoom: 15, duration: 500 });
  }

  async drawArea(kind: "circle" | "polygon"): Promise<DrawnArea | null> {
    this.end?.(null);
    await this.watch.ready;
    const corners: LonLat[] = [];
    const { gl } = this.watch;
    const controller = new AbortController();
    const onClick = (event: MapMouseEvent) => {
      const at: LonLat = [event.lngLat.lng, event.lngLat.lat];
      const last = corners.at(-1);
      if (last && gl.project(last).dist(event.point) < SAME_CORNER_PX) return;
      corners.push(at);
      if (kind === "circle" && corners.length === 2) this.end?.(areaOf(kind, corners));
      else this.show(kind, corners, at);
    };
    const onMove = (event: MapMouseEvent) => {
      this.show(kind, corners, [event.lngLat.lng, event.lngLat.lat]);
    };
    const onDouble = (event: MapMouseEvent) => {
      event.preventDefault();
      const area = areaOf(kind, corners);
      if (area) this.end?.(area);
    };
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      const area = event.key === "Enter" ? areaOf(kind, corners) : null;
      if (event.key === "Escape" || area) this.end?.(area);
    };
    this.begin(kind);
    gl.on("click", onClick);
    gl.on("mousemove", onMove);
    gl.on("dblclick", onDouble);
    addEventListener("keydown", onKey, { capture: true, signal: controller.signal });
    return new Promise((answer) => {
      this.end = (area) => {
        this.end = null;
        controller.abort();
        gl.off("click", onClick);
        gl.off("mousemove", onMove);
        gl.off("dblclick", onDouble);
        this.finish();
        answer(area);
      };
    });
  }

  private begin(kind: "circle" | "polygon"): void {
    const { gl } = this.watch;
    this.watch.drawing = true;
    gl.doubleClickZoom.disable();
    gl.getCanvas().style.cursor = "crosshair";
    gl.getCanvas().focus();
    const words =
      kind === "circle"
        ? "Click the middle, then the edge."
        : "Click each corner; double click or Enter ends.";
    const done = h("button", { type: "button", onclick: () => this.key("Enter") }, "Done");
    const stop = h("button", { type: "button", onclick: () => this.key("Escape") }, "Cancel");
    this.hint.replaceChildren(h("span", {}, words), h("span", { class: "measure" }), done, stop);
    this.hint.hidden = false;
  }

  /** Buttons for fingers, which have no Enter and no Escape. */
  private key(key: string): void {
    dispatchEvent(new KeyboardEvent("keydown", { key, cancelable: true }));
  }

  private finish(): void {
    const { gl } = this.watch;
    this.hint.hidden = true;
    gl.getCanvas().style.cursor = "";
    this.put("drawn", []);
    // The double click that ended it must not zoom, nor its click pick a track.
    setTimeout(() => {
      this.watch.drawing = false;
      gl.doubleClickZoom.enable();
    }, 300);
  }

  private show(kind: "circle" | "polygon", corners: LonLat[], at: LonLat): void {
    const features: Feature<Geometry>[] = corners.map((c) => point(c));
    const first = corners[0];
    let measure = "";
    if (kind === "circle" && first) {
      const m = distanceM(first[1], first[0], at[1], at[0]);
      features.push(polygon([circleRing(first[1], first[0], m)]));
      measure = `radius ${distance(m)}`;
    } else if (first) {
      const path = [...corners, at];
      features.push(path.length > 2 ? polygon([[...path, first]]) : line(path));
      const last = corners.at(-1)!;
      measure = `this side ${distance(distanceM(last[1], last[0], at[1], at[0]))}`;
    }
    const said = this.hint.querySelector(".measure");
    if (said) said.textContent = measure;
    this.put("drawn", features);
  }
}

function areaOf(kind: "circle" | "polygon", corners: LonLat[]): DrawnArea | null {
  const [first, second] = corners;
  if (kind === "polygon") return corners.length < 3 ? null : { ring: [...corners, corners[0]!] };
  if (!first || !second) return null;
  const m = distanceM(first[1], first[0], second[1], second[0]);
  return m < LEAST_RADIUS_M ? null : { circle: [first[1], first[0], Math.round(m)] };
}

function ringOf(area: DrawnArea): LonLat[] {
  return "ring" in area ? area.ring : circleRing(...area.circle);
}
