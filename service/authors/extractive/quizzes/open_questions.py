"""Open questions: one for each objective that nothing else checks; the model answer is the source's own words.

A sentence that answers a question of its own goes first, then what the objective itself asks for where the source
plainly answers it; to sum up a passage is the last resort.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.verb_forms import is_imperative
from service.authors.extractive.language.words import capitalized, is_plural, overlap, stems
from service.authors.extractive.lessons import pretraining
from service.authors.extractive.outline.objective_content import POINTS_BACK, is_good_definition
from service.authors.extractive.quizzes.parts import Candidate, Exam
from service.authors.extractive.quizzes.passages import in_place, is_running_text
from service.authors.extractive.quizzes.shapes import WORTH, asked_of, term_asked
from service.authors.extractive.sources.code_kinds import kind_of, looks_like_code, short_name
from service.authors.extractive.sources.material import Idea, Section, Unit
from service.domain.course import Objective

# What a walk-through says about the moment is no answer to keep: "Git now knows …, but it has not recorded it yet".
_OF_THE_MOMENT = re.compile(
    r"\b(?:now|yet|so far|at this point|currently|today|yesterday|suppose|imagine|notice)\b|^(?:The [\"“]|\()|"
    r"\b(?:Listing|Figure|Table|Chapter) \d|^(?:We|Let|I)\b",
    re.IGNORECASE,
)
_IN_CODE = re.compile(r"^(?:Use|Apply|Write the code for) (.+?)(?: in code)?$")
_CAPTION = re.compile(r"\b(?:Listing|Figure|Table|Chapter) \d|:$|\{[A-Z]|\bDefault:|^(?:Let|Here)\b")
_LISTING = re.compile(r"^(?:List|Identify|Name|Outline|Recall) ")
_TWO_SIDES = re.compile(r"^(?:Compare|Contrast|Distinguish) (?P<one>.+?) (?:with|and|from|to) (?P<other>.+)$")
_FIELD = re.compile(r"\bDefault\b:?|^[\w “”\"-]{2,24}: |^[\w.{}]+\.?$|^\W*[\w.\[\]]+ \{[A-Z]")
_OF_US = re.compile(
    r"\b(?:we|our|us|I|my|let[’']s)\b|\bsee the\b|:$|^Just a note|^(?:Below|Above)\b|"
    r"^(?:Consider|Default|Type|Example)s?:|^\W*[\w.\[\]]+ \{[A-Z]"
)
_NO_CODE = frozenset(
    ("text", "txt", "md", "markdown", "console", "output", "none", "plain", "plaintext", "diff", "log")
)
_NAMES = frozenset(("flag", "call", "member", "hyphened", "constant"))
_RESOURCES = re.compile(r"\b(?:resources?|links?|reading|cheat ?sheets?|glossary|references?)\b", re.IGNORECASE)
LONGEST_ANSWER_WORDS = 60
LEAST_GIST_WORDS, ENOUGH_FOR_A_GIST = 18, 30
FEWEST_POINTS = 3
MOST_IN_A_PASSAGE = 4  # sentences
LEAST_COMPARISON_WORDS = 12
LEAST_POINT_WORDS = 9
PLACES_FOR_A_GIST = 2  # a section says in its first sentences what it is about, or not at all
MOST_STEPS = 9
MOST_LINES = 14
LEAST_SHARED = 0.5  # of an objective's words stand in a key point that answers it
LEAST_FIT = 0.9


def asked_openly(exam: Exam, objective: Objective, count: int, taken: set[int]) -> list[Candidate]:
    """At most `count` open questions on the objective.

    `taken`: starts of the spans that other items cite, so that no sentence is asked for twice; it grows.
    """
    found: list[Candidate] = []
    for question, answer in _questions(exam, objective, taken):
        if len(found) >= count:
            break
        if (
            answer
            and question not in exam.asked
            and all(sentence.start not in taken and sentence.cites for sentence in answer)
        ):
            taken.update(sentence.start for sentence in answer)
            exam.asked.add(question)
            found.append(_open(question, answer))
    if len(found) < count:
        found += _practised(exam, objective, taken)
    for question, answer in _last_resort(exam, objective, taken) if not found and count > 0 else ():
        if answer and question not in exam.asked:
            taken.update(sentence.start for sentence in answer)
            exam.asked.add(question)
            return [_open(question, answer)]
    return found[:count]


def _last_resort(exam: Exam, objective: Objective, taken: set[int]) -> Iterator[tuple[str, list[Sentence]]]:
    """To recall a passage: asked only where an objective would else be checked by nothing."""
    home = exam.homes.get(objective.id, -1)
    near = [section for n, section in enumerate(exam.sections) if n == home]
    for section in sorted(exam.sections, key=lambda one: -_nearness(one, near, objective)):
        question = f"What does the lesson say about “{_name(section)}”? Write down what you remember, then compare."
        yield question, _passage(section, taken)


def _practised(exam: Exam, objective: Objective, taken: set[int]) -> list[Candidate]:
    """To write code and to compare it with the lesson's, where the objective is to use something in code."""
    match = _IN_CODE.match(objective.text)
    home = exam.homes.get(objective.id, -1)
    for idea in exam.sections[home].ideas if match and home >= 0 else ():
        lines = [line for line in idea.code.splitlines() if line.strip()]
        whole = 1 < len(lines) <= MOST_LINES and not re.search(r"snip|\.\.\.|…", idea.code)
        written = idea.lang and idea.lang.lower() not in _NO_CODE
        if match and idea.kind == "code" and written and whole and idea.cites and idea.cites[0].start not in taken:
            taken.add(idea.cites[0].start)
            stem = f"Write a few lines of your own that use {match[1]}, then compare them with the lesson's example."
            return [Candidate("open", "short", stem, cites=idea.cites[:1], model_answer=idea.code.strip("\n"))]
    return []


