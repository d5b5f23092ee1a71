// Which zones a permit opens: picked by name, found by a filter, kept while the list changes.

import type { ZoneView } from "../messages";
import { button, el, field, input, setText, tick } from "./dom";
import { Keyed } from "./keyed";
import { matches, title } from "./zone-words";

const MOST_ROWS = 50;

export class ZonePicker {
  readonly root: HTMLElement;
  private readonly picked = new Set<string>();
  readonly filter = input("search", "permit-zone-filter");
  private readonly list = el("ul", { class: "of-picks" });
  private readonly count = el("p", { class: "of-hint" });
  private readonly chips = el("p", { class: "of-chips", testid: "permit-zones" });
  private readonly keyed: Keyed<ZoneView>;
  private zones: ZoneView[] = [];

  constructor(private readonly changed: () => void) {
    this.keyed = new Keyed(this.list, {
      key: (zone) => zone.zone_id,
      signature: (zone) => JSON.stringify([title(zone), zone.state, this.picked.has(zone.zone_id)]),
      make: (zone) => this.make(zone),
      refresh: (row, zone) => {
        const box = row.querySelector("input");
        const caption = row.querySelector("label");
        if (box) box.checked = this.picked.has(zone.zone_id);
        if (caption) setText(caption, label(zone));
      },
    });
    this.filter.addEventListener("input", () => this.shown());
    const legend = el("legend", {}, "Zones it opens");
    this.root = el("fieldset", { class: "of-group" }, legend, this.chips);
    this.root.append(field("Find a zone", this.filter), this.count, this.list);
    this.shown();
  }

  get value(): string[] {
    return [...this.picked];
  }

  clear(): void {
    this.picked.clear();
    this.shown();
  }

  /** The zones that can be picked: those of the authority that issues the permit. */
  offer(zones: ZoneView[]): void {
    this.zones = zones;
    this.shown();
  }

  private make(zone: ZoneView): HTMLElement {
    const id = zone.zone_id;
    const [line, box] = tick(label(zone), this.picked.has(id), "permit-zone");
    box.dataset["zoneId"] = id;
    box.addEventListener("change", () => this.pick(id, box.checked));
    return el("li", {}, line);
  }

  private pick(id: string, on: boolean): void {
    if (on) this.picked.add(id);
    else this.picked.delete(id);
    this.shown();
    this.changed();
  }

  private shown(): void {
    const wanted = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = this.zones.filter((zone) => matches(zone, wanted));
    const shown = found.slice(0, MOST_ROWS);
    const more = found.length - shown.length;
    const none = this.zones.length === 0 ? "This authority has no zones." : "No zone is like that.";
    const many = more > 0 ? `${more} more are not listed: narrow the search.` : "";
    setText(this.count, found.length === 0 ? none : many);
    this.keyed.update(shown);
    const words = this.picked.size === 0 ? "None picked yet." : "";
    const chips = this.value.map((id) => {
      const attrs = { "aria-label": `Take out zone ${id}` };
      const props = { class: "of-chip", attrs };
      return button(`${id} ×`, () => this.pick(id, false), props);
    });
    if (this.chips.dataset["of"] === `${words}${this.value.join(" ")}`) return;
    this.chips.dataset["of"] = `${words}${this.value.join(" ")}`;
    this.chips.replaceChildren(words, ...chips);
  }
}

function label(zone: ZoneView): string {
  const state = zone.state === "in_force" ? "" : `, ${zone.state}`;
  return `${title(zone)} (${zone.zone_id}${state})`;
}
