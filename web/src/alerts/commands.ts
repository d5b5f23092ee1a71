// What an officer can do about alerts, with the question that goes before each.

import type { Api } from "../api";
import { ApiError } from "../api";
import { actsAs, type AlertView } from "../messages";
import type { Store } from "../store";
import { ask } from "../frame/dialog";
import { toast } from "../frame/toast";
import { clock } from "../format";

const SHELVE_MINUTES = [5, 15, 30, 60, 240];

export class Commands {
  constructor(
    private readonly api: Api,
    private readonly store: Store,
  ) {}

  get allowed(): boolean {
    const role = this.store.get("site")?.role;
    return role !== undefined && actsAs(role) === "watch_officer";
  }

  async acknowledge(alert: AlertView): Promise<void> {
    await this.send("acknowledge_alert", { alert_id: alert.alert_id }, "Acknowledged");
  }

  async handOver(alert: AlertView): Promise<void> {
    const said = await ask(`Hand over ${alert.alert_id}`, "Hand over", [
      { name: "recipient", label: "To whom", kind: "text", maxLength: 200, hint: "who may respond" },
    ]);
    if (!said) return;
    const body = { alert_id: alert.alert_id, recipient: said.recipient };
    await this.send("hand_over_alert", body, "Handed over");
  }

  async shelve(alert: AlertView): Promise<void> {
    const now = this.store.siteNowMs();
    const said = await ask(`Shelve ${alert.alert_id}`, "Shelve", [
      {
        name: "minutes",
        label: "Until",
        kind: "select",
        options: SHELVE_MINUTES.map((m) => {
          const words = m < 60 ? `${m} minutes` : `${m / 60} hour${m > 60 ? "s" : ""}`;
          return [String(m), `${words}, until ${clock(now + m * 60_000)}`];
        }),
      },
      { name: "why", label: "Why", kind: "area", maxLength: 2000, hint: "kept in the record" },
    ]);
    if (!said) return;
    const until = new Date(this.store.siteNowMs() + Number(said.minutes) * 60_000).toISOString();
    const body = { alert_id: alert.alert_id, until, why: said.why };
    await this.send("shelve_alert", body, `Shelved until ${clock(Date.parse(until))}`);
  }

  async unshelve(alert: AlertView): Promise<void> {
    await this.send("unshelve_alert", { alert_id: alert.alert_id }, "Back from the shelf");
  }

  async close(alert: AlertView): Promise<void> {
    const said = await ask(`Close ${alert.alert_id}`, "Close the alert", [
      {
        name: "why",
        label: "Why is nothing left to do?",
        kind: "area",
        maxLength: 2000,
        hint: "kept in the record",
      },
    ]);
    if (!said) return;
    await this.send("close_alert", { alert_id: alert.alert_id, why: said.why }, "Closed");
  }

  async test(): Promise<void> {
    const said = await ask("Test the alarm", "Raise a test alert", [
      { name: "why", label: "Why", kind: "text", maxLength: 2000, hint: "kept in the record" },
    ]);
    if (said) await this.send("raise_test_alert", { why: said.why }, "A test alert is raised");
  }

  /** Gather alerts into an incident; the answer says whether there is one now. */
  async openIncident(alertIds: string[]): Promise<boolean> {
    const said = await ask(`Open an incident from ${alertIds.join(", ")}`, "Open the incident", [
      { name: "title", label: "Title", kind: "text", maxLength: 200, hint: "what happened, in short" },
    ]);
    if (!said) return false;
    return this.send("open_incident", { title: said.title, alerts: alertIds }, "Incident opened");
  }

  private async send(name: string, body: unknown, done: string): Promise<boolean> {
    try {
      const answer = await this.api.command<{ incident?: string | null }>(name, body);
      toast(answer.incident ? `${done}: ${answer.incident}` : done, "done");
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      toast(`${error.said.problem}. ${error.said.mend}.`, "failed");
      return false;
    }
  }
}
