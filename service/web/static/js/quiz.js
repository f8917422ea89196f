// Checks one question in place. Without JavaScript the form posts and the server answers with the same page, checked.
import { nodes } from "./http.js";

export function start(root) {
  const box = root.querySelector("[data-quiz]");
  box.addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target, body = new FormData(form, event.submitter);
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/x-fragment", "X-CSRF": form.elements.csrf.value } }).catch(() => null);
    const kind = answer?.headers.get("Content-Type") ?? "";
    if (!answer || !kind.includes("text/html")) return form.submit();
    box.replaceChildren(...nodes(await answer.text()));
    (box.querySelector("[data-verdict]") ?? box.querySelector(".error, textarea, input, select"))?.focus();
    if (answer.redirected) history.replaceState(null, "", answer.url);
  });
}
