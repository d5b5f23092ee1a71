// The last message of each topic, and who wants to hear of the next.

import type { Message, Topic, Topics } from "./messages";

type Listener<T extends Topic> = (message: Topics[T]) => void;

/** Connection as the page shows it. `lost` since a moment of `performance.now()`, or null. */
export interface Link {
  lostSince: number | null;
  why: string;
}

export class Store {
  private readonly kept = new Map<Topic, Message>();
  private readonly arrived = new Map<Topic, number>();
  private readonly listeners = new Map<Topic, Set<Listener<Topic>>>();
  private readonly linkListeners = new Set<(link: Link) => void>();
  link: Link = { lostSince: 0, why: "not connected yet" };

  /** The last message of a topic. */
  get<T extends Topic>(topic: T): Topics[T] | undefined {
    return this.kept.get(topic) as Topics[T] | undefined;
  }

  /** When that came, by `performance.now()`; -Infinity: never. */
  arrivedAt(topic: Topic): number {
    return this.arrived.get(topic) ?? -Infinity;
  }

  /** The site's clock (UTC ms), carried on from the last message at the pace it is played at. */
  siteNowMs(): number {
    const tracks = this.get("tracks");
    if (!tracks) return NaN;
    const simulation = this.get("site")?.simulation ?? null;
    const speed = simulation === null ? 1 : simulation.over ? 0 : simulation.speed;
    return tracks.at_ms + speed * (performance.now() - this.arrivedAt("tracks"));
  }

  /** Take a message and tell those who listen. */
  put(message: Message): void {
    const old = this.standsStill(message);
    this.kept.set(message.topic, message);
    if (!old) this.arrived.set(message.topic, performance.now());
    for (const tell of this.listeners.get(message.topic) ?? []) tell(message as never);
  }

  /** Whether a beat says the same moment again: the picture is frozen, however often it comes. */
  private standsStill(message: Message): boolean {
    const played = (this.get("site")?.simulation ?? null) !== null;
    return message.topic === "tracks" && !played && this.get("tracks")?.at_ms === message.at_ms;
  }

  /** Hear of a topic, at once if there is something; the answer ends it. */
  on<T extends Topic>(topic: T, tell: Listener<T>): () => void {
    const all = this.listeners.get(topic) ?? new Set();
    this.listeners.set(topic, all);
    all.add(tell as unknown as Listener<Topic>);
    const known = this.get(topic);
    if (known) tell(known);
    return () => all.delete(tell as unknown as Listener<Topic>);
  }

  setLink(link: Link): void {
    this.link = link;
    for (const tell of this.linkListeners) tell(link);
  }

  onLink(tell: (link: Link) => void): () => void {
    this.linkListeners.add(tell);
    tell(this.link);
    return () => this.linkListeners.delete(tell);
  }
}
