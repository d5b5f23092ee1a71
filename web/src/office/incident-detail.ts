// One incident: what was reported, what was detected, what was assessed, apart from each other.

import { AssessForm } from "./assess-form";
import { conclusionWords, eventWords, msOf, sightingWords } from "./case-words";
import type { CaseAssessment, CaseEvent, CaseReport, IncidentWhole } from "./case-words";
import { DossierPart } from "./dossier-part";
import { badge, button, el, facts, setText, show, statusLine } from "./dom";
import { Keyed } from "./keyed";
import type { IncidentView } from "../messages";
import { capital, ProblemBox } from "./problems";
import { ReportForm } from "./report-form";
import { recorded, type Desk, type Done } from "./site";
import { parseRfc3339 } from "./times";
import { WhyForm } from "./why-form";

/** Of a long history the newest are shown; the dossier has all. */
const MOST_EVENTS = 200;

interface Line {
  key: string;
  head: string;
  body: string;
  more: string;
}

export class IncidentDetail {
  readonly root = el("section", { class: "of-detail", testid: "incident-detail" });
  private readonly head = el("h3", { attrs: { tabindex: "-1" } });
  private readonly about = el("div");
  private readonly status = statusLine("incident-status");
  private readonly problem = new ProblemBox();
  private readonly columns = el("div", { class: "of-three" });
  private readonly detectedNote = el("p", { class: "of-hint" });
  private readonly reported: Keyed<Line>;
  private readonly detected: Keyed<Line>;
  private readonly assessed: Keyed<Line>;
  private readonly assess: AssessForm;
  private readonly report: ReportForm;
  private readonly move: { close: WhyForm; reopen: WhyForm };
  private readonly dossier: DossierPart;
  private readonly again: HTMLButtonElement;
  private incidentId = "";
  private told = "";
  private whole: IncidentWhole | null = null;
  private asking = false;

  constructor(
    private readonly desk: Desk,
    private readonly changed: () => void,
  ) {
    const reread = () => void this.ask();
    this.assess = new AssessForm(desk, reread);
    this.report = new ReportForm(desk, reread);
    this.dossier = new DossierPart(desk);
    this.move = { close: this.mover("close"), reopen: this.mover("reopen") };
    this.again = button("Read it again", reread, { class: "of-button of-small" });
    this.reported = lines("reported");
    this.detected = lines("detected");
    this.assessed = lines("assessed");
    this.columns.append(
      column("reported", "Reported", "by people; nobody has measured it", [
        this.reported.root,
        this.report.root,
      ]),
      column("detected", "Detected", "by sensors and judged by rule, and what was done about it", [
        this.detectedNote,
        this.detected.root,
      ]),
      column("assessed", "Assessed", "by named persons, who may disagree", [
        this.assessed.root,
        this.assess.root,
      ]),
    );
    this.root.append(this.head, this.about, this.status, this.problem.root);
    this.root.append(this.move.close.root, this.move.reopen.root, this.dossier.root);
    this.root.append(this.columns, this.again);
  }

  open(incidentId: string, words = ""): void {
    if (incidentId !== this.incidentId) {
      this.move.close.reset();
      this.move.reopen.reset();
      this.whole = null;
      this.told = "";
      setText(this.head, incidentId);
    }
    this.incidentId = incidentId;
    this.problem.clear();
    setText(this.status, words);
    this.assess.open(incidentId);
    this.dossier.open(incidentId);
    show(this.columns, this.whole !== null);
  }

  focus(): void {
    this.head.focus();
  }

  /** The short form of the live list; when it differs, the whole is read anew. */
  update(short: IncidentView | undefined, alertsTold: string): void {
    const whyNot = this.desk.whyNot("watch_officer");
    if (short && !this.whole) this.summary(short);
    show(this.again, whyNot === "");
    const told = JSON.stringify([short, alertsTold]);
    if (whyNot !== "") {
      this.allowNothing(whyNot);
    } else if (told !== this.told || !this.whole) {
      this.told = told;
      void this.ask();
    }
  }

  private allowNothing(whyNot: string): void {
    show(this.columns, false);
    show(this.move.close.root, false);
    show(this.move.reopen.root, false);
    this.dossier.allow(false);
    setText(this.status, `${whyNot} The whole holds names and identities.`);
  }

