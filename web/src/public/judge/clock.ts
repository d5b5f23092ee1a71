// A time zone as its offsets: [from UTC second, seconds east]. The browser's own time zone data
// may be another version than the one by which the authority's zones hold.

const DAY_S = 86_400;

export class Clock {
  private readonly since: number[];
  private readonly offsets: number[];
  /** Where each change lies on the wall: [first reading, second reading]. */
  private readonly walls: [number[], number[]] = [[], []];

  constructor(table: readonly (readonly [number, number])[]) {
    this.since = table.map((row) => row[0]);
    this.offsets = table.map((row) => row[1]);
    for (let i = 1; i < table.length; i++) {
      const before = this.offsets[i - 1]!;
      const after = this.offsets[i]!;
      this.walls[0].push(this.since[i]! + Math.max(before, after));
      this.walls[1].push(this.since[i]! + Math.min(before, after));
    }
  }

  /** Seconds east of Greenwich at a UTC second; before the table, its first. */
  offsetAt(utcS: number): number {
    return this.offsets[Math.max(count(this.since, utcS) - 1, 0)] ?? 0;
  }

  private wallOffset(wallS: number, fold: 0 | 1): number {
    return this.offsets[count(this.walls[fold], wallS)] ?? 0;
  }

  /** Seconds east when it is not summer time: the lesser of January's and July's. */
  standardOffset(year: number): number {
    const at = (month: number): number => this.wallOffset(Date.UTC(year, month, 1) / 1000, 0);
    return Math.min(at(0), at(6));
  }

  /** The UTC second at which this clock shows `seconds` of a day (days since 1970-01-01).
   *
   * What it shows twice is the first, or with `last` the second; what it skips is the jump. */
  utcOf(day: number, seconds: number, last: boolean): number {
    const wall = day * DAY_S + seconds;
    const offset = this.wallOffset(wall, 0);
    const later = this.wallOffset(wall, 1);
    if (offset === later) return wall - offset;
    if (offset > later) {
      const before = wall - 1;
      const twice = this.wallOffset(before, 0) !== this.wallOffset(before, 1);
      return wall - (last && twice ? later : offset);
    }
    const low = wall - later;
    return this.since[count(this.since, low)] ?? low;
  }
}

export const UTC = new Clock([[-Infinity, 0]]);

/** How many of the ascending values are at most `x`. */
function count(values: readonly number[], x: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! <= x) low = middle + 1;
    else high = middle;
  }
  return low;
}
