// "This is not live": across the whole page, and over the map, as long as it is so.

import { h, setText } from "../dom";
import { clock, wholeSpan } from "../format";
import type { Store } from "../store";

const TICK_MS = 250;

export class Banner {
  readonly root = h("div", {
    class: "banner",
    role: "alert",
    hidden: true,
    "data-testid": "not-live-banner",
  });
  readonly watermark = h("div", { class: "watermark", "aria-hidden": "true", hidden: true });
  private readonly words = h("strong");
  private readonly why = h("span");

  constructor(private readonly store: Store) {
    this.root.append(this.words, this.why);
    this.watermark.append(h("span", {}, "NOT LIVE"));
    store.onLink(() => this.tell());
    setInterval(() => this.tell(), TICK_MS);
  }

  /** How old the last data is, in words; "" while all is well. */
  private tell(): void {
    const { lostSince, why } = this.store.link;
    const lost = lostSince !== null;
    this.root.hidden = this.watermark.hidden = !lost;
    document.body.classList.toggle("not-live", lost);
    if (lostSince === null) return;
    const at = this.store.get("tracks")?.at_ms;
    if (at === undefined) {
      setText(this.words, "NOT LIVE: no data yet");
    } else {
      const ago = wholeSpan((performance.now() - lostSince) / 1000);
      setText(this.words, `NOT LIVE: last data ${ago} ago`);
    }
    const last = at === undefined ? "" : ` What is shown is of ${clock(at)}.`;
    setText(this.why, `${why}; trying again.${last}`);
  }
}
