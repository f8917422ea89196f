"""Slides that open: the lesson's title and a section's."""

from __future__ import annotations

from renderer_job.canvas import Canvas, Room
from renderer_job.slides.anatomy import Page, footer, panel
from renderer_job.theme import LEFT, TOP, WIDTH, evenly, mix
from service.domain.storyboard import SectionScene, TitleScene


def title(c: Canvas, page: Page, scene: TitleScene, state: int) -> None:
    """A coloured panel with the lesson's number; title, what it is about, and who made it."""
    del state
    panel(c, 1312, 608)
    if scene.number:
        c.text("label", page.say("lesson"), c.sans(44, 500), (1392, 120), Room(432, 64, 30, 1), c.theme.soft_panel)
        number = c.serif(440, leading=1.0)
        c.text("number", str(scene.number), number, (1392, 180), Room(432, 520, 120, 1), c.theme.on_panel)
    c.text("course", page.deck.course, c.sans(36, 600), (LEFT, TOP + 6), Room(1104, 56, 26, 1), c.theme.accent)
    block = c.fitted("title", scene.title, c.serif(116, leading=1.06), Room(1104, 440, 60), heading=True)
    about = c.fitted("subtitle", scene.subtitle, c.sans(46, leading=1.4), Room(1000, 160, 36), heading=True)
    height = block.height + about.height + 40
    y = max(150.0, min(216 + (600 - height) * 0.55, 816 - height))
    c.put(block, LEFT, y, 1104, "title")
    c.put(about, LEFT, y + block.height + 40, 1000, "subtitle", c.theme.muted)
    c.text("by", scene.by, c.sans(34, 500), (LEFT, 828), Room(1104, 48, 28, 1))


def section(c: Canvas, page: Page, scene: SectionScene, state: int) -> None:
    """Full colour, the section's title, and a bar for each section of the lesson."""
    del state
    panel(c, 0, WIDTH)
    block = c.fitted("title", scene.title, c.serif(116, leading=1.06), Room(1436, 500, 60), heading=True)
    y = 160 + (620 - block.height) * 0.5
    count = max(scene.of, scene.number, 1)
    if count > 1:
        label = page.say("part", scene.number, count)
        c.text("label", label, c.sans(44, 500), (LEFT, y - 88), Room(1436, 64, 30, 1), c.theme.soft_panel)
        for i, (x, width) in enumerate(evenly(1728, count, 16 if count < 20 else 4)):
            ink = c.theme.on_panel if i + 1 == scene.number else mix(c.theme.panel, c.theme.on_panel, 0.32)
            c.rect(LEFT + x, 864, width, 10, ink, 5)
    c.put(block, LEFT, y, 1436, "title", c.theme.on_panel)
    footer(c, page, on_panel=True)
