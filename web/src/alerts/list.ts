// The list of what wants attention, in an order that does not jump under the pointer.

import { h, isTyping, reorder, setHidden, setText } from "../dom";
import type { AlertsMessage, AlertView } from "../messages";
import type { Store } from "../store";
import type { Selection } from "../selection";
import type { TrackFacts, Tracks } from "../tracks";
import type { Sound } from "../frame/sound";
import { plural } from "../format";
import { Card, type CardActions } from "./card";
import type { Commands } from "./commands";
import {
  distanceWords,
  entryOf,
  inOrder,
  lastSeen,
  stepLines,
  zoneNamer,
  type LastSeen,
} from "./model";

/** Cards stay where they are for so long after the pointer moved over a button, ms. */
const HOLD_MS = 1_500;

export class AlertList {
  readonly root: HTMLElement;
  private readonly cards = new Map<string, Card>();
  private readonly list = h("div", { class: "cards", "data-testid": "alert-list" });
  private readonly head = h("span", { class: "count", role: "status", "data-testid": "alert-count" });
  private readonly empty = h("p", { class: "empty", "data-testid": "no-alerts" }, "No open alerts.");
  private readonly flood = h("p", { class: "flood", role: "status", hidden: true, "data-testid": "flood" });
  private readonly groups = new Map<string, HTMLButtonElement>();
  private readonly spread = new Set<string>();
  private readonly more = h("p", { class: "hint", hidden: true });
  private readonly closed = h("details", { class: "closed", hidden: true });
  private readonly last = new Map<string, LastSeen>();
  private readonly gathered = new Set<string>();
  private readonly incident: HTMLButtonElement;
  private readonly test: HTMLButtonElement;
  private order: AlertView[] = [];
  private seen: Set<string> | null = null;
  /** How often each was told anew, as this page knows it. */
  private louder = new Map<string, number>();
  private heldUntil = 0;

  constructor(
    private readonly store: Store,
    private readonly tracks: Tracks,
    private readonly selection: Selection,
    private readonly commands: Commands,
    private readonly sound: Sound,
  ) {
    this.incident = h(
      "button",
      { type: "button", hidden: true, "data-testid": "button-open-incident" },
      "Open an incident",
    );
    this.test = h(
      "button",
      { type: "button", class: "quiet", hidden: true, "data-testid": "button-test-alarm" },
      "Test alarm",
    );
    this.test.addEventListener("click", () => void this.commands.test());
    this.incident.addEventListener("click", () => void this.openIncident());
    this.root = h(
      "section",
      { class: "alerts", "aria-label": "Alerts" },
      h("div", { class: "alerts-head" }, h("h2", {}, "Alerts"), this.head, this.incident, this.test),
      this.flood,
      this.empty,
      this.list,
      this.more,
      this.closed,
    );
    this.list.addEventListener("pointermove", (event) => {
      if ((event.target as Element).closest("footer")) this.heldUntil = performance.now() + HOLD_MS;
    });
    store.on("alerts", () => this.take());
    store.on("tracks", () => this.refresh());
    store.on("site", () => this.refresh());
    store.onLink(() => this.refresh());
    selection.onChange(() => this.refresh());
    addEventListener("keydown", (event) => this.key(event));
  }

  private take(): void {
    const alerts = this.store.get("alerts")?.alerts ?? [];
    const raised = alerts.filter((a) => a.state === "raised");
    if (this.seen) {
      const fresh = raised.filter((a) => !this.seen!.has(a.alert_id));
      if (fresh.length > 0) this.sound.beep(Math.min(...fresh.map((a) => a.priority)));
      const waiting = raised.filter((a) => a.escalations > (this.louder.get(a.alert_id) ?? 0));
      if (waiting.length > 0) this.sound.alarm();
      this.refresh();
      for (const alert of [...fresh, ...waiting]) this.cards.get(alert.alert_id)?.pulse();
    }
    this.louder = new Map(raised.map((a) => [a.alert_id, a.escalations]));
    // What comes back from the shelf is raised anew: forget it while it is not raised.
    this.seen = new Set(raised.map((a) => a.alert_id));
    this.refresh();
  }

