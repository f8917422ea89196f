"""An outline as people write it: Markdown headings, lists of two or three levels, a table of contents; and back.

Whatever is read is kept word for word and in order. A line that is no title, module, lesson or objective is refused by
its number, because a syllabus is a promise and nothing of it may be dropped silently.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from service.domain.bloom import BLOOM
from service.domain.course import Bloom, CoursePlan, LessonPlan, ModulePlan, Objective
from service.domain.outline import LESSONS, MODULES, OBJECTIVES

Role = Literal["module", "lesson", "objective"]
LONGEST_TEXT, LONGEST_LINE = 200_000, 1_000  # characters
LONGEST = {"title": 160, "module": 160, "lesson": 160, "objective": 200}
HOW = "Write “# Course”, “## Module”, “### Lesson” and “- objective”"
ALL_ROLES: tuple[Role, ...] = ("module", "lesson", "objective")

_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.*)$")
_UNDERLINE = re.compile(r"^ {0,3}(=+|-{2,})[ \t]*$")
_RULE = re.compile(r"^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$")
_ITEM = re.compile(r"^([ \t]*)(?:[-*+•–]|\(?(?:\d{1,3}|[a-z])[.)])[ \t]+(.*)$")
_NUMBERED = re.compile(r"^[ \t]*(\d{1,3}(?:\.\d{1,3})*)\.?[ \t]+(?=\S)(.*)$")
_NAMED = re.compile(
    r"^[ \t]*(part|module|unit|chapter|week|section|lesson|lecture|session|topic)[ \t]+(\w+)\b.*$", re.I
)
_LEADERS = re.compile(r"(?:[ \t.…]{3,}|\t|…)[ \t]*(?:\d{1,4}|[ivxlc]{1,6})[ \t]*$")
# What only announces the objectives that follow.
_LEAD_IN = re.compile(
    r"(?:(?:table of )?contents|(?:learning |lesson )?(?:objectives?|outcomes?|goals|aims)|"
    r".*\b(?:will|should) be able to|(?:in|after|(?:by|at) the end of) th(?:is|e) (?:lesson|module|unit).*)[:.…]*",
    re.I,
)
# Ranks: headings have their level, 1 to 6; numbers and names stand below them, lists below those.
_LOWEST_HEADING, _NUMBER, _BULLET = 4, 10, 30
_NAMES = {"part": _NUMBER - 1, **dict.fromkeys(("lesson", "lecture", "session", "topic"), _NUMBER + 1)}


@dataclass(frozen=True)
class Line:
    """One entry and its last line's number: the smaller its rank, the higher it stands. A plain one has no mark."""

    number: int
    rank: int
    text: str
    plain: bool = False
    last: int = 0


@dataclass
class _Lesson:
    line: Line
    objectives: list[Line] = field(default_factory=list)


@dataclass
class _Module:
    line: Line | None
    lessons: list[_Lesson] = field(default_factory=list)


def read_outline(text: str, title: str = "") -> CoursePlan:
    """The outline that the text says; `title` is the course's where the text has none.

    Raises:
        ValueError: a line cannot be understood, is too long or one too many; the message names it and the way out.
    """
    if len(text) > LONGEST_TEXT:
        raise ValueError(
            f"The outline has {len(text):,} characters; {LONGEST_TEXT:,} are read. Leave out what is none."
        )
    lines = _lines(text) if text.strip() else []
    if not lines:
        raise ValueError(f"The outline is empty. {HOW}.")
    own, lines = _title(lines)
    if not lines:
        raise ValueError(f"The outline holds a title and nothing else. {HOW}.")
    modules = _modules(lines, _roles(lines))
    _check(own, modules)
    name = (own.text if own else "") or title or _first_name(modules)
    return CoursePlan(title=name[:160], modules=tuple(_plan(modules, name)))


def title_in(text: str) -> str:
    """The course's title as the text gives it; empty when it gives none. Raises ValueError."""
    lines = _lines(text) if text.strip() else []
    own = _title(lines)[0] if lines else None
    return own.text if own else ""


def outline_markdown(plan: CoursePlan) -> str:
    """The outline as Markdown that `read_outline` reads back, heading by heading and objective by objective."""
    parts = [_marked("#", plan.title)]
    for module in plan.modules:
        parts.append("\n" + _marked("##", module.title))
        for lesson in module.lessons:
            parts.append("\n" + _marked("###", lesson.title))
            parts += ["\n"] if lesson.objectives else []
            parts += [f"- {_one_line(objective.text)}\n" for objective in lesson.objectives]
    return "".join(parts)


def _marked(mark: str, text: str) -> str:
    """A heading; one that ends in a hash of its own is closed, so that it keeps it."""
    text = _one_line(text)
    return f"{mark} {text} {mark}\n" if text.endswith("#") else f"{mark} {text}\n"


def _one_line(text: str) -> str:
    return " ".join(text.split())


# --- lines ---


