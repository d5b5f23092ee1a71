// How many flights were made under exemptions, by month and class: what the authority publishes.

import { el } from "./dom";
import { ProblemBox } from "./problems";
import type { Desk } from "./site";

interface Count {
  month: string;
  exemption_class: string;
  flights: number;
}

export class FlightsView {
  readonly root = el("details", { testid: "exemption-flights" });
  private readonly shown = el("div");
  private readonly problem = new ProblemBox();

  constructor(private readonly desk: Desk) {
    const title = el("summary", {}, "Flights under exemptions, by month");
    this.root.append(title, this.problem.root, this.shown);
    this.root.addEventListener("toggle", () => {
      if (this.root.open) void this.ask();
    });
  }

  private async ask(): Promise<void> {
    try {
      const { api } = this.desk.context;
      const { counts } = await api.get<{ counts: Count[] }>("/v1/exemptions/flights");
      this.problem.clear();
      this.shown.replaceChildren(counts.length === 0 ? none() : table(counts));
    } catch (error) {
      this.problem.fault(error);
    }
  }
}

function none(): HTMLElement {
  return el("p", { class: "of-hint" }, "None was made yet.");
}

/** The newest month first; no places and no aircraft. */
function table(counts: Count[]): HTMLElement {
  const head = ["Month (UTC)", "Class", "Flights"].map((words) =>
    el("th", { attrs: { scope: "col" } }, words),
  );
  const rows = [...counts].reverse().map(({ month, exemption_class: kind, flights }) => {
    const cells = [month, kind, String(flights)].map((words) => el("td", {}, words));
    return el("tr", {}, ...cells);
  });
  const body = el("tbody", {}, ...rows);
  return el("table", { class: "of-table" }, el("thead", {}, el("tr", {}, ...head)), body);
}
