// A zone's versions: who proposed, approved, put into force, confirmed or withdrew each, when and
// why; in what it differs from the one before; and the steps that are possible now.

import { actsAs, type HeightLimit, type ZoneVolume } from "../messages";
import { areaWords, heightWords } from "./areas";
import { badge, el, facts, setText, statusLine } from "./dom";
import { ProblemBox } from "./problems";
import { recorded, type Desk, type Done, type Role } from "./site";
import { parseRfc3339, span } from "./times";
import { WhyForm } from "./why-form";

export interface Version {
  version: number;
  name: string;
  state: "proposed" | "approved" | "in_force" | "withdrawn";
  emergency: boolean;
  legal_basis: string;
  effective: string | null;
  confirm_by: string | null;
  since: string | null;
  until: string | null;
  steps: { at: string; step: string; name: string; role: string; why: string }[];
  changes: { field: string; before: unknown; after: unknown }[];
}

export interface Versions {
  zone_id: string;
  /** Whoever proposed a version may not approve it here. */
  approver_differs: boolean;
  versions: Version[];
}

const STATES: Record<Version["state"], { words: string; shape: string; tone: string }> = {
  proposed: { words: "Proposed", shape: "◇", tone: "info" },
  approved: { words: "Approved", shape: "◈", tone: "info" },
  in_force: { words: "In force", shape: "▶", tone: "good" },
  withdrawn: { words: "Withdrawn", shape: "–", tone: "plain" },
};

const STEP_WORDS: Record<string, string> = {
  propose: "proposed it",
  approve: "approved it",
  enter_into_force: "put it into force",
  declare_emergency: "declared it in an emergency",
  confirm: "confirmed it",
  lapse: "it lapsed",
  withdraw: "withdrew it",
};

interface ZoneStep {
  step: string;
  open: string;
  act: string;
  done: string;
  label: string;
  roles: Role[];
  danger: boolean;
  optional: boolean;
  possible: (version: Version) => boolean;
}

/** From core/zone.py, ZONE_TRANSITIONS, and service/zone_steps.py, who may. */
const STEPS: ZoneStep[] = [
  {
    step: "approve",
    open: "Approve …",
    act: "Approve it",
    done: "approved",
    label: "Remark (optional)",
    roles: ["permit_officer"],
    danger: false,
    optional: true,
    possible: ({ state }) => state === "proposed",
  },
  {
    step: "enter_into_force",
    open: "Put into force …",
    act: "Put it into force now",
    done: "in force",
    label: "Remark (optional)",
    roles: ["watch_officer", "permit_officer"],
    danger: false,
    optional: true,
    possible: ({ state }) => state === "approved",
  },
  {
    step: "confirm",
    open: "Confirm the ban …",
    act: "Confirm it",
    done: "confirmed",
    label: "Remark (optional)",
    roles: ["permit_officer"],
    danger: false,
    optional: true,
    possible: ({ state, confirm_by }) => state === "in_force" && confirm_by !== null,
  },
  {
    step: "withdraw",
    open: "Withdraw …",
    act: "Withdraw it now",
    done: "withdrawn",
    label: "Why does it end?",
    roles: ["watch_officer", "permit_officer"],
    danger: true,
    optional: false,
    possible: ({ state }) => state !== "withdrawn",
  },
];

export class VersionsView {
  readonly root = el("section", { class: "of-versions", testid: "zone-versions" });
  private readonly status = statusLine("zone-status");
  private readonly list = el("div", { class: "of-versions" });
  private readonly problem = new ProblemBox("zone-problem");
  private zoneId = "";
  private shown = "";
  private asked = 0;
  private approverDiffers = true;

  constructor(
    private readonly desk: Desk,
    private readonly changed: () => void,
  ) {
    const heading = el("h4", {}, "Versions and steps");
    this.root.append(heading, this.status, this.problem.root, this.list);
  }

