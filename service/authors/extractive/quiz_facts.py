"""Items about facts: a number in a rule, a statement against its opposite, the order of steps, what a list holds."""

from __future__ import annotations

import re
from collections.abc import Sequence

from service.authors.extractive import patterns
from service.authors.extractive.lexicon import ACTION_VERBS, OPENING_STEPS, OPPOSITES
from service.authors.extractive.material import Idea, Section, Unit
from service.authors.extractive.quiz_parts import CHOICES, Candidate, Exam, source_says
from service.authors.extractive.sentences import Sentence
from service.authors.extractive.slide_lines import bold_lead, compress, telegraph
from service.authors.extractive.verb_forms import word_classes
from service.authors.extractive.words import bag, content_words, cosine, rank, stems, words
from service.domain.quiz import Option
from service.domain.source import Cite

_RULE_LIKE = re.compile(
    r"\b(?:must|should|at least|at most|maximum|minimum|than|take|takes|limit|long|length|ratio|need|needs|every|"
    r"within|up to|recommended|works?|has|have|is|are|use)\b"
)
_HEDGED = re.compile(
    r"\b(?:this|these|those|such|may|might|perhaps|seems?|probably|likely|some|many|we|you|your|our|usually)\b",
    re.IGNORECASE,
)
_UNSAFE_FLIP = re.compile(r", but|even if|\bsince\b|\bdoes use\b|\busually\b", re.IGNORECASE)


def number_items(exam: Exam) -> list[Candidate]:
    """A number with a unit, or a ratio, taken out of a rule or a fact."""
    found: list[Candidate] = []
    for _, _, sentence in exam.told():
        match = _only_number(sentence)
        if match is None:
            continue
        key, others = _alternatives(match, sentence.text)
        if len(others) < CHOICES - 1:
            continue
        before = sentence.text[: match.start()]
        before = patterns.DROPPABLE.sub("", re.sub(r"\s*\([^()]*\)", "", before))
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
    if re.search(r"\([^)]*\d[^)]*times|over \d|between \d+ and|as discussed", text) or not _RULE_LIKE.search(text):
        return None
    found = [match for match in patterns.NUMBER.finditer(text)]
    telling = [match for match in found if match["to"] or match["unit"]]
    if len(telling) != 1 or len(found) > 2:
        return None
    value = float(telling[0]["value"].replace(",", ""))
    return None if value in (0, 1) and not telling[0]["to"] else telling[0]


def _alternatives(match: re.Match[str], seed: str) -> tuple[str, list[str]]:
    """The key as an option, and three wrong numbers, some below and some above it."""
    value = float(match["value"].replace(",", ""))
    if match["to"]:
        key = f"{match['value']}:{match['to']}"
        others = [f"{x:g}:{match['to']}" for x in (value - 1.5, value + 2.5, value * 2, value + 1) if x > 1.2]
    else:
        unit = match["unit"]
        top = 100 if "%" in unit or "percent" in unit else 1e12
        tries = (value / 2, value * 2, value * 1.5, value + 10 if value < 50 else value * 3, value / 4)
        whole = value == int(value)
        good = [x for x in tries if x != value and 0 < x < top and (x == int(x) or not whole)]
        key = _written(value, match["value"]) + unit
        others = [_written(x, match["value"]) + unit for x in good]
    distinct = list(dict.fromkeys(o for o in others if o != key))
    return key, sorted(distinct, key=lambda o: rank(seed, o))[: CHOICES - 1]


def _written(value: float, like: str) -> str:
    return f"{int(value):,}" if value == int(value) and "," in like else f"{value:g}"


def reversed_meaning(text: str) -> str:
    """The text with one listed word replaced by its opposite, so that it says the reverse; '' when none fits."""
    for word, opposite in OPPOSITES:
        found = list(re.finditer(rf"\b{word}\b", text))
        if len(found) == 1 and not re.search(rf"\b{opposite}\b", text.replace(word, "")):
            return text[: found[0].start()] + opposite + text[found[0].end() :]
    return ""


def statement_items(exam: Exam) -> list[Candidate]:
    """One faithful short sentence among three whose meaning is reversed; and reversed ones to judge alone."""
    true: list[tuple[Sentence, str]] = []
    false: list[tuple[Sentence, str, str]] = []
    for _, idea, sentence in exam.told():
        short = _statement(sentence, idea)
        if not short:
            continue
        flipped = reversed_meaning(short)
        if flipped and len(flipped) < 130 and not _UNSAFE_FLIP.search(flipped):
            false.append((sentence, flipped, short))
        elif not flipped:
            true.append((sentence, short))
    found = [item for sentence, short in true if (item := _choice(sentence, short, false))]
    return found[:1] + _to_judge(false)


