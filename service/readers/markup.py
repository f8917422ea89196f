"""Takes out of Markdown what is not content, before it is parsed: front matter, comments, templates, attributes.

Fenced divs become ranges of lines with a role, counted in the text that goes to the parser. Code is never touched: a
lesson about templates shows its `{{ braces }}`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from service.domain.source import BlockRole
from service.readers.roles import role_of

_FRONT_MATTER = re.compile(r"\A(?:---[ \t]*\n(.*?)\n(?:---|\.\.\.)|\+\+\+[ \t]*\n(.*?)\n\+\+\+)[ \t]*(?:\n|\Z)", re.S)
_TITLE = re.compile(r"^title[ \t]*[:=][ \t]*(.+?)[ \t]*$", re.M | re.I)
_FENCE = re.compile(r"^[ \t>]*(?:[-*+] +|\d+[.)] +)?(`{3,}|~{3,})(.*)$")
_HIGHLIGHT = re.compile(r"^[ \t]*\{%-?\s*highlight\s+([\w+-]+).*?%\}[ \t]*$")
_COMMENT_EDGE = re.compile(r"(?P<open><!--|\{%-?\s*comment)|-->|\{%-?\s*endcomment")
_HIGHLIGHT_END = re.compile(r"^[ \t]*\{%-?\s*endhighlight\s*-?%\}[ \t]*$")
_DIV = re.compile(r"^[ \t]*:{3,}[ \t]*(\{[^}\n]*\}|[\w.-]+)?[ \t]*(.*?)[ \t]*:*[ \t]*$")
_ADMONITION = re.compile(r"^([ \t]*)(?:!!!|\?\?\?\+?)[ \t]+([\w-]+)(?:[ \t]+\"([^\"]*)\")?[ \t]*$")
_GRID = re.compile(r"(?m)^[ \t]*\+[-=:+]{3,}\+[ \t]*\n?(?:^[ \t]*[+|].*\n?)*")
_ATTRIBUTE = r"(?:[#.][\w:.-]+|[\w:-]+=(?:\"[^\"{}]*\"|'[^'{}]*'|[^\s{}\"']+))"
_PROSE_NOISE = re.compile(
    r"(?P<code>(?<!`)(?P<tick>`+)(?!`)(?:(?!\n[ \t]*\n).)+?(?<!`)(?P=tick)(?!`))"
    r"|(?P<div>(?m:^[ \t]*:{3,}[^\n]*$))"
    r"|(?P<comment><!--.*?(?:-->|\Z)|\{%-?\s*comment\s*-?%\}.*?\{%-?\s*endcomment\s*-?%\})"
    r"|(?P<template>\{%.*?%\}|\{\{.*?\}\})"
    rf"|(?<!!)\[(?P<span>[^\]\n]+)\]\{{\s*{_ATTRIBUTE}(?:\s+{_ATTRIBUTE})*\s*\}}"
    rf"|\{{:[^{{}}\n]*\}}|\{{\s*[#.][\w:.-]+(?:\s+{_ATTRIBUTE})*\s*\}}"
    rf"|(?<=[)\]])\{{\s*{_ATTRIBUTE}(?:\s+{_ATTRIBUTE})*\s*\}}",
    re.S,
)
_HTML_TABLE = re.compile(r"^ {0,3}<table\b.*?</table>", re.S | re.M | re.I)
_BROKEN_LINK = re.compile(r"\[([^\]\n]+)\]\[(https?://[^\]\s]*)\]")
_TWO_SPACE_SUBLIST = re.compile(r"(?m)^(\d+\. .*\n)((?:  (?:[*-]|\d+\.) .*\n)+)")
# Stands where a box began or ended: the parser must not join the lists before and after it.
_EDGE = "<!-- -->"
_WIKI_LINK = re.compile(r"!?\[\[([^\]|\n]+)(?:\|([^\]\n]+))?\]\]")


@dataclass
class Markup:
    """Markdown ready for the parser: the text, its title from the front matter, roles by line, what was taken out."""

    text: str
    title: str = ""
    templates: int = 0
    pictures: int = 0
    grids: int = 0
    _roles: list[tuple[int, int, BlockRole]] = field(default_factory=list)

    def role_at(self, line: int) -> BlockRole:
        """The role of the narrowest box around a line, counted from 0."""
        inside = [(end - start, role) for start, end, role in self._roles if start <= line < end]
        return min(inside)[1] if inside else ""


def prepare(text: str) -> Markup:
    """Markdown without what is not content."""
    title, text = _front_matter(text.replace("\r\n", "\n").replace("\r", "\n"))
    markup = Markup("", title)
    parts: list[str] = []
    for lines, verbatim in _segments(text.split("\n")):
        parts.append(lines if verbatim else _without_noise(lines, markup))
    markup.text = _whole_tables(_without_boxes("\n".join(parts), markup))
    return markup


def _front_matter(text: str) -> tuple[str, str]:
    match = _FRONT_MATTER.match(text)
    if not match:
        return "", text
    head = match[1] if match[1] is not None else match[2] or ""
    if match[1] is not None and not re.search(r"^[\w-]+[ \t]*:", head, re.M):
        return "", text  # a rule, a paragraph and another rule: content
    title = _TITLE.search(head)
    words = title[1].strip() if title else ""
    if words[:1] in "\"'" and words[-1:] == words[:1]:
        words = words[1:-1]
    return words, "\n" * match[0].count("\n") + text[match.end() :]


def _segments(lines: list[str]) -> list[tuple[str, bool]]:
    """The lines as stretches of prose and of fenced code, in order; True means code."""
    out: list[tuple[str, bool]] = []
    run: list[str] = []
    closing: re.Pattern[str] | None = None
    in_comment = False

    def flush(verbatim: bool) -> None:
        if run:
            out.append(("\n".join(run), verbatim))
            run.clear()

    for line in lines:
        opening = None if closing or in_comment else _opening(line)
        if opening:
            flush(False)
            first, closing = opening
            run.append(first)
        elif closing and closing.match(line):
            run.append("```" if _HIGHLIGHT_END.match(line) else line)
            flush(True)
            closing = None
        else:
            run.append(line)
            if not closing:
                in_comment = _comment_open(line, in_comment)
    flush(closing is not None)
    return out


def _opening(line: str) -> tuple[str, re.Pattern[str]] | None:
    """The opening line of a code fence, and what closes it."""
    liquid = _HIGHLIGHT.match(line)
    if liquid:
        return f"```{liquid[1]}", _HIGHLIGHT_END
    fence = _FENCE.match(line)
    if not fence or (fence[1][0] == "`" and "`" in fence[2]):
        return None
    return line, re.compile(rf"^[ \t>]*{fence[1][0]}{{{len(fence[1])},}}[ \t]*$")


def _comment_open(line: str, was_open: bool) -> bool:
    """Whether a comment is still open at the end of the line."""
    ends = list(_COMMENT_EDGE.finditer(re.sub(r"`[^`]*`", "", line)))
    return ends[-1]["open"] is not None if ends else was_open


def _without_noise(text: str, markup: Markup) -> str:
    def replace(match: re.Match[str]) -> str:
        if match["code"] or match["div"]:
            return match[0]
        if match["span"]:
            return match["span"]
        if match["template"]:
            picture = re.match(r"\{[%{][-<%\s]*(?:image|img|figure|picture)", match[0])
            markup.pictures += bool(picture)
            markup.templates += not picture
        return "\n" * match[0].count("\n")

    def count_grid(match: re.Match[str]) -> str:
        markup.grids += 1
        return "\n" * match[0].count("\n")

    text = _GRID.sub(count_grid, _PROSE_NOISE.sub(replace, text))
    text = _BROKEN_LINK.sub(r"[\1](\2)", text)
    text = _WIKI_LINK.sub(lambda m: "" if m[0][0] == "!" else m[2] or m[1], text)
    # Writers indent by two below "1."; the standard wants three, and would end the list.
    return _TWO_SPACE_SUBLIST.sub(lambda m: m[1] + re.sub(r"(?m)^  ", "    ", m[2]), text)


def _whole_tables(text: str) -> str:
    """HTML tables with empty lines and fences inside stay one block: the standard would end it at the first gap."""

    def fill(match: re.Match[str]) -> str:
        return re.sub(r"(?m)^[ \t]*(?:(?:`{3,}|~{3,}).*)?$", _EDGE, match[0])

    return _HTML_TABLE.sub(fill, text)


def _without_boxes(text: str, markup: Markup) -> str:
    """Fence lines of divs and admonitions give way to edges; what they enclose gets their role."""
    lines = text.split("\n")
    divs: list[tuple[BlockRole, int]] = []
    closing: re.Pattern[str] | None = None
    for number, line in enumerate(lines):
        if closing:
            closing = None if closing.match(line) else closing
            continue
        opening = _opening(line)
        if opening:
            closing = opening[1]
        elif _DIV.match(line):
            _div(lines, number, divs, markup)
        elif _ADMONITION.match(line):
            _admonition(lines, number, markup)
    markup._roles += [(start, len(lines), role) for role, start in divs]
    return "\n".join(lines)


def _div(lines: list[str], number: int, divs: list[tuple[BlockRole, int]], markup: Markup) -> None:
    """Opens or closes a div. Writers count colons badly, so only whether a name stands there matters."""
    match = _DIV.match(lines[number])
    name, rest = (match[1], match[2]) if match else ("", "")
    lines[number] = _EDGE
    if name:
        divs.append((role_of(*re.findall(r"[\w-]+", name)), number))
        if rest and not set(rest) & set("{}:="):
            _put_title(lines, number, rest)
    elif divs:
        role, start = divs.pop()
        markup._roles.append((start, number, role))


def _admonition(lines: list[str], number: int, markup: Markup) -> None:
    """`!!! note "Title"` and its indented lines: the indent goes, or the parser would take them for code."""
    match = _ADMONITION.match(lines[number])
    indent, name, title = (match[1], match[2], match[3]) if match else ("", "", "")
    width = len(indent.expandtabs(4)) + 4
    end = number + 1
    while end < len(lines) and (not lines[end].strip() or lines[end].expandtabs(4).startswith(" " * width)):
        lines[end] = indent + lines[end].expandtabs(4)[width:]
        end += 1
    lines[number] = _EDGE
    if title:
        _put_title(lines, number, title)
        end += 2
    markup._roles.append((number, end, role_of(name)))


def _put_title(lines: list[str], number: int, title: str) -> None:
    """A box's title becomes a bold paragraph of its own; roles count the lines as they stand afterwards."""
    lines[number] = _EDGE
    lines[number + 1 : number + 1] = [f"**{title}**", ""]
