// One permit or exemption: all that it says, and its next steps.

import { areasOf, stateBadge, volumeLines, whyNoGrant, whyNoRevoke } from "./permit-words";
import { timesWords, zonesWords, type Listed } from "./permit-words";
import { viewOf } from "./areas";
import { button, el, facts, setText, show, statusLine } from "./dom";
import { Slot } from "./keyed";
import { ProblemBox } from "./problems";
import { recorded, type Desk, type Done } from "./site";
import { parseRfc3339 } from "./times";
import { WhyForm } from "./why-form";

export class PermitDetail {
  readonly root = el("section", { class: "of-detail", testid: "permit-detail" });
  private readonly head = el("h3", { attrs: { tabindex: "-1" } });
  private readonly shown = new Slot(el("div"));
  private readonly status = statusLine("permit-status");
  private readonly problem = new ProblemBox();
  private readonly grant: HTMLButtonElement;
  private readonly grantHint = el("p", { class: "of-hint" });
  private readonly revoke: WhyForm;
  private readonly revokeHint = el("p", { class: "of-hint" });
  private readonly steps = el("div", { class: "of-steps" });
  private permitId = "";
  private listed: Listed | undefined;

  constructor(
    private readonly desk: Desk,
    private readonly changed: () => void,
  ) {
    this.grant = button("Grant", () => void this.give(), {
      class: "of-button of-primary",
      testid: "permit-grant",
    });
    this.revoke = new WhyForm({
      open: "Revoke …",
      act: "Revoke it now",
      label: "Why is it revoked?",
      testid: "permit-revoke",
      whyTestid: "permit-why",
      danger: true,
      run: (why) => this.take(why),
    });
    this.steps.append(this.grant, this.grantHint, this.revoke.root, this.revokeHint);
    this.root.append(this.head, this.shown.root, this.status, this.problem.root, this.steps);
  }

  open(permitId: string): void {
    if (permitId !== this.permitId) this.revoke.reset();
    this.permitId = permitId;
    this.problem.clear();
    setText(this.status, "");
    setText(this.head, permitId);
  }

  focus(): void {
    this.head.focus();
  }

  update(listed: Listed | undefined): void {
    this.listed = listed;
    show(this.steps, listed !== undefined);
    if (!listed) return;
    const noGrant = whyNoGrant(listed.permit, this.desk);
    const noRevoke = whyNoRevoke(listed.permit, this.desk);
    this.grant.disabled = noGrant !== "";
    setText(this.grantHint, noGrant === "" ? "" : `Grant: ${noGrant}`);
    this.revoke.allow(noRevoke === "");
    setText(this.revokeHint, noRevoke === "" ? "" : `Revoke: ${noRevoke}`);
    const times = timesWords(listed.permit, this.desk);
    this.shown.update(JSON.stringify([listed, times]), () => this.parts(listed, times));
  }

  private parts(listed: Listed, times: string): Node[] {
    const { permit, exempt } = listed;
    const volumes = el("ul", { class: "of-plainlist" });
    for (const line of volumeLines(permit, this.desk)) volumes.append(el("li", {}, line));
    const since = typeof permit["state_since"] === "string" ? permit["state_since"] : "";
    const conditions = Array.isArray(permit["conditions"]) ? permit["conditions"] : [];
    const broadcast = permit["must_broadcast"] === false ? "not required" : "must be on";
    const view = viewOf(areasOf(permit));
    const fly = view
      ? button("Show its place on the map", () => this.fly(), { class: "of-button of-small" })
      : null;
    return [
      el("p", { class: "of-badges" }, stateBadge(permit)),
      facts([
        ["Kind", exempt ? `Standing exemption: ${permit.class ?? ""}` : "Permit"],
        ["Holder", permit.holder === "" ? "not named" : permit.holder],
        ["Serials", permit.serials.length > 0 ? permit.serials.join(", ") : "none"],
        ["Opens", zonesWords(listed)],
        ["Times", times],
        ["Volumes", permit.volumes.length > 0 ? volumes : "none"],
        ["Remote ID", broadcast],
        ["Conditions", conditions.join("; ")],
        ["Why", typeof permit["state_why"] === "string" ? permit["state_why"] : ""],
        ["Since", since === "" ? "" : this.desk.clock(parseRfc3339(since))],
      ]),
      ...(fly ? [fly] : []),
    ];
  }

  private fly(): void {
    const areas = this.listed ? areasOf(this.listed.permit) : [];
    const view = viewOf(areas);
    const first = areas[0];
    const { map } = this.desk.context;
    if (first) map.preview("circle" in first ? first : { ring: first.rings[0] ?? [] });
    if (view) map.flyTo(view.lat, view.lon, view.zoom);
  }

  private async give(): Promise<void> {
    this.grant.disabled = true;
    this.problem.clear();
    try {
      await this.step("grant_permit", "", "Granted");
    } catch (error) {
      this.problem.fault(error);
    } finally {
      this.update(this.listed);
    }
  }

  private async take(why: string): Promise<void> {
    await this.step("revoke_permit", why, "Revoked");
  }

  private async step(command: string, why: string, word: string): Promise<void> {
    const began = performance.now();
    const body = { permit_id: this.permitId, why };
    const done = await this.desk.context.api.command<Done>(command, body);
    setText(this.status, `${word}: ${recorded(done, performance.now() - began)}.`);
    this.changed();
  }
}
