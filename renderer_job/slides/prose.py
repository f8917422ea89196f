"""Slides that carry one text: a definition, a figure with what it says, a quotation, a warning."""

from __future__ import annotations

import math

from renderer_job.canvas import Canvas, Room
from renderer_job.slides.anatomy import Page, chip, footer, kicker
from renderer_job.text import clean, is_rtl
from renderer_job.theme import BODY, FULL, LEFT, RIGHT, TOP, column
from service.domain.storyboard import DefinitionScene, FigureScene, QuoteScene, WarningScene


def definition(c: Canvas, page: Page, scene: DefinitionScene, state: int) -> None:
    """The term large, a rule, what it means in serif, and an example."""
    del state
    kicker(c, page, width=1000)
    chip(c, page)
    footer(c, page)
    term = c.fitted("term", scene.term, c.serif(120, leading=1.08), Room(1582, 260, 56, 3), heading=True)
    example = scene.example if page.last else ""
    said = c.fitted("example", example, c.sans(42), Room(1436, 190, 36))
    below = said.height + 56 if said.lines else 0
    room = BODY - 136 - term.height - 72 - below
    body = c.wanted("text", scene.text, c.serif(62, 400, 1.32), Room(1436, room, 44))
    y = 128 + min(168, (room - body.height) * 0.4)
    c.put(term, LEFT, y, 1582, "term")
    y += term.height + 28
    c.rule(LEFT, y, FULL)
    y += 36
    c.put(body, LEFT, y, 1436, "text")
    y += body.height + 48
    if said.lines:
        c.text("label", page.say("example"), c.sans(34, 600), (LEFT, y + 4), Room(260, 52, 24, 1), c.theme.accent)
        c.put(said, LEFT + 292, y, 1436, "example")


def figure(c: Canvas, page: Page, scene: FigureScene, state: int) -> None:
    """One big number; the last line of its statement stands on its base line."""
    del state
    kicker(c, page, width=1000)
    chip(c, page, 640)
    footer(c, page)
    number = c.fitted("figure", scene.figure, c.serif(400, leading=1.0), Room(1028, 420, 80, 2))
    x = max(column(4, 1)[0], math.ceil((LEFT + number.width + 72) / 8) * 8)
    width = min(RIGHT - x, 852)
    text = c.wanted("text", scene.text, c.serif(60, 400, 1.28), Room(width, 480, 40))
    y = 190 + (560 - number.height) / 2
    c.put(number, LEFT, y, 1028, "figure", c.theme.accent)
    bottom = y + number.height * 0.83 + 14
    c.put(text, x, min(max(128, bottom - text.height), 780 - text.height), width, "text")
    c.text("note", scene.note, c.sans(36), (LEFT, 792), Room(1436, 84, 28), c.theme.muted)


def quote(c: Canvas, page: Page, scene: QuoteScene, state: int) -> None:
    """The words in serif beside a large mark; who said them stands below the last part."""
    del state
    chip(c, page, 640)
    footer(c, page)
    kicker(c, page, width=1000)
    by, role = (scene.by, scene.role) if page.last else ("", "")
    named = c.fitted("by", by, c.sans(38, 600), Room(1436, 70, 28, 1))
    as_what = c.fitted("role", role, c.sans(34), Room(1436, 60, 26, 1))
    x, room = LEFT + 146, min(560, BODY - 208 - named.height - as_what.height)
    text = c.wanted("text", scene.text, c.serif(76, 400, 1.26), Room(1436, room, 54), heading=True)
    y = 168 + (room - text.height) * 0.42
    if not is_rtl(clean(scene.text)):
        c.glyph("“", c.serif(230), LEFT, y + 150, c.theme.accent)
    c.put(text, x, y, 1436, "text")
    y += text.height + 36
    c.put(named, x, y, 1436, "by")
    c.put(as_what, x, y + named.height, 1436, "role", c.theme.muted)


def warning(c: Canvas, page: Page, scene: WarningScene, state: int) -> None:
    """A tinted card with the warning sign: told by word and shape, not by colour alone."""
    del state
    theme, x, y = c.theme, LEFT + 80, TOP + 96
    outline = theme.warn if theme.outlined else None
    c.rect(LEFT, TOP, FULL, BODY - TOP, theme.warn_ground, 24, outline, 6)
    footer(c, page)
    c.polygon([(x + 60, y), (x + 122, y + 106), (x - 2, y + 106)], theme.warn)
    c.rect(x + 55, y + 38, 10, 36, theme.warn_ground, 5)
    c.dot(x + 60, y + 88, 6, theme.warn_ground)
    label = scene.kicker or page.say("warning")
    if page.parts > 1:
        label += "  ·  " + page.say("pages", page.part, page.parts)
    c.text("kicker", label, c.sans(30, 600), (x + 180, y - 4), Room(900, 44, 24, 1), theme.warn)
    block = c.fitted("title", scene.title, c.serif(72), Room(1280, 250, 44), heading=True)
    c.put(block, x + 180, y + 44, 1280, "title")
    top = y + 44 + (block.height + 40 if block.lines else 12)
    text = c.wanted("text", scene.text, c.sans(56), Room(1280, BODY - 40 - top, 40))
    c.put(text, x + 180, top, 1280, "text")
