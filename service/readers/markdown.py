"""Markdown to a source: one pass over the parser's tokens, with HTML blocks handed to the HTML reader."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service.domain.source import BlockKind, BlockRole, MarkKind
from service.readers.builder import Run, SourceBuilder
from service.readers.markup import Markup, prepare
from service.readers.roles import role_of

if TYPE_CHECKING:
    from markdown_it.token import Token

_INLINE_TAGS = re.compile(
    r"</?(?:b|i|em|strong|code|kbd|samp|a|abbr|br|sub|sup|u|s|small|mark|q|cite|dfn|var|wbr)\b", re.I
)
_MARK_TAGS: dict[str, MarkKind] = {
    "b": "strong", "strong": "strong", "i": "emphasis", "em": "emphasis", "code": "code", "kbd": "code",
    "samp": "code", "dfn": "term",
}  # fmt: skip
_CLOSES: dict[str, MarkKind] = {"strong_close": "strong", "em_close": "emphasis", "link_close": "link"}
_LEFT_OUT = {"image": ("picture was", "pictures were"), "footnote_ref": ("footnote was", "footnotes were")}
_DEMO = re.compile(r"<(?:input|label|button|form|fieldset|select|svg|script|style|iframe|span|nav|video|audio)\b", re.I)
_TAG = re.compile(r"<(/?)([a-zA-Z][\w-]*)")
_ALERT = re.compile(r"^\[!(\w+)\][ \t]*")
_TASK = re.compile(r"^\[[ xX]\][ \t]+")
_OUTPUT = {"output", "error", "stdout", "console-output", "result"}


def read_markdown(text: str, into: SourceBuilder) -> None:
    """Append a Markdown document's content. Everything that is left out is counted in the builder's notes."""
    from markdown_it import MarkdownIt
    from mdit_py_plugins.deflist import deflist_plugin
    from mdit_py_plugins.footnote import footnote_plugin

    markup = prepare(text)
    into.title = markup.title
    if markup.templates:
        into.drop("template tag was", "template tags were", markup.templates)
    if markup.pictures:
        into.drop("picture was", "pictures were", markup.pictures)
    if markup.grids:
        into.drop("grid table was", "grid tables were", markup.grids)
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"]).use(footnote_plugin).use(deflist_plugin)
    _Walk(into, markup).over(parser.parse(markup.text))


@dataclass
class _Walk:
    """Where the walk over the tokens stands: open lists, quotes, the table that grows."""

    into: SourceBuilder
    markup: Markup
    lists: list[tuple[int, bool]] = field(default_factory=list)
    quotes: list[BlockRole] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    item_opens: bool = False
    line: int = 0
    table_line: int = 0

    def over(self, tokens: Sequence[Token]) -> None:
        for number, token in enumerate(tokens):
            if token.type == "footnote_block_open":
                return
            if token.map:
                self.line = token.map[0]
            if token.type == "inline":
                self._inline(token, tokens[number - 1])
            elif token.type in ("fence", "code_block"):
                self._code(token)
            elif token.type == "html_block":
                self._html(token.content, tokens[number + 1 :])
            else:
                self._structure(token)

    def _structure(self, token: Token) -> None:
        match token.type:
            case "bullet_list_open" | "ordered_list_open":
                self.lists.append((self.into.new_list(), token.type == "ordered_list_open"))
            case "bullet_list_close" | "ordered_list_close":
                self.lists.pop()
            case "list_item_open":
                self.item_opens = True
            case "blockquote_open":
                self.quotes.append("")
            case "blockquote_close":
                self.quotes.pop()
            case _:
                self._table(token)

    def _table(self, token: Token) -> None:
        if token.type == "table_open":
            self.rows, self.table_line = [], self.line
        elif token.type == "tr_open":
            self.rows.append([])
        elif token.type == "table_close":
            self.into.table(self.rows, role=self._role(self.table_line), list_id=self._list_id())

    def _role(self, line: int) -> BlockRole:
        return next((role for role in reversed(self.quotes) if role), self.markup.role_at(line))

    def _list_id(self) -> int:
        return self.lists[-1][0] if self.lists else 0

    def _code(self, token: Token) -> None:
        words = re.findall(r"[\w+#.-]+", token.info)
        if token.info.lstrip().startswith("{") and len(words) > 1 and words[0].startswith("code"):
            words.pop(0)  # MyST writes {code-block} python
        lang = words[0].lstrip(".").lower() if words else ""
        kind: BlockKind = "output" if lang in _OUTPUT else "code"
        self.item_opens = False
        where = {"role": self._role(self.line), "list_id": self._list_id(), "level": len(self.lists)}
        self.into.add(kind, [Run(token.content)], lang=lang if kind == "code" else "", **where)

    def _html(self, content: str, following: Sequence[Token]) -> None:
        """An HTML block is content unless it shows off a widget, or renders the code that is listed below it."""
        if not re.sub(r"<[^>]*>|&nbsp;|\s", "", content):
            pictures = len(re.findall(r"<img\b", content, re.I))
            if pictures:
                self.into.drop("picture was", "pictures were", pictures)
        elif _DEMO.search(content) or _renders(content, following):
            self.into.drop("piece of embedded HTML was", "pieces of embedded HTML were")
        else:
            from service.readers.webpage import read_fragment

            read_fragment(content, self.into, self._role(self.line), bool(self.quotes))

    def _inline(self, token: Token, opened_by: Token) -> None:
        children = token.children or []
        if opened_by.type in ("th_open", "td_open"):
            self.rows[-1].append("".join(run.text for run in self._runs(children)))
            return
        if _is_demo(children):
            self.into.drop("piece of embedded HTML was", "pieces of embedded HTML were")
            return
        runs = self._runs(children)
        role, depth = self._role(self.line), len(self.lists)
        if opened_by.type == "heading_open":
            self.into.add("heading", runs, level=int(opened_by.tag[1]), role=role)
        elif opened_by.type == "dt_open":
            self.into.add("paragraph", [run.marked("term") for run in runs], role=role)
        elif self.lists:
            kind: BlockKind = "item" if self.item_opens else "paragraph"
            runs = _without_prefix(runs, _TASK) if kind == "item" else runs
            list_id, ordered = self.lists[-1]
            self.into.add(kind, runs, level=depth, list_id=list_id, ordered=ordered, role=role)
            self.item_opens = False
        elif self.quotes:
            self._quote(runs)
        else:
            self.into.add("paragraph", runs, role=role)

    def _quote(self, runs: list[Run]) -> None:
        """A quoted paragraph, unless the quote opens with `[!NOTE]`: then it is a box with that role."""
        alert = _ALERT.match(runs[0].text) if runs else None
        if alert:
            self.quotes[-1] = role_of(alert[1]) or "note"
            runs = _without_prefix(runs, _ALERT)
        self.into.add("paragraph" if self.quotes[-1] else "quote", runs, role=self._role(self.line))

    def _runs(self, children: Sequence[Token]) -> list[Run]:
        """The inline text with its marks; pictures and tags go."""
        runs: list[Run] = []
        marks: list[tuple[MarkKind, str]] = []
        for child in children:
            if child.type in ("text", "text_special", "code_inline", "softbreak", "hardbreak"):
                code: tuple[tuple[MarkKind, str], ...] = (("code", ""),) if child.type == "code_inline" else ()
                runs.append(Run(child.content or " ", (*marks, *code)))
            elif child.type in _CLOSES:
                _close(marks, _CLOSES[child.type])
            elif child.type in ("strong_open", "em_open", "link_open"):
                marks.append(_opened(child))
            elif child.type in _LEFT_OUT:
                self.into.drop(*_LEFT_OUT[child.type])
            elif child.type == "html_inline":
                _tag(child.content, runs, marks)
        return runs


def _opened(token: Token) -> tuple[MarkKind, str]:
    if token.type == "link_open":
        return "link", str(token.attrs.get("href", ""))
    return ("strong" if token.type == "strong_open" else "emphasis"), ""


def _tag(content: str, runs: list[Run], marks: list[tuple[MarkKind, str]]) -> None:
    """An inline HTML tag: a few are marks, a line break is a space, the others are nothing."""
    tag = _TAG.match(content)
    if not tag:
        return
    name = tag[2].lower()
    kind = _MARK_TAGS.get(name)
    if name == "br":
        runs.append(Run(" "))
    elif kind and not tag[1]:
        marks.append((kind, ""))
    elif kind:
        _close(marks, kind)


def _close(marks: list[tuple[MarkKind, str]], kind: MarkKind) -> None:
    """End the innermost mark of a kind; a stray closing tag ends nothing."""
    for index in range(len(marks) - 1, -1, -1):
        if marks[index][0] == kind:
            del marks[index]
            return


def _is_demo(children: Sequence[Token]) -> bool:
    """Whether a paragraph opens with a tag that is no mere emphasis: a rendered example, not a sentence."""
    visible = [child for child in children if child.type not in ("softbreak", "hardbreak") and child.content.strip()]
    first = visible[0] if visible else None
    return first is not None and first.type == "html_inline" and not _INLINE_TAGS.match(first.content)


def _renders(content: str, following: Sequence[Token]) -> bool:
    """Whether the next listing before any heading is the source of this HTML: it has nearly all of its words."""
    for token in following[:40]:
        if token.type == "heading_open":
            return False
        if token.type == "fence":
            shown, listed = (set(re.findall(r"\w+", text.lower())) for text in (content, token.content))
            return len(shown & listed) >= 0.8 * len(shown)
    return False


def _without_prefix(runs: list[Run], prefix: re.Pattern[str]) -> list[Run]:
    if runs and prefix.match(runs[0].text):
        return [Run(prefix.sub("", runs[0].text), runs[0].marks), *runs[1:]]
    return runs
