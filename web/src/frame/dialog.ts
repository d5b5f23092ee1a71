// A question before a command: a modal dialog with a few fields.

import { h } from "../dom";

interface Field {
  name: string;
  label: string;
  kind: "text" | "area" | "select";
  options?: [value: string, words: string][];
  maxLength?: number;
  hint?: string;
}

/** What was said, by field; null if it was called off. */
export function ask(
  title: string,
  action: string,
  fields: Field[],
): Promise<Record<string, string> | null> {
  return new Promise((answer) => {
    const inputs = fields.map((f) => input(f));
    const form = h("form", { method: "dialog" });
    const dialog = h("dialog", { class: "ask", "aria-label": title, "data-testid": "dialog" }, form);
    const stop = () => dialog.close();
    form.append(h("h2", {}, title));
    fields.forEach((f, i) => {
      const hint = f.hint ? h("small", {}, ` ${f.hint}`) : null;
      form.append(h("label", {}, h("span", {}, f.label, hint), inputs[i]!));
    });
    form.append(
      h(
        "div",
        { class: "buttons" },
        h("button", { type: "submit", class: "primary", "data-testid": "dialog-confirm" }, action),
        h("button", { type: "button", onclick: stop, "data-testid": "dialog-cancel" }, "Cancel"),
      ),
    );
    let said: Record<string, string> | null = null;
    form.addEventListener("submit", () => {
      said = Object.fromEntries(fields.map((f, i) => [f.name, inputs[i]!.value.trim()]));
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      answer(said);
    });
    document.body.append(dialog);
    dialog.showModal();
    inputs[0]?.focus();
  });
}

function input(field: Field): HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement {
  const common = { name: field.name, "data-testid": `dialog-${field.name}` };
  if (field.kind === "select") {
    const options = (field.options ?? []).map(([value, words]) => h("option", { value }, words));
    return h("select", common, ...options);
  }
  // Blanks are no answer.
  const text = { ...common, required: true, maxlength: field.maxLength, autocomplete: "off" };
  if (field.kind === "area") return h("textarea", { ...text, rows: 3 });
  return h("input", { ...text, type: "text", pattern: ".*\\S.*" });
}
