// What went wrong, beside the form it went wrong in: where, what, how to mend it.

import { ApiError, type Problem } from "../api";
import { el, freshId } from "./dom";

export class ProblemBox {
  readonly root = el("div", { class: "of-problem", attrs: { role: "alert" } });

  constructor(testid = "") {
    if (testid !== "") this.root.dataset["testid"] = testid;
    this.root.hidden = true;
  }

  clear(): void {
    this.root.hidden = true;
    this.root.replaceChildren();
  }

  /** Words of our own: a form that is not filled in. */
  say(problem: string, mend = ""): void {
    this.fill({ where: "", problem, mend });
  }

  /** What came back from the service; `more` is what follows from it. */
  fault(error: unknown, more = ""): void {
    if (error instanceof ApiError) this.fill(error.said, more);
    else this.say("a fault of this page", error instanceof Error ? error.message : String(error));
  }

  private fill(said: Problem, more = ""): void {
    const where = said.where === "" ? null : el("span", { class: "of-where" }, said.where);
    this.root.replaceChildren(
      el("strong", {}, capital(said.problem)),
      said.mend === "" ? "" : el("span", {}, ` ${capital(said.mend)}`),
      more === "" ? "" : el("span", {}, ` ${more}`),
      where ?? "",
    );
    this.root.hidden = false;
    this.root.scrollIntoView({ block: "nearest" });
  }
}

export function capital(words: string): string {
  const first = words.charAt(0).toUpperCase() + words.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}

/** Whether it is not known if the service carried a command out: no answer came. */
export function inDoubt(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status >= 500);
}

const FAULT_CLASS = "of-fault";

/** Words beside a control, read aloud and read with it; empty words take them away. */
export function faultAt(control: HTMLElement, words: string): void {
  const known = control.parentElement?.querySelector<HTMLElement>(`:scope > .${FAULT_CLASS}`);
  const described = (control.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean);
  if (words === "") {
    if (!known) return;
    const others = described.filter((id) => id !== known.id);
    known.remove();
    control.removeAttribute("aria-invalid");
    if (others.length > 0) control.setAttribute("aria-describedby", others.join(" "));
    else control.removeAttribute("aria-describedby");
    return;
  }
  const line = known ?? el("p", { class: FAULT_CLASS, id: freshId("fault") });
  line.setAttribute("role", "alert");
  line.textContent = words;
  if (!known) control.after(line);
  control.setAttribute("aria-invalid", "true");
  if (!described.includes(line.id)) {
    control.setAttribute("aria-describedby", [...described, line.id].join(" "));
  }
}

/** The controls of a form by the names that the service has for them: faults stand beside them. */
export class FieldFaults {
  /** Controls that our own words stand at, whether the service has a name for them or not. */
  private readonly others = new Set<HTMLElement>();

  constructor(
    private readonly box: ProblemBox,
    private readonly controls: Record<string, HTMLElement>,
  ) {
    for (const control of new Set(Object.values(controls))) {
      for (const event of ["input", "change"]) {
        control.addEventListener(event, () => faultAt(control, ""));
      }
    }
  }

  clear(): void {
    this.box.clear();
    for (const control of [...Object.values(this.controls), ...this.others]) faultAt(control, "");
    this.others.clear();
  }

  /** Words of our own at a control, which gets the focus. */
  say(control: HTMLElement, words: string): void {
    faultAt(control, capital(words));
    this.others.add(control);
    control.focus();
  }

  /** What the service found: beside the field that it names, else in the box. */
  fault(error: unknown): void {
    const control = error instanceof ApiError ? this.named(error.said) : null;
    if (!control || !(error instanceof ApiError)) {
      this.box.fault(error);
      return;
    }
    const { problem, mend } = error.said;
    const mended = mend === "" ? "" : ` ${capital(mend)}`;
    this.say(control, `${capital(problem)}${mended}`);
  }

  /** A finding beside the field that it names; null where it names none of this form. */
  finding(said: Problem): HTMLElement | null {
    const control = this.named(said);
    // Where it stands says what is left out; a path of the document would say nothing here.
    const mend = said.mend.replace(/^left out: \S+\s*/, "");
    const words = mend === "" ? "" : ` ${capital(mend)}`;
    if (control) faultAt(control, `${capital(said.problem)}${words}`);
    return control;
  }

  private named(said: Problem): HTMLElement | null {
    const names = Object.keys(this.controls).sort((a, b) => b.length - a.length);
    const holds = (words: string) =>
      names.find((name) => new RegExp(`(^|[^a-z_])${name}($|[^a-z_])`).test(words));
    const name = holds(said.where) ?? holds(said.problem);
    const control = name === undefined ? null : (this.controls[name] ?? null);
    // A fault at a control that is not shown would be seen by nobody.
    return control !== null && control.offsetParent !== null ? control : null;
  }
}
