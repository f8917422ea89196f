"""Items about the terms of the glossary: which fits a description, what one means, matching, and gaps."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from service.authors.extractive.language.lexicon import STOPWORDS
from service.authors.extractive.language.patterns import POOR_MEANING
from service.authors.extractive.language.slide_lines import set_code
from service.authors.extractive.language.verb_forms import word_classes
from service.authors.extractive.language.words import bag, capitalized, cosine, is_plural, rank, stems, words
from service.authors.extractive.quizzes.code_items import good_for_gap
from service.authors.extractive.quizzes.parts import CHOICES, Candidate, Exam, gives_away, source_says
from service.domain.course import GlossaryEntry
from service.domain.quiz import Option
from service.domain.source import Cite

LEAST_AT_HOME = 1  # of the wrong options come from the same document, so that the subject does not tell
_NOUN_PHRASE = re.compile(r"(?:an?|the|any|all|one|when|[a-z]+ing|desired)\b", re.IGNORECASE)
_PERSON = re.compile(r"(?:an? |the )?(?:\w+ )?(?:person|people|somebody|someone|member|worker|role)\b", re.IGNORECASE)


def term_items(exam: Exam) -> list[Candidate]:
    """ "Which term fits this description?" with terms of the same shape as wrong options."""
    return list(_asked_both_ways(exam, "term", lambda entry: entry.term, lambda _: True))


def meaning_items(exam: Exam) -> list[Candidate]:
    """ "What is meant by …?" with the meanings of other terms, of about the same length, as wrong options."""
    return list(_asked_both_ways(exam, "meaning", lambda entry: entry.meaning, _describes))


def _asked_both_ways(
    exam: Exam, form: str, shown: Callable[[GlossaryEntry], str], fair: Callable[[GlossaryEntry], bool]
) -> Iterator[Candidate]:
    """Questions on the lesson's terms, whose options show one side of the entries and whose stem the other."""
    for entry in _here(exam):
        if not _describes(entry):
            continue
        others = [
            o
            for o in exam.terms
            if o is not entry and _rivals(entry, o) and fair(o) and not gives_away(o.meaning, entry.term)
        ]
        if form == "meaning":
            others = [o for o in others if abs(len(o.meaning) - len(entry.meaning)) < 0.6 * len(entry.meaning)]
        others.sort(key=lambda o: (o.cite.source != entry.cite.source, rank(entry.meaning, o.term)))
        at_home = sum(other.cite.source == entry.cite.source for other in others[: CHOICES - 1])
        if len(others) < CHOICES - 1 or at_home < LEAST_AT_HOME:
            continue
        key = capitalized(shown(entry))
        options = [Option(text=key, rationale=source_says(_quote(exam, entry)))]
        options += [
            Option(text=capitalized(shown(o)), rationale=f"No. {source_says(_quote(exam, o))}")
            for o in others[: CHOICES - 1]
        ]
        stem = f"Which term fits this description: “{entry.meaning.rstrip('.')}”?"
        if form == "meaning":
            stem = f"What is meant by “{exam.library.casing.inside(entry.term)}”?"
        yield Candidate(form, "single", stem, options, [key], (_cite(exam, entry),))


def name_gap_items(exam: Exam) -> list[Candidate]:
    """A term of the course is taken out of a sentence that says something about it and does not define it."""
    found: list[Candidate] = []
    for _, sentence in exam.facts():
        if not good_for_gap(sentence) or sentence.defines:
            continue
        for entry in exam.terms:
            if entry.term.lower() in exam.plan.title.lower():
                continue  # what the whole course is about is no gap to fill
            match = _only_use(entry.term, sentence.text)
            if match is None:
                continue
            others = _gap_rivals(exam, entry, sentence.text[: match.start()], sentence.text)
            if len(others) < CHOICES - 1:
                continue
            reason = source_says(sentence.text)
            options = [Option(text=match[0].lower() if match.start() == 0 else match[0], rationale=reason)]
            options += [
                Option(text=exam.library.casing.inside(o.term), rationale=f"No. {source_says(_quote(exam, o))}")
                for o in others[: CHOICES - 1]
            ]
            stem = f"Fill the gap: {sentence.text[: match.start()]}_____{sentence.text[match.end() :]}"
            found.append(
                Candidate("name", "cloze", set_code(stem, sentence), options, [options[0].text], sentence.cites)
            )
            break
    return found