  /** Bring the cards up to the last messages and the clock. */
  refresh(): void {
    const message = this.store.get("alerts");
    if (!message) return;
    this.order = inOrder(message.alerts);
    const nowMs = this.store.siteNowMs();
    const zoneName = zoneNamer(this.store.get("zones"));
    const sensors = this.store.get("sensors");
    const live = this.store.link.lostSince === null;
    const actions = this.actions();
    for (const alert of this.order) {
      let card = this.cards.get(alert.alert_id);
      if (!card) this.cards.set(alert.alert_id, (card = new Card(alert.alert_id, actions)));
      const trackId = this.trackOf(alert);
      const facts = trackId === null ? null : this.tracks.facts(trackId);
      const inside = trackId === null ? undefined : this.tracks.insideSince(trackId);
      card.update({
        alert,
        facts,
        entry: entryOf(facts, inside, zoneName, nowMs),
        last: this.lastOf(alert.alert_id, facts, message, nowMs),
        sensors,
        card: message.cards[alert.alert_id],
        procedure: this.store.get("site")?.procedure[alert.priority - 1] ?? "",
        nowMs,
        selected: this.selection.alert === alert.alert_id,
        commands: this.commands.allowed,
        live,
      });
    }
    this.arrange();
    this.tellRest(message.alerts, message.more);
  }

  private lastOf(
    alertId: string,
    facts: TrackFacts | null,
    message: AlertsMessage,
    nowMs: number,
  ): LastSeen | undefined {
    if (facts) this.last.set(alertId, lastSeen(facts, distanceWords(message, facts.id), nowMs));
    return this.last.get(alertId);
  }

  /** The newest of its tracks that is still held. */
  trackOf(alert: AlertView): string | null {
    return alert.tracks.findLast((id) => this.tracks.row(id) !== undefined) ?? null;
  }

  private arrange(): void {
    if (performance.now() >= this.heldUntil) {
      reorder(this.list, this.shown());
      const open = new Set(this.order.map((a) => a.alert_id));
      for (const id of this.cards.keys()) {
        if (open.has(id)) continue;
        this.cards.delete(id);
        this.gathered.delete(id);
        this.last.delete(id);
      }
    }
    const raised = this.order.filter((a) => a.state === "raised").length;
    const message = this.store.get("alerts");
    const lately = message?.raised_lately ?? 0;
    setText(
      this.head,
      `${plural(this.order.length, "open", "open")}, ${raised} not acknowledged, ${lately} in 10 min`,
    );
    setHidden(this.test, !this.commands.allowed);
    setHidden(this.flood, !message?.flood);
    setText(this.flood, `Flood: ${lately} alerts in 10 min. Like ones are shown as one, the worst on top.`);
    setHidden(this.empty, this.order.length > 0);
    setHidden(this.incident, !this.commands.allowed || this.gathered.size === 0);
    setText(this.incident, `Open an incident from ${plural(this.gathered.size, "alert")}`);
  }

  /** The cards in their order; in a flood those of a group behind a button under its worst. */
  private shown(): HTMLElement[] {
    const card = (id: string) => this.cards.get(id)?.root;
    const groups = this.store.get("alerts")?.groups ?? [];
    const under = new Map(groups.map(([worst, ...others]) => [worst!, others]));
    const hidden = new Set(groups.flatMap(([, ...others]) => others));
    const shown: HTMLElement[] = [];
    for (const alert of this.order) {
      const id = alert.alert_id;
      if (hidden.has(id)) continue;
      shown.push(card(id)!);
      const others = (under.get(id) ?? []).filter((other) => card(other));
      if (others.length === 0) continue;
      shown.push(this.groupButton(id, others.length));
      if (this.spread.has(id)) shown.push(...others.map((other) => card(other)!));
    }
    return shown;
  }

