// The programs of our own layers, and the buffers that they draw.

export const FLAT_VERTEX = `#version 300 es
precision highp float;
uniform mat4 u_matrix;
in vec2 a_pos;
in vec4 a_colour;
out vec4 v_colour;
void main() {
  gl_Position = u_matrix * vec4(a_pos, 0.0, 1.0);
  v_colour = vec4(a_colour.rgb * a_colour.a, a_colour.a);
}`;

export const FLAT_FRAGMENT = `#version 300 es
precision mediump float;
in vec4 v_colour;
out vec4 o_colour;
void main() { o_colour = v_colour; }`;

/**
 * Lines of a width in pixels with soft edges. Each end is two vertices, one on either side (1, -1 at
 * the beginning, -2, 2 at the end, from where sides look swapped); half a pixel more than the width,
 * for the softness.
 */
export const SEGMENT_VERTEX = `#version 300 es
precision highp float;
uniform mat4 u_matrix;
uniform vec2 u_view;
uniform float u_half;
in vec2 a_pos;
in vec2 a_other;
in float a_side;
in vec4 a_colour;
out vec4 v_colour;
out float v_across;
void main() {
  vec4 a = u_matrix * vec4(a_pos, 0.0, 1.0);
  vec4 b = u_matrix * vec4(a_other, 0.0, 1.0);
  vec2 along = (b.xy / b.w - a.xy / a.w) * u_view;
  float reach = (u_half + 0.5) * sign(a_side);
  vec2 across = vec2(-along.y, along.x) / max(length(along), 1e-6) * 2.0 * reach / u_view;
  gl_Position = vec4(a.xy / a.w + across, 0.0, 1.0);
  v_colour = vec4(a_colour.rgb * a_colour.a, a_colour.a);
  v_across = abs(a_side) > 1.5 ? -reach : reach;
}`;

export const SEGMENT_FRAGMENT = `#version 300 es
precision highp float;
uniform float u_half;
in vec4 v_colour;
in float v_across;
out vec4 o_colour;
void main() { o_colour = v_colour * clamp(u_half + 0.5 - abs(v_across), 0.0, 1.0); }`;

/** Outlines of the ground: each has its own width and dashes (pixels on, pixels off). */
export const OUTLINE_VERTEX = `#version 300 es
precision highp float;
uniform mat4 u_matrix;
uniform vec2 u_view;
uniform float u_ratio;
uniform float u_scale;
in vec2 a_pos;
in vec2 a_other;
in float a_side;
in float a_run;
in vec4 a_colour;
in vec4 a_style;
out vec4 v_colour;
out vec2 v_across;
out vec3 v_dash;
void main() {
  vec4 a = u_matrix * vec4(a_pos, 0.0, 1.0);
  vec4 b = u_matrix * vec4(a_other, 0.0, 1.0);
  vec2 along = (b.xy / b.w - a.xy / a.w) * u_view;
  along /= max(length(along), 1e-6);
  float half_px = a_style.x / 16.0 * u_ratio;
  float reach = (half_px + 0.5) * sign(a_side);
  // A little beyond its end, so that corners close.
  vec2 move = vec2(-along.y, along.x) * reach - along * half_px * 0.5;
  gl_Position = vec4(a.xy / a.w + move * 2.0 / u_view, 0.0, 1.0);
  v_colour = vec4(a_colour.rgb * a_colour.a, a_colour.a);
  v_across = vec2(abs(a_side) > 1.5 ? -reach : reach, half_px + 0.5);
  v_dash = vec3(a_run * u_scale, a_style.y * u_ratio, (a_style.y + a_style.z) * u_ratio);
}`;

export const OUTLINE_FRAGMENT = `#version 300 es
precision highp float;
in vec4 v_colour;
in vec2 v_across;
in vec3 v_dash;
out vec4 o_colour;
void main() {
  float alpha = clamp(v_across.y - abs(v_across.x), 0.0, 1.0);
  if (v_dash.z > v_dash.y && mod(v_dash.x, v_dash.z) > v_dash.y) alpha = 0.0;
  o_colour = v_colour * alpha;
}`;

/** Diagonal lines over what is unsure. */
export const HATCH_FRAGMENT = `#version 300 es
precision highp float;
uniform float u_ratio;
in vec4 v_colour;
out vec4 o_colour;
void main() {
  float d = mod(gl_FragCoord.x - gl_FragCoord.y, 9.0 * u_ratio) / u_ratio;
  o_colour = v_colour * clamp(1.4 - abs(d - 4.5), 0.0, 1.0);
}`;

