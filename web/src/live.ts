// The connection to /v1/live: it comes back by itself, and it never passes old data for new.

import type { Key } from "./api";
import { decodeMessage } from "./decode";
import type { Store } from "./store";

/** `tracks` comes once a second; two missing ones and a half are a fault. */
const SILENCE_MS = 2500;
/** An open socket that says nothing for so long is given up (a cut cable closes nothing). */
const GIVE_UP_MS = 8000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 5000;
const LOOK_EVERY_MS = 200;

const UNKNOWN_TOKEN = 4401;
const ROLE_MAY_NOT = 4403;

export class Live {
  private socket: WebSocket | null = null;
  private retryMs = FIRST_RETRY_MS;
  private retryTimer = 0;
  private openedAt = 0;
  private saidAt = -Infinity;
  private why = "connecting";
  private ended = false;

  constructor(
    private readonly store: Store,
    private readonly key: Key,
    private readonly onRefused: (words: string) => void,
  ) {}

  start(): void {
    this.connect();
    setInterval(() => this.look(), LOOK_EVERY_MS);
    addEventListener("online", () => this.retryNow());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.retryNow();
    });
  }

  private connect(): void {
    const url = new URL("/v1/live", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    url.hash = "";
    const socket = new WebSocket(url);
    this.socket = socket;
    this.openedAt = performance.now();
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.openedAt = performance.now();
      if ("token" in this.key) socket.send(JSON.stringify({ token: this.key.token }));
    };
    socket.onmessage = (event) => this.take(event.data);
    socket.onclose = (event) => {
      if (this.socket === socket) this.closed(event.code);
    };
  }

  private take(data: unknown): void {
    if (!(data instanceof ArrayBuffer)) return;
    let message;
    try {
      message = decodeMessage(data);
    } catch (error) {
      // One broken message must not take the others along; its silence will be seen.
      console.warn("a message that cannot be read", error);
      return;
    }
    if (!message) return;
    this.store.put(message);
    if (message.topic === "tracks") this.saidAt = performance.now();
    this.retryMs = FIRST_RETRY_MS;
    if (message.topic === "tracks" && this.store.link.lostSince !== null) this.look();
  }

  private closed(code: number): void {
    this.socket = null;
    if (code === UNKNOWN_TOKEN || code === ROLE_MAY_NOT) {
      this.ended = true;
      this.onRefused(
        code === UNKNOWN_TOKEN
          ? "The service does not know you any more."
          : "Your role may not watch.",
      );
      return;
    }
    this.why = code === 1012 ? "the service is restarting" : "the service cannot be reached";
    this.lost();
    this.retryTimer = window.setTimeout(() => this.connect(), this.retryMs);
    this.retryMs = Math.min(LAST_RETRY_MS, this.retryMs * 2);
  }

  private retryNow(): void {
    if (this.socket || this.ended) return;
    clearTimeout(this.retryTimer);
    this.connect();
  }

  private look(): void {
    if (this.ended) return;
    const now = performance.now();
    const socket = this.socket;
    const heard = Math.max(this.store.arrivedAt("tracks"), -Infinity);
    if (socket?.readyState === WebSocket.OPEN && now - heard < SILENCE_MS && heard >= this.openedAt) {
      if (this.store.link.lostSince !== null) this.store.setLink({ lostSince: null, why: "" });
      return;
    }
    const silent = now - Math.max(heard, this.openedAt);
    if (socket?.readyState === WebSocket.OPEN) {
      // Just back: leave it the time to say its first words before calling it silent.
      if (this.store.link.lostSince === null && silent < SILENCE_MS) return;
      if (silent >= SILENCE_MS) {
        const speaks = now - this.saidAt < SILENCE_MS;
        this.why = speaks
          ? "connected, but the site's time stands still, and the picture with it"
          : "connected, but no data comes";
      }
    }
    this.lost();
    if (socket && silent > GIVE_UP_MS) {
      socket.onclose = null;
      socket.close();
      this.closed(1006);
    }
  }

  private lost(): void {
    const heard = this.store.arrivedAt("tracks");
    const since = Number.isFinite(heard) ? heard : 0;
    const link = this.store.link;
    if (link.lostSince !== since || link.why !== this.why) {
      this.store.setLink({ lostSince: since, why: this.why });
    }
  }
}
