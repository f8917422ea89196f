"""Items about terms and code: which term fits a description, matching, which command does it, and marked gaps."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from service.authors.extractive.lexicon import STOPWORDS
from service.authors.extractive.patterns import POOR_MEANING
from service.authors.extractive.quiz_parts import CHOICES, Candidate, Exam, gives_away, source_says
from service.authors.extractive.sentences import Sentence
from service.authors.extractive.slide_lines import set_code
from service.authors.extractive.verb_forms import word_classes
from service.authors.extractive.words import bag, capitalized, cosine, is_plural, rank, stems, words
from service.domain.course import GlossaryEntry
from service.domain.quiz import Option
from service.domain.source import Cite

_NOUN_PHRASE = re.compile(r"(?:an?|the|any|all|one|when|[a-z]+ing|desired)\b", re.IGNORECASE)
_DOES = re.compile(
    r"^(?:The |We use |You use |Use |Running )?(?P<code>\S.{1,40}?)"
    r"(?: command| flag| option| attribute| tag| element| file| directory| function| module)? "
    r"(?P<verb>is used to|allows you to|lets you|can be used to|[a-z]+s) (?P<purpose>.{10,160})$"
)
_NOUN = r"(?: (?:command|flag|option|function|statement|method))?"
_USE = re.compile(
    r"^(?:Use|Run|Type|Call|(?:[Ww]e|[Yy]ou)(?: can| could| may)?(?: then| also)? (?:use|run|type|call)) (?:the )?"
    rf"(?P<code>\S.{{0,38}}?){_NOUN} to (?P<purpose>[a-z]+ .{{9,110}}?)[.:;]?$"
)
_TO_USE = re.compile(
    r"^To (?P<purpose>[a-z]+ .{9,110}?), (?:(?:we|you)(?: can| could| may| need to| have to)? )?"
    rf"(?:use|run|type|call) (?:the )?(?P<code>\S.{{0,38}}?){_NOUN}[.:;]?$"
)
_LOOSE_PURPOSE = re.compile(r"\b(?:this|these|those|it|they|them|our|my|we|do so|above|below|following|example)\b")
_PERSON = re.compile(r"(?:an? |the )?(?:\w+ )?(?:person|people|somebody|someone|member|worker|role)\b", re.IGNORECASE)
_NOT_FOR_A_GAP = re.compile(
    r"\b(?:this|these|those|such|we|our|us|he|she|his|her|now|newly|today|notice)\b|^(?:\w+,? ){0,3}(?:it|they)\b",
    re.IGNORECASE,
)
_KIND_OF_CODE = re.compile(r"\s(command|flag|option|attribute|tag|element|file|directory|function|module|method)\b")
_COMMAND_LINE = re.compile(r"(?:git|docker|npm|pip|kubectl|cd|ls|mkdir|uv)\b")


def term_items(exam: Exam) -> list[Candidate]:
    """ "Which term fits this description?" with terms of the same shape as wrong options."""
    here = _here(exam)
    found: list[Candidate] = []
    for entry in here:
        if not _describes(entry):
            continue
        others = [other for other in exam.glossary if other is not entry and _rivals(entry, other)]
        others.sort(key=lambda o: (o.cite.source != entry.cite.source, rank(entry.meaning, o.term)))
        at_home = sum(other.cite.source == entry.cite.source for other in others[: CHOICES - 1])
        if len(others) < CHOICES - 1 or at_home < CHOICES - 2:
            continue
        options = [Option(text=capitalized(entry.term), rationale=source_says(_quote(exam, entry)))]
        options += [
            Option(text=capitalized(o.term), rationale=f"No. {source_says(_quote(exam, o))}")
            for o in others[: CHOICES - 1]
        ]
        stem = f"Which term fits this description: “{entry.meaning.rstrip('.')}”?"
        found.append(Candidate("term", "single", stem, options, [options[0].text], (_cite(exam, entry),)))
    return found


def meaning_items(exam: Exam) -> list[Candidate]:
    """ "What is meant by …?" with the meanings of other terms as wrong options."""
    found: list[Candidate] = []
    for entry in _here(exam):
        if not _describes(entry):
            continue
        rivals = [
            o
            for o in exam.glossary
            if o is not entry and _rivals(entry, o) and _describes(o) and not gives_away(o.meaning, entry.term)
        ]
        near = [o for o in rivals if abs(len(o.meaning) - len(entry.meaning)) < 0.6 * len(entry.meaning)]
        near.sort(key=lambda o: (o.cite.source != entry.cite.source, rank(entry.meaning, o.term)))
        at_home = sum(other.cite.source == entry.cite.source for other in near[: CHOICES - 1])
        if len(near) < CHOICES - 1 or at_home < CHOICES - 2:
            continue
        options = [Option(text=capitalized(entry.meaning), rationale=source_says(_quote(exam, entry)))]
        options += [
            Option(text=capitalized(o.meaning), rationale=f"No. {source_says(_quote(exam, o))}")
            for o in near[: CHOICES - 1]
        ]
        stem = f"What is meant by “{exam.library.casing.inside(entry.term)}”?"
        found.append(Candidate("meaning", "single", stem, options, [options[0].text], (_cite(exam, entry),)))
    return found


def name_gap_items(exam: Exam) -> list[Candidate]:
    """A term of the course is taken out of a sentence that says something about it and does not define it."""
    found: list[Candidate] = []
    for _, sentence in exam.facts():
        if not _good_for_gap(sentence) or sentence.defines:
            continue
        for entry in exam.glossary:
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
        for o in exam.glossary
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
    return [entry for entry in exam.glossary if (entry.cite.source, entry.cite.start) in told]


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


def command_items(exam: Exam) -> list[Candidate]:
    """ "`git pull` updates …" becomes "Which command updates …?", with other code of the same shape."""
    everywhere = _all_code(exam)
    found: list[Candidate] = []
    for sentence in exam.statements():
        asked = _asks_for_code(sentence)
        if asked is None:
            continue
        code, stem, purpose = asked
        if gives_away(code, purpose):
            continue
        others = [
            o for o in everywhere if o != code and _shape(o) == _shape(code) and 3 <= len(o) < 40 and o not in purpose
        ]
        family = code.split()[0]
        others.sort(key=lambda o: (o.split()[0] != family, ("[" in o) != ("[" in code), len(o), rank(sentence.text, o)))
        others = _distinct(code, others)[: CHOICES - 1]
        if len(others) < CHOICES - 1:
            continue
        options = [Option(text=code, rationale=source_says(sentence.text))]
        options += [Option(text=o, rationale=_why_not(exam, o, code, sentence)) for o in others]
        found.append(Candidate("command", "single", stem, options, [code], sentence.cites))
    return found


def _asks_for_code(sentence: Sentence) -> tuple[str, str, str] | None:
    """The code, the question and the purpose; None when the sentence does not say what the code does."""
    codes = sentence.code()
    use = _USE.match(sentence.text) or _TO_USE.match(sentence.text)
    if use and use["code"].strip("`") in codes and not _LOOSE_PURPOSE.search(use["purpose"]):
        return use["code"].strip("`"), f"What do you use to {use['purpose']}?", use["purpose"]
    does = _DOES.match(sentence.text.rstrip("."))
    first = next((mark for mark in sentence.marks if mark.kind == "code" and mark.start <= 5), None)
    if not does or not first or sentence.text[first.start : first.end] != does["code"].strip("`"):
        return None
    code, verb, purpose = does["code"].strip("`"), does["verb"], does["purpose"]
    noun = _KIND_OF_CODE.match(sentence.text[first.end :])
    if not (noun or _COMMAND_LINE.match(code)) or not _is_verb(verb) or code in purpose:
        return None
    if (
        re.search(r", (?:so|but|while|and|which)\b", purpose)
        or len(words(purpose)) > 24
        or "this" in purpose.split()[:3]
    ):
        return None
    kind = noun[1] if noun else "command"
    return code, re.sub(r"\s*\([^)]*\)", "", f"Which {kind} {verb} {purpose}") + "?", purpose


def _is_verb(verb: str) -> bool:
    return " " in verb or (verb not in ("is", "was", "has") and "VERB" in word_classes(verb))


def _all_code(exam: Exam) -> list[str]:
    """Code that the course's sources mark in their text, the lesson's own sources first."""
    own = exam.sources()
    found: Counter[str] = Counter()
    for reading in sorted(exam.library.readings, key=lambda reading: reading.sha256 not in own):
        for block in reading.source.blocks:
            found.update(reading.source.text[m.start : m.end] for m in block.marks if m.kind == "code")
    return list(found)


def _why_not(exam: Exam, other: str, code: str, sentence: Sentence) -> str:
    """What the source says the other code does, else what it says of the right one."""
    for said in exam.sayings():
        asked = _asks_for_code(said)
        if asked and asked[0] == other and said is not sentence:
            return f"No. {source_says(said.text)}"
    return f"No, it is `{code}`. {source_says(sentence.text)}"


def _distinct(key: str, others: Sequence[str]) -> list[str]:
    """No option may be the key with other arguments, nor its prefix: both would be right."""
    kept: list[str] = []
    for other in others:
        a, b = _core(key), _core(other)
        if a != b and not a.startswith(b) and not b.startswith(a) and all(b != _core(o) for o in kept):
            kept.append(other)
    return kept


def _core(code: str) -> str:
    bare = re.sub(r"\[.*?\]|<.*?>", "", code).split()
    return " ".join(bare[: 3 if code.startswith("git remote") else 2])


def _shape(code: str) -> str:
    if code.startswith("-"):
        return "flag"
    if " " in code:
        return "command"
    if "/" in code or "." in code:
        return "path"
    return "name" if code.isalnum() else "expression"


def gap_items(exam: Exam) -> list[Candidate]:
    """A marked term is taken out of a sentence that says something about it; siblings are marked terms of its shape."""
    pool = _marked_terms(exam)
    found: list[Candidate] = []
    for _, sentence in exam.facts():
        if not _good_for_gap(sentence):
            continue
        for mark in sentence.marks:
            kind = _mark_kind(mark.kind)
            term = sentence.text[mark.start : mark.end].rstrip(" :.,")
            leans = re.search(r"\b(?:it|they)\b", sentence.text[: mark.start], re.IGNORECASE)
            others = _gap_options(sentence, kind, term, pool) if mark.start >= 4 and not leans else []
            if len(others) < CHOICES - 1 or pool[(kind, term)] < 2:
                continue
            stem = f"Fill the gap: {sentence.text[: mark.start]}_____{sentence.text[mark.start + len(term) :]}"
            reason = source_says(sentence.text)
            options = [Option(text=term, rationale=reason)]
            options += [Option(text=o, rationale=f"No, it is “{term}”. {reason}") for o in others[: CHOICES - 1]]
            found.append(Candidate("gap", "cloze", stem, options, [term], sentence.cites))
            break
    return found


def _mark_kind(kind: str) -> str:
    return "term" if kind == "strong" else kind


def _marked_terms(exam: Exam) -> Counter[tuple[str, str]]:
    pool: Counter[tuple[str, str]] = Counter()
    for section in exam.siblings():
        for unit in section.units():
            for sentence in unit.sentences:
                for mark in sentence.marks:
                    text = sentence.text[mark.start : mark.end].rstrip(" :.,")
                    if mark.kind != "emphasis" and 2 < len(text) < 28:
                        pool[(_mark_kind(mark.kind), text)] += 1
    return pool


def _good_for_gap(sentence: Sentence) -> bool:
    telling = {"rule", "cause", "contrast", "warning", "number", "definition"}
    if not 8 <= sentence.length <= 32 or sentence.roles & {"narrative", "example", "question"}:
        return False
    coded = any(mark.kind == "code" for mark in sentence.marks)
    return bool(coded or sentence.roles & telling) and not _NOT_FOR_A_GAP.search(sentence.text)


def _gap_options(sentence: Sentence, kind: str, term: str, pool: Counter[tuple[str, str]]) -> list[str]:
    text = sentence.text.lower()
    marked = {sentence.text[m.start : m.end].rstrip(" :.,") for m in sentence.marks if _mark_kind(m.kind) == kind}
    if (
        _shape(term) == "expression"
        or (kind == "code" and _shape(term) == "name")
        or len(term.split()) > 3
        or text.count(term.lower()) != 1
        or len(marked) > 1
    ):
        return []
    others = [
        other
        for (other_kind, other), n in pool.items()
        if other_kind == kind and n > 1 and other.lower() not in text and _like(term, other)
    ]
    return sorted(others, key=lambda other: rank(sentence.text, other))


def _like(term: str, other: str) -> bool:
    if other.lower() == term.lower() or re.fullmatch(r"[0-9a-f]{6,}", other) or _shape(other) != _shape(term):
        return False
    if len(other.split()) != len(term.split()) or other[:1].isupper() != term[:1].isupper():
        return False
    return is_plural(other) == is_plural(term) and not set(stems(other)) & set(stems(term)) - {"git"}
