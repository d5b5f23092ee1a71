// From the last message to what the graphics card draws: once a second, and when the view has moved.

import { TrackFlag, type TracksMessage } from "../../messages";
import { asPermission, type Permission } from "../../symbols";
import { OLD_S } from "../../tracks";
import { rgb, type Palette } from "../palette";
import { LETTER_LEFT_PX, LINE_PX, type Atlas, type Sprite } from "./atlas";
import { labelLines, MOST_LABELS, Occupied, placeLabel } from "./labels";
import type { Plane } from "./plane";
import type { Trails } from "./trails";

export interface View {
  /** Borders in the plane, with a margin, so that a pan does not ask for a new picture at once. */
  minX: number;
  maxX: number;
  minY: number;
  maxY: number;
  pixelsPerUnit: number;
}

export interface Options {
  labels: boolean;
  trails: boolean;
  selected: string | null;
}

const LINE_BYTES = 12;
const SEGMENT_BYTES = 24;
const SPRITE_BYTES = 40;
/** Trails are drawn as wide lines until so many pieces; beyond that as hairlines, which cost less. */
const WIDE_PIECES = 6_000;
/** A trail may be so far from its true course on the screen, px. */
const TOLERANCE_PX = 0.7;
/** Uncertainty is drawn where it is larger than the symbol, px. */
const LEAST_CIRCLE_PX = 11;
const MOST_CIRCLES = 300;
const CIRCLE_CORNERS = 40;
const LOOK_AHEAD_S = [5, 10, 20, 30, 60, 120, 300];
/** An arrow of a drone at 15 m/s should be about this long, px. */
const ARROW_PX = 26;

/** Grave things last, so that they lie on top. */
const RANK: Record<Permission, number> = {
  none: 0,
  permitted: 1,
  not_subject: 1,
  undetermined: 2,
  not_permitted: 3,
};

/** Grows as needed; what was written stays until `reset`. */
export class Sheet {
  buffer: ArrayBuffer;
  f32: Float32Array;
  u32: Uint32Array;
  count = 0;

  constructor(readonly stride: number) {
    this.buffer = new ArrayBuffer(stride * 1024);
    this.f32 = new Float32Array(this.buffer);
    this.u32 = new Uint32Array(this.buffer);
  }

  /** The index, in 4-byte words, of a new record. */
  next(): number {
    const at = (this.count * this.stride) >> 2;
    if ((this.count + 1) * this.stride > this.buffer.byteLength) {
      const larger = new ArrayBuffer(this.buffer.byteLength * 2);
      new Uint8Array(larger).set(new Uint8Array(this.buffer));
      this.buffer = larger;
      this.f32 = new Float32Array(larger);
      this.u32 = new Uint32Array(larger);
    }
    this.count++;
    return at;
  }
}

function pack(hex: string, alpha: number): number {
  const n = parseInt(hex.slice(1), 16);
  const a = Math.round(alpha * 255);
  return ((a << 24) | ((n & 255) << 16) | (((n >> 8) & 255) << 8) | (n >> 16)) >>> 0;
}

export class Composer {
  readonly lines = new Sheet(LINE_BYTES);
  readonly segments = new Sheet(SEGMENT_BYTES);
  readonly sprites = new Sheet(SPRITE_BYTES);
  /** Seconds that the arrows look ahead. */
  aheadS = 20;
  /** Plane positions of the message's tracks, row by row. */
  x = new Float32Array(0);
  y = new Float32Array(0);
  private order: number[] = [];
  private colours: string[] = [];

  constructor(
    private readonly plane: Plane,
    private readonly atlas: Atlas,
  ) {}

  /** Positions of a new message; trails grow by them. */
  take(m: TracksMessage, trails: Trails): void {
    const n = m.track_id.length;
    if (this.x.length !== n) {
      this.x = new Float32Array(n);
      this.y = new Float32Array(n);
    }
    trails.begin();
    for (let i = 0; i < n; i++) {
      this.x[i] = this.plane.x(m.lon_e7[i]! / 1e7);
      this.y[i] = this.plane.y(m.lat_e7[i]! / 1e7);
      trails.add(m.track_id[i]!, this.x[i]!, this.y[i]!);
    }
    trails.end();
  }

