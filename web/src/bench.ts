// The load test: made-up tracks and zones through the same store and the same page, a map that
// never rests, and frames counted. `?load=5000,1000` is 5,000 tracks and 1,000 zones.

import { decode, encode } from "@msgpack/msgpack";
import { Api } from "./api";
import { h } from "./dom";
import type { AlertView, Message, TracksMessage, TrailsMessage, ZoneView } from "./messages";
import { destination } from "./map/geo";
import { Store } from "./store";
import { WatchPage } from "./watch";

const LAT = 49.61;
const LON = 6.13;
const SPREAD_M = 12_000;
const TRAIL = 60;
const ALERTS = 40;
const ZOOM = 11.3;

interface Fps {
  /** Frames that the browser offered and frames that the map drew, per second. */
  raf: number;
  render: number;
  seconds: number;
  windows: { raf: number; render: number; longest_ms: number }[];
}

declare global {
  interface Window {
    __fps?: Fps;
    /** Frames that the map drew since the start. */
    __frames?: number;
  }
}

/** A random number from a seed: the same load every time. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}

export function runLoad(root: HTMLElement, query: string): void {
  const [tracks = 5000, zones = 1000] = query.split(",").map(Number);
  const store = new Store();
  const page = new WatchPage(root, store, new Api({ token: "load-test" }));
  document.body.append(h("div", { class: "load-test" }, "LOAD TEST, NOT LIVE"));
  const now = Date.now();
  const world = new World(tracks);
  store.put(siteMessage(now));
  store.put({ topic: "zones", at_ms: now, zones: madeZones(zones) });
  for (let s = 0; s < TRAIL; s++) world.step();
  store.put(world.message(now));
  store.put(world.trails(now));
  store.put(world.alerts(now));
  store.setLink({ lostSince: null, why: "" });
  // What a real page does with the bytes is paid here too: a message of this size, decoded.
  const bytes = encode(world.message(now) as unknown as Record<string, unknown>);
  setInterval(() => {
    decode(bytes);
    world.step();
    store.put(world.message(Date.now()));
    store.put(world.alerts(Date.now()));
  }, 1000);
  void page.map!.ready.then(() => pan(page));
}

/** Pan in a circle for ever, and count. */
function pan(page: WatchPage): void {
  const map = page.map!.gl;
  const fps: Fps = { raf: 0, render: 0, seconds: 0, windows: [] };
  window.__fps = fps;
  window.__frames = 0;
  Object.assign(window, { __map: map, __page: page });
  let rendered = 0;
  let frames = 0;
  let longest = 0;
  let windowStart = performance.now();
  let last = windowStart;
  const move = () => {
    const a = performance.now() / 4000;
    map.jumpTo({ center: [LON + 0.02 * Math.cos(a), LAT + 0.012 * Math.sin(a)], zoom: ZOOM });
  };
  // Each frame that is drawn asks for the next, as under a hand that drags the map.
  map.on("render", () => {
    rendered++;
    window.__frames = (window.__frames ?? 0) + 1;
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    move();
  });
  const each = (t: number) => {
    requestAnimationFrame(each);
    frames++;
    const s = (t - windowStart) / 1000;
    if (s < 1) return;
    fps.windows.push({ raf: frames / s, render: rendered / s, longest_ms: longest });
    const lately = fps.windows.slice(-10);
    fps.raf = lately.reduce((sum, w) => sum + w.raf, 0) / lately.length;
    fps.render = lately.reduce((sum, w) => sum + w.render, 0) / lately.length;
    fps.seconds++;
    windowStart = t;
    frames = rendered = longest = 0;
  };
  move();
  requestAnimationFrame(each);
}

function siteMessage(now: number): Message {
  return {
    topic: "site",
    at_ms: now,
    name: "LOAD TEST",
    authority: "nobody",
    version: "0",
    lat_deg: LAT,
    lon_deg: LON,
    height_hae_m: 300,
    time_zone: "Europe/Luxembourg",
    role: "watch_officer",
    holder: "nobody",
    simulation: { speed: 1, over: false },
    basemap: null,
    glyphs: null,
    procedure: [],
  };
}

