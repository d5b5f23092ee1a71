// Pictures that MapLibre's own layers need: sensors by their health.

import type { Map as GlMap } from "maplibre-gl";
import type { Palette } from "./palette";

const SIZE = 26;

export function addImages(map: GlMap, palette: Palette): void {
  const ratio = Math.min(3, globalThis.devicePixelRatio || 1);
  const images: Record<string, ImageData> = {
    "sensor-working": picture(ratio, SIZE, (c) => sensor(c, palette.sensor, palette.halo)),
    "sensor-unknown": picture(ratio, SIZE, (c) => unknown(c, palette.sensor, palette.halo)),
    "sensor-silent": picture(ratio, SIZE, (c) => silent(c, palette.silent, palette.halo)),
  };
  for (const [id, image] of Object.entries(images)) {
    if (map.hasImage(id)) map.removeImage(id);
    map.addImage(id, image, { pixelRatio: ratio });
  }
}

type Context = OffscreenCanvasRenderingContext2D;

function picture(ratio: number, size: number, draw: (context: Context) => void): ImageData {
  const px = Math.round(size * ratio);
  const context = new OffscreenCanvas(px, px).getContext("2d")!;
  context.scale(px / size, px / size);
  draw(context);
  return context.getImageData(0, 0, px, px);
}

/** A mast with waves: no shape of a track. */
function sensor(c: Context, colour: string, halo: string): void {
  const outline = new Path2D("M13 13V22M9 22H17M8 15.500a6 6 0 0 1 0-7M18 8.500a6 6 0 0 1 0 7");
  stroke(c, outline, halo, 5);
  stroke(c, outline, colour, 1.8);
  c.fillStyle = colour;
  c.beginPath();
  c.arc(13, 12, 2.4, 0, 2 * Math.PI);
  c.fill();
}

function unknown(c: Context, colour: string, halo: string): void {
  c.globalAlpha = 0.7;
  sensor(c, colour, halo);
}

/** A filled octagon with a cross: a sensor that has fallen silent is an alarm. */
function silent(c: Context, colour: string, halo: string): void {
  const octagon = new Path2D("M9 3H17L23 9V17L17 23H9L3 17V9Z");
  stroke(c, octagon, halo, 4);
  c.fillStyle = colour;
  c.fill(octagon);
  stroke(c, new Path2D("M9 9 17 17M17 9 9 17"), halo, 2.6);
}

function stroke(c: Context, path: Path2D, colour: string, width: number): void {
  c.strokeStyle = colour;
  c.lineWidth = width;
  c.lineCap = "round";
  c.stroke(path);
}
