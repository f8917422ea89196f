"""Tokens of the slides: grounds and inks of three themes around one accent, every pair with enough contrast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from types import MappingProxyType

RGB = tuple[int, int, int]

WIDTH, HEIGHT = 1920, 1080
# The safe area is 5 %. Below BODY the player shows captions: nothing stands there but the footer.
LEFT, RIGHT, TOP, BODY, FOOT, BOTTOM = 96, 1824, 72, 880, 984, 1026
FULL = RIGHT - LEFT
COLUMN, GUTTER = 122, 24  # of twelve columns

WHITE, BLACK, DARK_INK = (255, 255, 255), (0, 0, 0), (21, 24, 28)
GROUNDS = {  # background, surface, line, ink, muted
    "light": ("#FAF8F4", "#F1EDE5", "#D9D3C7", "#1C1F23", "#565B62"),
    "dark": ("#15181C", "#1F242A", "#3A424C", "#F0ECE4", "#AEB4BC"),
    "contrast": ("#000000", "#000000", "#FFFFFF", "#FFFFFF", "#FFFFFF"),
}
CODE = {"keyword": "#8A3B6E", "string": "#2F6B3A", "number": "#9A4A12", "name": "#1F5A8C", "comment": "#6B7077"}


def column(first: int, count: int) -> tuple[int, int]:
    """x and width of `count` columns from column `first` on (0-based)."""
    return LEFT + first * (COLUMN + GUTTER), count * COLUMN + (count - 1) * GUTTER


def rgb(code: str) -> RGB:
    """The colour of `#rrggbb`."""
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)


def mix(a: RGB, b: RGB, part: float) -> RGB:
    """The colour `part` of the way from a to b."""
    red, green, blue = (round(x + (y - x) * part) for x, y in zip(a, b, strict=True))
    return red, green, blue


def luminance(colour: RGB) -> float:
    """Relative luminance of WCAG 2."""
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (c / 255 for c in colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: RGB, b: RGB) -> float:
    """Contrast ratio of WCAG 2, 1 to 21."""
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def reach(colour: RGB, grounds: tuple[RGB, ...], want: float) -> RGB:
    """The colour nearest to this one that reads on every ground: moved toward black or white, whichever is away."""
    end = BLACK if luminance(grounds[0]) > 0.18 else WHITE
    steps = [mix(colour, end, i / 50) for i in range(51)]
    return next((c for c in steps if all(contrast(c, ground) >= want for ground in grounds)), steps[-1])


@dataclass(frozen=True)
class Theme:
    """Colours by their use; `stroke` is the hairline's width, `band` the ground under the code in focus."""

    name: str
    bg: RGB
    surface: RGB
    line: RGB
    ink: RGB
    muted: RGB
    accent: RGB
    panel: RGB
    on_panel: RGB
    soft_panel: RGB
    warn: RGB
    warn_ground: RGB
    ok: RGB
    ok_ground: RGB
    tint: RGB
    band: RGB
    stroke: int
    code: Mapping[str, RGB]

    @property
    def outlined(self) -> bool:
        """The contrast theme marks with outlines where the others tint."""
        return self.name == "contrast"

    def pairs(self) -> list[tuple[str, RGB, RGB]]:
        """Every (use, ink, ground) that slides draw, for the contrast test."""
        grounds = (self.bg, self.surface, self.tint)
        pairs = [("text", ink, ground) for ink in (self.ink, self.accent) for ground in grounds]
        pairs += [("muted", self.muted, self.bg), ("muted in code", self.muted, self.surface)]
        pairs += [(f"code {name}", c, ground) for name, c in self.code.items() for ground in (self.surface, self.band)]
        pairs += [("focused number", self.accent, self.band), ("focused code", self.ink, self.band)]
        pairs += [("panel", self.on_panel, self.panel), ("soft on panel", self.soft_panel, self.panel)]
        pairs += [("warning", self.warn, self.warn_ground), ("warning text", self.ink, self.warn_ground)]
        return [*pairs, ("answer", self.ok, self.ok_ground), ("answer label", self.ok, self.bg)]


@cache
def make_theme(name: str, accent: str) -> Theme:
    """The theme `light`, `dark` or `contrast` around a course's brand colour (`#rrggbb`)."""
    bg, surface, line, ink, muted = (rgb(code) for code in GROUNDS[name])
    outlined = name == "contrast"
    want = 7.0 if outlined else 4.6
    brand = rgb("#FFD84D") if outlined else rgb(accent)
    spoken = reach(brand, (bg, surface), want)
    tint, band = (surface, surface) if outlined else (mix(bg, spoken, 0.10), mix(surface, spoken, 0.13))
    spoken = reach(spoken, (band, tint, bg), want)
    panel, on_panel, soft_panel = _panel(name, brand, bg)
    warn_ground = bg if outlined else mix(bg, rgb("#A8480F"), 0.10)
    ok_ground = bg if outlined else mix(bg, rgb("#2C6E3F"), 0.14)
    return Theme(
        name=name,
        bg=bg,
        surface=surface,
        line=line,
        ink=ink,
        muted=muted,
        accent=spoken,
        panel=panel,
        on_panel=on_panel,
        soft_panel=soft_panel,
        warn=reach(rgb("#A8480F"), (warn_ground, bg), want),
        warn_ground=warn_ground,
        ok=reach(rgb("#2C6E3F"), (ok_ground, bg), want),
        ok_ground=ok_ground,
        tint=tint,
        band=band,
        stroke=3 if outlined else 2,
        code=MappingProxyType({use: reach(rgb(code), (surface, band), want) for use, code in CODE.items()}),
    )


def _panel(name: str, brand: RGB, bg: RGB) -> tuple[RGB, RGB, RGB]:
    """The coloured panel of openers with its two inks: the brand itself where text reads on it."""
    if name == "contrast":
        return BLACK, WHITE, WHITE
    ground = brand if name == "light" else mix(brand, bg, 0.25)
    ink = max((WHITE, DARK_INK), key=lambda colour: contrast(colour, ground))
    ground = reach(ground, (ink,), 5.2)
    return ground, ink, reach(mix(ink, ground, 0.30), (ground,), 4.6)


def evenly(total: float, count: int, gap: float) -> list[tuple[float, float]]:
    """(start, width) of `count` equal parts of a length with gaps between them."""
    edges = [i * (total + gap) / count for i in range(count + 1)]
    return [(a, b - a - gap) for a, b in pairwise(edges)]
