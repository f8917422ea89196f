"""Items about facts: a number in a rule, what a list holds."""

from __future__ import annotations

import re
from collections.abc import Sequence

from service.authors.extractive.language import patterns
from service.authors.extractive.language.clauses import states
from service.authors.extractive.language.lexicon import ACTION_VERBS
from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.slide_lines import bold_lead, compress, telegraph
from service.authors.extractive.language.verb_forms import is_imperative, word_classes
from service.authors.extractive.language.words import bag, content_words, cosine, is_plural, rank, words
from service.authors.extractive.quizzes.parts import CHOICES, Candidate, Exam, gives_away, source_says
from service.authors.extractive.sources.material import Idea, Section, Unit
from service.domain.quiz import Option
from service.domain.source import Cite

_RULE_LIKE = re.compile(
    r"\b(?:must|should|at least|at most|maximum|minimum|than|take|takes|limit|long|length|ratio|need|needs|every|"
    r"within|up to|recommended|works?|has|have|is|are|use|costs?|makes?|reach(?:es)?|contains?|holds?|lasts?|turns?|"
    r"becomes?|comes?|remembers?|since|until|before|after|repeats?|sends?|waits?)\b"
)
_LOOSE_NUMBER = re.compile(r"\([^)]*\d[^)]*times|over \d|roughly \d|between \d+ and|as discussed")


def number_items(exam: Exam) -> list[Candidate]:
    """A number with a unit, or a ratio, taken out of a rule or a fact."""
    found: list[Candidate] = []
    for _, sentence in exam.facts():
        match = _only_number(sentence)
        if match is None:
            continue
        key, others = _alternatives(match)
        if len(others) < CHOICES - 1:
            continue
        before = sentence.text[: match.start()]
        before = patterns.DROPPABLE.sub("", re.sub(r"\s*\([^()]*\)", "", before))
        before = re.sub(r"^(?:Please )?[Nn]ote,? (?:that )?", "", before)
        stem = f"Fill the gap: {before[:1].upper()}{before[1:]}_____{sentence.text[match.end() :]}"
        reason = source_says(sentence.text)
        options = [Option(text=key, rationale=reason)]
        options += [Option(text=o, rationale=f"No, it is {key}. {reason}") for o in others]
        options.sort(key=lambda option: float(re.sub(r"[^\d.].*$", "", option.text.replace(",", ""))))
        found.append(Candidate("number", "cloze", stem, options, [key], sentence.cites, sorted_options=True))
    return found


def _only_number(sentence: Sentence) -> re.Match[str] | None:
    text = sentence.text
    if not 8 <= sentence.length <= 30 or sentence.roles & {"example", "narrative"} or re.match(r"[^ ]+:", text):
        return None
    if re.match(r"(?:Here|There|Now|In this|Which)\b", text):
        return None
    if re.search(r"\([^)]*\d[^)]*times|over \d|roughly \d|between \d+ and|as discussed", text) or not _RULE_LIKE.search(
        text
    ):
        return None
    found = [match for match in patterns.NUMBER.finditer(text)]
    telling = [m for m in found if m["to"] or m["unit"]]  # a year would only ask when something took place
    if len(telling) != 1 or len(found) > 2:
        return None
    if not _fair(text, telling[0]):
        return None
    value = float(telling[0]["value"].replace(",", ""))
    return None if value in (0, 1) and not telling[0]["to"] else telling[0]


def _fair(text: str, number: re.Match[str]) -> bool:
    """Whether the number is no time of day, no end of a range, and nothing before it stands for something unsaid."""
    if number["to"] and number["to"] != "1" and "ratio" not in text:
        return False
    if "." in number["value"] and not number["to"]:
        return False  # nobody need remember a measured decimal
    before = text[: number.start()]
    return not re.search(r"\d[\w%]* (?:to|or|and|–|-) $|\b(?:it|they|its|their|he|she)\b", before, re.IGNORECASE)


def _alternatives(match: re.Match[str]) -> tuple[str, list[str]]:
    """The key as an option, and wrong numbers below and above it, near enough to be believed."""
    value = float(match["value"].replace(",", ""))
    if match["to"]:
        key = f"{match['value']}:{match['to']}"
        return key, [f"{x:g}:{match['to']}" for x in (value - 1.5, value + 1, value + 2.5, value * 2) if x > 1.2]
    unit = match["unit"] or ""
    tries = [value * part for part in (0.25, 0.5, 0.75, 1.25, 1.5, 2, 3)]
    if value < 12 and value == int(value):
        tries = [value - 3, value - 2, value - 1, value + 1, value + 2, value + 4]
    if 10 <= value <= 100 and value % 5 == 0:
        step = 5 if value <= 30 else 10
        tries = [value + n * step for n in (-3, -2, -1, 1, 2, 3)]
    top = 100 if re.search(r"%|percent", unit) else 1e12
    least = 1 if unit.endswith("s") else 0
    good = [x for x in tries if least < x < top and (x == int(x) or value != int(value))]
    others = [_written(x, match["value"]) + unit for x in good]
    key = _written(value, match["value"]) + unit
    return key, [other for other in dict.fromkeys(others) if other != key]


