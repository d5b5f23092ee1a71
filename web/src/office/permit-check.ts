// What an application meets, in words: zones of this authority and of others with whom to ask, other
// permits and exemptions, and what is missing. The service finds it; here it is told and drawn.

import type { DrawnArea } from "../context";
import type { PermitView } from "../messages";
import { badge, button, el, setText } from "./dom";
import { areasOf, stateWord } from "./permit-words";
import { ProblemBox } from "./problems";
import type { Desk } from "./site";
import { parseRfc3339 } from "./times";
import { RESTRICTIONS } from "./zone-words";

interface Reached {
  zone_id: string;
  name: string;
  authority: string;
  restriction: string;
  surely: boolean;
  asked_for: boolean;
  whom_to_ask: string[];
}

interface Overlap {
  permit_id: string;
  kind: string;
  state: string;
  start: string | null;
  end: string | null;
  surely: boolean;
}

interface Gap {
  where: string;
  problem: string;
  rule: string;
}

interface Found {
  permit_id: string;
  own_zones: Reached[];
  other_zones: Reached[];
  overlaps: Overlap[];
  gaps: Gap[];
}

export interface Checked {
  applications: Found[];
  findings: { where: string; problem: string; assumed: string; severity: string }[];
}

/** Places of an application in words; a number in brackets counts from 1 for people. */
const PLACES: [RegExp, string][] = [
  [/^.*serials\[(\d+)\]/, "serial number #"],
  [/^.*serials/, "serial numbers"],
  [/^.*volumes\[(\d+)\]\.start/, "volume #, start"],
  [/^.*volumes\[(\d+)\]\.end/, "volume #, end"],
  [/^.*volumes\[(\d+)\]\.upper/, "volume #, upper limit"],
  [/^.*volumes\[(\d+)\]/, "volume #"],
  [/^.*identity_proof/, "proof of identity"],
  [/^.*channels/, "how the holder is told"],
  [/^.*contact\.name/, "contact on the day, name"],
  [/^.*contact\.phone/, "contact on the day, phone"],
  [/^.*application\.([a-z_]+)/, "$"],
  [/^.*zones/, "zones"],
];

export function placeWords(where: string): string {
  for (const [pattern, words] of PLACES) {
    const found = pattern.exec(where);
    if (!found) continue;
    const part = found[1] ?? "";
    if (words === "$") return part.replaceAll("_", " ");
    return words.replace("#", /^\d+$/.test(part) ? String(Number(part) + 1) : part);
  }
  return where;
}

function drawn(permit: PermitView): DrawnArea[] {
  return areasOf(permit).map((area) => ("circle" in area ? area : { ring: area.rings[0] ?? [] }));
}

export class CheckView {
  readonly root = el("section", { class: "of-check", testid: "permit-check" });
  private readonly told = el("div", { class: "of-plain" });
  private readonly problem = new ProblemBox();
  private readonly waiting = el("p", { class: "of-hint" });
  private asked = 0;

  /** `open` goes to another permit; null where none can be opened from here. */
  constructor(
    private readonly desk: Desk,
    private readonly open: ((permitId: string) => void) | null,
  ) {
    const heading = el("h4", {}, "Asked for, against what holds");
    this.root.append(heading, this.waiting, this.problem.root, this.told);
  }

  clear(): void {
    this.asked += 1;
    this.told.replaceChildren();
    this.problem.clear();
    setText(this.waiting, "");
  }

  /** Ask the service and show its answer; what it throws is the caller's where `show` is false. */
  async check(permit: PermitView, exempt: boolean): Promise<Checked | null> {
    this.asked += 1;
    const mine = this.asked;
    setText(this.waiting, "Checking …");
    this.problem.clear();
    const { api } = this.desk.context;
    const list = { permits: exempt ? [] : [permit], exemptions: exempt ? [permit] : [] };
    const body = { authority: this.desk.site?.authority ?? "", ...list };
    try {
      const checked = await api.command<Checked>("check_permits", body);
      if (mine !== this.asked) return null;
      this.tell(permit, checked);
      return checked;
    } finally {
      if (mine === this.asked) setText(this.waiting, "");
    }
  }

  /** The same where nobody waits for the answer: a fault is told here. */
  async look(permit: PermitView, exempt: boolean): Promise<void> {
    try {
      await this.check(permit, exempt);
    } catch (error) {
      this.problem.fault(error);
    }
  }