def more_open(exam: Exam, taken: set[int]) -> list[Candidate]:
    """One more question of a lesson that has few: what a sentence answers that nothing asks for yet."""
    for _, question, sentence in sorted(_by_sentences(exam, exam.sections, set()), key=lambda entry: -entry[0]):
        if sentence.start not in taken:
            taken.add(sentence.start)
            return [_open(question, [sentence])]
    return []


def _open(question: str, answer: Sequence[Sentence]) -> Candidate:
    cites = tuple(cite for sentence in answer for cite in sentence.cites)
    return Candidate("open", "short", question, cites=cites, model_answer=" ".join(s.closed for s in answer))


def _questions(exam: Exam, objective: Objective, taken: set[int]) -> Iterator[tuple[str, list[Sentence]]]:
    """Questions on the objective with their answers, the best first; each is made when it is asked for."""
    yield from _plainly(exam, objective, taken)
    topic = set(stems(_topic(objective.text)))
    home = exam.homes.get(objective.id, -1)
    near = [section for n, section in enumerate(exam.sections) if n == home]
    ranked = sorted(_by_sentences(exam, near, topic), key=lambda entry: -entry[0])
    yield from ((question, [sentence]) for fit, question, sentence in ranked if fit >= LEAST_FIT)
    for question in exam.questions:
        if question.text.endswith("?") and overlap(objective.text, set(stems(question.text))) > 0.3:
            yield question.text, _key_point(exam, question.text, taken)
    for section in sorted(exam.sections, key=lambda one: -_nearness(one, near, objective)):
        yield _to_sum_up(section), _gist(exam, section, taken)
        yield f"Which points does the lesson list under “{_name(section)}”?", _points(section)
    everywhere = sorted(_by_sentences(exam, exam.sections, topic), key=lambda entry: -entry[0])
    yield from ((question, [sentence]) for _, question, sentence in everywhere)
    yield question_of(objective), [s for s in exam.keypoints if s.cites and s.start not in taken][:3]


def _by_sentences(exam: Exam, sections: Sequence[Section], topic: set[str]) -> Iterator[tuple[float, str, Sentence]]:
    """The questions that single sentences answer, with how well each fits the topic."""
    for section in sections:
        for idea in section.ideas:
            for unit in idea.units if idea.kind in ("text", "definition", "list") else ():
                sentence = unit.head
                if _OF_THE_MOMENT.search(sentence.text) or exam.of_the_example(sentence):
                    continue
                shared = bool(topic & set(stems(sentence.text))) + 0.1 * min(unit.score, 1.5)
                asked = asked_of(sentence, exam.library.casing)
                if (
                    asked
                    and asked.form == "effect"
                    and not set(stems(asked.given)) & (topic | set(stems(section.title)))
                ):
                    continue
                if asked and not (asked.form in ("do", "way", "reason") and not is_running_text(section, exam)):
                    yield WORTH[asked.form] + 0.4 * shared, in_place(asked.question, section), sentence
                elif question := term_asked(sentence, exam.library.casing):
                    yield WORTH["term"] + 0.4 * shared, question, sentence


def _nearness(section: Section, home: Sequence[Section], objective: Objective) -> float:
    return 1.0 if any(section is one for one in home) else overlap(objective.text, set(stems(section.title)))


