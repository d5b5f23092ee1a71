// One alert as a card. Permission, confirmation and disposition are three fields side by side,
// each with its own words; only permission has a colour.

import { h, setAttribute, setHidden, setText } from "../dom";
import type { AlertState, AlertView, CardView } from "../messages";
import { asPermission, icon, PERMISSION_WORDS, STATE_WORDS } from "../symbols";
import { OLD_S, type TrackFacts } from "../tracks";
import { bearing, clock } from "../format";
import {
  ackWords,
  arrivalWords,
  ageWords,
  checkWords,
  claimedIdentity,
  headline,
  identityWords,
  missedWords,
  raisedWords,
  sensorWords,
  stepLines,
  sureWords,
  type Entry,
  type LastSeen,
} from "./model";
import type { SensorsMessage } from "../messages";

export interface CardActions {
  select(alertId: string): void;
  acknowledge(alertId: string): void;
  handOver(alertId: string): void;
  shelve(alertId: string): void;
  unshelve(alertId: string): void;
  close(alertId: string): void;
  gather(alertId: string, on: boolean): void;
}

export interface CardInput {
  alert: AlertView;
  facts: TrackFacts | null;
  entry: Entry;
  /** As it is, or as it was when its track was lost. */
  last: LastSeen | undefined;
  sensors: SensorsMessage | undefined;
  card: CardView | undefined;
  /** What the site wants done next; "" where it does not say. */
  procedure: string;
  nowMs: number;
  selected: boolean;
  commands: boolean;
  live: boolean;
}

type ButtonName = "acknowledge" | "handOver" | "shelve" | "unshelve" | "close";

/** [name, words, test id, states in which it is possible (core/alert.py, ALERT_TRANSITIONS)] */
const BUTTONS: [ButtonName, string, string, AlertState[]][] = [
  ["acknowledge", "Acknowledge", "button-acknowledge", ["raised"]],
  ["handOver", "Hand over", "button-hand-over", ["raised", "acknowledged"]],
  ["shelve", "Shelve", "button-shelve", ["raised", "acknowledged"]],
  ["unshelve", "Take back", "button-unshelve", ["shelved"]],
  ["close", "Close", "button-close", ["raised", "acknowledged", "handed_over", "shelved"]],
];

export class Card {
  readonly root: HTMLElement;
  private readonly fields = new Map<string, HTMLElement>();
  private readonly buttons = new Map<ButtonName, HTMLButtonElement>();
  private readonly gather: HTMLInputElement;
  private readonly symbol = h("span", { class: "symbol-slot" });
  private readonly foot: HTMLElement;
  private permission = "";

  constructor(
    private readonly id: string,
    actions: CardActions,
  ) {
    this.gather = h("input", {
      type: "checkbox",
      "data-testid": "gather",
      "aria-label": `Gather ${id} into an incident`,
      onchange: () => actions.gather(id, this.gather.checked),
    });
    this.foot = this.makeFoot(actions);
    this.root = h(
      "article",
      {
        class: "card",
        tabindex: 0,
        "data-testid": "alert-card",
        "data-alert-id": id,
        "aria-label": `Alert ${id}`,
      },
      this.makeHead(),
      h("div", { class: "entry" }, this.field("entry")),
      h("div", { class: "arrival" }, this.field("arrival")),
      h("div", { class: "numbers" }, this.field("distance"), this.field("height"), this.field("speed"), this.field("course")),
      h("div", { class: "next" }, h("b", {}, "Next "), this.field("next")),
      this.foot,
      this.makeFacts(),
    );
    this.root.addEventListener("click", (event) => {
      if ((event.target as Element).closest("button, label, input")) return;
      actions.select(id);
    });
    this.root.addEventListener("keydown", (event) => {
      if (event.target === this.root && event.key === "Enter") actions.select(id);
    });
  }

  private field(name: string, tag: "span" | "div" | "ul" = "span"): HTMLElement {
    const made = h(tag, { class: `field-${name}`, "data-testid": `field-${name}` });
    this.fields.set(name, made);
    return made;
  }

  private makeHead(): HTMLElement {
    const cell = (label: string, ...rest: Node[]) =>
      h("div", { class: "cell" }, h("small", {}, label), ...rest);
    return h(
      "header",
      {},
      h(
        "div",
        { class: "title" },
        this.field("priority"),
        h("b", { "data-testid": "field-id" }, this.id),
        this.field("age"),
      ),
      h(
        "div",
        { class: "three" },
        cell("Permission", h("div", { class: "permission" }, this.symbol, this.field("permission"))),
        cell("Confirmation", this.field("confirmation")),
        cell("Disposition", this.field("state")),
      ),
    );
  }

  private makeFacts(): HTMLElement {
    const row = (label: string, ...rest: Node[]) => [h("dt", {}, label), h("dd", {}, ...rest)];
    return h(
      "dl",
      {},
      ...row("Why", this.field("reasons", "ul")),
      ...row("Detected", this.field("sensors")),
      ...row("Did not", this.field("missed")),
      ...row("How sure", this.field("sure")),
      ...row("What else", this.field("checks", "ul")),
      ...row("Identity", this.field("strength"), this.field("identity", "div")),
      ...row("Raised", this.field("raised")),
      ...row("Handled", this.field("ack"), this.field("steps", "div")),
    );
  }

