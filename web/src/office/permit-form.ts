// A new permit, entered as submitted: granting it is a step of its own.

import type { PermitsMessage, PermitView } from "../messages";
import { AreaField } from "./area-field";
import { tidyRing } from "./areas";
import { el, field, input, setText, show, statusLine, textarea, tick } from "./dom";
import { HeightField, limitsFault } from "./height-field";
import { stateWord } from "./permit-words";
import { ProblemBox } from "./problems";
import { recorded, type Desk, type Done } from "./site";
import { fromInput, rfc3339 } from "./times";
import { ZonePicker } from "./zone-picker";

type Read = { permit: PermitView; problem: ""; control: null } | Bad;
type Bad = { permit: null; problem: string; control: { focus(): void } | null };

const AREA_IDS = {
  lat: "permit-lat",
  lon: "permit-lon",
  radius: "permit-radius",
  drawCircle: "permit-draw-circle",
  drawPolygon: "permit-draw-polygon",
};

export class PermitForm {
  readonly root: HTMLFormElement;
  private readonly id = input("text", "permit-id", { maxlength: "200", required: "" });
  private readonly holder = input("text", "permit-holder", { maxlength: "2000", required: "" });
  private readonly serials = textarea("permit-serials", { rows: "2", spellcheck: "false" });
  private readonly conditions = textarea("permit-conditions", { rows: "2" });
  private readonly from = input("datetime-local", "permit-start", { required: "" });
  private readonly to = input("datetime-local", "permit-end", { required: "" });
  private readonly labels: HTMLElement[] = [];
  private readonly broadcast: HTMLInputElement;
  private readonly zones: ZonePicker;
  private readonly area: AreaField;
  private readonly lower: HeightField;
  private readonly upper: HeightField;
  private readonly problem = new ProblemBox("permit-problem");
  private readonly send: HTMLButtonElement;
  private readonly refusal = el("p", { class: "of-hint" });
  private readonly status = statusLine("permit-entered");
  private readonly findings = el("ul", { class: "of-plainlist" });

