// The watch page put together: what stands where, and what follows what.

import { signOut, type Api } from "./api";
import { AlertList } from "./alerts/list";
import { Commands } from "./alerts/commands";
import { h } from "./dom";
import { Banner } from "./frame/banner";
import { Detail } from "./frame/detail";
import { Header } from "./frame/header";
import { makeLegend } from "./frame/legend";
import { SensorStrip } from "./frame/sensors";
import { Sound } from "./frame/sound";
import { Tabs } from "./frame/tabs";
import { TroubleBar } from "./frame/troubles";
import { forgetToken } from "./token";
import { Drawing } from "./map/draw";
import { WatchMap } from "./map/map";
import type { SiteMessage } from "./messages";
import { Selection } from "./selection";
import type { Store } from "./store";
import type { Theme } from "./symbols";
import { Tracks } from "./tracks";

const THEME_KEY = "skykeep-theme";
/** Ages go on counting while nothing comes. */
const LOST_TICK_MS = 1000;

export function storedTheme(): Theme {
  return localStorage.getItem(THEME_KEY) === "day" ? "day" : "night";
}

export class WatchPage {
  readonly tracks: Tracks;
  readonly selection = new Selection();
  map: WatchMap | null = null;
  private drawing: Drawing | null = null;
  private theme = storedTheme();
  private readonly alerts: AlertList;
  private readonly detail: Detail;
  private readonly tabs: Tabs;
  private readonly mapArea = h("div", { class: "map-area" });
  private readonly mapBox = h("div", { class: "map", "data-testid": "map" });

  constructor(
    root: HTMLElement,
    private readonly store: Store,
    private readonly api: Api,
  ) {
    document.documentElement.dataset.theme = this.theme;
    this.tracks = new Tracks(store);
    const sound = new Sound();
    const commands = new Commands(api, store);
    this.alerts = new AlertList(store, this.tracks, this.selection, commands, sound);
    this.detail = new Detail(store, this.tracks, this.selection);
    this.tabs = new Tabs(this.alerts.root);
    const banner = new Banner(store);
    const troubles = new TroubleBar(store);
    const header = new Header(store, sound, {
      theme: () => this.toggleTheme(),
      signOut: () => {
        forgetToken();
        void signOut().finally(() => location.reload());
      },
    });
    const strip = new SensorStrip(store, (s) => this.map?.flyTo(s.lat_deg, s.lon_deg));
    this.mapArea.append(this.mapBox, banner.watermark, this.detail.root);
    const main = h("main", {}, this.mapArea, this.tabs.nav, this.tabs.panel);
    root.replaceChildren(h("div", { class: "app" }, banner.root, troubles.root, header.root, strip.root, main));
    store.on("site", (site) => this.takeSite(site));
    store.on("alerts", () => this.tellTitle());
    store.onLink(() => this.tellTitle());
    this.selection.onChange((fly) => this.follow(fly));
    setInterval(() => this.tick(), LOST_TICK_MS);
  }

  private takeSite(site: SiteMessage): void {
    if (!this.map) {
      const pick = (id: string | null) => this.pick(id);
      this.map = new WatchMap(this.mapBox, this.store, site, this.theme, pick);
      this.mapArea.append(makeLegend(this.map));
      this.drawing = new Drawing(this.map, this.store, this.mapArea);
    }
    const context = { store: this.store, api: this.api, map: this.drawing! };
    this.officeContext ??= context;
    this.tabs.start(site.role, this.officeContext);
    this.tellTitle();
  }

  /** One for the life of the page: the office keeps half-filled forms by it. */
  private officeContext: { store: Store; api: Api; map: Drawing } | null = null;

  private pick(trackId: string | null): void {
    const alert = trackId === null ? null : this.tracks.facts(trackId)?.alert || null;
    this.selection.choose(trackId, alert, false);
    if (alert) {
      const card = `[data-alert-id="${CSS.escape(alert)}"]`;
      this.alerts.root.querySelector(card)?.scrollIntoView({ block: "nearest" });
    }
  }

  private follow(fly: boolean): void {
    const { track } = this.selection;
    this.map?.select(track);
    if (fly && track !== null) this.map?.flyToTrack(track, this.tracks);
  }

  private toggleTheme(): void {
    this.theme = this.theme === "night" ? "day" : "night";
    localStorage.setItem(THEME_KEY, this.theme);
    document.documentElement.dataset.theme = this.theme;
    this.map?.setTheme(this.theme);
    this.drawing?.repaint();
  }

  private tellTitle(): void {
    const name = this.store.get("site")?.name ?? "Skykeep";
    const alerts = this.store.get("alerts")?.alerts ?? [];
    const raised = alerts.filter((a) => a.state === "raised").length;
    this.tabs.setRaised(raised);
    const lost = this.store.link.lostSince !== null && this.store.get("site") !== undefined;
    document.title = `${lost ? "NOT LIVE " : ""}${raised > 0 ? `(${raised}) ` : ""}${name}`;
  }

  private tick(): void {
    if (this.store.link.lostSince === null) return;
    this.alerts.refresh();
    this.detail.refresh();
  }
}
