// From zones, coverage and the grid to triangles and outlines.

import earcut from "earcut";
import type { ZoneView } from "../../messages";
import type { LonLat } from "../geo";
import type { Plane } from "../gpu/plane";
import { pack, Sheet } from "../gpu/sheet";

export const FILL_BYTES = 12;
export const OUTLINE_BYTES = 32;

/** Width in px, dashes in px (0, 0: none), colour and its strength. */
export interface Stroke {
  px: number;
  on: number;
  off: number;
  hex: string;
  alpha: number;
}

/** What is drawn: plain fills, hatched fills, outlines. */
export class Shapes {
  readonly fills = new Sheet(FILL_BYTES);
  readonly hatches = new Sheet(FILL_BYTES);
  readonly outlines = new Sheet(OUTLINE_BYTES);

  constructor(private readonly plane: Plane) {}

  clear(): void {
    this.fills.count = this.hatches.count = this.outlines.count = 0;
  }

  fill(sheet: Sheet, rings: LonLat[][], hex: string, alpha: number): void {
    const flat: number[] = [];
    const holes: number[] = [];
    rings.forEach((ring, i) => {
      if (i > 0) holes.push(flat.length / 2);
      // The closing corner repeats the first.
      for (const [lon, lat] of ring.slice(0, -1)) flat.push(this.plane.x(lon), this.plane.y(lat));
    });
    const colour = pack(hex, alpha);
    for (const corner of earcut(flat, holes)) {
      const at = sheet.next();
      sheet.f32[at] = flat[2 * corner]!;
      sheet.f32[at + 1] = flat[2 * corner + 1]!;
      sheet.u32[at + 2] = colour;
    }
  }

  line(path: LonLat[], stroke: Stroke): void {
    const { plane } = this;
    const colour = pack(stroke.hex, stroke.alpha);
    // Half the width in sixteenths of a pixel, then the dashes.
    const style = Math.round(stroke.px * 8) | (stroke.on << 8) | (stroke.off << 16);
    let run = 0;
    for (let i = 0; i + 1 < path.length; i++) {
      const x0 = plane.x(path[i]![0]);
      const y0 = plane.y(path[i]![1]);
      const x1 = plane.x(path[i + 1]![0]);
      const y1 = plane.y(path[i + 1]![1]);
      const to = run + Math.hypot(x1 - x0, y1 - y0);
      // Seen from its other end a line has its sides the other way round.
      this.corner(x0, y0, x1, y1, 1, run, colour, style);
      this.corner(x0, y0, x1, y1, -1, run, colour, style);
      this.corner(x1, y1, x0, y0, -2, to, colour, style);
      this.corner(x1, y1, x0, y0, 2, to, colour, style);
      run = to;
    }
  }

  private corner(
    x: number,
    y: number,
    ox: number,
    oy: number,
    side: number,
    run: number,
    colour: number,
    style: number,
  ): void {
    const at = this.outlines.next();
    const { f32, u32 } = this.outlines;
    f32[at] = x;
    f32[at + 1] = y;
    f32[at + 2] = ox;
    f32[at + 3] = oy;
    f32[at + 4] = side;
    f32[at + 5] = run;
    u32[at + 6] = colour;
    u32[at + 7] = style;
  }
}

/** How a zone is drawn; the first that fits. */
export type Look = "emergency" | "unsure" | "yes" | "no";

export function lookOf(zone: ZoneView): Look {
  if (!zone.readable || zone.applies === "maybe") return "unsure";
  if (zone.applies === "no" || zone.state === "proposed" || zone.state === "withdrawn") return "no";
  return zone.emergency ? "emergency" : "yes";
}
