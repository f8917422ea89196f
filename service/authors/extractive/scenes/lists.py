"""Scenes from lists, procedures and tables."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from service.authors.extractive.language import patterns
from service.authors.extractive.language.key_phrases import orders, phrases
from service.authors.extractive.language.narration import can_be_said, speak
from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.slide_lines import as_shown, item_line, set_code, telegraph
from service.authors.extractive.language.words import capitalized, words
from service.authors.extractive.scenes.code_scenes import reading_pause
from service.authors.extractive.scenes.draft import Line, Said, SceneDraft, say, signpost
from service.authors.extractive.scenes.signposts import Signposts
from service.authors.extractive.sources.material import Idea, Section, Unit

LINES_ON_A_SLIDE = 5
WORDS_ON_A_SLIDE = 140
WHOLE_WORDS = 18  # of an entry that is shown as it is when it has no short form
LONG_TEXT = 14  # of what a shortened entry says of its subject
MOST_WORDS = 26  # of an entry that is shown whole because it has no shorter form
UNSPEAKABLE = "These are easier to read than to hear."
ROWS_ON_A_SLIDE = 7
ROWS_READ_ALOUD = 2  # of a larger table one row is read, and the others are looked at: a voice that reads on hinders
COLUMNS_ON_A_SLIDE = 5
_LOOSE_LEAD = re.compile(r"(?:If|When|Once|After)\b[^,]*:$|Here (?:is|are) (?:some |the )?(?:others?|rest)\b")
_HALF_STEP = re.compile(r"(?:If|When|Where|Once) [^,:;]+$")
_NOT_COMPARED = re.compile(
    r"\s*$|(?:example|purpose|description|meaning|use|notes?|details?|value|result)s?\b", re.IGNORECASE
)


def list_scenes(
    idea: Idea, units: Sequence[Unit], section: Section, signposts: Signposts, lead: Sentence | None
) -> list[SceneDraft]:
    """The list on one slide or more; `lead` announces it, if it was not told yet."""
    scenes: list[SceneDraft] = []
    number = idea.first_number
    for part in _parts(units):
        scene = SceneDraft("steps" if idea.kind == "steps" and number == 1 else "list", section.name)
        if not scenes:
            scene.said = _opening(idea, lead, signposts)
        for unit in part:
            _add_item(scene, unit, number if idea.kind == "steps" else 0)
            number += 1
        if not scene.said:  # entries of code that nobody can read aloud, and nothing that announces them
            scene.said = [signpost(UNSPEAKABLE)]
            scene.said[-1].pause = reading_pause(len(scene.lines), 0)
        scenes.append(scene)
    left = len(idea.items) - len(units)
    if scenes and left > 0 and idea.kind == "list":
        scenes[-1].said.append(signpost("The text below the video has the rest of the list."))
    return [scene for scene in scenes if scene.lines]


def _parts(units: Sequence[Unit]) -> list[list[Unit]]:
    """At most five items a slide (six when that saves one), as many on each, fewer when they are long."""
    most = 6 if len(units) == 6 else LINES_ON_A_SLIDE
    size = math.ceil(len(units) / max(1, math.ceil(len(units) / most)))
    parts: list[list[Unit]] = []
    for unit in units:
        length = sum(other.words for other in parts[-1]) if parts else 0
        if not parts or len(parts[-1]) >= size or length + unit.words > WORDS_ON_A_SLIDE:
            parts.append([])
        parts[-1].append(unit)
    return parts


def _opening(idea: Idea, lead: Sentence | None, signposts: Signposts) -> list[Said]:
    if lead is not None and not _LOOSE_LEAD.match(lead.plain):
        said = say(lead, bare=True)
        spoken = re.sub(r"\bthe following\b", "these", said.speech or said.text)
        said.speech = re.sub(r"\bthese (\w+) on screen", r"these \1", spoken).rstrip(":. ") + ":"
        return [said]
    if idea.kind == "steps" and idea.first_number == 1:
        return [signpost(signposts.sign("steps") or "Take the steps in order.")]
    return []


def _add_item(scene: SceneDraft, unit: Unit, number: int) -> None:
    line = Line(capitalized(re.sub(r"^And (?=[a-z])", "", _entry(unit))), unit.head.cites, keep=True)
    if scene.kind != "steps" and number:
        line.text = f"{number}. {line.text}"
    scene.lines.append(line)
    if _only_code(unit.head):
        return
    prefix = f"Step {number}. " if number else ""
    for place, sentence in enumerate(unit.sentences):
        said = say(sentence, prefix if place == 0 else "", bare=place == 0)
        if place == 0:
            said.shows = line
            said.speech = re.sub(r"[,;]? (?:and|or)\.$", ".", said.speech)
            if len(unit.sentences) > 1 and _HALF_STEP.match(sentence.text.rstrip(".:")):
                said.speech = (said.speech or said.text).rstrip(".: ") + ":"
            if not re.search(r"[.!?:]$", said.speech or said.text):
                said.speech = re.sub(r"[,;]? (?:and|or)$", "", (said.speech or said.text).rstrip(" ,;")) + "."
        scene.said.append(said)


def _entry(unit: Unit) -> str:
    """What the slide shows of the entry; a condition alone says nothing, so it is shown with what is to be done."""
    condition = unit.head.text.rstrip(".: ")
    if len(unit.sentences) < 2 or not _HALF_STEP.match(condition):
        return _shown(unit.head)
    then = _shown(unit.sentences[1])
    both = f"{as_shown(condition, unit.head)}: {then[:1].lower()}{then[1:]}"
    return both if len(words(both)) <= WHOLE_WORDS else f"Where it applies: {then[:1].lower()}{then[1:]}"


def _shown(sentence: Sentence) -> str:
    """The item's short form; an item that has none is cut at a clause or a detail, at a word with an ellipsis last."""
    following = patterns.FOLLOWING.search(sentence.text)
    if following and len(words(sentence.text[: following.start()])) > 1:
        return as_shown(sentence.text[: following.start()], sentence)
    line = item_line(sentence)
    if line:
        return line
    clause = re.split(r"[;:.]\s|,\s(?=(?:and|but|which|so|then)\b)|\s[–—-]\s", sentence.text)[0]
    half = re.match(r"(?:if|when|using|by|once|after|before|in|on|for|to)\b", clause, re.IGNORECASE)
    if 3 <= len(words(clause)) <= 14 and not half:
        return set_code(telegraph(clause.rstrip(" .,;:")), sentence)
    bare = re.sub(r"\s*\([^()]*\)", "", sentence.text).rstrip(" .;,")
    if len(words(bare)) <= WHOLE_WORDS:
        return as_shown(bare, sentence)
    short = orders(sentence, step=True) or [phrase.line for phrase in phrases(sentence, most=LONG_TEXT)]
    if short:
        return set_code(short[0], sentence)
    return as_shown(bare, sentence) if len(words(bare)) <= MOST_WORDS else _beginning(bare)


