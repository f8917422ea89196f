"""Choices from sentences that answer a question of their own: the answers of other sentences are the wrong options."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from service.authors.extractive.language.clauses import FIRST_PERSON, HANGS_IN_ANSWER, is_order
from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.slide_lines import set_code
from service.authors.extractive.language.verb_forms import base_verb, is_imperative
from service.authors.extractive.language.words import bag, capitalized, cosine, rank, stems, words
from service.authors.extractive.quizzes.asked import Asked
from service.authors.extractive.quizzes.parts import CHOICES, Candidate, Exam, gives_away, source_says
from service.authors.extractive.quizzes.predicates import about_one, mood, predicate_asked
from service.authors.extractive.quizzes.shapes import asked_of
from service.authors.extractive.sources.code_kinds import is_code_heading
from service.authors.extractive.sources.material import Section
from service.domain.quiz import Option

SHORTEST_OPTION, LONGEST_OPTION = 2, 22  # words
# Two good wrong options do as well as three of which one fills up (Rodriguez 2005, "Three options are optimal").
LEAST_WRONG = 2
LOOKED_AT = 12  # answers to other questions, before two are found that echo this one
CLUES_SHARED = 2  # wrong options that echo the question as the right one does, so that the echo gives nothing away
NEIGHBOURS = 500  # characters between sentences that may tell of one thing, so that both answers would be right
FEWEST_PAIRS, MOST_PAIRS, ALIKE = 3, 5, 0.4
CLEAR_WITHOUT_PLACE = 14  # words of a question that says by itself what it is about
_EARLY_PRONOUN = re.compile(r"(?:\S+ ){0,3}(?:it|its|they|them|their|that as well)\b", re.IGNORECASE)
_ADDED = re.compile(r"; | – | — |, (?:but|so|which|because|as)\b")


def in_place(question: str, section: Section) -> str:
    """The question with the heading before it where it speaks of "the file" and does not say what about it is."""
    title = section.telling.title.rstrip(":?. ")
    bare = re.sub(r"“[^”]*”", "", question) if question.startswith("Why") else question
    vague = re.search(r"\bthe [a-z]", bare) or len(words(question)) < CLEAR_WITHOUT_PLACE
    if not vague or set(stems(title)) & set(stems(question)) or len(title.split()) > 6 or section.title.endswith("?"):
        return question
    return f"{title}: {question[:1].lower()}{question[1:]}"


def choice_items(exam: Exam) -> list[Candidate]:
    """The question of a sentence with the answers of other sentences of the same shape as wrong options."""
    pool = exam.once("answers", lambda: _answers(exam))
    found: list[Candidate] = []
    for section, _, sentence in exam.told():
        asked = _asked(sentence, exam) if is_running_text(section, exam) else None
        shown = _option(asked, sentence) if asked else ""
        if not asked or not shown or not _matters(asked, section) or exam.of_the_example(sentence):
            continue
        wrong = _wrong(
            asked, shown, list(islice(_others(asked, shown, sentence, pool.get(_kind(asked), [])), LOOKED_AT))
        )
        if not wrong:
            continue
        options = [Option(text=shown, rationale=source_says(sentence.text))]
        options += [
            Option(text=other.answer, rationale=f"No. That answers another question. {source_says(said.text)}")
            for said, other in wrong
        ]
        stem = set_code(_stem(asked, section), sentence)
        found.append(Candidate(f"choice-{asked.form}", "single", stem, options, [shown], sentence.cites))
    return found


def _asked(sentence: Sentence, exam: Exam) -> Asked | None:
    """The question that the sentence answers; of one that only states something, what it says of its subject."""
    asked = asked_of(sentence, exam.library.casing)
    return asked if asked and asked.form != "effect" else predicate_asked(sentence) or asked


def _matters(asked: Asked, section: Section) -> bool:
    """Whether a statement is about the section's matter; a case, a way or a reason is worth its own question."""
    if asked.form not in ("effect", "says"):
        return True
    return bool(set(stems(asked.given)) & set(stems(section.telling.title)))


def _stem(asked: Asked, section: Section) -> str:
    """The question; of what happens in a case, and of a rule, the sentence that wants its ending."""
    if asked.form == "happens":
        return f"How does this sentence end? “{capitalized(asked.opening)}, …”"
    if asked.form == "says":
        return f"How does this sentence end? “{capitalized(asked.opening)} …”"
    return in_place(asked.question, section).replace("Complete the rule:", "Which words complete the rule?")


def _wrong(asked: Asked, shown: str, others: Sequence[tuple[Sentence, Asked]]) -> list[tuple[Sentence, Asked]]:
    """Two or three wrong options, none when there are too few; if the key echoes the question, others must as well."""
    echoing = [other for other in others if gives_away(asked.given, other[1].answer)]
    if not gives_away(asked.given, shown):
        return list(others[: CHOICES - 1]) if len(others) >= LEAST_WRONG else []
    rest = [other for other in others if other not in echoing]
    return [*echoing, *rest][: CHOICES - 1] if len(echoing) >= CLUES_SHARED else []


_MATCH = {
    "happens": "Match each case with what happens in it.",
    "do": "Match each case with what to do in it.",
    "way": "Match each aim with the way to reach it.",
    "reason": "Match each statement with its reason.",
    "effect": "Match each of these with what the lesson says of it.",
    "says": "Match each of these with what the lesson says of it.",
}