def question_of(objective: Objective, by_steps: bool = False) -> str:
    """The objective as something to do now; `by_steps`: the answer tells how it is done."""
    text = objective.text.rstrip(". ")
    match = re.match(r"Explain what (.+) (is|are)$", text)
    if match:
        return f"In your own words: what {match[2]} {match[1]}?"
    match = re.match(r"(?:Explain what|Use) (.+?)(?: does)?$", text)
    if match and (text.endswith(" does") or kind_of(match[1]) in _NAMES):
        return f"In your own words: what does {match[1]} do?"
    match = re.match(r"Explain (why|how|when|where|what|which) (.+)$", text)
    if match:
        return f"In a sentence or two, explain {match[1]} {match[2]}."
    match = re.match(r"Follow the (steps for|advice on) (.+)$", text)
    if match and by_steps:
        verb = "are" if match[1] == "steps for" else "is"
        return f"From memory: what {verb} the {match[1]} {match[2]}?"
    if _LISTING.match(text):
        return f"From memory: {text[:1].lower()}{text[1:]}."
    if by_steps:
        return f"Step by step: how do you {re.sub('^show how to ', '', text[:1].lower() + text[1:])}?"
    return f"{capitalized(text)}, in a sentence or two."


def _plainly(exam: Exam, objective: Objective, taken: set[int]) -> Iterator[tuple[str, list[Sentence]]]:
    """The objective's own question where the source plainly answers it: by definitions, a list, steps, a key point."""
    text = objective.text
    doing = objective.bloom in ("apply", "create", "evaluate")
    named = _definitions(exam, text) if re.match(r"(?:Define|Distinguish|Explain what) ", text) else []
    terms = len(re.split(r", | and | from ", _topic(text))) if re.match(r"(?:Define|Distinguish) ", text) else 1
    if len(named) >= terms:
        yield question_of(objective), named
    yield question_of(objective, True), _listed(exam, objective, _kinds(text, doing))
    sides = _TWO_SIDES.match(text)
    if sides:
        yield question_of(objective), _both_sides(exam, sides["one"], sides["other"], taken)
    home = exam.homes.get(objective.id, -1)
    if question_of(objective).endswith(" do?") and home >= 0:
        yield question_of(objective), _gist(exam, exam.sections[home], taken)
    if not doing:
        yield question_of(objective), _key_point(exam, _topic(text), taken)


def _kinds(text: str, doing: bool) -> tuple[str, ...]:
    """The kinds of idea that can be the whole answer."""
    if "the advice on" in text:
        return ("list",)
    if doing:
        return () if " rules for " in text else ("steps",)
    return ("steps", "list") if _LISTING.match(text) or "steps" in text else ()


def _definitions(exam: Exam, text: str) -> list[Sentence]:
    """The sentences that define the terms that the objective names, one for each."""
    wanted = set(stems(text))
    found: dict[str, Sentence] = {}
    asked = re.match(r"Explain what (.+?)(?: (?:is|are|does|do)\b.*)?$", text)
    whole = set(stems(asked[1])) if asked else set()
    for section in exam.sections:
        for unit in section.units():
            defined = unit.head.defines
            if defined and whole and len(whole - set(stems(defined[0]))) * 2 >= len(whole):
                continue
            if defined and unit.head.cites and set(stems(defined[0])) <= wanted and is_good_definition(unit.head):
                found.setdefault(defined[0].lower(), unit.head)
    return list(found.values())


def _topic(text: str) -> str:
    """The objective without its verb."""
    rest = text.partition(" ")[2]
    return rest if stems(rest) else text


def _listed(exam: Exam, objective: Objective, kinds: Sequence[str]) -> list[Sentence]:
    """The entries of the list or procedure that the objective speaks of."""
    topic = _topic(objective.text)
    fitting = [
        (overlap(topic, set(stems(_heading(section, idea)))) + 0.3 * (number == exam.homes.get(objective.id)), -n, idea)
        for number, section in enumerate(exam.sections)
        for n, idea in enumerate(section.ideas)
        if idea.kind in kinds and len(idea.items) >= FEWEST_POINTS
    ]
    if not fitting or max(fitting, key=lambda entry: entry[:2])[0] < 0.5:
        return []
    heads = [item[0] for item in max(fitting, key=lambda entry: entry[:2])[2].items if item]
    fields = sum(bool(_FIELD.match(head.text)) for head in heads)
    if any(re.search(r"\bfollowing\b|:$", head.text) for head in heads):
        return []
    if _LISTING.match(objective.text) and sum(is_imperative(head.text) for head in heads) * 2 > len(heads):
        return []  # what to do about a thing is no list of such things
    if fields * 2 > len(heads) or len(heads) > MOST_STEPS or not all(head.cites for head in heads):
        return []
    return heads


def _heading(section: Section, idea: Idea) -> str:
    return f"{section.title} {section.telling.title} {idea.label} {idea.lead.text if idea.lead else ''}"


