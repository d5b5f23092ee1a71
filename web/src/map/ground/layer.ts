// What lies on the ground: grid, coverage, zones. Drawn whole, without cutting it into tiles: for
// every source of lines and fills MapLibre first paints the tiles' masks over the whole picture.

import type { CustomLayerInterface, CustomRenderMethodInput, Map as GlMap } from "maplibre-gl";
import type { SensorsMessage, SensorView, ZonesMessage, ZoneView } from "../../messages";
import { circleRing, destination, sectorRing, type LonLat } from "../geo";
import {
  FLAT_FRAGMENT,
  FLAT_VERTEX,
  HATCH_FRAGMENT,
  makeProgram,
  OUTLINE_FRAGMENT,
  OUTLINE_VERTEX,
  Vertices,
  type Field,
  type Program,
} from "../gpu/gl";
import type { Plane } from "../gpu/plane";
import type { Palette } from "../palette";
import { zoneColour, zoneRings } from "../zones";
import { FILL_BYTES, lookOf, OUTLINE_BYTES, Shapes, type Look, type Stroke } from "./shapes";

export const RINGS_M = [500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000];
const SPOKE_M = 100_000;
const MOST_RANGE_M = 500_000;

const FLAT: Field[] = [
  [0, 2, "f32", false, 0],
  [1, 4, "u8", true, 8],
];
const OUTLINE: Field[] = [
  [0, 2, "f32", false, 0],
  [1, 2, "f32", false, 8],
  [2, 1, "f32", false, 16],
  [3, 1, "f32", false, 20],
  [4, 4, "u8", true, 24],
  [5, 4, "u8", false, 28],
];

interface Graphics {
  flat: Program;
  hatch: Program;
  outline: Program;
  fills: Vertices;
  hatches: Vertices;
  outlines: Vertices;
}

export class GroundLayer implements CustomLayerInterface {
  readonly id = "ground";
  readonly type = "custom" as const;
  readonly options = { grid: true, coverage: true, upcoming: true };
  /** The track layer draws this too, into its picture. */
  elsewhere = false;
  private map: GlMap | null = null;
  private graphics: Graphics | null = null;
  private readonly shapes: Shapes;
  private readonly matrix = new Float32Array(16);
  private zones: ZoneView[] = [];
  private sensors: SensorView[] = [];
  private coverage = "";
  private shown: string | null = null;
  private stale = true;

  constructor(
    private readonly plane: Plane,
    private readonly site: { lat_deg: number; lon_deg: number },
    private palette: Palette,
  ) {
    this.shapes = new Shapes(plane);
  }

  onAdd(map: GlMap, gl: WebGL2RenderingContext): void {
    this.map = map;
    this.graphics = prepare(gl);
    map.on("webglcontextrestored", () => {
      this.graphics = prepare(map.painter.context.gl);
      this.changed();
    });
  }

  onRemove(_map: GlMap, gl: WebGL2RenderingContext): void {
    const g = this.graphics;
    if (!g) return;
    for (const v of [g.fills, g.hatches, g.outlines]) v.delete();
    for (const { program } of [g.flat, g.hatch, g.outline]) gl.deleteProgram(program);
    this.graphics = null;
  }

  takeZones(message: ZonesMessage): void {
    this.zones = message.zones;
    this.changed();
  }

  /** Sensors are told every few seconds; what they cover seldom changes. */
  takeSensors({ sensors }: SensorsMessage): void {
    const said = JSON.stringify(sensors.map((s) => [s.lat_deg, s.lon_deg, s.health, s.coverage]));
    if (said === this.coverage) return;
    this.coverage = said;
    this.sensors = sensors;
    this.changed();
  }

  show(zoneId: string | null): void {
    this.shown = zoneId;
    this.changed();
  }

  setPalette(palette: Palette): void {
    this.palette = palette;
    this.changed();
  }

  changed(): void {
    this.stale = true;
    this.map?.triggerRepaint();
  }

  /** Bring the vertices up to date; the answer says whether that changed anything. */
  prepare(): boolean {
    if (!this.graphics || !this.stale) return false;
    this.compose(this.graphics);
    return true;
  }

  get vertices(): number {
    const { fills, hatches, outlines } = this.shapes;
    return fills.count + hatches.count + outlines.count;
  }

  render(gl: WebGL2RenderingContext, input: CustomRenderMethodInput): void {
    if (this.elsewhere) return;
    this.prepare();
    this.plane.matrix(input.defaultProjectionData.mainMatrix as ArrayLike<number>, this.matrix);
    this.draw(gl, this.matrix, gl.drawingBufferWidth, gl.drawingBufferHeight);
  }

  /** Draw into whatever is bound, `width` by `height` pixels large. */
  draw(gl: WebGL2RenderingContext, matrix: Float32Array, width: number, height: number): void {
    const g = this.graphics;
    if (!g || !this.map) return;
    const ratio = this.map.getPixelRatio();
    const scale = this.plane.pixels(this.map.getZoom()) * ratio;
    gl.disable(gl.DEPTH_TEST);
    gl.disable(gl.CULL_FACE);
    for (const [program, vertices] of [
      [g.flat, g.fills],
      [g.hatch, g.hatches],
      [g.outline, g.outlines],
    ] as const) {
      gl.useProgram(program.program);
      gl.uniformMatrix4fv(program.uniform("u_matrix"), false, matrix);
      gl.uniform1f(program.uniform("u_ratio"), ratio);
      gl.uniform2f(program.uniform("u_view"), width, height);
      gl.uniform1f(program.uniform("u_scale"), scale);
      vertices.draw(gl.TRIANGLES);
    }
    gl.bindVertexArray(null);
  }

