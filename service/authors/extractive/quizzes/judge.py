"""Items that ask whether a statement holds: as the source has it, or with one thing in it changed.

A changed statement is only asked when the support check itself says that the source speaks against it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from service.authors.extractive.language import patterns
from service.authors.extractive.language.clauses import states
from service.authors.extractive.language.lexicon import ACTION_VERBS, OPPOSITES
from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.slide_lines import compress, set_code
from service.authors.extractive.language.verb_forms import is_imperative, third_person
from service.authors.extractive.language.words import words
from service.authors.extractive.quizzes.parts import CHOICES, Candidate, Exam, source_says
from service.domain.quiz import Option
from service.domain.support import judge

_HEDGED = re.compile(
    r"\b(?:this|these|those|such|may|might|perhaps|seems?|probably|likely|some|many|we|you|your|our|usually|about|"
    r"often|sometimes|roughly|here|now|then|today|most|few|almost|nearly|therefore|thus|hence|notice|currently|even|"
    r"(?:with|without|than|no|another) one|he|she|his|her|however|later|earlier|please|expected|"
    r"(?:of|in|to|for|with|from|by|on|at|as|after|before|until) that)\b",
    re.IGNORECASE,
)
_UNSAFE_FLIP = re.compile(
    r"\b(?:look|run|nam|tak|go|ask)(?:s|ed|es|ing|e)? before\b|"
    r", but|(?:more|less) than just|even if|\bsince\b|\bdoes use\b|\busually\b|"
    r"\b(?:before|after) (?:an? |\w+ing\b|\d)",  # "died before battling leukaemia", "before a certain number of days"
    re.IGNORECASE,
)
_DENIALS = re.compile(r"\b(?:not|no|never|cannot|without|nobody|nothing)\b|n[’']t\b")
# Nobody is asked when something took place, nor a denial of a denial, nor how many there are of what is not named.
_TRIVIAL = re.compile(
    r"\b(?:1[4-9]|20)\d\d\b|\b(?:January|February|March|April|June|July|August|September|October|November|December)\b|"
    r"\bnot (?:un|in|im|dis)\w+|"
    r"\b(?:in|has|have|are) (?:two|three|four|several) \w+s$"
)
_OPEN = re.compile(
    r"\b(?:our|us|I|my|let|always|never|all|only|it|its|they|them|their|there|also|too|still|else|the same)\b"
)
_UNITS = (
    ("seconds", "minutes"), ("minutes", "hours"), ("hours", "days"), ("days", "weeks"), ("weeks", "months"),
    ("months", "years"), ("bits", "bytes"), ("bytes", "kilobytes"), ("milliseconds", "seconds"), ("grams", "kilograms"),
    ("kilograms", "tonnes"), ("metres", "kilometres"), ("meters", "kilometers"), ("millimetres", "centimetres"),
)  # fmt: skip
_FURTHER_OPPOSITES = (
    ("at least", "at most"), ("at most", "at least"), ("more than", "less than"), ("less than", "more than"),
    ("fewer than", "more than"), ("after", "before"), ("larger", "smaller"), ("smaller", "larger"),
    ("stronger", "weaker"), ("weaker", "stronger"), ("longer", "shorter"), ("shorter", "longer"), ("above", "below"),
    ("below", "above"), ("cheaper", "dearer"), ("earlier", "later"), ("later", "earlier"),
    ("twice", "once"), ("rises", "falls"), ("falls", "rises"),
)  # fmt: skip
SHORTEST, LONGEST = 6, 20
LEAST_KEPT = 0.7  # of the sentence's words: what was cut off may have been the condition that makes it true


def reversed_meaning(text: str) -> str:
    """The text with one listed word replaced by its opposite, so that it says the reverse; '' when none fits."""
    for word, opposite in (*OPPOSITES, *_FURTHER_OPPOSITES):
        found = list(re.finditer(rf"\b{word}\b", text))
        if len(found) == 1 and not re.search(rf"\b{opposite}\b", text.replace(word, "")):
            return text[: found[0].start()] + opposite + text[found[0].end() :]
    return ""


def altered(text: str) -> Iterator[str]:
    """The text with one typed change: another number, another unit, the opposite, a denial taken away."""
    numbers = [match for match in patterns.NUMBER.finditer(text) if match["unit"] and not match["to"]]
    if len(numbers) == 1:
        value = float(numbers[0]["value"].replace(",", ""))
        if value > 1 and value == int(value):
            other = f"{int(value * 2):,}" if "," in numbers[0]["value"] else f"{int(value * 2)}"
            percent = re.search(r"%|percent", numbers[0]["unit"])
            if not percent or value <= 50:
                yield text[: numbers[0].start("value")] + other + text[numbers[0].end("value") :]
        for one, unit in _UNITS:
            if numbers[0]["unit"].strip() == one:
                yield text[: numbers[0].start("unit")] + " " + unit + text[numbers[0].end("unit") :]
    flipped = _affirmed(text) or reversed_meaning(text)
    if flipped and len(_DENIALS.findall(text)) < 2 and not _UNSAFE_FLIP.search(flipped):
        yield flipped


def _affirmed(text: str) -> str:
    """ "It does not keep the log" as "It keeps the log"; '' without such a denial."""
    match = re.search(r"\b(?P<do>does|do) not (?:[a-z]+ly )?(?P<verb>[a-z]+)\b", text)
    if not match or text.count(" not ") != 1:
        return ""
    verb = third_person(match["verb"]) if match["do"] == "does" else match["verb"]
    return text[: match.start()] + verb + text[match.end() :]


def statement_items(exam: Exam) -> list[Candidate]:
    """One faithful short sentence among three whose meaning is reversed; and statements to judge alone."""
    true: list[tuple[Sentence, str]] = []
    false: list[tuple[Sentence, str, str]] = []
    for kind, sentence in exam.facts():
        short = _statement(sentence, kind)
        if not short:
            continue
        quotes = [cite.quote for cite in sentence.cites]
        wrong = next((other for other in altered(short) if judge(other, quotes).state == "unsupported"), "")
        if wrong and len(wrong) < 150:
            false.append((sentence, wrong, short))
        elif not reversed_meaning(short):
            true.append((sentence, short))
    judged = _to_judge(false)
    if len(false) > CHOICES:
        judged += [item for sentence, short in true if (item := _choice(sentence, short, false[1:]))][:1]
    return judged


def _statement(sentence: Sentence, kind: str) -> str:
    """The sentence's short form, if it can be judged with nothing around it."""
    if kind not in ("text", "definition") or sentence.roles & {"narrative", "example", "question", "step"}:
        return ""
    if _HEDGED.search(sentence.text) or re.match(r"[\w ]{2,20}: ", sentence.text):
        return ""
    short = compress(sentence.text, LONGEST)
    if not short or not max(SHORTEST, LEAST_KEPT * sentence.length) <= len(words(short)) <= LONGEST:
        return ""
    if (
        re.match(r"(?:There|What|Whoever|Which|One|Another|Beware|If|When|The (?:same|other|two|three|rest))\b", short)
        or _OPEN.search(short)
        or _TRIVIAL.search(short)
    ):
        return ""
    if words(short)[0].lower() in ACTION_VERBS or re.match(r"[A-Z][a-z]+(?:s|ing)? (?:the|an?|all|any) ", short):
        return ""  # an instruction, or a description that leaves out its subject: "Returns the …"
    main = re.split(r"\b(?:after|before|if|when|while|until|unless|that|which|who)\b", short)[0]
    if is_imperative(short) or not states(main or short):
        return ""
    return short if all(code in short for code in sentence.code()) else ""


