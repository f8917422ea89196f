// Starts every module whose markup is on the page, so that pages load only what they use.
import { start as own } from "./own.js";

const parts = {
  "[data-theme-toggle]": "./theme.js",
  "[data-opens], dialog": "./dialog.js",
  "[role=tablist]": "./tabs.js",
  "[data-outline]": "./outline.js",
  "[data-source]": "./evidence.js",
  "[data-saves]": "./saver.js",
  "[data-player]": "./player.js",
  "[data-finish]": "./finish.js",
  "[data-quiz]": "./quiz.js",
  "[data-ask]": "./ask.js",
  "[data-drop]": "./drop.js",
  "[data-events]": "./events.js",
  "[data-editing]": "./editing.js",
  "details.menu": "./menu.js",
  "[data-keeps], [data-interrupts]": "./keep.js",
  "form[method=post]": "./once.js",                  // the last: it looks whether another script sends the form
};

document.documentElement.classList.add("scripted");
own(document);                                       // before any other looks for what was typed
const wanted = Object.entries(parts).filter(([selector]) => document.querySelector(selector));
Promise.all(wanted.map(([, file]) => import(file).then((module) => module.start(document)))).then(() => {
  document.documentElement.dataset.ready = "";
});
