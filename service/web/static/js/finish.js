// "Mark as finished" without leaving the page; without JavaScript the form does the same.
import { send } from "./http.js";

export function finished(root) {
  const tag = root.querySelector("[data-finished]");
  if (tag) tag.hidden = false;
  root.querySelector("[data-finish]")?.remove();
  for (const link of root.querySelectorAll(".steps a[aria-current=page]")) {
    link.parentElement.classList.add("done");
    link.querySelector("use").setAttribute("href", "#i-ok");
  }
}

export function start(root) {
  const form = root.querySelector("[data-finish]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { status } = await send("POST", form.action, { form: new FormData(form) });
    status === 200 ? finished(root) : form.submit();
  });
}
