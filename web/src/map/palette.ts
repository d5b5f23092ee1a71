// Colours of the map by night and by day. Zones keep away from the hues of permissions: what is
// forbidden somewhere and what an aircraft may do are different things.

import { PERMISSION_COLOURS, type Permission, type Theme } from "../symbols";

export interface Palette {
  land: string;
  border: string;
  grid: string;
  gridText: string;
  text: string;
  halo: string;
  water: string;
  road: string;
  building: string;
  green: string;
  prohibited: string;
  authorisation: string;
  conditional: string;
  unrestricted: string;
  unreadable: string;
  emergency: string;
  sensor: string;
  silent: string;
  ray: string;
  person: string;
  select: string;
  drawn: string;
  permissions: Record<Permission, string>;
}

export const PALETTES: Record<Theme, Palette> = {
  night: {
    land: "#121a24",
    border: "#3a4a5c",
    grid: "#2a3746",
    gridText: "#8796a6",
    text: "#bac6d2",
    halo: "#0b1017",
    water: "#0a1926",
    road: "#263140",
    building: "#18222e",
    green: "#10201d",
    prohibited: "#d98ab6",
    authorisation: "#7f9ede",
    conditional: "#d9a441",
    unrestricted: "#7c8a99",
    unreadable: "#a3adb8",
    emergency: "#ff8fc7",
    sensor: "#9db0c4",
    silent: "#ff6f61",
    ray: "#c7b3ff",
    person: "#e3c9a0",
    select: "#dfe8f1",
    drawn: "#b8f0ff",
    permissions: PERMISSION_COLOURS.night,
  },
  day: {
    land: "#f3f5f2",
    border: "#8796a5",
    grid: "#c3ccd5",
    gridText: "#55626f",
    text: "#2a3642",
    halo: "#f6f8fa",
    water: "#cfdfea",
    road: "#d3d9df",
    building: "#dde1e4",
    green: "#dfe9dc",
    prohibited: "#9a2f6d",
    authorisation: "#3a55a8",
    conditional: "#8a5a00",
    unrestricted: "#66727e",
    unreadable: "#4b5762",
    emergency: "#c0107a",
    sensor: "#3f5265",
    silent: "#c0261b",
    ray: "#5d3fbf",
    person: "#7a5415",
    select: "#0d1620",
    drawn: "#005f7a",
    permissions: PERMISSION_COLOURS.day,
  },
};

/** "#rrggbb" as three numbers from 0 to 1. */
export function rgb(hex: string): [number, number, number] {
  const n = parseInt(hex.slice(1), 16);
  return [(n >> 16) / 255, ((n >> 8) & 255) / 255, (n & 255) / 255];
}
