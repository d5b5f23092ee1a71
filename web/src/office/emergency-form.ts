// An emergency exemption, spoken in while somebody is on the phone: class, aircraft, place, minutes.
// Everything has a usual value but the serial number; Tab and Enter are enough.

import type { ZoneView } from "../messages";
import { parse } from "./area-field";
import { button, el, field, input, select, setText, show, statusLine } from "./dom";
import { FieldFaults, ProblemBox } from "./problems";
import { recorded, type Desk, type Done } from "./site";
import { parseRfc3339, span } from "./times";
import { groupOf, inOrder, title } from "./zone-words";

const CLASSES: [string, string][] = [
  ["rescue", "Rescue"],
  ["medical", "Medical"],
  ["police", "Police"],
  ["fire", "Fire"],
  ["customs", "Customs"],
  ["authority", "Authority's own"],
];
const AROUND = "";
const USUAL_MINUTES = "30";
const USUAL_RADIUS_M = "800";
/** A list that is longer is no longer quicker than typing a place. */
const MOST_ZONES = 200;

export class EmergencyForm {
  readonly root = el("form", { class: "of-form", testid: "emergency-form" });
  private readonly kind = select("emergency-class", CLASSES);
  private readonly serials = input("text", "emergency-serials", { spellcheck: "false" });
  private readonly where = select("emergency-where", [[AROUND, "around a place …"]]);
  private readonly lat = input("text", "emergency-lat", { inputmode: "decimal" });
  private readonly lon = input("text", "emergency-lon", { inputmode: "decimal" });
  private readonly radius = input("text", "emergency-radius", { inputmode: "decimal" });
  private readonly around = el("div", { class: "of-plain" });
  private readonly minutes = input("text", "emergency-minutes", { inputmode: "decimal" });
  private readonly why = input("text", "emergency-why", { maxlength: "2000" });
  private readonly box = new ProblemBox("emergency-problem");
  private readonly faults: FieldFaults;
  private readonly send: HTMLButtonElement;
  private readonly refusal = el("p", { class: "of-hint" });
  private readonly done = statusLine("emergency-done");
  private readonly openDone: HTMLButtonElement;
  private declared: { id: string; record: string } | null = null;
  private offered = "";

