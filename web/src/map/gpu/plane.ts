// A local plane: Mercator around the site, in units that are metres there. Single precision in the
// graphics card then resolves millimetres instead of metres.

const EARTH_M = 40_075_016.686;
const DEG = Math.PI / 180;

export function mercatorX(lon: number): number {
  return (lon + 180) / 360;
}

export function mercatorY(lat: number): number {
  return 0.5 - Math.log(Math.tan(Math.PI / 4 + (lat * DEG) / 2)) / (2 * Math.PI);
}

export class Plane {
  private readonly x0: number;
  private readonly y0: number;
  /** Units of the plane per unit of Mercator (the whole world is 1 wide). */
  readonly scale: number;

  constructor(lat: number, lon: number) {
    this.x0 = mercatorX(lon);
    this.y0 = mercatorY(lat);
    this.scale = EARTH_M * Math.cos(lat * DEG);
  }

  /** East of the site, by the shorter way round. */
  x(lon: number): number {
    let d = mercatorX(lon) - this.x0;
    d -= Math.round(d);
    return d * this.scale;
  }

  /** South of the site: as in Mercator tiles, y grows southwards. */
  y(lat: number): number {
    return (mercatorY(lat) - this.y0) * this.scale;
  }

  /** How many plane units one metre is at a latitude (1 at the site). */
  unitsPerMetre(lat: number): number {
    return this.scale / (EARTH_M * Math.cos(lat * DEG));
  }

  /** Pixels per unit at a zoom. */
  pixels(zoom: number): number {
    return (512 * 2 ** zoom) / this.scale;
  }

  /** A matrix for Mercator (column-major) turned into one for this plane. */
  matrix(mercator: ArrayLike<number>, out: Float32Array): Float32Array {
    const m = mercator;
    const s = 1 / this.scale;
    for (let row = 0; row < 4; row++) {
      out[row] = m[row]! * s;
      out[4 + row] = m[4 + row]! * s;
      out[8 + row] = m[8 + row]!;
      out[12 + row] = m[row]! * this.x0 + m[4 + row]! * this.y0 + m[12 + row]!;
    }
    return out;
  }
}
