// The map: its parts in their order, what a click means, and the look by night and by day.

import "maplibre-gl/dist/maplibre-gl.css";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import { Map as GlMap, ScaleControl, setWorkerUrl } from "maplibre-gl";
import type { SiteMessage } from "../messages";
import type { Store } from "../store";
import type { Theme } from "../symbols";
import type { Tracks } from "../tracks";
import { GRID, showBasemap, showCountries, showGrid } from "./base";
import { addImages } from "./images";
import { PALETTES, type Palette } from "./palette";
import { addPart, repaint, type Part } from "./part";
import { COVERAGE, RAYS, SENSORS, showRays, showSensors } from "./sensors";
import { TrackLayer } from "./tracks/layer";
import { showZones, ZONES } from "./zones";

const FIRST_ZOOM = 12.5;
const CLOSE_ZOOM = 14;

/** What can be switched off, and the layers behind it. */
export const TOGGLES = {
  coverage: ["coverage"],
  bearings: ["ray-lines", "ray-wedges"],
  "zones not now": ["zone-dashed"],
  "zone names": ["zone-names"],
  grid: ["grid-lines", "grid-labels"],
} as const;
export type Toggle = keyof typeof TOGGLES | "trails" | "labels";

export class WatchMap {
  readonly gl: GlMap;
  readonly tracks: TrackLayer;
  private palette: Palette;
  private readonly parts: Part[] = [GRID, COVERAGE, ZONES, RAYS, SENSORS];
  /** While somebody draws, clicks belong to the drawing. */
  drawing = false;
  readonly ready: Promise<void>;

  constructor(
    container: HTMLElement,
    private readonly store: Store,
    site: SiteMessage,
    theme: Theme,
    private readonly onPick: (trackId: string | null) => void,
  ) {
    this.palette = PALETTES[theme];
    setWorkerUrl(new URL(workerUrl, document.baseURI).href);
    this.gl = new GlMap({
      container,
      style: {
        version: 8,
        sources: {},
        layers: [{ id: "ground", type: "background", paint: {} }],
        ...(site.glyphs ? { glyphs: new URL(site.glyphs, location.href).href } : {}),
      },
      center: [site.lon_deg, site.lat_deg],
      zoom: FIRST_ZOOM,
      minZoom: 2,
      maxZoom: 19,
      // North stays up: distances and bearings are told from the site, and a turned map misleads.
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      maxPitch: 0,
      fadeDuration: 0,
      renderWorldCopies: false,
      attributionControl: site.basemap ? { compact: true } : false,
    });
    this.gl.touchZoomRotate.disableRotation();
    this.gl.keyboard.disableRotation();
    this.gl.addControl(new ScaleControl({ maxWidth: 120 }), "bottom-right");
    this.tracks = new TrackLayer(site.lat_deg, site.lon_deg, this.palette);
    this.ready = new Promise((done) => {
      this.gl.once("style.load", () => {
        this.build(site);
        done();
      });
    });
    // A tile or font that cannot be had must not fill the console once a second.
    this.gl.on("error", ({ error }) => console.warn("map:", error.message));
  }

  private build(site: SiteMessage): void {
    const { gl, store } = this;
    addImages(gl, this.palette);
    for (const part of this.parts.slice(0, -1)) addPart(gl, part, this.palette);
    addPart(gl, SENSORS, this.palette);
    gl.addLayer(this.tracks);
    gl.setPaintProperty("ground", "background-color", this.palette.ground);
    showGrid(gl, site);
    if (site.basemap) void this.addBasemap(site.basemap);
    else void showCountries(gl);
    store.on("zones", (m) => showZones(gl, m));
    store.on("sensors", (m) => showSensors(gl, m));
    store.on("rays", (m) => showRays(gl, m, store.get("sensors")));
    store.on("trails", (m) => this.tracks.takeTrails(m));
    store.on("tracks", (m) => this.tracks.take(m));
    gl.on("click", (event) => {
      if (this.drawing) return;
      this.onPick(this.tracks.hit(event.point.x, event.point.y));
    });
    gl.on("mousemove", (event) => {
      if (this.drawing) return;
      const over = this.tracks.hit(event.point.x, event.point.y) !== null;
      gl.getCanvas().style.cursor = over ? "pointer" : "";
    });
  }

  private async addBasemap(url: string): Promise<void> {
    try {
      this.parts.push(await showBasemap(this.gl, url, this.palette));
    } catch (error) {
      console.warn("the base map cannot be read; the grid stays", error);
      void showCountries(this.gl);
    }
  }

  setTheme(theme: Theme): void {
    this.palette = PALETTES[theme];
    void this.ready.then(() => {
      addImages(this.gl, this.palette);
      for (const part of this.parts) repaint(this.gl, part, this.palette);
      this.gl.setPaintProperty("ground", "background-color", this.palette.ground);
      this.tracks.setPalette(this.palette);
    });
  }

  get colours(): Palette {
    return this.palette;
  }

  toggle(what: Toggle, on: boolean): void {
    if (what === "trails" || what === "labels") {
      this.tracks.options[what] = on;
      this.tracks.changed();
      return;
    }
    void this.ready.then(() => {
      for (const layer of TOGGLES[what]) {
        this.gl.setLayoutProperty(layer, "visibility", on ? "visible" : "none");
      }
    });
  }

  select(trackId: string | null): void {
    this.tracks.options.selected = trackId;
    this.tracks.changed();
  }

  /** Bring a track into view without leaving a closer look that somebody has taken. */
  flyToTrack(id: string, tracks: Tracks): void {
    const facts = tracks.facts(id);
    if (facts) this.flyTo(facts.lat, facts.lon, Math.max(this.gl.getZoom(), CLOSE_ZOOM));
  }

  flyTo(lat: number, lon: number, zoom?: number): void {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const to = { center: [lon, lat] as [number, number], zoom: zoom ?? this.gl.getZoom() };
    if (calm) this.gl.jumpTo(to);
    else this.gl.easeTo({ ...to, duration: 600 });
  }
}
