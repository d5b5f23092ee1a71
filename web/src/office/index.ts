// The office in small: zones, permits, incidents, beside the map of the watch page.

import "./office.css";
import "./permits.css";
import type { OfficeContext, OfficePage } from "../context";
import { el } from "./dom";
import { IncidentsPage } from "./incidents-page";
import type { Page } from "./page";
import { PermitsPage } from "./permits-page";
import { Desk } from "./site";
import { ZonesPage } from "./zones-page";

/** What depends on the clock alone is brought up to date so often. */
const TICK_MS = 5_000;

/** Pages are kept while they are not shown, so that a form left half way is found again. */
const kept = new WeakMap<OfficeContext, Map<OfficePage, Page>>();

/** Show one page in `root`; the answer takes it away again. */
export function mountOffice(
  root: HTMLElement,
  page: OfficePage,
  context: OfficeContext,
): () => void {
  const shown = pageOf(page, context);
  const office = el("div", { class: "office" }, shown.root);
  root.replaceChildren(office);
  const stop = shown.start();
  const timer = setInterval(() => shown.tick(), TICK_MS);
  return () => {
    clearInterval(timer);
    stop();
    office.remove();
  };
}

function pageOf(page: OfficePage, context: OfficeContext): Page {
  const pages = kept.get(context) ?? new Map<OfficePage, Page>();
  kept.set(context, pages);
  const known = pages.get(page) ?? make(page, new Desk(context));
  pages.set(page, known);
  return known;
}

function make(page: OfficePage, desk: Desk): Page {
  if (page === "zones") return new ZonesPage(desk);
  return page === "permits" ? new PermitsPage(desk) : new IncidentsPage(desk);
}
