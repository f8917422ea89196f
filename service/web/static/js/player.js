// The lesson player: the native <video> with our controls under it. Keys work when the player or the page has focus.
import { send } from "./http.js";
import { finished } from "./finish.js";

const rates = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];
const clock = (s) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;
const keys = {
  " ": "play", k: "play", j: "back", l: "on", ArrowLeft: "left", ArrowRight: "right", m: "mute", c: "captions",
  f: "full", i: "pip", ">": "faster", "<": "slower",
};

// A pause or a new address may overtake the start; the browser then rejects, and nothing is wrong.
const play = (video) => video.play().catch(() => {});

export function start(root) {
  const box = root.querySelector("[data-player]"), video = box.querySelector("video");
  video.controls = false;
  box.querySelector("[data-ours]").hidden = false;
  box.querySelector("[data-big]").hidden = false;
  const jump = (seconds) => { video.currentTime = Math.max(0, Math.min(video.duration || seconds, seconds)); };
  const acts = actions(box, video, jump);
  box.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (button) acts[button.dataset.do]?.();
    else if (event.target === video) acts.play();
  });
  root.addEventListener("keydown", (event) => {
    const own = box.contains(event.target) && !(/^( |Arrow.*|Enter)$/.test(event.key) && event.target.matches("button, a"));
    if (!(event.target === root.body || own) || event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    acts[keys[event.key]]();
  });
  box.querySelector("input[type=range]").addEventListener("input", (event) => jump(Number(event.target.value)));
  root.addEventListener("click", (event) => {        // transcript lines and chapters are links to #t=seconds
    const link = event.target.closest("a[href*='#t=']");
    if (!link || link.pathname !== location.pathname) return;
    event.preventDefault();
    jump(Number(link.hash.slice(3)));
    play(video);
  });
  shown(box, video);
  captions(box, video);
  follow(root, box, video);
  renew(box, video);
  remember(root, box, video);
  const asked = /^#t=([\d.]+)$/.exec(location.hash), at = asked ? Number(asked[1]) : Number(box.dataset.resume);
  if (at > 0) {
    if (video.readyState) jump(at);
    else video.addEventListener("loadedmetadata", () => jump(at), { once: true });
  }
}

function actions(box, video, jump) {
  const part = (name) => box.querySelector(`.controls [data-do=${name}]`);
  const speed = (rate) => {
    video.playbackRate = rate;
    part("speed").textContent = `${rate}×`;
    part("speed").setAttribute("aria-label", `Speed ${rate}×`);
  };
  const step = (by) => speed(rates[Math.max(0, Math.min(rates.length - 1, rates.indexOf(video.playbackRate) + by))]);
  return {
    play: () => (video.paused ? play(video) : video.pause()),
    back: () => jump(video.currentTime - 10), on: () => jump(video.currentTime + 10),
    left: () => jump(video.currentTime - 5), right: () => jump(video.currentTime + 5),
    mute: () => { video.muted = !video.muted; part("mute").setAttribute("aria-pressed", video.muted); },
    speed: () => (video.playbackRate === 2 ? speed(0.5) : step(1)), faster: () => step(1), slower: () => step(-1),
    captions: () => {
      const on = part("captions").getAttribute("aria-pressed") !== "true";
      part("captions").setAttribute("aria-pressed", on);
      box.toggleAttribute("data-no-captions", !on);
    },
    pip: () => (document.pictureInPictureElement ? document.exitPictureInPicture() : video.requestPictureInPicture?.()),
    full: () => (document.fullscreenElement ? document.exitFullscreen() : box.requestFullscreen?.() ?? video.webkitEnterFullscreen?.()),
    retry: () => video.dispatchEvent(new Event("error")),
  };
}

