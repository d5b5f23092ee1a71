// One small picture with every symbol and letter that the track layer draws, made with the
// browser's own fonts. Red holds what is filled, green what surrounds it; colours come later, so
// that day and night need no other picture.

import { PERMISSIONS, SHAPES, type Permission } from "../../symbols";

const WIDTH = 512;
const HEIGHT = 420;
const FONT_PX = 12;
const HALO_PX = 3;
const FAMILY = 'system-ui, "Noto Sans", "DejaVu Sans", Arial, sans-serif';
const FIRST_CHAR = 32;
const LAST_CHAR = 126;
const EXTRA = "°·–²";

/** A place in the picture, in its pixels over ratio; `advance` is for letters. */
export interface Sprite {
  u: number;
  v: number;
  w: number;
  h: number;
  advance: number;
}

export const SYMBOL_PX: Record<Permission, number> = {
  none: 16,
  permitted: 19,
  not_permitted: 22,
  undetermined: 21,
  not_subject: 22,
};
/** How much of the 24 x 24 units a shape needs: what is empty would be painted for nothing. */
const EXTENT: Partial<Record<Permission, number>> = { none: 10 / 24 };
/** Sizes of a symbol: in a crowd, alone, with an alert. */
export const SIZES = { small: 0.75, plain: 1, alert: 1.3 } as const;
export type Size = keyof typeof SIZES;
/** What points somewhere is kept turned, in so many steps: then no pixel has to be interpolated. */
const TURNS = 24;
export const LINE_PX = 14;

export class Atlas {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
  private readonly letters = new Map<string, Sprite>();
  private readonly symbols = new Map<string, Sprite>();
  readonly ring: Sprite;
  private x = 0;
  private y = 0;
  private rowHeight = 0;

  constructor(readonly ratio: number) {
    this.width = Math.ceil(WIDTH * ratio);
    this.height = Math.ceil(HEIGHT * ratio);
    const fill = this.canvas();
    const halo = this.canvas();
    for (const permission of PERMISSIONS) {
      for (const claim of [false, true]) {
        for (const size of Object.keys(SIZES) as Size[]) {
          this.addSymbol(fill, halo, permission, claim, size);
        }
      }
    }
    this.ring = this.place(46, 46, 0);
    drawRing(fill, halo, this.ring);
    this.drawLetters(fill, halo);
    this.pixels = this.merged(fill, halo);
  }

  private addSymbol(
    fill: OffscreenCanvasRenderingContext2D,
    halo: OffscreenCanvasRenderingContext2D,
    permission: Permission,
    claim: boolean,
    size: Size,
  ): void {
    const px = SYMBOL_PX[permission] * SIZES[size];
    const box = px * (EXTENT[permission] ?? 1) + 4;
    const turns = permission === "not_subject" ? TURNS : 1;
    for (let turn = 0; turn < turns; turn++) {
      const sprite = this.place(box, box, 0);
      drawSymbol(fill, halo, sprite, permission, claim, px, (2 * Math.PI * turn) / TURNS);
      this.symbols.set(`${permission} ${claim} ${size} ${turn}`, sprite);
    }
  }

  /** `heading` in radians from north; only what has a nose heeds it. */
  symbol(permission: Permission, claim: boolean, size: Size, heading: number): Sprite {
    let turn = 0;
    if (permission === "not_subject" && Number.isFinite(heading)) {
      turn = ((Math.round((heading / (2 * Math.PI)) * TURNS) % TURNS) + TURNS) % TURNS;
    }
    return this.symbols.get(`${permission} ${claim} ${size} ${turn}`)!;
  }

  letter(char: string): Sprite {
    return this.letters.get(char) ?? this.letters.get("?")!;
  }

  textWidth(text: string): number {
    let width = 0;
    for (const char of text) width += this.letter(char).advance;
    return width;
  }

  private canvas(): OffscreenCanvasRenderingContext2D {
    const context = new OffscreenCanvas(this.width, this.height).getContext("2d")!;
    context.scale(this.ratio, this.ratio);
    context.font = `600 ${FONT_PX}px ${FAMILY}`;
    context.textBaseline = "alphabetic";
    context.lineJoin = "round";
    context.lineCap = "round";
    return context;
  }

