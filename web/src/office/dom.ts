// Small helpers for building pages; every text goes in as text, never as markup.

export type Child = Node | string | null;

export interface Props {
  class?: string;
  id?: string;
  testid?: string;
  data?: Record<string, string>;
  attrs?: Record<string, string>;
}

/** An element with its children; strings become text. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (props.class !== undefined) made.className = props.class;
  if (props.id !== undefined) made.id = props.id;
  if (props.testid !== undefined) made.dataset["testid"] = props.testid;
  for (const [name, value] of Object.entries(props.data ?? {})) made.dataset[name] = value;
  for (const [name, value] of Object.entries(props.attrs ?? {})) made.setAttribute(name, value);
  for (const child of children) if (child !== null) made.append(child);
  return made;
}

export function button(words: string, act: () => void, props: Props = {}): HTMLButtonElement {
  const made = el("button", { class: "of-button", ...props }, words);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

let counted = 0;

export function freshId(stem: string): string {
  counted += 1;
  return `of-${stem}-${counted}`;
}

type Control = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

/** A control under its label, with a hint that a screen reader reads with it. */
export function field(label: string, control: Control, hint = ""): HTMLElement {
  if (control.id === "") control.id = freshId("field");
  const caption = el("label", { class: "of-label", attrs: { for: control.id } }, label);
  const words = hint === "" ? null : el("p", { class: "of-hint", id: `${control.id}-hint` }, hint);
  if (words) control.setAttribute("aria-describedby", words.id);
  return el("div", { class: "of-field" }, caption, control, words);
}

export function input(type: string, testid: string, attrs: Record<string, string> = {}) {
  return el("input", { class: "of-input", testid, attrs: { type, autocomplete: "off", ...attrs } });
}

export function textarea(testid: string, attrs: Record<string, string> = {}): HTMLTextAreaElement {
  return el("textarea", { class: "of-input", testid, attrs: { rows: "3", ...attrs } });
}

export function select(testid: string, options: [string, string][]): HTMLSelectElement {
  const made = el("select", { class: "of-input", testid });
  for (const [value, words] of options) made.append(el("option", { attrs: { value } }, words));
  return made;
}

/** A box with its label beside it. */
export function tick(
  label: string,
  checked: boolean,
  testid = "",
): [HTMLElement, HTMLInputElement] {
  const box = el("input", { testid, attrs: { type: "checkbox" }, id: freshId("tick") });
  box.checked = checked;
  const caption = el("label", { attrs: { for: box.id } }, label);
  return [el("div", { class: "of-tick" }, box, caption), box];
}

/** Set a text only where it differs, so that nothing that is read aloud is read twice. */
export function setText(node: HTMLElement, words: string): void {
  if (node.textContent !== words) node.textContent = words;
}

export function show(node: HTMLElement, shown: boolean): void {
  if (node.hidden === shown) node.hidden = !shown;
}

/** Pairs of a name and what it is; a pair without words is left out. */
export function facts(pairs: [string, string | Node][]): HTMLElement {
  const list = el("dl", { class: "of-facts" });
  for (const [name, words] of pairs) {
    if (words === "") continue;
    list.append(el("dt", {}, name), el("dd", {}, words));
  }
  return list;
}

/** A place for one status line; it is read aloud when its words change. */
export function statusLine(testid = ""): HTMLElement {
  return el("p", { class: "of-status", testid, attrs: { role: "status" } });
}

/** The word of a state with its shape: told apart without colour. */
export function badge(shape: string, words: string, tone: string): HTMLElement {
  const mark = el("span", { class: "of-shape", attrs: { "aria-hidden": "true" } }, shape);
  return el("span", { class: "of-badge", data: { tone } }, mark, words);
}
