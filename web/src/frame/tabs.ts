// The panel beside the map and its tabs: the watch, and the office pages.

import { h, setAttribute, setHidden } from "../dom";
import type { OfficeContext, OfficePage } from "../context";
import type { Role } from "../messages";
// Not fetched when it is first opened: the service may just then be away.
import { mountOffice } from "../office/index";

type Page = "watch" | OfficePage;

const PAGES: [Page, string][] = [
  ["watch", "Watch"],
  ["zones", "Zones"],
  ["permits", "Permits"],
  ["incidents", "Incidents"],
];
/** What the stream tells to each role (docs/live-stream.md). */
const MAY: Record<Role, Page[]> = {
  watch_officer: ["watch", "zones", "permits", "incidents"],
  shift_lead: ["watch", "zones", "permits", "incidents"],
  permit_officer: ["zones", "permits"],
  viewer: ["watch", "zones", "incidents"],
};


export class Tabs {
  readonly nav = h("div", { class: "tabs", role: "tablist", "aria-label": "Pages" });
  readonly panel: HTMLElement;
  private readonly office = h("div", { class: "office-root", hidden: true });
  private readonly tabs = new Map<Page, HTMLButtonElement>();
  private context: OfficeContext | null = null;
  private unmount: (() => void) | null = null;
  private shown: Page | null = null;
  private readonly badge = h("span", { class: "badge", hidden: true });

  constructor(private readonly watch: HTMLElement) {
    this.panel = h("div", { class: "panel", role: "tabpanel", id: "panel", tabindex: -1 }, watch, this.office);
    for (const [page, words] of PAGES) {
      const tab = h(
        "button",
        {
          type: "button",
          role: "tab",
          "aria-controls": "panel",
          "data-testid": `tab-${page}`,
          onclick: () => this.show(page),
        },
        words,
      );
      if (page === "watch") tab.append(this.badge);
      this.tabs.set(page, tab);
      this.nav.append(tab);
    }
    this.nav.addEventListener("keydown", (event) => this.key(event));
  }

  start(role: Role, context: OfficeContext): void {
    this.context = context;
    const may = MAY[role] ?? MAY.viewer;
    for (const [page, tab] of this.tabs) setHidden(tab, !may.includes(page));
    if (this.shown === null || !may.includes(this.shown)) this.show(may[0]!);
  }

  /** How many alerts nobody has taken, seen from whatever page. */
  setRaised(n: number): void {
    this.badge.textContent = String(n);
    setHidden(this.badge, n === 0);
  }

  show(page: Page): void {
    if (this.shown === page) return;
    this.shown = page;
    for (const [name, tab] of this.tabs) {
      setAttribute(tab, "aria-selected", String(name === page));
      setAttribute(tab, "tabindex", name === page ? "0" : "-1");
    }
    this.unmount?.();
    this.unmount = null;
    setHidden(this.watch, page !== "watch");
    setHidden(this.office, page === "watch");
    this.panel.scrollTop = 0;
    if (page === "watch" || !this.context) return;
    this.unmount = mountOffice(this.office, page, this.context);
  }

  private key(event: KeyboardEvent): void {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const open = [...this.tabs.values()].filter((t) => !t.hidden);
    const at = open.indexOf(event.target as HTMLButtonElement);
    const to = open[(at + (event.key === "ArrowRight" ? 1 : open.length - 1)) % open.length];
    to?.focus();
    to?.click();
  }
}
