// Vertices as they are written, before they go to the graphics card.

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

/** "#rrggbb" as the lower three bytes of what a vertex carries. */
export function ink(hex: string): number {
  const n = parseInt(hex.slice(1), 16);
  return ((n & 255) << 16) | (n & 0xff00) | (n >> 16);
}

/** An ink with its alpha, from 0 to 1. */
export function tint(colour: number, alpha: number): number {
  return (((alpha * 255) << 24) | colour) >>> 0;
}

export function pack(hex: string, alpha: number): number {
  return tint(ink(hex), alpha);
}
