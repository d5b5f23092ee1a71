// What is asked: a place, a moment, a height. Nothing of it leaves the page.

import { h, setHidden } from "../dom";
import type { Clock } from "./judge/clock";
import { type Reference, type ZoneData } from "./judge/data";
import type { Question, Zones } from "./judge/judge";
import { coordinates, middleOf, zonesNamed } from "./search";
import { type Key, type Words } from "./words";

const HITS = 8;
const MOST_HEIGHT_M = 10_000;
/** The open category's limit (Regulation (EU) 2019/947, Article 4(1)(e)). */
const FIRST_HEIGHT_M = 120;
const MINUTE_MS = 60_000;

export interface Place {
  lat: number;
  lon: number;
  withinM: number;
}

/** What stands in the fields. */
export interface Filled {
  place: Place | null;
  when: string | null;
  height: string;
  reference: string;
}

/** What was asked in words, and the question if all of it makes sense. */
export interface Asked {
  place: string;
  when: string;
  height: string;
  question: Question | null;
  problem: Key | null;
  problemValues: Record<string, string>;
}

export class Form {
  readonly search: HTMLElement;
  readonly question: HTMLElement;
  place: Place | null = null;
  private followsNow = true;
  private readonly field = h("input", {
    type: "search",
    id: "search",
    autocomplete: "off",
    spellcheck: "false",
    "data-testid": "search",
    "aria-describedby": "search-hint",
  });
  private readonly hits = h("ul", { class: "hits", hidden: true, "data-testid": "hits" });
  private readonly note = h("p", { class: "note", role: "status", hidden: true });
  private readonly shownPlace = h("output", { class: "place", "data-testid": "place" });
  private readonly when = h("input", { type: "datetime-local", id: "when", required: true, "data-testid": "when" });
  private readonly height = h("input", {
    type: "number",
    id: "height",
    min: 0,
    max: MOST_HEIGHT_M,
    step: "any",
    value: FIRST_HEIGHT_M,
    inputmode: "numeric",
    "data-testid": "height",
  });
  private readonly reference: HTMLSelectElement;

  constructor(
    private readonly words: Words,
    private readonly zones: Zones,
    private dataMs: number,
    private readonly clock: Clock,
    private readonly onAsk: (asked: Asked | null, moved: boolean) => void,
  ) {
    this.reference = h(
      "select",
      { id: "reference", "data-testid": "reference" },
      h("option", { value: "AGL" }, words.say("agl")),
      h("option", { value: "AMSL" }, words.say("amsl")),
    );
    this.search = this.searchPart();
    this.question = this.questionPart();
    this.setNow();
    this.showPlace();
  }

  get filled(): Filled {
    return {
      place: this.place,
      when: this.followsNow ? null : this.when.value,
      height: this.height.value,
      reference: this.reference.value,
    };
  }

  /** Put the same question again. */
  fill(filled: Filled): void {
    this.height.value = filled.height;
    this.reference.value = filled.reference;
    if (filled.when !== null) {
      this.when.value = filled.when;
      this.followsNow = false;
    }
    const { place } = filled;
    if (place) this.setPlace(place.lat, place.lon, place.withinM, true);
  }

  /** Time has passed: "now" is later. */
  tick(): void {
    if (this.followsNow && this.place) {
      this.setNow();
      this.ask(false);
    }
  }

  /** The same zones are known to hold until a later moment. */
  knownUntil(dataMs: number): void {
    this.dataMs = dataMs;
  }

  setPlace(lat: number, lon: number, withinM: number, moved = false): void {
    const turned = lon - 360 * Math.round(lon / 360);
    this.place = { lat: Math.max(-90, Math.min(90, lat)), lon: turned, withinM };
    this.showPlace();
    this.ask(moved);
  }

  private showPlace(): void {
    const { words, place } = this;
    if (!place) this.shownPlace.textContent = words.say("place_none");
    else {
      const told = words.place(place.lat, place.lon);
      this.shownPlace.textContent =
        place.withinM > 0
          ? words.say("place_within", { place: told, m: Math.round(place.withinM) })
          : told;
    }
  }

  private setNow(): void {
    const atMs = Math.floor(Math.max(Date.now(), this.dataMs) / MINUTE_MS) * MINUTE_MS;
    const wall = atMs + this.clock.offsetAt(atMs / 1000) * 1000;
    this.when.value = new Date(wall).toISOString().slice(0, 16);
    this.followsNow = true;
  }

  /** The moment asked about, in UTC; null where the field has none. */
  private atMs(): number | null {
    if (this.followsNow) return Math.max(Date.now(), this.dataMs);
    const wall = Date.parse(`${this.when.value}Z`);
    if (Number.isNaN(wall)) return null;
    const day = Math.floor(wall / 86_400_000);
    return this.clock.utcOf(day, wall / 1000 - day * 86_400, false) * 1000;
  }

  private ask(moved: boolean): void {
    this.onAsk(this.place ? this.asked(this.place) : null, moved);
  }

