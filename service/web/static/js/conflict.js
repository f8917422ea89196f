// A stale save: shows what both sides say, as text, and answers "mine" or "theirs".
const row = (difference) => {
  const box = Object.assign(document.createElement("div"), { className: "diff" });
  const head = Object.assign(document.createElement("header"), { textContent: difference.what });
  const text = Object.assign(document.createElement("p"), { className: "text" });
  const theirs = Object.assign(document.createElement("del"), { textContent: difference.theirs || "empty" });
  const mine = Object.assign(document.createElement("ins"), { textContent: difference.yours || "empty" });
  const legend = Object.assign(document.createElement("footer"), { textContent: "Struck: theirs, there now. Underlined: yours." });
  text.append(theirs, " ", mine);
  box.append(head, text, legend);
  return box;
};

export function choose(differences) {
  const dialog = document.getElementById("conflict");
  dialog.querySelector("[data-difference]").replaceChildren(...differences.map(row));
  dialog.showModal();
  return new Promise((decide) => {
    const picked = (event) => {
      const choice = event.target.closest("[data-conflict]")?.dataset.conflict;
      if (!choice) return;
      dialog.removeEventListener("click", picked);
      dialog.close();
      decide(choice);
    };
    dialog.addEventListener("click", picked);
  });
}
