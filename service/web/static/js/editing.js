// Tells the site that somebody works at this page, so that workers stay at hand. A page that is hidden or that nobody
// has touched for minutes says nothing: waiting workers cost money.
import { send } from "./http.js";
const EVERY = 30_000, IDLE = 300_000;

export function start(root) {
  const address = root.querySelector("[data-editing]").dataset.editing;
  let touched = Date.now();
  for (const sign of ["pointermove", "pointerdown", "keydown"]) {
    root.addEventListener(sign, () => { touched = Date.now(); }, { passive: true });
  }
  const tell = () => { if (!root.hidden && Date.now() - touched < IDLE) send("POST", address); };
  root.addEventListener("visibilitychange", tell);
  setInterval(tell, EVERY);
}
