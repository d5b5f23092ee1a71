// A drawing kept as a picture somewhat larger than the screen, which moves with the map until the
// drawing changes. A crowd costs its price once a second then, and not with every frame.

import { makeProgram, Vertices, type Program } from "./gl";

const VERTEX = `#version 300 es
precision highp float;
uniform mat4 u_matrix;
in vec2 a_pos;
in vec2 a_uv;
out vec2 v_uv;
void main() {
  gl_Position = u_matrix * vec4(a_pos, 0.0, 1.0);
  v_uv = a_uv;
}`;

const FRAGMENT = `#version 300 es
precision mediump float;
uniform sampler2D u_picture;
in vec2 v_uv;
out vec4 o_colour;
void main() { o_colour = texture(u_picture, v_uv); }`;

/** A rectangle of the plane: y grows southwards. */
export interface Frame {
  minX: number;
  maxX: number;
  minY: number;
  maxY: number;
}

export class Picture {
  private readonly program: Program;
  private readonly corners: Vertices;
  private readonly texture: WebGLTexture;
  private readonly framebuffer: WebGLFramebuffer;
  private readonly matrix = new Float32Array(16);
  width = 0;
  height = 0;

  constructor(private readonly gl: WebGL2RenderingContext) {
    this.program = makeProgram(gl, VERTEX, FRAGMENT, ["a_pos", "a_uv"]);
    this.corners = new Vertices(
      gl,
      16,
      [
        [0, 2, "f32", false, 0],
        [1, 2, "f32", false, 8],
      ],
      true,
    );
    this.texture = gl.createTexture();
    this.framebuffer = gl.createFramebuffer();
  }

  /** Make room, and have `draw` fill it; the matrix leads from the plane into the picture. */
  fill(frame: Frame, width: number, height: number, draw: (matrix: Float32Array) => void): void {
    const { gl } = this;
    this.resize(width, height);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.framebuffer);
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.colorMask(true, true, true, true);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.disable(gl.STENCIL_TEST);
    draw(intoFrame(frame, this.matrix));
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    const { minX, maxX, minY, maxY } = frame;
    const corners = [minX, minY, 0, 1, maxX, minY, 1, 1, minX, maxY, 0, 0, maxX, maxY, 1, 0];
    this.corners.upload(new Float32Array(corners).buffer, 4);
  }

  private resize(width: number, height: number): void {
    if (width === this.width && height === this.height) return;
    this.width = width;
    this.height = height;
    const { gl } = this;
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, width, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, null);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.framebuffer);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.texture, 0);
  }

  /** `scaled`: the map's zoom is not the picture's, so pixels do not fall on pixels. */
  show(matrix: Float32Array, scaled: boolean): void {
    const { gl, program } = this;
    gl.disable(gl.DEPTH_TEST);
    gl.disable(gl.CULL_FACE);
    gl.useProgram(program.program);
    gl.uniformMatrix4fv(program.uniform("u_matrix"), false, matrix);
    gl.uniform1i(program.uniform("u_picture"), 0);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    const filter = scaled ? gl.LINEAR : gl.NEAREST;
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, filter);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, filter);
    this.corners.draw(gl.TRIANGLES);
    gl.bindVertexArray(null);
  }

  delete(): void {
    const { gl } = this;
    this.corners.delete();
    gl.deleteProgram(this.program.program);
    gl.deleteTexture(this.texture);
    gl.deleteFramebuffer(this.framebuffer);
  }
}

function intoFrame({ minX, maxX, minY, maxY }: Frame, out: Float32Array): Float32Array {
  out.fill(0);
  out[0] = 2 / (maxX - minX);
  out[5] = -2 / (maxY - minY);
  out[12] = -(maxX + minX) / (maxX - minX);
  out[13] = (maxY + minY) / (maxY - minY);
  out[15] = 1;
  return out;
}
