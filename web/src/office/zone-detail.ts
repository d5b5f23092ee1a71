// One zone: all that is known of it, and its withdrawal.

import type { ZoneView } from "../messages";
import { el, facts, setText, statusLine } from "./dom";
import { Slot } from "./keyed";
import { recorded, type Desk, type Done } from "./site";
import { WhyForm } from "./why-form";
import * as words from "./zone-words";

export class ZoneDetail {
  readonly root = el("section", { class: "of-detail", testid: "zone-detail" });
  private readonly head = el("h3", { attrs: { tabindex: "-1" } });
  private readonly shown = new Slot(el("div"));
  private readonly status = statusLine("zone-status");
  private readonly refusal = el("p", { class: "of-hint" });
  private readonly withdraw: WhyForm;
  private zoneId = "";

  constructor(private readonly desk: Desk) {
    this.withdraw = new WhyForm({
      open: "Withdraw this zone …",
      act: "Withdraw it now",
      label: "Why does it end?",
      testid: "zone-withdraw",
      whyTestid: "zone-why",
      danger: true,
      run: (why) => this.end(why),
    });
    this.root.append(this.head, this.shown.root, this.status);
    this.root.append(this.withdraw.root, this.refusal);
  }

  open(zoneId: string): void {
    if (zoneId !== this.zoneId) this.withdraw.reset();
    this.zoneId = zoneId;
    setText(this.status, "");
    setText(this.head, zoneId);
  }

  focus(): void {
    this.head.focus();
  }

  update(zone: ZoneView | undefined): void {
    const gone = zone === undefined || zone.state === "withdrawn";
    const refused = this.desk.whyNot("officer", "permit_office");
    this.withdraw.allow(!gone && refused === "");
    this.withdraw.root.hidden = gone;
    setText(this.refusal, gone ? "" : refused);
    if (zone === undefined) {
      // What it said must not stand here as if it still held.
      const told = this.desk.context.store.get("zones") ? "This zone is no longer published." : "";
      this.shown.update(`gone ${told}`, () => [el("p", {}, told)]);
      return;
    }
    setText(this.head, words.title(zone));
    const times = words.timesWords(zone, this.desk);
    this.shown.update(JSON.stringify([zone, times]), () => this.parts(zone, times));
  }

  private parts(zone: ZoneView, times: string): Node[] {
    const badges = el("p", { class: "of-badges" }, words.restrictionBadge(zone));
    badges.append(...words.markBadges(zone));
    const judged = zone.enforced ? "judged here" : "shown only: another authority enforces it";
    const volumes = el("ul", { class: "of-plainlist" });
    for (const each of words.zoneAreas(zone)) volumes.append(el("li", {}, each));
    const list = facts([
      ["State", words.GROUP_WORDS[words.groupOf(zone)]],
      ["Times", times],
      ["Volumes", zone.volumes.length > 0 ? volumes : "none could be read"],
      ["Reasons", words.reasonWords(zone.reasons)],
      ["Authority", `${zone.authority_id} (${judged})`],
      ["Legal basis", zone.legal_basis === "" ? "none is given" : zone.legal_basis],
      ["Message", zone.message],
      ["Conditions", zone.conditions],
      ["Identifier", zone.zone_id],
    ]);
    const unread = zone.readable
      ? null
      : el("p", { class: "of-warning" }, "Its source could not be understood; ask its authority.");
    return unread ? [badges, unread, list] : [badges, list];
  }

  private async end(why: string): Promise<void> {
    const began = performance.now();
    const body = { zone_id: this.zoneId, why };
    const done = await this.desk.context.api.command<Done>("withdraw_zone", body);
    setText(this.status, `Withdrawn: ${recorded(done, performance.now() - began)}.`);
  }
}
