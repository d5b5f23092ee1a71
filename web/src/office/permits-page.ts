// The permits and standing exemptions: a list, one in detail, a form for a new one.

import type { PermitsMessage } from "../messages";
import { button, el, field, input, setText, show } from "./dom";
import { Keyed } from "./keyed";
import type { Page } from "./page";
import { PermitDetail } from "./permit-detail";
import { PermitForm } from "./permit-form";
import { inOrder, stateBadge, timesWords, zonesWords, type Listed } from "./permit-words";
import { ProblemBox } from "./problems";
import type { Desk } from "./site";

const MOST_ROWS = 100;
/** The live topic comes at once, or this service does not send it. */
const ASK_AFTER_MS = 2_000;

type View = "list" | "detail" | "new";

interface Shown extends Listed {
  times: string;
}

export class PermitsPage implements Page {
  readonly root = el("div", { class: "of-page", testid: "permits-page" });
  private readonly list = el("ul", { class: "of-list" });
  private readonly keyed: Keyed<Shown>;
  private readonly filter = input("search", "permit-filter", {
    placeholder: "number, holder, serial",
  });
  private readonly count = el("p", { class: "of-hint", testid: "permit-count" });
  private readonly problem = new ProblemBox();
  private readonly listView = el("div");
  private readonly back: HTMLButtonElement;
  private readonly detail: PermitDetail;
  private readonly form: PermitForm;
  private readonly fresh: HTMLButtonElement;
  private readonly freshHint = el("p", { class: "of-hint" });
  private readonly heading = el("h2", {}, "Permits");
  private view: View = "list";
  private chosen: string | null = null;
  private asked: PermitsMessage | null = null;

  constructor(private readonly desk: Desk) {
    this.keyed = new Keyed(this.list, {
      key: ({ permit, exempt }) => `${exempt ? "e" : "p"}:${permit.id}`,
      signature: (shown) => JSON.stringify([rowParts(shown), shown.permit.state]),
      make: (shown) => this.make(shown),
      refresh: (row, shown) => row.firstElementChild?.replaceChildren(...rowNodes(shown)),
    });
    this.detail = new PermitDetail(desk, () => void this.ask());
    this.form = new PermitForm(desk, () => void this.ask());
    this.back = button("← All permits", () => this.go("list"), { class: "of-button of-small" });
    this.fresh = button("Enter a new permit", () => this.go("new"), {
      class: "of-button of-wide",
      testid: "permit-new",
    });
    this.filter.addEventListener("input", () => this.update());
    this.listView.append(this.fresh, this.freshHint, field("Find a permit", this.filter));
    this.listView.append(this.count, this.problem.root, this.list);
    this.root.append(el("div", { class: "of-head" }, this.heading, this.back));
    this.root.append(this.listView, this.detail.root, this.form.root);
  }

  start(): () => void {
    const { store, map } = this.desk.context;
    const ends = [
      store.on("permits", () => this.update()),
      store.on("site", () => this.update()),
      store.on("zones", () => this.form.update()),
    ];
    const timer = setTimeout(() => void this.askIfSilent(), ASK_AFTER_MS);
    this.turn(this.view);
    return () => {
      clearTimeout(timer);
      for (const end of ends) end();
      this.form.leaveMap();
      map.preview(null);
    };
  }

  tick(): void {
    this.update();
  }

  private async askIfSilent(): Promise<void> {
    if (!this.desk.context.store.get("permits")) await this.ask();
  }

  /** Over HTTP: where the live topic does not come, and after every step of ours. */
  private async ask(): Promise<void> {
    if (this.mayNotSee() !== "") return;
    try {
      this.asked = await this.desk.context.api.get<PermitsMessage>("/v1/permits");
      this.asked.at_ms = this.desk.nowMs();
      this.problem.clear();
    } catch (error) {
      if (!this.desk.context.store.get("permits")) this.problem.fault(error);
    }
    this.update();
  }

