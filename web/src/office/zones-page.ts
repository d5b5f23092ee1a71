// The zones: a list that stays fluid with a thousand of them, what waits for somebody, one in detail
// with its versions, a proposal, the emergency ban.

import type { ZoneView, ZonesMessage } from "../messages";
import { BanForm } from "./ban-form";
import { button, el, field, input, setText, show } from "./dom";
import { Keyed } from "./keyed";
import type { Page } from "./page";
import type { Desk } from "./site";
import { ZoneDetail } from "./zone-detail";
import { ZoneForm } from "./zone-form";
import { PendingList } from "./zone-pending";
import * as words from "./zone-words";

/** More rows than anybody reads; the filter finds the others. */
const MOST_ROWS = 100;

type Item = { heading: string; key: string } | { zone: ZoneView; times: string };
type View = "list" | "detail" | "ban" | "propose";

const HEADINGS: Record<View, string> = {
  list: "Zones",
  detail: "Zones",
  ban: "Emergency ban",
  propose: "Propose a zone",
};
/** What waits is asked for so often: it does not come with the live list. */
const PENDING_EVERY_MS = 15_000;

export class ZonesPage implements Page {
  readonly root = el("div", { class: "of-page", testid: "zones-page" });
  private readonly list = el("ul", { class: "of-list" });
  private readonly keyed: Keyed<Item>;
  private readonly filter = input("search", "zone-filter", {
    placeholder: "name, authority, reason",
  });
  private readonly count = el("p", { class: "of-hint", testid: "zone-count" });
  private readonly listView = el("div");
  private readonly back: HTMLButtonElement;
  private readonly detail: ZoneDetail;
  private readonly ban: BanForm;
  private readonly banOpen: HTMLButtonElement;
  private readonly pending: PendingList;
  private readonly form: ZoneForm;
  private readonly proposeOpen: HTMLButtonElement;
  private pendingAsked = -Infinity;
  private readonly banHint = el("p", { class: "of-hint" });
  private readonly heading = el("h2", {}, "Zones");
  private view: View = "list";
  private chosen: string | null = null;

  constructor(private readonly desk: Desk) {
    this.keyed = new Keyed(this.list, {
      key: (item) => ("zone" in item ? `z:${item.zone.zone_id}` : item.key),
      signature: (item) => JSON.stringify("zone" in item ? rowParts(item) : item.heading),
      make: (item) => this.make(item),
      refresh: (row, item) => {
        if ("zone" in item) row.firstElementChild?.replaceChildren(...rowNodes(item));
        else setText(row, item.heading);
      },
    });
    const changed = () => this.changed();
    const open = (zoneId: string) => this.choose(zoneId);
    this.pending = new PendingList(desk, open);
    this.form = new ZoneForm(desk, changed, open);
    this.detail = new ZoneDetail(desk, changed, (zone) => this.proposeFor(zone));
    this.ban = new BanForm(desk, () => this.go("list"));
    this.back = button("← All zones", () => this.go("list"), { class: "of-button of-small" });
    this.banOpen = button("Declare an emergency ban", () => this.go("ban"), {
      class: "of-button of-danger of-wide",
      testid: "ban-open",
    });
    this.proposeOpen = button("Propose a new zone", () => this.proposeFor(null), {
      class: "of-button of-wide",
      testid: "zone-propose-open",
    });
    this.filter.addEventListener("input", () => this.update());
    this.listView.append(this.banOpen, this.proposeOpen, this.banHint, this.pending.root);
    this.listView.append(field("Find a zone", this.filter), this.count, this.list);
    this.root.append(el("div", { class: "of-head" }, this.heading, this.back));
    this.root.append(this.listView, this.detail.root, this.ban.root, this.form.root);
  }

  private changed(): void {
    this.pendingAsked = -Infinity;
    this.askPending();
  }

  private proposeFor(zone: ZoneView | null): void {
    this.go("propose");
    this.form.open(zone);
  }

  private askPending(): void {
    if (performance.now() - this.pendingAsked < PENDING_EVERY_MS) return;
    this.pendingAsked = performance.now();
    void this.pending.ask();
  }

  start(): () => void {
    const { store, map } = this.desk.context;
    const ends = [
      store.on("zones", (message) => this.came(message)),
      store.on("site", () => this.update()),
      store.on("permits", () => this.ban.tell()),
    ];
    this.turn(this.view);
    return () => {
      for (const end of ends) end();
      this.ban.leaveMap();
      this.form.leaveMap();
      map.showZone(null);
      map.preview(null);
    };
  }

  tick(): void {
    this.update();
  }

  private came(message: ZonesMessage): void {
    this.ban.zonesCame(message);
    this.pendingAsked = -Infinity;
    this.update();
  }

