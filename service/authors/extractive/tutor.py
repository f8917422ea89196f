"""Answers a learner's question out of the course's own sentences: retrieval finds passages, words choose and decide.

A question is data: it is only ever split into words and compared. The course covers it when one sentence, with the
headings that it stands under and what leads to it, holds enough of the question's words, each weighed by how rare it
is in this course (inverse document frequency, Spärck Jones 1972). A word that the course never uses weighs most, so a
question about something else is refused although it shares common words. `scripts/bench tutor` measures both errors.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.sources.library import ReadingCache, Shelf, key_of
from service.authors.extractive.sources.material import Idea, Reading, Section
from service.domain.answer import MOST_SENTENCES, Answer
from service.domain.lesson import Claim
from service.domain.source import Chunk, Source, Span
from service.domain.support_words import listed, read, stem
from service.ports import Evidence

PASSAGES = 8
NEAREST = 3
MOST_ITEMS = 8
# Tuned on tests/bench/questions/seen.tsv: the share of the question that must be met, more when it names something that
# the course never does, and a further sentence's share of the best one's score.
ENOUGH, ENOUGH_WITH_A_STRANGER, NEARLY_AS_GOOD = 0.605, 0.7, 0.8
OWN, LEAD, HEADING, NEIGHBOUR, ALIKE = 1.0, 0.8, 0.8, 0.6, 0.8
# A question that is met so far is answered in any case; one that is met by less than A_LITTLE is not worth a look.
WHOLLY, A_LITTLE = 0.9, 0.1
# Between the two meaning has its say, where it was measured: cosines of one embedder say nothing about another's. What
# a sentence is worth is its share of the words, and how far its cosine lies above the course's mean and above USUAL.
MEASURED, USUAL, ABOVE_MEAN, ABOVE_USUAL, FITS = "multilingual-e5-small", 0.85, 2.0, 6.0, 0.48
BY_WORDS, BY_PASSAGE = 1, 3  # so many sentences are embedded, at 15 to 25 ms each
LONGEST_EMBEDDED = 160  # characters
ROLE_WORTH, TITLE_WORTH = 0.12, 0.2
_ASKING = listed("""
    show shows what who whom whose which when where why how mean means meaning happen happens work works tell explain
    describe
    difference define definition example purpose please know course lesson say says called question answer want need
    someone somebody people good like look
