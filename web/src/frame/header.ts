// The head of the page: where, when, who, and whether all that can be trusted.

import { h, setAttribute, setHidden, setText } from "../dom";
import { clock, dateClock, plural, setSiteZone, siteZoneName } from "../format";
import type { ServiceMessage, SiteMessage } from "../messages";
import type { Store } from "../store";
import type { Sound } from "./sound";

const TICK_MS = 250;
const ROLES: Record<string, string> = {
  watch_officer: "watch officer",
  shift_lead: "shift lead",
  permit_officer: "permit officer",
  viewer: "viewer",
};

export interface HeaderActions {
  theme(): void;
  signOut(): void;
}

export class Header {
  readonly root: HTMLElement;
  private readonly site = h("strong", { "data-testid": "site-name" }, "Skykeep");
  private readonly authority = h("small");
  private readonly time = h("time", { class: "site-clock", "data-testid": "site-clock" });
  private readonly utc = h("span", { class: "utc", "data-testid": "utc-clock" });
  private readonly link = h("span", { class: "chip link", "data-testid": "link-state" });
  private readonly simulation = h("span", {
    class: "chip simulation",
    "data-testid": "simulation-badge",
    hidden: true,
  });
  private readonly service = h("span", {
    class: "chip service",
    "data-testid": "service-state",
    hidden: true,
  });
  private readonly holder = h("span");
  private readonly role = h("small");
  private readonly who = h(
    "span",
    { class: "who", "data-testid": "holder" },
    this.holder,
    " ",
    this.role,
  );
  private readonly mute: HTMLButtonElement;

  constructor(
    private readonly store: Store,
    private readonly sound: Sound,
    actions: HeaderActions,
  ) {
    this.mute = h("button", { type: "button", class: "quiet", "data-testid": "button-sound" });
    this.mute.addEventListener("click", () => sound.toggle());
    const theme = h(
      "button",
      { type: "button", class: "quiet", "data-testid": "button-theme", onclick: () => actions.theme() },
      "Day / night",
    );
    const menu = h(
      "button",
      { type: "button", class: "quiet menu", "aria-expanded": "false", "aria-label": "Menu" },
      "\u2630",
    );
    menu.addEventListener("click", () => {
      const open = this.root.classList.toggle("menu-open");
      setAttribute(menu, "aria-expanded", String(open));
    });
    const out = h("button", { type: "button", class: "quiet", onclick: () => actions.signOut() }, "Sign out");
    this.root = h(
      "header",
      { class: "top" },
      h("div", { class: "brand" }, this.site, this.authority),
      h("div", { class: "clocks" }, this.time, this.utc),
      h("div", { class: "chips" }, this.link, this.simulation, this.service),
      h("div", { class: "person" }, this.who, theme, out),
      this.mute,
      menu,
    );
    store.on("site", (m) => this.takeSite(m));
    store.on("service", (m) => this.takeService(m));
    store.onLink(() => this.tick());
    sound.onChange(() => this.tellSound());
    setInterval(() => this.tick(), TICK_MS);
  }

  private takeSite(m: SiteMessage): void {
    setSiteZone(m.time_zone);
    setText(this.site, m.name);
    setText(this.authority, m.authority === m.name ? "" : m.authority);
    setText(this.holder, m.holder);
    setText(this.role, ROLES[m.role] ?? m.role);
    const sim = m.simulation;
    setHidden(this.simulation, sim === null);
    if (sim) {
      const words = sim.over ? "SIMULATION is over, time stands still" : `SIMULATION ×${sim.speed}`;
      setText(this.simulation, words);
      setAttribute(this.simulation, "title", "Nothing that is shown is real");
    }
    document.body.classList.toggle("simulated", sim !== null);
  }

  private takeService(m: ServiceMessage): void {
    const words: string[] = [];
    if (!m.ok) words.push(`Service: ${m.problem || "in trouble"}`);
    const shed = m.shed_requests + m.shed_observations;
    if (m.shed_observations > 0) words.push(`${plural(m.shed_observations, "observation")} shed`);
    if (m.shed_requests > 0) words.push(`${plural(m.shed_requests, "request")} shed`);
    if (m.too_late > 0) words.push(`${m.too_late} too late`);
    if (m.rejected > 0) words.push(`${m.rejected} rejected`);
    setHidden(this.service, words.length === 0);
    setText(this.service, words.join(" · "));
    setAttribute(this.service, "data-bad", m.ok ? (shed > 0 ? "some" : null) : "yes");
    setAttribute(this.service, "title", `Since the start. Record: ${m.entries} entries.`);
  }

  private tick(): void {
    const now = this.store.siteNowMs();
    const lost = this.store.link.lostSince !== null;
    const at = lost ? (this.store.get("tracks")?.at_ms ?? NaN) : now;
    setText(this.time, clock(at));
    const day = Number.isFinite(at) ? dateClock(at).split(",")[0] : "";
    setText(this.utc, `${day} ${siteZoneName()} · ${clock(at, "UTC")} UTC`);
    setText(this.link, lost ? "NOT LIVE" : "Live");
    setAttribute(this.link, "data-state", lost ? "lost" : "live");
  }

  private tellSound(): void {
    const words = { on: "Sound on", muted: "Sound off", blocked: "Sound: click once" };
    setText(this.mute, words[this.sound.state]);
    setAttribute(this.mute, "aria-pressed", String(this.sound.state === "on"));
    setAttribute(this.mute, "data-sound", this.sound.state);
  }
}
