"""What the voice reads: code by its name, signs and abbreviations as words, asides in brackets left out."""

from __future__ import annotations

import re

from service.authors.extractive.language.lexicon import SPOKEN_SIGNS
from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.words import capitalized, words

_I = re.IGNORECASE
_ON_SCREEN = "the code shown on screen"
_SAID = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\be\.g\.,?", "for example,"),
        (r"\bi\.e\.,?", "that is,"),
        (r"\betc\.(?=\s*$)", "and so on."),
        (r"\betc\.", "and so on"),
        (r"\band/or\b", "or"),
        (r"\bex\.?(?=[\s:])", "for example"),
        (r"^(?:Note|Tip):\s*", ""),
        (r"^([A-Z]) [-–—] (?=\w)", r"\1: "),
        (r"^([A-Z][\w’'/-]*(?: [\w’'/-]+){0,4}) [-–—] [Tt]he (?=\w)(?!.* [-–—] )", r"\1: the "),
        (r"^([A-Z][\w’'/-]*(?: [\w’'/-]+){0,4}) [-–—] [Aa](n?) (?=\w)(?!.* [-–—] )", r"\1: a\2 "),
        (r"\bvs\.?(?=\s)", "versus"),
        (r"\bw/o\b", "without"),
        (r"&", " and "),
        (r"\s*\(?\[\d+\]\)?", ""),
        (r"(\d)\s?:\s?(\d)(?!\d\d\b|\d:)", r"\1 to \2"),
        (r"(\d+)\^(\d+)", r"\1 to the power \2"),
        (r"(\d)\s?%", r"\1 percent"),
        (r"(\d)\s?°C\b", r"\1 degrees Celsius"),
        (r"\$(\d[\d,]*)", r"\1 dollars"),
        (r"(?<=\d)[–-](?=\d)", " to "),
        (r",? (?:so|and) let[’']s (?:try|do|see|look at) (?:this|that|it)(?=[.:]?$)", ""),
        (r"\s>\s(?=[A-Z])", ", then "),
        (r"≥", " at least "),
        (r"≤", " at most "),
        (r"[→⇒]", " to "),
        (r"(?<=\w)/(?=\w)", " or "),
        (r"\s[-–—]\s|—", ", "),
        (r"[“”\"*_`]", ""),
        (r"\s{2,}", " "),
        (r"\s+([.,;:!?])(?=[\s)]|$)", r"\1"),
        (r"(?<![\w:])::(?=\w)", "double colon "),
        (r"(?<![\w.])\.(?=[a-z])", "dot "),
        (r",+", ","),
    )
)
_CODE_SAID = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"^\$ ", ""),
        (r"\s--(?=\w)", " dash dash "),
        (r"\s-(?=\w)", " dash "),
        (r"(?<=\w)\.(?=\w)", " dot "),
        (r"(?<!\w)\.(?=\w)", "dot "),
        (r"/", " slash "),
        (r"_", " underscore "),
        (r"~", " tilde "),
        (r"[<>{}\[\]()|;\"'=*#\\]+", " "),
        (r"\s+", " "),
    )
)
_BRACKET_NEEDED = re.compile(r"\b(?:of|is|to|than|at)$")
_BRACKET_SILENT = re.compile(
    r"et al|\b(?:19|20)\d\d\b|\b(?:Table|Figure|Fig|Section|Appendix) ?\d|"
    r"^(?:see|e\.g|i\.e|ex\b|and other|https?|[a-z]\))",
    _I,
)
_NAMED_CODE = re.compile(rf"\b(IDs?|values?|names?|files?|commands?|keys?|address|URLs?|text|settings?) {_ON_SCREEN}")
_KEY_SIGNS = re.compile(r"\s*(?:\bor )?[↵⏎⌘⇧]+")
_TAG = re.compile(r"</?([a-z][\w-]*)\s*/?>", _I)
_OPEN, _CLOSE = "\x01", "\x02"


def speech_of(sentence: Sentence, prefix: str = "") -> str:
    """The sentence as the voice reads it; '' when that equals the text, so that a cue need not say it twice."""
    spoken = prefix + towards_screen(speak(sentence.text, sentence))
    return "" if spoken == sentence.text else spoken


