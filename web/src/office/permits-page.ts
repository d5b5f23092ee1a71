// The permit office: what is to be done, the queue, one permit in detail, forms for new ones.

import type { PermitsMessage } from "../messages";
import { button, el, field, input, select, setText, show } from "./dom";
import { EmergencyForm } from "./emergency-form";
import { FlightsView } from "./flights-view";
import { ImportForm } from "./import-form";
import { Keyed } from "./keyed";
import type { Page } from "./page";
import { PermitDetail } from "./permit-detail";
import { DueList } from "./permit-due";
import { PermitForm } from "./permit-form";
import * as words from "./permit-words";
import type { Listed } from "./permit-words";
import { ProblemBox } from "./problems";
import type { Desk } from "./site";

const MOST_ROWS = 100;
/** The live topic comes at once, or this service does not send it. */
const ASK_AFTER_MS = 2_000;
/** What is due changes with the clock too. */
const DUE_EVERY_MS = 60_000;

type View = "list" | "detail" | "new" | "emergency" | "import";
type Item = { heading: string; key: string } | Shown;

interface Shown extends Listed {
  times: string;
  deadline: words.Deadline | null;
}

const HEADINGS: Record<View, string> = {
  list: "Permits",
  detail: "Permits",
  new: "New application",
  emergency: "Emergency exemption",
  import: "Exemptions from a table",
};

const SHOWN: [string, string][] = [
  ["all", "all of them"],
  ["decide", "to be decided"],
  ["overdue", "overdue"],
  ["confirm", "to be confirmed"],
  ["holding", "granted"],
  ["suspended", "suspended"],
  ["over", "over, refused or taken back"],
  ["exempt", "exemptions only"],
  ["permit", "permits only"],
];

export class PermitsPage implements Page {
  readonly root = el("div", { class: "of-page", testid: "permits-page" });
  private readonly list = el("ul", { class: "of-list" });
  private readonly keyed: Keyed<Item>;
  private readonly filter = input("search", "permit-filter", {
    placeholder: "holder, serial, number, zone",
  });
  private readonly shownOnly = select("permit-show", SHOWN);
  private readonly count = el("p", { class: "of-hint", testid: "permit-count" });
  private readonly problem = new ProblemBox();
  private readonly listView = el("div");
  private readonly back: HTMLButtonElement;
  private readonly due: DueList;
  private readonly detail: PermitDetail;
  private readonly form: PermitForm;
  private readonly emergency: EmergencyForm;
  private readonly imports: ImportForm;
  private readonly openers: Record<"emergency" | "new" | "import", HTMLButtonElement>;
  private readonly freshHint = el("p", { class: "of-hint" });
  private readonly heading = el("h2", {}, "Permits");
  private view: View = "list";
  private chosen: string | null = null;
  private asked: PermitsMessage | null = null;
  private dueAsked = -Infinity;

  constructor(private readonly desk: Desk) {
    this.keyed = new Keyed(this.list, {
      key: (item) => ("permit" in item ? `${item.exempt ? "e" : "p"}:${item.permit.id}` : item.key),
      signature: (item) => JSON.stringify("permit" in item ? rowParts(item) : item.heading),
      make: (item) => this.make(item),
      refresh: (row, item) => {
        if ("permit" in item) row.firstElementChild?.replaceChildren(...rowNodes(item));
        else setText(row, item.heading);
      },
    });
    const changed = () => void this.ask();
    const open = (permitId: string) => this.choose(permitId);
    this.due = new DueList(desk, open);
    this.detail = new PermitDetail(desk, changed, open);
    this.form = new PermitForm(desk, changed, open);
    this.emergency = new EmergencyForm(desk, changed, open);
    this.imports = new ImportForm(desk, changed);
    this.back = button("← All permits", () => this.go("list"), { class: "of-button of-small" });
    this.openers = {
      emergency: this.opener("emergency", "Emergency exemption (E)", "of-danger"),
      new: this.opener("new", "New application", ""),
      import: this.opener("import", "Import exemptions", ""),
    };
    this.fill();
  }

