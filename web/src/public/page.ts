// The page put together: what is asked in the form, answered beside it, shown on the map.

import { h, setHidden } from "../dom";
import { answerView } from "./answer";
import { Form, type Asked, type Filled } from "./form";
import { type Clock, UTC } from "./judge/clock";
import { type Answer, type Zones } from "./judge/judge";
import { type Loaded } from "./load";
import type { PublicMap } from "./map";
import { LANGUAGES, type Words } from "./words";
import { keyView, zoneList } from "./zone-view";

/** Older data are called so, loudly. */
const STALE_MS = 86_400_000;
/** A clock that is off by less than this is nobody's fault. */
const SKEW_MS = 600_000;
const AGAIN_MS = 30_000;

export class Page {
  private readonly banner = h("p", { class: "banner", role: "alert", hidden: true, "data-testid": "banner" });
  private readonly answer = h("section", { class: "answer", id: "answer", "aria-label": "", tabindex: -1 });
  private readonly said = h("p", { class: "unseen", role: "status" });
  private readonly dataDate = h("p", { class: "data-date", "data-testid": "data-date" });
  private readonly form: Form;
  private readonly clock: Clock;
  private map: PublicMap | null = null;
  private shown = "";
  private readonly timer: ReturnType<typeof setInterval>;

  constructor(
    root: HTMLElement,
    private readonly words: Words,
    private loaded: Loaded,
    private readonly zones: Zones,
    filled: Filled | null = null,
  ) {
    const head = loaded.document.skykeep;
    this.clock = zones.clockOf(head.time_zone) ?? UTC;
    this.answer.setAttribute("aria-label", words.say("answer"));
    this.form = new Form(words, zones, loaded.atMs, this.clock, (asked, moved) => {
      this.put(asked, moved);
    });
    const host = h("div", { class: "map", "data-testid": "map" });
    root.replaceChildren(
      h("a", { class: "skip", href: "#answer" }, words.say("skip")),
      this.header(),
      this.banner,
      h(
        "main",
        {},
        h("div", { class: "find" }, this.form.search),
        h("div", { class: "map-side" }, host),
        h("div", { class: "ask" }, this.form.question),
        h("div", { class: "told" }, this.answer, this.said, this.rest()),
        h("div", { class: "map-foot" }, keyView(words), this.mapTools()),
      ),
      this.footer(),
    );
    this.put(null, false);
    this.warn();
    if (filled) this.form.fill(filled);
    this.timer = setInterval(() => {
      this.warn();
      this.form.tick();
    }, AGAIN_MS);
    void this.draw(host);
  }

  /** What is asked now, for the page that takes this one's place. */
  close(): Filled {
    clearInterval(this.timer);
    this.map?.remove();
    return this.form.filled;
  }

  /** The publication again: whether its zones are still these, and then known until later. */
  renew(loaded: Loaded): boolean {
    if (loaded.sha256 !== this.loaded.sha256) return false;
    this.loaded = loaded;
    this.form.knownUntil(loaded.atMs);
    this.warn();
    return true;
  }

  /** The map comes in a file of its own: the answer does not wait for it. */
  private async draw(host: HTMLElement): Promise<void> {
    try {
      const { PublicMap } = await import("./map");
      this.map = new PublicMap(host, this.words, this.loaded.document, (lat, lon) => {
        this.form.setPlace(lat, lon, 0);
      });
      const place = this.form.place;
      if (place) this.map.mark(place.lat, place.lon, true);
    } catch (error) {
      console.warn("the map cannot be drawn", error);
      host.replaceChildren(h("p", { class: "no-map" }, this.words.say("map_none")));
    }
  }

