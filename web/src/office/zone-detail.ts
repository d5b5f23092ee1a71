// One zone: all that is known of it, its versions with their steps, and the way to a new version.

import type { ZoneView } from "../messages";
import { button, el, facts, setText, show } from "./dom";
import { Slot } from "./keyed";
import type { Desk } from "./site";
import { VersionsView } from "./zone-versions";
import * as words from "./zone-words";

/** A pending version of a zone in force does not show in the live list: it is asked for. */
const LOOK_EVERY_MS = 15_000;

export class ZoneDetail {
  readonly root = el("section", { class: "of-detail", testid: "zone-detail" });
  private readonly head = el("h3", { attrs: { tabindex: "-1" } });
  private readonly shown = new Slot(el("div"));
  private readonly versions: VersionsView;
  private readonly propose: HTMLButtonElement;
  private zoneId = "";
  private zone: ZoneView | undefined;
  private key = "";
  private looked = -Infinity;

  constructor(
    private readonly desk: Desk,
    changed: () => void,
    propose: (zone: ZoneView) => void,
  ) {
    this.versions = new VersionsView(desk, changed);
    const open = () => {
      if (this.zone) propose(this.zone);
    };
    this.propose = button("Propose a new version …", open, { testid: "zone-new-version" });
    this.root.append(this.head, this.shown.root, this.propose, this.versions.root);
  }

  open(zoneId: string): void {
    this.zoneId = zoneId;
    this.key = "";
    setText(this.head, zoneId);
    this.looked = performance.now();
    this.versions.open(zoneId);
  }

  focus(): void {
    this.head.focus();
  }

  update(zone: ZoneView | undefined): void {
    this.zone = zone;
    const mayPropose = this.desk.whyNot("watch_officer", "permit_officer") === "";
    const own = zone !== undefined && zone.authority_id === this.desk.site?.authority;
    show(this.propose, mayPropose && own);
    this.look(JSON.stringify(zone ?? null));
    if (zone === undefined) {
      // What it said must not stand here as if it still held.
      const told = this.desk.context.store.get("zones") ? "This zone is not published now." : "";
      this.shown.update(`gone ${told}`, () => [el("p", {}, told)]);
      return;
    }
    setText(this.head, words.title(zone));
    const times = words.timesWords(zone, this.desk);
    this.shown.update(JSON.stringify([zone, times]), () => this.parts(zone, times));
  }

  private look(key: string): void {
    if (this.zoneId === "") return;
    const old = performance.now() - this.looked > LOOK_EVERY_MS;
    if (key === this.key && !old) return;
    this.key = key;
    this.looked = performance.now();
    void this.versions.look();
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
}
