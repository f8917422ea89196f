// What this browser keeps of somebody's typing is theirs: it goes when they sign out, and before another one's page
// looks for its own. While nobody is signed in, as after a sign-in that has ended, it waits.
const STORES = [localStorage, sessionStorage], OWNER = "owner";

export function start(root) {
  const reader = root.documentElement.dataset.reader;
  for (const store of reader ? STORES : []) {
    if (store.getItem(OWNER) !== reader) store.clear();
    store.setItem(OWNER, reader);
  }
  root.querySelector("form[action='/sign-out']")?.addEventListener("submit", () => STORES.forEach((store) => store.clear()));
}