  private tell(permit: PermitView, { applications, findings }: Checked): void {
    const [found] = applications;
    const faults = findings.filter((each) => each.severity !== "note");
    const parts: Node[] = [];
    if (found) {
      parts.push(
        ...this.section("Zones of this authority", found.own_zones.map(ownLine)),
        ...this.section("Zones of other authorities", found.other_zones.map(otherLine)),
        ...this.section(
          "Other permits and exemptions there then",
          found.overlaps.map((each) => this.overlapLine(each)),
        ),
        ...this.section("Missing or wrong in the application", found.gaps.map(gapLine)),
      );
    }
    const read = faults.map((each) => {
      const words = `${placeWords(each.where)}: ${each.problem} (${each.assumed})`;
      return el("li", {}, words);
    });
    parts.push(...this.section("How it was read", read));
    if (parts.length === 0) {
      parts.push(el("p", {}, "It reaches no zone, meets nothing, and nothing is missing."));
    }
    const others = (found?.overlaps.length ?? 0) > 0;
    const key = "On the map: dashed is what is asked for";
    const words = others ? `${key}, brown what other permits and exemptions hold.` : `${key}.`;
    if (permit.volumes.length > 0) parts.push(el("p", { class: "of-hint" }, words));
    this.told.replaceChildren(...parts);
    this.draw(permit, found?.overlaps ?? []);
  }

  private section(title: string, lines: HTMLElement[]): Node[] {
    if (lines.length === 0) return [];
    const list = el("ul", { class: "of-checklist" }, ...lines);
    return [el("h5", {}, title), list];
  }

  private overlapLine(overlap: Overlap): HTMLElement {
    const { permit_id: id, kind, state } = overlap;
    const clock = (at: string | null, none: string) =>
      at === null ? none : this.desk.clock(parseRfc3339(at));
    const times = `${clock(overlap.start, "no start")} to ${clock(overlap.end, "no end")}`;
    const what = kind === "permit" ? "Permit" : `Exemption (${kind})`;
    const sure = overlap.surely ? "" : "; perhaps not in the same height or place";
    const words = `, ${stateWord(state)}, ${times}${sure}`;
    const { open } = this;
    const props = { class: "of-link" };
    const link = open ? button(`${what} ${id}`, () => open(id), props) : `${what} ${id}`;
    return el("li", {}, link, words);
  }

  /** On the map: what is asked for, and what else holds there; zones are drawn already. */
  private draw(permit: PermitView, overlaps: Overlap[]): void {
    if (this.root.offsetParent === null) return;
    const told = this.desk.context.store.get("permits");
    const all = [...(told?.permits ?? []), ...(told?.exemptions ?? [])];
    const ids = new Set(overlaps.map((each) => each.permit_id));
    const others = all.filter((each) => ids.has(each.id)).flatMap(drawn);
    this.desk.context.map.compare(drawn(permit), others);
  }
}

function zoneWords(zone: Reached): string {
  const known = RESTRICTIONS[zone.restriction as keyof typeof RESTRICTIONS];
  const restriction = (known?.words ?? zone.restriction).toLowerCase();
  const name = zone.name === "" || zone.name === zone.zone_id ? "" : `${zone.name} `;
  const sure = zone.surely ? "" : ", perhaps reached: a height or a schedule leaves it open";
  return `${name}(${zone.zone_id}), ${restriction}${sure}`;
}

function ownLine(zone: Reached): HTMLElement {
  const mark = zone.asked_for
    ? badge("✓", "Asked for", "good")
    : badge("✕", "Not asked for", "warn");
  const then = zone.asked_for ? "a permit opens it" : "it would stay closed";
  return el("li", {}, mark, ` ${zoneWords(zone)}: ${then}.`);
}

/** "P5D" and "PT36H" as ED-318 has them, in words; what is not one stays as it is. */
export function durationWords(words: string): string {
  return words.replace(/\bP(?:(\d+)D)?(?:T(\d+)H)?(?=[\s)])/g, (all, days, hours) => {
    const parts = [days ? `${days} days` : "", hours ? `${hours} h` : ""].filter(Boolean);
    return parts.join(" ") || all;
  });
}

function otherLine(zone: Reached): HTMLElement {
  const told = zone.whom_to_ask.length > 0 ? zone.whom_to_ask.join("; ") : zone.authority;
  const whom = durationWords(told);
  const words = ` ${zoneWords(zone)}, of ${zone.authority}: this office cannot open it.`;
  return el("li", {}, badge("→", "Ask", "warn"), words, el("strong", {}, ` Ask: ${whom}.`));
}

function gapLine(gap: Gap): HTMLElement {
  const rule = gap.rule === "" ? null : el("small", {}, ` ${gap.rule}`);
  return el("li", {}, `${placeWords(gap.where)}: ${gap.problem}`, rule);
}
