// Saves every change of a form at once, one request at a time, the newest last. Edits wait in localStorage until the
// server has them, so a lost connection loses nothing.
import { choose } from "./conflict.js";
import { send } from "./http.js";
import { tell } from "./saved.js";

export function start(root) {
  const form = root.querySelector("[data-saves]");
  const key = `draft:${form.dataset.saves}`;
  const problem = form.querySelector("[data-save-error]");
  const waiting = new Map(JSON.parse(localStorage.getItem(key) ?? "[]"));
  let version = Number(form.dataset.version), busy = false, timer = 0, wait = 1000;

  const keep = () => (waiting.size ? localStorage.setItem(key, JSON.stringify([...waiting])) : localStorage.removeItem(key));
  const forget = (batch) => {
    for (const [field, value] of batch) if (waiting.get(field) === value) waiting.delete(field);
    keep();
  };
  const complain = (text) => {
    problem.hidden = !text;
    problem.querySelector("span").textContent = text;
  };

  async function save() {
    clearTimeout(timer);
    if (busy || !waiting.size) return;
    busy = true;
    tell("saving");
    const batch = [...waiting];
    const { status, body } = await send("PATCH", form.dataset.saves, { json: Object.fromEntries(batch), version });
    busy = false;
    if (status === 200) {
      version = body.version;
      wait = 1000;
      forget(batch);
      complain("");
      return waiting.size ? save() : tell("saved");
    }
    if (status === 409 && body.current) return settle(body.current, batch);
    if (status === 401 || status === 403) {          // it waits in localStorage for the next time the page is opened
      tell("out");
      return complain(`${body.error} What you typed is kept on this device until then.`);
    }
    if (status === 422) { tell("wrong"); return complain(body.error); }
    tell("offline");
    timer = setTimeout(save, (wait = Math.min(wait * 2, 30000)));
  }

  async function settle(current, batch) {
    version = current.version;
    if (current.differences.length) {
      tell("conflict");
      if ((await choose(current.differences)) === "theirs") {
        forget(batch);
        return location.reload();
      }
    }
    return save();
  }

  form.addEventListener("input", (event) => {
    if (!event.target.name || event.target.name === "csrf") return;
    waiting.set(event.target.name, event.target.value);
    keep();
    tell("saving");
    clearTimeout(timer);
    timer = setTimeout(save, 400);
  });
  form.addEventListener("submit", () => localStorage.removeItem(key));
  addEventListener("online", save);
  for (const [field, value] of waiting) if (form.elements[field]) form.elements[field].value = value;
  for (const field of form.querySelectorAll("input[name]:not([type=hidden]), textarea[name]")) {
    if (field.value !== field.defaultValue) waiting.set(field.name, field.value);  // typed before this script came
  }
  save();
}