  constructor(
    private readonly desk: Desk,
    private readonly entered: () => void,
    openPermit: (permitId: string) => void,
  ) {
    this.minutes.value = USUAL_MINUTES;
    this.radius.value = USUAL_RADIUS_M;
    this.send = el("button", { class: "of-button of-danger", testid: "emergency-send" });
    this.send.type = "submit";
    this.send.textContent = "Exempt them now";
    this.openDone = button("Open it", () => {
      if (this.declared) openPermit(this.declared.id);
    });
    this.faults = new FieldFaults(this.box, {
      exemption_class: this.kind,
      serials: this.serials,
      "serial number": this.serials,
      zone_id: this.where,
      lat_deg: this.lat,
      lon_deg: this.lon,
      radius_m: this.radius,
      minutes: this.minutes,
      why: this.why,
    });
    this.root.noValidate = true;
    this.fill();
    this.root.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.declare();
    });
    this.where.addEventListener("change", () => this.shown());
    show(this.openDone, false);
  }

  private fill(): void {
    const draw = button("Show it on the map: middle, then edge", () => void this.draw(), {
      class: "of-button of-small",
    });
    const place = el("div", { class: "of-row3" });
    place.append(
      field("Latitude (°)", this.lat),
      field("Longitude (°)", this.lon),
      field("Radius (m)", this.radius),
    );
    this.around.append(place, draw);
    const hint =
      "It holds at once and lapses by itself; before that somebody has to confirm it. " +
      "Tab to the next field, Enter to exempt.";
    this.root.append(
      el("p", { class: "of-hint" }, hint),
      field("Whose aircraft", this.kind),
      field("Serial number", this.serials, "As it broadcasts it; several with commas."),
      field("Where", this.where),
      this.around,
      field("For how many minutes", this.minutes),
      field("Why (optional)", this.why),
      this.box.root,
      this.refusal,
      this.send,
      this.done,
      this.openDone,
    );
  }

  open(): void {
    this.update();
    this.kind.focus();
  }

  /** The zones that can be named, those that apply first; what is chosen stays. */
  update(): void {
    const refused = this.desk.whyNot("watch_officer", "permit_officer");
    setText(this.refusal, refused);
    this.send.disabled = refused !== "";
    const own = this.zones();
    const key = JSON.stringify(own.map((zone) => [zone.zone_id, title(zone)]));
    if (key !== this.offered) {
      const before = this.offered === "" ? null : this.where.value;
      this.offered = key;
      const options = own.map((zone) => {
        const words = title(zone) === zone.zone_id ? zone.zone_id : `${title(zone)} (${zone.zone_id})`;
        return el("option", { attrs: { value: zone.zone_id } }, words);
      });
      const last = el("option", { attrs: { value: AROUND } }, "around a place …");
      this.where.replaceChildren(...options, last);
      const kept = before !== null && own.some((zone) => zone.zone_id === before);
      this.where.value = kept ? before : (own[0]?.zone_id ?? AROUND);
    }
    this.shown();
    this.tell();
  }

  private zones(): ZoneView[] {
    const all = this.desk.context.store.get("zones")?.zones ?? [];
    const authority = this.desk.site?.authority;
    const own = all.filter((zone) => zone.authority_id === authority && zone.readable);
    const open = own.filter((zone) => !["ended", "coming"].includes(groupOf(zone)));
    return open.sort(inOrder).slice(0, MOST_ZONES);
  }

  private shown(): void {
    show(this.around, this.where.value === AROUND);
  }

  private async draw(): Promise<void> {
    const area = await this.desk.context.map.drawArea("circle");
    if (!area || !("circle" in area)) return;
    const [lat, lon, radius] = area.circle;
    this.lat.value = lat.toFixed(6);
    this.lon.value = lon.toFixed(6);
    this.radius.value = String(Math.max(1, Math.round(radius)));
    this.desk.context.map.preview(area);
    this.minutes.focus();
  }

  private read(): Record<string, unknown> | null {
    const bad = (control: HTMLElement, words: string) => {
      this.faults.say(control, words);
      return null;
    };
    const serials = this.serials.value.split(/[\s,;]+/).filter(Boolean);
    if (serials.length === 0) {
      return bad(this.serials, "Give the serial number: without it every drone there is let in");
    }
    const minutes = parse(this.minutes.value);
    if (!(minutes > 0)) return bad(this.minutes, "Give the minutes from now");
    const body: Record<string, unknown> = {
      exemption_class: this.kind.value,
      serials,
      minutes,
      why: this.why.value.trim(),
    };
    if (this.where.value !== AROUND) return { ...body, zone_id: this.where.value };
    const [lat, lon, radius] = [this.lat, this.lon, this.radius].map((box) => parse(box.value));
    if (!(Math.abs(lat ?? NaN) <= 90)) return bad(this.lat, "Give a latitude, or a zone");
    if (!(Math.abs(lon ?? NaN) <= 180)) return bad(this.lon, "Give a longitude, or a zone");
    if (!((radius ?? 0) > 0)) return bad(this.radius, "Give a radius in metres");
    return { ...body, around: { lat_deg: lat, lon_deg: lon, radius_m: radius } };
  }

  private async declare(): Promise<void> {
    if (this.send.disabled) return;
    this.faults.clear();
    const body = this.read();
    if (body === null) return;
    this.send.disabled = true;
    const began = performance.now();
    try {
      const { api } = this.desk.context;
      const done = await api.command<Done>("declare_exemption", body);
      const id = String(done.changed[0]?.["permit_id"] ?? "");
      this.declared = { id, record: recorded(done, performance.now() - began) };
      this.serials.value = this.why.value = "";
      this.tell();
      show(this.openDone, true);
      this.openDone.focus();
      this.desk.context.map.preview(null);
      this.entered();
    } catch (error) {
      this.faults.fault(error);
    } finally {
      this.send.disabled = false;
    }
  }

  /** What holds now, until when, and by when it must be confirmed: the live list tells the times. */
  private tell(): void {
    if (!this.declared) return;
    const { id, record } = this.declared;
    const told = this.desk.context.store.get("permits")?.exemptions.find((e) => e.id === id);
    const end = told?.volumes[0]?.end;
    const confirm = told?.procedure?.confirm_by;
    const now = this.desk.nowMs();
    const parts = [`Exempt: ${id}`];
    if (end) parts.push(`until ${this.desk.clock(parseRfc3339(end))}`);
    const ends = end ? parseRfc3339(end) : Infinity;
    if (told?.state === "provisional" && confirm && parseRfc3339(confirm) < ends) {
      const at = parseRfc3339(confirm);
      parts.push(`it lapses unless it is confirmed by ${this.desk.clock(at)} (in ${span(at - now)})`);
    } else if (told?.state === "provisional") {
      parts.push("to be confirmed before that");
    }
    setText(this.done, `${parts.join(", ")}. ${record.charAt(0).toUpperCase()}${record.slice(1)}.`);
  }
}
