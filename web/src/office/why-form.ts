// A step that wants a reason: a button, then the reason, then the step. What is typed stays.

import { button, el, field, show, textarea } from "./dom";
import { ProblemBox } from "./problems";

interface WhyOptions {
  /** On the button that opens it, and on the one that does it. */
  open: string;
  act: string;
  label: string;
  testid: string;
  whyTestid: string;
  danger?: boolean;
  /** The step may be taken without a reason. */
  optional?: boolean;
  /** Carries the step out; what it throws is shown beside the reason. */
  run: (why: string) => Promise<void>;
}

export class WhyForm {
  readonly root: HTMLElement;
  readonly opener: HTMLButtonElement;
  private readonly form: HTMLFormElement;
  private readonly why: HTMLTextAreaElement;
  private readonly problem = new ProblemBox();
  private readonly act: HTMLButtonElement;

  constructor(private readonly options: WhyOptions) {
    this.why = textarea(options.whyTestid, { maxlength: "2000", rows: "2" });
    this.why.required = options.optional !== true;
    this.opener = button(options.open, () => this.open(true), { testid: options.testid });
    this.act = el("button", { class: "of-button of-primary", testid: `${options.testid}-do` });
    this.act.type = "submit";
    this.act.textContent = options.act;
    if (options.danger) this.act.classList.add("of-danger");
    const leave = button("Leave it", () => this.open(false));
    const buttons = el("div", { class: "of-buttons" }, this.act, leave);
    this.form = el("form", { class: "of-why", attrs: { novalidate: "" } });
    this.form.append(field(options.label, this.why), this.problem.root, buttons);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.submit();
    });
    this.root = el("div", {}, this.opener, this.form);
    show(this.form, false);
  }

  /** May it be done now? If not, an open form stays, so that nothing typed is lost. */
  allow(allowed: boolean): void {
    this.opener.disabled = !allowed;
    this.act.disabled = !allowed;
  }

  reset(): void {
    this.why.value = "";
    this.problem.clear();
    show(this.form, false);
    show(this.opener, true);
  }

  private open(opened: boolean): void {
    show(this.form, opened);
    show(this.opener, !opened);
    this.problem.clear();
    (opened ? this.why : this.opener).focus();
  }

  private async submit(): Promise<void> {
    const why = this.why.value.trim();
    if (why === "" && this.options.optional !== true) {
      this.problem.say("Say why", "It goes into the record.");
      this.why.focus();
      return;
    }
    this.act.disabled = true;
    this.problem.clear();
    try {
      await this.options.run(why);
      this.reset();
      this.root.closest(".of-detail")?.querySelector("h3")?.focus();
    } catch (error) {
      this.problem.fault(error);
    } finally {
      this.act.disabled = false;
    }
  }
}
