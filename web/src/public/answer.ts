// The answer in words: may I, why, which zones, whom to ask, until when it stays so.

import { h } from "../dom";
import type { Asked } from "./form";
import type { Clock } from "./judge/clock";
import type { Answer, Part, Verdict, Zones } from "./judge/judge";
import { YES } from "./judge/data";
import { type Words } from "./words";
import { zoneView } from "./zone-view";

/** Told by its shape too, not by colour alone. */
const SIGN: Record<Verdict, string> = {
  PROHIBITED: "✕",
  REQ_AUTHORISATION: "!",
  CONDITIONAL: "§",
  NO_RESTRICTION: "○",
  NONE: "○",
  UNDETERMINED: "?",
};

export function answerView(
  words: Words,
  zones: Zones,
  asked: Asked | null,
  found: Answer | null,
  clock: Clock,
  stale: string | null,
): HTMLElement[] {
  const title = h("h2", {}, words.say("answer"));
  if (!asked) return [title, h("p", { class: "muted" }, words.say("answer_ask"))];
  if (!found) {
    const text = words.say(asked.problem ?? "bad_time", asked.problemValues);
    return [title, h("p", { class: "headline UNDETERMINED", "data-testid": "headline" }, text)];
  }
  const verdict = found.climbVerdict;
  const sure = found.parts.filter((p) => p.holds === YES);
  const unsure = found.parts.filter((p) => p.holds !== YES);
  const free = verdict === "NONE" || verdict === "NO_RESTRICTION";
  const { contact } = zones.document.skykeep;
  return [
    title,
    h(
      "p",
      { class: `headline ${verdict}`, "data-testid": "headline" },
      h("span", { class: "sign", "aria-hidden": "true" }, SIGN[verdict]),
      h(
        "span",
        {},
        stale !== null && h("small", {}, `${words.say("stale_answer", { age: stale })} `),
        words.say(`answer_${verdict}`),
      ),
    ),
    h(
      "p",
      { class: "asked", "data-testid": "asked" },
      words.say("asked", { place: asked.place, when: asked.when, height: asked.height }),
    ),
    free && h("p", {}, words.say("general_rules")),
    verdict === "UNDETERMINED" && contact !== "" && h("p", {}, words.say("contact", { contact })),
    h(
      "p",
      { class: "next", "data-testid": "next" },
      found.nextMs === null || found.next === null
        ? words.say("next_none")
        : words.say("next", {
            when: words.moment(found.nextMs, clock),
            answer: words.say(`answer_${found.next}`),
          }),
    ),
    ...section(words, zones, clock, words.say("zones_here"), sure, asked),
    ...section(words, zones, clock, words.say("zones_maybe"), unsure, asked),
    ...(found.climb.length > 0
      ? [
          ...section(words, zones, clock, words.say("climb"), found.climb, asked),
          h("p", {}, words.say("climb_note", { answer: words.say(`answer_${found.verdict}`) })),
        ]
      : []),
  ].filter((node) => node !== false);
}

function section(
  words: Words,
  zones: Zones,
  clock: Clock,
  title: string,
  parts: readonly Part[],
  asked: Asked,
): HTMLElement[] {
  if (parts.length === 0) return [];
  const noHeight = asked.question?.height === null;
  return [
    h("h3", {}, title),
    ...parts.map(({ zone, unsure }) => {
      const why = unsure.map((u) =>
        words.say(u === "height" && noHeight ? "unsure_height_none" : `unsure_${u}`),
      );
      return zoneView(words, zones, zone, clock, why, "h4");
    }),
  ];
}
