"""What is said, as text: captions, chapters and a transcript, all with the film's own times."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from pathlib import Path

from renderer_job.text import plain
from renderer_job.timeline import Timeline
from service.domain.storyboard import CueTime, Film, Storyboard

LINE, LINES = 42, 2  # characters in a line of a caption, lines in a caption
BRIEFEST = 1.0  # seconds that a caption stays at least


def write(film: Film, plan: Timeline, storyboard: Storyboard, folder: Path) -> None:
    """Write captions.vtt, chapters.vtt and transcript.md."""
    (folder / "captions.vtt").write_text(captions(film.cues, film.seconds), encoding="utf-8")
    (folder / "chapters.vtt").write_text(chapters(film), encoding="utf-8")
    (folder / "transcript.md").write_text(transcript(film, plan, storyboard), encoding="utf-8")


def stamp(seconds: float) -> str:
    """A time as WebVTT writes it."""
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}.{rest % 1000:03}"


def captions(cues: Sequence[CueTime], end: float) -> str:
    """Captions of at most two lines of 42 characters; a long sentence is shown in parts, by the time each takes."""
    shown = [part for cue in cues for part in _parts(cue)]
    out = ["WEBVTT", ""]
    for i, (start, until, text) in enumerate(shown):
        latest = shown[i + 1][0] if i + 1 < len(shown) else end
        stays = min(max(until, start + BRIEFEST), latest)
        out += [f"{stamp(start)} --> {stamp(stays)}", html.escape(text, quote=False), ""]
    return "\n".join(out)


def _parts(cue: CueTime) -> Iterator[tuple[float, float, str]]:
    lines = wrap(cue.text)
    count = -(-len(lines) // LINES)
    groups = [lines[i * len(lines) // count : (i + 1) * len(lines) // count] for i in range(count)]
    total, at = sum(len(line) for line in lines) or 1, cue.start
    for group in groups:
        until = at + (cue.end - cue.start) * sum(len(line) for line in group) / total
        yield at, until, "\n".join(group)
        at = until


def wrap(text: str) -> list[str]:
    """Lines of at most 42 characters, about equally long; what has no space to break at is cut."""
    words = [word[i : i + LINE] for word in text.split() for i in range(0, len(word), LINE)]
    lines = _filled(words, LINE)
    narrow = next((width for width in range(LINE // 2, LINE) if _even(words, width, len(lines))), LINE)
    return _filled(words, narrow)


def _even(words: list[str], width: int, count: int) -> bool:
    return max(map(len, words), default=0) <= width and len(_filled(words, width)) == count


def _filled(words: list[str], width: int) -> list[str]:
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += " " + word
        else:
            lines.append(word)
    return lines


def chapters(film: Film) -> str:
    """WebVTT chapters; each ends where the next begins."""
    ends = [start for start, _ in film.chapters[1:]] + [film.seconds]
    out = ["WEBVTT", ""]
    for (start, title), end in zip(film.chapters, ends, strict=True):
        out += [f"{stamp(start)} --> {stamp(end)}", html.escape(title, quote=False), ""]
    return "\n".join(out)


def transcript(film: Film, plan: Timeline, storyboard: Storyboard) -> str:
    """The narration as Markdown: a heading where the title changes, a paragraph with its time for each scene."""
    said: dict[int, list[str]] = {}
    for heard, cue in zip(plan.heard, film.cues, strict=True):
        said.setdefault(heard.scene, []).append(cue.text)
    out, title = [f"# {plain(storyboard.title)}", ""], ""
    for number, scene in enumerate(storyboard.scenes):
        heading = plain(scene.title or getattr(scene, "term", ""))
        if heading and heading != title:
            title = heading
            out += [f"## {heading}", ""]
        minutes, seconds = divmod(int(plan.starts[number] / plan.frames * film.seconds), 60)
        source = f" ({plain(scene.cite_label)})" if scene.cite_label else ""
        out += [f"**{minutes}:{seconds:02}** {' '.join(said.get(number, []))}{source}", ""]
    return "\n".join(out)