def _lines(text: str) -> list[Line]:
    """The lines that say something, each with its rank."""
    given = text.removeprefix("\ufeff").splitlines()
    marked = any(_HEADING.match(line) for line in given) or any(map(_underlined, given, given[1:]))
    listed = marked or any(_ITEM.match(line) or _NUMBERED.match(line) or _NAMED.match(line) for line in given)
    found: list[Line] = []
    indents: list[int] = []
    skip = False
    for number, (line, after) in enumerate(zip(given, [*given[1:], ""], strict=True), start=1):
        if skip or not line.strip() or _RULE.match(line):
            skip = False
            continue
        if len(line) > LONGEST_LINE:
            raise ValueError(f"Line {number} has {len(line):,} characters, as prose has. {HOW}.")
        skip = _underlined(line, after)
        entry = _entry(number, line, after, indents, marked=marked, listed=listed)
        if _continues(entry, found, given):
            found[-1] = replace(found[-1], text=f"{found[-1].text} {entry.text}", last=number)
        elif not (listed and _announces(entry)):
            found.append(entry)
    return found


def _entry(number: int, line: str, after: str, indents: list[int], *, marked: bool, listed: bool) -> Line:
    entry = _heading(number, line, after) if marked else None
    entry = entry or _listed(number, line, indents, numbered=not marked) or _plain(number, line, indents, listed)
    if not entry.text:
        raise ValueError(f"Line {number} has a mark and no words. Write a name after it, or remove it.")
    if entry.rank < _BULLET:
        indents.clear()
    return entry


def _announces(entry: Line) -> bool:
    """Whether the line only says that objectives, or the table's entries, follow."""
    mute = entry.plain or entry.text.endswith(":") or _LOWEST_HEADING <= entry.rank < _NUMBER - 1
    return mute and _LEAD_IN.fullmatch(entry.text.strip("*_ ")) is not None


def _continues(entry: Line, found: Sequence[Line], given: Sequence[str]) -> bool:
    """Whether the line is the rest of the list's entry right above it, as Markdown wraps long ones."""
    return bool(
        entry.plain
        and found
        and found[-1].rank >= _BULLET
        and not found[-1].plain
        and found[-1].last == entry.number - 1
        and given[entry.number - 1][:1].isspace()
    )


def _underlined(line: str, after: str) -> bool:
    """Whether the line is a heading by the line of = or - below it."""
    said = line.strip()
    return bool(said and _UNDERLINE.match(after) and not _HEADING.match(line) and not _ITEM.match(line))


def _heading(number: int, line: str, after: str) -> Line | None:
    if _underlined(line, after):
        return Line(number, 1 if "=" in after else 2, _words(line))
    found = _HEADING.match(line)
    if found is None:
        return None
    closing = re.fullmatch(rf"(.*?)[ \t]+{found[1]}", found[2].rstrip())
    return Line(number, len(found[1]), _words(closing[1] if closing else found[2]))


def _listed(number: int, line: str, indents: list[int], *, numbered: bool) -> Line | None:
    """A list's entry by how far it is indented; in a text without headings also by “1.2” and “Chapter 3”."""
    if numbered and (named := _NAMED.match(line)):
        return Line(number, _NAMES.get(named[1].lower(), _NUMBER), _words(_LEADERS.sub("", line)))
    if numbered and (parts := _NUMBERED.match(line)) and ("." in parts[1] or not line[:1].isspace()):
        return Line(number, _NUMBER + parts[1].count("."), _words(_LEADERS.sub("", parts[2])))
    found = _ITEM.match(line)
    if found is None:
        return None
    return Line(number, _BULLET + _depth(found[1], indents), _words(found[2]), last=number)


def _plain(number: int, line: str, indents: list[int], listed: bool) -> Line:
    """A line without a mark: an entry where no line has one, by how far it is indented, or where a page number ends it,
    as in a table of contents."""
    said = _words(_LEADERS.sub("", line))
    if listed:
        paged = _LEADERS.search(line) is not None
        return Line(number, _NUMBER if paged else _BULLET, said, plain=not paged)
    indent = line[: len(line) - len(line.lstrip())]
    return Line(number, _BULLET + _depth(indent, indents), said, plain=True)


def _depth(indent: str, indents: list[int]) -> int:
    """How many lists the entry is inside of; `indents` is where the open ones begin."""
    width = len(indent.expandtabs(4))
    while indents and width < indents[-1]:
        indents.pop()
    if not indents or width > indents[-1]:
        indents.append(width)
    return len(indents) - 1


def _words(text: str) -> str:
    """What the line says, without marks that only embolden all of it."""
    text = _one_line(text)
    bold = re.fullmatch(r"(\*\*|__)(?=\S)((?:(?!\1).)+)\1", text)
    return bold[2].strip() if bold else text


# --- what each line is ---


def _title(lines: Sequence[Line]) -> tuple[Line | None, list[Line]]:
    """The course's title, if the first line stands alone above all the others, and the rest."""
    first, rest = lines[0], list(lines[1:])
    if not rest:
        return (first, rest) if first.rank == 1 else (None, [first])
    above = all(first.rank < line.rank for line in rest)
    if all(line.plain for line in lines):
        alone = above and len({line.rank for line in rest}) > 1
    else:
        alone = first.plain or (above and first.rank == 1)
    return (first, rest) if alone else (None, list(lines))


