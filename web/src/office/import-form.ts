// Standing exemptions from a table: a CSV file is entered as far as it can be read, and every line
// that is left out is named with its fault.

import { badge, el, field, input, setText, show, statusLine, textarea } from "./dom";
import { FieldFaults, ProblemBox } from "./problems";
import { recorded, type Desk, type Done } from "./site";

/** codec/csv_exemptions.py takes so many characters. */
const MOST_CHARACTERS = 4_000_000;
const MOST_SHOWN = 200;
const COLUMNS =
  "id,class,holder,serials,zones,lat_deg,lon_deg,radius_m,upper_agl_m,start,end,must_broadcast";
const EXAMPLE =
  "POL-7,police,City Police,1596A0123456789,Z1,49.61,6.13,3000,120," +
  "2026-01-01T00:00:00Z,2027-01-01T00:00:00Z,yes";

export class ImportForm {
  readonly root = el("form", { class: "of-form", testid: "import-form" });
  private readonly file = input("file", "import-file", { accept: ".csv,text/csv,text/plain" });
  private readonly text = textarea("import-text", { rows: "8", spellcheck: "false" });
  private readonly box = new ProblemBox("import-problem");
  private readonly faults = new FieldFaults(this.box, { csv: this.text });
  private readonly send: HTMLButtonElement;
  private readonly done = statusLine("import-done");
  private readonly findings = el("ul", { class: "of-checklist", testid: "import-findings" });
  private readonly findingsHead = el("h4", {}, "Line by line");

  constructor(
    private readonly desk: Desk,
    private readonly entered: () => void,
  ) {
    this.send = el("button", { class: "of-button of-primary", testid: "import-send" });
    this.send.type = "submit";
    this.send.textContent = "Enter the exemptions";
    this.text.classList.add("of-code");
    this.text.placeholder = `${COLUMNS}\n${EXAMPLE}`;
    const columns = el("details", {}, el("summary", {}, "The columns"), this.columns());
    const hint =
      "Each line is entered as granted; a line whose number is known replaces that exemption. " +
      "A line with a fault is left out and named.";
    this.root.noValidate = true;
    this.root.append(
      el("p", { class: "of-hint" }, hint),
      columns,
      field("CSV file", this.file),
      field("Or paste the table", this.text),
      this.box.root,
      this.send,
      this.done,
      this.findingsHead,
      this.findings,
    );
    this.root.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.submit();
    });
    this.file.addEventListener("change", () => void this.read());
    show(this.findingsHead, false);
  }

  private columns(): HTMLElement {
    const words =
      "Several serials or zones of a line are parted by blanks; no zone means all of this " +
      "authority; upper_agl_m may be empty for no limit. Semicolons between columns are read too.";
    return el("div", {}, el("code", {}, COLUMNS), el("p", { class: "of-hint" }, words));
  }

  open(): void {
    this.file.focus();
  }

  private async read(): Promise<void> {
    const file = this.file.files?.[0];
    if (!file) return;
    this.faults.clear();
    if (file.size > MOST_CHARACTERS) {
      this.faults.say(this.file, "The file is too large: split it");
      return;
    }
    this.text.value = await file.text();
    this.file.value = "";
    this.send.focus();
  }

  private async submit(): Promise<void> {
    this.faults.clear();
    setText(this.done, "");
    this.tell([]);
    if (this.text.value.trim() === "") {
      this.faults.say(this.text, "Choose a file, or paste the table");
      return;
    }
    this.send.disabled = true;
    const began = performance.now();
    try {
      const { api } = this.desk.context;
      const done = await api.command<Done>("import_exemptions", { csv: this.text.value });
      const left = done.findings.filter((each) => each.severity === "error").length;
      const n = done.entries.length;
      const out = left === 0 ? "no line was left out" : `${left} ${left === 1 ? "fault" : "faults"}, see below`;
      const record = recorded(done, performance.now() - began);
      setText(this.done, `${n} exemption${n === 1 ? "" : "s"} entered, ${out}; ${record}.`);
      this.tell(done.findings);
      this.entered();
    } catch (error) {
      this.faults.fault(error);
    } finally {
      this.send.disabled = false;
    }
  }

  private tell(findings: Done["findings"]): void {
    show(this.findingsHead, findings.length > 0);
    const lines = findings.slice(0, MOST_SHOWN).map((found) => {
      const grave = found.severity === "error";
      const mark = grave ? badge("✕", "Left out", "bad") : badge("!", "Read", "warn");
      const head = el("strong", {}, ` ${found.where}: `);
      return el("li", {}, mark, head, `${found.problem}; ${found.assumed}`);
    });
    const more = findings.length - lines.length;
    if (more > 0) lines.push(el("li", {}, `… and ${more} more`));
    this.findings.replaceChildren(...lines);
  }
}
