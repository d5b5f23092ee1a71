// One volume of an application: an area, typed, drawn or read from a file, heights and times.

import type { DrawnArea } from "../context";
import type { HeightLimit, PermitView } from "../messages";
import { AreaField } from "./area-field";
import { tidyRing } from "./areas";
import { button, el, field, input, setText, show } from "./dom";
import { HeightField, limitsFault } from "./height-field";
import type { Desk } from "./site";
import { fromInput, rfc3339 } from "./times";

type Volume = PermitView["volumes"][number];
type Read = { volume: Volume } | { problem: string; control: HTMLElement };

const GROUND: HeightLimit = { m: 0, reference: "AGL" };
/** Above it a flight of the open category leaves its height ((EU) 2019/947, UAS.OPEN.010). */
const USUAL_UPPER: HeightLimit = { m: 120, reference: "AGL" };

export class VolumeField {
  readonly root = el("fieldset", { class: "of-group" });
  readonly area: AreaField;
  readonly from: HTMLInputElement;
  readonly to: HTMLInputElement;
  readonly upper: HeightField;
  private readonly lower: HeightField;
  private readonly legend = el("legend");
  private readonly labels: HTMLElement[] = [];
  private readonly remove: HTMLButtonElement;

  /** `stem` begins the test ids; the first volume's are those of the form. */
  constructor(
    private readonly desk: Desk,
    stem: string,
    remove: (volume: VolumeField) => void,
  ) {
    const ids = {
      lat: `${stem}-lat`,
      lon: `${stem}-lon`,
      radius: `${stem}-radius`,
      drawCircle: `${stem}-draw-circle`,
      drawPolygon: `${stem}-draw-polygon`,
    };
    const changed = () => {};
    this.area = new AreaField(desk.context.map, ids, changed);
    this.lower = new HeightField("Lower", `${stem}-lower`, GROUND, changed);
    this.upper = new HeightField("Upper", `${stem}-upper`, USUAL_UPPER, changed);
    this.from = input("datetime-local", `${stem}-start`, { required: "" });
    this.to = input("datetime-local", `${stem}-end`, { required: "" });
    const times = el("div", { class: "of-row2" });
    for (const [label, box] of [["From", this.from], ["Until", this.to]] as const) {
      const line = field(label, box);
      this.labels.push(line.querySelector("label") as HTMLElement);
      times.append(line);
    }
    this.remove = button("Take this volume out", () => remove(this), {
      class: "of-button of-small",
    });
    this.root.append(this.legend, this.area.root, this.lower.root, this.upper.root, times);
    this.root.append(this.remove);
  }

  /** Its number among so many. */
  number(i: number, of: number): void {
    setText(this.legend, of === 1 ? "Where and when (5)" : `Where and when (5), volume ${i + 1}`);
    show(this.remove, of > 1);
    const [from, to] = this.labels;
    if (from) setText(from, `From (${this.desk.zone})`);
    if (to) setText(to, `Until (${this.desk.zone})`);
  }

  /** The times of another volume: most often they are the same. */
  timesOf(other: VolumeField): void {
    this.from.value = other.from.value;
    this.to.value = other.to.value;
  }

  read(): Read {
    const { area, problem, control } = this.area.read();
    const lower = this.lower.read();
    const upper = this.upper.read();
    const start = fromInput(this.from.value, this.desk.zone);
    const end = fromInput(this.to.value, this.desk.zone);
    if (!area) return { problem, control: control ?? this.area.controls.lat_deg };
    if (lower.problem !== "") return { problem: lower.problem, control: this.lower.box };
    if (upper.problem !== "") return { problem: upper.problem, control: this.upper.box };
    const crossed = limitsFault(lower.limit, upper.limit);
    if (crossed !== "") return { problem: crossed, control: this.upper.box };
    if (start === null) return { problem: "Say from when it holds", control: this.from };
    if (end === null) return { problem: "Say until when it holds", control: this.to };
    if (end <= start) return { problem: "The end must come after the start", control: this.to };
    const limits = { lower: lower.limit, upper: upper.limit };
    const volume = { area: plain(area), ...limits, start: rfc3339(start), end: rfc3339(end) };
    return { volume };
  }
}

function plain(area: DrawnArea): Record<string, unknown> {
  if ("circle" in area) {
    const [lat_deg, lon_deg, radius_m] = area.circle;
    return { circle: { lat_deg, lon_deg, radius_m } };
  }
  return { type: "Polygon", coordinates: [tidyRing(area.ring)] };
}

/** The outer rings of the polygons in a GeoJSON text; an Error says in words what is wrong. */
export function ringsOf(text: string): [number, number][][] {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw new Error("The file is no JSON");
  }
  const rings: [number, number][][] = [];
  collect(document, rings, 0);
  if (rings.length === 0) throw new Error("The file holds no polygon");
  return rings;
}

function collect(node: unknown, rings: [number, number][][], depth: number): void {
  if (typeof node !== "object" || node === null || depth > 4) return;
  const { type, coordinates, features, geometry, geometries } = node as Record<string, unknown>;
  if (type === "Polygon" || type === "MultiPolygon") {
    const polygons = (type === "Polygon" ? [coordinates] : coordinates) as unknown[][];
    for (const polygon of polygons) {
      const ring = polygon[0];
      if (!isRing(ring)) throw new Error("An outline needs corners of longitude and latitude");
      rings.push(ring.map(([lon, lat]) => [lon, lat]));
    }
  }
  for (const each of [features, geometries]) {
    if (Array.isArray(each)) for (const one of each) collect(one, rings, depth + 1);
  }
  collect(geometry, rings, depth + 1);
}

function isRing(ring: unknown): ring is [number, number][] {
  const corner = (c: unknown) =>
    Array.isArray(c) && Number.isFinite(c[0]) && Math.abs(c[0]) <= 180 &&
    Number.isFinite(c[1]) && Math.abs(c[1]) <= 90;
  return Array.isArray(ring) && ring.length >= 4 && ring.every(corner);
}
