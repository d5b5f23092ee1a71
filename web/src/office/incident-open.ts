// A new incident: alerts that belong together, and a title.

import type { AlertView } from "../messages";
import { plain } from "./case-words";
import { el, field, input, setText, tick } from "./dom";
import { Keyed } from "./keyed";
import { ProblemBox } from "./problems";
import { recorded, type Desk, type Done } from "./site";

export class IncidentOpenForm {
  readonly root = el("form", { class: "of-form", attrs: { novalidate: "" } });
  private readonly title = input("text", "incident-title", { maxlength: "200", required: "" });
  private readonly list = el("ul", { class: "of-picks of-tall" });
  private readonly keyed: Keyed<AlertView>;
  private readonly ticked = new Set<string>();
  private readonly hint = el("p", { class: "of-hint" });
  private readonly problem = new ProblemBox("incident-problem");
  private readonly send: HTMLButtonElement;

  constructor(
    private readonly desk: Desk,
    private readonly opened: (incidentId: string, words: string) => void,
  ) {
    this.keyed = new Keyed(this.list, {
      key: (alert) => alert.alert_id,
      signature: (alert) => this.words(alert),
      make: (alert) => this.make(alert),
      refresh: (row, alert) => {
        const caption = row.querySelector("label");
        if (caption) setText(caption, this.words(alert));
      },
    });
    this.send = el("button", { class: "of-button of-primary", testid: "incident-create" });
    this.send.type = "submit";
    this.send.textContent = "Open the incident";
    const legend = el("legend", {}, "Alerts that belong together");
    const alerts = el("fieldset", { class: "of-group" }, legend, this.list, this.hint);
    this.root.append(field("Title", this.title, "What is to be explained, in a few words."));
    this.root.append(alerts, this.problem.root, this.send);
    this.root.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.submit();
    });
  }

  focus(): void {
    this.title.focus();
  }

  update(): void {
    const message = this.desk.context.store.get("alerts");
    const alerts = message?.alerts ?? [];
    this.keyed.update(alerts);
    const more =
      message && message.more > 0 ? ` ${message.more} older ones are not told here.` : "";
    const known = alerts.length === 0 ? "There are no alerts." : `${this.ticked.size} ticked.`;
    const refused = this.desk.whyNot("watch_officer");
    setText(this.hint, refused || `${known}${more}`);
    this.send.disabled = refused !== "";
  }

  private words(alert: AlertView): string {
    const at = this.desk.clockSeconds(alert.raised_ms);
    const zones = alert.zones.length > 0 ? `, zone ${alert.zones.join(", ")}` : "";
    const reason = alert.reasons[0];
    const why = reason ? `: ${reason.words || plain(reason.code)}` : "";
    const tracks = alert.tracks.length > 0 ? `, track ${alert.tracks.join(", ")}` : "";
    const head = `${alert.alert_id} ${plain(alert.state)}, ${at}`;
    const used = this.incidentsOf(alert.alert_id);
    return `${head}, ${plain(alert.permission)}${why}${zones}${tracks}${used}`;
  }

  private incidentsOf(alertId: string): string {
    const all = this.desk.context.store.get("incidents")?.incidents ?? [];
    const found = all.filter((i) => i.alerts.includes(alertId)).map((i) => i.incident_id);
    return found.length > 0 ? ` (already in ${found.join(", ")})` : "";
  }

  private make(alert: AlertView): HTMLElement {
    const id = alert.alert_id;
    const [line, box] = tick(this.words(alert), this.ticked.has(id), "incident-alert");
    box.dataset["alertId"] = id;
    box.addEventListener("change", () => {
      if (box.checked) this.ticked.add(id);
      else this.ticked.delete(id);
      this.update();
    });
    return el("li", {}, line);
  }

  private async submit(): Promise<void> {
    this.problem.clear();
    if (this.send.disabled) return;
    const title = this.title.value.trim();
    if (title === "") {
      this.problem.say("Give the incident a title");
      this.title.focus();
      return;
    }
    if (this.ticked.size === 0) {
      this.problem.say("Tick at least one alert");
      this.list.querySelector("input")?.focus();
      return;
    }
    this.send.disabled = true;
    const began = performance.now();
    const body = { title, alerts: [...this.ticked] };
    try {
      const done = await this.desk.context.api.command<Done>("open_incident", body);
      const record = recorded(done, performance.now() - began);
      this.title.value = "";
      this.ticked.clear();
      for (const box of this.list.querySelectorAll("input")) box.checked = false;
      this.opened(done.incident ?? "", `Opened ${done.incident ?? ""}: ${record}.`);
    } catch (error) {
      this.problem.fault(error);
    } finally {
      this.update();
    }
  }
}
