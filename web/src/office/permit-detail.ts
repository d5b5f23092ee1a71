// One permit or exemption: what is asked against what holds, the next step, who did what, its card.

import { applicationView, landingWords, proceedingView } from "./permit-application";
import { CardView } from "./permit-card";
import { CheckView } from "./permit-check";
import { HistoryView } from "./permit-history";
import type { Step } from "./permit-steps";
import { deadlineBadge, deadlineOf, groupOf, stateBadge, timesWords } from "./permit-words";
import { areasOf, type Listed } from "./permit-words";
import { viewOf } from "./areas";
import { el, button, setText, show, statusLine } from "./dom";
import { Slot } from "./keyed";
import { recorded, type Desk, type Done } from "./site";
import { StepBar, type Taken } from "./step-form";

export class PermitDetail {
  readonly root = el("section", { class: "of-detail", testid: "permit-detail" });
  private readonly head = el("h3", { attrs: { tabindex: "-1" } });
  private readonly badges = new Slot(el("p", { class: "of-badges" }));
  private readonly deadline = el("p", { class: "of-deadline", testid: "permit-deadline" });
  private readonly landing = el("p", { class: "of-warning", testid: "permit-landing" });
  private readonly proceeding = new Slot(el("div"));
  private readonly application = new Slot(el("section", { class: "of-plain" }));
  private readonly status = statusLine("permit-status");
  private readonly missing = el("p", {}, "There is no such permit any more.");
  private readonly parts = el("div", { class: "of-plain" });
  private readonly steps: StepBar;
  private readonly check: CheckView;
  private readonly history: HistoryView;
  private readonly card: CardView;
  private permitId = "";
  private looked = "";
  private listed: Listed | undefined;

  constructor(
    private readonly desk: Desk,
    private readonly changed: () => void,
    open: (permitId: string) => void,
  ) {
    this.steps = new StepBar(desk, (body, step) => this.take(body, step));
    this.check = new CheckView(desk, open);
    this.history = new HistoryView(desk);
    this.card = new CardView(desk);
    const fly = button("Show its place on the map", () => this.fly(), {
      class: "of-button of-small",
    });
    this.parts.append(this.badges.root, this.deadline, this.landing);
    this.parts.append(this.status, this.proceeding.root);
    this.parts.append(this.steps.root, this.check.root, fly, this.application.root);
    this.parts.append(this.card.root, this.history.root);
    this.root.append(this.head, this.missing, this.parts);
  }

  open(permitId: string): void {
    if (permitId !== this.permitId) {
      this.steps.reset();
      this.check.clear();
      this.history.clear();
      setText(this.status, "");
    }
    this.permitId = permitId;
    this.looked = "";
    setText(this.head, permitId);
  }

  focus(): void {
    this.head.focus();
  }

  /** The page is left: nothing of this permit is printed or stays on the map. */
  leave(): void {
    this.card.clear();
    this.looked = "";
  }

  update(listed: Listed | undefined): void {
    this.listed = listed;
    show(this.missing, listed === undefined);
    show(this.parts, listed !== undefined);
    if (!listed) return;
    const { permit } = listed;
    const deadline = deadlineOf(permit, this.desk);
    setText(this.deadline, deadline?.words ?? "");
    this.deadline.dataset["tone"] = deadline?.tone ?? "plain";
    setText(this.landing, landingWords(listed, this.desk));
    this.badges.update(JSON.stringify([permit.state, deadline?.tone]), () => [
      stateBadge(permit),
      ...deadlineBadge(deadline),
    ]);
    const times = timesWords(permit, this.desk);
    this.proceeding.update(JSON.stringify([listed, times]), () => [
      proceedingView(listed, this.desk, times),
    ]);
    this.application.update(JSON.stringify(listed), () => [
      el("h4", {}, listed.exempt ? "What is exempt" : "What was applied for"),
      ...applicationView(listed, this.desk),
    ]);
    this.steps.update(permit.state);
    this.card.update(permit);
    this.look(listed);
  }

  /** Ask the service what the list does not tell, each time that the permit has changed. */
  private look(listed: Listed): void {
    const { permit, exempt } = listed;
    const key = JSON.stringify(permit);
    if (key === this.looked) return;
    this.looked = key;
    void this.history.look(permit.id, permit.procedure ?? {});
    const over = groupOf(listed) === "over";
    show(this.check.root, !over);
    if (!over) void this.check.look(permit, exempt);
  }

  private fly(): void {
    const view = viewOf(this.listed ? areasOf(this.listed.permit) : []);
    if (view) this.desk.context.map.flyTo(view.lat, view.lon, view.zoom);
  }

  private async take(body: Taken, step: Step): Promise<void> {
    const began = performance.now();
    const whole = { permit_id: this.permitId, ...body };
    const done = await this.desk.context.api.command<Done>("change_permit", whole);
    setText(this.status, `${step.done}: ${recorded(done, performance.now() - began)}.`);
    this.changed();
  }
}
