// The map: its parts in their order, what a click means, and the look by night and by day.

import "maplibre-gl/dist/maplibre-gl.css";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import { Map as GlMap, ScaleControl, setWorkerUrl } from "maplibre-gl";
import type { SiteMessage } from "../messages";
import type { Store } from "../store";
import type { Theme } from "../symbols";
import type { Tracks } from "../tracks";
import { GRID, showBasemap, showCountries, showGridLabels } from "./base";
import { Plane } from "./gpu/plane";
import { GroundLayer } from "./ground/layer";
import { addImages } from "./images";
import { PALETTES, type Palette } from "./palette";
import { addPart, repaint, type Part } from "./part";
import { SENSORS, showSensors } from "./sensors";
import { TrackLayer } from "./tracks/layer";
import { showZoneNames, ZONE_NAMES } from "./zones";

const FIRST_ZOOM = 12.5;
const CLOSE_ZOOM = 14;
/** As wide as the detail of a track, and the least map beside which it stands so (style.css). */
const DETAIL_PX = 350;
const WIDE_PX = 700;

/** What can be switched off. */
export const TOGGLES = [
  "labels",
  "trails",
  "bearings",
  "coverage",
  "zones not now",
  "zone names",
  "grid",
] as const;
export type Toggle = (typeof TOGGLES)[number];

export class WatchMap {
  readonly gl: GlMap;
  readonly tracks: TrackLayer;
  readonly ground: GroundLayer;
  private palette: Palette;
  private readonly parts: Part[] = [GRID, ZONE_NAMES, SENSORS];
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
        layers: [],
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
    // MapLibre paints a sky over every pixel of every frame, also where none can be seen. Without a
    // graphics card that takes longer than all the rest (docs/decisions/0011-watch-page.md).
    this.gl.painter.drawFunctions = { ...this.gl.painter.drawFunctions, sky: () => undefined };
    this.gl.touchZoomRotate.disableRotation();
    this.gl.keyboard.disableRotation();
    this.gl.addControl(new ScaleControl({ maxWidth: 120 }), "bottom-right");
    const plane = new Plane(site.lat_deg, site.lon_deg);
    this.ground = new GroundLayer(plane, site, this.palette);
    this.tracks = new TrackLayer(plane, this.ground, this.palette);
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
    for (const part of this.parts) addPart(gl, part, this.palette);
    gl.addLayer(this.ground, "grid-labels");
    gl.addLayer(this.tracks);
    showGridLabels(gl, site);
    if (site.basemap) void this.addBasemap(site.basemap);
    else void showCountries(gl);
    store.on("zones", (m) => {
      showZoneNames(gl, m);
      this.ground.takeZones(m);
    });
    store.on("sensors", (m) => {
      showSensors(gl, m);
      this.ground.takeSensors(m);
    });
    store.on("rays", (m) => this.tracks.takeRays(m, store.get("sensors")));
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
      this.ground.setPalette(this.palette);
      this.tracks.setPalette(this.palette);
    });
  }

  get colours(): Palette {
    return this.palette;
  }

  toggle(what: Toggle, on: boolean): void {
    if (what === "trails" || what === "labels" || what === "bearings") {
      this.tracks.options[what] = on;
      this.tracks.changed();
      return;
    }
    const { options } = this.ground;
    if (what === "coverage" || what === "grid") options[what] = on;
    if (what === "zones not now") options.upcoming = on;
    this.ground.changed();
    const labels = what === "grid" ? "grid-labels" : what === "zone names" ? "zone-names" : null;
    if (!labels) return;
    void this.ready.then(() => {
      this.gl.setLayoutProperty(labels, "visibility", on ? "visible" : "none");
    });
  }

  select(trackId: string | null): void {
    this.tracks.options.selected = trackId;
    this.tracks.changed();
  }

  /** Bring a track into view without leaving a closer look that somebody has taken. */
  flyToTrack(id: string, tracks: Tracks): void {
    const facts = tracks.facts(id);
    const zoom = Math.max(this.gl.getZoom(), CLOSE_ZOOM);
    if (facts) this.flyTo(facts.lat, facts.lon, zoom, this.besideDetail());
  }

  /** The detail covers a part of the map: what is looked at stands beside it. */
  private besideDetail(): [number, number] {
    const { clientWidth: width, clientHeight: height } = this.gl.getContainer();
    return width > WIDE_PX ? [DETAIL_PX / 2, 0] : [0, height / 6];
  }

  flyTo(lat: number, lon: number, zoom?: number, offset: [number, number] = [0, 0]): void {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const to = { center: [lon, lat] as [number, number], zoom: zoom ?? this.gl.getZoom() };
    this.gl.easeTo({ ...to, offset, duration: calm ? 0 : 600 });
  }
}