  private async ask(): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    const id = this.incidentId;
    try {
      const path = `/v1/incidents/${encodeURIComponent(id)}`;
      const whole = await this.desk.context.api.get<IncidentWhole>(path);
      if (id === this.incidentId) this.show(whole);
    } catch (error) {
      if (id === this.incidentId) this.problem.fault(error);
    } finally {
      this.asking = false;
    }
  }

  private show(whole: IncidentWhole): void {
    this.whole = whole;
    this.problem.clear();
    const open = whole.incident.state === "open";
    this.summary(whole.incident);
    show(this.columns, true);
    show(this.move.close.root, open);
    show(this.move.reopen.root, !open);
    this.dossier.allow(true);
    this.report.about(this.incidentId, open);
    const sightings = whole.sightings.map((event, i) => this.sightingLine(event, i));
    const reports = whole.reports.map((report, i) => this.reportLine(report, i));
    this.reported.update(orNone([...sightings, ...reports], "Nobody has reported anything."));
    const newest = whole.history.slice(-MOST_EVENTS);
    const before = whole.history.length - newest.length;
    const short = before > 0 ? `${before} earlier events are not listed; the dossier has all.` : "";
    setText(this.detectedNote, short);
    const history = newest.map((event, i) => this.eventLine(event, before + i));
    this.detected.update(orNone(history, "Nothing was detected."));
    const assessments = whole.assessments.map((each, i) => this.assessmentLine(each, i));
    this.assessed.update(orNone(assessments, "Nobody has assessed it yet."));
    this.assess.update(whole);
  }

  private summary(incident: IncidentView): void {
    const signature = JSON.stringify(incident);
    setText(this.head, `${incident.incident_id} · ${incident.title}`);
    if (this.about.dataset["of"] === signature) return;
    this.about.dataset["of"] = signature;
    const opened = this.desk.clock(parseRfc3339(incident.opened));
    this.about.replaceChildren(
      el("p", { class: "of-badges" }, incidentBadge(incident)),
      facts([
        ["Opened", `${opened} by ${incident.opened_by}`],
        ["Alerts", incident.alerts.join(", ")],
        ["Tracks", incident.tracks.join(", ") || "none"],
      ]),
    );
  }

  private mover(step: "close" | "reopen"): WhyForm {
    const word = step === "close" ? "Close" : "Reopen";
    return new WhyForm({
      open: `${word} this incident …`,
      act: `${word} it`,
      label: step === "close" ? "Why is it closed?" : "Why is it opened again?",
      testid: `incident-${step}`,
      whyTestid: `incident-${step}-why`,
      run: async (why) => {
        const began = performance.now();
        const body = { incident_id: this.incidentId, step, why };
        const done = await this.desk.context.api.command<Done>("move_incident", body);
        const record = recorded(done, performance.now() - began);
        setText(this.status, `${word === "Close" ? "Closed" : "Reopened"}: ${record}.`);
        this.changed();
        await this.ask();
      },
    });
  }

  private sightingLine(event: CaseEvent, i: number): Line {
    const seen = msOf(event["seen_at_ns"]);
    const head = `Sighting ${i + 1} · seen ${this.desk.clockSeconds(seen)}`;
    const more = `${String(event["sensor_id"] ?? "")}, received ${this.at(event)}`;
    return { key: `s${i}`, head, body: sightingWords(event), more };
  }

  private reportLine(report: CaseReport, i: number): Line {
    const parts = report.parts.map((p) => `found: ${p.words}`);
    const hurt = report.injuries === "" ? "" : `injuries: ${report.injuries}`;
    const damage = report.damage === "" ? "" : `damage: ${report.damage}`;
    const head = `Report ${i + 1} · filed ${this.desk.clockSeconds(msOf(report.at_ns))}`;
    const more = [`by ${report.author.name}`, hurt, damage, ...parts].filter(Boolean).join("; ");
    return { key: `r${i}`, head, body: `“${report.words}”`, more };
  }

  private eventLine(event: CaseEvent, i: number): Line {
    return { key: `e${i}`, head: this.at(event), body: eventWords(event), more: "" };
  }

  private assessmentLine(each: CaseAssessment, i: number): Line {
    const head = `${conclusionWords(each.conclusion)} · ${each.author.name}`;
    const evidence = each.evidence.length > 0 ? each.evidence.join(", ") : "no evidence";
    const at = this.desk.clockSeconds(msOf(each.at_ns));
    const body = each.words === "" ? "without words" : capital(each.words);
    return { key: `a${i}`, head, body, more: `${at}, resting on ${evidence}` };
  }

  private at(event: CaseEvent): string {
    return this.desk.clockSeconds(msOf(event.at_ns));
  }
}

export function incidentBadge(incident: IncidentView): HTMLElement {
  const open = incident.state === "open";
  return badge(open ? "◇" : "–", open ? "Open" : "Closed", open ? "info" : "plain");
}

function orNone(found: Line[], none: string): Line[] {
  return found.length > 0 ? found : [{ key: "none", head: "", body: none, more: "" }];
}

function lines(testid: string): Keyed<Line> {
  return new Keyed<Line>(el("ul", { class: "of-lines", testid: `incident-${testid}` }), {
    key: (line) => line.key,
    signature: (line) => JSON.stringify(line),
    make: ({ head, body, more }) =>
      el(
        "li",
        {},
        head === "" ? null : el("span", { class: "of-linehead" }, head),
        el("span", {}, body),
        more === "" ? null : el("span", { class: "of-quiet" }, more),
      ),
  });
}

function column(kind: string, name: string, words: string, inside: HTMLElement[]): HTMLElement {
  const head = el("h4", {}, name, " ", el("small", {}, words));
  return el("section", { class: "of-column", data: { kind } }, head, ...inside);
}
