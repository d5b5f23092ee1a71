// The bearings that sensors and people gave in the last seconds, as rays with their spread.

import type { RaysMessage, SensorsMessage } from "../../messages";
import { destination } from "../geo";
import type { Plane } from "../gpu/plane";
import { pack, type Sheet } from "../gpu/sheet";
import type { Palette } from "../palette";

/** How far a ray is drawn where the sensor's range is not known, m. */
const RAY_M = 5_000;
/** A range beyond this says nothing of how far a drone can be heard, m. */
const MOST_M = 500_000;
/** A bearing without a stated spread is drawn as wide as this, degrees. */
const SIGMA_DEG = 5;
/** A ray has faded away after so long, s. */
const FADE_S = 12;
const LEAST_ALPHA = 0.25;
const WEDGE_ALPHA = 0.1;

/** Wedges of one sigma to either side as triangles, their middles as lines. */
export function composeRays(
  rays: RaysMessage,
  sensors: SensorsMessage | undefined,
  plane: Plane,
  palette: Palette,
  wedges: Sheet,
  middles: Sheet,
): void {
  wedges.count = middles.count = 0;
  const byId = new Map(sensors?.sensors.map((s) => [s.sensor_id, s]));
  for (let i = 0; i < rays.azimuth_deg.length; i++) {
    const sensor = byId.get(rays.sensor_ids[rays.sensor[i]!] ?? "");
    if (!sensor) continue;
    const range = sensor.coverage?.range_max_m;
    const m = range > 0 && range < MOST_M ? range : RAY_M;
    const sigma = rays.sigma_deg[i]! > 0 ? rays.sigma_deg[i]! : SIGMA_DEG;
    const fresh = Math.max(LEAST_ALPHA, 1 - rays.age_s[i]! / FADE_S);
    const hex = rays.person[i] ? palette.person : palette.ray;
    const put = (sheet: Sheet, turn: number | null, alpha: number) => {
      const { lat_deg: lat, lon_deg: lon } = sensor;
      const to = turn === null ? [lon, lat] : destination(lat, lon, rays.azimuth_deg[i]! + turn, m);
      const at = sheet.next();
      sheet.f32[at] = plane.x(to[0]!);
      sheet.f32[at + 1] = plane.y(to[1]!);
      sheet.u32[at + 2] = pack(hex, alpha);
    };
    const soft = WEDGE_ALPHA * fresh;
    for (const [a, b] of [[-sigma, 0], [0, sigma]] as const) {
      put(wedges, null, soft);
      put(wedges, a, soft);
      put(wedges, b, soft);
    }
    put(middles, null, fresh);
    put(middles, 0, fresh * 0.7);
  }
}
