"""Slides: nothing overflows, nothing overlaps, everything that is said is shown, and a picture depends on its key."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from renderer_job import pages
from renderer_job.canvas import Box, Canvas
from renderer_job.frames import Look, picture
from renderer_job.slides.anatomy import Page
from renderer_job.text import plain
from renderer_job.theme import BODY, BOTTOM, FOOT, HEIGHT, LEFT, RIGHT, WIDTH, contrast, make_theme
from service.domain.storyboard import Storyboard
from tests.renderer.boards import KINDS, board, cue, every_kind, scene

WORDS = [
    "a", "of the", "snapshot", "Donaudampfschifffahrtsgesellschaft", "https://example.org/a/long/path?with=query",
    "`git rebase --interactive`", "**bold text**", "*it*", "日本語の文章が続きます。", "مرحبا بكم", "שלום (2024)",
    "नमस्ते", "🚀", "👨‍👩‍👧", "W" * 40, "…", "—", "x_y_z", "100%", "）」", "**", "`", "[a](b)", "한국어", "ไทย", "\u202e",
    "Ünïcödé", "e\u0301\u0301\u0301", "1,250", "end.",
]  # fmt: skip
TEXTS = {  # fields that are filled at random, with how long they may be
    "title": 240, "subtitle": 240, "by": 240, "term": 120, "text": 900, "example": 240, "figure": 24, "note": 240,
    "role": 240, "problem": 900, "answer": 900, "kicker": 80, "cite_label": 240,
}  # fmt: skip
MOST = {
    "bullets": 8,
    "steps": 12,
    "recap": 8,
    "worked": 8,
    "process": 6,
    "map": 6,
    "comparison": 8,
    "table": 10,
    "code": 40,
}


def overlaps(boxes: list[Box]) -> list[tuple[str, str]]:
    found = []
    for i, a in enumerate(boxes):
        for b in boxes[i + 1 :]:
            across = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
            down = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
            if across > 2 and down > 2:
                found.append((a.name, b.name))
    return found


def check(canvas: Canvas, what: str) -> None:
    for box in canvas.boxes:
        low = BOTTOM if box.name == "footer" else BODY
        assert box.x >= LEFT - 26, (what, box)
        assert box.x + box.width <= RIGHT + 2, (what, box)
        assert 54 <= box.y <= box.y + box.height <= low + 2, (what, box)
    assert not overlaps(canvas.boxes), what


def margins_are_empty(canvas: Canvas, page: Page) -> bool:
    if page.scene.kind in ("title", "section", "warning"):
        return True  # their grounds are coloured up to the edge
    edges = (
        (0, 0, LEFT - 26, HEIGHT),
        (RIGHT + 26, 0, WIDTH, HEIGHT),
        (0, 0, WIDTH, 52),
        (0, HEIGHT - 50, WIDTH, HEIGHT),
    )
    between = (0, BODY + 20, WIDTH, FOOT - 4)
    return all(len(canvas.image.crop(edge).getcolors(64) or range(65)) == 1 for edge in (*edges, between))


def said(rng: random.Random, most: int) -> str:
    count = rng.choice([1, 3, 12, 60])
    return " ".join(rng.choice(WORDS) for _ in range(count))[:most] or "x"


def filled(rng: random.Random, kind: str) -> dict[str, Any]:
    """A scene of a kind with random texts in every field and a random number of members."""
    content: dict[str, Any] = {name: said(rng, most) for name, most in TEXTS.items() if name in KINDS[kind]}
    content |= {name: said(rng, TEXTS[name]) for name in ("kicker", "cite_label") if rng.random() < 0.5}
    count = rng.randint(1 if kind != "process" else 2, MOST.get(kind, 1))
    if kind in ("bullets", "steps", "recap", "worked"):
        content["items"] = [said(rng, 240) for _ in range(count)]
    if kind in ("process", "map"):
        content["items"] = [[said(rng, 60), said(rng, 300)] for _ in range(count)]
    if kind == "comparison":
        content |= {"rows": [[said(rng, 60), said(rng, 300), said(rng, 300)] for _ in range(count)]}
        content["heads"] = [said(rng, 60), said(rng, 60)]
    if kind == "table":
        columns = rng.randint(1, 8)
        content["header"] = [said(rng, 40) for _ in range(columns)]
        content |= {"rows": [[said(rng, 120) for _ in range(columns)] for _ in range(count)], "focus": None}
    if kind == "code":
        content |= {"lines": [said(rng, 400) for _ in range(count)], "output": [said(rng, 400)] * 2, "focus": []}
    if kind == "question":
        content["options"] = [said(rng, 240) for _ in range(rng.choice([0, 2, 3, 6]))]
    return scene(kind, **content, cues=[cue("Said.")])


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 2**32), kind=st.sampled_from(list(KINDS)), theme=st.sampled_from(["light", "dark", "contrast"])
)
def test_no_text_in_any_script_overflows(seed: int, kind: str, theme: str) -> None:
    rng = random.Random(seed)
    made = board(filled(rng, kind), theme=theme, course=said(rng, 240), title=said(rng, 240))
    paged = pages.paginate_scene(made, 0)
    for page in paged[:3] + paged[-1:]:
        for state in {0, pages.final_state(page)}:
            drawn = page is paged[0]
            canvas = pages.draw(page, state, dry=not drawn)
            check(canvas, f"{kind} {seed} part {page.part} state {state}")
            assert not drawn or margins_are_empty(canvas, page)


MEMBERS: dict[str, tuple[str, Any]] = {  # the list of a kind, and how one member of it is made from a text
    "bullets": ("items", str),
    "steps": ("items", str),
    "recap": ("items", str),
    "worked": ("items", str),
    "process": ("items", lambda text: [text[:40], text]),
    "map": ("items", lambda text: [text[:40], text]),
    "comparison": ("rows", lambda text: [text[:20], text, text]),
    "table": ("rows", lambda text: [text, text[:60]]),
    "code": ("lines", str),
}


@pytest.mark.parametrize("kind", MEMBERS)
def test_lists_of_every_fullness_stay_inside(kind: str) -> None:
    """Around the point where a list must be set smaller or split, which random texts seldom meet."""
    field, member = MEMBERS[kind]
    for count in range(2, MOST[kind] + 1, 1 if MOST[kind] < 10 else 3):
        for length in (30, 75, 140, 235):
            text = ("kneading makes the gluten strong and smooth " * 8)[:length].strip()
            made = board(scene(kind, **{field: [member(text)] * count}, cues=[cue("Said.")]))
            paged = pages.paginate_scene(made, 0)
            for page in paged:
                canvas = pages.draw(page, pages.final_state(page), dry=True)
                check(canvas, f"{kind}: {count} of {length}, part {page.part}")
                assert not canvas.shortened, f"{kind}: {count} of {length}: split rather than shortened"


@pytest.mark.parametrize("theme", ["light", "dark", "contrast"])
def test_every_kind_draws_in_every_theme_and_every_state(theme: str) -> None:
    for paged in pages.paginate(every_kind(theme=theme)):
        for page in paged:
            for state in range(pages.final_state(page) + 1):
                check(pages.draw(page, state, dry=True), f"{page.scene.kind} {state}")
            canvas = pages.draw(page, pages.final_state(page))
            assert len(canvas.image.getcolors(1 << 20) or ()) > 20, f"{page.scene.kind} is empty"
            assert not canvas.shortened


def shown_texts(made: Storyboard) -> str:
    """Everything that the pages of a storyboard's first scene hold, in order."""
    return " ".join(text for page in pages.paginate_scene(made, 0) for text in pages.texts(page.scene))


