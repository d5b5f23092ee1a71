// Where tracks were: the last points of each, kept here because the stream tells them only once.

/** Points kept of a track; at one message a second, a minute. */
export const POINTS = 60;
/** A track that has moved less than this since its last point gets no new one, m. */
const STILL_M = 0.5;

const FIRST_CAPACITY = 256;

/** Positions are kept in a local plane whose unit is a metre at the site (see Plane). */
export class Trails {
  private readonly slots = new Map<string, number>();
  private readonly free: number[] = [];
  private x = new Float32Array(FIRST_CAPACITY * POINTS);
  private y = new Float32Array(FIRST_CAPACITY * POINTS);
  private head = new Uint8Array(FIRST_CAPACITY);
  private held = new Uint8Array(FIRST_CAPACITY);
  private seen = new Uint32Array(FIRST_CAPACITY);
  private capacity = FIRST_CAPACITY;
  private used = 0;
  private round = 0;
  // Scratch for `simplified`: a trail in order, and what of it stays.
  private readonly px = new Float32Array(POINTS);
  private readonly py = new Float32Array(POINTS);
  private readonly keep = new Uint8Array(POINTS);
  private readonly stack = new Uint8Array(2 * POINTS);

  slot(id: string): number | undefined {
    return this.slots.get(id);
  }

  clear(): void {
    this.slots.clear();
    this.free.length = 0;
    this.used = 0;
  }

  begin(): void {
    this.round++;
  }

  /** Forget the tracks that were not named since `begin`. */
  end(): void {
    for (const [id, slot] of this.slots) {
      if (this.seen[slot] === this.round) continue;
      this.slots.delete(id);
      this.free.push(slot);
    }
  }

  add(id: string, x: number, y: number): number {
    const slot = this.slots.get(id) ?? this.open(id);
    this.seen[slot] = this.round;
    const base = slot * POINTS;
    const count = this.held[slot]!;
    if (count > 0) {
      const last = base + ((this.head[slot]! + POINTS - 1) % POINTS);
      if (Math.abs(this.x[last]! - x) + Math.abs(this.y[last]! - y) < STILL_M) return slot;
    }
    this.x[base + this.head[slot]!] = x;
    this.y[base + this.head[slot]!] = y;
    this.head[slot] = (this.head[slot]! + 1) % POINTS;
    if (count < POINTS) this.held[slot] = count + 1;
    return slot;
  }

  private open(id: string): number {
    const slot = this.free.pop() ?? this.used++;
    if (slot >= this.capacity) this.grow();
    this.slots.set(id, slot);
    this.head[slot] = 0;
    this.held[slot] = 0;
    return slot;
  }

  private grow(): void {
    this.capacity *= 2;
    const larger = <T extends Float32Array | Uint8Array | Uint32Array>(old: T, made: T): T => {
      made.set(old);
      return made;
    };
    this.x = larger(this.x, new Float32Array(this.capacity * POINTS));
    this.y = larger(this.y, new Float32Array(this.capacity * POINTS));
    this.head = larger(this.head, new Uint8Array(this.capacity));
    this.held = larger(this.held, new Uint8Array(this.capacity));
    this.seen = larger(this.seen, new Uint32Array(this.capacity));
  }

  /**
   * The corners that a trail needs to look right within `tolerance` (Douglas and Peucker), oldest
   * first, as `visit(x, y, freshness from 0 to 1)`; the answer is how many there were.
   */
  simplified(
    slot: number,
    tolerance: number,
    visit: (x: number, y: number, fresh: number) => void,
  ): number {
    const n = this.held[slot]!;
    if (n < 2) return 0;
    const { px, py, keep, stack } = this;
    const start = this.head[slot]! + POINTS - n;
    for (let i = 0; i < n; i++) {
      const from = slot * POINTS + ((start + i) % POINTS);
      px[i] = this.x[from]!;
      py[i] = this.y[from]!;
      keep[i] = 0;
    }
    keep[0] = keep[n - 1] = 1;
    let top = 0;
    stack[top++] = 0;
    stack[top++] = n - 1;
    while (top > 0) {
      const b = stack[--top]!;
      const a = stack[--top]!;
      const split = farthest(px, py, a, b, tolerance);
      if (split < 0) continue;
      keep[split] = 1;
      stack[top++] = a;
      stack[top++] = split;
      stack[top++] = split;
      stack[top++] = b;
    }
    let count = 0;
    for (let i = 0; i < n; i++) {
      if (!keep[i]) continue;
      visit(px[i]!, py[i]!, (i + POINTS - n + 1) / POINTS);
      count++;
    }
    return count;
  }
}

/** The point between a and b that is farthest from their line, or -1 if none is beyond tolerance. */
function farthest(
  px: Float32Array,
  py: Float32Array,
  a: number,
  b: number,
  tolerance: number,
): number {
  const ax = px[a]!;
  const ay = py[a]!;
  const dx = px[b]! - ax;
  const dy = py[b]! - ay;
  const length2 = dx * dx + dy * dy;
  let best = tolerance * tolerance;
  let found = -1;
  for (let i = a + 1; i < b; i++) {
    const ex = px[i]! - ax;
    const ey = py[i]! - ay;
    const along = length2 > 0 ? Math.min(1, Math.max(0, (ex * dx + ey * dy) / length2)) : 0;
    const ox = ex - along * dx;
    const oy = ey - along * dy;
    const off = ox * ox + oy * oy;
    if (off > best) {
      best = off;
      found = i;
    }
  }
  return found;
}