def _written(value: float, like: str) -> str:
    return f"{int(value):,}" if value == int(value) and "," in like else f"{value:g}"


def member_items(exam: Exam) -> list[Candidate]:
    """ "Which of these belong?": entries of a list with a telling name, against entries of other lists."""
    lists = exam.once("lists", lambda: _lists(exam))
    own = {(idea.units[0].head.start) for s in exam.sections for idea in s.ideas if idea.kind == "list" and idea.units}
    found: list[Candidate] = []
    for section, idea, entries in lists:
        question = _question_for(section, idea) if idea.units[0].head.start in own and len(entries) >= 3 else ""
        if not question or not _plain_list(idea, entries):
            continue
        wrong = _wrong_entries(lists, section, [text for text, _ in entries])
        if len(wrong) < 2:
            continue
        right = sorted(entries, key=lambda entry: rank(section.title, entry[0]))[: 3 if len(wrong) > 2 else 2]
        options = [Option(text=text, rationale=source_says(unit.head.text)) for text, unit in right]
        options += [
            Option(text=text, rationale=f"No: the source names it under “{title}”.")
            for text, title in wrong[: 5 - len(right)]
        ]
        cites: tuple[Cite, ...] = tuple(cite for _, unit in right for cite in unit.head.cites)
        found.append(Candidate("member", "multiple", question, options, [text for text, _ in right], cites))
    return found


def _lists(exam: Exam) -> list[tuple[Section, Idea, list[tuple[str, Unit]]]]:
    return [
        (s, i, _short_entries(i)) for s in exam.siblings() for i in s.ideas if i.kind == "list" and len(i.units) >= 3
    ]


def _short_entries(idea: Idea) -> list[tuple[str, Unit]]:
    entries = []
    for unit in idea.units:
        cut = compress(unit.head.text, 14)
        plain = sum(word.isalpha() for word in words(cut)) >= 4 and not re.search(r"[=:<>]", cut)
        if cut and len(words(cut)) >= 4 and plain:
            entries.append((telegraph(cut), unit))
    return entries


def _question_for(section: Section, idea: Idea) -> str:
    lead = idea.lead
    if lead is not None and "following" in lead.text and 4 <= lead.length <= 24 and not lead.leans:
        text = lead.plain.rstrip(": .")
        if not re.search(r"\b(?:are|to|is|as|be|including|include|that|for|by|of)$", text):
            return f"{text}. Which of these does the source name? Select all that apply."
    if (
        section.parent is None
        or section.is_vague
        or section.title.endswith("?")
        or len(content_words(section.title)) < 2
    ):
        return ""
    head = words(re.split(r" (?:of|for|in|to|that|with) ", section.title)[0])[-1].lower()
    if not is_plural(head) or (word_classes(head) and "NOUN" not in word_classes(head)):
        return ""  # only a plural names what its entries are
    return f"Which of these does the source list under “{section.title}”? Select all that apply."


def _plain_list(idea: Idea, entries: Sequence[tuple[str, Unit]]) -> bool:
    if any(re.match(r"[\"“]", text) or " - " in text for text, _ in entries):
        return False
    if any(not text[0].isalpha() or "{" in text or "—" in text for text, _ in entries) or _mixed(
        [text for text, _ in entries]
    ):
        return False
    if any(bold_lead(unit.head) for unit in idea.units):
        return False
    return sum(unit.head.defines is not None for unit in idea.units) <= 1


def _mixed(texts: Sequence[str]) -> bool:
    """Whether some tell to do something and others do not, or some are statements: no list of one kind of thing."""
    orders = sum(is_imperative(text) for text in texts)
    statements = sum(states(text) and not is_imperative(text) for text in texts)
    return 0.2 * len(texts) < orders < 0.8 * len(texts) or statements > 0.2 * len(texts)


def _wrong_entries(
    lists: Sequence[tuple[Section, Idea, list[tuple[str, Unit]]]], section: Section, own: Sequence[str]
) -> list[tuple[str, str]]:
    """Entries of other sections' lists: the same kind of phrase, about other things."""
    near = bag(own)
    imperative = own[0].split()[0].lower() in ACTION_VERBS
    found = {
        text: other.title
        for other, _, entries in lists
        if other is not section and other.title != section.title
        for text, _ in entries
        if not gives_away(text, section.title)
        and not re.match(r"(?:for|in|on|at|if|when|to) ", text, re.IGNORECASE)
        and 0.02 < cosine(bag([text]), near) < 0.25
        and (text.split()[0].lower() in ACTION_VERBS) == imperative
        and 15 < len(text) < 100
    }
    return sorted(found.items(), key=lambda pair: rank(section.title, pair[0]))
