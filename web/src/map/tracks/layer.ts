// All tracks as one layer of the map, drawn straight from typed arrays. GeoJSON would have to be
// cut into tiles anew every second (docs/decisions/0011-watch-page.md).

import type { CustomLayerInterface, CustomRenderMethodInput } from "maplibre-gl";
import type { Map as GlMap } from "maplibre-gl";
import type { RaysMessage, SensorsMessage, TracksMessage, TrailsMessage } from "../../messages";
import type { GroundLayer } from "../ground/layer";
import { rgb, type Palette } from "../palette";
import { Atlas } from "./atlas";
import { Composer, type Options, type View } from "./compose";
import {
  FLAT_FRAGMENT,
  FLAT_VERTEX,
  makeProgram,
  SEGMENT_FRAGMENT,
  SEGMENT_VERTEX,
  SPRITE_FRAGMENT,
  SPRITE_VERTEX,
  Vertices,
  type Field,
  type Program,
} from "../gpu/gl";
import { Picture } from "../gpu/picture";
import type { Plane } from "../gpu/plane";
import { Sheet } from "../gpu/sheet";
import { composeRays } from "./rays";
import { Trails } from "./trails";

/** What is composed reaches so far beyond the screen on each side, in widths of it. */
const MARGIN = 0.15;
/** From so many vertices on, what is drawn is kept as a picture between two messages. */
const MANY = 40_000;
/** No picture is larger than this, px. */
const MOST_PX = 8_192;
/** A zoom step after which labels and trails are laid out anew. */
const ZOOM_STEP = 0.3;
/** While the map moves, not more often than this. */
const RECOMPOSE_MS = 200;
const HIT_PX = 18;
const SEGMENT_HALF_PX = 0.8;

/** Position and colour. */
const FLAT: Field[] = [
  [0, 2, "f32", false, 0],
  [1, 4, "u8", true, 8],
];
const FLAT_BYTES = 12;
const SEGMENT: Field[] = [
  [0, 2, "f32", false, 0],
  [1, 2, "f32", false, 8],
  [2, 1, "f32", false, 16],
  [3, 4, "u8", true, 20],
];
const SPRITE: Field[] = [
  [0, 2, "f32", false, 0],
  [1, 2, "f32", false, 8],
  [2, 2, "u16", false, 16],
  [3, 4, "u8", true, 20],
];

interface Graphics {
  flat: Program;
  segment: Program;
  sprite: Program;
  wedges: Vertices;
  middles: Vertices;
  lines: Vertices;
  segments: Vertices;
  sprites: Vertices;
  texture: WebGLTexture;
  picture: Picture;
}

export class TrackLayer implements CustomLayerInterface {
  readonly id = "tracks";
  readonly type = "custom" as const;
  readonly options: Options = {
    labels: true,
    trails: true,
    bearings: true,
    selected: null,
  };
  private map: GlMap | null = null;
  private graphics: Graphics | null = null;
  private readonly atlas: Atlas;
  private readonly composer: Composer;
  private readonly trails = new Trails();
  private readonly matrix = new Float32Array(16);
  private message: TracksMessage | null = null;
  private rays: [RaysMessage, SensorsMessage | undefined] | null = null;
  private readonly wedges = new Sheet(FLAT_BYTES);
  private readonly middles = new Sheet(FLAT_BYTES);
  /** What was composed last. */
  private view: View | null = null;
  private composedAt = 0;
  private composedZoom = NaN;
  private stale = true;

  constructor(
    private readonly plane: Plane,
    private readonly ground: GroundLayer,
    private palette: Palette,
    private readonly ratio = Math.min(3, globalThis.devicePixelRatio || 1),
  ) {
    this.atlas = new Atlas(this.ratio);
    this.composer = new Composer(this.plane, this.atlas);
  }

  onAdd(map: GlMap, gl: WebGL2RenderingContext): void {
    this.map = map;
    this.graphics = this.prepare(gl);
    map.on("webglcontextrestored", () => {
      this.graphics = this.prepare(map.painter.context.gl);
      this.changed();
    });
  }

  onRemove(_map: GlMap, gl: WebGL2RenderingContext): void {
    const g = this.graphics;
    if (!g) return;
    for (const v of [g.wedges, g.middles, g.lines, g.segments, g.sprites]) v.delete();
    for (const { program } of [g.flat, g.segment, g.sprite]) gl.deleteProgram(program);
    gl.deleteTexture(g.texture);
    g.picture.delete();
    this.graphics = null;
  }

