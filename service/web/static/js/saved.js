// The state of saving, in one of four words.
const words = {
  saved: ["Saved", "ok"],
  saving: ["Saving…", "run"],
  offline: ["Offline: kept on this device", "weak"],
  out: ["Signed out: kept on this device", "weak"],
  conflict: ["Changed elsewhere: compare", "bad"],
  wrong: ["Not saved yet", "weak"],
};

export function tell(state) {
  const sign = document.querySelector(".saved");
  if (!sign) return;
  const [text, symbol] = words[state];
  sign.dataset.state = state;
  sign.querySelector("span").textContent = text;
  sign.querySelector("use").setAttribute("href", `#i-${symbol}`);
}
