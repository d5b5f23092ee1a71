// What was applied for: the ten items of (EU) 2021/664, Annex IV, by their numbers.

import { el, facts } from "./dom";
import { volumeLines, zonesWords, type Listed } from "./permit-words";
import type { Desk } from "./site";
import { parseRfc3339, span } from "./times";

export function applicationView({ permit, exempt }: Listed, desk: Desk): Node[] {
  const own = permit.application;
  const volumes = el("ul", { class: "of-plainlist" });
  for (const line of volumeLines(permit, desk)) volumes.append(el("li", {}, line));
  const said = (words: string | undefined) => (words === undefined || words === "" ? "–" : words);
  const serials = permit.serials.length > 0 ? permit.serials.join(", ") : "none";
  const plan: [string, string | Node][] = [
    ["(1) Serial numbers", serials],
    ["(5) Where and when", permit.volumes.length > 0 ? volumes : "none"],
  ];
  const opens: [string, string][] = [["Zones it opens", zonesWords({ permit, exempt })]];
  if (!own) return [facts([...plan, ...opens])];
  const where = own.aircraft_registration === "" ? "" : `, aircraft ${own.aircraft_registration}`;
  const klass = own.aircraft_class === "" ? "" : `, ${own.aircraft_class}`;
  const contact = [own.contact.name, own.contact.phone].filter(Boolean).join(", ");
  return [
    facts([
      ["(1) Serial numbers", serials],
      ["(2) Mode", own.mode],
      ["(3) Type of flight", own.flight_type === "" ? "nothing special" : own.flight_type],
      ["(4) Category", `${own.category}${klass}`],
      ["(5) Where and when", permit.volumes.length > 0 ? volumes : "none"],
      ["(6) Identification", said(own.identification)],
      ["(7) Connectivity", said(own.connectivity)],
      ["(8) Endurance", span(own.endurance_s * 1000)],
      ["(9) Lost link", said(own.lost_link)],
      ["(10) Operator", `${own.operator}${where}`],
      ["On the day, call", contact === "" ? "nobody is named" : contact],
      ...opens,
    ]),
  ];
}

/** By when a drone in the air has to be down, once the right to fly was taken away. */
export function landingWords({ permit }: Listed, desk: Desk): string {
  const told = permit.procedure?.land_by;
  if (!told || !["suspended", "revoked", "expired"].includes(permit.state)) return "";
  const at = parseRfc3339(told);
  const left = at - desk.nowMs();
  const past = `Had to land by ${desk.clockSeconds(at)}, ${span(left)} ago.`;
  return left > 0 ? `Land by ${desk.clockSeconds(at)}: ${span(left)} left.` : past;
}

/** What the proceeding says: identity, deadlines, what was asked, how to appeal. */
export function proceedingView({ permit, exempt }: Listed, desk: Desk, times: string): HTMLElement {
  const { procedure = {}, conditions = [] } = permit;
  const clock = (at: string | null | undefined) => (at ? desk.clock(parseRfc3339(at)) : "");
  const list = el("ul", { class: "of-plainlist" });
  for (const each of conditions) list.append(el("li", {}, each));
  const broadcast = permit.must_broadcast === false ? "not required" : "must be on";
  const why = permit.state_why ?? "";
  const since = clock(permit.state_since);
  return facts([
    ["Kind", exempt ? `Exemption: ${permit.class ?? ""}` : "Permit"],
    ["Holder", permit.holder === "" && !exempt ? "not named" : permit.holder],
    ["Times", times],
    ["Since", since === "" ? "" : `${since}${why === "" ? "" : `: “${why}”`}`],
    ["Asked of the holder", procedure.question ?? ""],
    ["Conditions", conditions.length > 0 ? list : ""],
    ["Remote ID", broadcast],
    ["Handed in", clock(procedure.submitted)],
    ["Identity proven by", procedure.identity_proof || (exempt ? "" : "not proven yet")],
    ["How to appeal", procedure.appeal ?? ""],
  ]);
}
