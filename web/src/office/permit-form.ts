// A new application: the ten items, volumes, zones; checked before it is sent, entered as submitted.
// Granting it is a step of its own.

import type { PermitsMessage, PermitView } from "../messages";
import { ApplicationFields, HolderFields } from "./application-fields";
import { button, el, field, input, setText, show, statusLine, textarea, tick } from "./dom";
import { CheckView, type Checked } from "./permit-check";
import { stateWord } from "./permit-words";
import { FieldFaults, ProblemBox, faultAt } from "./problems";
import { recorded, type Desk, type Done } from "./site";
import { VolumeField, ringsOf } from "./volume-field";
import { ZonePicker } from "./zone-picker";

/** More than anybody draws; a file may hold a country. */
const MOST_VOLUMES = 20;

type Read = { permit: PermitView } | { problem: string; control: HTMLElement };

export class PermitForm {
  readonly root: HTMLFormElement;
  private readonly id = input("text", "permit-id", { maxlength: "200", required: "" });
  private readonly holder = input("text", "permit-holder", { maxlength: "2000", required: "" });
  private readonly serials = textarea("permit-serials", { rows: "2", spellcheck: "false" });
  private readonly broadcast: HTMLInputElement;
  private readonly people = new HolderFields();
  private readonly application = new ApplicationFields();
  private readonly zones: ZonePicker;
  private readonly volumeList = el("div", { class: "of-plain" });
  private volumes: VolumeField[] = [];
  private made = 0;
  private readonly file = input("file", "permit-volume-file", { accept: ".geojson,.json" });
  private readonly box = new ProblemBox("permit-problem");
  private readonly faults: FieldFaults;
  private readonly look: HTMLButtonElement;
  private readonly send: HTMLButtonElement;
  private readonly check: CheckView;
  private readonly refusal = el("p", { class: "of-hint" });
  private readonly status = statusLine("permit-entered");
  private readonly findings = el("ul", { class: "of-plainlist" });
  /** What the service has checked; only that is sent. */
  private checked: PermitView | null = null;

  constructor(
    private readonly desk: Desk,
    private readonly entered: () => void,
    private readonly openPermit: (permitId: string) => void,
  ) {
    this.zones = new ZonePicker(() => {
      faultAt(this.zones.filter, "");
      this.touched();
    });
    const [broadcastLine, broadcast] = tick("Remote ID must be on", true, "permit-broadcast");
    this.broadcast = broadcast;
    this.look = el("button", { class: "of-button of-primary", testid: "permit-check-first" });
    this.look.type = "submit";
    this.look.textContent = "Check before sending";
    this.send = button("Enter it as submitted", () => void this.submit(), {
      class: "of-button of-primary",
      testid: "permit-submit",
    });
    this.check = new CheckView(desk, null);
    this.root = el("form", { class: "of-form", attrs: { novalidate: "" } });
    this.fill(broadcastLine);
    const first = this.addVolume();
    this.faults = new FieldFaults(this.box, {
      ...this.application.controls,
      ...this.people.controls,
      ...first.area.controls,
      id: this.id,
      holder: this.holder,
      serials: this.serials,
      start: first.from,
      end: first.to,
      upper: first.upper.box,
    });
    this.listen();
    this.touched();
  }

  private fill(broadcastLine: HTMLElement): void {
    const serialHint = "(1) As it broadcasts them; one a line or with commas.";
    const add = button("Add a volume", () => this.addVolume(), { testid: "permit-add-volume" });
    const fileField = field("Or take the outlines of a GeoJSON file", this.file);
    this.root.append(
      field("Number of the permit", this.id),
      field("Holder", this.holder),
      this.people.root,
      field("Aircraft serial numbers", this.serials, serialHint),
      this.application.root,
      this.volumeList,
      el("div", { class: "of-row2 of-bottom" }, add, fileField),
      this.zones.root,
      broadcastLine,
      this.box.root,
      this.refusal,
      this.look,
      this.check.root,
      this.send,
      this.status,
      this.findings,
    );
  }

