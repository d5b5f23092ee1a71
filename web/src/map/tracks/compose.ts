// From the last message to what the graphics card draws: once a second, and when the view has moved.

import { TrackFlag, type TracksMessage } from "../../messages";
import { asPermission, type Permission } from "../../symbols";
import { OLD_S } from "../../tracks";
import { ink, pack, Sheet, tint } from "../gpu/sheet";
import type { Palette } from "../palette";
import { LETTER_LEFT_PX, LINE_PX, type Atlas, type Sprite } from "./atlas";
import { labelLines, MOST_LABELS, Occupied, placeLabel } from "./labels";
import type { Plane } from "../gpu/plane";
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
  bearings: boolean;
  selected: string | null;
}

const LINE_BYTES = 12;
const SEGMENT_BYTES = 24;
const SPRITE_BYTES = 24;
/** Trails are drawn as wide lines until so many pieces; beyond that as hairlines, which cost less. */
const WIDE_PIECES = 4_000;
/** A trail may be so far from its true course on the screen, px. */
const TOLERANCE_PX = 0.7;
/** From so many tracks in view on, symbols are small and trails coarser. */
const CROWD = 1_000;
const CROWD_TOLERANCE_PX = 4;
const CROWD_WIDE_PIECES = 500;
/** Uncertainty is drawn where it is larger than the symbol, px. */
const LEAST_CIRCLE_PX = 11;
const MOST_CIRCLES = 300;
const CIRCLE_CORNERS = 40;
const LOOK_AHEAD_S = [5, 10, 20, 30, 60, 120, 300];
/** An arrow of a drone at 15 m/s should be about this long, px. */
const ARROW_PX = 26;

/** Below an even chance of being a drone. */
const EVEN = 0.5;
const UNKNOWN_INK = ink("#808080");
/** A view beyond this is the whole world more than once: no place for labels, px². */
const MOST_LABEL_AREA = 60_000_000;

