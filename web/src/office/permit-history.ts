// Who took which step of a permit, when and why; and whether its holder was told, by which channel.

import type { ProcedureView } from "../messages";
import { badge, el, facts } from "./dom";
import { stateWord } from "./permit-words";
import { ProblemBox } from "./problems";
import type { Desk } from "./site";
import { parseRfc3339 } from "./times";

interface History {
  permit_id: string;
  steps: { at: string; state: string; name: string; role: string; why: string }[];
  told: { at: string; state: string; channel: string; delivered: boolean; detail: string }[];
  waiting: { since: string; state: string; waiting: string[]; failed: string[] }[];
}

const ROLES: Record<string, string> = {
  watch_officer: "watch officer",
  shift_lead: "shift lead",
  permit_officer: "permit officer",
  holder: "holder",
  rule: "by itself",
  configuration: "site file",
  service: "service",
};

export const CHANNELS: Record<string, string> = {
  email: "e-mail",
  webhook: "webhook",
  page: "the permit's own page",
};

export class HistoryView {
  readonly root = el("section", { class: "of-plain", testid: "permit-history" });
  private readonly steps = el("ol", { class: "of-timeline" });
  private readonly notices = el("ul", { class: "of-checklist", testid: "permit-notices" });
  private readonly notified = el("div");
  private readonly problem = new ProblemBox();
  private asked = 0;

  constructor(private readonly desk: Desk) {
    this.root.append(el("h4", {}, "The holder was told"), this.notified, this.notices);
    this.root.append(el("h4", {}, "History"), this.steps, this.problem.root);
  }

  clear(): void {
    this.asked += 1;
    this.steps.replaceChildren();
    this.notices.replaceChildren();
    this.notified.replaceChildren();
    this.problem.clear();
  }

  async look(permitId: string, procedure: Partial<ProcedureView>): Promise<void> {
    this.asked += 1;
    const mine = this.asked;
    const path = `/v1/permits/history?permit_id=${encodeURIComponent(permitId)}`;
    try {
      const history = await this.desk.context.api.get<History>(path);
      if (mine !== this.asked) return;
      this.problem.clear();
      this.tell(history, procedure);
    } catch (error) {
      if (mine === this.asked) this.problem.fault(error);
    }
  }

  private clock(at: string): string {
    return this.desk.clockSeconds(parseRfc3339(at));
  }

  private tell(history: History, procedure: Partial<ProcedureView>): void {
    const channels = (procedure.channels ?? []).map(
      (each) => `${CHANNELS[each.kind] ?? each.kind}: ${each.address}`,
    );
    const notified = procedure.notified ? this.clock(procedure.notified) : "not yet";
    this.notified.replaceChildren(
      facts([
        ["Of this state", notified],
        ["Channels", channels.length > 0 ? channels.join("; ") : "only the permit's own page"],
      ]),
    );
    const waiting = history.waiting.map((each) => this.waitingLine(each));
    const told = [...history.told].reverse().map((each) => this.toldLine(each));
    this.notices.replaceChildren(...waiting, ...told);
    const steps = [...history.steps].reverse().map((each) => {
      const role = ROLES[each.role] ?? each.role;
      const who = role === "by itself" ? each.name : `${each.name}, ${role}`;
      const why = each.why === "" ? null : el("span", { class: "of-said" }, `“${each.why}”`);
      const head = el("span", { class: "of-linehead" }, `${this.clock(each.at)} · ${who}`);
      return el("li", {}, el("strong", {}, capitalWord(stateWord(each.state))), head, why);
    });
    this.steps.replaceChildren(...steps);
  }

  private waitingLine(each: History["waiting"][number]): HTMLElement {
    const names = (all: string[]) => all.map((one) => CHANNELS[one] ?? one).join(", ");
    const failed = each.failed.length > 0 ? `; given up: ${names(each.failed)}, call the holder` : "";
    const onPage = each.waiting.every((one) => one === "page");
    const by = onPage ? "waits to be read on the permit's own page" : `on its way by ${names(each.waiting)}`;
    const mark = failed === "" ? badge("◷", "Waiting", "warn") : badge("✕", "Failed", "bad");
    const words = ` That it is ${stateWord(each.state)}, since ${this.clock(each.since)}: ${by}${failed}.`;
    return el("li", {}, mark, words);
  }

  private toldLine(each: History["told"][number]): HTMLElement {
    const channel = CHANNELS[each.channel] ?? each.channel;
    const mark = each.delivered ? badge("✓", "Told", "good") : badge("✕", "Failed", "bad");
    const why = each.detail === "" ? "" : `: ${each.detail}`;
    const words = ` That it is ${stateWord(each.state)}, ${this.clock(each.at)}, by ${channel}${why}.`;
    return el("li", {}, mark, words);
  }
}

function capitalWord(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