  constructor(
    private readonly desk: Desk,
    private readonly entered: () => void,
  ) {
    const changed = () => {};
    this.zones = new ZonePicker(changed);
    this.area = new AreaField(desk.context.map, AREA_IDS, changed);
    this.lower = new HeightField("Lower", "permit-lower", { m: 0, reference: "AGL" }, changed);
    this.upper = new HeightField("Upper", "permit-upper", { m: 120, reference: "AGL" }, changed);
    const [broadcastLine, broadcast] = tick("Remote ID must be on", true, "permit-broadcast");
    this.broadcast = broadcast;
    this.send = el("button", { class: "of-button of-primary", testid: "permit-submit" });
    this.send.type = "submit";
    this.send.textContent = "Enter it as submitted";
    const times = el("div", { class: "of-plain" });
    for (const [label, box] of [
      ["From", this.from],
      ["Until", this.to],
    ] as const) {
      const line = field(label, box);
      this.labels.push(line.querySelector("label") as HTMLElement);
      times.append(line);
    }
    this.root = el("form", { class: "of-form", attrs: { novalidate: "" } });
    this.root.append(
      field("Number of the permit", this.id),
      field("Holder", this.holder),
      field(
        "Aircraft serial numbers",
        this.serials,
        "As it broadcasts them; one a line or with commas.",
      ),
      this.zones.root,
      this.area.root,
      this.lower.root,
      this.upper.root,
      times,
      broadcastLine,
      field("Conditions (optional)", this.conditions, "One a line."),
      this.problem.root,
      this.refusal,
      this.send,
      this.status,
      this.findings,
    );
    this.root.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.submit();
    });
  }

  open(): void {
    this.update();
    this.area.preview();
    this.id.focus();
  }

  update(): void {
    const { site, zone } = this.desk;
    const zones = this.desk.context.store.get("zones")?.zones ?? [];
    this.zones.offer(zones.filter((each) => each.authority_id === site?.authority));
    const [from, to] = this.labels;
    if (from) setText(from, `From (${zone})`);
    if (to) setText(to, `Until (${zone})`);
    const refused = this.desk.whyNot("permit_office");
    setText(this.refusal, refused);
    this.send.disabled = refused !== "";
  }

  private read(known: readonly PermitView[]): Read {
    const bad = (problem: string, control: Bad["control"]): Bad => ({
      permit: null,
      problem,
      control,
    });
    const id = this.id.value.trim();
    const holder = this.holder.value.trim();
    const serials = parts(this.serials.value, /[\n,;]+/);
    const { area, problem, control } = this.area.read();
    const lower = this.lower.read();
    const upper = this.upper.read();
    const start = fromInput(this.from.value, this.desk.zone);
    const end = fromInput(this.to.value, this.desk.zone);
    if (id === "") return bad("Give the permit a number", this.id);
    const same = known.find((permit) => permit.id === id);
    if (same) {
      const words = `There is a permit ${id}, ${stateWord(same.state)}: give another number`;
      return bad(words, this.id);
    }
    if (holder === "") return bad("Name the holder", this.holder);
    if (serials.length === 0) return bad("Give at least one serial number", this.serials);
    if (this.zones.value.length === 0) {
      return bad("Pick at least one zone: a permit opens only what it names", this.zones);
    }
    if (!area) return bad(problem, control);
    if (lower.problem !== "") return bad(lower.problem, this.lower.box);
    if (upper.problem !== "") return bad(upper.problem, this.upper.box);
    const crossed = limitsFault(lower.limit, upper.limit);
    if (crossed !== "") return bad(crossed, this.upper.box);
    if (start === null) return bad("Say from when it holds", this.from);
    if (end === null) return bad("Say until when it holds", this.to);
    if (end <= start) return bad("The end must come after the start", this.to);
    const volume = {
      area: "circle" in area ? circle(area.circle) : polygon(area.ring),
      lower: lower.limit,
      upper: upper.limit,
      start: rfc3339(start),
      end: rfc3339(end),
    };
    const permit: PermitView = {
      id,
      holder,
      serials,
      zones: this.zones.value,
      volumes: [volume],
      state: "submitted",
      must_broadcast: this.broadcast.checked,
      conditions: parts(this.conditions.value, /\n+/),
    };
    return { permit, problem: "", control: null };
  }

  private async submit(): Promise<void> {
    const { site, context } = this.desk;
    if (!site || this.send.disabled) return;
    this.problem.clear();
    setText(this.status, "");
    this.findings.replaceChildren();
    this.send.disabled = true;
    try {
      const known = await this.known();
      const { permit, problem, control } = this.read(known);
      if (!permit) {
        this.problem.say(problem);
        control?.focus();
        return;
      }
      const began = performance.now();
      const body = { authority: site.authority, permits: [permit], exemptions: [] };
      const done = await context.api.command<Done>("put_permit", body);
      const record = recorded(done, performance.now() - began);
      setText(
        this.status,
        `Submitted: ${permit.id}, ${record}. It opens nothing until it is granted.`,
      );
      for (const found of done.findings) {
        const words = `${found.where}: ${found.problem}; ${found.assumed}`;
        this.findings.append(el("li", {}, words));
      }
      this.reset();
      this.entered();
    } catch (error) {
      this.problem.fault(error);
    } finally {
      this.send.disabled = this.desk.whyNot("permit_office") !== "";
    }
  }

  /** Asked anew: to put a permit under a number that is taken would replace the other. */
  private async known(): Promise<PermitView[]> {
    const told = await this.desk.context.api.get<PermitsMessage>("/v1/permits");
    return [...told.permits, ...told.exemptions];
  }

  private reset(): void {
    for (const box of [this.id, this.serials, this.conditions]) box.value = "";
    this.zones.clear();
    this.area.clear();
    this.desk.context.map.preview(null);
  }

  leaveMap(): void {
    this.area.leave();
  }

  hide(hidden: boolean): void {
    show(this.root, !hidden);
  }
}

function parts(words: string, between: RegExp): string[] {
  const all = words.split(between).map((part) => part.trim());
  return [...new Set(all.filter(Boolean))];
}

function circle([lat_deg, lon_deg, radius_m]: [number, number, number]) {
  return { circle: { lat_deg, lon_deg, radius_m } };
}

function polygon(ring: [number, number][]): Record<string, unknown> {
  return { type: "Polygon", coordinates: [tidyRing(ring)] };
}
