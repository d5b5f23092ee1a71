// What an alert says, in words and in its order: no DOM here.

import type { AlertsMessage, AlertStep, AlertView, CardView, ZonesMessage } from "../messages";
import { clock, distance, bearing, height, plural, span, speed, wholeSpan } from "../format";
import { KIND_WORDS, STATE_WORDS, STRENGTH_WORDS, priorityWord } from "../symbols";
import type { Inside, TrackFacts } from "../tracks";
import type { SensorsMessage } from "../messages";

const STATE_ORDER: Record<string, number> = {
  raised: 0,
  acknowledged: 1,
  handed_over: 1,
  shelved: 2,
  closed: 3,
};

/** What comes first: what nobody has taken, then what is graver, then what is newer. */
export function inOrder(alerts: readonly AlertView[]): AlertView[] {
  return alerts
    .filter((a) => a.state !== "closed")
    .sort(
      (a, b) =>
        (STATE_ORDER[a.state] ?? 1) - (STATE_ORDER[b.state] ?? 1) ||
        a.priority - b.priority ||
        b.raised_ms - a.raised_ms ||
        (a.alert_id < b.alert_id ? 1 : -1),
    );
}

export interface Entry {
  words: string;
  /** How much it presses: inside now, soon, or neither. */
  press: "inside" | "soon" | "none";
}

/** An entry so near is as urgent as an intrusion (the service's own policy), s. */
const SOON_S = 30;

/** Where an alert's track was when this page last had it. */
export interface LastSeen {
  atMs: number;
  distance: string;
  height: string;
  speed: string;
}

export function entryOf(
  facts: TrackFacts | null,
  inside: Inside | undefined,
  zoneName: (id: string) => string,
  nowMs: number,
): Entry {
  if (!facts) return { words: "no track now: it is no longer seen", press: "none" };
  const zone = facts.zoneId === null ? "the zone" : zoneName(facts.zoneId);
  if (facts.presence === "inside") {
    const s = inside ? (nowMs - inside.sinceMs) / 1000 : NaN;
    const since = Number.isFinite(s) ? ` for ${inside?.atLeast ? "at least " : ""}${wholeSpan(s)}` : "";
    return { words: `inside ${zone}${since}`, press: "inside" };
  }
  if (Number.isFinite(facts.entryS)) {
    const press = facts.entryS <= SOON_S ? "soon" : "none";
    if (facts.entryS <= 0) return { words: `due to enter ${zone} now`, press };
    const may = facts.presence === "maybe_inside" ? "may be inside or enter" : "enters";
    return { words: `${may} ${zone} in ${wholeSpan(facts.entryS)}`, press };
  }
  if (facts.presence === "maybe_inside") {
    return { words: `may be inside ${zone}: its position is too unsure to tell`, press: "soon" };
  }
  return { words: "on no course into a zone", press: "none" };
}

/** "will have entered: 10 % by 14 s, 50 % by 21 s, 90 % by 41 s; 96 % within 120 s" */
export function arrivalWords(facts: TrackFacts | null): string {
  const a = facts?.arrival;
  if (!a || facts.presence === "inside") return "";
  const times = [
    [a.by10S, 10],
    [a.by50S, 50],
    [a.by90S, 90],
  ].filter(([s]) => Number.isFinite(s));
  const by = times.map(([s, share]) => `${share} % by ${wholeSpan(s!)}`).join(", ");
  return `will have entered: ${by}${by ? "; " : ""}${a.percent} % within ${a.withinS} s`;
}

export function zoneNamer(zones: ZonesMessage | undefined): (id: string) => string {
  const names = new Map(zones?.zones.map((z) => [z.zone_id, z.name || z.zone_id]));
  return (id) => names.get(id) ?? id;
}

export function distanceWords(alerts: AlertsMessage | undefined, trackId: string): string {
  const at = alerts?.distances[trackId];
  return at ? `${distance(at.m)} ${bearing(at.bearing_deg)}` : "position unknown";
}

export function lastSeen(facts: TrackFacts, at: string, nowMs: number): LastSeen {
  return {
    atMs: nowMs - facts.ageS * 1000,
    distance: at,
    height: height(facts.heightM, facts.heightReference),
    speed: speed(facts.speedMps),
  };
}

