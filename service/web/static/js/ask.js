// Asks the course in place and says what came of it. Without JavaScript the form opens a page with the answer.
import { nodes } from "./http.js";

export function start(root) {
  const form = root.querySelector("[data-ask]");
  const status = root.querySelector("[data-ask-status]"), place = root.querySelector("[data-answer]");
  let newest = 0;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const mine = ++newest;
    status.textContent = "Looking in the course…";
    status.classList.remove("sr");
    const headers = { Accept: "text/x-fragment", "X-CSRF": form.elements.csrf.value };
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers }).catch(() => null);
    const found = answer ? nodes(await answer.text()) : [];
    if (mine !== newest) return;
    const outcome = found.find((node) => node.dataset?.outcome)?.dataset.outcome;
    if (!outcome) return form.submit();
    place.replaceChildren(...found);
    status.textContent = outcome;                    // heard, not seen: the answer itself stands below
    status.classList.add("sr");
  });
}