  private makeFoot(actions: CardActions): HTMLElement {
    const foot = h("footer", {});
    for (const [name, words, testid] of BUTTONS) {
      const button = h(
        "button",
        {
          type: "button",
          class: name === "acknowledge" || name === "unshelve" ? "primary" : "",
          "data-testid": testid,
          "aria-label": `${words} ${this.id}`,
          onclick: () => actions[name](this.id),
        },
        words,
      );
      if (name === "acknowledge") button.append(h("kbd", {}, "A"));
      this.buttons.set(name, button);
      foot.append(button);
    }
    foot.append(h("label", { class: "gather" }, this.gather, "gather"));
    return foot;
  }

  private put(name: string, text: string): void {
    const field = this.fields.get(name);
    if (field) setText(field, text);
  }

  update(input: CardInput): void {
    const { alert, facts, entry, nowMs } = input;
    this.updateHead(input);
    this.put("entry", input.live ? entry.words : `${entry.words}, by the last data`);
    const arrival = arrivalWords(facts);
    this.put("arrival", arrival);
    setHidden(this.fields.get("arrival")!, arrival === "");
    setAttribute(this.root, "data-press", entry.press);
    const { last } = input;
    const lately = facts ? "" : "last ";
    this.put("distance", last ? `${lately}${last.distance}` : "position unknown");
    this.put("height", last?.height ?? "height unknown");
    this.put("speed", last?.speed ?? "speed unknown");
    this.put("course", facts && facts.speedMps >= 1 ? `to ${bearing(facts.headingDeg)}` : "course unknown");
    this.put("next", input.procedure || "the site file says nothing for this priority");
    this.put("missed", missedWords(input.card));
    this.put("sure", sureWords(facts));
    this.updateChecks(input.card);
    this.put("sensors", sensorWords(facts, input.sensors));
    this.put("strength", identityWords(alert, facts));
    setAttribute(this.fields.get("strength")!, "data-strength", alert.identity?.strength ?? facts?.strength ?? "none");
    const claimed = claimedIdentity(alert);
    this.put("identity", claimed);
    setHidden(this.fields.get("identity")!, claimed === "");
    this.updateReasons(alert);
    this.put("raised", raisedWords(alert, nowMs));
    this.put("ack", ackWords(alert));
    const older = stepLines(alert).slice(1);
    this.put("steps", older.join(" · "));
    setHidden(this.fields.get("steps")!, older.length === 0);
    this.updateFoot(input);
  }

  private updateHead({ alert, facts, last, selected, live }: CardInput): void {
    const permission = asPermission(alert.permission);
    if (permission !== this.permission) {
      this.permission = permission;
      this.symbol.replaceChildren(icon(permission, 22));
      setAttribute(this.root, "data-permission", permission);
    }
    this.put("priority", headline(alert));
    this.put("permission", PERMISSION_WORDS[permission]);
    const seen = !facts ? "Not seen now" : facts.measured ? "Measured" : "Claim only";
    this.put("confirmation", facts?.measured ? `${seen}, ${facts.sensors.length}×` : seen);
    const until = alert.shelved_until_ms;
    const shelf = alert.state === "shelved" && until !== null ? ` until ${clock(until)}` : "";
    this.put("state", `${STATE_WORDS[alert.state]}${shelf}${alert.active ? "" : ", cause gone"}`);
    this.put("age", ageWords(facts, last));
    const old = !live || !facts || facts.ageS > OLD_S;
    setAttribute(this.root, "data-old", old ? "yes" : null);
    setAttribute(this.root, "data-state", alert.state);
    setAttribute(this.root, "data-priority", String(alert.priority));
    setAttribute(this.root, "aria-current", selected ? "true" : null);
  }

  private updateReasons(alert: AlertView): void {
    const list = this.fields.get("reasons")!;
    const words = alert.reasons.map((r) => r.words || r.code.replaceAll("_", " "));
    if (list.dataset.said === words.join("\n")) return;
    list.dataset.said = words.join("\n");
    list.replaceChildren(...words.map((w) => h("li", {}, w)));
  }

  private updateChecks(card: CardView | undefined): void {
    const list = this.fields.get("checks")!;
    const lines = card ? card.checks.map(checkWords) : ["not asked: no track of it is held"];
    if (list.dataset.said === lines.join("\n")) return;
    list.dataset.said = lines.join("\n");
    list.replaceChildren(...lines.map((w) => h("li", {}, w)));
  }

  private updateFoot({ alert, commands }: CardInput): void {
    setHidden(this.foot, !commands);
    for (const [name, , , states] of BUTTONS) {
      setHidden(this.buttons.get(name)!, !states.includes(alert.state));
    }
  }

  ungather(): void {
    this.gather.checked = false;
  }

  /** Point out a new alert for a few seconds. */
  pulse(): void {
    this.root.classList.add("new");
    setTimeout(() => this.root.classList.remove("new"), 6_000);
  }
}