class World {
  private readonly n: number;
  private readonly ids: string[];
  private readonly x: Float64Array;
  private readonly y: Float64Array;
  private readonly heading: Float64Array;
  private readonly speed: Float64Array;
  private readonly turn: Float64Array;
  private readonly past: { lat: Int32Array; lon: Int32Array }[] = [];
  private readonly random = random(7);
  private seq = 0;

  constructor(n: number) {
    this.n = n;
    this.ids = Array.from({ length: n }, (_, i) => `T${String(i + 1).padStart(6, "0")}`);
    const make = (f: () => number) => Float64Array.from({ length: n }, f);
    const r = this.random;
    this.x = make(() => (2 * r() - 1) * SPREAD_M);
    this.y = make(() => (2 * r() - 1) * SPREAD_M * 0.6);
    this.heading = make(() => 2 * Math.PI * r());
    this.speed = make(() => 4 + 20 * r());
    this.turn = make(() => (r() - 0.5) * 0.2);
  }

  step(): void {
    const r = this.random;
    for (let i = 0; i < this.n; i++) {
      this.turn[i] = this.turn[i]! * 0.95 + (r() - 0.5) * 0.05;
      this.heading[i]! += this.turn[i]!;
      this.x[i]! += this.speed[i]! * Math.sin(this.heading[i]!);
      this.y[i]! += this.speed[i]! * Math.cos(this.heading[i]!);
    }
    this.past.push(this.places());
    if (this.past.length > TRAIL) this.past.shift();
  }

  private places(): { lat: Int32Array; lon: Int32Array } {
    const perLat = 1e7 / 111_200;
    const perLon = perLat / Math.cos((LAT * Math.PI) / 180);
    return {
      lat: Int32Array.from(this.y, (y) => LAT * 1e7 + y * perLat),
      lon: Int32Array.from(this.x, (x) => LON * 1e7 + x * perLon),
    };
  }

  message(now: number): TracksMessage {
    const { n } = this;
    const column = (f: (i: number) => number) => Float32Array.from({ length: n }, (_, i) => f(i));
    const bytes = (f: (i: number) => number) => Uint8Array.from({ length: n }, (_, i) => f(i));
    const { lat, lon } = this.places();
    return {
      topic: "tracks",
      at_ms: now,
      seq: ++this.seq,
      skipped: 0,
      track_id: this.ids,
      lat_e7: lat,
      lon_e7: lon,
      height_m: column((i) => 50 + (i % 300)),
      height_reference: bytes(() => 1),
      references: ["UNKNOWN", "HAE", "AMSL", "AGL"],
      ve_mps: column((i) => this.speed[i]! * Math.sin(this.heading[i]!)),
      vn_mps: column((i) => this.speed[i]! * Math.cos(this.heading[i]!)),
      vu_mps: column(() => 0),
      sigma_m: column((i) => 5 + (i % 40)),
      sigma_up_m: column(() => 8),
      age_s: column((i) => (i % 10) / 5),
      state_age_s: column((i) => (i % 10) / 5),
      permission: bytes((i) => (i < ALERTS ? 2 : [0, 0, 0, 1, 1, 2, 3, 3, 4, 0][i % 10]!)),
      permissions: ["none", "permitted", "not_permitted", "undetermined", "not_subject"],
      presence: bytes((i) => (i < ALERTS ? 3 : 0)),
      presences: ["none", "maybe_inside", "bound", "inside"],
      entry_s: column(() => NaN),
      entry_within_s: 120,
      entry_percent: bytes(() => 255),
      entry_10_s: bytes(() => 255),
      entry_50_s: bytes(() => 255),
      entry_90_s: bytes(() => 255),
      zone: Uint16Array.from({ length: n }, (_, i) => (i < ALERTS ? 0 : 65_535)),
      zone_ids: ["Z1"],
      strength: bytes((i) => i % 4),
      strengths: ["none", "broadcast_only", "consistent", "authenticated", "inconsistent"],
      drone: column(() => 0.9),
      flags: bytes((i) => 1 | (i % 7 === 0 ? 0 : 2) | (i < ALERTS ? 4 : 0)),
      sensors: this.ids.map((_, i) => [i % 3]),
      sensor_ids: ["radar-1", "radar-2", "rf-1"],
      alert: this.ids.map((_, i) => (i < ALERTS ? `A${String(i + 1).padStart(5, "0")}` : "")),
    };
  }

