"""Items about what belongs together: commands and what they do, entries and their descriptions, cells of a table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.slide_lines import bold_lead
from service.authors.extractive.language.verb_forms import base_verb, word_classes
from service.authors.extractive.language.words import bag, capitalized, cosine, is_plural, rank, stems, words
from service.authors.extractive.quizzes.parts import CHOICES, Candidate, Exam, gives_away, source_says
from service.authors.extractive.quizzes.reference import Pair, entries
from service.authors.extractive.sources.code_kinds import kind_of, spelled_out
from service.authors.extractive.sources.material import Idea, Section
from service.domain.quiz import Option

FEWEST, MOST = 3, 5
MOST_EASY = 1
_UNNAMED = frozenset(("operator", "literal", "path", "expression"))  # what `[]` does depends on where it stands
_BY_NAME = "Match each name with its description."
TOO_ALIKE = 0.4
ENOUGH_ENTRIES = 0.6  # of a list's entries have a name and a description
_LEADING_CODE = re.compile(r"^(?:The |Running )?(?:command |statement |flag |option |program )?$")
_DEED = re.compile(
    r"^(?: (?:command|flag|option|statement|function|attribute|program|instruction|directive|method|property|setting|"
    r"macro|module|class|key|field|event|parameter|argument|variable|header|tag|element))?:? (?:[-–—] )?"
    r"(?P<does>[a-z]+s (?:you |us )?.{8,110}?)(?:, (?:so|but|while|and|which|because)\b.*)?[.;]?$"
)
_ANOTHER_VERB = re.compile(r"^\w+ (?:is|are|can|may|might|must|should|will|have|has)\b")  # "labels are for …"
_NO_DEED = re.compile(
    r"\b(?:this|these|those|it|they|them|above|below|following|same|another|also|example|additional|additionally|too|"
    r"instead|as well)\b"
)
_DATED = re.compile(
    r"^(?:Default|Type|Added|Since|Respected|Deprecated)\b|\b(?:above|below|following)\b", re.IGNORECASE
)
_LABELS = re.compile(r"^(?:yes|no|[-–—xX✓✗]|n/?a|\d+)$", re.IGNORECASE)


def deed_of(sentence: Sentence) -> Pair | None:
    """A piece of code and what the sentence says that it does."""
    first = next((mark for mark in sentence.marks if mark.kind == "code"), None)
    if first is None or not sentence.cites or not _LEADING_CODE.match(sentence.text[: first.start]):
        return None
    code = sentence.text[first.start : first.end]
    match = _DEED.match(sentence.text[first.end :])
    if not match or _NO_DEED.search(match["does"]) or code in match["does"]:
        return None
    verb = match["does"].split()[0]
    if verb in ("is", "was", "has", "does", "means") or "VERB" not in word_classes(verb):
        return None
    if _ANOTHER_VERB.search(match["does"]) or not _one_verb(match["does"]):
        return None
    return Pair(f"`{code}`", capitalized(match["does"]), sentence.text, sentence.cites)


def _one_verb(does: str) -> bool:
    """Whether its first word is the verb: not "tables provide a way", not "values of the option"."""
    first, second = does.split()[:2]
    return second != "of" and not (
        "NOUN" in word_classes(first)
        and base_verb(second) == second
        and bool(word_classes(second))
        and word_classes(second) <= {"VERB", "AUX"}
    )


def deeds(sentences: Iterable[Sentence]) -> list[Pair]:
    """What each piece of code does, as far as one sentence says it; the first sentence counts."""
    found: dict[str, Pair] = {}
    for sentence in sentences:
        pair = deed_of(sentence)
        if pair is not None:
            found.setdefault(pair.name, pair)
    return list(found.values())


def _own_deeds(exam: Exam) -> list[Pair]:
    told = (s for section in exam.sections for unit in section.units() for s in unit.sentences)
    return _first_of_each([*entries(exam.origins(), exam.library), *deeds([*told, *exam.keypoints])])


def _first_of_each(pairs: Iterable[Pair]) -> list[Pair]:
    found: dict[str, Pair] = {}
    for pair in pairs:
        found.setdefault(pair.name, pair)
    return list(found.values())


def _deeds_around(exam: Exam) -> list[Pair]:
    known = _first_of_each([*entries(exam.siblings(), exam.library), *deeds(exam.sayings())])
    return [pair for pair in known if pair.does]


def does_items(exam: Exam) -> list[Candidate]:
    """ "What does `git add` do?" and "Which of these adds …?", with other code of the sources and what it does."""
    own = {pair.name for pair in _own_deeds(exam)}
    everywhere = exam.once("deeds", lambda: _deeds_around(exam))
    found: list[Candidate] = []
    for pair in everywhere:
        if pair.name not in own or kind_of(pair.name) in _UNNAMED or gives_away(spelled_out(pair.name), pair.says):
            continue
        others = [
            o for o in everywhere if _bare(o.name) != _bare(pair.name) and cosine(bag([o.says]), bag([pair.says])) < 0.4
        ]
        others = [o for o in others if 0.4 * len(pair.says) <= len(o.says) <= 2 * len(pair.says) + 10]
        home = pair.cites[0].source
        others.sort(key=lambda o: (o.name not in own, o.cites[0].source != home, rank(pair.says, o.name)))
        if len(others) >= CHOICES - 1:
            found.append(_what_does(pair, others[: CHOICES - 1]))
        alike = [
            o
            for o in others
            if kind_of(o.name) == kind_of(pair.name) and not gives_away(spelled_out(o.name), pair.says)
        ]
        if len(alike) >= CHOICES - 1:
            found.append(_which_does(pair, alike[: CHOICES - 1]))
    return found


def _what_does(pair: Pair, others: Sequence[Pair]) -> Candidate:
    options = [Option(text=pair.says, rationale=source_says(pair.reason))]
    options += [Option(text=o.says, rationale=f"No, {o.name} does that. {source_says(o.reason)}") for o in others]
    return Candidate("does", "single", f"What does {pair.name} do?", options, [pair.says], pair.cites)


def _which_does(pair: Pair, others: Sequence[Pair]) -> Candidate:
    options = [Option(text=pair.name, rationale=source_says(pair.reason))]
    options += [Option(text=o.name, rationale=f"No. {source_says(o.reason)}") for o in others]
    stem = f"Which of these {_small(pair.says).rstrip('.')}?"
    return Candidate("which", "single", stem, options, [pair.name], pair.cites)


def pair_items(exam: Exam) -> list[Candidate]:
    """Code beside what it does, and the entries of a list beside their descriptions."""
    found = []
    mine = _distinct(_own_deeds(exam))
    if len(mine) >= FEWEST:
        stem = "Match each piece of code with what it does." if all(p.does for p in mine[:MOST]) else _BY_NAME
        found.append(_matching(stem, mine))
    for section in exam.sections:
        for idea in section.ideas:
            pairs = _distinct(_entries(idea))
            if FEWEST <= len(pairs) >= ENOUGH_ENTRIES * len(idea.items):
                title = section.telling.title.rstrip(":?")
                found.append(_matching(f"{title}: match each entry with what the lesson says of it.", pairs))
            found += _table_items(section, idea)
    return found


def _matching(stem: str, pairs: Sequence[Pair]) -> Candidate:
    options = [Option(text=p.name, match=p.says, rationale=source_says(p.reason)) for p in pairs[:MOST]]
    cites = tuple(cite for pair in pairs[:MOST] for cite in pair.cites)
    return Candidate("pairs", "matching", stem, options, [option.text for option in options], cites)


def _distinct(pairs: Sequence[Pair]) -> list[Pair]:
    """Those that cannot be taken for each other; one name may stand in what is said of it, more would be too easy."""
    kept: list[Pair] = []
    easy = 0
    for pair in pairs:
        told = bag([pair.says])
        easy_one = gives_away(spelled_out(pair.name), pair.says)
        if (easy >= MOST_EASY and easy_one) or any(
            cosine(told, bag([o.says])) >= TOO_ALIKE or _bare(o.name) == _bare(pair.name) for o in kept
        ):
            continue
        easy += easy_one
        kept.append(pair)
    return kept


def _bare(name: str) -> str:
    """The name without its arguments: `Mutex<T>` is `Mutex`."""
    return re.sub(r"[<(\[].*[>)\]]", "", name).lower()


def _entries(idea: Idea) -> list[Pair]:
    found = []
    for item in idea.items if idea.kind == "list" else ():
        lead = _lead(item[0]) if item else ""
        rest = item[0].text[len(lead) :].strip(" :.–-—") if lead and item[0].text.startswith(lead) else ""
        told = 3 <= len(words(rest)) <= 22 and not re.match(r"(?:it|they|this|these)\b", rest, re.IGNORECASE)
        if told and item[0].cites and not _DATED.search(rest):
            name = f"`{lead}`" if lead in item[0].code() else lead
            found.append(Pair(name, capitalized(rest), item[0].text, item[0].cites, does=False))
    return found


def _lead(sentence: Sentence) -> str:
    """What a list entry opens with and sets off from the rest: bold words, or code before a colon or a dash."""
    if lead := bold_lead(sentence):
        return lead
    first = next((mark for mark in sentence.marks if mark.kind == "code" and mark.start == 0), None)
    after = sentence.text[first.end :] if first else ""
    return sentence.text[: first.end] if first and re.match(r"\s*(?::|[–—-] |\([^)]*\):)", after) else ""


def _table_items(section: Section, idea: Idea) -> list[Candidate]:
    """A table asked by its rows: which entry goes with a cell, and all entries beside a column."""
    if idea.kind != "table" or not 3 <= len(idea.rows) - 1 <= 12 or len(idea.row_cites) != len(idea.rows):
        return []
    return list(_lookups(section, idea)) + list(_columns(section, idea))


def _lookups(section: Section, idea: Idea) -> Iterator[Candidate]:
    head, *rows = idea.rows
    labels = [row[0] for row in rows]
    if len(set(labels)) < len(labels) or len(labels) < CHOICES or any(len(words(label)) > 6 for label in labels):
        return
    if not head[0].strip() or any(_LABELS.match(label.strip()) or not label.strip() for label in labels):
        return
    for column in range(1, len(head)):
        cells = [row[column] for row in rows]
        if not _telling(cells):
            continue
        for number, cell in sorted(enumerate(cells), key=lambda pair: rank(section.title, pair[1])):
            if set(stems(labels[number])) & set(stems(cell)):
                continue
            others = sorted((n for n in range(len(rows)) if n != number), key=lambda n: rank(cell, labels[n]))
            shown = [number, *others[: CHOICES - 1]]
            options = [
                Option(text=labels[n], rationale=f"{'' if n == number else 'No. '}The table has “{cells[n]}” for it.")
                for n in shown
            ]
            stem = f"In the table under “{section.telling.title}”: {_asked_for(head[0], head[column], cell)}?"
            cites = tuple(idea.row_cites[n + 1] for n in shown)
            yield Candidate("lookup", "single", stem, options, [labels[number]], cites)


def _small(title: str) -> str:
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]


def _is_name(title: str) -> bool:
    return bool(re.search(r"\w[A-Z\d]", title)) or title[:1].isdigit()


def _is_clause(title: str) -> bool:
    return bool(re.match(r"(?:what|how|when|where|why|used?) ", title, re.IGNORECASE))


def _asked_for(label: str, title: str, cell: str) -> str:
    """The question after the row of a cell, by what the column's heading is: a name, a clause or a plain noun."""
    label = label[:-1] if is_plural(label) else label
    if _is_clause(title):
        return f"which {_small(label)} is described by “{cell}”"
    if _is_name(title):
        return f"for {title}, which {_small(label)} is “{cell}”"
    return f"which {_small(label)} has the {_small(title)} “{cell}”"


