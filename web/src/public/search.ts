// Finding a place without asking anybody: names of zones, and coordinates as people write them.

import { type ZoneData } from "./judge/data";

export interface Hit {
  label: string;
  lat: number;
  lon: number;
  zone: ZoneData | null;
}

const NUMBER = String.raw`[-+]?\d{1,3}(?:[.]\d+)?`;
const DECIMAL = new RegExp(`^(${NUMBER})\\s*[°]?\\s*([NS])?[\\s,;]+(${NUMBER})\\s*[°]?\\s*([EWO])?$`, "i");
const ANGLE = String.raw`(\d{1,3})\s*°\s*(\d{1,2}(?:[.,]\d+)?)\s*['′’]\s*(?:(\d{1,2}(?:[.,]\d+)?)\s*(?:["″”]|''))?\s*`;
const SEXAGESIMAL = new RegExp(`^${ANGLE}([NS])[\\s,;]*${ANGLE}([EWO])$`, "i");

/** Latitude and longitude in degrees; null where the text is none. */
export function coordinates(text: string): [number, number] | null {
  // "49,61 6,13" and "49,61; 6,13": a comma between digits is a point if it cannot part them.
  const commas = /^[-+]?\d+,\d+\s*[;\s]\s*[-+]?\d+,\d+$/.test(text.trim());
  const tidy = commas ? text.trim().replace(/,/g, ".") : text.trim();
  const plain = DECIMAL.exec(tidy);
  if (plain) {
    const lat = Number(plain[1]) * (plain[2]?.toUpperCase() === "S" ? -1 : 1);
    const lon = Number(plain[3]) * (plain[4]?.toUpperCase() === "W" ? -1 : 1);
    return onEarth(lat, lon);
  }
  const parts = SEXAGESIMAL.exec(tidy);
  if (!parts) return null;
  const angle = (i: number): number =>
    [0, 1, 2].reduce((sum, k) => sum + Number((parts[i + k] ?? "0").replace(",", ".")) / 60 ** k, 0);
  const lat = angle(1) * (parts[4]!.toUpperCase() === "S" ? -1 : 1);
  // French writes O for west, German for east: a site's own side of Greenwich is not known here.
  const side = parts[8]!.toUpperCase();
  if (side === "O") return null;
  return onEarth(lat, angle(5) * (side === "W" ? -1 : 1));
}

function onEarth(lat: number, lon: number): [number, number] | null {
  return Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? [lat, lon] : null;
}

const fold = (text: string): string =>
  text.normalize("NFD").replace(/\p{M}/gu, "").toLocaleLowerCase();

/** Zones whose name or identifier has the words in it, the ones that begin so first. */
export function zonesNamed(zones: readonly ZoneData[], text: string): ZoneData[] {
  const wanted = fold(text.trim());
  if (wanted === "") return [];
  const found: [number, ZoneData][] = [];
  for (const zone of zones) {
    const at = fold(`${zone.name} ${zone.zone}`).indexOf(wanted);
    if (at >= 0) found.push([at, zone]);
  }
  return found.sort((a, b) => a[0] - b[0] || a[1].name.localeCompare(b[1].name)).map((f) => f[1]);
}

/** A place inside a zone to look at; null for one that could not be read. */
export function middleOf(zone: ZoneData): [number, number] | null {
  return zone.sun_place;
}
