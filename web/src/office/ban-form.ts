// The emergency ban: typed, shown on the map and in one sentence, confirmed, in force.

import type { ZonesMessage } from "../messages";
import { drawnAreaM2, squareKm } from "./areas";
import { AreaField } from "./area-field";
import { banDocument, banSentence, freshIdentifier, type Ban } from "./ban-document";
import { button, el, field, input, setText, show, statusLine, textarea } from "./dom";
import { HeightField } from "./height-field";
import { ProblemBox, capital, inDoubt } from "./problems";
import { recorded, type Desk, type Done } from "./site";
import { fromInput, parseRfc3339, span, toInput } from "./times";
import type { Versions } from "./zone-versions";

const HOUR_MS = 3_600_000;
const DEFAULT_HOURS = 6;
const DEFAULT_UPPER = { m: 300, reference: "AGL" };
const DEFAULT_RADIUS_M = 800;
/** Larger than any town: a slip of the hand more often than a wish. */
const LARGE_M2 = 50e6;
const UPPER_HINT =
  "AGL and AMSL need the site's terrain: without it a drone here comes out as undetermined. " +
  "HAE or no limit need none.";

export class BanForm {
  readonly root: HTMLFormElement;
  private readonly fields = el("fieldset", { class: "of-plain" });
  private readonly name = input("text", "ban-name", { maxlength: "200", required: "" });
  private readonly message = textarea("ban-message", { maxlength: "2000", rows: "2" });
  private readonly basis = input("text", "ban-legal-basis", { maxlength: "2000", required: "" });
  private readonly why = input("text", "ban-why", { maxlength: "2000", required: "" });
  private readonly until = input("datetime-local", "ban-until", { required: "" });
  private readonly untilLabel: HTMLElement;
  private readonly area: AreaField;
  private readonly upper: HeightField;
  private readonly sentence = el("p", { class: "of-sentence", testid: "ban-sentence" });
  private readonly notes = el("p", { class: "of-hint" });
  private readonly problem = new ProblemBox("ban-problem");
  private readonly review = button("Check and confirm", () => {}, { testid: "ban-review" });
  private readonly confirm: HTMLElement;
  private readonly confirmButton: HTMLButtonElement;
  private readonly sending = statusLine("ban-sending");
  private readonly done = statusLine("ban-done");
  private readonly lapse = el("p", { class: "of-warning", testid: "ban-lapse" });
  private readonly again: HTMLElement;
  private untilTouched = false;
  private confirming = false;
  private identifier = "";
  private pending: Ban | null = null;
  /** Not known whether the service took it; in force and not yet in the live list. */
  private doubtful = false;
  private unseen = false;

  constructor(
    private readonly desk: Desk,
    private readonly leave: () => void,
  ) {
    this.upper = new HeightField(
      "Upper",
      "ban-upper",
      DEFAULT_UPPER,
      () => this.tell(),
      UPPER_HINT,
    );
    const ids = {
      lat: "ban-lat",
      lon: "ban-lon",
      radius: "ban-radius",
      drawCircle: "ban-draw-circle",
      drawPolygon: "ban-draw-polygon",
    };
    this.area = new AreaField(desk.context.map, ids, () => this.tell());
    this.area.setRadius(DEFAULT_RADIUS_M);
    this.confirmButton = button("Declare the ban now", () => void this.declare(), {
      class: "of-button of-danger",
      testid: "ban-confirm",
    });
    this.confirm = el("div", { class: "of-confirm" }, this.confirmButton);
    this.confirm.append(button("Back to the form", () => this.stepBack(), { testid: "ban-back" }));
    this.again = el("div", { class: "of-buttons" });
    this.again.append(button("Back to the zones", this.leave));
    const label = field(
      "Until",
      this.until,
      "The ban ends by itself then; it can be withdrawn before.",
    );
    this.untilLabel = label.querySelector("label") as HTMLElement;
    this.review.type = "submit";
    this.review.classList.add("of-primary");
    this.fill(label);
    this.root = el("form", { class: "of-form", attrs: { novalidate: "" } });
    this.root.append(this.fields, this.sentence, this.notes, this.problem.root, this.review);
    this.root.append(this.confirm, this.sending, this.done, this.lapse, this.again);
    this.listen();
    this.tell();
  }

  private fill(until: HTMLElement): void {
    const hours = el("div", { class: "of-buttons" });
    for (const each of [1, 6, 24]) {
      const words = `${each} h from now`;
      hours.append(button(words, () => this.setHours(each), { class: "of-button of-small" }));
    }
    this.fields.append(
      el(
        "p",
        { class: "of-hint" },
        "A prohibition for the reason EMERGENCY, in force at once. It lapses unless the permit " +
          "office confirms it in the time that the site sets.",
      ),
      field("Name", this.name),
      field("Legal basis", this.basis, "The law or decree that this ban rests on; needed."),
      field("Why now", this.why, "What happened; it goes into the record."),
      this.area.root,
      this.upper.root,
      until,
      hours,
      field("Message to those who fly (optional)", this.message),
    );
  }

