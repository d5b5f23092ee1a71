// Numbers as people read them. An unknown number is said to be unknown, never shown as zero.

const COMPASS = ["N", "NE", "E", "SE", "S", "SW", "W", "NW"] as const;

export function distance(m: number): string {
  if (!Number.isFinite(m)) return "distance unknown";
  if (m < 1000) return `${Math.round(m)} m`;
  return m < 10_000 ? `${(m / 1000).toFixed(2)} km` : `${(m / 1000).toFixed(1)} km`;
}

/** "NE 047°" */
export function bearing(deg: number): string {
  if (!Number.isFinite(deg)) return "bearing unknown";
  const whole = ((Math.round(deg) % 360) + 360) % 360;
  return `${COMPASS[Math.round(whole / 45) % 8]} ${String(whole).padStart(3, "0")}°`;
}

export function height(m: number, reference: string): string {
  if (!Number.isFinite(m)) return "height unknown";
  return `${Math.round(m)} m ${reference === "UNKNOWN" ? "(reference unknown)" : reference}`;
}

export function speed(mps: number): string {
  if (!Number.isFinite(mps)) return "speed unknown";
  return `${mps.toFixed(mps < 10 ? 1 : 0)} m/s · ${Math.round(mps * 3.6)} km/h`;
}

/** A span in the largest units that matter: "0.4 s", "34 s", "3 min 05 s", "2 h 10 min", "3 d 4 h". */
export function span(s: number): string {
  if (!Number.isFinite(s)) return "unknown";
  if (s < 0) s = 0;
  if (s < 9.95) return `${s.toFixed(1)} s`;
  const whole = Math.round(s);
  if (whole < 60) return `${whole} s`;
  const min = Math.floor(whole / 60);
  if (min < 60) return `${min} min ${String(whole % 60).padStart(2, "0")} s`;
  const hours = Math.floor(min / 60);
  if (hours < 48) return `${hours} h ${String(min % 60).padStart(2, "0")} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** Like `span`, in whole seconds: for what counts on and would flicker. */
export function wholeSpan(s: number): string {
  return Number.isFinite(s) && s < 9.95 ? `${Math.max(0, Math.round(s))} s` : span(s);
}

let siteZone = "UTC";
const formats = new Map<string, Intl.DateTimeFormat>();

/** The site's time zone, in which every time on the page is told unless it says UTC. */
export function setSiteZone(zone: string): void {
  try {
    new Intl.DateTimeFormat("en-GB", { timeZone: zone });
    siteZone = zone;
  } catch {
    siteZone = "UTC";
  }
}

export function siteZoneName(): string {
  return siteZone;
}

function formatOf(zone: string, withDate: boolean): Intl.DateTimeFormat {
  const key = `${zone} ${withDate}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      hourCycle: "h23",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      ...(withDate ? { day: "2-digit", month: "short", year: "numeric" } : {}),
    });
    formats.set(key, format);
  }
  return format;
}

/** "02:13:44" in the site's zone, or the zone given. */
export function clock(ms: number, zone = siteZone): string {
  return Number.isFinite(ms) ? formatOf(zone, false).format(ms) : "--:--:--";
}

/** "12 Sep 2026, 02:13:44" in the site's zone. */
export function dateClock(ms: number, zone = siteZone): string {
  return Number.isFinite(ms) ? formatOf(zone, true).format(ms) : "unknown";
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}