  private known(): Listed[] | null {
    const live = this.desk.context.store.get("permits");
    const asked = this.asked;
    const newest = live && asked && asked.at_ms > live.at_ms ? asked : (live ?? asked);
    if (!newest) return null;
    const permits = newest.permits.map((permit) => ({ permit, exempt: false }));
    const exemptions = newest.exemptions.map((permit) => ({ permit, exempt: true }));
    return [...permits, ...exemptions].sort(inOrder);
  }

  private mayNotSee(): string {
    return this.desk.whyNot("officer", "permit_office");
  }

  private go(view: View): void {
    this.turn(view);
    if (view !== "list") this.root.scrollIntoView({ block: "start" });
    if (view === "new") this.form.open();
    else if (view === "detail") this.detail.focus();
    else this.focusRow();
  }

  private turn(view: View): void {
    this.view = view;
    this.form.leaveMap();
    this.desk.context.map.preview(null);
    show(this.listView, view === "list");
    show(this.detail.root, view === "detail");
    this.form.hide(view !== "new");
    show(this.back, view !== "list");
    setText(this.heading, view === "new" ? "New permit" : "Permits");
    this.update();
  }

  private focusRow(): void {
    for (const row of this.list.querySelectorAll<HTMLElement>("[data-permit-id]")) {
      if (row.dataset["permitId"] === this.chosen) return row.focus();
    }
    this.filter.focus();
  }

  private update(): void {
    const refused = this.desk.whyNot("permit_office");
    this.fresh.disabled = refused !== "";
    setText(this.freshHint, refused);
    const known = this.known();
    if (this.view === "new") this.form.update();
    if (this.view === "detail") this.detail.update(known?.find((l) => l.permit.id === this.chosen));
    if (this.view === "list") this.showList(known);
  }

  private showList(known: Listed[] | null): void {
    if (known === null) {
      setText(this.count, this.mayNotSee() || "Waiting for the permits …");
      return;
    }
    const wanted = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = known.filter((listed) => matches(listed, wanted));
    const shown = found.slice(0, MOST_ROWS);
    const more = found.length - shown.length;
    const hidden = more > 0 ? `; ${more} more are not listed: narrow the search` : "";
    const exempt = found.filter((listed) => listed.exempt).length;
    const permits = found.length - exempt;
    const counted = `${permits} permit${permits === 1 ? "" : "s"}, ${exempt} exemption`;
    setText(this.count, `${counted}${exempt === 1 ? "" : "s"}${hidden}.`);
    const rows = shown.map((each) => ({ ...each, times: timesWords(each.permit, this.desk) }));
    this.keyed.update(rows);
  }

  private make(shown: Shown): HTMLElement {
    const id = shown.permit.id;
    const row = button("", () => this.choose(id), {
      class: "of-rowbutton",
      testid: "permit-row",
      data: { permitId: id },
    });
    row.replaceChildren(...rowNodes(shown));
    return el("li", {}, row);
  }

  private choose(permitId: string): void {
    this.chosen = permitId;
    this.detail.open(permitId);
    this.go("detail");
  }
}

function matches({ permit }: Listed, wanted: string[]): boolean {
  const parts = [permit.id, permit.holder, permit.state, permit.class ?? "", ...permit.serials];
  const all = [...parts, ...(permit.zones ?? [])].join(" ").toLowerCase();
  return wanted.every((word) => all.includes(word));
}

function rowParts(shown: Shown): [string, string, string] {
  const { permit, exempt, times } = shown;
  const kind = exempt ? `exemption (${permit.class ?? ""})` : "";
  const serials = permit.serials.length > 0 ? permit.serials.join(", ") : "no serial numbers";
  const opens = `opens ${zonesWords(shown)}`;
  const name = permit.holder === "" ? permit.id : `${permit.id} · ${permit.holder}`;
  return [name, times, [kind, serials, opens].filter(Boolean).join(" · ")];
}

function rowNodes(shown: Shown): Node[] {
  const [name, times, more] = rowParts(shown);
  return [
    el("span", { class: "of-rowtitle" }, name),
    el("span", { class: "of-badges" }, stateBadge(shown.permit)),
    el("span", { class: "of-rowline" }, times),
    el("span", { class: "of-rowline of-quiet" }, more),
  ];
}
