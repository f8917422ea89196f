// <button data-opens="id"> opens <dialog id>; focus returns to the button; a click on the backdrop closes it
// unless the dialog waits for a choice (data-keep).
export function start(root) {
  root.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    if (opener) {
      const dialog = root.getElementById(opener.dataset.opens);
      dialog.showModal();
      dialog.addEventListener("close", () => opener.focus(), { once: true });
    }
    if (event.target.closest("[data-closes]")) event.target.closest("dialog").close();
    if (event.target.matches("dialog:not([data-keep])")) event.target.close();
  });
  for (const kept of root.querySelectorAll("dialog[data-keep]")) {
    kept.addEventListener("cancel", (event) => event.preventDefault());
  }
}
