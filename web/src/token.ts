// Who is watching: the token from the address, from this tab's memory, or asked for.

import { h } from "./dom";

const KEY = "skykeep-token";

/** The token at hand. One in the address moves into the tab's memory: addresses are shown and shared. */
export function storedToken(): string | null {
  const found = /^#token=(.+)$/.exec(location.hash);
  if (found?.[1]) {
    sessionStorage.setItem(KEY, decodeURIComponent(found[1]));
    history.replaceState(null, "", location.pathname + location.search);
  }
  return sessionStorage.getItem(KEY);
}

export function keepToken(token: string): void {
  sessionStorage.setItem(KEY, token);
}

export function forgetToken(): void {
  sessionStorage.removeItem(KEY);
}

/** Ask for a token; `said` is why the last one was not taken. */
export function askToken(root: HTMLElement, said = ""): Promise<string> {
  return new Promise((answer) => {
    const field = h("input", {
      id: "token",
      type: "password",
      autocomplete: "current-password",
      required: true,
      spellcheck: "false",
      "data-testid": "token-field",
    });
    const form = h(
      "form",
      { class: "sign-in", "data-testid": "sign-in" },
      h("h1", {}, "Skykeep"),
      h("p", {}, "This page shows what the site sees now. Say who you are."),
      said ? h("p", { class: "refused", role: "alert", "data-testid": "sign-in-refused" }, said) : null,
      h("label", { for: "token" }, "Token"),
      field,
      h("button", { class: "primary", type: "submit", "data-testid": "button-sign-in" }, "Watch"),
      h("p", { class: "hint" }, "Whoever keeps the service makes tokens: skykeep token new."),
      h("p", {}, h("a", { href: "/sign-in", "data-testid": "to-sign-in" }, "Sign in with your account")),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const token = field.value.trim();
      if (!token) return;
      root.replaceChildren();
      answer(token);
    });
    root.replaceChildren(form);
    field.focus();
  });
}