  compose(m: TracksMessage, trails: Trails, view: View, palette: Palette, options: Options): void {
    for (const sheet of [this.lines, this.segments, this.sprites]) sheet.count = 0;
    const kinds = m.permissions.map(asPermission);
    this.colours = kinds.map((k) => palette.permissions[k]);
    this.aheadS =
      LOOK_AHEAD_S.find((s) => 15 * s * view.pixelsPerUnit >= ARROW_PX) ?? LOOK_AHEAD_S.at(-1)!;
    this.sort(m, kinds, view, options.selected);
    if (options.trails) this.trails(m, trails, view);
    this.circles(m, view, options.selected);
    this.arrows(m);
    this.symbols(m, kinds, palette, options.selected);
    if (options.labels || options.selected) this.labels(m, view, palette, options);
  }

  private sort(m: TracksMessage, kinds: Permission[], view: View, selected: string | null): void {
    const buckets: number[][] = [[], [], [], [], [], []];
    for (let i = 0; i < m.track_id.length; i++) {
      const x = this.x[i]!;
      const y = this.y[i]!;
      if (x < view.minX || x > view.maxX || y < view.minY || y > view.maxY) continue;
      const alert = (m.flags[i]! & TrackFlag.HasAlert) !== 0;
      const rank = m.track_id[i] === selected ? 5 : alert ? 4 : RANK[kinds[m.permission[i]!] ?? "none"];
      buckets[rank]!.push(i);
    }
    this.order = buckets.flat();
  }

  private colour(m: TracksMessage, i: number): string {
    return this.colours[m.permission[i]!] ?? "#808080";
  }

  private trails(m: TracksMessage, trails: Trails, view: View): void {
    const tolerance = TOLERANCE_PX / view.pixelsPerUnit;
    for (let k = this.order.length - 1; k >= 0; k--) {
      const i = this.order[k]!;
      const slot = trails.slot(m.track_id[i]!);
      if (slot === undefined) continue;
      const hex = this.colour(m, i);
      const wide = this.segments.count < WIDE_PIECES;
      let x0 = 0;
      let y0 = 0;
      let c0 = 0;
      let first = true;
      trails.simplified(slot, tolerance, (x, y, fresh) => {
        const c = pack(hex, 0.04 + 0.6 * fresh * fresh);
        if (!first) {
          if (wide) this.segment(x0, y0, x, y, c0, c);
          else this.hairline(x0, y0, x, y, c0, c);
        }
        first = false;
        x0 = x;
        y0 = y;
        c0 = c;
      });
    }
  }

  private segment(x0: number, y0: number, x: number, y: number, c0: number, c: number): void {
    const at = this.segments.next();
    const { f32, u32 } = this.segments;
    f32[at] = x0;
    f32[at + 1] = y0;
    f32[at + 2] = x;
    f32[at + 3] = y;
    u32[at + 4] = c0;
    u32[at + 5] = c;
  }

  private hairline(x0: number, y0: number, x: number, y: number, c0: number, c: number): void {
    this.vertex(x0, y0, c0);
    this.vertex(x, y, c);
  }

  private vertex(x: number, y: number, c: number): void {
    const at = this.lines.next();
    this.lines.f32[at] = x;
    this.lines.f32[at + 1] = y;
    this.lines.u32[at + 2] = c;
  }

  /** Two standard deviations around each track, where that is large enough to be seen. */
  private circles(m: TracksMessage, view: View, selected: string | null): void {
    let drawn = 0;
    for (let k = this.order.length - 1; k >= 0 && drawn < MOST_CIRCLES; k--) {
      const i = this.order[k]!;
      const r = 2 * m.sigma_m[i]! * this.plane.unitsPerMetre(m.lat_e7[i]! / 1e7);
      if (!(r * view.pixelsPerUnit > LEAST_CIRCLE_PX)) continue;
      drawn++;
      const chosen = m.track_id[i] === selected;
      const c = pack(this.colour(m, i), chosen ? 0.9 : 0.45);
      let px = this.x[i]! + r;
      let py = this.y[i]!;
      for (let corner = 1; corner <= CIRCLE_CORNERS; corner++) {
        const a = (2 * Math.PI * corner) / CIRCLE_CORNERS;
        const x = this.x[i]! + r * Math.cos(a);
        const y = this.y[i]! + r * Math.sin(a);
        if (chosen) this.segment(px, py, x, y, c, c);
        else this.hairline(px, py, x, y, c, c);
        px = x;
        py = y;
      }
    }
  }

