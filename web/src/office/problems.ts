// What went wrong, beside the form it went wrong in: where, what, how to mend it.

import { ApiError, type Problem } from "../api";
import { el } from "./dom";

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