  private fill(): void {
    const { emergency, new: fresh, import: table } = this.openers;
    const openers = el("div", { class: "of-buttons of-openers" }, emergency, fresh, table);
    const find = el("div", { class: "of-row2" });
    find.append(field("Find a permit", this.filter), field("Show", this.shownOnly));
    this.filter.addEventListener("input", () => this.update());
    this.shownOnly.addEventListener("change", () => this.update());
    this.listView.append(openers, this.freshHint, this.due.root);
    this.listView.append(el("h3", {}, "All permits and exemptions"), find);
    this.listView.append(this.count, this.problem.root, this.list);
    this.listView.append(new FlightsView(this.desk).root);
    this.root.append(el("div", { class: "of-head" }, this.heading, this.back));
    this.root.append(this.listView, this.detail.root, this.form.root);
    this.root.append(this.emergency.root, this.imports.root);
  }

  private opener(view: "emergency" | "new" | "import", said: string, tone: string) {
    const made = button(said, () => this.go(view), { testid: `permit-${view}` });
    if (tone !== "") made.classList.add(tone);
    return made;
  }

  start(): () => void {
    const { store, map } = this.desk.context;
    const ends = [
      store.on("permits", () => this.came()),
      store.on("site", () => this.update()),
      store.on("zones", () => this.zonesCame()),
    ];
    const timer = setTimeout(() => void this.askIfSilent(), ASK_AFTER_MS);
    const keys = new AbortController();
    addEventListener("keydown", (event) => this.key(event), { signal: keys.signal });
    this.turn(this.view);
    return () => {
      clearTimeout(timer);
      keys.abort();
      for (const end of ends) end();
      this.form.leaveMap();
      this.detail.leave();
      map.compare([], []);
      map.preview(null);
    };
  }

  tick(): void {
    this.update();
  }

  /** E opens the emergency form from wherever no text is being typed; Escape leads back. */
  private key(event: KeyboardEvent): void {
    const target = event.target as HTMLElement | null;
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    if (target?.closest?.("input, textarea, select, dialog")) return;
    if (event.key.toLowerCase() === "e" && !this.openers.emergency.disabled) {
      event.preventDefault();
      this.go("emergency");
    } else if (event.key === "Escape" && this.view !== "list" && this.root.contains(target)) {
      this.go("list");
    }
  }

  private came(): void {
    this.dueAsked = -Infinity;
    this.update();
  }

  private zonesCame(): void {
    this.form.update();
    this.emergency.update();
  }

  private async askIfSilent(): Promise<void> {
    if (!this.desk.context.store.get("permits")) await this.ask();
  }

  /** Over HTTP: where the live topic does not come, and after every step of ours. */
  private async ask(): Promise<void> {
    if (this.mayNotSee() !== "") return;
    this.dueAsked = -Infinity;
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
    return [...permits, ...exemptions];
  }

  private mayNotSee(): string {
    return this.desk.whyNot("permit_officer", "watch_officer");
  }

  private go(view: View): void {
    this.turn(view);
    if (view !== "list") this.root.scrollIntoView({ block: "start" });
    if (view === "new") this.form.open();
    else if (view === "emergency") this.emergency.open();
    else if (view === "import") this.imports.open();
    else if (view === "detail") this.detail.focus();
    else this.focusRow();
  }

  private turn(view: View): void {
    this.view = view;
    const { map } = this.desk.context;
    this.form.leaveMap();
    map.preview(null);
    map.compare([], []);
    this.detail.leave();
    show(this.listView, view === "list");
    show(this.detail.root, view === "detail");
    this.form.hide(view !== "new");
    show(this.emergency.root, view === "emergency");
    show(this.imports.root, view === "import");
    show(this.back, view !== "list");
    setText(this.heading, HEADINGS[view]);
    this.update();
  }

  private focusRow(): void {
    for (const row of this.list.querySelectorAll<HTMLElement>("[data-permit-id]")) {
      if (row.dataset["permitId"] === this.chosen) return row.focus();
    }
    this.filter.focus();
  }

  private update(): void {
    const office = this.desk.whyNot("permit_officer");
    this.openers.new.disabled = this.openers.import.disabled = office !== "";
    this.openers.emergency.disabled = this.mayNotSee() !== "";
    setText(this.freshHint, this.mayNotSee() === "" && office !== "" ? office : "");
    const known = this.known();
    if (this.view === "new") this.form.update();
    if (this.view === "emergency") this.emergency.update();
    if (this.view === "detail") this.detail.update(known?.find((l) => l.permit.id === this.chosen));
    if (this.view !== "list") return;
    this.showList(known);
    this.due.update();
    if (performance.now() - this.dueAsked > DUE_EVERY_MS) {
      this.dueAsked = performance.now();
      void this.due.ask();
    }
  }

