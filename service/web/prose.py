"""The little markup that texts may hold, `code` and **bold**, as safe HTML. Every other character stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup


def _parser() -> MarkdownIt:
    parser = MarkdownIt("zero", {"html": False}).enable(["backticks", "emphasis"])

    def literal(_self: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
        return tokens[index].markup

    def strong(_self: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
        token = tokens[index]
        if token.markup != "**":  # __init__ is a name, not an emphasis
            return token.markup
        return "<strong>" if token.nesting == 1 else "</strong>"

    for name, rule in {"em_open": literal, "em_close": literal, "strong_open": strong, "strong_close": strong}.items():
        parser.add_render_rule(name, rule)
    return parser


_PARSER = _parser()


def inline(text: str) -> Markup:
    """The text as HTML with `<code>` and `<strong>` at most; what a reader sees is the text, less the marks."""
    html = _PARSER.renderInline(text)
    return Markup(nh3.clean(html, tags={"code", "strong"}, attributes={}))  # noqa: S704 - cleaned in this line
