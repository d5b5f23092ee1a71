// Which tracks get a label, and where, so that no two overlap.

import type { TracksMessage } from "../../messages";
import { LINE_PX, type Atlas } from "./atlas";

/** More labels than this on a screen are noise. */
export const MOST_LABELS = 160;
const CELL_PX = 24;

/** Pixels of the screen that are taken, in cells. */
export class Occupied {
  private readonly cells = new Set<number>();

  private visit(x: number, y: number, w: number, h: number, use: (key: number) => boolean): boolean {
    const x1 = Math.floor((x + w) / CELL_PX);
    const y1 = Math.floor((y + h) / CELL_PX);
    for (let cx = Math.floor(x / CELL_PX); cx <= x1; cx++) {
      for (let cy = Math.floor(y / CELL_PX); cy <= y1; cy++) {
        if (!use(cx * 65_536 + cy)) return false;
      }
    }
    return true;
  }

  isFree(x: number, y: number, w: number, h: number): boolean {
    return this.visit(x, y, w, h, (key) => !this.cells.has(key));
  }

  take(x: number, y: number, w: number, h: number): void {
    this.visit(x, y, w, h, (key) => this.cells.add(key) !== undefined);
  }
}

export function labelLines(m: TracksMessage, i: number): [string, string] {
  const height = m.height_m[i]!;
  const reference = m.references[m.height_reference[i]!] ?? "UNKNOWN";
  const mps = Math.hypot(m.ve_mps[i]!, m.vn_mps[i]!);
  const high = Number.isFinite(height)
    ? `${Math.round(height)} m ${reference === "UNKNOWN" ? "?" : reference}`
    : "height ?";
  const fast = Number.isFinite(mps) ? `${Math.round(mps)} m/s` : "speed ?";
  return [m.track_id[i]!, `${high}  ${fast}`];
}

/** Where the label's top left corner goes, in pixels from the symbol's middle; null: no room. */
export function placeLabel(
  occupied: Occupied,
  atlas: Atlas,
  lines: [string, string],
  x: number,
  y: number,
  must: boolean,
): { dx: number; dy: number } | null {
  const w = Math.max(atlas.textWidth(lines[0]), atlas.textWidth(lines[1]));
  const h = 2 * LINE_PX;
  const gap = 15;
  const places: [number, number][] = [
    [gap, -h / 2],
    [-gap - w, -h / 2],
    [-w / 2, -gap - h],
    [-w / 2, gap],
  ];
  for (const [dx, dy] of places) {
    if (!occupied.isFree(x + dx, y + dy, w, h)) continue;
    occupied.take(x + dx, y + dy, w, h);
    return { dx, dy };
  }
  if (!must) return null;
  const [dx, dy] = places[0]!;
  occupied.take(x + dx, y + dy, w, h);
  return { dx, dy };
}
