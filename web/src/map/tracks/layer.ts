// All tracks as one layer of the map, drawn straight from typed arrays. GeoJSON would have to be
// cut into tiles anew every second, which 5,000 trails do not allow (docs/decisions/0011).

import type { CustomLayerInterface, CustomRenderMethodInput } from "maplibre-gl";
import type { LngLatBounds, Map as GlMap } from "maplibre-gl";
import type { TracksMessage, TrailsMessage } from "../../messages";
import type { Palette } from "../palette";
import { Atlas } from "./atlas";
import { Composer, rgb, type Options, type View } from "./compose";
import {
  FLAT_FRAGMENT,
  LINE_VERTEX,
  makeProgram,
  Records,
  SEGMENT_VERTEX,
  SPRITE_FRAGMENT,
  SPRITE_VERTEX,
  type Program,
} from "./gl";
import { Plane } from "./plane";
import { Trails } from "./trails";

/** What is composed reaches so far beyond the screen, in widths of it. */
const MARGIN = 0.35;
/** A zoom step after which labels and trails are laid out anew. */
const ZOOM_STEP = 0.3;
/** While the map moves, not more often than this. */
const RECOMPOSE_MS = 200;
const HIT_PX = 18;
const SEGMENT_PX = 1.8;

interface Graphics {
  line: Program;
  segment: Program;
  sprite: Program;
  lines: Records;
  segments: Records;
  sprites: Records;
  texture: WebGLTexture;
}

export class TrackLayer implements CustomLayerInterface {
  readonly id = "tracks";
  readonly type = "custom" as const;
  readonly options: Options = { labels: true, trails: true, selected: null };
  private map: GlMap | null = null;
  private graphics: Graphics | null = null;
  private readonly plane: Plane;
  private readonly atlas: Atlas;
  private readonly composer: Composer;
  private readonly trails = new Trails();
  private readonly matrix = new Float32Array(16);
  private message: TracksMessage | null = null;
  private view: View | null = null;
  private composedAt = 0;
  private composedZoom = NaN;
  private stale = true;

  constructor(
    lat: number,
    lon: number,
    private palette: Palette,
    private readonly ratio = Math.min(3, globalThis.devicePixelRatio || 1),
  ) {
    this.plane = new Plane(lat, lon);
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
    for (const records of [g.lines, g.segments, g.sprites]) records.delete();
    for (const { program } of [g.line, g.segment, g.sprite]) gl.deleteProgram(program);
    gl.deleteTexture(g.texture);
    this.graphics = null;
  }

  take(message: TracksMessage): void {
    this.message = message;
    this.composer.take(message, this.trails);
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

  render(gl: WebGL2RenderingContext, input: CustomRenderMethodInput): void {
    const g = this.graphics;
    if (!g || !this.map || !this.message) return;
    if (this.stale || this.viewLeft(this.map)) this.compose(this.map, g);
    this.plane.matrix(input.defaultProjectionData.mainMatrix as ArrayLike<number>, this.matrix);
    this.draw(gl, g);
  }

  private viewLeft(map: GlMap): boolean {
    if (performance.now() - this.composedAt < RECOMPOSE_MS) return false;
    if (Math.abs(map.getZoom() - this.composedZoom) > ZOOM_STEP) return true;
    const v = this.view;
    const b = this.borders(map.getBounds(), 0, map);
    return !v || b.minX < v.minX || b.maxX > v.maxX || b.minY < v.minY || b.maxY > v.maxY;
  }

  private borders(bounds: LngLatBounds, margin: number, map: GlMap): View {
    const minX = this.plane.x(bounds.getWest());
    const maxX = this.plane.x(bounds.getEast());
    const minY = this.plane.y(bounds.getNorth());
    const maxY = this.plane.y(bounds.getSouth());
    // Zoomed out so far that the borders meet behind the earth: everything is in view.
    const whole = maxX <= minX;
    const dx = (maxX - minX) * margin;
    const dy = (maxY - minY) * margin;
    return {
      minX: whole ? -Infinity : minX - dx,
      maxX: whole ? Infinity : maxX + dx,
      minY: minY - dy,
      maxY: maxY + dy,
      pixelsPerUnit: this.plane.pixels(map.getZoom()),
    };
  }

  private compose(map: GlMap, g: Graphics): void {
    this.stale = false;
    this.composedAt = performance.now();
    this.composedZoom = map.getZoom();
    this.view = this.borders(map.getBounds(), MARGIN, map);
    const { composer } = this;
    composer.compose(this.message!, this.trails, this.view, this.palette, this.options);
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
    for (const [name, value] of [
      [gl.TEXTURE_MIN_FILTER, gl.LINEAR],
      [gl.TEXTURE_MAG_FILTER, gl.LINEAR],
      [gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE],
      [gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE],
    ] as const) {
      gl.texParameteri(gl.TEXTURE_2D, name, value);
    }
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 4);
    return {
      texture,
      line: makeProgram(gl, LINE_VERTEX, FLAT_FRAGMENT, ["a_pos", "a_colour"]),
      segment: makeProgram(gl, SEGMENT_VERTEX, FLAT_FRAGMENT, ["a_ends", "a_from", "a_to"]),
      sprite: makeProgram(gl, SPRITE_VERTEX, SPRITE_FRAGMENT, [
        "a_pos",
        "a_box",
        "a_uv",
        "a_angle",
        "a_colour",
      ]),
      lines: new Records(gl, 12, [[0, 2, "f32", false, 0], [1, 4, "u8", true, 8]], 0),
      segments: new Records(
        gl,
        24,
        [[0, 4, "f32", false, 0], [1, 4, "u8", true, 16], [2, 4, "u8", true, 20]],
        1,
      ),
      sprites: new Records(
        gl,
        40,
        [
          [0, 2, "f32", false, 0],
          [1, 4, "f32", false, 8],
          [2, 2, "f32", false, 24],
          [3, 1, "f32", false, 32],
          [4, 4, "u8", true, 36],
        ],
        1,
      ),
    };
  }

  private draw(gl: WebGL2RenderingContext, g: Graphics): void {
    const view: [number, number] = [gl.drawingBufferWidth, gl.drawingBufferHeight];
    gl.disable(gl.DEPTH_TEST);
    gl.disable(gl.CULL_FACE);
    gl.useProgram(g.line.program);
    gl.uniformMatrix4fv(g.line.uniform("u_matrix"), false, this.matrix);
    g.lines.bind();
    gl.drawArrays(gl.LINES, 0, g.lines.count);

    gl.useProgram(g.segment.program);
    gl.uniformMatrix4fv(g.segment.uniform("u_matrix"), false, this.matrix);
    gl.uniform2f(g.segment.uniform("u_view"), ...view);
    gl.uniform1f(g.segment.uniform("u_width"), SEGMENT_PX * this.ratio);
    g.segments.bind();
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, g.segments.count);

    gl.useProgram(g.sprite.program);
    gl.uniformMatrix4fv(g.sprite.uniform("u_matrix"), false, this.matrix);
    gl.uniform2f(g.sprite.uniform("u_view"), ...view);
    gl.uniform1f(g.sprite.uniform("u_ratio"), this.ratio);
    gl.uniform2f(g.sprite.uniform("u_atlas_size"), this.atlas.width, this.atlas.height);
    gl.uniform3f(g.sprite.uniform("u_halo"), ...rgb(this.palette.halo));
    gl.uniform1i(g.sprite.uniform("u_atlas"), 0);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, g.texture);
    g.sprites.bind();
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, g.sprites.count);
    gl.bindVertexArray(null);
  }
}