  trails(now: number): TrailsMessage {
    const total = this.n * this.past.length;
    const lat = new Int32Array(total);
    const lon = new Int32Array(total);
    let at = 0;
    for (let i = 0; i < this.n; i++) {
      for (const p of this.past) {
        lat[at] = p.lat[i]!;
        lon[at++] = p.lon[i]!;
      }
    }
    const count = new Uint16Array(this.n).fill(this.past.length);
    const age_s = new Float32Array(total);
    return { topic: "trails", at_ms: now, track_id: this.ids, count, lat_e7: lat, lon_e7: lon, age_s };
  }

  alerts(now: number): Message {
    const n = Math.min(ALERTS, this.n);
    const alerts = Array.from({ length: n }, (_, i): AlertView => {
      return {
        alert_id: `A${String(i + 1).padStart(5, "0")}`,
        state: i % 3 === 0 ? "raised" : "acknowledged",
        active: true,
        priority: 1 + (i % 3),
        tracks: [this.ids[i]!],
        zones: ["Z1"],
        permission: "not_permitted",
        reasons: [{ code: "no_permit", words: "no permit covers it here and now" }],
        raised_ms: START + i * 1000,
        escalations: 0,
        test: false,
        shelved_until_ms: null,
        steps: [],
        identity: null,
      };
    });
    const distances = Object.fromEntries(
      alerts.map((a, i) => [
        a.tracks[0]!,
        { m: Math.hypot(this.x[i]!, this.y[i]!), bearing_deg: (Math.atan2(this.x[i]!, this.y[i]!) * 180) / Math.PI },
      ]),
    );
    const rest = { more: 0, flood: false, raised_lately: 0, groups: [], cards: {} };
    return { topic: "alerts", at_ms: now, alerts, ...rest, distances };
  }
}

const START = Date.now() - 60_000;

function madeZones(n: number): ZoneView[] {
  const r = random(11);
  const kinds = ["PROHIBITED", "REQ_AUTHORISATION", "CONDITIONAL", "NO_RESTRICTION"] as const;
  return Array.from({ length: n }, (_, i): ZoneView => {
    const east = (2 * r() - 1) * SPREAD_M;
    const north = (2 * r() - 1) * SPREAD_M * 0.6;
    const at = destination(LAT, LON, (Math.atan2(east, north) * 180) / Math.PI, Math.hypot(east, north));
    const corners = 6 + Math.floor(10 * r());
    const ring = Array.from({ length: corners }, (_, k) =>
      destination(at[1], at[0], (-360 * k) / corners, 120 + 200 * r()),
    );
    ring.push(ring[0]!);
    return {
      zone_id: `Z${i + 1}`,
      name: `Zone ${i + 1}`,
      authority_id: "LT",
      enforced: true,
      restriction: kinds[i % 4]!,
      state: "in_force",
      applies: i % 9 === 0 ? "no" : i % 50 === 0 ? "maybe" : "yes",
      applies_until_ms: null,
      emergency: i % 200 === 0,
      readable: true,
      reasons: [],
      message: "",
      legal_basis: "",
      conditions: "",
      volumes: [{ area: { rings: [ring] }, lower: null, upper: { m: 120, reference: "AGL" } }],
    };
  });
}