def _only_use(term: str, text: str) -> re.Match[str] | None:
    """The one place where the sentence uses the term, if what stands around it shows that it is a word of its own."""
    uses = list(re.finditer(rf"\b{re.escape(term)}\b", text, re.IGNORECASE))
    if len(uses) != 1 or text[uses[0].end() : uses[0].end() + 1] in ("-", "’", "'", "s"):
        return None
    if not set(stems(text)) - set(stems(term)):
        return None
    before, after = text[: uses[0].start()].split(), text[uses[0].end() :].lstrip(" ")
    following = words(after)[0].lower() if words(after) else ""
    if "(" in term or not before or any(word.lower() in ("it", "they", "its", "their") for word in before):
        return None
    if after[:1] not in tuple(".,;:?!)") and following not in STOPWORDS and not _is_verb_form(following):
        return None  # "the _____ framework": an adjective is missing, and too much would fit
    return uses[0] if before[-1].lower() in ("a", "an", "the", "of", "in", "each", "every") else None


def _is_verb_form(word: str) -> bool:
    return word.endswith("s") and "VERB" in word_classes(word) and "NOUN" not in word_classes(word)


def _gap_rivals(exam: Exam, entry: GlossaryEntry, before: str, text: str) -> list[GlossaryEntry]:
    """Terms that fit the gap by their form, and of which the sources say nothing like the sentence."""
    vowel = re.search(r"\ban?\s*$", before)
    said = bag([text])
    others = [
        o
        for o in exam.terms
        if o is not entry
        and _rivals(entry, o)
        and o.term.lower() not in text.lower()
        and "(" not in o.term
        and abs(len(o.term.split()) - len(entry.term.split())) <= 1
        and o.term[:1].isupper() == entry.term[:1].isupper()
        and not (vowel and (o.term[:1].lower() in "aeiou") != (entry.term[:1].lower() in "aeiou"))
        and cosine(bag([o.meaning]), said) < 0.25
    ]
    return sorted(others, key=lambda o: (o.cite.source != entry.cite.source, rank(text, o.term)))


def match_items(exam: Exam) -> list[Candidate]:
    """Terms of the lesson beside their meanings."""
    clear = [entry for entry in _here(exam) if _describes(entry, least=3)]
    distinct: list[GlossaryEntry] = []
    for entry in clear:
        if all(cosine(bag([entry.meaning]), bag([other.meaning])) < 0.5 for other in distinct):
            distinct.append(entry)
    distinct = distinct[:5]
    if len(distinct) < 3:
        return []
    options = [
        Option(text=capitalized(e.term), match=capitalized(e.meaning), rationale=source_says(_quote(exam, e)))
        for e in distinct
    ]
    cites = tuple(_cite(exam, entry) for entry in distinct)
    right = [option.text for option in options]
    return [Candidate("match", "matching", "Match each term with its description.", options, right, cites)]


def _here(exam: Exam) -> list[GlossaryEntry]:
    """The glossary's entries that this lesson's own sentences define."""
    told = {(c.source, c.start) for _, _, sentence in exam.told() for c in sentence.cites}
    return [entry for entry in exam.terms if (entry.cite.source, entry.cite.start) in told]


def _describes(entry: GlossaryEntry, least: int = 4) -> bool:
    """Whether the meaning is a noun phrase that does not give the term away."""
    if not least <= len(words(entry.meaning)) <= 24 or not _NOUN_PHRASE.match(entry.meaning) or "_" in entry.term:
        return False
    if re.match(r"(?:(?!that|which|who|whose|where|when|in)\w+ )*(?:can|will|is|are|has|have)\b", entry.meaning):
        return False
    if re.search(r", (?:and|but|so) \w+ \w*(?:s|ed|can|will)\b", entry.meaning):
        return False
    return not POOR_MEANING.search(entry.meaning) and not set(stems(entry.term)) & set(stems(entry.meaning))


def _rivals(entry: GlossaryEntry, other: GlossaryEntry) -> bool:
    if not _NOUN_PHRASE.match(other.meaning) or set(stems(other.term)) & set(stems(entry.term)):
        return False
    if bool(_PERSON.match(entry.meaning)) != bool(_PERSON.match(other.meaning)):
        return False
    same_shape = abs(len(other.term.split()) - len(entry.term.split())) <= 2
    if not same_shape or is_plural(other.term) != is_plural(entry.term) or other.term.lower() in entry.meaning.lower():
        return False
    return cosine(bag([other.meaning]), bag([entry.meaning])) < 0.5


def _cite(exam: Exam, entry: GlossaryEntry) -> Cite:
    reading = exam.library.reading(entry.cite.source)
    if reading is None:
        return Cite(source=entry.cite.source, start=entry.cite.start, end=entry.cite.end, quote="")
    return reading.cite(entry.cite.start, entry.cite.end)


def _quote(exam: Exam, entry: GlossaryEntry) -> str:
    return _cite(exam, entry).quote
