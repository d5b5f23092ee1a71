// What the page says, in the language of whoever reads it.

import de from "./messages/de.json";
import en from "./messages/en.json";
import fr from "./messages/fr.json";
import { type Clock } from "./judge/clock";
import { type Height, type Period, type SunEvent, type TimeOfDay, type Volume } from "./judge/data";

export type Key = keyof typeof en;
export type Language = "en" | "fr" | "de";
export const LANGUAGES: Record<Language, [string, Record<Key, string>]> = {
  en: ["English", en],
  fr: ["Français", fr],
  de: ["Deutsch", de],
};
/** In English as Europe writes it. */
const DATES: Record<Language, string> = { en: "en-GB", fr: "fr", de: "de" };
const METRES_PER_FLIGHT_LEVEL = 30.48;

/** The first of the reader's languages that the page has; `?lang=` in the address goes before. */
export function languageOf(address: string, wanted: readonly string[]): Language {
  const asked = new URL(address).searchParams.get("lang") ?? "";
  const found = [asked, ...wanted].map((tag) => tag.slice(0, 2).toLowerCase());
  return (found.find((tag) => tag in LANGUAGES) as Language | undefined) ?? "en";
}

export class Words {
  constructor(readonly language: Language) {}

  say(key: Key, values: Record<string, string | number> = {}): string {
    const text = LANGUAGES[this.language][1][key];
    return text.replace(/\{(\w+)\}/g, (all, name: string) => String(values[name] ?? all));
  }

  has(key: string): key is Key {
    return key in en;
  }

  number(x: number): string {
    return new Intl.NumberFormat(this.language, { maximumFractionDigits: 1 }).format(x);
  }

  /** A moment on a clock; the browser only lends its names of days and months. */
  moment(atMs: number, clock: Clock): string {
    const wall = atMs + clock.offsetAt(Math.floor(atMs / 1000)) * 1000;
    return new Intl.DateTimeFormat(DATES[this.language], {
      weekday: "short",
      day: "numeric",
      month: "long",
      year: "numeric",
      hour: "2-digit",
      minute: "2-digit",
      hour12: false,
      timeZone: "UTC",
    }).format(wall);
  }

  place(lat: number, lon: number): string {
    return `${lat.toFixed(5)}, ${lon.toFixed(5)}`;
  }

  /** How old something is: minutes, hours, days. */
  age(ms: number): string {
    const minutes = Math.max(0, Math.floor(ms / 60_000));
    if (minutes < 120) return this.count("minutes", minutes);
    if (minutes < 48 * 60) return this.count("hours", Math.floor(minutes / 60));
    return this.count("days", Math.floor(minutes / 1440));
  }

  private count(unit: "minutes" | "hours" | "days" | "weeks" | "months" | "years", n: number): string {
    return n === 1 ? this.say(`${unit}_one`) : this.say(`${unit}_many`, { n });
  }

  /** An ISO 8601 duration in words; as it stands where it is none. */
  duration(text: string): string {
    const found = /^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:\d+S)?)?$/.exec(text);
    if (!found) return text;
    const units = ["years", "months", "weeks", "days", "hours", "minutes"] as const;
    const parts = units.flatMap((unit, i) => {
      const n = Number(found[i + 1] ?? 0);
      return n > 0 ? [this.count(unit, n)] : [];
    });
    return parts.length > 0 ? parts.join(" ") : text;
  }

  limit(height: Height): string {
    const fl = Math.round(height.m / METRES_PER_FLIGHT_LEVEL);
    return this.say(`limit_${height.ref}`, { m: this.number(height.m), fl });
  }

  heights(volume: Volume): string {
    const { lower, upper } = volume;
    const ground = lower === null || (lower.ref === "AGL" && lower.m <= 0);
    const from = ground ? this.say("no_lower") : this.limit(lower);
    if (upper === null) return this.say(ground ? "open_from_ground" : "open_from", { lower: from });
    return this.say("between", { lower: from, upper: this.limit(upper) });
  }

  /** One period: its dates, and its windows. */
  period(period: Period, clock: Clock): string {
    const parts: string[] = [];
    for (const [key, at] of [
      ["from_date", period.start],
      ["until_date", period.end],
    ] as const) {
      if (at !== null) parts.push(this.say(key, { when: this.moment(Date.parse(at), clock) }));
    }
    for (const { days, start, end } of period.windows) {
      const whole = typeof start !== "string" && typeof end !== "string" && isWholeDay(start, end);
      const on = this.days(days);
      parts.push(
        whole
          ? `${on} ${this.say("all_day")}`
          : this.say("window", { days: on, start: this.time(start), end: this.time(end) }),
      );
    }
    return parts.length > 0 ? parts.join(", ") : this.say("always");
  }

  private days(days: number[]): string {
    if (new Set(days).size === 7) return this.say("every_day");
    const format = new Intl.DateTimeFormat(this.language, { weekday: "short", timeZone: "UTC" });
    // 1970-01-05 was a Monday.
    const names = [...days].sort((a, b) => a - b).map((d) => format.format((d + 4) * 86_400_000));
    return names.join(", ");
  }

  private time(moment: TimeOfDay | SunEvent): string {
    if (typeof moment === "string") return this.say(`sun_${moment}`);
    const s = moment.s === 86_400 ? 0 : moment.s;
    const two = (n: number): string => String(n).padStart(2, "0");
    const clock = `${two(Math.floor(s / 3600))}:${two(Math.floor(s / 60) % 60)}`;
    return moment.utc ? `${clock} UTC` : clock;
  }
}

function isWholeDay(start: TimeOfDay, end: TimeOfDay): boolean {
  return start.s % 86_400 === end.s % 86_400 && start.utc === end.utc && start.s === 0;
}
