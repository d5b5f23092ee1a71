// What the symbols mean, and what can be switched off.

import { h } from "../dom";
import { TOGGLES, type WatchMap } from "../map/map";
import { icon, PERMISSION_WORDS, PERMISSIONS } from "../symbols";

const ZONE_LOOKS = [
  ["emergency", "emergency ban"],
  ["prohibited", "prohibited"],
  ["authorisation", "authorisation needed"],
  ["conditional", "conditional"],
  ["dashed", "not now"],
  ["hatched", "unclear or unreadable"],
] as const;

export function makeLegend(map: WatchMap): HTMLElement {
  const symbols = PERMISSIONS.toReversed().map((p) =>
    h("li", {}, icon(p, 18), PERMISSION_WORDS[p].toLowerCase()),
  );
  const zones = ZONE_LOOKS.map(([look, words]) =>
    h("li", {}, h("i", { class: `zone-look ${look}` }), words),
  );
  const toggles = TOGGLES.map((name) => {
    const box = h("input", { type: "checkbox", checked: true, "data-testid": `toggle-${name}` });
    box.addEventListener("change", () => map.toggle(name, box.checked));
    return h("label", {}, box, name);
  });
  const ahead = h("p", { class: "hint" });
  map.gl.on("moveend", () => (ahead.textContent = aheadWords(map)));
  map.gl.on("idle", () => (ahead.textContent = aheadWords(map)));
  const body = h(
    "div",
    { class: "legend-body" },
    h("ul", {}, ...symbols, h("li", {}, icon("undetermined", 18, true), "dashed: claim, not measured")),
    h("ul", {}, ...zones),
    h("fieldset", {}, h("legend", {}, "Show"), ...toggles),
    ahead,
  );
  return h("details", { class: "legend", "data-testid": "legend" }, h("summary", {}, "Key"), body);
}

function aheadWords(map: WatchMap): string {
  return `A line ahead of a track: where it is in ${map.tracks.aheadS} s. Circle: 2σ.`;
}