def ending_items(exam: Exam) -> list[Candidate]:
    """The questions of several sentences of one shape beside their answers: each is a wrong option for the others."""
    kinds: dict[str, list[tuple[Sentence, Asked, str]]] = {}
    for section, _, sentence in exam.told():
        asked = _asked(sentence, exam) if is_running_text(section, exam) else None
        shown = _option(asked, sentence) if asked else ""
        if asked and shown and asked.form in _MATCH and _matters(asked, section) and not exam.of_the_example(sentence):
            kinds.setdefault(f"{asked.form} {_kind(asked)}", []).append((sentence, asked, shown))
    found: list[Candidate] = []
    for asked_alike in kinds.values():
        pairs = _matchable(asked_alike)
        if len(pairs) >= FEWEST_PAIRS:
            options = [
                Option(text=_beginning(a, s), match=shown, rationale=source_says(s.text)) for s, a, shown in pairs
            ]
            cites = tuple(cite for sentence, _, _ in pairs for cite in sentence.cites)
            stem = _MATCH[pairs[0][1].form]
            found.append(Candidate("endings", "matching", stem, options, [o.text for o in options], cites))
    return found


def _beginning(asked: Asked, sentence: Sentence) -> str:
    return set_code(capitalized(asked.opening or asked.given), sentence)


def _matchable(asked_alike: Sequence[tuple[Sentence, Asked, str]]) -> list[tuple[Sentence, Asked, str]]:
    """Those that cannot be taken for each other; one answer may echo its case, more would be too easy."""
    kept: list[tuple[Sentence, Asked, str]] = []
    echoes = 0
    for sentence, asked, shown in asked_alike:
        apart = all(
            cosine(bag([asked.given]), bag([other.given])) < ALIKE
            and cosine(bag([shown]), bag([theirs])) < ALIKE
            and not gives_away(asked.given, theirs)
            for _, other, theirs in kept
        )
        echo = gives_away(asked.given, shown)
        if apart and echoes + echo <= 1 and len(kept) < MOST_PAIRS:
            kept.append((sentence, asked, shown))
            echoes += echo
    return kept


def _answers(exam: Exam) -> dict[str, list[tuple[Sentence, Asked]]]:
    """By kind, what the sentences around the lesson answer, with the answers as options show them."""
    pool: dict[str, list[tuple[Sentence, Asked]]] = {}
    for sentence in _told_everywhere(exam):
        if (asked := _asked(sentence, exam)) and (shown := _option(asked, sentence)):
            pool.setdefault(_kind(asked), []).append((sentence, Asked(asked.form, asked.question, asked.given, shown)))
    return pool


def is_running_text(section: Section, exam: Exam) -> bool:
    """Whether it is no entry of a reference, where "Include the root …" tells what an option does."""
    origin = exam.origin(section) if section.start < 0 else section
    return not is_code_heading(origin, exam.library.reading(origin.source))


def _told_everywhere(exam: Exam) -> Iterator[Sentence]:
    for section in exam.siblings():
        if is_running_text(section, exam):
            yield from (unit.head for unit in section.units())


def _kind(asked: Asked) -> str:
    """Answers of one kind fit each other's questions by their grammar."""
    if asked.form == "rule":
        return f"rule {asked.given.split()[-1]}"
    if asked.form == "reason":
        return f"reason {asked.question.partition('“')[0]}"
    if asked.form == "says":
        return f"says {mood(asked.answer)}"
    first = asked.answer.split()[0]
    manner = "ing" if first.endswith("ing") else "deed" if asked.form in ("do", "way") else "clause"
    if asked.form == "effect":
        manner = first if first in ("is", "are") else "plural" if base_verb(first) == first else "singular"
    return f"{'way' if asked.form == 'do' else asked.form} {manner}"


def _option(asked: Asked, sentence: Sentence) -> str:
    """The answer as an option: short, on its own feet; '' where it cannot be."""
    if FIRST_PERSON.search(asked.answer) or asked.answer.count("`") % 2:
        return ""
    text = re.sub(r"^(?:please |then )+", "", asked.answer, flags=re.IGNORECASE)
    text = re.sub(r"^you (?:must|should|need to|have to|can|may|will need to) ", "", text)
    text = _ADDED.split(text)[0]
    if text.count(",") == 1:
        text = re.split(r", (?:and|or)\b", text)[0]  # with more commas it is a list
    if asked.form in ("do", "way") and not (is_order(text) or text.split()[0].endswith("ing")):
        return ""
    if asked.form == "happens" and not re.search(r"\b(?:is|are|will|can|does|do|has|have|was)\b|\w+s\b", text):
        return ""
    if (
        HANGS_IN_ANSWER.search(text)
        or _EARLY_PRONOUN.match(text)
        or (asked.form == "happens" and is_imperative(text))
        or re.search(r"\bone$|^(?:see|refer|consult|read) ", text, re.I)
        or not SHORTEST_OPTION <= len(words(text)) <= LONGEST_OPTION
        or re.search(r"\([^)]*$|^[^(]*\)", text)
    ):
        return ""
    return set_code(text if asked.form in ("happens", "rule", "says") else capitalized(text), sentence)


def _others(
    asked: Asked, shown: str, sentence: Sentence, pool: Sequence[tuple[Sentence, Asked]]
) -> Iterator[tuple[Sentence, Asked]]:
    """Answers to other questions that nobody could take for an answer to this one, near ones first."""
    given, said = bag([asked.given]), bag([shown])
    taken = [said]
    source = sentence.cites[0].source
    ranked = sorted(pool, key=lambda entry: (entry[0].cites[0].source != source, rank(shown, entry[1].answer)))
    for other, theirs in ranked:
        like = bag([theirs.answer])
        apart = all(cosine(like, one) < 0.35 for one in taken) and cosine(bag([theirs.given]), given) < 0.5
        sized = 0.5 * len(shown) <= len(theirs.answer) <= 1.8 * len(shown) + 8
        near = other.cites[0].source == source and abs(other.start - sentence.start) < NEIGHBOURS
        if not near and apart and sized and not (asked.form == "says" and about_one(asked, theirs)):
            taken.append(like)
            yield other, theirs
