// What responders say they found: reported, neither detected nor assessed.

import { button, el, field, input, setText, show, statusLine, textarea } from "./dom";
import { ProblemBox } from "./problems";
import { recorded, type Desk, type Done } from "./site";

export class ReportForm {
  readonly root: HTMLElement;
  private readonly form = el("form", { class: "of-why", attrs: { novalidate: "" } });
  private readonly words = textarea("report-words", { maxlength: "2000" });
  private readonly injuries = input("text", "report-injuries", { maxlength: "2000" });
  private readonly damage = input("text", "report-damage", { maxlength: "2000" });
  private readonly problem = new ProblemBox();
  private readonly status = statusLine("report-done");
  private readonly opener: HTMLButtonElement;
  private readonly send = el("button", { class: "of-button of-primary" }, "File it");
  private incidentId = "";

  constructor(
    private readonly desk: Desk,
    private readonly filed: () => void,
  ) {
    this.opener = button("File what responders report …", () => this.open(true), {
      class: "of-button of-small",
      testid: "report-open",
    });
    this.send.type = "submit";
    this.send.dataset["testid"] = "report-submit";
    const leave = button("Leave it", () => this.open(false));
    this.form.append(
      field("What they say", this.words),
      field("Injuries (optional)", this.injuries),
      field("Damage (optional)", this.damage),
      this.problem.root,
      el("div", { class: "of-buttons" }, this.send, leave),
    );
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.submit();
    });
    this.root = el("div", {}, this.opener, this.form, this.status);
    show(this.form, false);
  }

  about(incidentId: string, allowed: boolean): void {
    if (incidentId !== this.incidentId) {
      this.empty();
      setText(this.status, "");
      this.incidentId = incidentId;
    }
    this.opener.disabled = !allowed;
    this.send.disabled = !allowed;
  }

  private open(opened: boolean): void {
    show(this.form, opened);
    show(this.opener, !opened);
    (opened ? this.words : this.opener).focus();
  }

  private empty(): void {
    for (const box of [this.words, this.injuries, this.damage]) box.value = "";
    this.problem.clear();
    show(this.form, false);
    show(this.opener, true);
  }

  private async submit(): Promise<void> {
    const words = this.words.value.trim();
    this.problem.clear();
    if (words === "") {
      this.problem.say("Say what they report");
      this.words.focus();
      return;
    }
    this.send.disabled = true;
    const body = {
      incident_id: this.incidentId,
      words,
      injuries: this.injuries.value.trim(),
      damage: this.damage.value.trim(),
    };
    const began = performance.now();
    try {
      const done = await this.desk.context.api.command<Done>("file_report", body);
      setText(this.status, `Filed: ${recorded(done, performance.now() - began)}.`);
      this.empty();
      this.filed();
    } catch (error) {
      this.problem.fault(error);
    } finally {
      this.send.disabled = false;
    }
  }
}