function shown(box, video) {                         // play or pause, the time, the bar
  const range = box.querySelector("input[type=range]"), time = box.querySelector("[data-time]");
  const segments = [...box.querySelectorAll("[data-seen]")], head = box.querySelector("[data-head]");
  const state = () => {
    const word = video.paused ? "Play" : "Pause";
    box.querySelectorAll("[data-do=play]").forEach((button) => button.setAttribute("aria-label", word));
    box.querySelector("[data-paused]").hidden = !video.paused;
    box.querySelector("[data-playing]").hidden = video.paused;
    if (!video.paused) box.querySelector("[data-big]").hidden = true;  // once: the picture is never covered again
  };
  const tick = () => {
    const now = video.currentTime, all = Number(range.max);
    range.value = now;
    range.setAttribute("aria-valuetext", `${clock(now)} of ${clock(all)}`);
    time.textContent = `${clock(now)} / ${clock(all)}`;
    head.setAttribute("x", now);
    for (const one of segments) {
      const start = Number(one.dataset.start);
      one.setAttribute("width", Math.max(0, Math.min(now, Number(one.dataset.end)) - start));
    }
  };
  for (const name of ["play", "pause", "ended"]) video.addEventListener(name, state);
  for (const name of ["timeupdate", "seeked", "loadedmetadata"]) video.addEventListener(name, tick);
}

function captions(box, video) {                      // drawn by us, so that they stay clear of the slide
  const track = video.textTracks[0], line = box.querySelector("[data-cc]");
  if (!track) return;
  track.mode = "hidden";
  track.addEventListener("cuechange", () => {
    const text = [...(track.activeCues ?? [])].at(-1)?.getCueAsHTML().textContent ?? "";
    line.hidden = !text;
    line.firstElementChild.textContent = text;
  });
}

function follow(root, box, video) {                  // the transcript's line of now, and the evidence at its second
  const lines = [...root.querySelectorAll(".transcript li")], starts = lines.map((line) => Number(line.dataset.start));
  const chip = box.querySelector("[data-evidence]");
  let now = -1, shownUntil = 0;
  const move = () => {
    const t = video.currentTime, at = starts.findLastIndex((start) => start <= t + 0.05);
    if (at === now) { if (t > shownUntil) chip.hidden = true; return; }
    lines[now]?.removeAttribute("aria-current");
    lines[(now = at)]?.setAttribute("aria-current", "true");
    const list = lines[at]?.closest(".scroller");
    if (list && !list.matches(":hover, :focus-within")) list.scrollTop = lines[at].offsetTop - list.clientHeight / 3;
    const cite = lines[at]?.querySelector("[data-cite]");
    if (cite) {
      chip.href = cite.href;
      chip.querySelector("span").textContent = `Source ${cite.textContent}`;
      shownUntil = Math.max(Number(lines[at].dataset.end), t + 4);
      chip.hidden = false;
    } else if (t > shownUntil || t < starts[at]) chip.hidden = true;
  };
  for (const name of ["timeupdate", "seeked"]) video.addEventListener(name, move);
}

function renew(box, video) {                         // addresses expire: fetch new ones and go on at the same second
  let tried = 0;
  video.addEventListener("error", async () => {
    const at = video.currentTime, fault = box.querySelector("[data-fault]"), playing = !video.paused;
    if (Date.now() - tried < 5000) { fault.hidden = false; return; }
    tried = Date.now();
    const { status, body } = await send("GET", box.dataset.renew);
    fault.hidden = status === 200;
    if (status !== 200) return;
    video.src = body.video;
    video.poster = body.poster;
    video.addEventListener("loadedmetadata", () => { video.currentTime = at; if (playing) play(video); }, { once: true });
    video.load();
  });
}

function remember(root, box, video) {                // the second is kept on the server, so any device resumes there
  if (!box.dataset.progress) return;
  const note = root.querySelector("[data-place]");
  let sent = Number(box.dataset.resume);
  const body = () => new URLSearchParams({ at: video.currentTime.toFixed(1), csrf: box.dataset.csrf });
  const moved = () => video.readyState > 0 && Math.abs(video.currentTime - sent) >= 1;
  const save = async () => {
    if (!moved()) return;
    sent = video.currentTime;
    const answer = await send("POST", box.dataset.progress, { form: body() });
    if (answer.status !== 200) { sent = -1; return; }
    if (note) note.hidden = false;
    if (answer.body.finished) finished(root);
  };
  setInterval(() => !video.paused && save(), 10000);
  video.addEventListener("pause", save);
  video.addEventListener("ended", save);
  addEventListener("pagehide", () => moved() && navigator.sendBeacon(box.dataset.progress, body()));
}