  private listen(): void {
    this.root.addEventListener("submit", (event) => {
      event.preventDefault();
      this.check();
    });
    for (const each of [this.name, this.basis, this.why, this.message]) {
      each.addEventListener("input", () => this.tell());
    }
    this.until.addEventListener("input", () => {
      this.untilTouched = true;
      this.tell();
    });
  }

  private get isDone(): boolean {
    return this.done.textContent !== "";
  }

  /** It was opened: clocks are set; after a ban that is in force, a new one begins. */
  open(): void {
    if (this.isDone) this.reset();
    this.tell();
    this.name.focus();
  }

  private reset(): void {
    setText(this.done, "");
    this.identifier = "";
    this.doubtful = this.unseen = false;
    this.pending = null;
    this.name.value = this.why.value = this.message.value = "";
    this.untilTouched = false;
    this.area.clear();
    this.tell();
  }

  private setHours(hours: number): void {
    this.untilTouched = true;
    this.until.value = toInput(this.desk.nowMs() + hours * HOUR_MS, this.desk.zone);
    this.tell();
  }

  /** The ban as it is entered, or in words what is missing and where. */
  private read(): { ban: Ban | null; problem: string; control: HTMLElement | null } {
    const bad = (problem: string, control: HTMLElement | null) => ({ ban: null, problem, control });
    const { area, problem, control } = this.area.read();
    const upper = this.upper.read();
    const now = this.desk.nowMs();
    const end = fromInput(this.until.value, this.desk.zone);
    if (this.name.value.trim() === "") return bad("Give the ban a name", this.name);
    if (this.basis.value.trim() === "") {
      return bad("Give the legal basis: a ban without one does not stand", this.basis);
    }
    if (this.why.value.trim() === "") return bad("Say why the ban is needed now", this.why);
    if (!area) return bad(problem, control);
    if (upper.problem !== "") return bad(upper.problem, this.upper.box);
    if (upper.limit?.reference === "AGL" && upper.limit.m <= 0) {
      return bad("The upper limit must lie above the ground", this.upper.box);
    }
    if (end === null) return bad("Say until when: a time that the site's clock has", this.until);
    if (end <= now) return bad("The end must lie ahead", this.until);
    const ban = {
      identifier: this.identifier,
      name: this.name.value.trim(),
      message: this.message.value.trim(),
      legalBasis: this.basis.value.trim(),
      area,
      upper: upper.limit,
      startMs: now,
      endMs: end,
    };
    return { ban, problem: "", control: null };
  }

  /** The sentence and everything that depends on the clock; called every few seconds. */
  tell(): void {
    if (!this.untilTouched && !this.confirming) {
      const usual = toInput(this.desk.nowMs() + DEFAULT_HOURS * HOUR_MS, this.desk.zone);
      if (this.until.value !== usual) this.until.value = usual;
    }
    setText(this.untilLabel, `Until (${this.desk.zone})`);
    setText(this.sentence, this.words());
    const finished = this.isDone;
    const refused = this.desk.whyNot("watch_officer", "permit_officer");
    setText(this.notes, refused || this.exceptions());
    show(this.fields, !finished);
    show(this.sentence, !finished);
    show(this.notes, !finished);
    show(this.review, !finished && !this.confirming);
    show(this.confirm, !finished && this.confirming);
    show(this.lapse, finished && this.lapse.textContent !== "");
    show(this.again, finished);
    this.review.disabled = refused !== "";
  }

  private words(): string {
    const { area } = this.area.read();
    const upper = this.upper.read();
    const end = fromInput(this.until.value, this.desk.zone);
    if (!area || upper.problem !== "" || end === null) {
      return "Draw or type the area to see here what will be banned.";
    }
    const { zone } = this.desk;
    return banSentence(area, upper.limit, end, zone, this.desk.nowMs());
  }

  /** Whom the ban does not bind, and how large it is: what the sentence leaves out. */
  private exceptions(): string {
    const permits = this.desk.context.store.get("permits");
    const open = (permits?.exemptions ?? []).filter(
      (e) => (e.zones ?? []).length === 0 && ["granted", "activated"].includes(e.state),
    ).length;
    const one = " 1 standing exemption that names no zone still holds in it.";
    const many = ` ${open} standing exemptions that name no zone still hold in it.`;
    const named = open === 0 ? "" : open === 1 ? one : many;
    const { area } = this.area.read();
    const m2 = area ? drawnAreaM2(area) : 0;
    const large = m2 > LARGE_M2 ? " That is a large area: look at it on the map." : "";
    const size = area ? ` The area is ${squareKm(m2)}.${large}` : "";
    return `No permit opens a new ban.${named}${size}`;
  }

