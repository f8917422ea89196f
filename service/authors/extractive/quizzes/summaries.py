"""What a section says in short: the passage or the points that answer an open question about its heading."""

from __future__ import annotations

import re
from collections.abc import Sequence

from service.authors.extractive.language.clauses import states
from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.slide_lines import has_finite_verb
from service.authors.extractive.language.verb_forms import is_imperative
from service.authors.extractive.language.words import is_plural, overlap, stems
from service.authors.extractive.lessons import pretraining
from service.authors.extractive.quizzes.parts import Exam
from service.authors.extractive.sources.code_kinds import looks_like_code, short_name
from service.authors.extractive.sources.material import Section, Unit

# What a walk-through says about the moment is no answer to keep: "Git now knows …, but it has not recorded it yet".
OF_THE_MOMENT = re.compile(
    r"\b(?:now|yet|so far|at this point|currently|today|yesterday|suppose|imagine|notice)\b|^(?:The [\"“]|\()|"
    r"\b(?:Listing|Figure|Table|Chapter) \d|^(?:We|Let|I)\b",
    re.IGNORECASE,
)
_CAPTION = re.compile(r"\b(?:Listing|Figure|Table|Chapter) \d|:$|\{[A-Z]|\bDefault:|^(?:Let|Here)\b")
FIELD = re.compile(r"\bDefault\b:?|^[\w “”\"-]{2,24}: |^[\w.{}]+\.?$|^\W*[\w.\[\]]+ \{[A-Z]")
_OF_US = re.compile(
    r"\b(?:[Ww]e|[Oo]ur|us|I|my|let[’']s)\b|\bsee the\b|:$|^Just a note|^(?:Below|Above)\b|"
    r"^(?:Consider|Default|Type|Example)s?:|^\W*[\w.\[\]]+ \{[A-Z]"
)
# Sentences that lead up to an answer, put it off or leave it to another document.
_NO_ANSWER = re.compile(
    r"^(?:As an example|For (?:example|instance)|In other words|Conversely|Contrarily|Otherwise|Instead|Which|Again|"
    r"But|However|Also|Indeed|Hence|Before you|Here[’']?s?|Ranging|Failing|One (?:could|might|would)|Ideally|"
    r"Most likely|Goal:|Important:|Note that|What this means|The (?:only|final|last|second|third|remaining)|\W)|"
    r"\bthere (?:is|are) [^:]*\b(?:ways?|patterns?|options?|methods?|things|approach(?:es)?|answer|tools|types|"
    r"kinds)\b|"
    r"\b(?:the answer is|could simply|at first (?:glance|sight)|(?:really )?depends on what|hereafter|here|refer to|"
    r"(?:would|will) then|(?:image|screenshot|picture|figure|dialog|screen) (?:shows?|above|below)|often confusing|"
    r"encouraged to learn|will (?:soon )?learn|TODO|FIXME|see [A-Z]|(?:Section|Chapter|Appendix) [\dA-Z]|tutorial|"
    r"overview of|"
    r"(?:described|provided|documented|covered|explained|discussed|found|given) (?:in|by) (?:an?|the|its) "
    r".*(?:document|manual|guide|chapter|section|page|reference|documentation)|"
    r"for (?:more|further) (?:details?|information))\b|\b(?:using|by|with|to|for|the (?:following )?command)[.:]?$",
    re.IGNORECASE,
)
_POINTS = re.compile(r"\b(?:this|these|those|such|(?:use|using|with|of|in|for|by|on|at) that)\b", re.IGNORECASE)
_NUMBERED = re.compile(
    r"^(?:(?:Equation|Example|Figure|Table|Listing|Exercise|Chapter) \d[\d.]*[.:]?|(?:[A-Z]\.|\d+\.)(?:\d+\.?)*) (?=\w)"
)
_RESOURCES = re.compile(r"\b(?:resources?|links?|reading|cheat ?sheets?|glossary|references?)\b", re.IGNORECASE)
# What the words of an answer show, by the word that asks.
_TOLD_BY = {
    asks: re.compile(pattern, re.IGNORECASE)
    for asks, pattern in (
        (
            "why",
            r"\b(?:because|since|so|reasons?|therefore|thus|otherwise|due to|caus\w+|allows?|means?|helps?)\b",
        ),
        (
            "how",
            r"\b(?:you (?:can|may|should|must)|use|run|type|by \w+ing|using|first|then)\b|^[a-z]+ (?:the|an?|your)\b",
        ),
        ("when", r"\b(?:when(?:ever)?|if|while|until|unless|as soon as)\b"),
        ("where", r"\b(?:in|at|on|under|from|inside)\b"),
    )
}
_QUESTION = re.compile(
    r"(?:(?:I|we|and|or|so),? )?(?P<asks>why|how|when|where|what|which|who|can|should|do|does|is|are|must)\b",
    re.IGNORECASE,
)
LONGEST_ANSWER_WORDS = 60
LEAST_GIST_WORDS, ENOUGH_FOR_A_GIST = 18, 30
LEAST_PASSAGE_WORDS = 10
FEWEST_POINTS, MOST_POINTS = 3, 9
MOST_IN_A_PASSAGE = 4  # sentences
PLACES_FOR_A_GIST = 2  # a section says in its first sentences what it is about, or not at all
LEAST_ECHO = 0.4  # of the words of a heading that asks stand in the passage that answers it