  private asked(place: Place): Asked {
    const { words } = this;
    const atMs = this.atMs();
    const typed = this.height.value.trim();
    const m = typed === "" ? null : Number(typed);
    const ref = this.reference.value as Reference;
    const badHeight =
      !this.height.validity.valid || (m !== null && !(m >= 0 && m <= MOST_HEIGHT_M));
    let problem: Key | null = null;
    if (atMs === null) problem = "bad_time";
    else if (!this.followsNow && atMs < this.dataMs - MINUTE_MS) problem = "past";
    else if (atMs >= this.zones.reachMs[1]) problem = "too_far";
    else if (badHeight) problem = "bad_height";
    const told = m === null ? "height_unknown" : ref === "AGL" ? "height_agl" : "height_amsl";
    return {
      place: this.shownPlace.textContent ?? "",
      when: atMs === null ? "" : words.moment(atMs, this.clock),
      height: words.say(told, { m: m === null ? "" : words.number(m) }),
      question:
        problem !== null || atMs === null
          ? null
          : { ...place, height: m === null ? null : { m, ref }, atMs },
      problem,
      problemValues: { when: words.moment(this.zones.reachMs[1], this.clock) },
    };
  }

  private searchPart(): HTMLElement {
    const { words, field } = this;
    field.placeholder = words.say("search_example");
    field.addEventListener("input", () => this.look());
    const mine = h(
      "button",
      { type: "button", class: "no-print", onclick: () => this.locate() },
      words.say("my_position"),
    );
    return h(
      "form",
      {
        class: "search no-print",
        role: "search",
        onsubmit: (event: Event) => {
          event.preventDefault();
          this.hits.querySelector("button")?.click();
        },
      },
      h("label", { for: "search" }, words.say("search")),
      h("div", { class: "row" }, field, mine),
      h("p", { class: "unseen", id: "search-hint" }, words.say("search_hint")),
      this.note,
      this.hits,
    );
  }

  private look(): void {
    const { words, hits, note } = this;
    const text = this.field.value;
    const at = coordinates(text);
    const named = at ? [] : zonesNamed(this.zones.zones.map((z) => z.zone), text);
    const rows = named.slice(0, HITS).map((zone) => this.hit(zone.name || zone.zone, () => this.goTo(zone)));
    if (at) {
      const place = words.place(at[0], at[1]);
      rows.push(this.hit(words.say("search_place", { place }), () => this.setPlace(at[0], at[1], 0, true)));
    }
    hits.replaceChildren(...rows);
    hits.setAttribute("aria-label", words.say("search_results"));
    setHidden(hits, rows.length === 0);
    const more = named.length - HITS;
    let said = more > 0 ? words.say("search_more", { count: more }) : "";
    if (text.trim() !== "" && rows.length === 0) said = words.say("search_none");
    this.tell(said);
    note.classList.remove("bad");
  }

  private hit(label: string, go: () => void): HTMLElement {
    const onclick = (): void => {
      setHidden(this.hits, true);
      this.tell("");
      go();
    };
    return h("li", {}, h("button", { type: "button", onclick }, label));
  }

  private goTo(zone: ZoneData): void {
    const at = middleOf(zone);
    if (at) this.setPlace(at[0], at[1], 0, true);
    else this.tell(this.words.say("unsure_unreadable"));
  }

  private locate(): void {
    const failed = (): void => this.tell(this.words.say("my_position_failed"));
    if (!("geolocation" in navigator)) failed();
    else {
      navigator.geolocation.getCurrentPosition(
        ({ coords: c }) => this.setPlace(c.latitude, c.longitude, c.accuracy, true),
        failed,
        { enableHighAccuracy: true, timeout: 15_000, maximumAge: 60_000 },
      );
    }
  }

  private tell(text: string): void {
    this.note.textContent = text;
    setHidden(this.note, text === "");
  }

  private questionPart(): HTMLElement {
    const { words } = this;
    this.when.addEventListener("input", () => {
      this.followsNow = false;
      this.ask(false);
    });
    for (const field of [this.height, this.reference]) {
      field.addEventListener("input", () => this.ask(false));
    }
    const now = (): void => {
      this.setNow();
      this.ask(false);
    };
    const zone = this.zones.document.skykeep.time_zone;
    return h(
      "form",
      { class: "question no-print", "aria-label": words.say("question"), onsubmit: (e: Event) => e.preventDefault() },
      h("p", { class: "wide where" }, h("span", { class: "label" }, words.say("place")), this.shownPlace),
      h(
        "div",
        { class: "field wide" },
        h("label", { for: "when" }, words.say("when", { zone })),
        h("div", { class: "row" }, this.when, h("button", { type: "button", onclick: now }, words.say("now"))),
      ),
      h("div", { class: "field" }, h("label", { for: "height" }, words.say("height")), this.height),
      h("div", { class: "field" }, h("label", { for: "reference" }, words.say("height_from")), this.reference),
    );
  }
}
