// What is to be done today: decisions near their legal deadline, exemptions to be confirmed, holders
// whom nobody has reached yet.

import { badge, button, el, setText, show } from "./dom";
import { Keyed } from "./keyed";
import type { Desk } from "./site";
import { parseRfc3339, span } from "./times";

interface Due {
  at: string;
  permit_id: string;
  what: string;
  words: string;
}

/** A decision is prepared, not only made: what falls due over a weekend is seen on Friday. */
const WITHIN_H = 72;
const MOST_SHOWN = 12;
const ACTS: Record<string, string> = { decide: "Decide", confirm: "Confirm", tell: "Tell the holder" };

interface Shown extends Due {
  when: string;
  overdue: boolean;
}

export class DueList {
  readonly root = el("section", { class: "of-due", testid: "permit-due" });
  private readonly count = el("p", { class: "of-hint" });
  private readonly list = el("ul", { class: "of-list" });
  private readonly keyed: Keyed<Shown>;
  private due: Due[] = [];
  private asking = false;

  constructor(
    private readonly desk: Desk,
    private readonly open: (permitId: string) => void,
  ) {
    this.keyed = new Keyed(this.list, {
      key: (due) => `${due.permit_id} ${due.what} ${due.at}`,
      signature: (due) => JSON.stringify(due),
      make: (due) => this.make(due),
      refresh: (row, due) => row.firstElementChild?.replaceChildren(...nodes(due)),
    });
    this.root.append(el("h3", {}, "To be done"), this.count, this.list);
  }

  async ask(): Promise<void> {
    if (this.asking || this.desk.whyNot("watch_officer", "permit_officer") !== "") return;
    this.asking = true;
    try {
      const path = `/v1/permits/due?within_h=${WITHIN_H}`;
      this.due = (await this.desk.context.api.get<{ due: Due[] }>(path)).due;
    } catch {
      return; // the list stands beside it and says why
    } finally {
      this.asking = false;
    }
    this.update();
  }

  update(): void {
    const now = this.desk.nowMs();
    const shown = this.due.slice(0, MOST_SHOWN).map((due) => this.told(due, now));
    const late = this.due.filter((due) => due.what !== "tell" && parseRfc3339(due.at) <= now).length;
    const more = this.due.length - shown.length;
    const all = `${this.due.length} within three days`;
    const overdue = late > 0 ? `, ${late} overdue` : "";
    const hidden = more > 0 ? `; the ${shown.length} most urgent are listed` : "";
    const none = "Nothing falls due within three days.";
    setText(this.count, this.due.length === 0 ? none : `${all}${overdue}${hidden}.`);
    show(this.list, shown.length > 0);
    this.keyed.update(shown);
  }

  private told(due: Due, now: number): Shown {
    const at = parseRfc3339(due.at);
    const left = span(at - now);
    // Since when a holder waits is no deadline: it only grows more urgent.
    if (due.what === "tell") return { ...due, when: `for ${left}`, overdue: false };
    const overdue = at <= now;
    const when = overdue ? `by ${this.desk.clock(at)}, ${left} ago` : `by ${this.desk.clock(at)}, in ${left}`;
    return { ...due, when, overdue };
  }

  private make(due: Shown): HTMLElement {
    const row = button("", () => this.open(due.permit_id), {
      class: "of-rowbutton",
      testid: "due-row",
      data: { permitId: due.permit_id },
    });
    row.replaceChildren(...nodes(due));
    return el("li", {}, row);
  }
}

function nodes(due: Shown): Node[] {
  const act = ACTS[due.what] ?? due.what;
  const mark = due.overdue
    ? badge("■", "Overdue", "bad")
    : badge("◷", due.what === "tell" ? "Waiting" : "Due", due.what === "tell" ? "plain" : "warn");
  return [
    el("span", { class: "of-rowtitle" }, `${act}: ${due.permit_id}`),
    el("span", { class: "of-badges" }, mark),
    el("span", { class: "of-rowline of-quiet" }, `${due.when}; ${due.words.replaceAll("_", " ")}`),
  ];
}
