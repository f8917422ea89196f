// Light, dark or the system's choice. The server reads the cookie and prints data-theme, so nothing flashes.
const order = ["auto", "light", "dark"];

export function start(root) {
  const html = root.documentElement;
  const next = () => order[(order.indexOf(html.dataset.theme) + 1) % order.length];
  for (const form of root.querySelectorAll("[data-theme-form]")) {
    const button = form.querySelector("[data-theme-toggle]");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      html.dataset.theme = next();
      document.cookie = `theme=${html.dataset.theme}; Path=/; Max-Age=31536000; SameSite=Lax`;
      form.elements.theme.value = next();
      button.setAttribute("aria-label", `Theme: ${html.dataset.theme}. Change`);
    });
  }
}
