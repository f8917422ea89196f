"""The short form of a sentence for a slide: cut where it stays grammatical and true, then told in telegraph style.

Conditions, negations and exceptions are never cut. A sentence that stays too long is spoken, not shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from service.authors.extractive.language import patterns
from service.authors.extractive.language.lexicon import ACTION_VERBS
from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.verb_forms import base_verb, word_classes
from service.authors.extractive.language.words import capitalized, content_words, words

LINE_WORDS = 15

_I = re.IGNORECASE
_TAIL = re.compile(
    r",? (?:which (?:is|are|was|can|may|will|means|makes|allows|include)|such as|e\.g\.|for example|for instance|"
    r"i\.e\.|including|like when|making|allowing|as well as|because|so that|since|although|though|whereas|in order to|"
    r"so (?:we|you|it|they|that)|rather than|even if|thus|thereby)\b.*$",
    re.DOTALL,
)
_PURPOSE = re.compile(
    r",? (?:to (?:prevent|provide|avoid|ensure|reduce|help|allow|protect|support|improve|enable|achieve|keep|minimize|"
    r"increase|facilitate|maintain)|by \w+ing|even though|while|and should|and must|and (?:can|will|may|is|are)|"
    r"depending on|in addition to|along with|especially|particularly|both|e\.g\.|with the (?:goal|aim)|through|using)\b"
    r".*$",
    re.DOTALL,
)
_CONDITION = re.compile(
    r"\b(?:unless|except|only|not|never|without|until|no longer|other than|if|when|cannot|can[’\']t|don[’\']t)\b", _I
)
NEGATION = re.compile(r"\b(?:no|not|never|nobody|nothing|cannot|without|\w+n[’\']t)\b", _I)
_LEADING_CLAUSE = re.compile(
    r"^(?:Because|Since|As|Although|Though|Even though|Even if|While|Despite|Given|Using|By \w+ing|In order to|"
    r"To \w+|Beyond|Besides|Like|At (?:the )?[\w ,]{3,40}level|In addition to|Along with|Based on|According to|Perhaps|"
    r"In (?:fact|practice|recent years)|Fortunately|Unfortunately)\b[^,;:]{2,90}, (?=(?P<rest>.{12,}))",
    re.DOTALL,
)
_FRAME = re.compile(
    r"^(?:[\w ]{2,24} (?:means?|shows?|implies) that|(?:It is|It’s|It's) (?:important|worth \w+|essential|"
    r"clear|possible|a good idea|best)(?: to \w+)? that|The (?:fact|point|idea|thing) is that) (?=.{15,})"
)
_SECOND_CLAUSE = re.compile(
    r"^(.*?\w), (?:and|but|so|or) (?:it|they|we|you|this|the|a|an|he|she|then|as|that)\b", re.DOTALL
)
_OPEN_CLAUSE = re.compile(r"(?:if|when|once|unless|for|in|after|before|to)\b", _I)
_SUBORDINATE_ONLY = re.compile(r"(?:if|when|while|because|as|since|although|unless|once|for|in)\b[^,]*$", _I)
_HALF_SENTENCE = re.compile(r"(?:if|when|while|because|since|although|unless|once)\b[^,:]*$", _I)
_WANTS_MORE = re.compile(  # a list, or a verb, that goes on
    r"[,;]?\s*(?:&|and|or)$|\b(?:to|can|must|will|should|may)(?: \w+ly)? \w+$|\b(?:when|while|by|before|after) \w+ing$"
)
_DASH = re.compile(r"\s[–—-]\s|—")
_PARENTHESES = re.compile(r"\s*\((?:[^()]|\([^()]*\))*\)")
_PRONOUN_OPENING = re.compile(
    r"^(?:\w+\W+){0,2}?(?:their|its|they|them|it|this|these|those|such|his|her|he|she|so)\b", _I
)
_ALLOWED_IT = re.compile(
    r"(?:It is (?:your|a failure|hard|easy|a good|important|necessary|recommended|best|possible)|Do so)"
)
_LAST_CLAUSE = re.compile(r"\b(?:that|which|who) ((?:(?!\b(?:that|which|who)\b).)*)$")
_BROKEN_END = re.compile(
    r"\b(?:the|a|an|of|to|and|or|is|are|with|by|for|in|that|as|from|at|not|be|most|more|so|also|than|if|when|your|"
    r"their|its|will|can|should|must|may|which|who|where|how|what|we|you|they|has|have|was|were|do|does)$"
)
_FINITE = re.compile(
    r"\b(?:is|are|was|were|has|have|had|can|could|may|might|must|shall|should|will|would|do|does|did|cannot|"
    r"\w+n[’']t|means|makes|allows|prevents|provides|requires|uses|needs|shows|helps|lets|gives|keeps|contains|"
    r"includes|refers|creates|claims|says|thinks|believes|asks|sees|takes|offers|depends|protects|works|goes|comes|"
    r"occurs|happens|becomes|remains|recommend)\b",
    _I,
)
_ARTICLE = re.compile(r"\b(?:the|an?)\s+(?=[\w`“‘\"'])", _I)
_PASSIVE = re.compile(
    r"^(?P<subject>(?:[\w’'-]+ ){1,5}?)(?:should|must|needs? to|ha(?:s|ve) to|shall) "
    r"(?P<how>always |never |not |only |also )?be (?P<verb>\w+(?:ed|en|wn|pt|lt|nt|de|ut|et|ld|ught)) "
    r"(?!by )(?P<rest>.{4,})$"
)
_COPULA = re.compile(
    r"^(?P<subject>(?:[\w’'/-]+ ){1,4})(?:is|are) "
    r"(?P<rest>(?:an?|the) .{8,})$"
)
_NO_PASSIVE = re.compile(r"\b(?:which|that|who|what|and|or|if|when|order|used|users?|you|we)\b")
_NO_COPULA = re.compile(
    r"\b(?:which|that|who|what|if|when|wherever|whenever|where|how|why|because|since|while|although|though|once|"
    r"unless|until|after|before|there|it|this|these|you|we|\w+n[’']t|to|can|will|as|one|not|never)\b",
    _I,
)
_EMPTY_LINE = re.compile(r"\b(?:one example|an example|examples)$")
_NO_COPULA_REST = re.compile(
    r"(?:not|one (?:example|of)|an? (?:\w+ )?example|\w+ly|\w+ing|\w+ed (?:by|to|in|with|as)|then|never|also|up to)\b"
)
_MODAL_OPENING = re.compile(
    r"^(?:It is (?:important|recommended|best|necessary|essential) (?:to|that)|(?:You (?:can|should|need to|must|"
    r"have to|will need to)|We (?:should|need to|must|have to)) (?:also |always )?|"
    r"(?:You|We) (?:also )?(?:recommend|suggest)s? (?:that )?"
    r")\s*(?=\w)"
)
_SUBJUNCTIVE = re.compile(
    r"^It (?:is|was) (?:recommended|suggested|required|important|best|necessary|essential) that (?P<what>[^,;]+?) be\b"
)
_TELEGRAPH = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\b(?:that|which) (?:is|are) (?=\w+(?:ed|ing|en)\b)", ""),
        (r"\bin order to\b", "to"),
        (r"\b(?:a number of|a variety of|various) ", ""),
        (r"\b(?:very|really|simply|quite|actually|easily|also)\s", ""),
        (r"\bat least (?=\d)", "≥ "),
        (r"\b(?:greater|more|longer|higher) than (?=\d)", "> "),
        (r"\b(?:less|fewer|shorter|lower) than (?=\d)", "< "),
        (r"\bdo not\b", "don’t"),
        (r"\bcannot\b", "can’t"),
        (r"\bfor example,? ", ""),
    )
)
_HOW = {"never ": "Never ", "not ": "Do not ", "only ": "Only ", "always ": "Always "}
_ITEM_HEAD = re.compile(
    r"^(.{8,60}?\b[\w’'`-]{3,})(?:,|;|:| (?:before|when|with|by|for|so|because|that|which|while|after|if|unless|until|"
    r"using|from|through|via|without|whether|where|as|in|on|at|to(?= (?:the|an?|your|each|\d)))\b)"
)
_ITEM_OPENING = re.compile(
    r"(?:if|when|for|in|on|to|as|while|because|although|not|using|by|with|without|at|from|after|before|once)\b", _I
)
_STEP_BY_MEANS = re.compile(r"^(?:Using|With|By \w+ing)\b[^.:;]{3,80}, (?P<main>\w[^,]*)$")
_CONDITIONAL_STEP = re.compile(r"^(?:In|For|If|When|Where|Once|After|Before)\b[^,]{5,160}, (?P<main>\w.*)")
_ITEM_BROKEN = re.compile(
    r"\b(?:is|are|be|was|the|a|can|should|must|not|have|has|able|sure|need|needs|prior|they|it|you|we|that|how|what|"
    r"\w+ed)$"
)


@lru_cache(maxsize=20_000)
def compress(text: str, limit: int = LINE_WORDS) -> str:
    """A shorter, still grammatical and still true form of at most `limit` words (articles not counted), or ''.

    Cuts are tried from the mildest to the hardest; the first that fits is taken.
    """
    bare = patterns.DROPPABLE.sub("", patterns.LABEL.sub("", _PARENTHESES.sub("", text).strip()))
    whole = capitalized(_SUBJUNCTIVE.sub(r"\g<what> should be", bare))
    for candidate in _candidates(whole):
        cut = candidate.strip().rstrip(" .,;:")
        if not _fits(cut, limit, len(words(text))):
            continue
        if cut == whole.rstrip(" .,;:"):
            return cut
        clause = _LAST_CLAUSE.search(cut)
        if clause and not has_finite_verb(f"it {clause[1]}"):
            continue
        if has_finite_verb(cut) or words(cut)[0].lower() in ACTION_VERBS:
            return cut
    return ""


def _fits(cut: str, limit: int, original: int) -> bool:
    count = len(words(_ARTICLE.sub("", cut)))
    if count > limit or not count or (count < 3 and original > 6):
        return False
    if _HALF_SENTENCE.match(cut):
        return False
    if _PRONOUN_OPENING.match(cut) and not _ALLOWED_IT.match(cut):
        return False
    if cut.count('"') % 2 or cut.count("“") != cut.count("”") or cut.count("(") != cut.count(")"):
        return False
    return not _BROKEN_END.search(cut)


def _candidates(text: str) -> Iterator[str]:
    yield text
    for cut in (_cut_leading, _cut_frame, _cut_semicolon, _cut_dash):
        shorter = cut(text)
        if shorter != text:
            text = shorter
            yield text
    for pattern in (_TAIL, _PURPOSE):
        for _ in range(2):
            shorter = _cut_tail(text, pattern)
            if shorter == text:
                break
            text = shorter
            yield text
    match = _SECOND_CLAUSE.match(text)
    if match and len(words(match[1])) >= 5 and not _OPEN_CLAUSE.match(match[1]):
        yield match[1]


def _cut_leading(text: str) -> str:
    match = _LEADING_CLAUSE.match(text)
    if not match or _CONDITION.search(match[0]) or re.search(r"\b(?:,|and|or)\s*$", match[0]):
        return text
    return capitalized(match["rest"])


def _cut_frame(text: str) -> str:
    match = _FRAME.match(text)
    return capitalized(text[match.end() :]) if match else text


def _cut_semicolon(text: str) -> str:
    return text.partition(";")[0]


def _cut_dash(text: str) -> str:
    parts = _DASH.split(text, maxsplit=1)
    return parts[0] if len(parts) == 2 and not _CONDITION.search(parts[1]) else text


def _cut_tail(text: str, pattern: re.Pattern[str]) -> str:
    match = pattern.search(text)
    if not match:
        return text
    head, tail = text[: match.start()], re.sub(r"(?:because|since|even).*", "", match[0])
    if len(words(head)) < 5 or _CONDITION.search(tail) or _WANTS_MORE.search(head):
        return text
    if pattern is _PURPOSE and NEGATION.search(head):
        return text  # what is denied is denied of all of it
    return text if _SUBORDINATE_ONLY.match(head) else head


def has_finite_verb(text: str) -> bool:
    """Whether a main verb is there: an auxiliary, a common verb, or an s-form that is only ever a verb."""
    if _FINITE.search(text):
        return True
    found = [word.lower() for word in words(text)]
    if any(w.endswith("s") and w[:-1] in ACTION_VERBS and "NOUN" not in word_classes(w) for w in found[1:]):
        return True
    return any(w in ACTION_VERBS and "NOUN" not in word_classes(w) for w in found[1:5])


def telegraph(text: str) -> str:
    """Slide style: "The salt must be added to X" → "Add the salt to X", "X is a Y" → "X: a Y"; a whole phrase."""
    line = _MODAL_OPENING.sub("", text)
    line = _active(line) or _labelled(line) or line
    for pattern, replacement in _TELEGRAPH:
        line = pattern.sub(replacement, line)
    return capitalized(re.sub(r"(?<=\w)—.*$", "", line).strip())


def _active(line: str) -> str:
    match = _PASSIVE.match(line)
    if not match or match["subject"].split()[0].lower() in ACTION_VERBS or _NO_PASSIVE.search(match["subject"]):
        return ""
    verb = base_verb(match["verb"])
    if not verb or verb == match["verb"]:
        return ""
    subject = match["subject"].strip()
    first = subject.split()[0]
    if not first[:2].isupper() and first[1:] == first[1:].lower():
        subject = subject[:1].lower() + subject[1:]
    return capitalized(f"{_HOW.get(match['how'] or '', '')}{verb} {subject} {match['rest']}")


def _labelled(line: str) -> str:
    match = _COPULA.match(line)
    if not match or _NO_COPULA.search(match["subject"]) or _NO_COPULA_REST.match(match["rest"]):
        return ""
    if re.search(r"\b(?:is|are)\b", match["rest"]) or match["subject"].split()[0].lower() in ACTION_VERBS:
        return ""
    article = _ARTICLE.match(match["subject"])  # only its own: “Skipping the wait” would lose what it is about
    return f"{match['subject'][article.end() if article else 0 :].strip()}: {match['rest']}"


def slide_line(sentence: Sentence, limit: int = LINE_WORDS) -> str:
    """The sentence as a slide shows it, code set as code; '' when it does not get short enough."""
    cut = compress(sentence.text, limit)
    line = telegraph(cut) if cut else ""
    too_little = len(words(line)) < 3 and sentence.length > 6
    return "" if too_little or _EMPTY_LINE.search(line) else set_code(_recased(line, sentence), sentence)


def as_shown(line: str, sentence: Sentence) -> str:
    """A line made of the sentence, with its code set as code and spelled as code is."""
    return set_code(_recased(line, sentence), sentence)


def _recased(line: str, sentence: Sentence) -> str:
    """The line with a small first letter where code opens the sentence."""
    opens = any(mark.kind == "code" and mark.start == 0 for mark in sentence.marks)
    first = sentence.text[:1]
    return first + line[1:] if opens and line[:1].lower() == first else line


def item_line(sentence: Sentence) -> str:
    """A list entry on a slide: its bold lead-in, else its short form, else the head of its phrase; or ''."""
    lead = bold_lead(sentence)
    if lead:
        return set_code(lead, sentence)
    text = re.sub(r"[,;]? (?:and|or)$", "", sentence.text.rstrip(" .;,"))
    whole = compress(text, 99) or _PARENTHESES.sub("", text)
    if len(words(whole)) <= 10:
        return set_code(_recased(telegraph(whole), sentence), sentence)
    head = _ITEM_HEAD.match(whole)
    if head and _is_good_head(head[1], whole[head.end(1) :]):
        return set_code(_recased(telegraph(head[1]), sentence), sentence)
    cut = compress(text)
    if cut:
        return set_code(_recased(telegraph(cut), sentence), sentence)
    means = _STEP_BY_MEANS.match(whole)
    if means and words(means["main"])[0].lower() in ACTION_VERBS:
        return (
            set_code(telegraph(capitalized(means["main"])), sentence) if len(words(means["main"])) <= LINE_WORDS else ""
        )
    conditional = _CONDITIONAL_STEP.match(whole)
    if conditional and words(conditional["main"])[0].lower() in ACTION_VERBS:
        cut = compress(capitalized(conditional["main"]), 12)
        return set_code(f"Where it applies: {telegraph(cut)[:1].lower()}{telegraph(cut)[1:]}", sentence) if cut else ""
    return ""


def _is_good_head(head: str, rest: str) -> bool:
    if not 3 <= len(words(head)) <= 8 or len(content_words(head)) < 3:
        return False
    if re.search(r"\b(?:that|which|who|until|before|after)\b", head) or re.search(
        r"\b(?:be|is|are|must|should|can|will)\b", rest
    ):
        return False
    return not (_CONDITION.search(rest) or _ITEM_OPENING.match(head) or _ITEM_BROKEN.search(head))


def bold_lead(sentence: Sentence) -> str:
    """The bold words that a list entry opens with and that are set off from the rest; '' when there are none."""
    text = sentence.text
    for mark in sentence.marks:
        if mark.kind not in ("strong", "term") or mark.start > 1 or mark.end >= len(text) - 3:
            continue
        inside, after = text[mark.start : mark.end].rstrip(), text[mark.end :].lstrip()
        lead = inside.strip(" :.–-—")
        if (inside[-1:] in ":." or after[:1] in ":–-—") and 0 < len(words(lead)) <= 8:
            return "" if lead.split()[0] in ("If", "Use", "For", "When", "Consider") else lead
    return ""


def set_code(line: str, sentence: Sentence) -> str:
    """The line with the sentence's stretches of code between back-ticks, as storyboards write code."""
    for code in sorted(set(sentence.code()), key=len, reverse=True):
        if "`" not in code and len(code) > 1:
            line = re.sub(rf"(?<![`\w]){re.escape(code)}(?![`\w])", lambda _, c=code: f"`{c}`", line)  # type: ignore[misc]
    return line