  private put(asked: Asked | null, moved: boolean): void {
    const { words, zones } = this;
    const found: Answer | null = asked?.question ? zones.answer(asked.question) : null;
    const stale = this.ageMs() > STALE_MS ? words.age(this.ageMs()) : null;
    const view = answerView(words, zones, asked, found, this.clock, stale);
    // A minute later the same answer stays as it is: somebody may be reading, or on a link in it.
    const isAsked = (node: Element): boolean => node.classList.contains("asked");
    const told = view.filter((node) => !isAsked(node));
    const key = told.map((node) => node.textContent).join("\n");
    const before = this.answer.querySelector(".asked");
    const asks = view.find(isAsked);
    if (key === this.shown) {
      if (before && asks) before.textContent = asks.textContent;
    } else {
      this.shown = key;
      this.answer.replaceChildren(...view);
      this.answer.dataset.verdict = found?.climbVerdict ?? "";
      const headline = this.answer.querySelector(".headline > :last-child")?.textContent ?? "";
      this.said.textContent = headline;
    }
    const place = this.form.place;
    if (place) this.map?.mark(place.lat, place.lon, moved);
    this.map?.highlight([...(found?.parts ?? []), ...(found?.climb ?? [])].map((p) => p.zone.id));
  }

  private ageMs(): number {
    return Date.now() - this.loaded.atMs;
  }

  private warn(): void {
    const { words, banner } = this;
    const ageMs = this.ageMs();
    const when = words.moment(this.loaded.atMs, this.clock);
    const age = words.age(ageMs);
    let text = "";
    if (ageMs > STALE_MS) text = words.say("stale", { age, when });
    else if (ageMs < -SKEW_MS) text = words.say("future_data", { when });
    if (banner.textContent !== text) banner.textContent = text;
    setHidden(banner, text === "");
    this.dataDate.textContent =
      ageMs < 0 ? words.say("data_fresh", { when }) : words.say("data_date", { when, age });
  }

  private header(): HTMLElement {
    const { words } = this;
    const { site, authority } = this.loaded.document.skykeep;
    const language = h(
      "select",
      {
        id: "language",
        "data-testid": "language",
        onchange: () => {
          const to = new URL(location.href);
          to.searchParams.set("lang", language.value);
          location.href = to.href;
        },
      },
      ...Object.entries(LANGUAGES).map(([tag, [name]]) =>
        h("option", { value: tag, lang: tag, selected: tag === words.language }, name),
      ),
    );
    return h(
      "header",
      {},
      h("div", {}, h("h1", {}, words.say("title")), h("p", {}, words.say("publication", { site, authority }))),
      h("label", { class: "unseen", for: "language" }, words.say("language")),
      language,
    );
  }

  private mapTools(): HTMLElement {
    const { words } = this;
    return h(
      "div",
      { class: "map-tools no-print" },
      h("button", { type: "button", onclick: () => this.map?.askMiddle() }, words.say("map_middle")),
      h("button", { type: "button", onclick: () => this.map?.showAll() }, words.say("map_all")),
    );
  }

  private rest(): HTMLElement {
    const { words } = this;
    const print = h(
      "button",
      { type: "button", class: "no-print", "data-testid": "print", onclick: () => window.print() },
      words.say("print"),
    );
    return h(
      "div",
      { class: "rest" },
      h("p", { class: "what" }, words.say("what_this_is")),
      this.dataDate,
      print,
      zoneList(words, this.zones, this.clock, (zone) => {
        const at = zone.sun_place;
        if (at) this.form.setPlace(at[0], at[1], 0, true);
      }),
    );
  }

  private footer(): HTMLElement {
    const { words, loaded } = this;
    const names: Record<string, string> = {
      "manifest.txt": words.say("file_manifest"),
      "checkpoint.txt": words.say("file_checkpoint"),
      "log.vkey": words.say("file_key"),
    };
    const files = [...loaded.files, ...Object.keys(names)].map((name) =>
      h("li", {}, h("a", { href: `./${name}` }, name), names[name] ? ` (${names[name]})` : ""),
    );
    const { contact } = loaded.document.skykeep;
    return h(
      "footer",
      {},
      contact !== "" && h("p", {}, words.say("contact", { contact })),
      h("p", {}, words.say("nothing_sent")),
      h(
        "details",
        { class: "no-print" },
        h("summary", {}, words.say("files")),
        h("p", {}, words.say("files_words", { size: loaded.size, record: loaded.record })),
        h("ul", {}, ...files),
      ),
      h("p", { class: "only-print" }, words.say("printed_from", { url: location.href })),
    );
  }
}
