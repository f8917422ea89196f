"""Slides that make people think: a worked example, and a question with a ring that counts the pause."""

from __future__ import annotations

from renderer_job.canvas import Canvas, DoesNotFit, Room
from renderer_job.layout import Block, fit
from renderer_job.slides.anatomy import Page, chip, footer, kicker, shown, title_block, tone
from renderer_job.text import clean
from renderer_job.theme import BODY, FULL, LEFT, RIGHT, column
from service.domain.storyboard import QuestionScene, WorkedScene


def worked(c: Canvas, page: Page, scene: WorkedScene, state: int) -> None:
    """Problem on the left, numbered steps on the right, the answer on a card; long ones stand on pages of their own."""
    if page.role in ("problem", "answer"):
        _alone(c, page, scene)
        return
    count = len(scene.items)
    x, width = column(5, 7)
    kicker(c, page, text=page.say("worked"))
    chip(c, page, 640)
    footer(c, page)
    title = c.fitted("title", scene.title, c.serif(60), Room(560, 330, 40), heading=True)
    c.put(title, LEFT, 128, 560, "title")
    top = 128 + (title.height + 32 if title.lines else 0)
    problem = c.wanted("problem", scene.problem, c.sans(42), Room(560, BODY - top, 36))
    c.put(problem, LEFT, top, 560, "problem", c.theme.ink if c.theme.outlined else c.theme.muted)
    answer = _answer(c, page, scene, width)
    foot = answer.height + 104 if answer else 0
    blocks = _steps(c, scene, Room(width - 88, BODY - 128 - foot, 38))
    heights = [max(block.height, (block.style.size + 2) * 1.3) for block in blocks]
    gap = min(44.0, (BODY - 128 - foot - sum(heights)) / max(1, count))
    y = 128.0
    for i, (block, height) in enumerate(zip(blocks, heights, strict=True)):
        if shown(i, state, count):
            number = c.block(str(i + page.first), c.serif(block.style.size + 2, leading=1.28), 80)
            lit = i == state - 1 or state > count
            c.put(number, x, y, 80, f"number {i + 1}", c.theme.accent if lit else c.theme.muted)
            c.put(block, x + 88, y, width - 88, f"step {i + 1}", tone(c, i, state, count))
        y += height + gap
    if answer and state > count:
        _card(c, answer, x, y - gap + 40, width)


def _answer(c: Canvas, page: Page, scene: WorkedScene, width: float) -> Block | None:
    if not page.last or not clean(scene.answer):
        return None
    return c.wanted("answer", scene.answer, c.serif(52, leading=1.2), Room(width - 80, 230, 40), heading=True)


def _card(c: Canvas, block: Block, x: float, y: float, width: float) -> None:
    outline = c.theme.accent if c.theme.outlined else None
    c.rect(x, y, width, block.height + 64, c.theme.tint, 16, outline, 4)
    ink = c.theme.accent if c.theme.outlined else c.theme.ink
    c.put(block, x + 40, y + 32, width - 80, "answer", ink, chip=c.theme.bg)


def _steps(c: Canvas, scene: WorkedScene, room: Room) -> list[Block]:
    count = len(scene.items)
    for size in c.sizes(52, room.floor):
        blocks = [c.block(item, c.sans(size), room.width) for item in scene.items]
        used = sum(max(block.height, (size + 2) * 1.3) for block in blocks)
        cut = any(block.chopped for block in blocks) and size - 2 >= room.floor
        if used + 28 * (count - 1) <= room.height and not cut:
            return blocks
    if c.strict:
        raise DoesNotFit("items")
    part = room._replace(height=(room.height - 28 * (count - 1)) / count)
    return [c.cut("step", item, c.sans(room.floor), part) for item in scene.items]


def _alone(c: Canvas, page: Page, scene: WorkedScene) -> None:
    """The problem or the answer by itself, when it is too long to share a slide."""
    kicker(c, page, width=1000, text=page.say("worked"))
    chip(c, page)
    footer(c, page)
    title = title_block(c, scene.title, c.serif(60), 1290)
    c.put(title, LEFT, 120, 1290, "title")
    y = 120 + title.height + 48
    if page.role == "problem":
        text = c.wanted("problem", scene.problem, c.serif(56, 400, 1.32), Room(1582, BODY - y, 44))
        c.put(text, LEFT, y, 1582, "problem")
        return
    text = c.wanted("answer", scene.answer, c.serif(52, leading=1.24), Room(FULL - 80, BODY - y - 64, 40))
    _card(c, text, LEFT, y, FULL)