  private go(view: View): void {
    const before = this.view;
    this.turn(view);
    if (view !== "list") this.root.scrollIntoView({ block: "start" });
    if (view === "ban") this.ban.open();
    else if (view === "detail") this.detail.focus();
    else if (before === "ban") this.banOpen.focus();
    else this.focusRow(this.chosen);
  }

  private turn(view: View): void {
    this.view = view;
    const { map } = this.desk.context;
    this.ban.leaveMap();
    this.form.leaveMap();
    map.preview(null);
    map.showZone(view === "detail" ? this.chosen : null);
    show(this.listView, view === "list");
    show(this.detail.root, view === "detail");
    show(this.ban.root, view === "ban");
    show(this.form.root, view === "propose");
    show(this.back, view !== "list");
    if (view === "ban") this.ban.showArea();
    setText(this.heading, HEADINGS[view]);
    this.update();
  }

  private focusRow(zoneId: string | null): void {
    for (const row of this.list.querySelectorAll<HTMLElement>("[data-zone-id]")) {
      if (row.dataset["zoneId"] === zoneId) return row.focus();
    }
    this.filter.focus();
  }

  private update(): void {
    const zones = this.desk.context.store.get("zones")?.zones;
    const refused = this.desk.whyNot("watch_officer", "permit_officer");
    this.banOpen.disabled = this.proposeOpen.disabled = refused !== "";
    setText(this.banHint, refused);
    if (this.view === "ban") this.ban.tell();
    if (this.view === "detail") this.detail.update(zones?.find((z) => z.zone_id === this.chosen));
    if (this.view !== "list") return;
    this.showList(zones);
    this.pending.update();
    this.askPending();
  }

  private showList(zones: ZoneView[] | undefined): void {
    if (zones === undefined) {
      setText(this.count, "Waiting for the zones …");
      return;
    }
    const wanted = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = zones.filter((zone) => words.matches(zone, wanted)).sort(words.inOrder);
    const shown = found.slice(0, MOST_ROWS);
    const more = found.length - shown.length;
    const all =
      wanted.length > 0 ? `${found.length} of ${zones.length} zones` : `${found.length} zones`;
    const hidden = more > 0 ? `; ${more} more are not listed: narrow the search` : "";
    setText(this.count, `${found.length === 1 ? all.replace(/zones$/, "zone") : all}${hidden}.`);
    this.keyed.update(this.grouped(shown, found));
  }

  private grouped(shown: ZoneView[], found: ZoneView[]): Item[] {
    const items: Item[] = [];
    const counts = new Map<words.Group, number>();
    for (const zone of found) {
      const group = words.groupOf(zone);
      counts.set(group, (counts.get(group) ?? 0) + 1);
    }
    let last: words.Group | null = null;
    for (const zone of shown) {
      const group = words.groupOf(zone);
      if (group !== last) {
        const heading = `${words.GROUP_WORDS[group]} (${counts.get(group) ?? 0})`;
        items.push({ heading, key: `g:${group}` });
      }
      last = group;
      items.push({ zone, times: words.timesWords(zone, this.desk) });
    }
    return items;
  }

  private make(item: Item): HTMLElement {
    if (!("zone" in item)) return el("li", { class: "of-group-head" }, item.heading);
    const id = item.zone.zone_id;
    const row = button("", () => this.choose(id), {
      class: "of-rowbutton",
      testid: "zone-row",
      data: { zoneId: id },
    });
    row.replaceChildren(...rowNodes(item));
    return el("li", {}, row);
  }

  private choose(zoneId: string): void {
    this.chosen = zoneId;
    this.detail.open(zoneId);
    this.go("detail");
  }
}

function rowParts({ zone, times }: { zone: ZoneView; times: string }): string[] {
  const who = zone.enforced ? zone.authority_id : `${zone.authority_id}, not judged here`;
  const more = [words.reasonWords(zone.reasons), who, zone.legal_basis].filter(Boolean);
  const flags = `${zone.emergency ? "e" : ""}${zone.readable ? "" : "u"}`;
  const parts = [words.title(zone), times, words.zoneHeights(zone), more.join(" · ")];
  return [...parts, zone.restriction, zone.state, flags];
}

function rowNodes(item: { zone: ZoneView; times: string }): Node[] {
  const { zone } = item;
  const [name, times, heights, more] = rowParts(item);
  const badges = el("span", { class: "of-badges" }, words.restrictionBadge(zone));
  badges.append(...words.markBadges(zone));
  return [
    el("span", { class: "of-rowtitle" }, name ?? ""),
    badges,
    el("span", { class: "of-rowline" }, [heights, times].filter(Boolean).join(" · ")),
    el("span", { class: "of-rowline of-quiet" }, more ?? ""),
  ];
}
