// What the three pages have in common.

export interface Page {
  readonly root: HTMLElement;
  /** Begin to listen; the answer ends it. */
  start(): () => void;
  /** A few seconds have passed: bring what depends on the clock up to date. */
  tick(): void;
}
