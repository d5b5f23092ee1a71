// What the office pages (zones, permits, incidents) get from the watch page they stand beside.

import type { Api } from "./api";
import type { Store } from "./store";

/** An area as drawn: `circle` is [lat, lon, radius in m]; `ring` is closed, [lon, lat] each. */
export type DrawnArea = { circle: [number, number, number] } | { ring: [number, number][] };

export interface MapHandle {
  /** Let the user draw; double click or Enter ends it, Escape gives null. */
  drawArea(kind: "circle" | "polygon"): Promise<DrawnArea | null>;
  flyTo(lat: number, lon: number, zoom?: number): void;
  /** Point out one zone and bring it into view; null ends that. */
  showZone(zoneId: string | null): void;
  /** Show an area that is not published yet; null removes it. */
  preview(area: DrawnArea | null): void;
  /** Show what is asked for, and apart from it what else holds there; nothing ends it. */
  compare(asked: DrawnArea[], others: DrawnArea[]): void;
}

export interface OfficeContext {
  store: Store;
  api: Api;
  map: MapHandle;
}

export type OfficePage = "zones" | "permits" | "incidents";
