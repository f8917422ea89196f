"""Scenes to pages: which slide draws a kind, how a scene that is too full is split, which page a state is on.

A list is split into the fewest even runs that fit, a text at the end of a sentence. Fields that no split helps are
shortened by the canvas and noted.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from renderer_job import fonts
from renderer_job.canvas import Canvas, DoesNotFit
from renderer_job.slides import code, grids, lists, maps, openers, problems, prose
from renderer_job.slides.anatomy import Deck, Page
from renderer_job.text import clean, is_rtl, plain
from renderer_job.theme import make_theme
from service.domain.storyboard import CodeScene, QuestionScene, Scene, Storyboard, TableScene, WorkedScene

Draw = Callable[[Canvas, Page, Any, int], None]


@dataclass(frozen=True)
class Kind:
    """How a kind of scene is drawn, and the field that it is split on ("" when it is never split)."""

    draw: Draw
    split: str = ""

    @property
    def listed(self) -> bool:
        """Whether its states reveal the members of a list one by one."""
        return self.split in ("items", "rows") and self.draw is not grids.table


KINDS = {
    "title": Kind(openers.title),
    "section": Kind(openers.section),
    "bullets": Kind(lists.bullets, "items"),
    "steps": Kind(lists.steps, "items"),
    "definition": Kind(prose.definition, "text"),
    "figure": Kind(prose.figure, "text"),
    "quote": Kind(prose.quote, "text"),
    "warning": Kind(prose.warning, "text"),
    "comparison": Kind(grids.comparison, "rows"),
    "table": Kind(grids.table, "rows"),
    "code": Kind(code.code, "lines"),
    "process": Kind(lists.process, "items"),
    "map": Kind(maps.concept_map, "items"),
    "worked": Kind(problems.worked, "items"),
    "question": Kind(problems.question),
    "recap": Kind(lists.recap, "items"),
}

# The fields that are read first, where it is not the title; they decide the slide's direction.
LEADING = {"definition": ("term", "text"), "figure": ("text",), "quote": ("text",), "question": ("text", "title")}


@dataclass(frozen=True)
class View:
    """A page in one of its states; `weight` is its share of the time when several views follow each other."""

    page: Page
    state: int
    weight: int = 1


def draw(page: Page, state: int, ring: int | None = None, dry: bool = False, strict: bool = False) -> Canvas:
    """Draw a page in a state, or only measure it.

    Raises:
        DoesNotFit: a field has no room; strict canvases raise it where others shorten.
    """
    scene, deck = page.scene, page.deck
    rtl = is_rtl(clean(" ".join(getattr(scene, name) for name in LEADING.get(scene.kind, ("title",)))))
    canvas = Canvas(make_theme(deck.theme, deck.accent), deck.language, rtl, dry, strict)
    if isinstance(scene, QuestionScene):
        problems.question(canvas, page, scene, state, ring)
    else:
        KINDS[scene.kind].draw(canvas, page, scene, state)
    return canvas


def paginate(storyboard: Storyboard) -> tuple[tuple[Page, ...], ...]:
    """The pages of every scene, in order; at least one each."""
    return tuple(paginate_scene(storyboard, i) for i in range(len(storyboard.scenes)))


def paginate_scene(storyboard: Storyboard, number: int) -> tuple[Page, ...]:
    """The pages of one scene, by its place."""
    deck = Deck(
        storyboard.course,
        storyboard.title,
        storyboard.language,
        storyboard.theme,
        storyboard.accent,
        len(storyboard.scenes),
    )
    return _numbered(_pages(storyboard.scenes[number], deck, number))


def _pages(scene: Scene, deck: Deck, number: int) -> list[Page]:
    page = Page(scene, deck, number, items=len(_members(scene)))
    if _fits(page):
        return [page]
    if isinstance(scene, WorkedScene):
        return _worked(page, scene)
    if isinstance(scene, CodeScene):
        return _code(page, scene)
    field = KINDS[scene.kind].split
    if field == "text":
        return [_with(page, text=text) for text in _pieces(page, "text")]
    return _runs(page, field) if field else [page]


def _members(scene: Scene) -> Sequence[object]:
    field = KINDS[scene.kind].split
    value = getattr(scene, field, ())
    return () if isinstance(value, str) else value


def _with(page: Page, **fields: Any) -> Page:
    """The page with other fields of its scene; sizes were checked when the scene was read."""
    return replace(page, scene=page.scene.model_copy(update=fields))


def _numbered(pages: list[Page]) -> tuple[Page, ...]:
    return tuple(replace(page, part=i + 1, parts=len(pages)) for i, page in enumerate(pages))


def _fits(page: Page) -> bool:
    try:
        draw(page, final_state(page), dry=True, strict=True)
    except DoesNotFit:
        return False
    return True


def final_state(page: Page) -> int:
    """The state in which everything of a page is shown and nothing set off."""
    if page.role or not (KINDS[page.scene.kind].listed or isinstance(page.scene, QuestionScene)):
        return 0
    return 1 if isinstance(page.scene, QuestionScene) else len(_members(page.scene)) + 1


def _runs(page: Page, field: str) -> list[Page]:
    """The fewest runs of list members that all fit, about equally long if such runs fit too."""
    members = list(getattr(page.scene, field))
    filled = _greedy(page, field, members)
    for count in range(len(filled), min(len(filled) + 2, len(members)) + 1):
        parts = _with_runs(page, field, _evenly(members, count))
        # Numbered already: the last part may carry what the others do not, such as the answer.
        if all(_fits(part) for part in _numbered(parts)):
            return parts
    return _with_runs(page, field, filled)


def _greedy(page: Page, field: str, members: list[Any]) -> list[list[Any]]:
    """Runs that are each as long as fits; a member that fits nowhere alone is a run too."""
    runs, start = [], 0
    while start < len(members):
        low, high = start + 1, len(members)
        while low < high:
            middle = (low + high + 1) // 2
            fits = _fits(_with(page, **{field: tuple(members[start:middle])}))
            low, high = (middle, high) if fits else (low, middle - 1)
        runs.append(members[start:low])
        start = low
    return runs


def _with_runs(page: Page, field: str, runs: list[list[Any]]) -> list[Page]:
    parts, at = [], page.first
    for run in runs:
        parts.append(replace(_with(page, **{field: tuple(run)}), first=at))
        at += len(run)
    return parts


def _evenly(members: list[Any], count: int) -> list[list[Any]]:
    sizes = [24 + len(str(member)) for member in members]
    groups: list[list[Any]] = [[]]
    filled = 0.0
    for i, (member, size) in enumerate(zip(members, sizes, strict=True)):
        full = filled + size / 2 > sum(sizes) / count * len(groups)
        must = len(members) - i == count - len(groups)  # every group gets at least one
        if groups[-1] and len(groups) < count and (full or must):
            groups.append([])
        groups[-1].append(member)
        filled += size
    return groups


def _worked(page: Page, scene: WorkedScene) -> list[Page]:
    """A long problem and a long answer move to pages of their own; what is left is split by its steps."""
    before, after = [], []
    steps = _with(page, answer="")
    if not _fits(_with(steps, items=scene.items[:1])):
        alone = replace(_with(page, items=(), answer=""), role="problem")
        before = [_with(alone, problem=text) for text in _pieces(alone, "problem")]
        steps = _with(steps, problem="")
    ended = _with(steps, answer=scene.answer)
    if scene.answer and _fits(_with(ended, items=scene.items[-1:])):
        steps = ended
    elif scene.answer:
        alone = replace(_with(page, items=(), problem=""), role="answer")
        after = [_with(alone, answer=text) for text in _pieces(alone, "answer")]
    return [*before, *([steps] if _fits(steps) else _runs(steps, "items")), *after]


def _code(page: Page, scene: CodeScene) -> list[Page]:
    """Code that leaves no room for its output shows it on the next page; both are split by lines."""
    listing, output = _with(page, output=()), _with(page, lines=(), focus=())
    pages = [listing] if _fits(listing) else _runs(listing, "lines")
    if not scene.output:
        return pages
    last = _with(pages[-1], output=scene.output)
    if _fits(last):
        return [*pages[:-1], last]
    return [*pages, *([output] if _fits(output) else _runs(output, "output"))]


def _pieces(page: Page, field: str) -> list[str]:
    """A text in pieces that fit a slide each, cut where a sentence ends if that leaves no piece very short."""
    rest, out = clean(getattr(page.scene, field)), []
    while rest and not _fits(_with(page, **{field: rest})):
        low, high = 1, len(rest) - 1
        while low < high:
            middle = (low + high + 1) // 2
            fits = _fits(_with(page, **{field: _closed(rest[:middle])[0]}))
            low, high = (middle, high) if fits else (low, middle - 1)
        even = -(-len(rest) // -(-len(rest) // low))
        cut = _cut(rest, min(low, even + 40), low)
        piece, mark = _closed(rest[:cut].strip())
        out.append(piece)
        rest = mark + rest[cut:].strip()
    return [*out, rest] if rest else out or [""]


def _cut(text: str, near: int, most: int) -> int:
    """Where to cut a text at `most` characters or before: a sentence's end, else a space, else anywhere."""
    free = range(most, most // 2, -1)
    ends = [i for i in free if re.search(r"[.!?。！？؟।][”\"')]?$", text[:i]) and text[i : i + 1] in ("", " ")]
    spaces = [i for i in free if text[i : i + 1] == " "]
    return min(ends or spaces or [most], key=lambda i: abs(i - near))


def _closed(piece: str) -> tuple[str, str]:
    """The piece with a mark that it leaves open closed, and what opens it again in the next piece."""
    mark = "`" if piece.count("`") % 2 else "**" if piece.count("**") % 2 else ""
    return piece + mark, mark


def views(pages: Sequence[Page], state: int | None) -> list[View]:
    """What a scene shows in a state: usually one page in one state; the pages in turn when they share the state.

    None asks for everything: each page in its final state.
    """
    scene = pages[0].scene
    if state is None:
        return [View(page, final_state(page), _weight(page)) for page in pages]
    if isinstance(scene, WorkedScene):
        return _worked_views(pages, state)
    if KINDS[scene.kind].listed:
        return [_revealed(pages, state)]
    if isinstance(scene, TableScene) and state >= 1 and scene.focus is not None:
        row = scene.focus
        return [View(_holding(pages, row + 1), 1)]
    if isinstance(scene, CodeScene) and state >= 1 and scene.focus:
        return [_focused(pages, scene, state)]
    if isinstance(scene, QuestionScene):
        return [View(pages[0], min(state, 1))]
    return [View(page, 0, _weight(page)) for page in pages]


def _revealed(pages: Sequence[Page], state: int) -> View:
    if state > pages[0].items:
        return View(pages[-1], final_state(pages[-1]))
    page = _holding(pages, max(1, state))
    return View(page, state - page.first + 1)


def _focused(pages: Sequence[Page], scene: CodeScene, state: int) -> View:
    """The page with the lines in focus; past the last range the last page, where the output is."""
    if state > len(scene.focus):
        return View(pages[-1], 0)
    return View(_holding(pages, scene.focus[state - 1][0]), state)


def _holding(pages: Sequence[Page], member: int) -> Page:
    """The page that shows a member of the list, 1-based."""
    return next((page for page in reversed(pages) if page.first <= member and _members(page.scene)), pages[0])


def _worked_views(pages: Sequence[Page], state: int) -> list[View]:
    steps = [page for page in pages if not page.role]
    if state == 0:
        problem = [View(page, 0, _weight(page)) for page in pages if page.role == "problem"]
        return problem or [View(steps[0], 0)]
    if state > steps[0].items:
        answer = [View(page, 0, _weight(page)) for page in pages if page.role == "answer"]
        return answer or [_revealed(steps, state)]
    return [_revealed(steps, state)]


def _weight(page: Page) -> int:
    """About how long it takes to read."""
    return 40 + sum(len(text) for text in texts(page.scene))


def texts(scene: Scene) -> Iterator[str]:
    """Every text that a scene shows."""
    shown = scene.model_dump(exclude={"id", "kind", "cues", "cites", "lang"})
    yield from _strings(shown)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _strings(inner)


def notes(pages: Sequence[Sequence[Page]]) -> tuple[str, ...]:
    """What the slides cannot show as written, one sentence each, for the editor."""
    found: dict[str, None] = {}
    for scene_pages in pages:
        scene = scene_pages[0].scene
        name = textwrap.shorten(plain(scene.title) or scene.kind, 60, placeholder="…")
        for page in scene_pages:
            for field in draw(page, final_state(page), dry=True).shortened:
                found[f"Slide “{name}”: {field} is too long and was shortened."] = None
        for char in fonts.missing("".join(clean(text) for text in texts(scene))):
            found[f"Slide “{name}”: no font here has {char}."] = None
    return tuple(found)
