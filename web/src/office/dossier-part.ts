// The incident as one file, and how whoever gets it can check it.

import { button, el, setText, statusLine } from "./dom";
import { ProblemBox } from "./problems";
import type { Desk } from "./site";
import { span } from "./times";

export class DossierPart {
  readonly root: HTMLElement;
  private readonly get: HTMLButtonElement;
  private readonly status = statusLine("incident-download-status");
  private readonly problem = new ProblemBox();
  private readonly command = el("code", {});
  private incidentId = "";

  constructor(private readonly desk: Desk) {
    this.get = button("Download the dossier", () => void this.download(), {
      testid: "incident-download",
    });
    const how = el("p", { class: "of-hint" }, "Anyone can check it offline:", this.command);
    const key =
      "KEYFILE is this site's public key. Whoever checks must get it from somewhere else than " +
      "the file: a key that comes along with it proves nothing.";
    this.root = el("div", { class: "of-dossier" }, this.get, this.status, this.problem.root);
    const wait = "The site waits while it is made: with many zones that takes a minute or more.";
    this.root.append(el("p", { class: "of-hint" }, wait), how, el("p", { class: "of-hint" }, key));
  }

  open(incidentId: string): void {
    if (incidentId === this.incidentId) return;
    this.incidentId = incidentId;
    setText(this.status, "");
    setText(this.command, `skykeep verify ${incidentId}.zip --key KEYFILE`);
    this.problem.clear();
  }

  allow(allowed: boolean): void {
    this.root.hidden = !allowed;
  }

  private async download(): Promise<void> {
    const id = this.incidentId;
    this.problem.clear();
    this.get.disabled = true;
    setText(this.status, "It is being made …");
    const began = performance.now();
    try {
      const path = `/v1/incidents/${encodeURIComponent(id)}/dossier`;
      const file = await this.desk.context.api.file(path);
      save(file, `${id}.zip`);
      const size = Math.max(1, Math.round(file.size / 1024)).toLocaleString("en-GB");
      const took = span(performance.now() - began);
      const sum = await digest(file);
      if (id !== this.incidentId) return;
      setText(this.status, `Saved as ${id}.zip, ${size} kB, after ${took}${sum}.`);
    } catch (error) {
      if (id !== this.incidentId) return;
      setText(this.status, "");
      this.problem.fault(error);
    } finally {
      this.get.disabled = false;
    }
  }
}

function save(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = el("a", { attrs: { href: url, download: name } });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** To be told by voice or on paper; only where the browser offers it (a secure origin). */
async function digest(file: Blob): Promise<string> {
  if (!globalThis.crypto?.subtle) return "";
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  return `, SHA-256 ${Array.from(sum, (n) => n.toString(16).padStart(2, "0")).join("")}`;
}
