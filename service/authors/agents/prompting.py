"""The agents' instructions: files beside this module, filled with the figures that the checks measure by."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from string import Template

from service.authors.agents.outlines import TOLD_SHARE
from service.authors.agents.shelf import Passage
from service.domain import conventions
from service.domain.bloom import BLOOM, VAGUE_VERBS
from service.domain.course import Brief
from service.domain.report import WORDS_PER_MINUTE

FOLDER = Path(__file__).parent / "prompts"
ROLES = {
    "designer": "curriculum designer",
    "researcher": "researcher",
    "writer": "writer",
    "storyboarder": "storyboarder",
    "quiz_master": "quiz master",
    "critic": "critic",
}
_LEAD_WORDS, _DIGEST_WORDS = 60, 20_000  # of one passage, and of all: a library must fit into a model's view


@cache
def version() -> str:
    """Names the prompts: a change of any of them makes everything that they made stale."""
    digest = hashlib.sha256()
    for path in sorted(FOLDER.glob("*.md")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def instructions(agent: str, brief: Brief, *, maker: str = "", prompt: str = "", rules: str = "ground_rules") -> str:
    """What an agent is told about its work; `maker` is whose draft a critic reviews.

    `prompt` names the instructions where they are not those of the agent's role, `rules` what everybody keeps to.
    """
    fields = {
        "role": ROLES[agent],
        "maker": ROLES.get(maker, ""),
        "language": brief.language,
        "audience": brief.audience or "interested adults",
        "level": brief.level,
        "wish": _wish(brief, "Teach everything in the passages that a learner of this audience needs."),
        "topic_wish": _wish(brief, "Make as many lessons as the topic needs for this audience, and at most twelve."),
        **_figures(),
    }
    texts = [(FOLDER / f"{name}.md").read_text(encoding="utf-8") for name in (rules, prompt or agent)]
    return "\n".join(Template(text).substitute(fields) for text in texts)


def _figures() -> dict[str, str]:
    low, high = conventions.LESSON_MINUTES
    return {
        "minutes_low": str(low),
        "minutes_high": str(high),
        "words_low": str(round(low * WORDS_PER_MINUTE / TOLD_SHARE, -1)),
        "words_high": str(round(high * WORDS_PER_MINUTE / TOLD_SHARE, -1)),
        "objectives": str(conventions.OBJECTIVES_A_LESSON),
        "objective_words": str(conventions.OBJECTIVE_WORDS),
        "verbs": "; ".join(f"{level}: {', '.join(verbs.split()[:12])}" for level, verbs in BLOOM.items()),
        "vague": ", ".join(sorted(VAGUE_VERBS)),
        "seconds_low": str(conventions.SLIDE_SECONDS[0]),
        "seconds_high": str(conventions.SLIDE_SECONDS[1]),
        "lines": str(conventions.SLIDE_LINES),
        "words": str(conventions.SLIDE_WORDS),
        "overlap": f"{conventions.SPEECH_ON_SLIDE:.0%}",
        "visual": f"{conventions.VISUAL_SHARE:.0%}",
        "question": str(conventions.QUESTION_EVERY_MINUTES),
        "items": str(conventions.ITEMS_PER_OBJECTIVE),
    }


def _wish(brief: Brief, else_wished: str) -> str:
    if not brief.minutes:
        return else_wished
    return f"All videos together may run about {brief.minutes} minutes: choose what matters most."


def digest_of(passages: tuple[Passage, ...]) -> str:
    """All passages in a few lines each: enough to plan from, little enough for a whole library."""
    words = min(_LEAD_WORDS, _DIGEST_WORDS // max(1, len(passages)))
    return "\n".join(_marked(passage, " ".join(passage.chunk.text.split()[:words])) for passage in passages)


def material_of(passages: list[Passage]) -> str:
    """The passages whole, each code listing and table under its id."""
    return "\n".join(_marked(passage, _with_exhibits(passage)) for passage in passages)


def marked(tag: str, given: Mapping[str, str], text: str, whole: str = "") -> str:
    """The text between marks that it cannot hold itself, because they carry the hash of it, or of the `whole` of it."""
    mark = hashlib.sha256((whole or text).encode()).hexdigest()[:12]
    plain = {name: " ".join(re.sub("[<>]", "", value).replace('"', "'").split()) for name, value in given.items()}
    start = " ".join([tag, *(f'{name}="{value}"' for name, value in plain.items()), f'mark="{mark}"'])
    return f"<{start}>\n{text}\n</{tag} mark={mark}>"


def _marked(passage: Passage, text: str) -> str:
    given = {"id": passage.id, "heading": passage.chunk.heading, "words": str(passage.words)}
    return marked("passage", given, text, whole=passage.chunk.text)


def _with_exhibits(passage: Passage) -> str:
    start, text = passage.chunk.start, passage.chunk.text
    for exhibit in sorted(passage.exhibits, key=lambda one: -one.block.start):
        before, after = max(0, exhibit.block.start - start), max(0, exhibit.end - start)
        whole = exhibit.source.text[exhibit.block.start : exhibit.end]
        shown = f"[exhibit {exhibit.id}: {exhibit.block.kind} {exhibit.block.lang}]\n{whole}\n[end {exhibit.id}]"
        text = text[:before] + shown + text[after:]
    return text