def test_a_split_text_loses_no_word() -> None:
    long = " ".join(f"Sentence {n} says **a thing {n}** and `code_{n}` ends." for n in range(17))
    for kind in ("definition", "quote", "warning", "figure"):
        made = board(scene(kind, text=long))
        paged = pages.paginate_scene(made, 0)
        assert len(paged) > 1
        pieces = [page.scene.text for page in paged]  # type: ignore[union-attr]
        assert plain(" ".join(pieces)) == plain(long)
        assert all(piece.endswith("ends.") for piece in pieces), "cut where a sentence ends"


def test_a_mark_cut_in_two_is_closed_and_opened_again() -> None:
    long = "**" + " ".join(f"word{n}" for n in range(110)) + "**"
    pieces = [page.scene.text for page in pages.paginate_scene(board(scene("quote", text=long)), 0)]  # type: ignore[union-attr]
    assert len(pieces) > 1
    assert all(piece.startswith("**") and piece.endswith("**") for piece in pieces)


def test_a_split_list_keeps_order_and_numbers() -> None:
    items = [f"Step {n}: " + "do the next careful thing with the dough " * 4 for n in range(1, 13)]
    paged = pages.paginate_scene(board(scene("steps", items=items)), 0)
    assert len(paged) > 2
    assert [item for page in paged for item in page.scene.items] == items  # type: ignore[union-attr]
    assert [page.first for page in paged] == [1 + sum(len(p.scene.items) for p in paged[:i]) for i in range(len(paged))]  # type: ignore[union-attr]
    assert [(page.part, page.parts) for page in paged] == [(i + 1, len(paged)) for i in range(len(paged))]


def test_steps_go_on_counting_where_another_scene_ends() -> None:
    items = ["Fold the dough.", "Let it rest."]
    (alone,) = pages.paginate_scene(board(scene("steps", items=items)), 0)
    (later,) = pages.paginate_scene(board(scene("steps", items=items, first=4)), 0)
    pictures = [pages.draw(page, 3).image.tobytes() for page in (alone, later, replace(alone, first=4))]
    assert pictures[0] != pictures[1]
    assert pictures[1] == pictures[2], "numbered as the second page of a split scene would be"


