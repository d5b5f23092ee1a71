// Which tracks get a label, and where, so that no two overlap.

import type { TracksMessage } from "../../messages";
import { LINE_PX, type Atlas } from "./atlas";

/** More labels than this on a screen are noise. */
export const MOST_LABELS = 160;
const CELL_PX = 12;

/** Pixels of the screen that are taken, in cells of a rectangle that begins at (x0, y0). */
export class Occupied {
  private readonly columns: number;
  private readonly rows: number;
  private readonly cells: Uint8Array;

  constructor(
    private readonly x0: number,
    private readonly y0: number,
    width: number,
    height: number,
  ) {
    this.columns = Math.ceil(width / CELL_PX) + 1;
    this.rows = Math.ceil(height / CELL_PX) + 1;
    this.cells = new Uint8Array(this.columns * this.rows);
  }

  private range(from: number, size: number, most: number): [number, number] {
    const first = Math.max(0, Math.floor(from / CELL_PX));
    return [first, Math.min(most - 1, Math.floor((from + size) / CELL_PX))];
  }

  isFree(x: number, y: number, w: number, h: number): boolean {
    const [c0, c1] = this.range(x - this.x0, w, this.columns);
    const [r0, r1] = this.range(y - this.y0, h, this.rows);
    for (let r = r0; r <= r1; r++) {
      for (let c = c0; c <= c1; c++) if (this.cells[r * this.columns + c]) return false;
    }
    return true;
  }

  take(x: number, y: number, w: number, h: number): void {
    const [c0, c1] = this.range(x - this.x0, w, this.columns);
    const [r0, r1] = this.range(y - this.y0, h, this.rows);
    for (let r = r0; r <= r1; r++) {
      for (let c = c0; c <= c1; c++) this.cells[r * this.columns + c] = 1;
    }
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

const HEIGHT_PX = 2 * LINE_PX;
const GAP_PX = 15;
/** About as wide as a label usually is: enough to see whether it is worth writing one. */
const USUAL_PX = 112;

export interface Placed {
  lines: [string, string];
  dx: number;
  dy: number;
}

/** What the label says and where its top left corner goes, from the symbol's middle; null: no room. */
export function placeLabel(
  occupied: Occupied,
  atlas: Atlas,
  write: () => [string, string],
  x: number,
  y: number,
  must: boolean,
): Placed | null {
  let lines: [string, string] | null = null;
  let w = USUAL_PX;
  const offsets = (): [number, number][] => [
    [GAP_PX, -HEIGHT_PX / 2],
    [-GAP_PX - w, -HEIGHT_PX / 2],
    [-w / 2, -GAP_PX - HEIGHT_PX],
    [-w / 2, GAP_PX],
  ];
  const free = ([dx, dy]: [number, number]) => occupied.isFree(x + dx, y + dy, w, HEIGHT_PX);
  if (!must && !offsets().some(free)) return null;
  lines = write();
  w = Math.max(atlas.textWidth(lines[0]), atlas.textWidth(lines[1]));
  const places = offsets();
  const at = places.find(free) ?? (must ? places[0] : undefined);
  if (!at) return null;
  const [dx, dy] = at;
  occupied.take(x + dx, y + dy, w, HEIGHT_PX);
  return { lines, dx, dy };
}
