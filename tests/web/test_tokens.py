"""The colours: every pair that meets on screen is readable in both themes, and the fallbacks say the same colour."""

from __future__ import annotations

import re
from math import cos, radians, sin

import pytest

from service.web.site import STATIC

Colour = tuple[float, float, float]
CSS = (STATIC / "css" / "tokens.css").read_text()
LINE = re.compile(r"--([\w-]+):\s*light-dark\(oklch\(([^)]+)\),\s*oklch\(([^)]+)\)\)")
SURFACES = ("desk", "sheet", "well")
TEXT = {
    "ink": (*SURFACES, "mark", "blue-wash", "ok-wash", "warn-wash", "bad-wash", "note-wash"),
    "soft": (*SURFACES, "blue-wash"),
    "faint": SURFACES,
    "blue": (*SURFACES, "blue-wash"),
    "ok": (*SURFACES, "ok-wash"),
    "warn": (*SURFACES, "warn-wash"),
    "bad": (*SURFACES, "bad-wash"),
    "note": (*SURFACES, "note-wash"),
}
PAIRS = [
    *((ink, surface, 4.5) for ink, surfaces in TEXT.items() for surface in surfaces),
    *(("on-ink", surface, 4.5) for surface in ("ink", "blue", "bad")),
    ("mark-ink", "mark-hot", 4.5),
    *(("edge", surface, 3.0) for surface in ("desk", "sheet")),
    *(("blue", surface, 3.0) for surface in SURFACES),
]


def linear(oklch: str) -> Colour:
    """An OKLCH colour as linear sRGB, clipped to the gamut."""
    light, chroma, hue = (float(part) for part in oklch.split())
    a, b = chroma * cos(radians(hue)), chroma * sin(radians(hue))
    cube = [
        (light + x * a + y * b) ** 3
        for x, y in ((0.3963377774, 0.2158037573), (-0.1055613458, -0.0638541728), (-0.0894841775, -1.2914855480))
    ]
    rows = (
        (4.0767416621, -3.3077115913, 0.2309699292),
        (-1.2684380046, 2.6097574011, -0.3413193965),
        (-0.0041960863, -0.7034186147, 1.7076147010),
    )
    red, green, blue = (
        min(1.0, max(0.0, sum(weight * part for weight, part in zip(row, cube, strict=True)))) for row in rows
    )
    return red, green, blue


def hexadecimal(colour: Colour) -> str:
    bent = (12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055 for part in colour)
    return "#" + "".join(f"{round(part * 255):02x}" for part in bent)


def contrast(one: Colour, two: Colour) -> float:
    low, high = sorted(0.2126 * red + 0.7152 * green + 0.0722 * blue for red, green, blue in (one, two))
    return (high + 0.05) / (low + 0.05)


COLOURS = {name: (linear(light), linear(dark)) for name, light, dark in LINE.findall(CSS)}


def test_the_measure_is_right() -> None:
    assert contrast((1.0, 1.0, 1.0), (0.0, 0.0, 0.0)) == pytest.approx(21.0)
    assert hexadecimal(linear("1 0 0")) == "#ffffff"


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_every_pair_that_meets_is_readable(theme: int) -> None:
    weak = [
        f"{front} on {back}: {contrast(COLOURS[front][theme], COLOURS[back][theme]):.2f}"
        for front, back, least in PAIRS
        if contrast(COLOURS[front][theme], COLOURS[back][theme]) < least
    ]
    assert weak == []


def test_the_fallback_of_each_colour_is_the_same_colour() -> None:
    fallbacks = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", CSS))
    assert {name: hexadecimal(light) for name, (light, _) in COLOURS.items()} == fallbacks


def test_raw_colours_stand_in_the_tokens_only() -> None:
    """The player, the marker's own yellow on it, and print keep one theme, so they may name their colours."""
    for sheet in ("app.css", "build.css", "front.css"):
        rules = (STATIC / "css" / sheet).read_text().split("@media print")[0]
        assert re.findall(r"#[0-9a-f]{3,8}\b", rules) == [], sheet
