// A permit's card: its QR code on the screen and on paper. It names no holder.

import type { PermitView } from "../messages";
import { button, el, facts, show } from "./dom";
import { bounds } from "./permit-words";
import { ProblemBox } from "./problems";
import type { Desk } from "./site";

const SVG = "http://www.w3.org/2000/svg";
/** The light border that a reader needs around the code, in modules (ISO/IEC 18004). */
const QUIET = 4;
/** The states whose permits get a card (codec/permit_card.py). */
const CARDED = ["granted", "activated"];

interface Card {
  permit_id: string;
  text: string;
  qr: string[];
}

/** The code as a picture: dark runs of a row become one rectangle each. */
export function qrPicture(rows: string[], words: string): SVGSVGElement {
  const size = rows.length + 2 * QUIET;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", words);
  svg.setAttribute("shape-rendering", "crispEdges");
  const light = document.createElementNS(SVG, "rect");
  for (const name of ["width", "height"]) light.setAttribute(name, String(size));
  light.setAttribute("fill", "#fff");
  const dark = document.createElementNS(SVG, "path");
  const runs = rows.flatMap((row, y) =>
    [...row.matchAll(/1+/g)].map(
      (run) => `M${run.index + QUIET} ${y + QUIET}h${run[0].length}v1h-${run[0].length}z`,
    ),
  );
  dark.setAttribute("d", runs.join(""));
  dark.setAttribute("fill", "#000");
  svg.append(light, dark);
  return svg;
}

export class CardView {
  readonly root = el("section", { class: "of-plain", testid: "permit-card" });
  private readonly open = button("Show the card", () => void this.fetch(), {
    testid: "permit-card-show",
  });
  private readonly hint = el("p", { class: "of-hint" });
  private readonly shown = el("div", { class: "of-card" });
  private readonly problem = new ProblemBox();
  /** Outside the page's frame: when paper is printed it is all that is there. */
  private readonly paper = el("div", { class: "of-paper" });
  private permit: PermitView | null = null;
  private key = "";

  constructor(private readonly desk: Desk) {
    const heading = el("h4", {}, "Card for the pilot");
    const where = { href: "/permits/check", target: "_blank", rel: "noopener" };
    const link = el("a", { attrs: where }, "The page that checks cards, also without a network");
    this.root.append(heading, this.hint, this.open, this.problem.root, this.shown);
    this.root.append(el("p", {}, link));
  }

  /** Another permit, or another state of it: a card that is shown must not be of the old one. */
  update(permit: PermitView): void {
    this.permit = permit;
    const key = JSON.stringify([permit.id, permit.state, permit.volumes, permit.serials]);
    if (key === this.key) return;
    this.key = key;
    this.clear();
    const carded = CARDED.includes(permit.state);
    show(this.open, carded);
    this.hint.textContent = carded ? "" : "A card is given to a granted permit alone.";
  }

  clear(): void {
    this.shown.replaceChildren();
    this.paper.remove();
    this.problem.clear();
  }

  private async fetch(): Promise<void> {
    const { permit, key } = this;
    if (!permit) return;
    this.clear();
    this.open.disabled = true;
    const id = encodeURIComponent(permit.id);
    try {
      const cards: Card[] = [];
      for (let volume = 1; volume <= permit.volumes.length; volume += 1) {
        const path = `/v1/permits/card?permit_id=${id}&volume=${volume}`;
        cards.push(await this.desk.context.api.get<Card>(path));
      }
      if (key === this.key) this.tell(permit, cards);
    } catch (error) {
      if (key === this.key) this.problem.fault(error);
    } finally {
      this.open.disabled = false;
    }
  }

  private tell(permit: PermitView, cards: Card[]): void {
    const print = button("Print it", () => window.print(), { testid: "permit-card-print" });
    const text = cards.map(({ text }) => el("code", { testid: "permit-card-text" }, text));
    this.shown.replaceChildren(
      ...this.faces(permit, cards),
      el("details", {}, el("summary", {}, "The card as text"), ...text),
      el("div", { class: "of-buttons" }, print),
    );
    const check = el("p", {}, `To check it: ${location.origin}/permits/check`);
    const title = el("h1", {}, `${this.desk.site?.name ?? ""}: permit ${permit.id}`);
    this.paper.replaceChildren(title, ...this.faces(permit, cards), check);
    document.body.append(this.paper);
  }

  private faces(permit: PermitView, cards: Card[]): HTMLElement[] {
    return cards.map((card, i) => {
      const volume = permit.volumes[i];
      const own = volume ? { ...permit, volumes: [volume] } : permit;
      const { start, end } = bounds(own);
      const clock = (at: number | null, none: string) => (at === null ? none : this.desk.dated(at));
      const many = cards.length > 1 ? `, volume ${i + 1} of ${cards.length}` : "";
      const ends = permit.serials.map((serial) => `…${serial.slice(-4)}`);
      const words = facts([
        ["Permit", `${permit.id}${many}`],
        ["Valid", `${clock(start, "no start")} to ${clock(end, "no end")} (${this.desk.zone})`],
        ["Aircraft", ends.join(", ")],
      ]);
      const picture = qrPicture(card.qr, `QR code of the card of permit ${permit.id}${many}`);
      return el("div", { class: "of-cardface" }, picture, words);
    });
  }
}
