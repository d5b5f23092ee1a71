// A proposal: a new zone, a new version of one, or the zones of a document. It changes nothing until
// another person has approved it.

import type { ZoneView } from "../messages";
import { AreaField } from "./area-field";
import type { ZoneDocument } from "./ban-document";
import { button, el, field, input, select, setText, show, statusLine, textarea, tick } from "./dom";
import { HeightField, limitsFault } from "./height-field";
import { FieldFaults, ProblemBox } from "./problems";
import { recorded, type Desk, type Done } from "./site";
import { fromInput, rfc3339 } from "./times";
import { featureOf, proposal, type Drafted } from "./zone-document";
import { RESTRICTIONS, title } from "./zone-words";

const AREA_IDS = {
  lat: "zone-lat",
  lon: "zone-lon",
  radius: "zone-radius",
  drawCircle: "zone-draw-circle",
  drawPolygon: "zone-draw-polygon",
};
const LONGEST = "2000";

export class ZoneForm {
  readonly root = el("form", { class: "of-form", testid: "zone-form" });
  private readonly what = el("p", { class: "of-hint" });
  private readonly typed = el("div", { class: "of-plain" });
  private readonly id = input("text", "zone-id", { maxlength: "200", spellcheck: "false" });
  private readonly name = input("text", "zone-name", { maxlength: "200" });
  private readonly restriction = select(
    "zone-restriction",
    Object.entries(RESTRICTIONS).map(([value, { words }]): [string, string] => [value, words]),
  );
  private readonly basis = input("text", "zone-legal-basis", { maxlength: LONGEST });
  private readonly message = textarea("zone-message", { maxlength: LONGEST, rows: "2" });
  private readonly conditions = textarea("zone-conditions", { maxlength: LONGEST, rows: "2" });
  private readonly email = input("email", "zone-email", { maxlength: "254" });
  private readonly phone = input("tel", "zone-phone", { maxlength: "100" });
  private readonly contact = el("div", { class: "of-row2" });
  private readonly idField: HTMLElement;
  private readonly conditionsField: HTMLElement;
  private readonly anewLine: HTMLElement;
  private readonly anew: HTMLInputElement;
  private readonly where = el("div", { class: "of-plain" });
  private readonly area: AreaField;
  private readonly lower: HeightField;
  private readonly upper: HeightField;
  private readonly from = input("datetime-local", "zone-from");
  private readonly until = input("datetime-local", "zone-until");
  private readonly effective = input("datetime-local", "zone-effective");
  private readonly why = textarea("zone-propose-why", { maxlength: LONGEST, rows: "2" });
  private readonly file = input("file", "zone-file", { accept: ".json,.geojson" });
  private readonly box = new ProblemBox("zone-form-problem");
  private readonly faults: FieldFaults;
  private readonly send: HTMLButtonElement;
  private readonly done = statusLine("zone-proposed");
  private readonly openDone: HTMLButtonElement;
  private readonly clocks: [HTMLElement, string][] = [];
  private base: ZoneView | null = null;
  private proposed = "";

  constructor(
    private readonly desk: Desk,
    private readonly changed: () => void,
    openZone: (zoneId: string) => void,
  ) {
    const none = () => {};
    this.area = new AreaField(desk.context.map, AREA_IDS, none);
    this.lower = new HeightField("Lower", "zone-lower", { m: 0, reference: "AGL" }, none);
    this.upper = new HeightField("Upper", "zone-upper", { m: 120, reference: "AGL" }, none);
    [this.anewLine, this.anew] = tick("Draw area and heights anew", false, "zone-anew");
    this.idField = field("Identifier", this.id, "Up to 7 letters and digits, as ED-318 has it.");
    this.conditionsField = field("Conditions", this.conditions);
    this.send = el("button", { class: "of-button of-primary", testid: "zone-propose" });
    this.send.type = "submit";
    this.send.textContent = "Propose it";
    this.openDone = button("Open it", () => openZone(this.proposed), { testid: "zone-open-done" });
    this.faults = new FieldFaults(this.box, {
      identifier: this.id,
      name: this.name,
      "legal basis": this.basis,
      message: this.message,
      restrictionConditions: this.conditions,
      conditions: this.conditions,
      email: this.email,
      phone: this.phone,
      effective: this.effective,
      "in the past": this.effective,
      why: this.why,
      limitedApplicability: this.until,
      layer: this.upper.box,
      geometry: this.area.controls.lat_deg,
    });
    this.fill();
    this.listen();
  }