  take(message: TracksMessage): void {
    this.message = message;
    this.composer.take(message, this.trails);
    this.changed();
  }

  takeRays(message: RaysMessage, sensors: SensorsMessage | undefined): void {
    this.rays = [message, sensors];
    this.changed();
  }

  /** Points from before; every fresh connection tells them once, and they replace what is here. */
  takeTrails(m: TrailsMessage): void {
    let at = 0;
    this.trails.clear();
    this.trails.begin();
    m.track_id.forEach((id, t) => {
      const n = m.count[t]!;
      for (let i = at; i < at + n; i++) {
        this.trails.add(id, this.plane.x(m.lon_e7[i]! / 1e7), this.plane.y(m.lat_e7[i]! / 1e7));
      }
      at += n;
    });
  }

  setPalette(palette: Palette): void {
    this.palette = palette;
    this.changed();
  }

  /** Draw anew with the next frame. */
  changed(): void {
    this.stale = true;
    this.map?.triggerRepaint();
  }

  get aheadS(): number {
    return this.composer.aheadS;
  }

  /** The track nearest to a point of the screen, within reach of a finger. */
  hit(x: number, y: number): string | null {
    const { map, message } = this;
    if (!map || !message) return null;
    const at = map.unproject([x, y]);
    const px = this.plane.x(at.lng);
    const py = this.plane.y(at.lat);
    let best = (HIT_PX / this.plane.pixels(map.getZoom())) ** 2;
    let found: string | null = null;
    for (let i = 0; i < this.composer.x.length; i++) {
      const d = (this.composer.x[i]! - px) ** 2 + (this.composer.y[i]! - py) ** 2;
      if (d < best) {
        best = d;
        found = message.track_id[i]!;
      }
    }
    return found;
  }

  /** Before the frame: what has changed, and where it is drawn. */
  prerender(gl: WebGL2RenderingContext): void {
    const g = this.graphics;
    const { map, ground } = this;
    if (!g || !map) return;
    const groundChanged = ground.prepare();
    const moved = this.stale || !this.view || this.viewLeft(map);
    if (!moved && !groundChanged) return;
    const view = this.viewOf(map, MARGIN);
    this.compose(map, g, view);
    const { lines, segments, sprites } = this.composer;
    const vertices = ground.vertices + lines.count + segments.count + sprites.count;
    const width = Math.round((view.maxX - view.minX) * view.pixelsPerUnit * this.ratio);
    const height = Math.round((view.maxY - view.minY) * view.pixelsPerUnit * this.ratio);
    ground.elsewhere = vertices > MANY && Math.max(width, height) <= MOST_PX;
    if (!ground.elsewhere) return;
    g.picture.fill(view, width, height, (matrix) => {
      ground.draw(gl, matrix, width, height);
      this.draw(gl, g, matrix, width, height);
    });
  }

  render(gl: WebGL2RenderingContext, input: CustomRenderMethodInput): void {
    const g = this.graphics;
    if (!g || !this.map) return;
    this.plane.matrix(input.defaultProjectionData.mainMatrix as ArrayLike<number>, this.matrix);
    if (this.ground.elsewhere) {
      g.picture.show(this.matrix, Math.abs(this.map.getZoom() - this.composedZoom) > 1e-6);
    } else {
      this.draw(gl, g, this.matrix, gl.drawingBufferWidth, gl.drawingBufferHeight);
    }
  }

  private viewLeft(map: GlMap): boolean {
    const v = this.view;
    if (!v) return true;
    const b = this.viewOf(map, 0);
    const left = b.minX < v.minX || b.maxX > v.maxX || b.minY < v.minY || b.maxY > v.maxY;
    const zoomed = Math.abs(map.getZoom() - this.composedZoom);
    // At rest the picture is of this very zoom; on the way there it may lag behind.
    if (!left && zoomed < (map.isZooming() ? ZOOM_STEP : 1e-6)) return false;
    return performance.now() - this.composedAt >= RECOMPOSE_MS || !map.isMoving();
  }

  /** What the screen shows, with a margin, in whole pixels. North is up: it is a rectangle. */
  private viewOf(map: GlMap, margin: number): View {
    const centre = map.getCenter();
    const x = this.plane.x(centre.lng);
    const y = this.plane.y(centre.lat);
    const pixelsPerUnit = this.plane.pixels(map.getZoom());
    const { width, height } = map.getCanvas();
    const perPx = 1 / (pixelsPerUnit * this.ratio);
    const halfX = Math.ceil(width * (0.5 + margin)) * perPx;
    const halfY = Math.ceil(height * (0.5 + margin)) * perPx;
    return {
      minX: x - halfX,
      maxX: x + halfX,
      minY: y - halfY,
      maxY: y + halfY,
      pixelsPerUnit,
    };
  }

