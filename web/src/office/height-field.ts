// A height limit: metres, and never without the reference they are in.

import type { HeightLimit } from "../messages";
import { parse } from "./area-field";
import { field, el, freshId, input, select, show } from "./dom";

/** The bounds of a permits file (codec/permits.py); nothing flies outside them. */
const LOWEST_M = -1_000;
const HIGHEST_M = 99_998;

export const REFERENCES: [string, string][] = [
  ["AGL", "AGL, above ground"],
  ["AMSL", "AMSL, above sea level"],
  ["HAE", "HAE, above the ellipsoid"],
];

export class HeightField {
  readonly root: HTMLElement;
  readonly box: HTMLInputElement;
  readonly reference: HTMLSelectElement;
  private readonly name: string;

  constructor(name: string, testid: string, start: HeightLimit, changed: () => void, hint = "") {
    this.name = name;
    this.box = input("text", testid, { inputmode: "decimal" });
    this.box.value = String(start.m);
    const none: [string, string] = ["NONE", "no limit"];
    this.reference = select(`${testid}-reference`, [...REFERENCES, none]);
    this.reference.value = start.reference;
    this.reference.id = freshId("reference");
    const metres = field(`${name} limit (m)`, this.box);
    const row = el("div", { class: "of-row2" }, metres, field("Reference", this.reference));
    this.root = el("div", {}, row, hint === "" ? null : el("p", { class: "of-hint" }, hint));
    this.box.addEventListener("input", changed);
    this.reference.addEventListener("change", () => {
      show(this.box, this.reference.value !== "NONE");
      changed();
    });
  }

  set(limit: HeightLimit | null): void {
    this.reference.value = limit?.reference ?? "NONE";
    if (limit) this.box.value = String(limit.m);
    show(this.box, limit !== null);
  }

  /** The limit, null for none, or in words what is wrong with it. */
  read(): { limit: HeightLimit | null; problem: string } {
    const reference = this.reference.value;
    if (reference === "NONE") return { limit: null, problem: "" };
    const m = parse(this.box.value);
    if (m >= LOWEST_M && m <= HIGHEST_M) return { limit: { m, reference }, problem: "" };
    const name = this.name.toLowerCase();
    return { limit: null, problem: `Give the ${name} limit in metres, or choose "no limit"` };
  }
}

/** Why two limits do not fit; empty if they do or cannot be compared. */
export function limitsFault(lower: HeightLimit | null, upper: HeightLimit | null): string {
  if (lower && upper && lower.reference === upper.reference && upper.m <= lower.m) {
    return "The upper limit must lie above the lower one";
  }
  return "";
}