  private chosenOnes(known: Listed[]): Listed[] {
    const wanted = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const only = this.shownOnly.value;
    const told = known.filter((listed) => words.matches(listed, wanted));
    if (only === "all") return told;
    if (only === "overdue") {
      return told.filter(({ permit }) => words.deadlineOf(permit, this.desk)?.overdue === true);
    }
    if (only === "exempt" || only === "permit") {
      return told.filter(({ exempt }) => exempt === (only === "exempt"));
    }
    return told.filter((listed) => words.groupOf(listed) === only);
  }

  private showList(known: Listed[] | null): void {
    if (known === null) {
      setText(this.count, this.mayNotSee() || "Waiting for the permits …");
      return;
    }
    const found = words.inOrder(this.chosenOnes(known), this.desk);
    const shown = found.slice(0, MOST_ROWS).map((each) => ({
      ...each,
      times: words.timesWords(each.permit, this.desk),
      deadline: words.deadlineOf(each.permit, this.desk),
    }));
    const more = found.length - shown.length;
    const hidden = more > 0 ? `; ${more} more are not listed: narrow the search` : "";
    const exempt = found.filter((listed) => listed.exempt).length;
    const permits = found.length - exempt;
    const counted = `${permits} permit${permits === 1 ? "" : "s"}, ${exempt} exemption`;
    setText(this.count, `${counted}${exempt === 1 ? "" : "s"}${hidden}.`);
    this.keyed.update(grouped(shown, found));
  }

  private make(item: Item): HTMLElement {
    if (!("permit" in item)) return el("li", { class: "of-group-head" }, item.heading);
    const id = item.permit.id;
    const row = button("", () => this.choose(id), {
      class: "of-rowbutton",
      testid: "permit-row",
      data: { permitId: id },
    });
    row.replaceChildren(...rowNodes(item));
    return el("li", {}, row);
  }

  private choose(permitId: string): void {
    this.chosen = permitId;
    this.detail.open(permitId);
    this.go("detail");
  }
}

function grouped(shown: Shown[], found: Listed[]): Item[] {
  const counts = new Map<words.Group, number>();
  for (const each of found) {
    const group = words.groupOf(each);
    counts.set(group, (counts.get(group) ?? 0) + 1);
  }
  const items: Item[] = [];
  let last: words.Group | null = null;
  for (const each of shown) {
    const group = words.groupOf(each);
    if (group !== last) {
      const heading = `${words.GROUP_WORDS[group]} (${counts.get(group) ?? 0})`;
      items.push({ heading, key: `g:${group}` });
    }
    last = group;
    items.push(each);
  }
  return items;
}

function rowParts(shown: Shown): string[] {
  const { permit, exempt, times, deadline } = shown;
  const kind = exempt ? `exemption (${permit.class ?? ""})` : "";
  const serials = permit.serials.length > 0 ? permit.serials.join(", ") : "no serial numbers";
  const opens = `opens ${words.zonesWords(shown)}`;
  const name = permit.holder === "" ? permit.id : `${permit.id} · ${permit.holder}`;
  const more = [kind, serials, opens].filter(Boolean).join(" · ");
  return [name, deadline?.words ?? "", times, more, permit.state, deadline?.tone ?? ""];
}

function rowNodes(shown: Shown): Node[] {
  const [name, due, times, more] = rowParts(shown);
  const badges = el("span", { class: "of-badges" }, ...words.deadlineBadge(shown.deadline));
  badges.append(words.stateBadge(shown.permit));
  const tone = shown.deadline?.tone ?? "plain";
  const line = el("span", { class: "of-rowline of-deadline", data: { tone } }, due ?? "");
  return [
    el("span", { class: "of-rowtitle" }, name ?? ""),
    badges,
    ...(due === "" ? [] : [line]),
    el("span", { class: "of-rowline" }, times ?? ""),
    el("span", { class: "of-rowline of-quiet" }, more ?? ""),
  ];
}
