// Where the page begins: who watches, then the picture.

import "./style.css";
import "./style-alerts.css";
import { Api, signedIn, type Key } from "./api";
import { Live } from "./live";
import { Store } from "./store";
import { askToken, forgetToken, keepToken, storedToken } from "./token";
import { storedTheme, WatchPage } from "./watch";

const root = document.getElementById("page")!;

async function begin(said: string): Promise<void> {
  document.documentElement.dataset.theme = storedTheme();
  // A token in this tab goes first: it was given for just this.
  const token = storedToken();
  const session = token === null ? await signedIn() : null;
  const key: Key = session ? { csrf: session } : { token: token ?? (await askToken(root, said)) };
  const store = new Store();
  new WatchPage(root, store, new Api(key));
  const live = new Live(store, key, (words) => {
    // A page of its own for the next person: nothing of what this one saw stays.
    forgetToken();
    sessionStorage.setItem(REFUSED, words);
    location.reload();
  });
  // A token is kept once it is used: a reload of the page must not ask again.
  if ("token" in key) keepToken(key.token);
  live.start();
}

const REFUSED = "skykeep-refused";
const load = new URLSearchParams(location.search).get("load");
if (load !== null) {
  void import("./bench").then(({ runLoad }) => runLoad(root, load));
} else {
  const said = sessionStorage.getItem(REFUSED) ?? "";
  sessionStorage.removeItem(REFUSED);
  void begin(said);
}