""")
# Words that ask how something is, whatever it is about: a course that never uses them may still answer.
_GENERAL = frozenset(
    stem(word)
    for word in listed("""
        better best worse choice choose together extra calculate compute count ratio amount number share kind type sort
        part show allow improve help quick quicker quickly fast faster slow slower big bigger small long short high
        low old new safe important right wrong easy hard difficult possible able reason cause effect result change
        protect against forget stay become turn begin end stop start last take come go give put set find tell trust
        prevent avoid ensure check option feature rule main mainly exactly really actually website internet online
    """)
)
_GENERAL_WEIGHT = 0.35
# Strong verbs that questions use and the support check has no need of.
_STRONG = {"fed": "feed", "forgot": "forget", "forgotten": "forget", "chosen": "choos", "bought": "buy"}
# What a question begins with, and what a sentence does that answers it.
_WANTED_ROLES = (
    ("what is", "definition"), ("what are", "definition"), ("why", "cause"), ("how do", "step"), ("how should", "step"),
    ("how many", "number"), ("how much", "number"), ("how long", "number"), ("how often", "number"),
    ("how fast", "number"), ("how big", "number"), ("how far", "number"), ("when", "number"), ("may i", "rule"),
    ("can i", "rule"), ("should", "rule"),
)  # fmt: skip


@dataclass(frozen=True)
class _Candidate:
    """Sentences that are understood together, with what they say (`stems`) and what surrounds them, by credit."""

    sentences: tuple[Sentence, ...]
    stems: frozenset[str]
    around: dict[str, float]
    roles: frozenset[str]
    section: Section
    idea: Idea
    order: int

    @property
    def start(self) -> int:
        return self.sentences[0].start

    @property
    def source(self) -> str:
        return self.idea.source

    @property
    def text(self) -> str:
        return " ".join(sentence.text for sentence in self.sentences)


@dataclass(frozen=True)
class _Met:
    """A candidate and how well it meets a question: `share` decides whether it answers, `score` which one does."""

    candidate: _Candidate
    share: float
    score: float
    bonus: float


class Tutor:
    """Implements `Author.answer` for every author. Safe to share between threads.

    It keeps the sentences of the last courses for their next questions, bounded by `characters` as `ReadingCache` is.
    """

    def __init__(self, readings: ReadingCache, characters: int = 2_000_000) -> None:
        self._readings = readings
        self._courses = Shelf[_Course](characters)

    def answer(self, question: str, evidence: Evidence) -> Answer:
        """At most three sentences or one whole list, in the sources' order; none where the course is silent."""
        asked = _Question(question)
        found = evidence.search(question, PASSAGES) if asked.stems else ()
        course = self._course(evidence.sources)
        chunks = [chunk for chunk in found if chunk.source in course.hashes]
        met = course.met(asked, chunks)
        met = _decided(met, course.enough(asked), question, chunks, evidence)
        if not met:
            return Answer(question=question, nearest=course.nearest(asked, chunks))
        best = met[0]
        if _is_whole(best, course, asked):
            return Answer(question=question, sentences=tuple(_listed(best.candidate.idea)), procedure=True)
        return Answer(question=question, sentences=tuple(_claims(_chosen(met))))

    def _course(self, sources: Sequence[Source]) -> _Course:
        key = tuple(map(key_of, sources))
        return self._courses.of(key, sources, lambda: _Course([self._readings.reading(source) for source in sources]))


def _decided(met: list[_Met], enough: float, question: str, chunks: Sequence[Chunk], evidence: Evidence) -> list[_Met]:
    """What answers the question, best first; none when nothing does."""
    if max((one.share for one in met), default=0.0) < A_LITTLE:
        return []
    close = evidence.closeness(question)
    if close is None or not close.embedder.startswith(MEASURED):
        return met if met[0].share >= enough else []
    near = [*chunks[:1], close.chunk]
    inside = [one for one in met if any(_inside(one.candidate, chunk) for chunk in near)]
    shortlist = list({id(one): one for one in [*met[:BY_WORDS], *inside[:BY_PASSAGE]]}.values())
    cosines = close.of([one.candidate.text[:LONGEST_EMBEDDED] for one in shortlist])
    weighed = [_weighed(one, cosine, close.mean) for one, cosine in zip(shortlist, cosines, strict=True)]
    wholly = any(one.share >= WHOLLY for one in met)
    return sorted((one for one in weighed if wholly or one.share >= FITS), key=lambda one: -one.score)


def _weighed(met: _Met, cosine: float, mean: float) -> _Met:
    worth = ABOVE_MEAN * (cosine - mean) + ABOVE_USUAL * (cosine - USUAL)
    return _Met(met.candidate, met.share + worth, met.share + worth + met.bonus, met.bonus)


def _inside(candidate: _Candidate, chunk: Chunk) -> bool:
    return candidate.source == chunk.source and chunk.start <= candidate.start < chunk.end


class _Question:
    """The words of a question that must be met, and the roles of sentences that answer its kind."""

    def __init__(self, question: str) -> None:
        self.stems = tuple(dict.fromkeys(_stems(question, _ASKING)))
        low = " ".join(question.lower().split())
        self.roles = frozenset(role for opening, role in _WANTED_ROLES if low.startswith(opening))