def _beside(title: str) -> str:
    if re.match(r"(?:an?|the) ", title, re.IGNORECASE):
        return f"its entry under “{title}”"
    if _is_clause(title):
        return _small(title)
    return f"what holds for {title}" if _is_name(title) else f"its {_small(title)}"


def _telling(cells: Sequence[str]) -> bool:
    """Whether each cell names its row: all differ, none is empty or a mark."""
    return len({cell.lower() for cell in cells}) == len(cells) and not any(
        not cell.strip() or len(words(cell)) > 16 or re.fullmatch(r"\W*|yes|no", cell, re.IGNORECASE) for cell in cells
    )


def _columns(section: Section, idea: Idea) -> Iterator[Candidate]:
    head, *rows = idea.rows
    for column in range(1, len(head)):
        cells = [row[column] for row in rows]
        fair = _telling(cells) and sum(len(words(cell)) for cell in cells) >= 2 * len(cells)
        if not fair or not head[0].strip() or not all(row[0].strip() for row in rows):
            continue
        pairs = [
            Pair(row[0], row[column], " – ".join(cell for cell in row if cell), (cite,))
            for row, cite in zip(rows, idea.row_cites[1:], strict=True)
        ]
        pairs = _distinct(pairs)
        if len(pairs) >= FEWEST:
            title = section.telling.title.rstrip(":?")
            yield _matching(f"{title}: match each {_small(head[0])} with {_beside(head[column])}.", pairs)
            return