  private listen(): void {
    this.root.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.checkFirst();
    });
    this.root.addEventListener("input", () => this.touched());
    this.root.addEventListener("change", () => this.touched());
    this.file.addEventListener("change", () => void this.readFile());
  }

  private addVolume(): VolumeField {
    this.made += 1;
    const stem = this.made === 1 ? "permit" : `permit-${this.made}`;
    const volume = new VolumeField(this.desk, stem, (gone) => this.removeVolume(gone));
    const last = this.volumes[this.volumes.length - 1];
    if (last) volume.timesOf(last);
    this.volumes.push(volume);
    this.volumeList.append(volume.root);
    this.numberVolumes();
    return volume;
  }

  private removeVolume(gone: VolumeField): void {
    gone.area.leave();
    gone.root.remove();
    this.volumes = this.volumes.filter((each) => each !== gone);
    this.numberVolumes();
    this.touched();
  }

  private numberVolumes(): void {
    this.volumes.forEach((each, i) => each.number(i, this.volumes.length));
  }

  private async readFile(): Promise<void> {
    const file = this.file.files?.[0];
    if (!file) return;
    this.faults.clear();
    try {
      const rings = ringsOf(await file.text()).slice(0, MOST_VOLUMES);
      for (const ring of rings) {
        const free = this.volumes.find((each) => each.area.read().area === null);
        (free ?? this.addVolume()).area.take({ ring });
      }
    } catch (error) {
      this.faults.say(this.file, error instanceof Error ? error.message : String(error));
    }
    this.file.value = "";
  }

  open(): void {
    this.update();
    this.volumes[0]?.area.preview();
    this.id.focus();
  }

  update(): void {
    const { site } = this.desk;
    const zones = this.desk.context.store.get("zones")?.zones ?? [];
    this.zones.offer(zones.filter((each) => each.authority_id === site?.authority));
    this.numberVolumes();
    const refused = this.desk.whyNot("permit_officer");
    setText(this.refusal, refused);
    this.look.disabled = refused !== "";
  }

  /** Something is typed: what was checked is no longer what would be sent. */
  private touched(): void {
    this.checked = null;
    show(this.send, false);
    show(this.check.root, false);
    this.check.clear();
  }

  private read(known: readonly PermitView[]): Read {
    const bad = (problem: string, control: HTMLElement): Read => ({ problem, control });
    const id = this.id.value.trim();
    const serials = parts(this.serials.value, /[\n,;]+/);
    if (id === "") return bad("Give the permit a number", this.id);
    const same = known.find((permit) => permit.id === id);
    if (same) {
      const words = `There is a permit ${id}, ${stateWord(same.state)}: give another number`;
      return bad(words, this.id);
    }
    if (this.holder.value.trim() === "") return bad("Name the holder", this.holder);
    if (serials.length === 0) return bad("Give at least one serial number", this.serials);
    const told = this.application.read();
    if ("problem" in told) return told;
    const volumes: PermitView["volumes"] = [];
    for (const each of this.volumes) {
      const volume = each.read();
      if ("problem" in volume) return volume;
      volumes.push(volume.volume);
    }
    if (this.zones.value.length === 0) {
      return bad("Pick at least one zone: a permit opens only what it names", this.zones.filter);
    }
    const permit: PermitView = {
      id,
      holder: this.holder.value.trim(),
      serials,
      zones: this.zones.value,
      volumes,
      state: "submitted",
      must_broadcast: this.broadcast.checked,
      procedure: this.people.read(),
      ...(told.application ? { application: told.application } : {}),
    };
    return { permit };
  }

  private async checkFirst(): Promise<void> {
    if (this.look.disabled) return;
    this.faults.clear();
    setText(this.status, "");
    this.findings.replaceChildren();
    this.look.disabled = true;
    try {
      const read = this.read(await this.known());
      if ("problem" in read) {
        this.faults.say(read.control, read.problem);
        return;
      }
      show(this.check.root, true);
      const found = await this.check.check(read.permit, false);
      if (found) this.found(read.permit, found);
    } catch (error) {
      show(this.check.root, false);
      this.faults.fault(error);
    } finally {
      this.look.disabled = this.desk.whyNot("permit_officer") !== "";
    }
  }

  /** What cannot be read stands beside its field and is not sent; all else is the sender's to weigh. */
  private found(permit: PermitView, { findings }: Checked): void {
    const errors = findings.filter((each) => each.severity === "error");
    const at = findings.map(({ where, problem, assumed }) =>
      this.faults.finding({ where, problem, mend: assumed }),
    );
    if (errors.length > 0) {
      at.find((control, i) => control !== null && findings[i]?.severity === "error")?.focus();
      return;
    }
    this.checked = permit;
    show(this.send, true);
    this.send.focus();
    this.check.root.scrollIntoView({ block: "nearest" });
  }

  private async submit(): Promise<void> {
    const { site, context } = this.desk;
    const permit = this.checked;
    if (!site || !permit) return;
    this.send.disabled = true;
    try {
      const began = performance.now();
      const body = { authority: site.authority, permits: [permit], exemptions: [] };
      const done = await context.api.command<Done>("put_permit", body);
      this.done(permit.id, done, performance.now() - began);
    } catch (error) {
      this.faults.fault(error);
    } finally {
      this.send.disabled = false;
    }
  }

  private done(id: string, done: Done, tookMs: number): void {
    const words = `Submitted: ${id}, ${recorded(done, tookMs)}. It opens nothing until it is granted.`;
    const open = button(`Open ${id}`, () => this.openPermit(id), { testid: "permit-open-entered" });
    this.reset();
    this.status.replaceChildren(words);
    this.findings.replaceChildren(
      ...done.findings.map((found) => {
        return el("li", {}, `${found.where}: ${found.problem}; ${found.assumed}`);
      }),
      el("li", {}, open),
    );
    open.focus();
    this.entered();
  }

  /** Asked anew: to put a permit under a number that is taken would replace the other. */
  private async known(): Promise<PermitView[]> {
    const told = await this.desk.context.api.get<PermitsMessage>("/v1/permits");
    return [...told.permits, ...told.exemptions];
  }

  private reset(): void {
    for (const box of [this.id, this.holder, this.serials]) box.value = "";
    this.people.clear();
    this.application.clear();
    this.zones.clear();
    for (const each of this.volumes.slice(1)) this.removeVolume(each);
    this.volumes[0]?.area.clear();
    this.touched();
    this.desk.context.map.compare([], []);
  }

  leaveMap(): void {
    for (const each of this.volumes) each.area.leave();
  }

  hide(hidden: boolean): void {
    show(this.root, !hidden);
  }
}

function parts(words: string, between: RegExp): string[] {
  const all = words.split(between).map((part) => part.trim());
  return [...new Set(all.filter(Boolean))];
}
