"""Which font draws which character: the vendored faces, their fallbacks, and a record of what no font covers."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import regex
from fontTools.ttLib import TTFont, TTLibError
from PIL import ImageFont, features

FOLDER = Path(__file__).parent / "fonts"
# Pillow brings Raqm but loads FriBiDi from the system. Without it Latin text is drawn all the same, unkerned, and
# scripts that join or run from right to left are drawn letter by letter.
SHAPES = bool(features.check("raqm"))
# Too large to vendor; used where a system has them, and reported as missing where it has not.
SYSTEM = Path("/usr/share/fonts/truetype/noto")
SYSTEM_CJK = Path("/usr/share/fonts/opentype/noto")
SYSTEM_SCRIPTS = ("Thai", "Bengali", "Tamil", "Symbols", "Symbols2")
CJK_INDEX = {"ja": 0, "ko": 1, "zh": 2, "zh-hans": 2, "zh-hant": 3}

FACES = {
    ("serif", 400, False): "SourceSerif4_400Regular",
    ("serif", 400, True): "SourceSerif4_400Regular_Italic",
    ("serif", 600, False): "SourceSerif4_600SemiBold",
    ("sans", 400, False): "IBMPlexSans_400Regular",
    ("sans", 400, True): "IBMPlexSans_400Regular_Italic",
    ("sans", 500, False): "IBMPlexSans_500Medium",
    ("sans", 600, False): "IBMPlexSans_600SemiBold",
    ("sans", 600, True): "IBMPlexSans_600SemiBold_Italic",
    ("mono", 400, False): "JetBrainsMono_400Regular",
    ("mono", 600, False): "JetBrainsMono_600SemiBold",
}
# Script class: size against Latin of the same nominal size, and how much taller its lines are.
TUNING = {
    "arab": (1.12, 1.14),
    "hebr": (1.02, 1.0),
    "deva": (1.0, 1.16),
    "cjk": (0.94, 1.06),
    "math": (0.96, 1.0),
    "emoji": (0.88, 1.0),
    "other": (0.96, 1.12),
}

EMOJI = regex.compile(r"\p{Emoji_Presentation}|\p{Extended_Pictographic}\uFE0F|\p{Regional_Indicator}")
KANA = regex.compile(r"\p{Hiragana}|\p{Katakana}")
HANGUL = regex.compile(r"\p{Hangul}")
JOINERS = frozenset("\ufe0f\ufe0e\u200d\u200c")


@dataclass(frozen=True)
class Font:
    """One face of one file, and the class of scripts that it stands in for ("" for the slide's own face)."""

    path: Path
    index: int = 0
    script: str = ""

    def at(self, size: float) -> ImageFont.FreeTypeFont:
        """The font ready to draw at a size in pixels."""
        return _load(self.path, size, self.index)


@lru_cache(maxsize=4096)
def _load(path: Path, size: float, index: int) -> ImageFont.FreeTypeFont:
    engine = ImageFont.Layout.RAQM if SHAPES else ImageFont.Layout.BASIC
    return ImageFont.truetype(str(path), size, index=index, layout_engine=engine)


@cache
def face(family: str, weight: int, italic: bool = False) -> Font:
    """The vendored face nearest to the wish: family first, then slope, then weight."""
    nearest = min(FACES, key=lambda key: (key[0] != family, key[2] != italic, abs(key[1] - weight)))
    return Font(FOLDER / f"{FACES[nearest]}.ttf")


@cache
def _covers(path: Path, index: int) -> frozenset[int]:
    try:
        return frozenset(TTFont(path, fontNumber=index, lazy=True).getBestCmap())
    except (OSError, TTLibError):
        return frozenset()  # an optional system font that is not installed


@cache
def _chain(family: str, bold: bool, language: str) -> tuple[Font, ...]:
    """Fallbacks in order of preference."""
    weight = "Bold" if bold else "Regular"
    arabic = "NotoNaskhArabic-Bold" if family == "serif" and bold else f"NotoSansArabic-{weight}"
    cjk = SYSTEM_CJK / f"Noto{'Serif' if family == 'serif' else 'Sans'}CJK-{weight}.ttc"
    return (
        Font(FOLDER / f"{arabic}.ttf", script="arab"),
        Font(FOLDER / f"NotoSansHebrew-{weight}.ttf", script="hebr"),
        Font(FOLDER / f"NotoSansDevanagari-{weight}.ttf", script="deva"),
        Font(cjk, CJK_INDEX.get(language, 2), "cjk"),
        Font(FOLDER / "NotoSansMath-Regular.ttf", script="math"),
        Font(FOLDER / "NotoEmoji_400Regular.ttf", script="emoji"),
        Font(FOLDER / "NotoSansArabic-Regular.ttf", script="arab"),
        *(Font(SYSTEM / f"NotoSans{script}-{weight}.ttf", script="other") for script in SYSTEM_SCRIPTS),
    )


@lru_cache(maxsize=65536)
def pick(cluster: str, family: str, weight: int, italic: bool, language: str) -> Font:
    """The first font that covers every code point of a grapheme cluster; the slide's own face when none does."""
    needed = [ord(char) for char in cluster if char not in JOINERS]
    own = face(family, weight, italic)
    if not EMOJI.search(cluster) and _has(own, needed):
        return own
    if KANA.search(cluster):
        language = "ja"
    elif HANGUL.search(cluster):
        language = "ko"
    return next((font for font in _chain(family, weight >= 600, language) if _has(font, needed)), own)


def _has(font: Font, needed: list[int]) -> bool:
    return _covers(font.path, font.index).issuperset(needed)


@cache
def _uncovered(cluster: str) -> bool:
    needed = [ord(char) for char in cluster if char not in JOINERS]
    return not _has(pick(cluster, "sans", 400, False, "en"), needed)


def missing(text: str) -> tuple[str, ...]:
    """The characters of a text that no font here covers, as `U+0E01 THAI CHARACTER KO KAI`, each once."""
    clusters = [cluster for cluster in regex.findall(r"\X", text) if not cluster.isspace()]
    chars = dict.fromkeys(
        char for cluster in clusters if _uncovered(cluster) for char in cluster if char not in JOINERS
    )
    return tuple(f"U+{ord(char):04X} {unicodedata.name(char, 'unnamed')}" for char in chars if _uncovered(char))


@cache
def fingerprint() -> str:
    """A hash of every font that may draw: vendored files by content, system files by size and date."""
    digest = hashlib.sha256()
    for path in sorted(FOLDER.glob("*.ttf")):
        digest.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    for folder in (SYSTEM, SYSTEM_CJK):
        for path in sorted(folder.glob("Noto*")) if folder.is_dir() else ():
            if re.search(r"CJK|Thai|Bengali|Tamil|Symbols", path.name):
                digest.update(f"{path.name} {path.stat().st_size} {path.stat().st_mtime_ns}".encode())
    return digest.hexdigest()