  open(zoneId: string): void {
    if (zoneId !== this.zoneId) {
      this.list.replaceChildren();
      setText(this.status, "");
      this.shown = "";
    }
    this.zoneId = zoneId;
    this.problem.clear();
    void this.look();
  }

  /** Ask anew; a form that is open stays where nothing has changed. */
  async look(): Promise<void> {
    this.asked += 1;
    const mine = this.asked;
    const path = `/v1/zones/versions?zone_id=${encodeURIComponent(this.zoneId)}`;
    try {
      const told = await this.desk.context.api.get<Versions>(path);
      const { versions } = told;
      if (mine !== this.asked) return;
      this.problem.clear();
      const key = JSON.stringify([versions, this.desk.role]);
      if (key === this.shown) return;
      this.shown = key;
      this.approverDiffers = told.approver_differs;
      this.list.replaceChildren(...[...versions].reverse().map((each) => this.card(each)));
    } catch (error) {
      if (mine === this.asked) this.problem.fault(error);
    }
  }

  private clock(at: string | null): string {
    return at === null ? "" : this.desk.clock(parseRfc3339(at));
  }

  private card(version: Version): HTMLElement {
    const { words, shape, tone } = STATES[version.state];
    const badges = el("p", { class: "of-badges" }, badge(shape, words, tone));
    if (version.emergency) badges.append(badge("!", "Emergency", "zone-emergency"));
    const confirm = version.state === "in_force" ? version.confirm_by : null;
    const lapses = confirm
      ? `${this.clock(confirm)} (in ${span(parseRfc3339(confirm) - this.desk.nowMs())}) unless it is confirmed`
      : "";
    const waits = confirm !== null || ["proposed", "approved"].includes(version.state);
    const steps = el("ol", { class: "of-timeline" });
    for (const each of [...version.steps].reverse()) steps.append(this.stepLine(each));
    const card = el("article", {
      class: "of-version",
      testid: "zone-version",
      data: { version: String(version.version), waits: waits ? "yes" : "no" },
    });
    card.append(
      el("h5", {}, `Version ${version.version}: ${version.name}`),
      badges,
      facts([
        ["To begin", this.clock(version.effective)],
        ["In force", this.inForce(version)],
        ["Lapses", lapses],
      ]),
      ...this.changes(version),
      steps,
      ...this.forms(version),
    );
    return card;
  }

  private inForce({ since, until }: Version): string {
    if (since === null) return "";
    return `from ${this.clock(since)}${until === null ? " on" : ` until ${this.clock(until)}`}`;
  }

  private stepLine(each: Version["steps"][number]): HTMLElement {
    const at = this.desk.clockSeconds(parseRfc3339(each.at));
    const did = STEP_WORDS[each.step] ?? each.step;
    const by = each.step === "lapse" ? did : `${each.name} ${did}`;
    const why = each.why === "" ? null : el("span", { class: "of-said" }, `“${each.why}”`);
    return el("li", {}, el("span", {}, by), el("span", { class: "of-linehead" }, at), why);
  }

  private changes(version: Version): Node[] {
    if (version.changes.length === 0) return [];
    const list = el("ul", { class: "of-changes", testid: "zone-changes" });
    for (const { field, before, after } of version.changes) {
      const was = el("del", {}, changedWords(before));
      const is = el("ins", {}, changedWords(after));
      const name = el("strong", {}, `${FIELDS[field] ?? field.replaceAll("_", " ")}: `);
      list.append(el("li", {}, name, was, " → ", is));
    }
    return [el("h5", {}, `Other than version ${version.version - 1}`), list];
  }

