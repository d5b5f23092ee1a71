// How every sensor does: shape, words and age. A silent one is an alarm, not a grey spot.

import { h, reorder, setAttribute, setText } from "../dom";
import { plural, span } from "../format";
import type { Bias, Registration, SensorView } from "../messages";
import type { Store } from "../store";
import { KIND_WORDS, svgElement } from "../symbols";

const HEALTH_WORDS: Record<string, string> = {
  working: "working",
  silent: "SILENT",
  unknown: "not heard yet",
  maintenance: "in maintenance",
};
const HEALTH_ORDER: Record<string, number> = { silent: 0, unknown: 1, working: 2 };
const TICK_MS = 1000;

const SHAPES: Record<string, string> = {
  working: "M12 4a8 8 0 1 0 .01 0z",
  silent: "M8 3H16L21 8V16L16 21H8L3 16V8ZM8 8 16 16M16 8 8 16",
  unknown: "M12 4a8 8 0 1 0 .01 0z",
};

/** A bias that is smaller beside its uncertainty is none that anybody need know of. */
const TELLING_SIGMAS = 3;
const PARTS: Record<Registration["applied"][number], [keyof Bias, string, number]> = {
  azimuth: ["azimuth_deg", "deg", 1],
  range: ["range_m", "m", 0],
  elevation: ["elevation_deg", "deg", 1],
  time: ["time_s", "s", 1],
};

/** One line, such as "azimuth off by 1.2 deg, corrected"; "" where there is nothing to tell. */
export function registrationWords(found: Registration | null): string {
  if (!found || found.applied.length === 0) return "";
  const off: string[] = [];
  for (const [name, [field, unit, digits]] of Object.entries(PARTS)) {
    if (!found.applied.some((part) => part === name)) continue;
    const bias = found.bias[field];
    const words = bias.toFixed(digits);
    if (Math.abs(bias) < TELLING_SIGMAS * found.sigma[field] || Number(words) === 0) continue;
    off.push(`${name} off by ${words} ${unit}`);
  }
  if (off.length === 0) return `registered on ${plural(found.aircraft, "aircraft", "aircraft")}`;
  return `${off.join(", ")}, corrected`;
}

interface Chip {
  root: HTMLElement;
  health: string;
  words: HTMLElement;
  registration: HTMLElement;
}

export class SensorStrip {
  readonly root: HTMLElement;
  private readonly chips = new Map<string, Chip>();
  private readonly list = h("div", { class: "strip-list" });
  private readonly summary = h("summary", { "data-testid": "sensor-summary" });

  constructor(
    private readonly store: Store,
    private readonly onPick: (sensor: SensorView) => void,
  ) {
    const open = matchMedia("(min-width: 900px)").matches;
    this.root = h("details", { class: "strip", open, "data-testid": "sensor-strip" });
    this.root.append(this.summary, this.list);
    store.on("sensors", () => this.tell());
    store.onLink(() => this.tell());
    setInterval(() => this.tell(), TICK_MS);
  }

  private tell(): void {
    const sensors = this.store.get("sensors")?.sensors ?? [];
    const now = this.store.siteNowMs();
    const sorted = [...sensors].sort(
      (a, b) => (HEALTH_ORDER[a.health] ?? 1) - (HEALTH_ORDER[b.health] ?? 1),
    );
    for (const sensor of sorted) {
      let chip = this.chips.get(sensor.sensor_id);
      if (!chip) this.chips.set(sensor.sensor_id, (chip = this.make(sensor)));
      const heard = sensor.last_heard_ms;
      const age = heard === null ? "" : `, heard ${span((now - heard) / 1000)} ago`;
      setText(chip.words, `${HEALTH_WORDS[sensor.health] ?? sensor.health}${age}`);
      setText(chip.registration, registrationWords(sensor.registration));
      if (chip.health === sensor.health) continue;
      chip.health = sensor.health;
      setAttribute(chip.root, "data-health", sensor.health);
      chip.root.querySelector("svg")?.replaceWith(shape(sensor.health));
    }
    reorder(this.list, sorted.map((s) => this.chips.get(s.sensor_id)!.root));
    const silent = sensors.filter((s) => s.health === "silent").length;
    const words = silent > 0 ? `${plural(silent, "sensor")} SILENT of ${sensors.length}` : "";
    setText(this.summary, words || `${plural(sensors.length, "sensor")}`);
    setAttribute(this.root, "data-silent", silent > 0 ? "yes" : null);
  }

  private make(sensor: SensorView): Chip {
    const words = h("small");
    const registration = h("small", { "data-testid": "sensor-registration" });
    const root = h(
      "button",
      {
        type: "button",
        class: "sensor",
        title: sensor.words || (KIND_WORDS[sensor.kind] ?? sensor.kind),
        "data-testid": "sensor-chip",
        "data-sensor-id": sensor.sensor_id,
        onclick: () => this.onPick(sensor),
      },
      shape("unknown"),
      h("b", {}, sensor.sensor_id),
      words,
      registration,
    );
    return { root, words, registration, health: "" };
  }
}

function shape(health: string): SVGElement {
  const svg = svgElement("svg", { viewBox: "0 0 24 24", width: 16, height: 16, "aria-hidden": "true" });
  svg.append(
    svgElement("path", {
      d: SHAPES[health] ?? SHAPES.unknown!,
      fill: health === "working" ? "currentColor" : "none",
      stroke: "currentColor",
      "stroke-width": 2.4,
      ...(health === "unknown" ? { "stroke-dasharray": "3 3" } : {}),
    }),
  );
  return svg;
}