/** Grave things last, so that they lie on top. */
const RANK: Record<Permission, number> = {
  none: 0,
  permitted: 1,
  not_subject: 1,
  undetermined: 2,
  not_permitted: 3,
};

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

  /** Many tracks in view: everything is drawn in its cheaper form. */
  get crowd(): boolean {
    return this.order.length > CROWD;
  }

  private inks: number[] = [];
  /** By permission: those that a bird may have. */
  private calm: boolean[] = [];

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
    this.inks = kinds.map((k) => ink(palette.permissions[k]));
    this.calm = kinds.map((k) => k === "undetermined" || k === "none");
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

  /** Most likely no drone, and nobody was alerted: a bird, an echo. It stays in view, dimmed. */
  private quiet(m: TracksMessage, i: number): boolean {
    const loud = TrackFlag.TakenForDrone | TrackFlag.HasAlert;
    return (m.flags[i]! & loud) === 0 && m.drone[i]! < EVEN && this.calm[m.permission[i]!] === true;
  }

  private ink(m: TracksMessage, i: number): number {
    return this.inks[m.permission[i]!] ?? UNKNOWN_INK;
  }

  private trails(m: TracksMessage, trails: Trails, view: View): void {
    const px = this.crowd ? CROWD_TOLERANCE_PX : TOLERANCE_PX;
    const tolerance = px / view.pixelsPerUnit;
    for (let k = this.order.length - 1; k >= 0; k--) {
      const i = this.order[k]!;
      const slot = trails.slot(m.track_id[i]!);
      if (slot === undefined) continue;
      const colour = this.ink(m, i);
      const most = this.quiet(m, i) ? 0.25 : 0.64;
      const wide = this.segments.count < 4 * (this.crowd ? CROWD_WIDE_PIECES : WIDE_PIECES);
      let x0 = 0;
      let y0 = 0;
      let c0 = 0;
      let first = true;
      trails.simplified(slot, tolerance, (x, y, fresh) => {
        const c = tint(colour, 0.04 + (most - 0.04) * fresh * fresh);
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
    // Seen from its other end a line has its sides the other way round.
    this.side(x0, y0, x, y, 1, c0);
    this.side(x0, y0, x, y, -1, c0);
    this.side(x, y, x0, y0, -2, c);
    this.side(x, y, x0, y0, 2, c);
  }

  private side(x: number, y: number, ox: number, oy: number, side: number, c: number): void {
    const at = this.segments.next();
    const { f32, u32 } = this.segments;
    f32[at] = x;
    f32[at + 1] = y;
    f32[at + 2] = ox;
    f32[at + 3] = oy;
    f32[at + 4] = side;
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
      const c = tint(this.ink(m, i), chosen ? 0.9 : 0.45);
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
      const colour = this.ink(m, i);
      const tx = x + ve * s;
      const ty = y - vn * s;
      if (this.crowd) this.hairline(x, y, tx, ty, tint(colour, 0.95), tint(colour, 0.7));
      else this.segment(x, y, tx, ty, tint(colour, 0.95), tint(colour, 0.7));
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
      const alert = (flags & TrackFlag.HasAlert) !== 0;
      const quiet = this.quiet(m, i);
      const size = alert ? "alert" : this.crowd || quiet ? "small" : "plain";
      const heading = Math.atan2(m.ve_mps[i]!, m.vn_mps[i]!);
      const sprite = this.atlas.symbol(kind, claim, size, heading);
      const colour = tint(this.ink(m, i), m.age_s[i]! > OLD_S || quiet ? 0.5 : 1);
      this.sprite(i, sprite, -sprite.w / 2, -sprite.h / 2, colour);
      if (m.track_id[i] === selected) {
        const ring = this.atlas.ring;
        this.sprite(i, ring, -ring.w / 2, -ring.h / 2, pack(palette.select, 1));
      }
    }
  }

  private sprite(i: number, s: Sprite, dx: number, dy: number, colour: number): void {
    const x = this.x[i]!;
    const y = this.y[i]!;
    for (let corner = 0; corner < 4; corner++) {
      const right = corner & 1 ? s.w : 0;
      const down = corner & 2 ? s.h : 0;
      const at = this.sprites.next();
      const { f32, u32 } = this.sprites;
      f32[at] = x;
      f32[at + 1] = y;
      f32[at + 2] = dx + right;
      f32[at + 3] = dy + down;
      u32[at + 4] = (s.u + right) | ((s.v + down) << 16);
      u32[at + 5] = colour;
    }
  }

  private labels(m: TracksMessage, view: View, palette: Palette, options: Options): void {
    const s = view.pixelsPerUnit;
    const wide = (view.maxX - view.minX) * s;
    const high = (view.maxY - view.minY) * s;
    if (!(wide * high < MOST_LABEL_AREA)) return;
    const occupied = new Occupied(view.minX * s, view.minY * s, wide, high);
    for (const i of this.order) occupied.take(this.x[i]! * s - 5, this.y[i]! * s - 5, 10, 10);
    let placed = 0;
    for (let k = this.order.length - 1; k >= 0 && placed < MOST_LABELS; k--) {
      const i = this.order[k]!;
      const chosen = m.track_id[i] === options.selected;
      if (!chosen && (!options.labels || this.quiet(m, i))) continue;
      const write = () => labelLines(m, i);
      const at = placeLabel(occupied, this.atlas, write, this.x[i]! * s, this.y[i]! * s, chosen);
      if (!at) continue;
      placed++;
      const colour = tint(chosen ? ink(palette.select) : this.ink(m, i), 1);
      at.lines.forEach((text, row) => this.text(i, text, at.dx, at.dy + row * LINE_PX, colour));
    }
  }

  private text(i: number, text: string, dx: number, dy: number, colour: number): void {
    const { ratio } = this.atlas;
    let pen = dx;
    for (const char of text) {
      const letter = this.atlas.letter(char);
      const left = Math.round((pen - LETTER_LEFT_PX) * ratio) / ratio;
      if (char !== " ") this.sprite(i, letter, left, Math.round(dy), colour);
      pen += letter.advance;
    }
  }
}