def _roles(lines: Sequence[Line]) -> dict[int, Role]:
    """What the lines of each rank are.

    Raises:
        ValueError: a line has no mark though others have, or stands deeper than an objective.
    """
    for line in lines:
        if line.plain and not all(other.plain for other in lines):
            shown = line.text if len(line.text) <= 60 else f"{line.text[:59]}…"
            raise ValueError(f"Line {line.number}: “{shown}” is neither a heading nor an objective. {HOW}.")
    ranks = sorted({line.rank for line in lines})
    headings = [rank for rank in ranks if rank < _NUMBER - 1]
    if len(headings) > 2 or len(ranks) > len(ALL_ROLES):
        deepest = ranks[3] if len(headings) <= 2 else headings[2]
        found = next(line for line in lines if line.rank == deepest)
        raise ValueError(f"Line {found.number}: “{found.text[:60]}” stands too deep. {HOW}, and no level between them.")
    if len(ranks) == 1:
        return {ranks[0]: "lesson"}
    if len(ranks) == 2 and len(headings) < 2 and _say_what_to_do([line for line in lines if line.rank == ranks[1]]):
        return {ranks[0]: "lesson", ranks[1]: "objective"}
    return dict(zip(ranks, ALL_ROLES, strict=False))


def _say_what_to_do(lines: Sequence[Line]) -> bool:
    """Whether most of them begin with a verb of doing, and so are objectives."""
    return sum(_level(line.text) is not None for line in lines) * 2 > len(lines)


def _modules(lines: Sequence[Line], roles: dict[int, Role]) -> list[_Module]:
    modules: list[_Module] = []
    for line in lines:
        match roles[line.rank]:
            case "module":
                modules.append(_Module(line))
            case "lesson":
                if not modules and "module" in roles.values():
                    raise ValueError(f"Line {line.number}: the lesson “{line.text[:60]}” stands in no module. {HOW}.")
                if not modules:
                    modules.append(_Module(None))
                modules[-1].lessons.append(_Lesson(line))
            case "objective":
                if not modules or not modules[-1].lessons:
                    raise ValueError(f"Line {line.number}: the objective “{line.text[:60]}” has no lesson. {HOW}.")
                modules[-1].lessons[-1].objectives.append(line)
    return modules


def _check(title: Line | None, modules: Sequence[_Module]) -> None:
    """Refuse what an outline has no room for."""
    lessons = [lesson for module in modules for lesson in module.lessons]
    named = [("title", title), *(("module", module.line) for module in modules)]
    named += [("lesson", lesson.line) for lesson in lessons]
    named += [("objective", line) for lesson in lessons for line in lesson.objectives]
    for kind, line in named:
        if line is not None and len(line.text) > LONGEST[kind]:
            raise ValueError(f"Line {line.number}: this {kind} has {len(line.text)} characters, {LONGEST[kind]} fit.")
    for what, found, most in (("modules", modules, MODULES), ("lessons", lessons, LESSONS)):
        if len(found) > most:
            raise ValueError(f"The outline has {len(found)} {what}; {most} are the most. Split the course in two.")
    for lesson in lessons:
        if len(lesson.objectives) > OBJECTIVES:
            number = lesson.objectives[OBJECTIVES].number
            raise ValueError(f"Line {number}: a lesson has at most {OBJECTIVES} objectives. Make two lessons of it.")


# --- the plan ---


def _first_name(modules: Sequence[_Module]) -> str:
    first = modules[0]
    return (first.line or first.lessons[0].line).text


def _plan(modules: Sequence[_Module], title: str) -> Iterator[ModulePlan]:
    number = 0
    for place, module in enumerate(modules, start=1):
        lessons = []
        for lesson in module.lessons:
            number += 1
            lessons.append(_lesson_plan(number, lesson))
        name = module.line.text if module.line else title
        yield ModulePlan(id=f"m{place}", title=name[:160], lessons=tuple(lessons))


def _lesson_plan(number: int, lesson: _Lesson) -> LessonPlan:
    objectives = tuple(
        Objective(id=f"l{number}o{place}", text=line.text, bloom=_level(line.text) or "understand")
        for place, line in enumerate(lesson.objectives, start=1)
    )
    plain = unicodedata.normalize("NFKD", lesson.line.text).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].rstrip("-")
    return LessonPlan(id=f"l{number}-{slug}".rstrip("-"), title=lesson.line.text, objectives=objectives)


def _level(text: str) -> Bloom | None:
    """The Bloom level of the first word, if it is a verb that an objective may begin with."""
    verb = re.sub(r"[^a-z]", "", text.split(maxsplit=1)[0].lower()) if text.split() else ""
    return next((level for level, verbs in BLOOM.items() if verb in verbs.split()), None)
