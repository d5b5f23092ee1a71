// The page for everybody: the zones, and whether one may fly. All from the files beside it.

import "./style.css";
import { h } from "../dom";
import { ask, times } from "./judge/hook";
import { Zones } from "./judge/judge";
import { load, type Loaded } from "./load";
import { Page } from "./page";
import { languageOf, Words } from "./words";
import { sha256 } from "./sha256";
import { coordinates } from "./search";

const RENEW_MS = 60_000;

const root = document.getElementById("page")!;
const words = new Words(languageOf(location.href, navigator.languages));
document.documentElement.lang = words.language;
document.title = words.say("title");
Object.assign(window, { skykeep: { ask, times, sha256, coordinates } });

async function begin(): Promise<void> {
  root.replaceChildren(
    h("main", { class: "alone" }, h("h1", {}, words.say("title")), h("p", { role: "status" }, words.say("loading"))),
  );
  let loaded: Loaded;
  try {
    loaded = await load();
  } catch (error) {
    console.warn("the zones could not be loaded", error);
    failed(error instanceof Error ? error.message : String(error));
    return;
  }
  let page = new Page(root, words, loaded, new Zones(loaded.document));
  // A page that is left open must learn of an emergency ban; while nobody answers, it grows old.
  const renew = async (): Promise<void> => {
    try {
      const again = await load();
      if (page.renew(again)) return;
      page = new Page(root, words, again, new Zones(again.document), page.close());
    } catch (error) {
      console.warn("the zones could not be renewed", error);
    }
  };
  setInterval(() => void renew(), RENEW_MS);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) void renew();
  });
}

function failed(why: string): void {
  const again = h("button", { type: "button", onclick: () => void begin() }, words.say("again"));
  root.replaceChildren(
    h(
      "main",
      { class: "alone" },
      h("h1", {}, words.say("title")),
      h("p", { class: "banner", role: "alert", "data-testid": "failed" }, words.say("failed")),
      h("p", { class: "muted" }, words.say("failed_why", { why })),
      again,
    ),
  );
}

void begin();