def to_sum_up(section: Section) -> str:
    """The question that the heading is, or that asks for what its section says."""
    if section.title.endswith("?"):
        return f"{_NUMBERED.sub('', section.title)} Answer in a sentence or two."
    return f"Sum up what the lesson says about “{name_of(section)}”."


def name_of(section: Section) -> str:
    """The heading as a question says it: without its number; an entry of a reference without its arguments."""
    title = section.title if _NUMBERED.match(section.title) else section.name
    title = _NUMBERED.sub("", title).rstrip(":?.")
    return short_name(title) if looks_like_code(title) else title


def points_of(section: Section) -> list[Sentence]:
    """The entries of the section's only list, if they are few and state something."""
    lists = [idea for idea in section.ideas if idea.kind == "list"]
    heads = [item[0] for item in lists[0].items if item] if len(lists) == 1 else []
    whole = FEWEST_POINTS <= len(heads) <= MOST_POINTS and all(head.cites and head.length >= 3 for head in heads)
    plain = not any(
        FIELD.match(head.text) or OF_THE_MOMENT.search(head.text) or _OF_US.search(head.text) or "('" in head.text
        for head in heads
    )
    orders = sum(is_imperative(head.text) for head in heads) * 2 >= len(heads)
    if (
        not is_plural(section.title.rstrip(":"))
        or orders
        or any(head.leans for head in heads)
        or _RESOURCES.search(section.title)
    ):
        return []
    return heads if whole and plain and sum(head.length for head in heads) <= 2 * LONGEST_ANSWER_WORDS else []


def gist(exam: Exam, section: Section, taken: set[int]) -> list[Sentence]:
    """The passage with which the section begins: sentences that follow each other, as long as an answer may be."""
    if section.title == pretraining.HEADING:
        return []
    answer: list[Sentence] = []
    units = [u for i in section.ideas if i.kind in ("text", "definition") and not i.tone for u in i.units]
    places = 1 if section.title.endswith("?") else PLACES_FOR_A_GIST
    for place, unit in enumerate(units):
        spoken = sum(sentence.length for sentence in answer)
        plain = _plain(exam, unit) and not any(s.start in taken for s in unit.sentences)
        full = spoken + unit.words > LONGEST_ANSWER_WORDS or spoken >= ENOUGH_FOR_A_GIST
        if (answer and (full or not plain)) or (not answer and place >= places):
            break
        if plain:
            answer += unit.sentences
    return answer if tells_of(answer, section) and answers(answer, section.title) else []