class _Course:
    """Every sentence of a course that can stand as an answer, and how rare each word is among them."""

    def __init__(self, readings: Sequence[Reading]) -> None:
        self.order = {reading.sha256: place for place, reading in enumerate(readings)}
        self.candidates = tuple(_candidates(readings))
        uses = Counter(stem for candidate in self.candidates for stem in candidate.stems)
        # What stands in tables and listings cannot be quoted as a sentence, and is no stranger for that.
        shown = {word for reading in readings for word in _stems(_exhibits(reading))}
        uses.update(shown - set(uses))
        self._many, self._uses = len(self.candidates), uses
        self._alike: dict[str, frozenset[str]] = {}

    @property
    def hashes(self) -> frozenset[str]:
        return frozenset(self.order)

    def weight(self, word: str) -> float:
        """How much a word of the question counts: most when the course never uses it."""
        uses = sum(self._uses[one] for one in self.alike(word))
        weight = math.log(1 + (self._many + 1) / (uses + 0.5))
        return weight * _GENERAL_WEIGHT if not uses and word in _GENERAL else weight

    def enough(self, asked: _Question) -> float:
        """The share of this question that a sentence must meet to answer it."""
        strange = any(not self._uses.keys() & self.alike(one) and one not in _GENERAL for one in asked.stems)
        return ENOUGH_WITH_A_STRANGER if strange else ENOUGH

    def alike(self, stem: str) -> frozenset[str]:
        """The course's words that are this one or of its family: "encrypted" and "encryption"."""
        found = self._alike.get(stem)
        if found is None:
            found = frozenset(one for one in self._uses if _same_family(stem, one)) | {stem}
            if len(self._alike) < 10_000:
                self._alike[stem] = found
        return found

    def met(self, asked: _Question, chunks: Sequence[Chunk]) -> list[_Met]:
        """The candidates inside these passages that share a word with the question, best first."""
        total = sum(self.weight(stem) for stem in asked.stems)
        inside = (one for one in self.candidates if any(_inside(one, chunk) for chunk in chunks))
        found = [met for one in inside if (met := self._meet(asked, one, total))]
        return sorted(found, key=lambda met: (-met.score, met.candidate.order))

    def _meet(self, asked: _Question, candidate: _Candidate, total: float) -> _Met | None:
        own = share = 0.0
        for word in asked.stems:
            weight, family = self.weight(word), self.alike(word)
            exact = word in candidate.stems
            credit = OWN if exact else ALIKE if family & candidate.stems else 0.0
            own += weight * credit
            share += weight * max([credit, *(candidate.around.get(one, 0.0) for one in family)])
        if not own:
            return None
        worth = ROLE_WORTH if asked.roles & candidate.roles else 0.0
        title = set(_stems(candidate.section.title))
        if len(title) > 1 and all(self.alike(word) & set(asked.stems) for word in title):
            worth += TITLE_WORTH
        return _Met(candidate, share / total, (0.7 * share + 0.3 * own) / total + worth, worth)

    def nearest(self, asked: _Question, chunks: Sequence[Chunk]) -> tuple[Span, ...]:
        """The passages that share at least a word with the question, in the order in which they were found."""
        near = []
        for chunk in chunks:
            held = set(_stems(f"{chunk.heading} {chunk.text}"))
            if any(self.alike(stem) & held for stem in asked.stems):
                near.append(Span(source=chunk.source, start=chunk.start, end=chunk.end))
        return tuple(near[:NEAREST])


def _candidates(readings: Sequence[Reading]) -> Iterator[_Candidate]:
    order = 0
    for reading in readings:
        for section in reading.root.flat():
            headings = _credited(_path(section), HEADING)
            for idea in section.ideas:
                # A solution is not given away; code and tables are no sentences.
                if idea.kind in ("exercise", "code", "table"):
                    continue
                lead = _credited(f"{idea.lead.text if idea.lead else ''} {idea.label}", LEAD)
                before = ""
                for unit in idea.units:
                    neighbour = _credited(before, NEIGHBOUR) if idea.kind == "text" else {}
                    text = " ".join(sentence.text for sentence in unit.sentences)
                    around = _best_of(headings, lead, neighbour)
                    stems = frozenset(_stems(text))
                    yield _Candidate(tuple(unit.sentences), stems, around, unit.roles, section, idea, order)
                    before, order = text, order + 1


