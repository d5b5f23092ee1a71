// Where: a circle typed or drawn, or an outline drawn on the map; shown there as it is entered.

import type { DrawnArea, MapHandle } from "../context";
import * as areas from "./areas";
import { button, el, field, input, setText, show, statusLine } from "./dom";

/** The service refuses larger circles (core/geometry.py). */
const MAX_RADIUS_M = 500_000;
/** The map follows what is typed once the hand rests: half a number is another place. */
const PREVIEW_AFTER_MS = 500;

export interface AreaRead {
  area: DrawnArea | null;
  problem: string;
  control: HTMLElement | null;
}

interface TestIds {
  lat: string;
  lon: string;
  radius: string;
  drawCircle: string;
  drawPolygon: string;
}

export class AreaField {
  readonly root: HTMLElement;
  private readonly lat: HTMLInputElement;
  private readonly lon: HTMLInputElement;
  private readonly radius: HTMLInputElement;
  private readonly circle = el("div", { class: "of-row3" });
  private readonly drawn = el("div", { class: "of-drawn" });
  private readonly drawnWords = el("p");
  private readonly said = statusLine();
  private readonly drawButtons: HTMLButtonElement[];
  private ring: [number, number][] | null = null;
  private drawing = false;
  private timer = 0;

  constructor(
    private readonly map: MapHandle,
    testids: TestIds,
    private readonly changed: () => void,
  ) {
    this.lat = input("text", testids.lat, { inputmode: "decimal", placeholder: "49.61097" });
    this.lon = input("text", testids.lon, { inputmode: "decimal", placeholder: "6.13226" });
    this.radius = input("text", testids.radius, { inputmode: "decimal" });
    this.circle.append(
      field("Latitude (°)", this.lat),
      field("Longitude (°)", this.lon),
      field("Radius (m)", this.radius),
    );
    this.drawn.append(
      this.drawnWords,
      button("Type a circle instead", () => this.useCircle(), { class: "of-button of-small" }),
    );
    this.drawButtons = [
      button("Draw a circle", () => void this.draw("circle"), { testid: testids.drawCircle }),
      button("Draw an outline", () => void this.draw("polygon"), { testid: testids.drawPolygon }),
      button("Show it on the map", () => this.fly()),
    ];
    const buttons = el("div", { class: "of-buttons" }, ...this.drawButtons);
    const legend = el("legend", {}, "Where");
    this.root = el("fieldset", { class: "of-group" }, legend, buttons, this.said);
    this.root.append(this.circle, this.drawn);
    for (const box of [this.lat, this.lon, this.radius]) {
      box.addEventListener("input", () => this.typed());
    }
    show(this.drawn, false);
  }

  setRadius(m: number): void {
    this.radius.value = String(m);
  }

  clear(): void {
    this.ring = null;
    this.lat.value = this.lon.value = "";
    this.shown();
  }

  get controls(): Record<"lat_deg" | "lon_deg" | "radius_m", HTMLInputElement> {
    return { lat_deg: this.lat, lon_deg: this.lon, radius_m: this.radius };
  }

  /** Nothing more goes to the map: it is another page's now. */
  leave(): void {
    clearTimeout(this.timer);
  }

  /** On the map, while the form is shown: what is drawn to its end after that is only kept. */
  preview(): void {
    clearTimeout(this.timer);
    if (this.root.offsetParent !== null) this.map.preview(this.read().area);
  }

  /** The area as it is entered now, or in words why there is none. */
  read(): AreaRead {
    if (this.ring) return { area: { ring: this.ring }, problem: "", control: null };
    const lat = parse(this.lat.value);
    const lon = parse(this.lon.value);
    const radius = parse(this.radius.value);
    const bad = (problem: string, control: HTMLElement) => ({ area: null, problem, control });
    if (!(Math.abs(lat) <= 90)) {
      return bad("Draw the area, or give a latitude from -90 to 90 degrees", this.lat);
    }
    if (!(Math.abs(lon) <= 180)) {
      return bad("Give a longitude from -180 to 180 degrees", this.lon);
    }
    if (!(radius > 0 && radius <= MAX_RADIUS_M)) {
      return bad("Give a radius in metres, more than 0 and at most 500 km", this.radius);
    }
    return { area: { circle: [lat, lon, radius] }, problem: "", control: null };
  }

  private async draw(kind: "circle" | "polygon"): Promise<void> {
    if (this.drawing) return;
    this.drawing = true;
    for (const each of this.drawButtons) each.disabled = true;
    setText(this.said, "Draw on the map; Escape leaves it.");
    let area: DrawnArea | null = null;
    try {
      area = await this.map.drawArea(kind);
    } finally {
      this.drawing = false;
      for (const each of this.drawButtons) each.disabled = false;
      setText(this.said, area === null ? "Nothing was drawn." : "");
    }
    if (area !== null) this.take(area);
    this.drawButtons[kind === "circle" ? 0 : 1]?.focus();
  }

  /** An area from elsewhere: drawn, or read from a file. */
  take(area: DrawnArea): void {
    if ("circle" in area) {
      const [lat, lon, radius] = area.circle;
      this.ring = null;
      this.lat.value = lat.toFixed(6);
      this.lon.value = lon.toFixed(6);
      this.radius.value = String(Math.max(1, Math.round(radius)));
    } else {
      this.ring = areas.tidyRing(area.ring);
    }
    this.shown();
  }

  private useCircle(): void {
    this.ring = null;
    this.shown();
    this.lat.focus();
  }

  private typed(): void {
    const pair = /^\s*(-?\d+(?:\.\d+)?)\s*[,; ]\s*(-?\d+\.\d+)\s*$/.exec(this.lat.value);
    if (pair) {
      this.lat.value = pair[1] ?? "";
      this.lon.value = pair[2] ?? "";
    }
    this.shown(PREVIEW_AFTER_MS);
  }

  private shown(previewAfterMs = 0): void {
    show(this.circle, this.ring === null);
    show(this.drawn, this.ring !== null);
    const { area } = this.read();
    if (this.ring && area) {
      const size = areas.squareKm(areas.drawnAreaM2(area));
      setText(this.drawnWords, `Drawn outline: ${this.ring.length - 1} corners, ${size}.`);
    }
    clearTimeout(this.timer);
    if (previewAfterMs === 0) this.preview();
    else this.timer = window.setTimeout(() => this.preview(), previewAfterMs);
    this.changed();
  }

  private fly(): void {
    const { area, problem } = this.read();
    if (!area) {
      setText(this.said, `${problem}.`);
      return;
    }
    setText(this.said, "");
    const view = areas.viewOf(["circle" in area ? area : { rings: [area.ring] }]);
    this.map.preview(area);
    if (view) this.map.flyTo(view.lat, view.lon, view.zoom);
  }
}

/** A number as people type it; NaN if it is none. A lone comma is a decimal one. */
export function parse(words: string): number {
  const trimmed = words.trim();
  const plain = /^[-+]?\d+,\d+$/.test(trimmed) ? trimmed.replace(",", ".") : trimmed;
  return /^[-+]?(\d+\.?\d*|\.\d+)$/.test(plain) ? Number(plain) : NaN;
}
