// A row's menu is a <details>: one is open at a time, Escape and a click elsewhere close it.
export function start(root) {
  const close = (except) => {
    for (const menu of root.querySelectorAll("details.menu[open]")) if (menu !== except) menu.open = false;
  };
  root.addEventListener("click", (event) => close(event.target.closest("details.menu")));
  root.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && root.querySelector("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}