  private compose(g: Graphics): void {
    this.stale = false;
    const { shapes } = this;
    shapes.clear();
    if (this.options.grid) this.addGrid();
    if (this.options.coverage) for (const sensor of this.sensors) this.addCoverage(sensor);
    const looks: Look[] = ["no", "yes", "unsure", "emergency"];
    for (const look of looks) {
      if (look === "no" && !this.options.upcoming) continue;
      for (const zone of this.zones) if (lookOf(zone) === look) this.addZone(zone, look);
    }
    const shown = this.zones.find((z) => z.zone_id === this.shown);
    const mark = { px: 3, on: 5, off: 3, hex: this.palette.select, alpha: 1 };
    if (shown) for (const ring of zoneRings(shown).flat()) shapes.line(ring, mark);
    g.fills.upload(shapes.fills.buffer, shapes.fills.count);
    g.hatches.upload(shapes.hatches.buffer, shapes.hatches.count);
    g.outlines.upload(shapes.outlines.buffer, shapes.outlines.count);
  }

  private addGrid(): void {
    const { lat_deg: lat, lon_deg: lon } = this.site;
    const stroke = { px: 1, on: 0, off: 0, hex: this.palette.grid, alpha: 1 };
    for (const m of RINGS_M) this.shapes.line(circleRing(lat, lon, m, 180), stroke);
    for (let bearing = 0; bearing < 360; bearing += 30) {
      const from = destination(lat, lon, bearing, bearing % 90 === 0 ? 0 : RINGS_M[0]!);
      this.shapes.line([from, destination(lat, lon, bearing, SPOKE_M)], stroke);
    }
  }

  private addCoverage(sensor: SensorView): void {
    const silent = sensor.health === "silent";
    const hex = silent ? this.palette.silent : this.palette.sensor;
    const stroke = { px: 1.2, on: 3, off: 4, hex, alpha: silent ? 0.9 : 0.55 };
    for (const ring of coverageRings(sensor)) this.shapes.line(ring, stroke);
  }

  private addZone(zone: ZoneView, look: Look): void {
    const hex = zoneColour(zone, this.palette);
    const stroke = strokeOf(zone, look, hex);
    const strength = look === "emergency" ? 0.13 : zone.restriction === "PROHIBITED" ? 0.1 : 0.05;
    for (const rings of zoneRings(zone)) {
      if (!rings[0] || rings[0].length < 4) continue;
      if (look === "unsure") this.shapes.fill(this.shapes.hatches, rings, hex, 0.4);
      else if (look !== "no") this.shapes.fill(this.shapes.fills, rings, hex, strength);
      for (const ring of rings) this.shapes.line(ring, stroke);
    }
  }
}

function strokeOf(zone: ZoneView, look: Look, hex: string): Stroke {
  if (look === "emergency") return { px: 4, on: 0, off: 0, hex, alpha: 1 };
  if (look === "no" || look === "unsure") return { px: 1.4, on: 6, off: 5, hex, alpha: 0.9 };
  return { px: zone.restriction === "PROHIBITED" ? 2.2 : 1.3, on: 0, off: 0, hex, alpha: 0.95 };
}

function coverageRings(sensor: SensorView): LonLat[][] {
  const { lat_deg: lat, lon_deg: lon, coverage: c } = sensor;
  if (!c || !(c.range_max_m > 0) || c.range_max_m > MOST_RANGE_M) return [];
  const sweep = c.azimuth_to_deg - c.azimuth_from_deg;
  if (Math.abs(sweep) >= 360 || sweep === 0) {
    const rings = [circleRing(lat, lon, c.range_max_m, 120)];
    if (c.range_min_m > 0) rings.push(circleRing(lat, lon, c.range_min_m));
    return rings;
  }
  return [
    sectorRing(lat, lon, c.azimuth_from_deg, c.azimuth_to_deg, c.range_min_m, c.range_max_m),
  ];
}

function prepare(gl: WebGL2RenderingContext): Graphics {
  const flat = ["a_pos", "a_colour"];
  const outline = ["a_pos", "a_other", "a_side", "a_run", "a_colour", "a_style"];
  return {
    flat: makeProgram(gl, FLAT_VERTEX, FLAT_FRAGMENT, flat),
    hatch: makeProgram(gl, FLAT_VERTEX, HATCH_FRAGMENT, flat),
    outline: makeProgram(gl, OUTLINE_VERTEX, OUTLINE_FRAGMENT, outline),
    fills: new Vertices(gl, FILL_BYTES, FLAT, false),
    hatches: new Vertices(gl, FILL_BYTES, FLAT, false),
    outlines: new Vertices(gl, OUTLINE_BYTES, OUTLINE, true),
  };
}
