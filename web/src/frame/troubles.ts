// What is wrong with the watch itself, as one bar of words, each since when: the service's list, and
// what only this page can see, which is whether the two clocks agree.

import { h, setAttribute, setText } from "../dom";
import { clock, wholeSpan } from "../format";
import type { TroubleView } from "../messages";
import type { Store } from "../store";

const TICK_MS = 250;
/** A beat comes once a second and takes less than two on its way: more is a clock that is wrong. */
const CLOCK_OFF_MS = 5_000;
/** On the bar; the rest is counted. */
const SHOWN = 4;

export class TroubleBar {
  readonly root = h("div", {
    class: "troubles",
    role: "status",
    hidden: true,
    "data-testid": "troubles",
  });
  private readonly list = h("ul");
  private said = "";

  constructor(private readonly store: Store) {
    this.root.append(h("b", {}, "TROUBLE"), this.list);
    store.on("troubles", () => this.tell());
    setInterval(() => this.tell(), TICK_MS);
  }

  private tell(): void {
    const told = this.store.get("troubles")?.troubles ?? [];
    const all = [...this.own(), ...told].sort((a, b) => Number(b.grave) - Number(a.grave));
    this.root.hidden = all.length === 0;
    setAttribute(this.root, "data-grave", all.some((t) => t.grave) ? "yes" : null);
    const lines = all.slice(0, SHOWN).map(words);
    if (all.length > SHOWN) lines.push(`and ${all.length - SHOWN} more: see /health`);
    const said = lines.join("\n");
    if (said === this.said) return;
    this.said = said;
    this.list.replaceChildren(
      ...lines.map((line, i) => {
        const item = h("li", { "data-grave": all[i]?.grave && i < SHOWN ? "yes" : "no" });
        setText(item, line);
        return item;
      }),
    );
  }

  /** What the page sees by itself; nothing while the connection is lost, which the banner says. */
  private own(): TroubleView[] {
    const site = this.store.get("site");
    const offMs = Date.now() - this.store.siteNowMs();
    const played = !site || site.simulation !== null;
    if (this.store.link.lostSince !== null || played || !(Math.abs(offMs) > CLOCK_OFF_MS)) return [];
    const way = offMs > 0 ? "ahead of" : "behind";
    const span = wholeSpan(Math.abs(offMs) / 1000);
    const said = `CLOCK WRONG: this machine is ${span} ${way} the service; one of them is wrong`;
    // By a clock that may be the wrong one no time is told.
    return [{ what: "page clock", name: "", words: said, grave: true, since_ms: NaN }];
  }
}

function words(trouble: TroubleView): string {
  const since = Number.isFinite(trouble.since_ms) ? `, since ${clock(trouble.since_ms)}` : "";
  return `${trouble.words}${since}`;
}