def towards_screen(text: str) -> str:
    """A sentence that points below points at the screen when it is heard."""
    text = re.sub(r"^Below (is|are)\b", r"Here \1", text)
    text = re.sub(r"\bby doing the following\b", "like this", text)
    text = re.sub(r"\bthe following(?=[:.]?$)", "these points", text)
    text = re.sub(
        r"\b([Tt])he following ((?:code|text|output)(?: (?:snippet|block|listing))?)\b", r"\1he \2 on screen", text
    )
    text = re.sub(r"\bthe following ((?:[a-z]+ ){0,2}?[a-z]+s)\b(?! (?:is|command))", r"these \1", text)
    text = re.sub(r"\bthe following ([a-z]+)", r"the \1 on screen", text)
    text = re.sub(r"\b(?:as follows|as shown below|shown below)\b", "like this", text)
    text = re.sub(r"\bthe following\b", "what you see on screen", text)
    return re.sub(r"\bbelow\b(?! (?:the|a|an|average|zero|\d))", "on screen", text)


def speak(text: str, sentence: Sentence | None = None) -> str:
    """The text in words that can be said, ending in a full stop, question or exclamation mark."""
    spoken = _say_code(text, sentence)
    if spoken.startswith("(") and spoken.rstrip(".").endswith(")") and spoken.find(")") >= len(spoken) - 2:
        spoken = spoken[1:].rstrip(".").removesuffix(")")
    spoken = _say_brackets(spoken)
    spoken = re.sub(rf"\b(?:an?|the) ({_OPEN}the code)", r"\1", spoken, flags=_I)
    parts = re.split(rf"({_OPEN}.*?{_CLOSE})", spoken)
    said = "".join(part[1:-1] if part.startswith(_OPEN) else _say_signs(part) for part in parts)
    said = _NAMED_CODE.sub(r"\1 shown on screen", said)
    said = re.sub(r"\s+", " ", _KEY_SIGNS.sub("", said))
    for ugly, clean in ((" ,", ","), (",.", "."), (",,", ","), (", ,", ","), (" .", "."), (",:", ":"), (", :", ":")):
        said = said.replace(ugly, clean)
    said = re.sub(r"([.?!])(['’”\"]?)\.$", r"\1\2", said.strip())
    if said and not re.search(r"[.!?…。！？]['’”\")]*$", said):
        said = said.rstrip(" ,;:") + "."
    return capitalized(said)


def _say_code(text: str, sentence: Sentence | None) -> str:
    if sentence is None or sentence.text != text:
        return text
    out, at = "", 0
    for mark in sentence.marks:
        if mark.kind != "code" or mark.start < at:
            continue
        out += text[at : mark.start] + _OPEN + code_by_name(text[mark.start : mark.end]) + _CLOSE
        at = mark.end
    return out + text[at:]


def _say_signs(part: str) -> str:
    part = _TAG.sub(r"\1", re.sub(r"https?://\S+", "", part))
    for pattern, replacement in _SAID:
        part = pattern.sub(replacement, part)
    return part


def _say_brackets(text: str) -> str:
    def said(match: re.Match[str]) -> str:
        inside = match[1]
        if _BRACKET_NEEDED.search(match.string[: match.start()]):
            return " " + inside
        count = len(words(inside))
        if count > 12 or count <= 1 or _BRACKET_SILENT.search(inside):
            return ""
        return f", {inside},"

    return re.sub(r"\s*\(([^()]*)\)", said, text)


def code_by_name(code: str) -> str:
    """How a stretch of code is said: its words, its signs when it is short, else that it stands on the screen."""
    tag = _TAG.fullmatch(code.strip())
    if tag:
        return tag[1]
    if can_be_said(code):
        said = code
        for pattern, replacement in _CODE_SAID:
            said = pattern.sub(replacement, said)
        return said.strip()
    return _ON_SCREEN if len(code) > 12 else _spell(code)


def can_be_said(code: str) -> bool:
    """Whether the code is made of words, so that reading it aloud helps."""
    code = re.sub(r"^\$ ", "", code)
    if re.search(r"\b(?=\w*\d)(?=\w*[a-z])\w{12,}\b", code):
        return False
    code = re.sub(r"[\[<](\w+)[\]>]", r"\1", code)
    signs = len(re.sub(r"[\w\s./-]", "", code))
    return len(code) <= 60 and signs <= max(1, len(code) * 0.06) and bool(re.search(r"[A-Za-z]{2}", code))


def _spell(code: str) -> str:
    if len(set(code)) == 1 and len(code) > 2:
        return f"a line of {SPOKEN_SIGNS.get(code[0], code[0])} signs"
    code = re.sub(r"([<>=*#~+-])\1{2,}", lambda m: f" a row of {SPOKEN_SIGNS.get(m[1], m[1])} signs ", code)
    code = re.sub(r"(?<=\w)-(?=\w)", " ", code)
    return re.sub(r"\s+", " ", "".join(f" {SPOKEN_SIGNS[c]} " if c in SPOKEN_SIGNS else c for c in code)).strip()
