"""Procedures that are more than a list: what happens in stages, and a worked example with the case that it solves.

Who acts decides. Steps that the learner takes stay numbered steps. Where the sentence before them says that somebody
else takes them, they are stages of a process; where it names one case, they are the solution of that case (worked
examples before own practice: Renkl and Atkinson 2003).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from service.authors.extractive.language.key_phrases import orders, split_subject
from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.slide_lines import compress, set_code
from service.authors.extractive.language.words import capitalized, words
from service.authors.extractive.scenes.draft import Line, SceneDraft

STAGES = (3, 6)
SHORT_NAME, NAME_WORDS, TEXT_WORDS = 5, 7, 7
PROBLEM_WORDS = 14
_CASE = re.compile(r"\b(?:for example|for instance|suppose|imagine|say|assume|example)\b|\d[\d,.]*\d", re.IGNORECASE)
_BY_THE_LEARNER = re.compile(r"\b(?:you|your|we|our|us|let[’']s|please)\b", re.IGNORECASE)
_IN_STAGES = re.compile(
    r"\b(?:steps|stages|phases|parts) (?:of|in)\b|\b(?:life ?cycle|cycle|process|stages|phases|pipeline|sequence)\b",
    re.IGNORECASE,
)
_TAKES_STEPS = re.compile(
    r"\b(?:steps?|stages?|phases?|parts?|checks?|packets?|moves?|passes|rounds?|turns?|things?)\s*:$", re.IGNORECASE
)
_THIRD_PERSON = re.compile(r"^(?:An?|The|Each|Every|Most) [\w’'-]+ .*\b\w+s\b")
_COUNTED = re.compile(
    r",? (?:in|through|with|by) (?:two|three|four|five|six|seven|eight|\d+|these|a few) (?:steps|stages|moves)$",
    re.IGNORECASE,
)
_JOINING = re.compile(r"^(?:and then|and|which)\s+")


def draw_stages(scenes: Iterable[SceneDraft]) -> None:
    """Turns procedures into worked examples and processes, where their lead or heading says that they are."""
    for scene in scenes:
        if scene.kind == "steps" and len(scene.lines) >= STAGES[0]:
            lead = _lead(scene)
            if lead is not None and _is_case(lead):
                _as_worked(scene, lead)
            elif len(scene.lines) <= STAGES[1] and _happens(scene, lead):
                _as_process(scene)


def _lead(scene: SceneDraft) -> Sentence | None:
    """The sentence that announces the first step."""
    for said in scene.said:
        if said.shows is not None:
            return None
        if said.sentence is not None and said.sentence.text.endswith(":"):
            return said.sentence
    return None


def _is_case(lead: Sentence) -> bool:
    """Whether the lead names one case: a value, an address, a quoted name, or that it is an example."""
    return bool(lead.code() or _CASE.search(lead.text)) and len(words(lead.text)) >= NAME_WORDS


def _happens(scene: SceneDraft, lead: Sentence | None) -> bool:
    """Whether the steps are taken by somebody, or something, else than the learner."""
    if lead is None:
        return bool(_IN_STAGES.search(scene.title))
    if _BY_THE_LEARNER.search(lead.text):
        return False
    told = split_subject(lead.text.rstrip(": ")) is not None or _THIRD_PERSON.match(lead.text)
    return bool(told and (_TAKES_STEPS.search(lead.text) or _IN_STAGES.search(f"{scene.title} {lead.text}")))


def _as_worked(scene: SceneDraft, lead: Sentence) -> None:
    text = _COUNTED.sub("", re.sub(r"\s*\([^()]*\)", "", lead.text).rstrip(": "))
    problem = compress(text, PROBLEM_WORDS) or text
    scene.kind = "worked"
    scene.fields = {"problem": set_code(problem, lead), "answer": ""}
    scene.cites = lead.cites + scene.cites


def _as_process(scene: SceneDraft) -> None:
    """Each step as a stage with a short name; left as steps where one has none."""
    sentences = {id(said.shows): said.sentence for said in scene.said if said.shows is not None and said.sentence}
    stages = [_stage(line, sentences.get(id(line))) for line in scene.lines]
    if not all(stages) or len({name for name, _ in filter(None, stages)}) < len(stages):
        return
    told = sum(bool(text) for _, text in filter(None, stages)) * 2 > len(stages)
    for line, stage in zip(scene.lines, stages, strict=True):
        if stage:
            line.name, line.text = stage if told else (stage[0], "")
            line.forms = [(line.name, line.text), (line.name, "")]
            line.group = 1  # the texts go together: stages that are told unequally look unequal
    scene.kind = "process"


def _stage(line: Line, sentence: Sentence | None) -> tuple[str, str] | None:
    """The name of a stage, and what is said of it."""
    if sentence is None:
        return None
    forms = [*orders(sentence, step=True), line.text]
    fitting = [form for most in (SHORT_NAME, NAME_WORDS) for form in forms if 1 < len(words(form)) <= most]
    name = fitting[0] if fitting else ""
    if not name:
        return None
    name = name.replace("`", "")
    _, _, rest = re.sub(r"\s*\([^()]*\)", "", sentence.text).rstrip(" .;").partition(name)
    rest = _JOINING.sub("", rest.strip(" ,;:"))
    text = rest if len(words(rest)) <= TEXT_WORDS else ""
    return set_code(capitalized(name), sentence), set_code(text, sentence)
