// The incidents: a list, one in detail, a form that gathers alerts into a new one.

import type { IncidentView } from "../messages";
import { button, el, setText, show } from "./dom";
import { IncidentDetail, incidentBadge } from "./incident-detail";
import { IncidentOpenForm } from "./incident-open";
import { Keyed } from "./keyed";
import type { Page } from "./page";
import { ProblemBox } from "./problems";
import type { Desk } from "./site";
import { parseRfc3339 } from "./times";

const MOST_ROWS = 100;
const ASK_AFTER_MS = 2_000;

type View = "list" | "detail" | "new";

export class IncidentsPage implements Page {
  readonly root = el("div", { class: "of-page", testid: "incidents-page" });
  private readonly list = el("ul", { class: "of-list" });
  private readonly keyed: Keyed<IncidentView>;
  private readonly count = el("p", { class: "of-hint", testid: "incident-count" });
  private readonly problem = new ProblemBox();
  private readonly listView = el("div");
  private readonly fresh: HTMLButtonElement;
  private readonly freshHint = el("p", { class: "of-hint" });
  private readonly back: HTMLButtonElement;
  private readonly heading = el("h2", {}, "Incidents");
  private readonly form: IncidentOpenForm;
  private readonly detail: IncidentDetail;
  private view: View = "list";
  private chosen = "";
  private asked: { at: number; incidents: IncidentView[] } | null = null;

  constructor(private readonly desk: Desk) {
    this.keyed = new Keyed(this.list, {
      key: (incident) => incident.incident_id,
      signature: (incident) => JSON.stringify(incident),
      make: (incident) => this.make(incident),
      refresh: (row, incident) => row.firstElementChild?.replaceChildren(...this.nodes(incident)),
    });
    this.form = new IncidentOpenForm(desk, (id, words) => this.opened(id, words));
    this.detail = new IncidentDetail(desk, () => void this.ask());
    this.fresh = button("Open an incident from alerts", () => this.go("new"), {
      class: "of-button of-wide",
      testid: "incident-open",
    });
    this.back = button("← All incidents", () => this.go("list"), { class: "of-button of-small" });
    this.listView.append(this.fresh, this.freshHint, this.count, this.problem.root, this.list);
    this.root.append(el("div", { class: "of-head" }, this.heading, this.back));
    this.root.append(this.listView, this.form.root, this.detail.root);
  }

  start(): () => void {
    const { store } = this.desk.context;
    const ends = [
      store.on("incidents", () => this.update()),
      store.on("alerts", () => this.update()),
      store.on("site", () => this.update()),
    ];
    const timer = setTimeout(() => {
      if (!store.get("incidents")) void this.ask();
    }, ASK_AFTER_MS);
    this.turn(this.view);
    return () => {
      clearTimeout(timer);
      for (const end of ends) end();
    };
  }

  tick(): void {
    this.update();
  }

  private mayNotSee(): string {
    return this.desk.whyNot("watch_officer", "viewer");
  }

  private async ask(): Promise<void> {
    if (this.mayNotSee() !== "") return;
    try {
      const path = "/v1/incidents";
      const { incidents } = await this.desk.context.api.get<{ incidents: IncidentView[] }>(path);
      this.asked = { at: performance.now(), incidents };
      this.problem.clear();
    } catch (error) {
      if (!this.desk.context.store.get("incidents")) this.problem.fault(error);
    }
    this.update();
  }

  private known(): IncidentView[] | undefined {
    const { store } = this.desk.context;
    const live = store.get("incidents")?.incidents;
    const later = this.asked !== null && this.asked.at > store.arrivedAt("incidents");
    return later ? this.asked?.incidents : live;
  }

  private opened(incidentId: string, words: string): void {
    void this.ask();
    if (incidentId === "") return this.go("list");
    this.chosen = incidentId;
    this.detail.open(incidentId, words);
    this.go("detail");
  }

  private go(view: View): void {
    this.turn(view);
    if (view !== "list") this.root.scrollIntoView({ block: "start" });
    if (view === "new") this.form.focus();
    else if (view === "detail") this.detail.focus();
    else this.focusRow();
  }

  private turn(view: View): void {
    this.view = view;
    show(this.listView, view === "list");
    show(this.form.root, view === "new");
    show(this.detail.root, view === "detail");
    show(this.back, view !== "list");
    setText(this.heading, view === "new" ? "New incident" : "Incidents");
    this.update();
  }

  private focusRow(): void {
    for (const row of this.list.querySelectorAll<HTMLElement>("[data-incident-id]")) {
      if (row.dataset["incidentId"] === this.chosen) return row.focus();
    }
    this.fresh.focus();
  }

  private update(): void {
    const refused = this.desk.whyNot("watch_officer");
    this.fresh.disabled = refused !== "";
    setText(this.freshHint, refused);
    const known = this.known();
    if (this.view === "new") this.form.update();
    if (this.view === "list") this.showList(known);
    if (this.view === "detail") {
      const short = known?.find((incident) => incident.incident_id === this.chosen);
      this.detail.update(short, this.alertsTold(short));
    }
  }

  /** Where its alerts stand: when that changes, its history has grown. */
  private alertsTold(short: IncidentView | undefined): string {
    const alerts = this.desk.context.store.get("alerts")?.alerts ?? [];
    const own = alerts.filter((alert) => short?.alerts.includes(alert.alert_id));
    return own.map((a) => `${a.alert_id}${a.state}${a.active}${a.tracks.length}`).join();
  }

  private showList(known: IncidentView[] | undefined): void {
    if (known === undefined) {
      setText(this.count, this.mayNotSee() || "Waiting for the incidents …");
      return;
    }
    const open = known.filter((incident) => incident.state === "open").length;
    const newest = [...known].reverse();
    const first = newest.filter((incident) => incident.state === "open");
    const ordered = [...first, ...newest.filter((incident) => incident.state !== "open")];
    const more = Math.max(0, ordered.length - MOST_ROWS);
    const hidden = more > 0 ? `; ${more} older ones are not listed` : "";
    setText(this.count, `${open} open, ${known.length - open} closed${hidden}.`);
    this.keyed.update(ordered.slice(0, MOST_ROWS));
  }

  private make(incident: IncidentView): HTMLElement {
    const id = incident.incident_id;
    const row = button("", () => this.choose(id), {
      class: "of-rowbutton",
      testid: "incident-row",
      data: { incidentId: id },
    });
    row.replaceChildren(...this.nodes(incident));
    return el("li", {}, row);
  }

  private nodes(incident: IncidentView): Node[] {
    const opened = this.desk.clock(parseRfc3339(incident.opened));
    const { reports, sightings, assessments } = incident;
    const heard = `reported ${reports + sightings}`;
    const seen = `detected ${incident.alerts.length} alerts, ${incident.tracks.length} tracks`;
    return [
      el("span", { class: "of-rowtitle" }, `${incident.incident_id} · ${incident.title}`),
      el("span", { class: "of-badges" }, incidentBadge(incident)),
      el("span", { class: "of-rowline" }, `opened ${opened} by ${incident.opened_by}`),
      el("span", { class: "of-rowline of-quiet" }, `${heard} · ${seen} · assessed ${assessments}`),
    ];
  }

  private choose(incidentId: string): void {
    this.chosen = incidentId;
    this.detail.open(incidentId);
    this.go("detail");
  }
}
