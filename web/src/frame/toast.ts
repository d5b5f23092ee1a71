// Short words on what became of a command. A failure stays until it is dismissed.

import { h } from "../dom";

const SHOWN_MS = 4_000;
let host: HTMLElement | null = null;

export function toast(words: string, kind: "done" | "failed"): void {
  host ??= document.body.appendChild(h("div", { class: "toasts" }));
  const note = h(
    "div",
    { class: `toast ${kind}`, role: kind === "failed" ? "alert" : "status", "data-testid": "toast" },
    kind === "failed" ? `Not done: ${words}` : words,
  );
  const away = () => note.remove();
  note.append(h("button", { type: "button", "aria-label": "Dismiss", onclick: away }, "×"));
  host.append(note);
  if (kind === "done") setTimeout(away, SHOWN_MS);
}