  private fill(): void {
    this.where.append(this.area.root, this.lower.root, this.upper.root);
    this.contact.append(
      field("Whom to ask: e-mail", this.email),
      field("Whom to ask: phone", this.phone),
    );
    const times = el("div", { class: "of-row2" });
    times.append(this.moment("Applies from", this.from), this.moment("Applies until", this.until));
    const timesHint = "Both empty: the times stay as they are; of a new zone, always.";
    this.typed.append(
      this.idField,
      field("Name", this.name),
      field("Restriction", this.restriction),
      this.conditionsField,
      field("Legal basis", this.basis, "The law or decree that it rests on."),
      field("Message to those who fly (optional)", this.message),
      this.contact,
      this.anewLine,
      this.where,
      times,
      el("p", { class: "of-hint" }, timesHint),
    );
    const effectiveHint = "Empty: when somebody puts it into force after it was approved.";
    this.root.noValidate = true;
    this.root.append(
      this.what,
      field("From a file instead (ED-318, ED-269 or GeoJSON)", this.file),
      this.typed,
      this.moment("To enter into force at", this.effective),
      el("p", { class: "of-hint" }, effectiveHint),
      field("Why", this.why),
      this.box.root,
      this.send,
      this.done,
      this.openDone,
    );
  }

  /** A moment on the site's clock, whose time zone is known once the site has told it. */
  private moment(label: string, box: HTMLInputElement): HTMLElement {
    const line = field(label, box);
    this.clocks.push([line.querySelector("label") as HTMLElement, label]);
    return line;
  }

