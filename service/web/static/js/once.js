// A form is sent once, however often its button is pressed: the button says that it works until the next page is there.
const PATIENCE = 8000;                               // a connection that says nothing for so long may be tried again

export function start(root) {
  const free = () => {
    for (const form of root.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
    for (const button of root.querySelectorAll("button[aria-busy]")) button.removeAttribute("aria-busy");
  };
  root.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;      // a script of its own sends it
    if ("sent" in form.dataset) return event.preventDefault();
    form.dataset.sent = "";
    event.submitter?.setAttribute("aria-busy", "true");
    setTimeout(free, PATIENCE);
  });
  addEventListener("pageshow", free);                // the page as it was left, on the way back
}
