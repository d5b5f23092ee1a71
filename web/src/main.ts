// Where the page begins: who watches, then the picture.

import "./style.css";
import "./style-alerts.css";
import { Api } from "./api";
import { Live } from "./live";
import { Store } from "./store";
import { askToken, forgetToken, keepToken, storedToken } from "./token";
import { storedTheme, WatchPage } from "./watch";

const root = document.getElementById("page")!;

async function begin(said: string): Promise<void> {
  document.documentElement.dataset.theme = storedTheme();
  const token = storedToken() ?? (await askToken(root, said));
  const store = new Store();
  new WatchPage(root, store, new Api(token));
  const live = new Live(store, token, (words) => {
    // A page of its own for the next person: nothing of what this one saw stays.
    forgetToken();
    sessionStorage.setItem(REFUSED, words);
    location.reload();
  });
  // A token is kept once it is used: a reload of the page must not ask again.
  keepToken(token);
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
