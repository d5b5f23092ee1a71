// Versions of zones that wait for somebody: to be approved, put into force or confirmed.

import { badge, button, el, show } from "./dom";
import { Keyed } from "./keyed";
import type { Desk } from "./site";
import { parseRfc3339, span } from "./times";

interface Pending {
  zone_id: string;
  name: string;
  version: number;
  state: string;
  emergency: boolean;
  by: string;
  effective: string | null;
  confirm_by: string | null;
}

const MOST_SHOWN = 20;
const ACTS: Record<string, string> = {
  proposed: "Approve",
  approved: "Put into force",
  in_force: "Confirm",
};

export class PendingList {
  readonly root = el("section", { class: "of-due", testid: "zone-pending" });
  private readonly list = el("ul", { class: "of-list" });
  private readonly keyed: Keyed<Pending & { words: string }>;
  private pending: Pending[] = [];
  private asking = false;

  constructor(
    private readonly desk: Desk,
    open: (zoneId: string) => void,
  ) {
    this.keyed = new Keyed(this.list, {
      key: (each) => `${each.zone_id} ${each.version}`,
      signature: (each) => JSON.stringify(each),
      make: (each) => {
        const row = button("", () => open(each.zone_id), {
          class: "of-rowbutton",
          testid: "pending-row",
          data: { zoneId: each.zone_id },
        });
        row.replaceChildren(...nodes(each));
        return el("li", {}, row);
      },
      refresh: (row, each) => row.firstElementChild?.replaceChildren(...nodes(each)),
    });
    this.root.append(el("h3", {}, "Waits for somebody"), this.list);
    show(this.root, false);
  }

  async ask(): Promise<void> {
    if (this.asking || this.desk.whyNot("watch_officer", "permit_officer") !== "") return;
    this.asking = true;
    try {
      const told = await this.desk.context.api.get<{ pending: Pending[] }>("/v1/zones/pending");
      this.pending = told.pending;
    } catch {
      return; // the zones stand below; the banner says when the service is away
    } finally {
      this.asking = false;
    }
    this.update();
  }

  update(): void {
    show(this.root, this.pending.length > 0);
    const shown = this.pending.slice(0, MOST_SHOWN);
    this.keyed.update(shown.map((each) => ({ ...each, words: this.words(each) })));
  }

  private words(each: Pending): string {
    const said = `version ${each.version}, ${each.state.replaceAll("_", " ")} by ${each.by}`;
    const clock = (at: string) => this.desk.clock(parseRfc3339(at));
    if (each.state === "in_force" && each.confirm_by) {
      const left = span(parseRfc3339(each.confirm_by) - this.desk.nowMs());
      return `${said}; lapses at ${clock(each.confirm_by)}, in ${left}`;
    }
    return each.effective ? `${said}; to begin ${clock(each.effective)}` : said;
  }
}

function nodes(each: Pending & { words: string }): Node[] {
  const name = each.name === "" ? each.zone_id : each.name;
  const mark = each.emergency
    ? badge("!", "Emergency", "zone-emergency")
    : badge("◷", "Waits", "warn");
  return [
    el("span", { class: "of-rowtitle" }, `${ACTS[each.state] ?? each.state}: ${name}`),
    el("span", { class: "of-badges" }, mark),
    el("span", { class: "of-rowline of-quiet" }, each.words),
  ];
}