def _exhibits(reading: Reading) -> str:
    text = reading.source.text
    shown = [one for one in reading.source.blocks if one.kind in ("code", "output", "table")]
    return " ".join(text[one.start : one.end] for one in shown)


def _path(section: Section) -> str:
    above = _path(section.parent) if section.parent else ""
    return f"{above} {section.title}"


def _credited(text: str, credit: float) -> dict[str, float]:
    return dict.fromkeys(_stems(text), credit)


def _best_of(*all_credits: dict[str, float]) -> dict[str, float]:
    best: dict[str, float] = {}
    for credits_ in all_credits:
        for word, credit in credits_.items():
            best[word] = max(credit, best.get(word, 0.0))
    return best


def _stems(text: str, without: frozenset[str] = frozenset()) -> list[str]:
    found = (
        word
        for word in read(text.replace("-", " "))
        if word.content and not word.breaks and word.text.lower() not in without
    )
    return [_STRONG.get(word.stem, word.stem) for word in found]


def _same_family(one: str, other: str) -> bool:
    """Whether two stems share their beginning, as members of a word family do. Short ones must be equal."""
    if one == other:
        return True
    short, long = sorted((one, other), key=len)
    return len(short) >= 5 and len(long) - len(short) <= 4 and long.startswith(short[: max(5, len(short) - 1)])


def _is_whole(best: _Met, course: _Course, asked: _Question) -> bool:
    """Whether the question asks for the whole list that its best sentence stands in, and not for one entry."""
    idea = best.candidate.idea
    if idea.kind not in ("steps", "list") or idea.lead is None or len(idea.items) > MOST_ITEMS:
        return False
    own = sum(course.weight(stem) for stem in asked.stems if course.alike(stem) & best.candidate.stems)
    around = sum(course.weight(stem) for stem in asked.stems if course.alike(stem) & set(_stems(idea.lead.text)))
    return around > own


def _chosen(met: Sequence[_Met]) -> list[_Candidate]:
    """The best and what is nearly as good and says something else, while there is room."""
    best = met[0]
    chosen = [best.candidate]
    for one in met[1:]:
        room = MOST_SENTENCES - sum(len(other.sentences) for other in chosen)
        fresh = all(len(one.candidate.stems - other.stems) > 2 for other in chosen)
        enough = one.share >= NEARLY_AS_GOOD * best.share and one.score >= NEARLY_AS_GOOD * best.score
        if enough and fresh and len(one.candidate.sentences) <= room:
            chosen.append(one.candidate)
    if len(chosen) == 1:
        chosen += _following(best.candidate)
    return sorted(chosen, key=lambda candidate: candidate.order)


def _following(candidate: _Candidate) -> list[_Candidate]:
    """What comes right after in its paragraph, where an answer often goes on."""
    idea = candidate.idea
    place = next(n for n, unit in enumerate(idea.units) if unit.head is candidate.sentences[0])
    after = idea.units[place + 1 : place + 2] if idea.kind == "text" else []
    room = MOST_SENTENCES - len(candidate.sentences)
    return [
        dataclasses.replace(candidate, sentences=tuple(unit.sentences), order=candidate.order + 1)
        for unit in after
        if len(unit.sentences) <= room and unit.head.follows(candidate.sentences[-1])
    ]


def _claims(candidates: Sequence[_Candidate]) -> Iterator[Claim]:
    for candidate in candidates:
        for place, sentence in enumerate(candidate.sentences):
            yield _claim(sentence, alone=place == 0)


def _listed(idea: Idea) -> Iterator[Claim]:
    if idea.lead is not None:
        yield _claim(idea.lead, alone=True)
    for item in idea.items:
        yield _claim(item[0], alone=False)


def _claim(sentence: Sentence, *, alone: bool) -> Claim:
    text = sentence.plain if alone else sentence.text
    return Claim(text=text if text[-1:] in ".!?…:" else f"{text.rstrip(' ,;')}.", cites=sentence.cites)