  /** Where each will be in `aheadS` seconds if it keeps on. */
  private arrows(m: TracksMessage): void {
    for (const i of this.order) {
      const ve = m.ve_mps[i]!;
      const vn = m.vn_mps[i]!;
      if (!(ve * ve + vn * vn > 0.25)) continue;
      const s = this.aheadS * this.plane.unitsPerMetre(m.lat_e7[i]! / 1e7);
      const x = this.x[i]!;
      const y = this.y[i]!;
      const hex = this.colour(m, i);
      this.segment(x, y, x + ve * s, y - vn * s, pack(hex, 0.95), pack(hex, 0.7));
    }
  }

  private symbols(
    m: TracksMessage,
    kinds: Permission[],
    palette: Palette,
    selected: string | null,
  ): void {
    for (const i of this.order) {
      const kind = kinds[m.permission[i]!] ?? "undetermined";
      const flags = m.flags[i]!;
      const claim = (flags & TrackFlag.Measured) === 0;
      const sprite = this.atlas.symbol(kind, claim, (flags & TrackFlag.HasAlert) !== 0);
      const angle = kind === "not_subject" ? Math.atan2(m.ve_mps[i]!, m.vn_mps[i]!) : 0;
      const colour = pack(this.colour(m, i), m.age_s[i]! > OLD_S ? 0.5 : 1);
      this.sprite(i, sprite, -sprite.w / 2, -sprite.h / 2, angle || 0, colour);
      if (m.track_id[i] === selected) {
        const ring = this.atlas.ring;
        this.sprite(i, ring, -ring.w / 2, -ring.h / 2, 0, pack(palette.select, 1));
      }
    }
  }

  private sprite(i: number, s: Sprite, dx: number, dy: number, angle: number, colour: number): void {
    const at = this.sprites.next();
    const { f32, u32 } = this.sprites;
    f32[at] = this.x[i]!;
    f32[at + 1] = this.y[i]!;
    f32[at + 2] = dx;
    f32[at + 3] = dy;
    f32[at + 4] = s.w;
    f32[at + 5] = s.h;
    f32[at + 6] = s.u;
    f32[at + 7] = s.v;
    f32[at + 8] = angle;
    u32[at + 9] = colour;
  }

  private labels(m: TracksMessage, view: View, palette: Palette, options: Options): void {
    const occupied = new Occupied();
    const s = view.pixelsPerUnit;
    for (const i of this.order) occupied.take(this.x[i]! * s - 5, this.y[i]! * s - 5, 10, 10);
    let placed = 0;
    for (let k = this.order.length - 1; k >= 0 && placed < MOST_LABELS; k--) {
      const i = this.order[k]!;
      const chosen = m.track_id[i] === options.selected;
      if (!options.labels && !chosen) continue;
      const lines = labelLines(m, i);
      const at = placeLabel(occupied, this.atlas, lines, this.x[i]! * s, this.y[i]! * s, chosen);
      if (!at) continue;
      placed++;
      const colour = pack(chosen ? palette.select : this.colour(m, i), 1);
      lines.forEach((text, row) => this.text(i, text, at.dx, at.dy + row * LINE_PX, colour));
    }
  }

  private text(i: number, text: string, dx: number, dy: number, colour: number): void {
    let pen = dx;
    for (const char of text) {
      const letter = this.atlas.letter(char);
      if (char !== " ") this.sprite(i, letter, pen - LETTER_LEFT_PX, dy, 0, colour);
      pen += letter.advance;
    }
  }
}

export { rgb };