def _both_sides(exam: Exam, one: str, other: str, taken: set[int]) -> list[Sentence]:
    """A passage that speaks of both, else what defines each."""
    both = [
        (overlap(one, unit.bag) + overlap(other, unit.bag) + 0.3 * ("contrast" in unit.roles), unit)
        for section in exam.sections
        for unit in _tellable(section)
        if min(overlap(one, unit.bag), overlap(other, unit.bag)) >= 0.5
        and unit.head.start not in taken
        and "contrast" in unit.roles
        and unit.words >= LEAST_COMPARISON_WORDS
    ]
    if both:
        return list(max(both, key=lambda pair: pair[0])[1].sentences)
    first, second = _definitions(exam, one), _definitions(exam, other)
    return [first[0], second[0]] if first and second and first[0] is not second[0] else []


def _key_point(exam: Exam, topic: str, taken: set[int]) -> list[Sentence]:
    """The key point of the source that shares most of the topic's words, and enough of them."""
    fits = [
        (overlap(topic, set(stems(sentence.text))), -n, sentence)
        for n, sentence in enumerate(exam.keypoints)
        if sentence.cites
        and sentence.start not in taken
        and not POINTS_BACK.search(sentence.text[:30])
        and sentence.length >= LEAST_POINT_WORDS
        and ("why " not in f"{topic} " or "cause" in sentence.roles)
        and (not re.match(r"what .+ (?:is|are)\b", topic) or set(stems(sentence.text)[:2]) & set(stems(topic)))
    ]
    best = max(fits, key=lambda entry: entry[:2], default=None)
    return [best[2]] if best and best[0] >= LEAST_SHARED else []


def _to_sum_up(section: Section) -> str:
    if section.title.endswith("?"):
        return f"{section.title} Answer in a sentence or two."
    return f"Sum up what the lesson says about “{_name(section)}”."


def _name(section: Section) -> str:
    """The heading as a question says it; an entry of a reference without its arguments."""
    title = section.name.rstrip(":?.")
    return short_name(title) if looks_like_code(title) else title


def _points(section: Section) -> list[Sentence]:
    """The entries of the section's only list, if they are few and state something."""
    lists = [idea for idea in section.ideas if idea.kind == "list"]
    heads = [item[0] for item in lists[0].items if item] if len(lists) == 1 else []
    whole = FEWEST_POINTS <= len(heads) <= MOST_STEPS and all(head.cites and head.length >= 3 for head in heads)
    plain = not any(_FIELD.match(head.text) or _OF_THE_MOMENT.search(head.text) for head in heads)
    orders = sum(is_imperative(head.text) for head in heads) * 2 >= len(heads)
    if (
        not is_plural(section.title.rstrip(":"))
        or orders
        or any(head.leans for head in heads)
        or _RESOURCES.search(section.title)
    ):
        return []
    return heads if whole and plain and sum(head.length for head in heads) <= 2 * LONGEST_ANSWER_WORDS else []


def _gist(exam: Exam, section: Section, taken: set[int]) -> list[Sentence]:
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
    long_enough = sum(sentence.length for sentence in answer) >= LEAST_GIST_WORDS
    return answer if long_enough and _is_about(answer, section) else []


def _is_about(answer: Sequence[Sentence], section: Section) -> bool:
    """Whether the passage names what the heading names: else it leads up to it, or away."""
    named = set(stems(f"{section.title} {section.telling.title}"))
    return not named or any(named & set(stems(sentence.text)) for sentence in answer)


def _plain(exam: Exam, unit: Unit) -> bool:
    """Whether it states something by itself that holds beyond the page's example."""
    fits = unit.head.cites and "narrative" not in unit.roles and not unit.head.leans and unit.head.alone
    return bool(fits) and not any(
        _OF_THE_MOMENT.search(s.text) or _OF_US.search(s.text) or exam.of_the_example(s) for s in unit.sentences
    )


def _passage(section: Section, taken: set[int]) -> list[Sentence]:
    """What the section says in its first sentences that can be told, as long as an answer may be: the last resort."""
    answer: list[Sentence] = []
    for unit in _tellable(section):
        fits = sum(sentence.length for sentence in answer) + unit.words <= LONGEST_ANSWER_WORDS
        away = any(s.start in taken or _CAPTION.search(s.text) or _OF_US.search(s.text) for s in unit.sentences)
        if fits and not away and len(answer) < MOST_IN_A_PASSAGE:
            answer += unit.sentences
    return answer if sum(sentence.length for sentence in answer) >= LEAST_GIST_WORDS else []


def _tellable(section: Section) -> list[Unit]:
    return [
        unit
        for idea in section.ideas
        if idea.kind in ("text", "definition", "list")
        for unit in idea.units
        if unit.head.cites and unit.words >= 6 and "narrative" not in unit.roles and not unit.head.leans
    ]
