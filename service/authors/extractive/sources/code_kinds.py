"""What kind of code a short stretch of it is, so that questions set like beside like and headings name it shortly."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import Literal

from service.authors.extractive.sources.material import Reading, Section

CodeKind = Literal[
    "flag", "call", "file", "path", "constant", "literal", "operator", "command", "expression", "member", "type",
    "hyphened", "word",
]  # fmt: skip

_ENDINGS = (
    "md|txt|rst|json5?|toml|ya?ml|py|m?[jt]s|cjs|rs|cc?|cpp|hh?|lock|html?|css|cfg|conf|ini|csv|log|sh|bat|ps1|xml|sql|"
    "env|exe|dll|so|zip|gz|tar|tgz|png|jpe?g|svg|gif|java|go|rb|php|pdf|docx?|xlsx?|pptx?|pem|crt|key|ipynb|wasm"
)
_KINDS: tuple[tuple[CodeKind, re.Pattern[str]], ...] = (
    ("flag", re.compile(r"--?[A-Za-z][\w-]*(?:[ =]\S+)?")),
    ("call", re.compile(r"[\w$.:#]*\w(?:<[^<>]*>)?!?\(.*\)")),
    ("literal", re.compile(r"[\"'“].*|[\d.,]+\w?|0x[\da-f]+|[0-9a-f]{7,40}", re.DOTALL)),
    ("operator", re.compile(r"\W+")),
    ("file", re.compile(rf"[^\s=<>{{}}()]*\.(?:{_ENDINGS})|\.[a-z]\w*(?:rc|ignore|env|config)", re.IGNORECASE)),
    ("constant", re.compile(r"(?:[\w$]+\.)*[A-Z][A-Z\d]*(?:_[A-Z\d]+)+|[A-Z]{4,}")),
    ("command", re.compile(r"[a-z][\w-]*(?: [\w./:@<>\[\]~^-]+)+")),
    ("path", re.compile(r"[~.\w@{}$-]*/[\w./@{}$*-]*")),
    ("hyphened", re.compile(r"[a-z]\w*(?:-\w+)+")),
    ("member", re.compile(r"[\w$]*(?:(?:\.|::)[\w$]+)+")),
    ("type", re.compile(r"[A-Z]\w*(?:<.*>)?")),
    ("word", re.compile(r"[a-z_$][\w$]*")),
)
_NAME = re.compile(r"[\w$@][\w$.:@/*-]*(?<![.:])")
_PRODUCT = re.compile(r"[A-Z][a-z]+\.(?:js|io|NET)")
_LABELLED = re.compile(
    r"(?P<label>class|event|method|function|property|option|command|module|interface|type|attribute|field): "
    r"(?P<name>.+)",
    re.IGNORECASE,
)


def kind_of(code: str) -> CodeKind:
    """The kind by shape alone: `--all` is a flag, `os.cpus()` a call, `notes.md` a file."""
    text = code.strip("` ")
    return next((kind for kind, shape in _KINDS if shape.fullmatch(text)), "expression")


def looks_like_code(title: str) -> bool:
    """Whether a heading without marks is a name from a program: a call, a flag, a constant, a dotted or scoped name."""
    if _LABELLED.fullmatch(title):
        return True
    if " " in title.partition("(")[0] or _PRODUCT.fullmatch(title) or (title.isupper() and "_" not in title):
        return False
    shaped = kind_of(title) in ("flag", "call", "constant", "file")
    return shaped or bool(re.search(r"\w(?:::|_|\.(?=[a-z]))\w|[a-z][A-Z]|=", title))


def is_code_heading(heading: Section, reading: Reading | None) -> bool:
    """Whether the heading is the name of a piece of code: by its looks, or by how the source marks it."""
    title = heading.title
    if looks_like_code(title):
        return True
    if reading is None or heading.parent is None or heading.start < 0:
        return False
    marks = reading.marks_between(heading.start, heading.start + len(title) + 1)
    least = 0.85 if " " in title.partition("(")[0] else 0.6
    return any(kind == "code" and end - start >= least * len(title) for kind, start, end in marks)


def short_name(title: str) -> str:
    """A heading of a reference as people say it: `os.cpus()` for a call with its arguments, "the exit event"."""
    if match := _LABELLED.fullmatch(title):
        return f"the {_name(match['name']).strip(chr(39))} {match['label'].lower()}"
    return _name(title.rpartition(": ")[2])


def _name(code: str) -> str:
    code = code.strip("`'\" ")
    if kind_of(code) == "command":
        return " ".join(takewhile(lambda word: re.fullmatch(r"[a-z][\w-]*", word), code.split()))
    if kind_of(code) == "flag":
        return re.split(r"[ =\[]", code)[0].rstrip(",")
    match = _NAME.match(re.sub(r"^new ", "", code))
    if not match:
        return code
    return match[0] + ("()" if re.sub(r"^new ", "", code)[match.end() :].startswith("(") else "")


def spelled_out(code: str) -> str:
    """The words that a name is made of: "network interfaces" for `networkInterfaces()`."""
    return re.sub(r"[-_.:/]+|(?<=[a-z])(?=[A-Z])", " ", code)
