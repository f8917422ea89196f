// Files by drop or choice: checks the size here first, uploads one by one with progress, then shows what the site found
// in each. A file that failed stays with its reason.
import { nodes, send } from "./http.js";
import { toast } from "./toast.js";

export function start(root) {
  const zone = root.querySelector("[data-drop]"), list = root.getElementById(zone.dataset.drop);
  const input = zone.querySelector("input[type=file]"), say = root.querySelector("[data-drop-status]");
  const queue = [];
  let working = false;

  async function work() {
    if (working) return;
    working = true;
    while (queue.length) {
      const file = queue.shift();
      say.textContent = `Uploading ${file.name}`;
      say.textContent = (await upload(zone, list, file)) ? `${file.name} is uploaded` : `${file.name} was not added`;
    }
    working = false;
    watch(root, list);
  }
  const take = (files) => { queue.push(...files); work(); };

  for (const name of ["dragenter", "dragover"]) {
    zone.addEventListener(name, (event) => { event.preventDefault(); zone.dataset.over = ""; });
  }
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => delete zone.dataset.over);
  zone.addEventListener("drop", (event) => { event.preventDefault(); take(event.dataTransfer.files); });
  const chosen = () => { take([...input.files]); input.value = ""; };
  input.addEventListener("change", chosen);
  if (input.files.length) chosen();                  // chosen before this script was there
  list.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.enctype === "multipart/form-data") return;   // a newer version goes up with the page
    event.preventDefault();
    const { status, body } = await send("POST", form.action, { form: new FormData(form) });
    if (status === 204) { (form.closest(".newer") ?? form.closest("li")).remove(); watch(root, list); }
    else toast(body?.error ?? "Not removed. Check the connection and try again.");
  });
  root.addEventListener("submit", (event) => {
    const button = event.submitter?.closest("[data-needs-sources][aria-disabled=true]");
    if (!button) return;
    event.preventDefault();
    root.getElementById("why-not").classList.add("error");
  }, true);
  if (list.querySelector("progress")) watch(root, list);
}

function upload(zone, list, file) {
  const row = document.getElementById("file-row").content.cloneNode(true).firstElementChild;
  const bar = row.querySelector("progress"), state = row.querySelector("[data-state]"), cancel = row.querySelector("button");
  row.querySelector("[data-name]").textContent = file.name;
  list.append(row);
  const refuse = (reason) => {
    bar.remove();
    state.className = "error";
    state.textContent = reason;
    row.dataset.refused = "";
    cancel.textContent = "Remove";
    cancel.onclick = () => row.remove();
    return false;
  };
  const limit = Number(zone.dataset.limit);
  if (file.size > limit) return refuse(`This file is larger than ${Math.round(limit / 1e6)} MB. Split it and add the parts.`);
  if (!file.size) return refuse("This file is empty. Check it and add it again.");
  return new Promise((done) => {
    const request = new XMLHttpRequest();           // fetch cannot tell how far an upload is
    cancel.onclick = () => request.abort();
    request.upload.onprogress = (event) => {
      bar.value = event.loaded / event.total;
      state.textContent = `Uploading, ${(event.loaded / 1e6).toFixed(1)} of ${(event.total / 1e6).toFixed(1)} MB`;
    };
    request.onabort = () => { row.remove(); done(false); };
    request.onerror = () => done(refuse("Not uploaded. Check the connection and add it again."));
    request.onload = () => {
      if (request.status === 201) { row.dataset.sent = ""; state.textContent = "Waiting to be read…"; bar.removeAttribute("value"); return done(true); }
      done(refuse(JSON.parse(request.responseText || "{}").error ?? "Not uploaded. Try again in a minute."));
    };
    request.open("POST", zone.action);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRF", zone.elements.csrf.value);
    const body = new FormData();
    body.append("file", file);
    request.send(body);
  });
}

let watching = false;
async function watch(root, list) {                   // looks until every file is read or refused
  if (watching) return;
  watching = true;
  for (let reading = true; reading; ) {
    const told = new Set(list.querySelectorAll("[data-sent]"));      // an answer asked for earlier knows nothing of later ones
    const { status, body } = await send("GET", list.dataset.rows);
    if (status === 200) {
      const own = [...list.querySelectorAll("li:not([data-source])")].filter((row) => !told.has(row));
      list.replaceChildren(...nodes(body.html), ...own);
      const button = root.querySelector("[data-needs-sources]"), why = root.getElementById("why-not");
      body.why_not ? button.setAttribute("aria-disabled", "true") : button.removeAttribute("aria-disabled");
      why.textContent = body.why_not;
      why.classList.remove("error");
      root.querySelector("[data-holds]").textContent = body.holds ? `Your sources hold about ${body.holds} minutes.` : "Empty: as long as the sources carry.";
      reading = body.reading || own.some((row) => "sent" in row.dataset);
    }
    if (reading) await new Promise((go) => setTimeout(go, 1200));
  }
  watching = false;
}