  private check(): void {
    this.problem.clear();
    const { problem, control } = this.read();
    if (problem !== "") {
      this.problem.say(problem);
      control?.focus();
      return;
    }
    this.confirming = true;
    this.fields.disabled = true;
    this.tell();
    this.confirmButton.focus();
  }

  private stepBack(): void {
    this.confirming = false;
    this.fields.disabled = false;
    this.tell();
    this.review.focus();
  }

  private async declare(): Promise<void> {
    const { site, context } = this.desk;
    if (!site) return;
    if (this.identifier === "") {
      const zones = context.store.get("zones")?.zones ?? [];
      this.identifier = freshIdentifier(new Set(zones.map((z) => z.zone_id)));
    }
    const { ban, problem } = this.read();
    if (!ban) {
      this.stepBack();
      this.problem.say(problem);
      return;
    }
    this.problem.clear();
    this.confirmButton.disabled = true;
    setText(this.sending, "Sending …");
    this.pending = ban;
    const began = performance.now();
    try {
      const body = { document: banDocument(ban, site.authority), why: this.why.value.trim() };
      const done = await context.api.command<Done>("declare_ban", body);
      const held = done.changed.some(
        (c) => c["zone_id"] === ban.identifier && c["state"] === "in_force",
      );
      if (held) this.finished(recorded(done, performance.now() - began));
      else this.notHeld(ban.identifier);
    } catch (error) {
      this.failed(error);
    } finally {
      this.confirmButton.disabled = false;
      setText(this.sending, "");
    }
  }

  private finished(record: string): void {
    const ban = this.pending;
    if (!ban) return;
    const left = span(ban.endMs - this.desk.nowMs());
    const until = this.desk.clock(ban.endMs);
    const words = `In force: ${ban.name} (zone ${ban.identifier}), until ${until}, ${left} from now.`;
    setText(this.done, `${words} ${record === "" ? "" : capital(record)}`.trim());
    void this.tellLapse(ban.identifier);
    this.confirming = false;
    this.fields.disabled = false;
    this.desk.context.map.preview(null);
    const known = this.desk.context.store.get("zones")?.zones ?? [];
    this.unseen = !known.some((z) => z.zone_id === ban.identifier);
    if (!this.unseen) this.desk.context.map.showZone(ban.identifier);
    this.tell();
    this.done.tabIndex = -1;
    this.done.focus();
  }

  /** When it ends by itself unless somebody confirms it: the service has set that moment. */
  private async tellLapse(zoneId: string): Promise<void> {
    setText(this.lapse, "");
    try {
      const path = `/v1/zones/versions?zone_id=${encodeURIComponent(zoneId)}`;
      const { versions } = await this.desk.context.api.get<Versions>(path);
      // None is to be confirmed: others' zones, and those that were confirmed meanwhile.
      const at = versions.find((each) => each.confirm_by !== null)?.confirm_by;
      if (!at) return;
      const ms = parseRfc3339(at);
      const end = this.pending?.endMs ?? Infinity;
      if (ms >= end) {
        const words = `It ends by itself before it would have to be confirmed (${this.desk.clock(ms)}).`;
        setText(this.lapse, words);
        this.tell();
        return;
      }
      const left = span(ms - this.desk.nowMs());
      const words = `It lapses at ${this.desk.clock(ms)} (in ${left}) unless the permit office confirms it.`;
      setText(this.lapse, words);
    } catch {
      setText(this.lapse, "It lapses unless the permit office confirms it in time.");
    }
    this.tell();
  }

  private notHeld(zoneId: string): void {
    this.stepBack();
    const mend = `Look at zone ${zoneId} in the list.`;
    this.problem.say("The service took it and does not say that it is in force", mend);
  }

  private failed(error: unknown): void {
    this.doubtful = inDoubt(error);
    this.stepBack();
    const zone = `zone ${this.identifier}`;
    const doubt = `It is not known whether ${zone} is in force; to send it again is safe.`;
    this.problem.fault(error, this.doubtful ? doubt : "");
  }

  leaveMap(): void {
    this.area.leave();
  }

  /** The area as it is entered, on the map once more. */
  showArea(): void {
    if (!this.isDone) this.area.preview();
  }

  /** The live list has the ban: it can be pointed out, and a doubt is settled. */
  zonesCame(message: ZonesMessage): void {
    if (this.identifier === "" || !(this.doubtful || this.unseen)) return;
    if (message.zones.some((z) => z.zone_id === this.identifier && z.state === "in_force")) {
      if (this.unseen) this.desk.context.map.showZone(this.identifier);
      this.unseen = false;
      if (!this.doubtful) return;
      this.doubtful = false;
      this.problem.clear();
      this.finished("");
    }
  }
}