  private listen(): void {
    this.root.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.submit();
    });
    for (const each of [this.file, this.anew, this.restriction]) {
      each.addEventListener("change", () => this.shown());
    }
    this.anew.addEventListener("change", () => this.begin());
  }

  /** For a new version of a zone, or null for a new zone. */
  open(base: ZoneView | null): void {
    this.base = base;
    this.faults.clear();
    setText(this.done, "");
    this.file.value = "";
    this.name.value = base ? title(base) : "";
    this.id.value = base?.zone_id ?? "";
    this.restriction.value = base?.restriction ?? "PROHIBITED";
    this.basis.value = base?.legal_basis ?? "";
    this.message.value = base?.message ?? "";
    this.conditions.value = base?.conditions ?? "";
    this.anew.checked = false;
    for (const each of [this.from, this.until, this.effective, this.why]) each.value = "";
    const words = base
      ? `A new version of ${title(base)} (${base.zone_id}). The version in force stays until then.`
      : "A new zone of this authority.";
    setText(this.what, `${words} Another person of the permit office approves it.`);
    this.shown();
    this.name.focus();
  }

  leaveMap(): void {
    this.area.leave();
  }

  /** What is drawn anew begins as what it was, where that was one area. */
  private begin(): void {
    const [volume, more] = this.base?.volumes ?? [];
    if (!this.anew.checked || !volume || more) return;
    const { area, lower, upper } = volume;
    if ("circle" in area) this.area.take(area);
    else if (area.rings[0]) this.area.take({ ring: area.rings[0] });
    this.lower.set(lower);
    this.upper.set(upper);
  }

  private shown(): void {
    const fromFile = (this.file.files?.length ?? 0) > 0;
    show(this.typed, !fromFile);
    show(this.idField, this.base === null);
    show(this.contact, this.base === null);
    show(this.anewLine, this.base !== null);
    show(this.where, this.base === null || this.anew.checked);
    show(this.conditionsField, this.restriction.value === "CONDITIONAL");
    for (const [node, label] of this.clocks) setText(node, `${label} (${this.desk.zone})`);
    show(this.openDone, this.done.textContent !== "");
    const refused = this.desk.whyNot("watch_officer", "permit_officer");
    this.send.disabled = refused !== "";
  }

  private bad(control: HTMLElement, words: string): null {
    this.faults.say(control, words);
    return null;
  }

  private place(): Drafted["where"] | undefined {
    if (this.base !== null && !this.anew.checked) return null;
    const { area, problem, control } = this.area.read();
    const lower = this.lower.read();
    const upper = this.upper.read();
    if (!area) return this.bad(control ?? this.area.controls.lat_deg, problem) ?? undefined;
    if (lower.problem !== "") return this.bad(this.lower.box, lower.problem) ?? undefined;
    if (upper.problem !== "") return this.bad(this.upper.box, upper.problem) ?? undefined;
    const crossed = limitsFault(lower.limit, upper.limit);
    if (crossed !== "") return this.bad(this.upper.box, crossed) ?? undefined;
    return { area, lower: lower.limit, upper: upper.limit };
  }

  private times(): Drafted["times"] | undefined {
    if (this.from.value === "" && this.until.value === "") return null;
    const startMs = fromInput(this.from.value, this.desk.zone);
    const endMs = fromInput(this.until.value, this.desk.zone);
    if (startMs === null) return this.bad(this.from, "Say from when it applies") ?? undefined;
    if (endMs === null) return this.bad(this.until, "Say until when it applies") ?? undefined;
    if (endMs <= startMs) return this.bad(this.until, "The end comes after the start") ?? undefined;
    return { startMs, endMs };
  }

  private draft(): Drafted | null {
    const said = (box: HTMLInputElement | HTMLTextAreaElement) => box.value.trim();
    const taken = this.desk.context.store.get("zones")?.zones ?? [];
    if (said(this.id) === "") return this.bad(this.id, "Give the zone an identifier");
    if (this.base === null && taken.some((zone) => zone.zone_id === said(this.id))) {
      return this.bad(this.id, "There is such a zone: open it, and propose a new version of it");
    }
    if (said(this.name) === "") return this.bad(this.name, "Give the zone a name");
    if (said(this.basis) === "") return this.bad(this.basis, "Name the legal basis");
    const where = this.place();
    if (where === undefined) return null;
    const times = this.times();
    if (times === undefined) return null;
    return {
      zoneId: said(this.id),
      name: said(this.name),
      restriction: this.restriction.value,
      legalBasis: said(this.basis),
      message: said(this.message),
      conditions: this.restriction.value === "CONDITIONAL" ? said(this.conditions) : "",
      email: said(this.email),
      phone: said(this.phone),
      where,
      times,
    };
  }

  private async document(): Promise<ZoneDocument | null> {
    const file = this.file.files?.[0];
    if (file) {
      const read: unknown = await file.text().then(JSON.parse).catch(() => null);
      const known = typeof read === "object" && read !== null && "features" in read;
      if (known) return read as ZoneDocument;
      return this.bad(this.file, "The file is no zone document in JSON with features");
    }
    const draft = this.draft();
    if (draft === null) return null;
    const authority = this.desk.site?.authority ?? "";
    if (this.base === null) return proposal(draft, authority);
    const published = await this.desk.context.api.get<ZoneDocument>("/v1/zones");
    const feature = featureOf(published, this.base.zone_id);
    if (!feature && draft.where === null) {
      const words = "What is published of it cannot be written: draw area and heights anew";
      return this.bad(this.anew, words);
    }
    return proposal(draft, authority, feature);
  }

  private async submit(): Promise<void> {
    if (this.send.disabled) return;
    this.faults.clear();
    this.send.disabled = true;
    try {
      const document = await this.document();
      if (document === null) return;
      const why = this.why.value.trim();
      if (why === "") return void this.bad(this.why, "Say why: it goes into the record");
      const effective = this.effective.value;
      const at = effective === "" ? null : fromInput(effective, this.desk.zone);
      if (effective !== "" && at === null) {
        return void this.bad(this.effective, "Give a time that the site's clock has");
      }
      const began = performance.now();
      const body = { document, why, effective: at === null ? null : rfc3339(at) };
      const done = await this.desk.context.api.command<Done>("propose_zones", body);
      this.told(done, performance.now() - began);
    } catch (error) {
      this.faults.fault(error);
    } finally {
      this.shown();
    }
  }

  private told(done: Done, tookMs: number): void {
    const ids = [...new Set(done.changed.map((each) => String(each["zone_id"])))];
    this.proposed = ids[0] ?? "";
    const words = `Proposed: ${ids.join(", ")}, ${recorded(done, tookMs)}.`;
    const said = done.findings.filter((found) => found.severity !== "note");
    const notes = said.map((found) => ` ${found.where}: ${found.problem}; ${found.assumed}.`);
    setText(this.done, words + notes.join(""));
    this.desk.context.map.preview(null);
    this.changed();
    this.shown();
    this.openDone.focus();
  }
}