def _beginning(text: str) -> str:
    """The first words of an entry that is too long to be shown and has no shorter form."""
    return " ".join(text.split()[:12]).rstrip(" ,;:(") + "…"


def _only_code(sentence: Sentence) -> bool:
    """Whether the item is a piece of code that nobody can read aloud."""
    code = sum(mark.end - mark.start for mark in sentence.marks if mark.kind == "code")
    return code > 0.7 * len(sentence.text) and not can_be_said(sentence.text)


def table_scene(idea: Idea, section: Section, signposts: Signposts, lead: Sentence | None) -> SceneDraft | None:
    """The table, if it fits a slide; two columns of values under a label become a comparison."""
    rows = [row for row in idea.rows if any(cell.strip() for cell in row)]
    if not _fits(rows):
        return None
    header, body = rows[0], rows[1 : ROWS_ON_A_SLIDE + 1]
    scene = SceneDraft("table", section.name, cites=idea.cites[:1])
    scene.said = [say(lead, bare=True)] if lead else []
    if not lead:
        scene.said.append(signpost(signposts.sign("table") or "Here is a table."))
    side_by_side = len(header) == 3 and len(body) <= 6 and not any(_NOT_COMPARED.match(head) for head in header[1:])
    if side_by_side:
        scene.kind = "comparison"
        scene.fields = {"heads": (header[1], header[2]), "rows": tuple((r[0], r[1], r[2]) for r in body)}
    else:
        scene.fields = {"header": header, "rows": tuple(body)}
    cites = dict(enumerate(idea.row_cites))
    told = body if side_by_side or len(body) <= ROWS_READ_ALOUD else body[:1]
    if len(told) < len(body):
        scene.said.append(_columns(header))
    for place, row in enumerate(told, start=1):
        proof = (cites[place],) if place in cites else idea.cites[:1]
        said = _row_said(header, row, proof, bool(side_by_side))
        said.state = place if side_by_side else None
        scene.said.append(said)
    if len(rows) - 1 > len(told):
        scene.said.append(signpost("Read the other rows in the same way."))
    scene.said[-1].pause = reading_pause(len(body) - len(told), 0)
    return scene


def _columns(header: Sequence[str]) -> Said:
    """How to read the table: what its columns hold."""
    heads = [head.strip() for head in header if head.strip()]
    heads = [head[:1].lower() + head[1:] if head[1:2].islower() else head for head in heads]
    text = f"The columns are {', '.join(heads[:-1])} and {heads[-1]}."
    said = signpost(text if len(heads) > 1 else "Read it row by row.")
    spoken = speak(said.text)
    said.speech = "" if spoken == said.text else spoken
    return said


def _fits(rows: Sequence[tuple[str, ...]]) -> bool:
    if len(rows) < 2 or not 2 <= len(rows[0]) <= COLUMNS_ON_A_SLIDE:
        return False
    cells = [cell for row in rows for cell in row]
    if any(len(words(cell)) > 14 or len(cell) > 120 for cell in cells):
        return False
    return sum(not cell.strip() for cell in cells) <= 0.25 * len(cells)


def _row_said(header: Sequence[str], row: Sequence[str], proof: tuple[object, ...], side_by_side: bool) -> Said:
    """A row as one sentence: its label, then its values; side by side, each with what it belongs to."""
    values = [(head.strip(), cell.strip()) for head, cell in zip(header[1:], row[1:], strict=False) if cell.strip()]
    label = row[0].strip()
    if len(values) == 1 or any(len(words(head)) > 4 or not head for head, _ in values):
        text = f"{label}: " + "; ".join(cell for _, cell in values)
    elif side_by_side:
        text = f"{label}: " + ", and ".join(f"{cell} for {head}" for head, cell in values)
    else:
        text = f"{label}: " + "; ".join(
            cell[:1].lower() + cell[1:] if cell[1:2].islower() else cell for _, cell in values
        )
    text = text.rstrip(".; ") + "."
    spoken = speak(text.replace(";", ","))
    return Said(text, "" if spoken == text else spoken, proof)  # type: ignore[arg-type]