def test_a_state_is_on_the_page_that_holds_its_item() -> None:
    items = [f"Step {n}: " + "do the next careful thing with the dough " * 4 for n in range(1, 13)]
    paged = pages.paginate_scene(board(scene("steps", items=items)), 0)
    for state in range(1, 13):
        (view,) = pages.views(paged, state)
        held = view.page.scene.items  # type: ignore[union-attr]
        assert held[view.state - 1] == items[state - 1]
    (last,) = pages.views(paged, 13)
    assert last.page == paged[-1]
    assert last.state == len(paged[-1].scene.items) + 1  # type: ignore[union-attr]


def test_the_code_in_focus_is_on_the_page_that_is_shown() -> None:
    lines = [f"line_{n} = {n}" for n in range(1, 41)]
    paged = pages.paginate_scene(board(scene("code", lines=lines, focus=[[33, 34]], output=[])), 0)
    (view,) = pages.views(paged, 1)
    assert "line_33 = 33" in view.page.scene.lines  # type: ignore[union-attr]
    assert sum(len(page.scene.lines) for page in paged) == 40  # type: ignore[union-attr]


def test_a_long_worked_example_shows_problem_steps_and_answer_each() -> None:
    made = board(scene("worked", problem="A long problem sentence. " * 36, answer="A long answer sentence. " * 37))
    roles = [page.role for page in pages.paginate_scene(made, 0)]
    assert roles[0] == "problem"
    assert "" in roles
    assert roles[-1] == "answer"
    shown = shown_texts(made)
    assert shown.count("long problem") == 36
    assert shown.count("long answer") == 37


def test_what_was_shortened_or_has_no_glyph_is_told() -> None:
    made = board(scene("quote", by="A very long name " * 14, text="Glyphs \U0001f14b fail."))
    assert pages.notes(pages.paginate(made)) == (
        "Slide “Said”: by is too long and was shortened.",
        "Slide “Said”: no font here has U+1F14B SQUARED MV.",
    )


def test_arabic_slides_are_mirrored() -> None:
    made = board(scene("bullets", title="لماذا يرتفع الخبز", items=["الخميرة تصنع الغاز."]), language="ar")
    boxes = {box.name: box for box in pages.draw(pages.paginate_scene(made, 0)[0], 2, dry=True).boxes}
    assert boxes["title"].x > WIDTH / 2
    assert boxes["item 1"].x + boxes["item 1"].width < boxes["title"].x


@pytest.mark.parametrize("name", ["light", "dark", "contrast"])
@pytest.mark.parametrize("accent", ["#1F5D57", "#FFE14D", "#0A0A5A", "#E0457B", "#FFFFFF", "#000000", "#808080"])
def test_every_ink_reads_on_its_ground(name: str, accent: str) -> None:
    theme = make_theme(name, accent)
    least = 7.0 if name == "contrast" else 4.5
    for use, ink, ground in theme.pairs():
        assert contrast(ink, ground) >= least, (use, ink, ground)


def look(kind: str, state: int = 1, **fields: Any) -> Look:
    return Look(pages.paginate_scene(board(scene(kind, **fields)), 0)[0], state)


def test_equal_content_is_the_same_picture_under_the_same_key() -> None:
    first, again = look("bullets"), look("bullets")
    assert first.key == again.key
    before = picture(first).tobytes()
    picture.__globals__["_picture"].cache_clear()
    assert picture(again).tobytes() == before


def test_the_key_changes_with_everything_that_is_seen_and_nothing_else() -> None:
    base = look("bullets")
    changed = [
        look("bullets", title="Other"),
        look("bullets", state=2),
        look("bullets", cite_label="[1]"),
        Look(pages.paginate_scene(board(scene("bullets"), theme="dark"), 0)[0], 1),
        Look(pages.paginate_scene(board(scene("bullets"), accent="#aa0000"), 0)[0], 1),
        Look(pages.paginate_scene(board(scene("bullets"), scene("quote")), 0)[0], 1),
    ]
    assert len({base.key, *(one.key for one in changed)}) == 1 + len(changed)
    assert look("bullets", cues=[cue("Another narration.")]).key == base.key


def test_a_question_marks_the_right_answer_only_when_it_is_told() -> None:
    page = pages.paginate_scene(board(scene("question")), 0)[0]
    asking = {box.name for box in pages.draw(page, 0, dry=True).boxes}
    told = {box.name for box in pages.draw(page, 1, dry=True).boxes}
    assert "seconds" in asking
    assert "answer" not in asking
    assert "answer" in told
    assert "seconds" not in told
    ok = make_theme("light", page.deck.accent).ok
    colours = [{c for _, c in pages.draw(page, state).image.getcolors(1 << 22) or ()} for state in (0, 1)]
    assert ok not in colours[0]
    assert ok in colours[1]
