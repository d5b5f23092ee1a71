// All that the page knows of the track that is looked at.

import { h, setAttribute, setText } from "../dom";
import { bearing, distance, height, speed, span } from "../format";
import { bearingDeg, distanceM } from "../map/geo";
import type { Store } from "../store";
import type { Selection } from "../selection";
import { icon, PERMISSION_WORDS, STRENGTH_WORDS } from "../symbols";
import { OLD_S, type TrackFacts, type Tracks } from "../tracks";
import { arrivalWords, entryOf, sensorWords, zoneNamer } from "../alerts/model";

/** [label, key] in the order shown. */
const ROWS = [
  ["Zone", "zone"],
  ["Entry", "arrival"],
  ["From the site", "distance"],
  ["Height", "height"],
  ["Speed", "speed"],
  ["Course", "course"],
  ["Uncertainty, 2σ", "sigma"],
  ["Taken for a drone", "drone"],
  ["Identity", "strength"],
  ["Detected", "sensors"],
  ["Last observation", "age"],
] as const;
type Key = (typeof ROWS)[number][1];

export class Detail {
  readonly root = h("section", {
    class: "detail",
    hidden: true,
    "aria-label": "Selected track",
    "data-testid": "track-detail",
  });
  private readonly title = h("b", { "data-testid": "detail-id" });
  private readonly slot = h("span", { class: "symbol-slot" });
  private readonly permission = h("span", { "data-testid": "detail-permission" });
  private readonly fields = new Map<Key, HTMLElement>();
  private drawn = "";

  constructor(
    private readonly store: Store,
    private readonly tracks: Tracks,
    private readonly selection: Selection,
  ) {
    const list = h("dl");
    for (const [label, key] of ROWS) {
      const field = h("dd", { "data-testid": `detail-${key}` });
      this.fields.set(key, field);
      list.append(h("dt", {}, label), field);
    }
    const away = h(
      "button",
      {
        type: "button",
        class: "quiet",
        "aria-label": "Deselect the track",
        onclick: () => selection.choose(null, null, false),
      },
      "×",
    );
    this.root.append(
      h("header", {}, h("div", { class: "permission" }, this.slot, this.title), away),
      h("p", { class: "detail-permission" }, this.permission),
      h("details", { open: matchMedia("(min-width: 900px)").matches }, h("summary", {}, "More"), list),
    );
    selection.onChange(() => this.refresh());
    store.on("tracks", () => this.refresh());
  }

  refresh(): void {
    const id = this.selection.track;
    this.root.hidden = id === null;
    if (id === null) return;
    setText(this.title, id);
    setAttribute(this.root, "data-track-id", id);
    const facts = this.tracks.facts(id);
    if (!facts) {
      setText(this.permission, "Lost: nothing observes it any more");
      setAttribute(this.root, "data-old", "yes");
      return;
    }
    this.tell(facts);
  }

  private tell(facts: TrackFacts): void {
    const claim = !facts.measured;
    const look = `${facts.permission} ${claim}`;
    if (look !== this.drawn) {
      this.drawn = look;
      this.slot.replaceChildren(icon(facts.permission, 22, claim));
    }
    const words = PERMISSION_WORDS[facts.permission];
    setText(this.permission, claim ? `${words} · claim only, not measured` : words);
    setAttribute(this.root, "data-old", facts.ageS > OLD_S ? "yes" : null);
    const site = this.store.get("site");
    const entry = entryOf(
      facts,
      this.tracks.insideSince(facts.id),
      zoneNamer(this.store.get("zones")),
      this.store.siteNowMs(),
    );
    this.put("zone", entry.words);
    this.put("arrival", arrivalWords(facts) || "not foreseen");
    if (site) {
      const m = distanceM(site.lat_deg, site.lon_deg, facts.lat, facts.lon);
      const to = bearingDeg(site.lat_deg, site.lon_deg, facts.lat, facts.lon);
      this.put("distance", `${distance(m)} ${bearing(to)}`);
    }
    this.put("height", `${height(facts.heightM, facts.heightReference)}${climb(facts.climbMps)}`);
    this.put("speed", speed(facts.speedMps));
    this.put("course", facts.speedMps > 0.5 ? bearing(facts.headingDeg) : "not moving");
    this.put("sigma", `${sigma(facts.sigmaM)} across, ${sigma(facts.sigmaUpM)} in height`);
    const percent = Number.isFinite(facts.drone) ? `${Math.round(facts.drone * 100)} %` : "unknown";
    this.put("drone", `${facts.takenForDrone ? "yes" : "no"} (${percent} likely)`);
    const identity = STRENGTH_WORDS[facts.strength] ?? facts.strength;
    this.put("strength", facts.hasIdentity ? identity : STRENGTH_WORDS.none!);
    this.put("sensors", sensorWords(facts, this.store.get("sensors")));
    const position = claim ? `, its position ${span(facts.stateAgeS)} old` : "";
    this.put("age", `${span(facts.ageS)} ago${position}`);
  }

  private put(key: Key, words: string): void {
    setText(this.fields.get(key)!, words);
  }
}

function climb(mps: number): string {
  if (!(Math.abs(mps) >= 0.5)) return "";
  return `, ${mps > 0 ? "climbing" : "sinking"} ${Math.abs(mps).toFixed(1)} m/s`;
}

function sigma(m: number): string {
  return Number.isFinite(m) ? `±${distance(2 * m)}` : "unknown";
}