def question(c: Canvas, page: Page, scene: QuestionScene, state: int, ring: int | None = None) -> None:
    """State 0 asks, with a ring of one segment a second; state 1 marks the answer and says why.

    `ring` is how many seconds of the pause are over; None before it begins.
    """
    kicker(c, page, text=page.say("question"), width=1000)
    chip(c, page)
    footer(c, page)
    width = column(0, 9)[1]
    # At the least, every option keeps one line.
    room = Room(width, min(330, BODY - 176 - 86 * len(scene.options)) if scene.options else 480, 40)
    text = c.fitted("text", scene.text or scene.title, c.serif(72, leading=1.16), room, heading=True)
    c.put(text, LEFT, 128, width, "text")
    y = 128 + text.height + 48
    why = fit(scene.answer, c.sans(46), 1582, 240, 36)
    together = _options(c, scene, Room(width - 96, BODY - y - (why.height + 40 if why else 0), 36)) if why else None
    if not scene.options:
        together = []
    if state >= 1:
        _reveal(c, page, scene, y, why if together is not None else None, together)
        return
    blocks = together if together is not None else _options(c, scene, Room(width - 96, BODY - y, 36), cut=True)
    _draw_options(c, blocks or [], y, BODY - y - (why.height + 40 if why and together else 0), None)
    _ring(c, scene.pause, ring or 0)


def _options(c: Canvas, scene: QuestionScene, room: Room, cut: bool = False) -> list[Block] | None:
    """The options at one size; None when they do not fit, or shortened if `cut`."""
    for size in c.sizes(52, room.floor):
        blocks = [c.block(option, c.sans(size), room.width) for option in scene.options]
        chopped = any(block.chopped for block in blocks) and size - 2 >= room.floor
        if sum(block.row + 24 for block in blocks) <= room.height and not chopped:
            return blocks
    if not cut:
        return None
    part = room._replace(height=room.height / len(scene.options) - 24)
    return [c.cut("option", option, c.sans(room.floor), part) for option in scene.options]


def _draw_options(c: Canvas, blocks: list[Block], y: float, room: float, correct: int | None) -> float:
    """Draw the options, the correct one set off if it is given; gives the y below them."""
    width = column(0, 9)[1]
    used = sum(block.row + 24 for block in blocks)
    gap = min(20.0, (room - used) / max(1, len(blocks)))
    for i, block in enumerate(blocks):
        hit, height = i == correct, block.row + 24
        if hit:
            outline = c.theme.ok if c.theme.outlined else None
            c.rect(LEFT - 24, y, width + 24, height, c.theme.ok_ground, 12, outline, 4)
        asking = correct is None
        mark = c.theme.ok if hit else c.theme.accent if asking else c.theme.muted
        sign = c.block("✓" if hit else chr(65 + i), c.sans(block.style.size, 600), 60)
        c.put(sign, LEFT, y + 12, 60, f"mark {i + 1}", mark)
        c.put(block, LEFT + 72, y + 12, width - 96, f"option {i + 1}", c.theme.ink if asking or hit else c.theme.muted)
        y += height + gap
    return y


def _reveal(
    c: Canvas, page: Page, scene: QuestionScene, y: float, why: Block | None, options: list[Block] | None
) -> None:
    """The answer: below all options when there is room for both, else the right option alone and the reason."""
    if options and why:
        y = _draw_options(c, options, y, BODY - y - why.height - 40, scene.correct)
        c.put(why, LEFT, y + 24, 1582, "answer")
        return
    if scene.options:
        right = scene.options[min(scene.correct, len(scene.options) - 1)]
        width = column(0, 9)[1]
        block = c.fitted("option", right, c.sans(46), Room(width - 96, 160, 36))
        y = _draw_options(c, [block], y, block.height + 24, 0)
    if not clean(scene.answer):
        return
    c.rule(LEFT, y + 12, FULL)
    label = c.block(page.say("answer"), c.sans(36, 600), 400)
    c.put(label, LEFT, y + 36, 400, "label", c.theme.ok)
    c.text("answer", scene.answer, c.sans(48), (LEFT, y + 92), Room(1582, BODY - y - 92, 34))


def _ring(c: Canvas, seconds: int, over: int) -> None:
    """One segment a second, so that nothing moves in between; the number is what is left."""
    x, y, radius, part = RIGHT - 140, 300, 116, 360 / seconds
    for i in range(seconds):
        rest = i < over
        stroke = 4 if c.theme.outlined and rest else 14
        c.arc(x, y, radius, (i * part + 4, (i + 1) * part - 4), c.theme.line if rest else c.theme.accent, stroke)
    number = c.block(str(seconds - over), c.serif(96, leading=1.1), 200)
    c.put(number, x - 100, y - number.height / 2, 200, "seconds", align="center")
