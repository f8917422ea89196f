// A chip opens its source beside the text, at the exact span. Without JavaScript a chip is a link to the same passage.
import { nodes } from "./http.js";

export function start(root) {
  const panel = root.querySelector("[data-source]");
  let from = null, newest = 0;

  const close = () => {
    panel.hidden = true;
    root.body.classList.remove("with-panel");
    quiet(root);
    from?.focus();
  };
  root.addEventListener("click", async (event) => {
    if (event.target.closest("[data-source-close]")) return close();
    const chip = event.target.closest("a[data-cite]");
    if (!chip || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (chip === from && !panel.hidden) return close();
    from = chip;
    const mine = ++newest;
    const answer = await fetch(chip.href, { headers: { Accept: "text/x-fragment" } }).catch(() => null);
    if (mine !== newest) return;
    if (!answer?.ok) return location.assign(chip.href);
    panel.replaceChildren(...nodes(await answer.text()));
    open(root, panel, chip);
  });
  root.addEventListener("keydown", (event) => event.key === "Escape" && !panel.hidden && close());
}

function quiet(root) {
  root.querySelectorAll(".span.on").forEach((span) => span.classList.remove("on"));
  root.querySelectorAll("[data-cite][aria-expanded]").forEach((chip) => chip.removeAttribute("aria-expanded"));
}

function open(root, panel, chip) {
  quiet(root);
  chip.setAttribute("aria-expanded", "true");
  root.getElementById(chip.dataset.cite)?.classList.add("on");
  panel.hidden = false;
  root.body.classList.add("with-panel");
  panel.querySelector("h2")?.focus({ preventScroll: true });
  root.getElementById(chip.dataset.cite)?.scrollIntoView({ block: "nearest" });  // on a phone the panel lies over it
  const leaf = panel.querySelector(".leaf"), mark = panel.querySelector("mark");
  if (leaf && mark) leaf.scrollTop = mark.offsetTop - leaf.clientHeight / 3;
}
