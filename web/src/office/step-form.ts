// The next steps of a permit: a button each; one that is opened asks for what goes with it. What is
// typed stays while the page changes around it.

import { button, el, field, input, select, setText, show, textarea } from "./dom";
import type { Step, Term } from "./permit-steps";
import { CONDITION_TEMPLATES, stepsFor, whyNoStep } from "./permit-steps";
import type { Template } from "./permit-templates";
import { FieldFaults, ProblemBox } from "./problems";
import type { Desk } from "./site";
import { fromInput, rfc3339 } from "./times";

const HEADING = "Next step";
const MINUTE_MS = 60_000;
/** The service takes so many characters of a reason or a condition. */
const LONGEST = "2000";

export type Taken = Record<string, unknown>;

/** Ready-made texts: choosing one puts it into the field, where it can be changed. */
function templatePicker(templates: Template[], into: HTMLTextAreaElement, testid: string) {
  const choices = templates.map(({ title }, i): [string, string] => [String(i), title]);
  const pick = select(testid, [["", "choose one to put it in …"], ...choices]);
  pick.addEventListener("change", () => {
    const chosen = templates[Number(pick.value)];
    if (pick.value === "" || !chosen) return;
    const before = into.value.trimEnd();
    into.value = before === "" ? chosen.text : `${before}\n${chosen.text}`;
    pick.value = "";
    into.dispatchEvent(new Event("input"));
  });
  return field("Ready-made texts", pick);
}

/** The form of one step. */
class StepForm {
  readonly root = el("form", { class: "of-why", attrs: { novalidate: "" } });
  private readonly why = textarea("step-why", { maxlength: LONGEST, rows: "3" });
  private readonly conditions = textarea("step-conditions", { rows: "4" });
  private readonly landIn = input("text", "step-land-in", { inputmode: "decimal" });
  private readonly landHint = el("p", { class: "of-hint" });
  private readonly decideBy = input("datetime-local", "step-decide-by");
  private readonly proof = input("text", "step-identity-proof", { maxlength: LONGEST });
  private readonly box = new ProblemBox("step-problem");
  private readonly faults: FieldFaults;
  private readonly act: HTMLButtonElement;

  constructor(
    private readonly desk: Desk,
    private readonly step: Step,
    private readonly take: (body: Taken, step: Step) => Promise<void>,
    leave: () => void,
  ) {
    this.faults = new FieldFaults(this.box, {
      why: this.why,
      reason: this.why,
      conditions: this.conditions,
      land_by: this.landIn,
      decide_by: this.decideBy,
      identity_proof: this.proof,
    });
    const tone = step.danger ? "of-danger" : "of-primary";
    this.act = el("button", { class: `of-button ${tone}`, testid: "step-do" }, step.act);
    this.act.type = "submit";
    const buttons = el("div", { class: "of-buttons" }, this.act, button("Leave it", leave));
    this.root.append(...this.fields(), this.box.root, buttons);
    this.root.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.submit();
    });
    this.root.addEventListener("keydown", (event) => {
      if (event.key === "Escape") leave();
    });
  }

  focus(): void {
    this.root.querySelector<HTMLElement>("textarea, input, select")?.focus();
  }

  private fields(): Node[] {
    const { step } = this;
    const made: Node[] = [];
    const has = (term: Term) => step.terms.includes(term);
    if (has("conditions")) {
      made.push(
        templatePicker(CONDITION_TEMPLATES, this.conditions, "step-condition-template"),
        field("Conditions", this.conditions, "One a line; they are added to those it has."),
      );
    }
    if (step.templates.length > 0) {
      made.push(templatePicker(step.templates, this.why, "step-template"));
    }
    made.push(field(step.why, this.why));
    if (has("land_by")) {
      this.landIn.addEventListener("input", () => this.tellLanding());
      made.push(field("Land within (minutes)", this.landIn), this.landHint);
      this.tellLanding();
    }
    if (has("identity_proof")) {
      const hint = "How the applicant proved who they are, and to whom.";
      made.push(field("Proof of identity (optional)", this.proof, hint));
    }
    if (has("decide_by")) {
      const label = `Legal deadline of the decision (${this.desk.zone}, optional)`;
      made.push(field(label, this.decideBy, "Empty: it stays as it is."));
    }
    return made;
  }

  private tellLanding(): void {
    const minutes = Number(this.landIn.value.trim().replace(",", "."));
    const usual = "Empty: the time that the site sets. It counts from the moment of the step.";
    const by = this.desk.clockSeconds(this.desk.nowMs() + minutes * MINUTE_MS);
    const named = this.landIn.value.trim() !== "" && minutes > 0;
    setText(this.landHint, named ? `That is by ${by}.` : usual);
  }

  private read(): Taken | null {
    const { step } = this;
    const body: Taken = { step: step.step, why: this.why.value.trim() };
    if (step.whyNeeded && body["why"] === "") {
      this.faults.say(this.why, "Say why: it goes into the record, and to the holder");
      return null;
    }
    const conditions = this.conditions.value.split("\n").map((line) => line.trim());
    if (step.terms.includes("conditions")) body["conditions"] = conditions.filter(Boolean);
    const minutes = this.landIn.value.trim().replace(",", ".");
    if (minutes !== "") {
      const value = Number(minutes);
      if (!(value > 0 && value <= 24 * 60)) {
        this.faults.say(this.landIn, "Give minutes, more than 0 and at most a day");
        return null;
      }
      body["land_by"] = rfc3339(this.desk.nowMs() + value * MINUTE_MS + 999);
    }
    if (this.decideBy.value !== "") {
      const at = fromInput(this.decideBy.value, this.desk.zone);
      if (at === null) {
        this.faults.say(this.decideBy, "Give a time that the site's clock has");
        return null;
      }
      body["decide_by"] = rfc3339(at);
    }
    if (this.proof.value.trim() !== "") body["identity_proof"] = this.proof.value.trim();
    return body;
  }

  private async submit(): Promise<void> {
    this.faults.clear();
    const body = this.read();
    if (body === null) return;
    this.act.disabled = true;
    try {
      await this.take(body, this.step);
    } catch (error) {
      this.faults.fault(error);
    } finally {
      this.act.disabled = false;
    }
  }
}

