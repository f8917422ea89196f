// Progress of a run by server-sent events, which resume at the last number by themselves; when the stream fails three
// times in a row, polling with the same numbers takes over.
const looks = {
  planned: ["", "circle", "Waiting"], queued: ["", "circle", "Waiting"], writing: ["run", "run", "Writing"],
  written: ["", "clock", "Written, waiting to be filmed"], filming: ["run", "run", "Filming"],
  completed: ["ok", "ok", "Completed"], failed: ["bad", "bad", "Stopped"],
};
const last = ["done", "failed", "canceled"];

export function start(root) {
  const box = root.querySelector("[data-events]");
  const live = (name) => box.querySelector(`[data-live=${name}]`);
  let seen = Number(box.dataset.last), failures = 0, over = false;

  function apply(number, event) {
    if (number <= seen || over) return;
    seen = number;
    if (Number.isFinite(event.percent)) {
      live("percent").textContent = `${event.percent} %`;
      live("bar").value = event.percent;
      root.title = root.title.replace(/^\d+ %/, `${event.percent} %`);
    }
    if (Number.isFinite(event.spent)) spent(event.spent);
    if (event.what) live("what").textContent = event.what;
    if (event.lesson_id) lesson(event);
    if (event.paused !== undefined) location.reload();  // the page has the reason, and the button
    if (last.includes(event.kind)) finish(event);
  }

  function spent(micro) {                            // what is free has no meter
    const meter = live("meter"), usd = micro / 1e6;
    if (!meter) return;
    live("spent").textContent = `$${usd.toFixed(usd === 0 || usd >= 0.01 ? 2 : 4)}`;
    meter.querySelector(".spent").setAttribute("width", Math.min(100, 100 * micro / Number(meter.dataset.scale)));
  }

  function lesson(event) {
    const row = box.querySelector(`[data-lesson="${event.lesson_id}"]`);
    if (!row) return;
    const bar = row.querySelector("[data-part]"), state = event.lesson_state;
    if (state && state !== row.dataset.state) {
      const [kind, symbol, word] = looks[state] ?? looks.queued;
      row.className = kind;
      row.dataset.state = state;
      row.querySelector(".icon use").setAttribute("href", `#i-${symbol}`);
      row.querySelector("[data-what]").textContent = word;
      row.querySelector("[data-watch]").hidden = state !== "completed";
      bar.hidden = true;                             // until its part is told
      bar.value = 0;
      if (state === "completed" || state === "failed") say(`${row.querySelector("strong").textContent}: ${word}`);
      live("ready").textContent = box.querySelectorAll("[data-state=completed]").length;
    }
    if (!Number.isFinite(event.part)) return;
    bar.value = event.part;
    bar.hidden = row.dataset.state !== "writing" && row.dataset.state !== "filming";
  }

  const say = (text) => { box.querySelector("[data-say]").textContent = text; };
  function finish(event) {
    over = true;
    stream?.close();
    say(event.what ?? "");
    if (event.kind === "done") location.assign(box.dataset.onward);
    else location.reload();
  }

  async function poll() {
    if (over) return;
    const answer = await fetch(`${box.dataset.events}?poll=1&after=${seen}`, { headers: { Accept: "application/json" } }).catch(() => null);
    if (answer?.status === 200) for (const event of await answer.json()) apply(event.id, event);
    setTimeout(poll, 2000);
  }

  const stream = new EventSource(`${box.dataset.events}?after=${seen}`);
  stream.addEventListener("open", () => { failures = 0; });
  stream.addEventListener("message", (message) => apply(Number(message.lastEventId), JSON.parse(message.data)));
  stream.addEventListener("error", () => {
    if (++failures < 3) return;
    stream.close();
    poll();
  });
}