def _choice(sentence: Sentence, short: str, false: list[tuple[Sentence, str, str]]) -> Candidate | None:
    picked = [wrong for wrong in false if abs(len(wrong[1]) - len(short)) < 45][: CHOICES - 1]
    if len(picked) < CHOICES - 1 or len(short) > max(len(wrong[1]) for wrong in picked) + 6:
        return None
    options = [Option(text=set_code(short, sentence), rationale=source_says(sentence.text))]
    options += [Option(text=set_code(text, s), rationale=f"No. {source_says(s.text)}") for s, text, _ in picked]
    cites = sentence.cites + tuple(cite for s, _, _ in picked for cite in s.cites)
    return Candidate("statement", "single", "Which of these statements is correct?", options, [options[0].text], cites)


def _to_judge(false: Sequence[tuple[Sentence, str, str]]) -> list[Candidate]:
    """True or false: as the source has it, with the changed statement as its twin."""
    found: list[Candidate] = []
    for sentence, wrong, short in false:
        kept = _judged(sentence, short, "True")
        kept.twin = _judged(sentence, wrong, "False")
        found.append(kept)
    return found


def _judged(sentence: Sentence, text: str, right: str) -> Candidate:
    reason = source_says(sentence.text)
    options = [
        Option(text="True", rationale=reason if right == "True" else f"No. {reason}"),
        Option(text="False", rationale=f"No, it is true. {reason}" if right == "True" else reason),
    ]
    stem = f"True or false? {set_code(text, sentence)}."
    return Candidate("judge", "true_false", stem, options, [right], sentence.cites, sorted_options=True)