  /** Only what is possible in the version's state, and to this person. */
  private forms(version: Version): Node[] {
    const role = this.desk.role;
    const proposer = version.steps.find((each) => each.step === "propose")?.name;
    const self = this.approverDiffers && proposer !== undefined && proposer === this.desk.site?.holder;
    const possible = STEPS.filter((step) => step.possible(version));
    const mine = possible.filter((step) => role !== undefined && step.roles.includes(actsAs(role)));
    const own = mine.filter((step) => !(step.step === "approve" && self));
    const made: Node[] = own.map((step) => this.form(step, version));
    if (mine.length !== own.length) {
      const words = "You proposed it: another person of the permit office approves it.";
      made.push(el("p", { class: "of-hint" }, words));
    } else if (possible.some((step) => step.step === "approve") && role !== "permit_officer") {
      made.push(el("p", { class: "of-hint" }, "The permit office approves it."));
    }
    return [el("div", { class: "of-buttons" }, ...made)];
  }

  private form(step: ZoneStep, version: Version): HTMLElement {
    return new WhyForm({
      open: step.open,
      act: step.act,
      label: step.label,
      testid: `zone-${step.step.replaceAll("_", "-")}`,
      whyTestid: "zone-why",
      danger: step.danger,
      optional: step.optional,
      run: (why) => this.take(step, version, why),
    }).root;
  }

  private async take(step: ZoneStep, version: Version, why: string): Promise<void> {
    const began = performance.now();
    const body = { zone_id: this.zoneId, step: step.step, why, version: version.version };
    const done = await this.desk.context.api.command<Done>("change_zone", body);
    const words = `Version ${version.version} is ${step.done}`;
    setText(this.status, `${words}: ${recorded(done, performance.now() - began)}.`);
    await this.look();
    this.changed();
  }
}

const FIELDS: Record<string, string> = {
  name: "Name",
  restriction: "Restriction",
  volumes: "Area and heights",
  periods: "Times",
  legal_basis: "Legal basis",
  message: "Message",
  conditions: "Conditions",
  reasons: "Reasons",
  authorities: "Authorities",
  references: "References",
};

type Wire = Record<string, unknown> & { is: string };

const isWire = (value: unknown): value is Wire =>
  typeof value === "object" && value !== null && typeof (value as Wire).is === "string";

/** A value as the service tells it (codec/wire.py), in words. */
export function changedWords(value: unknown): string {
  if (value === null || value === undefined || value === "") return "none";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.map(changedWords).join("; ") || "none";
  if (!isWire(value)) return String(value);
  if (value.is === "Volume") return volumeWords(value);
  if (value.is === "Restriction") return String(value["value"]).toLowerCase().replaceAll("_", " ");
  if ("value" in value) return changedWords(value["value"]);
  const told = Object.entries(value)
    .filter(([name, part]) => name !== "is" && changedWords(part) !== "none")
    .map(([name, part]) => `${name.replaceAll("_", " ")} ${momentWords(name, part)}`);
  return told.join(", ") || "none";
}

function momentWords(name: string, value: unknown): string {
  const moment = name.endsWith("_ns") && typeof value === "number";
  return moment ? new Date(value / 1e6).toISOString().slice(0, 16) : changedWords(value);
}

function volumeWords(volume: Wire): string {
  const limit = (value: unknown): HeightLimit | null => {
    if (!isWire(value)) return null;
    return { m: Number(value["m"]), reference: value.is.replace("Height", "").toUpperCase() };
  };
  const area = volume["area"];
  const heights = heightWords(limit(volume["lower"]), limit(volume["upper"]));
  if (!isWire(area)) return heights;
  return `${areaWords(wireArea(area))}, ${heights}`;
}

function wireArea(area: Wire): ZoneVolume["area"] {
  if (area.is === "Circle") {
    const [lat, lon, radius] = ["lat_deg", "lon_deg", "radius_m"].map((n) => Number(area[n]));
    return { circle: [lat ?? NaN, lon ?? NaN, radius ?? 0] };
  }
  return { rings: unwrapped(area["rings"]) as [number, number][][] };
}

function unwrapped(value: unknown): unknown {
  if (isWire(value) && "value" in value) return unwrapped(value["value"]);
  return Array.isArray(value) ? value.map(unwrapped) : value;
}