def _is_about(answer: Sequence[Sentence], section: Section) -> bool:
    """Whether the passage opens with what the heading names, and needs nothing before it."""
    named = set(stems(section.title if section.telling is section else f"{section.title} {section.telling.title}"))
    if not answer or _POINTS.search(answer[0].text):
        return False
    return not named or bool(named & set(stems(answer[0].text)))


def answers(answer: Sequence[Sentence], title: str) -> bool:
    """Whether it holds what the heading asks for, as far as words show it; every passage answers a plain heading."""
    asked = _QUESTION.match(title)
    if not asked:
        return True
    text = " ".join(sentence.text for sentence in answer)
    told = _TOLD_BY.get(asked["asks"].lower())
    if told is not None and not told.search(text):
        return False
    return not title.endswith("?") or overlap(title, set(stems(text))) >= LEAST_ECHO


def _plain(exam: Exam, unit: Unit) -> bool:
    """Whether it states something by itself that holds beyond the page's example."""
    fits = unit.head.cites and "narrative" not in unit.roles and not unit.head.leans and unit.head.alone
    return bool(fits) and not any(
        OF_THE_MOMENT.search(s.text)
        or _OF_US.search(s.text)
        or _NO_ANSWER.search(s.text)
        or not _stated(s.text)
        or exam.of_the_example(s)
        for s in unit.sentences
    )


def _stated(text: str) -> bool:
    """Whether it is a sentence: "The number of started edges" only holds what could be a verb."""
    return has_finite_verb(text) or (states(text) and not re.match(r"(?:The|An?) ", text))


def passage(section: Section, about: str, taken: set[int]) -> list[Sentence]:
    """The passage of the section that says most `about` its matter, as it stands, as long as an answer may be."""
    topic = " ".join(stems(f"{about} {section.title}"))
    units = [u for idea in section.ideas if idea.kind in ("text", "definition", "list") for u in idea.units]
    runs = [
        run
        for place, unit in enumerate(units)
        if unit.head.cites and not unit.head.leans and _is_free(unit, taken) and (run := _run(units[place:], taken))
    ]

    def worth(run: list[Sentence]) -> tuple[bool, bool, float]:
        said = set(stems(" ".join(sentence.text for sentence in run)))
        alone = run[0].alone and not _POINTS.search(run[0].text)
        return tells_of(run, section), alone, overlap(topic, said)

    answer = max(runs, key=worth, default=[])
    return answer if sum(sentence.length for sentence in answer) >= LEAST_PASSAGE_WORDS else []


def _run(units: Sequence[Unit], taken: set[int]) -> list[Sentence]:
    """The first unit with those that follow it word for word, until it is long enough."""
    run = list(units[0].sentences)
    for unit in units[1:]:
        spoken = sum(sentence.length for sentence in run)
        full = spoken >= ENOUGH_FOR_A_GIST or spoken + unit.words > LONGEST_ANSWER_WORDS
        shown = any(s.start in taken or _CAPTION.search(s.text) or _OF_US.search(s.text) for s in unit.sentences)
        if full or shown or not unit.head.follows(run[-1]):
            break
        run += unit.sentences
    return run


def tells_of(answer: Sequence[Sentence], section: Section) -> bool:
    """Whether the passage is long enough to be a summary, opens by itself and names what the heading names."""
    return sum(sentence.length for sentence in answer) >= LEAST_GIST_WORDS and _is_about(answer, section)


def _is_free(unit: Unit, taken: set[int]) -> bool:
    """Whether no item asks for it yet, and it neither shows something nor leads elsewhere."""
    return not any(
        s.start in taken
        or _CAPTION.search(s.text)
        or _OF_US.search(s.text)
        or _NO_ANSWER.search(s.text)
        or not _stated(s.text)
        for s in unit.sentences
    )


def tellable(section: Section) -> list[Unit]:
    """The units of running text and lists that state something and need nothing before them."""
    return [
        unit
        for idea in section.ideas
        if idea.kind in ("text", "definition", "list")
        for unit in idea.units
        if unit.head.cites and unit.words >= 6 and "narrative" not in unit.roles and not unit.head.leans
    ]
