// A list that changes only where its items do: focus, scrolling and typed text stay.

export interface KeyedOptions<T> {
  key: (item: T) => string;
  /** All that the row shows; equal signatures leave the row alone. */
  signature: (item: T) => string;
  make: (item: T) => HTMLElement;
  /** Bring a row up to date; without it the row is made anew. */
  refresh?: (row: HTMLElement, item: T) => void;
}

interface Row {
  node: HTMLElement;
  signature: string;
}

export class Keyed<T> {
  private rows = new Map<string, Row>();

  constructor(
    readonly root: HTMLElement,
    private readonly options: KeyedOptions<T>,
  ) {}

  /** Show these items in this order. */
  update(items: readonly T[]): void {
    const focused = this.focusedKey();
    const next = new Map<string, Row>();
    for (const item of items) {
      const key = this.options.key(item);
      if (!next.has(key)) next.set(key, this.row(key, item));
    }
    for (const [key, row] of this.rows) if (next.get(key)?.node !== row.node) row.node.remove();
    let place: ChildNode | null = this.root.firstChild;
    for (const { node } of next.values()) {
      if (node === place) place = place.nextSibling;
      else this.root.insertBefore(node, place);
    }
    this.rows = next;
    if (focused !== null) this.giveFocusBack(focused);
  }

  private row(key: string, item: T): Row {
    const { signature, make, refresh } = this.options;
    const now = signature(item);
    const before = this.rows.get(key);
    if (before?.signature === now) return before;
    if (before && refresh) {
      refresh(before.node, item);
      return { node: before.node, signature: now };
    }
    return { node: make(item), signature: now };
  }

  private focusedKey(): string | null {
    const active = document.activeElement;
    if (!active || !this.root.contains(active)) return null;
    for (const [key, { node }] of this.rows) if (node.contains(active)) return key;
    return null;
  }

  /** A row that was moved or made anew has lost the focus that it had; of one that went, the list has it. */
  private giveFocusBack(key: string): void {
    const node = this.rows.get(key)?.node;
    if (!node) {
      this.root.tabIndex = -1;
      this.root.focus({ preventScroll: true });
      return;
    }
    if (node.contains(document.activeElement)) return;
    const inner = node.matches("button, input, a") ? node : node.querySelector("button, input, a");
    if (inner instanceof HTMLElement) inner.focus({ preventScroll: true });
  }
}

/** Runs `make` and puts what it gives into `root`, only when `signature` has changed. */
export class Slot {
  private signature: string | null = null;

  constructor(readonly root: HTMLElement) {}

  update(signature: string, make: () => Node[]): void {
    if (signature === this.signature) return;
    this.signature = signature;
    this.root.replaceChildren(...make());
  }
}