def _statement(sentence: Sentence, idea: Idea) -> str:
    """The sentence's short form, if it can be judged with nothing around it."""
    if idea.kind not in ("text", "definition") or sentence.roles & {"narrative", "example", "question", "step"}:
        return ""
    if _HEDGED.search(sentence.text):
        return ""
    short = compress(sentence.text, 18)
    if not short or len(words(short)) < 6 or re.match(r"(?:There|One|Another|Beware)\b", short):
        return ""
    if re.search(r"\b(?:our|us|I|my|let|always|never|all|only|it|its|they|them|their)\b", short):
        return ""
    return "" if words(short)[0].lower() in ACTION_VERBS else short


def _choice(sentence: Sentence, short: str, false: list[tuple[Sentence, str, str]]) -> Candidate | None:
    picked = [wrong for wrong in false if abs(len(wrong[1]) - len(short)) < 45][: CHOICES - 1]
    if len(picked) < CHOICES - 1 or len(short) > max(len(wrong[1]) for wrong in picked) + 6:
        return None
    for wrong in picked:
        false.remove(wrong)
    options = [Option(text=short, rationale=source_says(sentence.text))]
    options += [Option(text=text, rationale=f"No. {source_says(s.text)}") for s, text, _ in picked]
    cites = sentence.cites + tuple(cite for s, _, _ in picked for cite in s.cites)
    return Candidate("statement", "single", "Which of these statements is correct?", options, [short], cites)


def _to_judge(false: Sequence[tuple[Sentence, str, str]]) -> list[Candidate]:
    """True or false: half of the reversible statements are shown as they stand, so that "false" is no safe guess."""
    found: list[Candidate] = []
    for sentence, flipped, short in false:
        if not 6 <= len(words(flipped)) <= 16 or not sentence.roles & {"rule", "cause", "contrast", "warning"}:
            continue
        holds = int(rank("true or false", short)[:2], 16) % 2 == 0
        reason = source_says(sentence.text)
        options = [
            Option(text="True", rationale=reason if holds else f"No. {reason}"),
            Option(text="False", rationale=f"No, it is true. {reason}" if holds else reason),
        ]
        stem = f"True or false? {short if holds else flipped}."
        right = ["True" if holds else "False"]
        found.append(Candidate("judge", "true_false", stem, options, right, sentence.cites, sorted_options=True))
    return found


def order_items(exam: Exam) -> list[Candidate]:
    """Steps to put in order, where each leads to the next."""
    found: list[Candidate] = []
    for section in exam.sections:
        for idea in section.ideas:
            steps = _ordered_steps(idea)
            if not steps:
                continue
            cites = tuple(cite for unit in idea.units for cite in unit.head.cites)
            options = [
                Option(text=step, rationale=f"Step {n}. {source_says(unit.head.text)}")
                for n, (step, unit) in enumerate(zip(steps, idea.units, strict=True), start=1)
            ]
            stem = f"{section.telling.title.rstrip(':')}: put these steps in the right order."
            found.append(Candidate("order", "ordering", stem, options, steps, cites))
    return found


def _ordered_steps(idea: Idea) -> list[str]:
    if idea.kind != "steps" or not 3 <= len(idea.units) <= 6 or len(idea.units) != len(idea.items):
        return []
    steps = [compress(unit.head.text, 18) for unit in idea.units]
    first = [words(step)[0].lower() if step else "" for step in steps]
    if not all(steps) or len(set(steps)) < len(steps) or sum(w in ACTION_VERBS for w in first) < 0.7 * len(steps):
        return []
    if any(re.search(r"\b(?:step \d|repeat|again|then|if)\b", step, re.IGNORECASE) for step in steps):
        return []
    linked = [bool(set(stems(step)) & set(bag(steps[:n]))) for n, step in enumerate(steps) if n]
    return steps if sum(linked) >= 0.75 * len(linked) and first[0] in OPENING_STEPS else []


def member_items(exam: Exam) -> list[Candidate]:
    """ "Which of these belong?": entries of a list with a telling name, against entries of other lists."""
    lists = [
        (s, i, _short_entries(i)) for s in exam.siblings() for i in s.ideas if i.kind == "list" and len(i.units) >= 3
    ]
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
    if section.parent is None or section.is_vague or len(content_words(section.title)) < 2:
        return ""
    last = words(section.title)[-1].lower()
    if word_classes(last) and "NOUN" not in word_classes(last):
        return ""
    return f"Which of these does the source list under “{section.title}”? Select all that apply."


def _plain_list(idea: Idea, entries: Sequence[tuple[str, Unit]]) -> bool:
    if any(re.match(r"[\"“]", text) or " - " in text for text, _ in entries):
        return False
    if any(bold_lead(unit.head) for unit in idea.units):
        return False
    return sum(unit.head.defines is not None for unit in idea.units) <= 1


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
        if 0.02 < cosine(bag([text]), near) < 0.25
        and (text.split()[0].lower() in ACTION_VERBS) == imperative
        and 15 < len(text) < 100
    }
    return sorted(found.items(), key=lambda pair: rank(section.title, pair[0]))
