"""The little markup of a claim: code and bold become elements, everything else stays the text that it was."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.web.prose import inline


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x<y and 3<5", "x&lt;y and 3&lt;5"),
        ("use `git add` **now**", "use <code>git add</code> <strong>now</strong>"),
        ("`a<b`", "<code>a&lt;b</code>"),
        ("__init__ and *args, **kwargs", "__init__ and *args, **kwargs"),
        ("a *word* and an _other_", "a *word* and an _other_"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("![x](http://evil.example/?leak) [y](javascript:z)", "![x](http://evil.example/?leak) [y](javascript:z)"),
        ("C:\\temp &amp; more", "C:\\temp &amp;amp; more"),
    ],
)
def test_only_code_and_bold_are_marks(text: str, shown: str) -> None:
    assert inline(text) == shown


@given(st.text(alphabet="ab<>&\"'*_`[]()!\\/ x3#-|~^:.\t"))
def test_what_is_seen_is_what_was_written_less_the_marks(text: str) -> None:
    seen = html.unescape(re.sub(r"</?(code|strong)>", "", inline(text)))
    kept = re.sub(r"[`*\s]", "", text)
    assert re.sub(r"[`*\s]", "", seen) == kept


@given(st.text(alphabet="ab<>&\"'*_`=/ scriptonerror"))
def test_no_element_but_code_and_strong_ever_comes_out(text: str) -> None:
    assert set(re.findall(r"</?([a-z]+)[^>]*>", inline(text))) <= {"code", "strong"}
