"""Choices from sentences that answer a question of their own: the answers of other sentences are the wrong options."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.slide_lines import set_code
from service.authors.extractive.language.verb_forms import base_verb
from service.authors.extractive.language.words import bag, capitalized, cosine, rank, stems, words
from service.authors.extractive.quizzes.parts import CHOICES, Candidate, Exam, gives_away, source_says
from service.authors.extractive.quizzes.shapes import FIRST_PERSON, HANGS, Asked, asked_of, is_order
from service.authors.extractive.sources.code_kinds import is_code_heading
from service.authors.extractive.sources.material import Section
from service.domain.quiz import Option

LONGEST_OPTION = 18  # words
CLEAR_WITHOUT_PLACE = 14  # words of a question that says by itself what it is about


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
        asked = asked_of(sentence, exam.library.casing) if is_running_text(section, exam) else None
        shown = _option(asked, sentence) if asked else ""
        if asked and asked.form == "effect" and not set(stems(asked.given)) & set(stems(section.telling.title)):
            continue
        if not asked or not shown or exam.of_the_example(sentence) or gives_away(asked.given, shown):
            continue
        wrong = list(islice(_others(asked, shown, sentence, pool.get(_kind(asked), [])), CHOICES - 1))
        if len(wrong) < CHOICES - 1:
            continue
        options = [Option(text=shown, rationale=source_says(sentence.text))]
        options += [
            Option(text=other.answer, rationale=f"No. That answers another question. {source_says(said.text)}")
            for said, other in wrong
        ]
        stem = set_code(
            in_place(asked.question, section).replace("Complete the rule:", "Which words complete the rule?"), sentence
        )
        found.append(Candidate(f"choice-{asked.form}", "single", stem, options, [shown], sentence.cites))
    return found


def _answers(exam: Exam) -> dict[str, list[tuple[Sentence, Asked]]]:
    """By kind, what the sentences around the lesson answer, with the answers as options show them."""
    pool: dict[str, list[tuple[Sentence, Asked]]] = {}
    for sentence in _told_everywhere(exam):
        if (asked := asked_of(sentence, exam.library.casing)) and (shown := _option(asked, sentence)):
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
    first = asked.answer.split()[0]
    mood = "ing" if first.endswith("ing") else "deed" if asked.form in ("do", "way") else "clause"
    if asked.form == "effect":
        mood = first if first in ("is", "are") else "plural" if base_verb(first) == first else "singular"
    return f"{'way' if asked.form == 'do' else asked.form} {mood}"


def _option(asked: Asked, sentence: Sentence) -> str:
    """The answer as an option: short, on its own feet; '' where it cannot be."""
    if asked.form == "reason" or FIRST_PERSON.search(asked.answer) or asked.answer.count("`") % 2:
        return ""
    text = re.sub(r"^(?:please |then )+", "", asked.answer, flags=re.IGNORECASE)
    text = re.sub(r"^you (?:must|should|need to|have to|can|may|will need to) ", "", text)
    text = re.split(r"; | – | — |, (?:but|so|and|which|because|or|as)\b", text)[0]
    if asked.form in ("do", "way") and not (is_order(text) or text.split()[0].endswith("ing")):
        return ""
    if asked.form == "happens" and not re.search(r"\b(?:is|are|will|can|does|do|has|have|was)\b|\w+s\b", text):
        return ""
    if (
        HANGS.search(text)
        or re.search(r"\bone$|^(?:see|refer|consult|read) ", text, re.I)
        or not 3 <= len(words(text)) <= LONGEST_OPTION
        or re.search(r"\([^)]*$|^[^(]*\)", text)
    ):
        return ""
    return set_code(capitalized(text), sentence)


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
        if other.start != sentence.start and apart and sized and not gives_away(asked.given, theirs.answer):
            taken.append(like)
            yield other, theirs