/** Only what is possible in the present state and role is offered. */
export class StepBar {
  readonly root = el("section", { class: "of-steps", testid: "permit-steps" });
  private readonly heading = el("h4", {}, HEADING);
  private readonly buttons = el("div", { class: "of-buttons" });
  private readonly refusal = el("p", { class: "of-hint" });
  private readonly place = el("div");
  private offered = "";
  private opened: { step: Step; form: StepForm } | null = null;

  constructor(
    private readonly desk: Desk,
    private readonly take: (body: Taken, step: Step) => Promise<void>,
  ) {
    this.root.append(this.heading, this.buttons, this.refusal, this.place);
  }

  reset(): void {
    this.offered = "";
    this.leave(false);
  }

  update(state: string): void {
    const role = this.desk.role;
    const steps = stepsFor(state, role);
    const key = JSON.stringify([state, role]);
    if (key === this.offered) return;
    this.offered = key;
    if (this.opened && !steps.some((step) => step === this.opened?.step)) this.leave(false);
    const made = steps.map((step) => this.opener(step));
    this.buttons.replaceChildren(...made);
    setText(this.refusal, whyNoStep(state, role));
  }

  private opener(step: Step): HTMLButtonElement {
    const made = button(step.open, () => this.open(step), { testid: `take-${step.step}` });
    if (step.danger) made.classList.add("of-danger");
    if (step.step === "grant" || step.step === "confirm") made.classList.add("of-primary");
    return made;
  }

  private open(step: Step): void {
    const form = new StepForm(this.desk, step, this.taken, () => this.leave(true));
    this.opened = { step, form };
    this.place.replaceChildren(form.root);
    show(this.buttons, false);
    setText(this.heading, `${HEADING}: ${step.act.toLowerCase()}`);
    form.focus();
  }

  private readonly taken = async (body: Taken, step: Step): Promise<void> => {
    await this.take(body, step);
    this.leave(false);
    this.root.closest(".of-detail")?.querySelector("h3")?.focus();
  };

  private leave(focus: boolean): void {
    const step = this.opened?.step.step;
    this.opened = null;
    this.place.replaceChildren();
    show(this.buttons, true);
    setText(this.heading, HEADING);
    if (focus && step) {
      this.buttons.querySelector<HTMLElement>(`[data-testid="take-${step}"]`)?.focus();
    }
  }
}