  private place(w: number, h: number, advance: number): Sprite {
    // Even, so that half of it is whole pixels.
    w = 2 * Math.ceil(w / 2);
    h = 2 * Math.ceil(h / 2);
    if (this.x + w > WIDTH) {
      this.x = 0;
      this.y += this.rowHeight + 1;
      this.rowHeight = 0;
    }
    const sprite = { u: this.x, v: this.y, w, h, advance };
    this.x += w + 1;
    this.rowHeight = Math.max(this.rowHeight, h);
    return sprite;
  }

  private drawLetters(
    fill: OffscreenCanvasRenderingContext2D,
    halo: OffscreenCanvasRenderingContext2D,
  ): void {
    const chars = [...EXTRA];
    for (let code = FIRST_CHAR; code <= LAST_CHAR; code++) chars.push(String.fromCharCode(code));
    halo.lineWidth = HALO_PX;
    for (const char of chars) {
      const advance = fill.measureText(char).width;
      const sprite = this.place(advance + 2 * HALO_PX, LINE_PX + HALO_PX, advance);
      const x = sprite.u + HALO_PX;
      const y = sprite.v + FONT_PX;
      fill.fillText(char, x, y);
      halo.strokeText(char, x, y);
      this.letters.set(char, sprite);
    }
  }

  private merged(
    fill: OffscreenCanvasRenderingContext2D,
    halo: OffscreenCanvasRenderingContext2D,
  ): Uint8Array {
    const red = fill.getImageData(0, 0, this.width, this.height).data;
    const green = halo.getImageData(0, 0, this.width, this.height).data;
    const pixels = new Uint8Array(this.width * this.height * 2);
    for (let i = 0; i < this.width * this.height; i++) {
      pixels[2 * i] = red[4 * i + 3]!;
      pixels[2 * i + 1] = green[4 * i + 3]!;
    }
    return pixels;
  }
}

/** How far left of its pen a letter's picture begins. */
export const LETTER_LEFT_PX = HALO_PX;

function drawSymbol(
  fill: OffscreenCanvasRenderingContext2D,
  halo: OffscreenCanvasRenderingContext2D,
  at: Sprite,
  permission: Permission,
  claim: boolean,
  px: number,
  turn: number,
): void {
  const shape = SHAPES[permission];
  const outline = new Path2D(shape.outline);
  const scale = px / 24;
  for (const context of [fill, halo]) {
    context.save();
    context.translate(at.u + at.w / 2, at.v + at.h / 2);
    context.rotate(turn);
    context.scale(scale, scale);
    context.translate(-12, -12);
  }
  const hollow = claim || !shape.filled;
  // The surroundings also fill a hollow symbol, so that it stands out from whatever is below.
  halo.lineWidth = hollow ? 5 : 3.5;
  halo.stroke(outline);
  halo.fill(outline);
  if (hollow) {
    fill.lineWidth = 2.4;
    // A claim is no detection: its outline is broken.
    if (claim) fill.setLineDash(permission === "none" ? [2, 2.2] : [4, 3.4]);
    fill.lineCap = "butt";
    fill.stroke(outline);
    fill.setLineDash([]);
  } else {
    fill.fill(outline);
  }
  if (shape.mark) {
    fill.lineWidth = 2.4;
    fill.lineCap = "round";
    fill.stroke(new Path2D(shape.mark));
  }
  fill.restore();
  halo.restore();
}

function drawRing(
  fill: OffscreenCanvasRenderingContext2D,
  halo: OffscreenCanvasRenderingContext2D,
  at: Sprite,
): void {
  const x = at.u + at.w / 2;
  const y = at.v + at.h / 2;
  for (const [context, width] of [
    [fill, 2.2],
    [halo, 5],
  ] as const) {
    context.lineWidth = width;
    // Four corners around the track, as on a viewfinder: no shape of a permission looks so.
    for (const quarter of [0, 1, 2, 3]) {
      context.save();
      context.translate(x, y);
      context.rotate((quarter * Math.PI) / 2);
      context.stroke(new Path2D("M-19 -9V-15a4 4 0 0 1 4 -4H-9"));
      context.restore();
    }
  }
}