  private compose(map: GlMap, g: Graphics, view: View): void {
    this.stale = false;
    this.composedAt = performance.now();
    this.composedZoom = map.getZoom();
    this.view = view;
    const { composer } = this;
    if (this.message) composer.compose(this.message, this.trails, view, this.palette, this.options);
    if (this.rays) {
      composeRays(...this.rays, this.plane, this.palette, this.wedges, this.middles);
      g.wedges.upload(this.wedges.buffer, this.wedges.count);
      g.middles.upload(this.middles.buffer, this.middles.count);
    }
    g.lines.upload(composer.lines.buffer, composer.lines.count);
    g.segments.upload(composer.segments.buffer, composer.segments.count);
    g.sprites.upload(composer.sprites.buffer, composer.sprites.count);
  }

  private prepare(gl: WebGL2RenderingContext): Graphics {
    const texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
    gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false);
    const { width, height, pixels } = this.atlas;
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RG8, width, height, 0, gl.RG, gl.UNSIGNED_BYTE, pixels);
    // Pixels fall on pixels, so there is nothing to smooth, unless the screen's ratio is a broken one.
    const filter = Number.isInteger(this.ratio) ? gl.NEAREST : gl.LINEAR;
    for (const [name, value] of [
      [gl.TEXTURE_MIN_FILTER, filter],
      [gl.TEXTURE_MAG_FILTER, filter],
      [gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE],
      [gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE],
    ] as const) {
      gl.texParameteri(gl.TEXTURE_2D, name, value);
    }
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 4);
    return {
      texture,
      picture: new Picture(gl),
      flat: makeProgram(gl, FLAT_VERTEX, FLAT_FRAGMENT, ["a_pos", "a_colour"]),
      segment: makeProgram(gl, SEGMENT_VERTEX, SEGMENT_FRAGMENT, [
        "a_pos",
        "a_other",
        "a_side",
        "a_colour",
      ]),
      sprite: makeProgram(gl, SPRITE_VERTEX, SPRITE_FRAGMENT, [
        "a_pos",
        "a_offset",
        "a_uv",
        "a_colour",
      ]),
      wedges: new Vertices(gl, FLAT_BYTES, FLAT, false),
      middles: new Vertices(gl, FLAT_BYTES, FLAT, false),
      lines: new Vertices(gl, FLAT_BYTES, FLAT, false),
      segments: new Vertices(gl, 24, SEGMENT, true),
      sprites: new Vertices(gl, 24, SPRITE, true),
    };
  }

  private draw(
    gl: WebGL2RenderingContext,
    g: Graphics,
    matrix: Float32Array,
    width: number,
    height: number,
  ): void {
    gl.disable(gl.DEPTH_TEST);
    gl.disable(gl.CULL_FACE);
    gl.useProgram(g.flat.program);
    gl.uniformMatrix4fv(g.flat.uniform("u_matrix"), false, matrix);
    if (this.options.bearings) {
      g.wedges.draw(gl.TRIANGLES);
      g.middles.draw(gl.LINES);
    }
    g.lines.draw(gl.LINES);

    gl.useProgram(g.segment.program);
    gl.uniformMatrix4fv(g.segment.uniform("u_matrix"), false, matrix);
    gl.uniform2f(g.segment.uniform("u_view"), width, height);
    gl.uniform1f(g.segment.uniform("u_half"), SEGMENT_HALF_PX * this.ratio);
    g.segments.draw(gl.TRIANGLES);

    gl.useProgram(g.sprite.program);
    gl.uniformMatrix4fv(g.sprite.uniform("u_matrix"), false, matrix);
    gl.uniform2f(g.sprite.uniform("u_view"), width, height);
    gl.uniform1f(g.sprite.uniform("u_ratio"), this.ratio);
    gl.uniform2f(g.sprite.uniform("u_atlas_size"), this.atlas.width, this.atlas.height);
    gl.uniform3f(g.sprite.uniform("u_halo"), ...rgb(this.palette.halo));
    gl.uniform1i(g.sprite.uniform("u_atlas"), 0);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, g.texture);
    g.sprites.draw(gl.TRIANGLES);
    gl.bindVertexArray(null);
  }
}

