// A conclusion by name: what is concluded, in words, and the evidence it rests on.

import { CONCLUSIONS, conclusionWords, type IncidentWhole } from "./case-words";
import { el, field, select, setText, statusLine, textarea, tick } from "./dom";
import { Keyed } from "./keyed";
import { ProblemBox } from "./problems";
import { recorded, type Desk, type Done } from "./site";

interface Piece {
  id: string;
  words: string;
}

export class AssessForm {
  readonly root: HTMLFormElement;
  private readonly conclusion: HTMLSelectElement;
  private readonly words = textarea("assess-words", { maxlength: "2000", required: "" });
  private readonly list = el("ul", { class: "of-picks" });
  private readonly keyed: Keyed<Piece>;
  private readonly ticked = new Set<string>();
  private readonly need = el("p", { class: "of-hint", testid: "assess-need" });
  private readonly problem = new ProblemBox("assess-problem");
  private readonly status = statusLine("assess-done");
  private readonly send: HTMLButtonElement;
  private readonly signed = el("p", { class: "of-hint" });
  private incidentId = "";
  private whyNot = "";

  constructor(
    private readonly desk: Desk,
    private readonly assessed: () => void,
  ) {
    const options = CONCLUSIONS.map(({ value, words }): [string, string] => [value, words]);
    this.conclusion = select("assess-conclusion", options);
    this.keyed = new Keyed(this.list, {
      key: (piece) => piece.id,
      signature: (piece) => piece.words,
      make: (piece) => this.make(piece),
    });
    this.send = el("button", { class: "of-button of-primary", testid: "assess-submit" });
    this.send.type = "submit";
    this.send.textContent = "Record my assessment";
    const legend = el("legend", {}, "Evidence it rests on");
    const evidence = el("fieldset", { class: "of-group" }, legend, this.list, this.need);
    this.root = el("form", { class: "of-form", attrs: { novalidate: "" } });
    this.root.append(el("h4", {}, "Assess"), this.signed, field("Conclusion", this.conclusion));
    this.root.append(field("In your words", this.words), evidence, this.problem.root);
    this.root.append(this.send, this.status);
    this.conclusion.addEventListener("change", () => this.tell());
    this.root.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.submit();
    });
  }

  open(incidentId: string): void {
    if (incidentId === this.incidentId) return;
    this.incidentId = incidentId;
    this.words.value = "";
    this.ticked.clear();
    this.problem.clear();
    setText(this.status, "");
    this.keyed.update([]);
  }

  update(whole: IncidentWhole): void {
    const { incident, reports, sightings } = whole;
    const closed = incident.state !== "open" ? "It is closed; reopen it to assess it." : "";
    this.whyNot = closed || this.desk.whyNot("watch_officer");
    this.keyed.update([
      ...incident.tracks.map((id) => ({ id, words: `Detected: track ${id}` })),
      ...incident.alerts.map((id) => ({ id, words: `Detected: alert ${id}` })),
      ...sightings.map((_, i) => ({
        id: `sighting ${i + 1}`,
        words: `Reported: sighting ${i + 1}`,
      })),
      ...reports.map((r, i) => ({
        id: `report ${i + 1}`,
        words: `Reported: report ${i + 1} by ${r.author.name}`,
      })),
    ]);
    this.tell();
  }

  private make(piece: Piece): HTMLElement {
    const [line, box] = tick(piece.words, this.ticked.has(piece.id), "assess-evidence");
    box.dataset["evidence"] = piece.id;
    box.addEventListener("change", () => {
      if (box.checked) this.ticked.add(piece.id);
      else this.ticked.delete(piece.id);
      this.tell();
    });
    return el("li", {}, line);
  }

  private missing(): number {
    const needs = CONCLUSIONS.find((c) => c.value === this.conclusion.value)?.needs ?? 0;
    return Math.max(0, needs - this.ticked.size);
  }

  private tell(): void {
    const needs = CONCLUSIONS.find((c) => c.value === this.conclusion.value)?.needs ?? 0;
    const pieces = needs === 1 ? "1 piece" : `${needs} pieces`;
    const name = conclusionWords(this.conclusion.value).toLowerCase();
    const need = needs === 0 ? "needs no evidence" : `needs at least ${pieces} of evidence`;
    setText(this.need, `“${name}” ${need}; ${this.ticked.size} ticked.`);
    const holder = this.desk.site?.holder ?? "";
    const rule = "It is never changed afterwards; others may conclude otherwise.";
    setText(this.signed, this.whyNot || `It is recorded as yours, ${holder}. ${rule}`);
    this.send.disabled = this.whyNot !== "";
  }

  private async submit(): Promise<void> {
    this.problem.clear();
    setText(this.status, "");
    if (this.send.disabled) return;
    const words = this.words.value.trim();
    const missing = this.missing();
    if (words === "") {
      this.problem.say("Say in words what you conclude");
      this.words.focus();
      return;
    }
    if (missing > 0) {
      this.problem.say(`${missing} more piece${missing === 1 ? "" : "s"} of evidence needed`);
      this.list.querySelector("input")?.focus();
      return;
    }
    this.send.disabled = true;
    const conclusion = this.conclusion.value;
    const evidence = [...this.ticked];
    const body = { incident_id: this.incidentId, conclusion, words, evidence };
    const began = performance.now();
    try {
      const done = await this.desk.context.api.command<Done>("assess", body);
      const record = recorded(done, performance.now() - began);
      setText(this.status, `Assessed as ${conclusionWords(conclusion).toLowerCase()}: ${record}.`);
      this.words.value = "";
      this.ticked.clear();
      for (const box of this.list.querySelectorAll("input")) box.checked = false;
      this.assessed();
    } catch (error) {
      this.problem.fault(error);
    } finally {
      this.tell();
    }
  }
}