/** Symbols and letters: four corners each, out of the atlas. */
export const SPRITE_VERTEX = `#version 300 es
precision highp float;
uniform mat4 u_matrix;
uniform vec2 u_view;
uniform float u_ratio;
uniform vec2 u_atlas_size;
in vec2 a_pos;
in vec2 a_offset;
in vec2 a_uv;
in vec4 a_colour;
out vec2 v_uv;
out vec4 v_colour;
void main() {
  vec4 at = u_matrix * vec4(a_pos, 0.0, 1.0);
  // Whole pixels keep small pictures sharp.
  vec2 centre = floor((at.xy / at.w * 0.5 + 0.5) * u_view + 0.5);
  vec2 px = centre + vec2(a_offset.x, -a_offset.y) * u_ratio;
  gl_Position = vec4(px / u_view * 2.0 - 1.0, 0.0, 1.0);
  v_uv = a_uv * u_ratio / u_atlas_size;
  v_colour = a_colour;
}`;

export const SPRITE_FRAGMENT = `#version 300 es
precision mediump float;
uniform sampler2D u_atlas;
uniform vec3 u_halo;
in vec2 v_uv;
in vec4 v_colour;
out vec4 o_colour;
void main() {
  vec2 t = texture(u_atlas, v_uv).rg;
  float halo = t.g * (1.0 - t.r);
  o_colour = vec4(v_colour.rgb * t.r + u_halo * halo, t.r + halo) * v_colour.a;
}`;

export interface Program {
  program: WebGLProgram;
  uniform(name: string): WebGLUniformLocation | null;
}

export function makeProgram(
  gl: WebGL2RenderingContext,
  vertex: string,
  fragment: string,
  attributes: string[],
): Program {
  const program = gl.createProgram();
  for (const [type, source] of [
    [gl.VERTEX_SHADER, vertex],
    [gl.FRAGMENT_SHADER, fragment],
  ] as const) {
    const shader = gl.createShader(type)!;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
    gl.deleteShader(shader);
  }
  attributes.forEach((name, i) => gl.bindAttribLocation(program, i, name));
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
    throw new Error(`track layer: ${gl.getProgramInfoLog(program)}`);
  }
  const known = new Map<string, WebGLUniformLocation | null>();
  return {
    program,
    uniform(name) {
      if (!known.has(name)) known.set(name, gl.getUniformLocation(program, name));
      return known.get(name) ?? null;
    },
  };
}

/** [attribute number, components, type, normalised, offset in bytes] */
export type Field = [number, number, "f32" | "u16" | "u8", boolean, number];

/**
 * A buffer of vertices with its layout, drawn as quads of four or as they are. No instances: a
 * software renderer treats each instance as a drawing of its own.
 */
export class Vertices {
  private readonly vao: WebGLVertexArrayObject;
  private readonly buffer: WebGLBuffer;
  private readonly indices: WebGLBuffer | null;
  private room = 0;
  private quads = 0;
  private count = 0;

  constructor(
    private readonly gl: WebGL2RenderingContext,
    private readonly stride: number,
    fields: Field[],
    asQuads: boolean,
  ) {
    this.vao = gl.createVertexArray();
    this.buffer = gl.createBuffer();
    gl.bindVertexArray(this.vao);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer);
    const types = { f32: gl.FLOAT, u16: gl.UNSIGNED_SHORT, u8: gl.UNSIGNED_BYTE };
    for (const [index, size, type, normalised, offset] of fields) {
      gl.enableVertexAttribArray(index);
      gl.vertexAttribPointer(index, size, types[type], normalised, stride, offset);
    }
    this.indices = asQuads ? gl.createBuffer() : null;
    if (this.indices) gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.indices);
    gl.bindVertexArray(null);
  }

  upload(bytes: ArrayBuffer, count: number): void {
    const { gl } = this;
    const size = count * this.stride;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer);
    if (size > this.room) {
      this.room = Math.ceil(size * 1.5);
      gl.bufferData(gl.ARRAY_BUFFER, this.room, gl.DYNAMIC_DRAW);
    }
    if (size > 0) gl.bufferSubData(gl.ARRAY_BUFFER, 0, new Uint8Array(bytes, 0, size));
    this.count = count;
    if (this.indices) this.growIndices(count / 4);
  }

  private growIndices(quads: number): void {
    if (quads <= this.quads) return;
    const { gl } = this;
    this.quads = Math.ceil(quads * 1.5);
    const indices = new Uint32Array(this.quads * 6);
    for (let q = 0; q < this.quads; q++) {
      indices.set([4 * q, 4 * q + 1, 4 * q + 2, 4 * q + 2, 4 * q + 1, 4 * q + 3], 6 * q);
    }
    gl.bindVertexArray(this.vao);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, indices, gl.STATIC_DRAW);
    gl.bindVertexArray(null);
  }

  draw(mode: number): void {
    const { gl } = this;
    if (this.count === 0) return;
    gl.bindVertexArray(this.vao);
    if (this.indices) gl.drawElements(mode, (this.count / 4) * 6, gl.UNSIGNED_INT, 0);
    else gl.drawArrays(mode, 0, this.count);
  }

  delete(): void {
    this.gl.deleteVertexArray(this.vao);
    this.gl.deleteBuffer(this.buffer);
    if (this.indices) this.gl.deleteBuffer(this.indices);
  }
}
