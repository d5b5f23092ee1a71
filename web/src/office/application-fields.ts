// The items of (EU) 2021/664, Annex IV, as fields; serial numbers and volumes stand beside them.

import type { ApplicationView, ProcedureView } from "../messages";
import { parse } from "./area-field";
import { el, field, input, select } from "./dom";

type Read = { application: ApplicationView | null } | { problem: string; control: HTMLElement };

const LONGEST = "2000";

export class ApplicationFields {
  readonly root = el("fieldset", { class: "of-group" });
  private readonly mode = select("permit-mode", [
    ["VLOS", "VLOS, within sight"],
    ["BVLOS", "BVLOS, beyond sight"],
  ]);
  private readonly category = select("permit-category", [
    ["open", "open"],
    ["specific", "specific"],
    ["certified", "certified"],
  ]);
  private readonly texts = {
    flight_type: text("permit-flight-type"),
    aircraft_class: text("permit-aircraft-class"),
    identification: text("permit-identification"),
    connectivity: text("permit-connectivity"),
    lost_link: text("permit-lost-link"),
    aircraft_registration: text("permit-registration"),
  };
  private readonly endurance = input("text", "permit-endurance", { inputmode: "decimal" });
  private readonly operator = text("permit-operator", { spellcheck: "false" });
  private readonly contactName = text("permit-contact-name");
  private readonly contactPhone = input("tel", "permit-contact-phone", { maxlength: LONGEST });

  constructor() {
    const { texts } = this;
    const hint = "With or without its 3 secret characters: they are checked, and not kept.";
    this.root.append(
      el("legend", {}, "Application, (EU) 2021/664 Annex IV"),
      row(field("(2) Mode", this.mode), field("(4) Category", this.category)),
      row(
        field("(3) Type of flight", texts.flight_type),
        field("(4) Class or certificate", texts.aircraft_class),
      ),
      field("(6) Identification technology", texts.identification),
      row(
        field("(7) Connectivity", texts.connectivity),
        field("(8) Endurance (minutes)", this.endurance),
      ),
      field("(9) When the link is lost", texts.lost_link),
      field("(10) Operator's registration number", this.operator, hint),
      field("Aircraft's registration, if it has one", texts.aircraft_registration),
      row(
        field("Whom to call on the day", this.contactName),
        field("Phone on the day", this.contactPhone),
      ),
    );
  }

  get controls(): Record<string, HTMLElement> {
    return {
      ...this.texts,
      mode: this.mode,
      category: this.category,
      endurance_s: this.endurance,
      operator: this.operator,
      "contact.name": this.contactName,
      "contact.phone": this.contactPhone,
    };
  }

  /** What was entered; null where all of it is empty: the check names then what is missing. */
  read(): Read {
    const said = (box: HTMLInputElement) => box.value.trim();
    const boxes = [...Object.values(this.texts), this.endurance, this.operator];
    boxes.push(this.contactName, this.contactPhone);
    if (boxes.every((box) => said(box) === "")) return { application: null };
    const minutes = parse(this.endurance.value);
    if (!(minutes > 0)) {
      return { problem: "Give the endurance in minutes", control: this.endurance };
    }
    if (said(this.operator) === "") {
      return { problem: "Give the operator's registration number", control: this.operator };
    }
    const texts = Object.fromEntries(
      Object.entries(this.texts).map(([name, box]) => [name, said(box)]),
    ) as Record<keyof typeof this.texts, string>;
    const application = {
      ...texts,
      mode: this.mode.value,
      category: this.category.value,
      endurance_s: Math.round(minutes * 60),
      operator: said(this.operator),
      contact: { name: said(this.contactName), phone: said(this.contactPhone) },
    };
    return { application };
  }

  clear(): void {
    for (const box of [...Object.values(this.texts), this.endurance, this.operator]) box.value = "";
    this.contactName.value = this.contactPhone.value = "";
  }
}

/** How the holder is told, and who the holder is. */
export class HolderFields {
  readonly root = el("fieldset", { class: "of-group" });
  private readonly email = input("email", "permit-email", { maxlength: "254" });
  private readonly webhook = input("url", "permit-webhook", { maxlength: LONGEST });
  private readonly proof = text("permit-identity-proof");

  constructor() {
    const hint = "They are told of every decision at once, and by when to land.";
    this.root.append(
      el("legend", {}, "The applicant"),
      field("E-mail (optional)", this.email, hint),
      field("Webhook (optional)", this.webhook),
      field("Proof of identity (optional)", this.proof, "How, and to whom: eID, passport shown …"),
    );
  }

  get controls(): Record<string, HTMLElement> {
    return { identity_proof: this.proof, channels: this.email };
  }

  read(): Partial<ProcedureView> {
    const channels = [
      { kind: "email", address: this.email.value.trim() },
      { kind: "webhook", address: this.webhook.value.trim() },
    ].filter(({ address }) => address !== "");
    return { identity_proof: this.proof.value.trim(), channels };
  }

  clear(): void {
    this.email.value = this.webhook.value = this.proof.value = "";
  }
}

function text(testid: string, attrs: Record<string, string> = {}): HTMLInputElement {
  return input("text", testid, { maxlength: LONGEST, ...attrs });
}

function row(...fields: HTMLElement[]): HTMLElement {
  return el("div", { class: "of-row2" }, ...fields);
}
