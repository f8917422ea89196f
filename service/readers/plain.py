"""Plain text to a source: structure is guessed from what people type, and a wrong guess only costs a heading.

reStructuredText is read here too, as text with known habits: underlined titles, literal blocks, directives and roles.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from service.domain.source import BlockKind, BlockRole
from service.readers.builder import Run, SourceBuilder
from service.readers.roles import role_of

_UNDERLINE = re.compile(r"^([=\-~^\"'`#*+.:_])\1{2,}$")
_BULLET = re.compile(r"^(\s*)(?:[-*•–‣▪◦]|(\(?\d{1,3}[.)]|[a-z]\)))\s+(?=\S)")
_NUMBERED_TITLE = re.compile(
    r"^(?:(?:chapter|part|section|lesson|unit|module)\s+[\divxlc]+\b|\d+(?:\.\d+)*\.?\s+[A-Z])", re.I
)
_DIRECTIVE = re.compile(r"^(\s*)\.\. (?:\|[^|]+\| )?([\w-]+)::\s*(.*)$")
_EXPLICIT = re.compile(r"^\s*\.\.(?:\s|$)")
_OPTION = re.compile(r"^\s*:[\w-]+:")
_INLINE = re.compile(
    r"``(?P<code>[^`]+)``|:[\w:+-]+:`(?P<role>[^`]+)`|`(?P<link>[^`<]+?)\s*<(?P<href>[^>`]+)>`__?|`(?P<ref>[^`]+)`_{0,2}"
    r"|\*\*(?P<strong>[^*\s][^*]*)\*\*|(?<![\w*])\*(?P<emphasis>[^*\s][^*\n]*)\*(?![\w*])|\[(?:#?\w*|\*)\]_"
)
_MARKDOWN = re.compile(r"(?m)^(?:#{1,4} \S.*|```.*)$")
_CODE_DIRECTIVES = {"code", "code-block", "sourcecode", "parsed-literal", "prompt", "doctest"}
_PICTURES = {"image", "figure"}


def looks_like_markdown(text: str) -> bool:
    """Whether a text file is Markdown under another name: several `#` titles or fences among many other lines."""
    hits = len(_MARKDOWN.findall(text))
    return hits >= 2 and hits * 3 < sum(1 for line in text.splitlines() if line.strip()) + 3


def read_plain(text: str, into: SourceBuilder, rst: bool = False) -> None:
    """Append a text's content: paragraphs between empty lines, titles, lists, indented code."""
    lines = [line.rstrip().expandtabs(4) for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    _Lines(into, lines, rst).read()


@dataclass
class _Lines:
    """A position in the lines, and what the open stretch of text is."""

    into: SourceBuilder
    lines: list[str]
    rst: bool
    at: int = 0
    adornments: list[str] = field(default_factory=list)
    role: BlockRole = ""
    role_indent: int = 0
    literal: bool = False
    list_id: int = 0

    def read(self) -> None:
        while self.at < len(self.lines):
            line = self.lines[self.at]
            indent = len(line) - len(line.lstrip())
            if not line.strip():
                self.at += 1
            elif self.literal and indent:
                self._code(indent, "")
            elif self.rst and _EXPLICIT.match(line):
                self._explicit(line, indent)
            elif not self._title():
                self._stretch(indent)

    def _title(self) -> bool:
        """An underlined, numbered, capital or lonely short line. The order in which underlines appear ranks them."""
        line = self.lines[self.at].strip()
        below = self._line(self.at + 1).strip()
        if _UNDERLINE.match(line):
            over = self.rst and _UNDERLINE.match(self._line(self.at + 2).strip()) and self._line(self.at + 1).strip()
            self.at += 1 if not over else 0
            return self._overlined(line) if over else True
        if _UNDERLINE.match(below) and len(below) >= min(len(line), 4) and not _BULLET.match(line):
            self._heading(line, self._level(below[0]))
            self.at += 2
            return True
        if self.rst or below or (self.at and self.lines[self.at - 1].strip()) or not _lonely_title(line):
            return False
        if not (line.isupper() or _NUMBERED_TITLE.match(line) or self._prose_follows()):
            return False
        if not self.into.blocks:
            self.adornments.append("")  # the title of everything: what is underlined below it ranks second
            self._heading(line, 1)
            self.at += 1
            return True
        depth = re.match(r"\d+(?:\.\d+)+", line)
        self._heading(line, 2 + depth[0].count(".") if depth else 2)
        self.at += 1
        return True

    def _overlined(self, line: str) -> bool:
        self._heading(self.lines[self.at + 1].strip(), self._level(line[0] * 2))
        self.at += 3
        return True

    def _level(self, adornment: str) -> int:
        if adornment not in self.adornments:
            self.adornments.append(adornment)
        return min(6, self.adornments.index(adornment) + 1)

    def _heading(self, text: str, level: int) -> None:
        self.role, self.literal, self.list_id = "", False, 0
        self.into.add("heading", self._runs(text), level=min(level, 6))

    def _prose_follows(self) -> bool:
        after = self.at + 2
        while after < len(self.lines) and not self.lines[after].strip():
            after += 1
        words: list[str] = []
        while after < len(self.lines) and self.lines[after].strip():
            words += self.lines[after].split()
            after += 1
        return len(words) >= 15 and words[-1][-1] in '.!?:”"'

    def _stretch(self, indent: int) -> None:
        """Lines up to the next empty one: a paragraph, or items that each begin with a bullet."""
        if indent < self.role_indent:
            self.role, self.role_indent = "", 0
        first, runs = True, ""
        bullet = _BULLET.match(self.lines[self.at])
        open_kind: tuple[int, bool] | None = None
        while self.at < len(self.lines) and self.lines[self.at].strip():
            line = self.lines[self.at]
            bullet = _BULLET.match(line)
            if bullet:
                self._close(runs, open_kind, first)
                first, runs, open_kind = False, line[bullet.end() :], (len(bullet[1]) // 2 + 1, bool(bullet[2]))
            else:
                runs += " " + line.strip()
            self.at += 1
        self._close(runs, open_kind, first, indent)

    def _close(self, text: str, item: tuple[int, bool] | None, first: bool, indent: int = 0) -> None:
        """Append what was gathered; `::` at its end announces code."""
        text = text.strip()
        self.literal = self.rst and text.endswith("::")
        if self.literal:
            text = text[:-1] if text != "::" else ""
        if item and not first:
            self.list_id = self.list_id or self.into.new_list()
            self.into.add(
                "item", self._runs(text), level=item[0], ordered=item[1], list_id=self.list_id, role=self.role
            )
        elif text:
            belongs = self.list_id if indent else 0
            self.list_id = belongs
            self.into.add("paragraph", self._runs(text), role=self.role, list_id=belongs, level=1 if belongs else 0)

    def _explicit(self, line: str, indent: int) -> None:
        """A directive, or another construct that begins with two dots and is not content."""
        directive = _DIRECTIVE.match(line)
        self.at += 1
        name = directive[2].lower() if directive else ""
        if name in _CODE_DIRECTIVES and directive:
            self._skip_options()
            self._code(self._indent_here(), directive[3].strip().lower())
        elif role_of(name) and directive:
            self.role, self.role_indent = role_of(name), indent + 1
            if directive[3]:
                self.into.add("paragraph", self._runs(directive[3]), role=self.role)
        else:
            if name in _PICTURES:
                self.into.drop("picture was", "pictures were")
            self._skip_options()
            while self.at < len(self.lines) and self._indent_here() > indent and self.lines[self.at].strip():
                self.at += 1

    def _skip_options(self) -> None:
        while _OPTION.match(self._line(self.at)):
            self.at += 1

    def _indent_here(self) -> int:
        at = self.at
        while at < len(self.lines) and not self.lines[at].strip():
            at += 1
        return len(self._line(at)) - len(self._line(at).lstrip())

    def _code(self, indent: int, lang: str) -> None:
        kept: list[str] = []
        while indent and self.at < len(self.lines):
            line = self.lines[self.at]
            if line.strip() and len(line) - len(line.lstrip()) < indent:
                break
            kept.append(line[indent:])
            self.at += 1
        self.literal = False
        kind: BlockKind = "output" if lang in ("text", "none", "output") else "code"
        self.into.add(kind, [Run("\n".join(kept))], lang="" if kind == "output" else lang, role=self.role)

    def _line(self, number: int) -> str:
        return self.lines[number] if number < len(self.lines) else ""

    def _runs(self, text: str) -> list[Run]:
        return _inline(text) if self.rst else [Run(text)]


def _lonely_title(line: str) -> bool:
    words = line.split()
    return 0 < len(words) <= 9 and line[-1] not in ".,;:!?" and (line[0].isupper() or line[0].isdigit())


def _inline(text: str) -> list[Run]:
    """Text with reStructuredText's inline markup taken out and marked."""
    runs, end = [], 0
    for match in _INLINE.finditer(text):
        runs.append(Run(text[end : match.start()]))
        end = match.end()
        if match["code"]:
            runs.append(Run(match["code"]).marked("code"))
        elif match["role"]:
            runs.append(Run(re.sub(r"\s*<[^>]*>$", "", match["role"]).lstrip("~!")))
        elif match["link"]:
            runs.append(Run(match["link"]).marked("link", match["href"]))
        elif match["strong"]:
            runs.append(Run(match["strong"]).marked("strong"))
        elif match["emphasis"]:
            runs.append(Run(match["emphasis"]).marked("emphasis"))
        elif match["ref"]:
            runs.append(Run(match["ref"]))
    return [*runs, Run(text[end:])]
