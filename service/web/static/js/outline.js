// The outline: every edit is one request with the version it was made on. Titles save as they are typed; moves and
// removals draw the outline anew. Alt+arrows, drag and the row's menu all do the same moves.
import { choose } from "./conflict.js";
import { nodes, send } from "./http.js";
import { tell } from "./saved.js";
import { toast } from "./toast.js";

export function start(root) {
  const box = root.querySelector("[data-outline]"), units = box.querySelector("[data-units]");
  const say = box.querySelector("[data-outline-status]");
  const texts = new Map();                           // typed, not yet sent: one edit for each field
  let version = Number(box.dataset.version), line = Promise.resolve(), timer = 0;

  const unsaved = `unsaved:${box.dataset.outline}`, kept = () => JSON.parse(sessionStorage.getItem(unsaved) ?? "[]");
  const inOrder = (work) => (line = line.then(work, work));
  async function patch(edits, redraw) {
    tell("saving");
    const { status, body } = await send("PATCH", box.dataset.outline, { json: { edits }, version });
    if (status === 200) {
      version = body.version;
      offer(root.querySelector("[data-to-generate]"), body.to_generate);
      if (redraw) {
        units.replaceChildren(...nodes(body.html));
        units.querySelectorAll("textarea").forEach(fit);
      } else states(units, body.html);
      tell("saved");
      return body;
    }
    if (status === 409 && body.current) {
      tell("conflict");
      version = body.current.version;
      if ((await choose(body.current.differences)) === "mine") return patch(edits, true);
      location.reload();
      return null;
    }
    if (status === 0) {
      tell("offline");
      await new Promise((again) => setTimeout(again, 3000));
      return patch(edits, redraw);
    }
    if (status === 401 || status === 403) {          // kept in this tab, and made when its owner is back
      sessionStorage.setItem(unsaved, JSON.stringify([...kept(), ...edits]));
      tell("out");
      const back = () => location.assign(`/sign-in?next=${location.pathname}`);
      toast("Your sign-in has ended. Sign in, and your change is made.", { label: "Sign in", run: back });
      return null;
    }
    tell("wrong");
    toast(body?.error ?? "Not saved. Reload the page and try again.");
    return null;
  }
  function flush() {
    clearTimeout(timer);
    const edits = [...texts.values()];
    texts.clear();
    if (edits.length) inOrder(() => patch(edits, false));
  }
  function act(edit, spoken, focus) {
    flush();
    return inOrder(async () => {
      const done = await patch([edit], true);
      if (!done) return;
      say.textContent = spoken;
      focus?.();
      if (done.undo.length) toast(spoken, { label: "Undo", run: () => act(done.undo[0], "Brought back") });
    });
  }

  box.addEventListener("input", (event) => {
    const field = event.target.closest("[data-edit]");
    fit(field);
    if (!field || !field.value.trim()) return;
    texts.set(field.dataset.edit, { ...JSON.parse(field.dataset.edit), [field.dataset.part]: field.value });
    tell("saving");
    clearTimeout(timer);
    timer = setTimeout(flush, 500);
  });
  box.addEventListener("focusout", (event) => {      // an empty title is no title: the last one stays
    const field = event.target.closest("[data-edit]");
    if (field && !field.value.trim()) field.value = field.defaultValue;
    flush();
  });
  box.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (button) press(button, act, units);
  });
  box.addEventListener("keydown", (event) => {
    const field = event.target.closest("[data-edit]");
    if (field && event.key === "Enter") { event.preventDefault(); field.blur(); }
    if (!event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    const lesson = event.target.closest("[data-lesson]"), unit = event.target.closest("[data-unit]");
    if (!unit) return;
    event.preventDefault();
    const step = event.key === "ArrowDown" ? 1 : -1;
    lesson ? moveLesson(lesson, unit, step, act, units) : moveUnit(unit, step, act, units);
  });
  drag(box, units, act);
  for (const field of box.querySelectorAll("textarea")) {
    fit(field);
    if (field.value !== field.defaultValue) field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  addEventListener("beforeunload", flush);
  const left = kept();
  sessionStorage.removeItem(unsaved);
  if (left.length) inOrder(() => patch(left, true));
}

function states(units, html) {                       // what a lesson is now, around the field that is being typed in
  const drawn = document.createElement("ol");
  drawn.append(...nodes(html));
  for (const now of drawn.querySelectorAll("[data-lesson]")) {
    units.querySelector(`[data-lesson="${now.dataset.lesson}"] > .src`)?.replaceWith(now.querySelector(".src"));
  }
}

function offer(place, html) {                        // a cap that somebody has typed stays
  const typed = place.querySelector("[name=cap]");
  place.replaceChildren(...nodes(html));
  const cap = place.querySelector("[name=cap]");
  if (cap && typed && typed.value !== typed.defaultValue) cap.value = typed.value;
}

function fit(field) {                                // for browsers that do not size a field by its content
  if (!field || CSS.supports("field-sizing", "content")) return;
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}

const refocus = (units, selector) => () => units.querySelector(`${selector} textarea`)?.focus();
const nameOf = (row) => row.querySelector("textarea").value;

function press(button, act, units) {
  const unit = button.closest("[data-unit]"), lesson = button.closest("[data-lesson]"), to = Number(button.dataset.to);
  const last = () => refocus(units, "[data-unit]:last-child")();
  const id = lesson?.dataset.lesson ?? unit?.dataset.unit;
  const acts = {
    move_lesson: () => act({ do: "move_lesson", id, module: button.dataset.module, index: to }, `${nameOf(lesson)} is moved`, refocus(units, `[data-lesson="${id}"]`)),
    move_module: () => act({ do: "move_module", id, index: to }, `${nameOf(unit)} is moved`, refocus(units, `[data-unit="${id}"]`)),
    add_module: () => act({ do: "add_module", id: "new", title: "New unit", index: to }, "A unit is added", last),
    add_lesson: () => act({ do: "add_lesson", id: "new", module: unit.dataset.unit, title: "New lesson", index: to }, "A lesson is added", refocus(units, `[data-lessons="${unit.dataset.unit}"] > li:last-child`)),
    set_objective: () => act({ do: "set_objective", lesson: id, id: "new", text: "Explain …" }, "An objective is added", refocus(units, `[data-lesson="${id}"] .objectives li:last-child`)),
    remove_objective: () => act({ do: "remove_objective", lesson: id, id: button.dataset.objective }, "The objective is removed", refocus(units, `[data-lesson="${id}"]`)),
    remove_lesson: () => act({ do: "remove_lesson", id }, `“${nameOf(lesson)}” is removed`),
    remove_module: () => act({ do: "remove_module", id }, `“${nameOf(unit)}” is removed`),
  };
  acts[button.dataset.do]?.();
}

function moveUnit(unit, step, act, units) {
  const to = Number(unit.dataset.index) + step;
  if (to < 0 || to >= units.children.length) return;
  act({ do: "move_module", id: unit.dataset.unit, index: to }, `${nameOf(unit)}: unit ${to + 1} of ${units.children.length}`, refocus(units, `[data-unit="${unit.dataset.unit}"]`));
}

function moveLesson(lesson, unit, step, act, units) {  // past the end it goes on to the neighbouring unit
  const list = lesson.parentElement, id = lesson.dataset.lesson;
  let to = Number(lesson.dataset.index) + step, into = unit;
  if (to < 0 || to >= list.children.length) {
    into = step > 0 ? unit.nextElementSibling : unit.previousElementSibling;
    if (!into) return;
    to = step > 0 ? 0 : into.querySelectorAll("[data-lesson]").length;
  }
  act({ do: "move_lesson", id, module: into.dataset.unit, index: to }, `${nameOf(lesson)}: position ${to + 1} in ${nameOf(into)}`, refocus(units, `[data-lesson="${id}"]`));
}

function drag(box, units, act) {
  let held = null;
  const row = (event) => event.target.closest?.(held?.matches("[data-lesson]") ? "[data-lesson]" : "[data-unit]");
  const clear = () => box.querySelectorAll("[data-drop-at]").forEach((one) => delete one.dataset.dropAt);
  box.addEventListener("dragstart", (event) => {
    held = event.target.closest?.(".grip")?.closest("[data-lesson], [data-unit]") ?? null;
    if (!held) return;
    held.dataset.dragging = "";
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setDragImage(held, 16, 16);
  });
  box.addEventListener("dragend", () => { delete held?.dataset.dragging; held = null; clear(); });
  box.addEventListener("dragover", (event) => {
    const over = row(event);
    clear();
    if (!held || !over || over === held) return;
    event.preventDefault();
    const area = over.getBoundingClientRect();
    over.dataset.dropAt = event.clientY < area.top + area.height / 2 ? "before" : "after";
  });
  box.addEventListener("drop", (event) => {
    const over = row(event), side = over?.dataset.dropAt;
    clear();
    if (!held || !side) return;
    event.preventDefault();
    const same = over.parentElement === held.parentElement, from = Number(held.dataset.index);
    let to = Number(over.dataset.index) + (side === "after" ? 1 : 0);
    if (same && from < to) to -= 1;                  // taken out first, so what follows moves up
    if (same && from === to) return;
    const id = held.dataset.lesson ?? held.dataset.unit, spoken = `${nameOf(held)} is moved`;
    if (held.matches("[data-lesson]")) act({ do: "move_lesson", id, module: over.closest("[data-unit]").dataset.unit, index: to }, spoken);
    else act({ do: "move_module", id, index: to }, spoken);
  });
}
