// The three programs of the track layer, and the buffers that they draw.

export const LINE_VERTEX = `#version 300 es
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

/** Lines of a width in pixels: one instance is one piece. */
export const SEGMENT_VERTEX = `#version 300 es
precision highp float;
uniform mat4 u_matrix;
uniform vec2 u_view;
uniform float u_width;
in vec4 a_ends;
in vec4 a_from;
in vec4 a_to;
out vec4 v_colour;
void main() {
  vec2 corner = vec2(float(gl_VertexID & 1), float(gl_VertexID >> 1));
  vec4 a = u_matrix * vec4(a_ends.xy, 0.0, 1.0);
  vec4 b = u_matrix * vec4(a_ends.zw, 0.0, 1.0);
  vec2 along = (b.xy / b.w - a.xy / a.w) * u_view;
  float length = max(length(along), 1e-6);
  vec2 across = vec2(-along.y, along.x) / length * u_width / u_view;
  vec4 at = mix(a, b, corner.x);
  gl_Position = vec4(at.xy / at.w + across * (corner.y * 2.0 - 1.0), 0.0, 1.0);
  vec4 c = mix(a_from, a_to, corner.x);
  v_colour = vec4(c.rgb * c.a, c.a);
}`;

/** Symbols and letters: one instance is one picture out of the atlas. */
export const SPRITE_VERTEX = `#version 300 es
precision highp float;
uniform mat4 u_matrix;
uniform vec2 u_view;
uniform float u_ratio;
uniform vec2 u_atlas_size;
in vec2 a_pos;
in vec4 a_box;
in vec2 a_uv;
in float a_angle;
in vec4 a_colour;
out vec2 v_uv;
out vec4 v_colour;
void main() {
  vec2 corner = vec2(float(gl_VertexID & 1), float(gl_VertexID >> 1));
  vec4 at = u_matrix * vec4(a_pos, 0.0, 1.0);
  // Whole pixels keep small pictures sharp.
  vec2 centre = floor((at.xy / at.w * 0.5 + 0.5) * u_view + 0.5);
  vec2 offset = a_box.xy + corner * a_box.zw;
  float s = sin(a_angle), c = cos(a_angle);
  offset = vec2(offset.x * c - offset.y * s, offset.x * s + offset.y * c);
  vec2 px = centre + vec2(offset.x, -offset.y) * u_ratio;
  gl_Position = vec4(px / u_view * 2.0 - 1.0, 0.0, 1.0);
  v_uv = (a_uv + corner * a_box.zw) * u_ratio / u_atlas_size;
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
export type Field = [number, number, "f32" | "u8", boolean, number];

/** A buffer of records with its layout; `divisor` 1 gives each instance one record. */
export class Records {
  private readonly vao: WebGLVertexArrayObject;
  private readonly buffer: WebGLBuffer;
  private room = 0;
  count = 0;

  constructor(
    private readonly gl: WebGL2RenderingContext,
    private readonly stride: number,
    fields: Field[],
    divisor: 0 | 1,
  ) {
    this.vao = gl.createVertexArray();
    this.buffer = gl.createBuffer();
    gl.bindVertexArray(this.vao);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer);
    for (const [index, size, type, normalised, offset] of fields) {
      gl.enableVertexAttribArray(index);
      const kind = type === "f32" ? gl.FLOAT : gl.UNSIGNED_BYTE;
      gl.vertexAttribPointer(index, size, kind, normalised, stride, offset);
      gl.vertexAttribDivisor(index, divisor);
    }
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
  }

  bind(): void {
    this.gl.bindVertexArray(this.vao);
  }

  delete(): void {
    this.gl.deleteVertexArray(this.vao);
    this.gl.deleteBuffer(this.buffer);
  }
}
