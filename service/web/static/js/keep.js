// What was typed into a form is kept in this tab until the form has gone through. When a sign-in that has ended, or a
// fault, stood in the way, it is there again; when all went well, the form is empty the next time.
// Whoever is not its writer does not get it.
const PREFIX = "typed:";
const read = (key) => JSON.parse(sessionStorage.getItem(key) ?? "null");
const write = (key, typed) => sessionStorage.setItem(key, JSON.stringify(typed));

export function start(root) {
  if (root.querySelector("[data-interrupts]")) return notSent();
  for (const form of root.querySelectorAll("form[data-keeps]")) keep(form);
}

function notSent() {
  for (const key of Object.keys(sessionStorage).filter((one) => one.startsWith(PREFIX))) {
    write(key, { ...read(key), sent: false });
  }
}

function keep(form) {
  const key = `${PREFIX}${document.documentElement.dataset.reader ?? ""}:${form.getAttribute("action")}`;
  const fields = [...form.querySelectorAll("textarea[name], input[type=text][name]")];
  const before = read(key);
  if (before?.sent) sessionStorage.removeItem(key);
  else if (before) {
    for (const field of fields) if (!field.value || field.value === field.defaultValue) field.value = before[field.name] ?? field.value;
  }
  const typed = () => Object.fromEntries(fields.map((field) => [field.name, field.value]));
  form.addEventListener("input", () => write(key, typed()));
  form.addEventListener("submit", () => write(key, { ...typed(), sent: true }));
}