  private groupButton(worst: string, others: number): HTMLButtonElement {
    let button = this.groups.get(worst);
    if (!button) {
      button = h("button", { type: "button", class: "group", "data-testid": "group" });
      button.addEventListener("click", () => {
        if (!this.spread.delete(worst)) this.spread.add(worst);
        this.heldUntil = 0;
        this.arrange();
      });
      this.groups.set(worst, button);
    }
    const open = this.spread.has(worst);
    button.setAttribute("aria-expanded", String(open));
    setText(button, `${open ? "Hide" : "Show"} ${others} more like ${worst}`);
    return button;
  }

  private tellRest(alerts: AlertView[], more: number): void {
    setHidden(this.more, more === 0);
    setText(this.more, `${plural(more, "older alert")} not shown here.`);
    const closed = alerts.filter((a) => a.state === "closed");
    setHidden(this.closed, closed.length === 0);
    const said = closed.map((a) => `${a.alert_id} ${stepLines(a)[0] ?? "closed"}`).join("\n");
    if (this.closed.dataset.said === said) return;
    this.closed.dataset.said = said;
    this.closed.replaceChildren(
      h("summary", {}, `Closed lately (${closed.length})`),
      h("ul", {}, ...said.split("\n").map((line) => h("li", {}, line))),
    );
  }

  private actions(): CardActions {
    const by = (id: string, act: (alert: AlertView) => void) => {
      const alert = this.order.find((a) => a.alert_id === id);
      if (alert) act(alert);
    };
    return {
      select: (id) => by(id, (a) => this.select(a)),
      acknowledge: (id) => by(id, (a) => void this.commands.acknowledge(a)),
      handOver: (id) => by(id, (a) => void this.commands.handOver(a)),
      shelve: (id) => by(id, (a) => void this.commands.shelve(a)),
      unshelve: (id) => by(id, (a) => void this.commands.unshelve(a)),
      close: (id) => by(id, (a) => void this.commands.close(a)),
      gather: (id, on) => {
        if (on) this.gathered.add(id);
        else this.gathered.delete(id);
        this.arrange();
      },
    };
  }

  private select(alert: AlertView): void {
    this.selection.choose(this.trackOf(alert), alert.alert_id, true);
    this.cards.get(alert.alert_id)?.root.scrollIntoView({ block: "nearest" });
  }

  private async openIncident(): Promise<void> {
    if (!(await this.commands.openIncident([...this.gathered]))) return;
    for (const id of this.gathered) this.cards.get(id)?.ungather();
    this.gathered.clear();
    this.arrange();
  }

  private key(event: KeyboardEvent): void {
    if (isTyping(event) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (this.root.closest("[hidden]")) return;
    if (event.key === "Escape") this.selection.choose(null, null, false);
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") this.move(event);
    else if (event.key.toLowerCase() === "a" && this.commands.allowed) {
      const alert = this.order.find((a) => a.alert_id === this.selection.alert);
      if (alert?.state === "raised") void this.commands.acknowledge(alert);
    }
  }

  private move(event: KeyboardEvent): void {
    // With the focus on the map, arrows pan it.
    if ((event.target as Element).closest?.(".maplibregl-canvas, [role=tablist]")) return;
    const shown = this.order.filter((a) => this.cards.get(a.alert_id)!.root.isConnected);
    if (shown.length === 0) return;
    event.preventDefault();
    const at = shown.findIndex((a) => a.alert_id === this.selection.alert);
    const step = event.key === "ArrowDown" ? 1 : -1;
    const to = at < 0 ? 0 : Math.min(shown.length - 1, Math.max(0, at + step));
    const alert = shown[to]!;
    this.select(alert);
    this.cards.get(alert.alert_id)?.root.focus();
  }
}