/** Who detected it: an observation is none where a track is a claim alone. */
export function sensorWords(facts: TrackFacts | null, sensors: SensorsMessage | undefined): string {
  if (!facts) return "by nothing now";
  const kinds = new Map(sensors?.sensors.map((s) => [s.sensor_id, s.kind]));
  const named = facts.sensors.map((id) => {
    const kind = kinds.get(id);
    return kind ? `${id} (${KIND_WORDS[kind] ?? kind})` : id;
  });
  if (!facts.measured) {
    const from = named.length > 0 ? ` Heard by ${named.join(", ")}.` : "";
    return `Claim only: no sensor measured it.${from}`;
  }
  return `Measured by ${plural(named.length, "sensor")}: ${named.join(", ")}`;
}

/** Whose stated coverage takes it in and who do not report it. */
export function missedWords(card: CardView | undefined): string {
  if (!card) return "unknown: no track of it is held";
  if (card.missed.length === 0) return "none other could by its stated coverage";
  return card.missed
    .map((m) => (m.health === "working" ? `${m.sensor_id}, which works` : `${m.sensor_id} (${m.health})`))
    .join("; ");
}

const ANSWERS: Record<string, string> = { yes: "maybe", no: "no", unknown: "not known" };

/** "crewed aircraft: no (ADS-B: none within 2 km)" */
export function checkWords(check: CardView["checks"][number]): string {
  return `${check.what}: ${ANSWERS[check.answer] ?? check.answer} (${check.words})`;
}

/** How sure its place is (2 sigma), and that it is a drone at all. */
export function sureWords(facts: TrackFacts | null): string {
  if (!facts) return "unknown: not seen now";
  const within = (m: number): string => (Number.isFinite(m) ? `±${Math.round(2 * m)} m` : "unknown");
  const drone = Math.round(100 * facts.drone);
  return `drone ${drone} %; place ${within(facts.sigmaM)}, height ${within(facts.sigmaUpM)} (2σ)`;
}

export function identityWords(alert: AlertView, facts: TrackFacts | null): string {
  const strength = alert.identity?.strength ?? facts?.strength ?? "none";
  return STRENGTH_WORDS[strength] ?? strength;
}

/** The identity itself, always as what it is: said by the aircraft, not known. */
export function claimedIdentity(alert: AlertView): string {
  const said = alert.identity;
  if (!said?.identity) return "";
  const through = said.transmitter ? `, transmitter ${said.transmitter}` : "";
  return `claims to be ${said.scheme} ${said.identity}${through}`;
}

const STEP_WORDS: Record<string, string> = {
  raise: "Raised",
  acknowledge: "Acknowledged",
  hand_over: "Handed over",
  shelve: "Shelved",
  unshelve: "Back from the shelf",
  close: "Closed",
  escalated: "Told anew",
  hand_back: "Came back",
};
const PEOPLE_STEPS = new Set(["acknowledge", "hand_over", "shelve", "unshelve", "close"]);

/** Who has done what, newest first. */
export function stepLines(alert: AlertView): string[] {
  return alert.steps
    .filter((s) => PEOPLE_STEPS.has(s.event))
    .reverse()
    .map(stepWords);
}

export function stepWords(step: AlertStep): string {
  const what = STEP_WORDS[step.event] ?? step.event;
  const by = step.by || (step.role ? `the ${step.role.replace("_", " ")}` : "the service");
  // The service says "to police patrol 4" itself.
  const why = step.event === "hand_over" ? ` ${step.why}` : `: ${step.why}`;
  return `${what}${step.why ? why : ""}, by ${by}, ${clock(step.at_ms)}`;
}

export function ackWords(alert: AlertView): string {
  if (alert.state === "raised") {
    const again = alert.escalations > 0 ? `; told anew ${plural(alert.escalations, "time")}` : "";
    return `Not acknowledged by anybody${again}`;
  }
  const newest = stepLines(alert)[0];
  if (newest) return newest;
  return `${STATE_WORDS[alert.state]}, before this service was started`;
}

export function raisedWords(alert: AlertView, nowMs: number): string {
  return `${clock(alert.raised_ms)}, ${span((nowMs - alert.raised_ms) / 1000)} ago`;
}

export function ageWords(facts: TrackFacts | null, last: LastSeen | undefined): string {
  if (!facts) return last ? `track lost, last seen ${clock(last.atMs)}` : "track lost";
  const seen = `seen ${span(facts.ageS)} ago`;
  // A claim is not moved on between its messages: where it is may be older than when it was heard.
  if (facts.measured || facts.stateAgeS < facts.ageS + 1) return seen;
  return `${seen}, position ${span(facts.stateAgeS)} old`;
}

export function headline(alert: AlertView): string {
  return `${alert.test ? "TEST, nothing is there: " : ""}${priorityWord(alert.priority)} (P${alert.priority})`;
}
