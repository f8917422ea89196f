"""The scenes around the content: opening, sections, practice, the check question and the recap."""

from __future__ import annotations

import re
from collections.abc import Sequence

from service.authors.extractive.language.key_phrases import orders
from service.authors.extractive.language.narration import speak
from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.slide_lines import as_shown, compress, slide_line, telegraph
from service.authors.extractive.language.words import Casing, content_words, overlap, stems, words
from service.authors.extractive.lessons.pretraining import HEADING
from service.authors.extractive.scenes.draft import AFTER_ALL, Line, Said, SceneDraft, say, signpost
from service.authors.extractive.sources.material import Idea, Section, Unit
from service.domain.conventions import SLIDE_SECONDS
from service.domain.course import Objective
from service.domain.quiz import QuizItem

_EXAMPLES = re.compile(r"(?:examples?|failures?|fails?|pass(?:es)?|correct|incorrect|code samples?)\b", re.IGNORECASE)
_UNFINISHED = re.compile(
    r"\b(?:with|by|using|running|typing|to|the|and|or|is|are)[.:]?$"
)  # code or a picture came here
_NEEDS_BOTH = re.compile(r"(?:compare|contrast|differentiate|distinguish|tell)\b|.*\bbetween\b", re.IGNORECASE)
_SIDES = re.compile(
    r"(?P<verb>\w+)(?: between)? (?:an? |the )?(?P<one>[^,]+?) (?:with|from|and|to) (?:an? |the )?(?P<other>[^,]+?)\.?$"
)
_AIM_DETAIL = re.compile(r"^(?!.*\b(?:how|what|why)\b)((?:\S+ ){3,7}?\S+) (?:to|without|from|with|when|before|by) .*$")
_COUNTS = ("one", "two", "three", "four", "five")
_SENTENCE = re.compile(r"[?!“”\"]|\b(?:is|are|was|were|do|does|did|can|should|must|you|we|i|because)\b")
FEWEST_POINTS = 2  # of a recap: one point alone is no look back
SHORT_AIMS = 38  # words: fifteen seconds
FEWEST_AIM_WORDS = 3  # with meaning: “apply the rules” says of no lesson what it is about
RECALL = (  # what is known already makes room for what is new (Ausubel's subsumption)
    "Take a moment: what do you know about this already?",
    "Pause here, and recall what you know of it so far.",
    "Before you go on: what comes to your mind first?",
)
TIME_TO_RECALL = (3.0, 7.0)  # seconds
PAUSE_FOR_A_QUESTION = 6
REASON_WORDS = 30
PAUSE_FOR_PRACTICE = 12


def opening(
    title: str,
    module: str,
    number: int,
    objectives: Sequence[Objective],
    hook: str,
    parts: Sequence[str],
    casing: Casing,
    in_a_hurry: bool = False,
) -> list[SceneDraft]:
    """The title with the question that the lesson answers, what learners can do afterwards, and the lesson's parts.

    `in_a_hurry`: the lesson is long enough without time to think of what is known already.
    """
    first = SceneDraft("title", title, kicker=module)
    first.fields = {"number": number, "subtitle": hook}
    first.said = [_spoken_signpost(hook)]
    scenes = [first]
    if objectives:
        aims = SceneDraft("bullets", "What you will be able to do", kicker=title)
        starts = ("When you finish this lesson, you can", "You can also", "And you can")
        for place, objective in enumerate(objectives[:5]):
            aim = _shorter_aims(objective.text)
            line = Line(objective.text, forms=[("", text) for text in (objective.text, *aim)])
            start = starts[0] if place == 0 else starts[2] if place == len(objectives) - 1 else starts[1]
            text = f"{start} {casing.lowered(objective.text.rstrip('.'))}."
            said = _spoken_signpost(text)
            said.shows = line
            aims.lines.append(line)
            aims.said.append(said)
        if aims.words < SHORT_AIMS:
            aims.said += _overview(title, parts, casing)
        if aims.words < SHORT_AIMS and not in_a_hurry:
            aims.said.append(_recalled(aims, number))
        scenes.append(aims)
    return scenes


def _recalled(aims: SceneDraft, number: int) -> Said:
    """Asks what is known already, with time to think; each lesson in other words than the one before."""
    said = signpost(RECALL[number % len(RECALL)])
    said.state = AFTER_ALL
    left = (SHORT_AIMS - aims.words - said.words) / SHORT_AIMS * SLIDE_SECONDS[0]
    said.pause = round(min(TIME_TO_RECALL[1], max(TIME_TO_RECALL[0], left + 0.9)), 1)
    return said


def _overview(title: str, parts: Sequence[str], casing: Casing) -> list[Said]:
    """Names the parts of the lesson, as far as their headings can be named in a sentence; an advance organizer."""
    topics = list(dict.fromkeys(casing.with_article(casing.inside(part)) for part in parts))
    if not 2 <= len(topics) <= len(_COUNTS) or any(_SENTENCE.search(topic) for topic in topics):
        return []
    if overlap(" ".join(topics), set(stems(title))) == 1:  # the title has said it
        return []
    mark = ";" if any("," in topic for topic in topics) else ","
    listed = f"{mark} ".join(topics[:-1]) + (f"{mark if len(topics) > 2 else ''} and {topics[-1]}")
    said = _spoken_signpost(f"The lesson has {_COUNTS[len(topics) - 1]} parts: {listed}.")
    said.state = AFTER_ALL
    return [said]


def _shorter_aims(text: str) -> list[str]:
    """The objective without its details; none where both sides of a comparison are the point."""
    if _NEEDS_BOTH.match(text):
        sides = _SIDES.match(text)
        return [f"{sides['verb']}: {sides['one']} vs {sides['other']}"] if sides else []
    shorter = orders(Sentence(text, ()), step=True) or _AIM_DETAIL.findall(text)
    return [form for form in shorter if len(content_words(form)) >= FEWEST_AIM_WORDS]


def _spoken_signpost(text: str) -> Said:
    spoken = speak(text)
    return Said(text, "" if spoken == text else spoken)


def section_scene(title: str, number: int, of: int, announcement: str) -> SceneDraft:
    """A divider between the parts of a lesson."""
    scene = SceneDraft("section", title, said=[_spoken_signpost(announcement)])
    scene.fields = {"number": number, "of": of}
    return scene


def practice_scene(idea: Idea) -> SceneDraft | None:
    """An exercise that can be told in a few sentences, with its answer; None when it needs the page."""
    task = idea.sentences
    length = sum(sentence.length for sentence in task)
    if idea.code or not 6 <= length <= 70 or not idea.solution:
        return None
    if any("lead" in sentence.roles for sentence in task):
        return None
    answer: list[Sentence] = []
    for sentence in idea.solution:
        if sum(s.length for s in answer) + sentence.length > 60:
            break
        answer.append(sentence)
    if not answer or any("lead" in sentence.roles for sentence in answer):
        return None
    if any(_UNFINISHED.search(sentence.text) for sentence in task + answer):
        return None
    scene = SceneDraft("question", idea.label or "Practice", kicker="Practice")
    scene.fields = {
        "text": " ".join(s.closed for s in task),
        "answer": " ".join(s.closed for s in answer),
        "pause": PAUSE_FOR_PRACTICE,
    }
    scene.cites = tuple(cite for s in task + answer for cite in s.cites)
    scene.said = [signpost("Your turn. Pause the video, and try this.")] + [say(s) for s in task]
    told = [say(s) for s in answer]
    told[0].state = 1
    scene.said += told
    return scene


def question_scene(item: QuizItem) -> SceneDraft | None:
    """A multiple-choice item as pause and think; its key is in the item, so the answer carries the item's cites."""
    if len(item.key) != 1 or not 2 <= len(item.options) <= 5:
        return None
    key = item.options[item.key[0]].text
    scene = SceneDraft("question", "Check yourself", kicker="Quick check", cites=item.cites)
    scene.fields = {
        "text": item.stem,
        "options": tuple(option.text for option in item.options),
        "correct": item.key[0],
        "answer": _reason(item, key),
        "pause": PAUSE_FOR_A_QUESTION,
    }
    asked = Said("Quick check: read the question on screen, and pick an answer.")
    asked.state = 0
    text = f"The answer is {key.rstrip('.')}."
    answer = Said(text, cites=item.cites, state=1)
    answer.speech = "" if speak(text) == text else speak(text)
    scene.said = [asked, answer]
    return scene


def _reason(item: QuizItem, key: str) -> str:
    """What the source says, below the option that is marked already; '' when it says no more, or too much to read."""
    said = " ".join(item.cites[0].quote.split()) if item.cites else ""
    return said if len(words(key)) < len(words(said)) <= REASON_WORDS else ""


def recap(
    objectives: Sequence[Objective],
    sections: Sequence[Section],
    keypoints: Sequence[Sentence],
    dropped: set[int],
    shown: Sequence[Line],
    casing: Casing,
    lesson_title: str = "",
) -> SceneDraft | None:
    """The points to remember, and the objectives asked back; None when there is nothing short enough to show.

    `shown`: the lines of the fullest slide, for a lesson that holds little else.
    """
    lines = _key_lines(keypoints) or _best_lines(sections, dropped)
    compared = "Now check yourself against the points on screen."
    headings = _heading_lines(sections, lesson_title) if len(lines) < FEWEST_POINTS else []
    if len(headings) >= FEWEST_POINTS:
        lines, compared = headings, "Now say what you know about each point on screen."
    elif len(lines) < FEWEST_POINTS and len(shown) >= FEWEST_POINTS:
        lines = [Line(line.point, line.cites) for line in shown]
    if not lines:
        return None
    scene = SceneDraft("recap", "What to remember", lines=lines[:5])
    scene.said = [signpost("Look back: can you do these from memory?")]
    for objective in objectives[:3]:
        said = _spoken_signpost(f"Can you {casing.lowered(objective.text.rstrip('.'))}?")
        said.pause = 1.5
        scene.said.append(said)
    scene.said.append(signpost(compared))
    return scene


def _heading_lines(sections: Sequence[Section], lesson_title: str) -> list[Line]:
    """The headings, to tell about from memory, where too few sentences are short enough to be shown."""
    first: dict[str, Line] = {}
    for section in sections:
        title = section.telling.title.rstrip(":")
        if title in (HEADING, lesson_title):
            continue
        cites = next((unit.head.cites for unit in section.units() if unit.head.cites), ())
        if cites and title not in first:
            first[title] = Line(title, cites)
    return list(first.values())


def _key_lines(keypoints: Sequence[Sentence]) -> list[Line]:
    lines = []
    for sentence in keypoints:
        if sentence.length <= 32:
            short = compress(sentence.text, 22) or sentence.text.rstrip(".")
            lines.append(Line(as_shown(telegraph(short), sentence), sentence.cites))
    return lines if len(lines) > 1 else []


def _best_lines(sections: Sequence[Section], dropped: set[int]) -> list[Line]:
    """One line for each of the strongest units that stand alone, in source order, one a section first."""
    pools = [_showable(section, dropped) for section in sections]
    best = [max(pool, key=lambda unit: unit.score) for pool in pools if pool]
    others = sorted((u for pool in pools for u in pool if u not in best), key=lambda unit: -unit.score)
    order = [unit for pool in pools for unit in pool]
    chosen = sorted(best, key=lambda unit: -unit.score)[:5]
    chosen += others[: max(0, 4 - len(chosen))]
    kept = [unit for unit in order if any(unit is pick for pick in chosen)]
    return [Line(slide_line(unit.head, 12), unit.head.cites) for unit in kept]


def _showable(section: Section, dropped: set[int]) -> list[Unit]:
    """What may be remembered of a section; the wording of an example teaches nothing without the example."""
    if (section.is_vague and _EXAMPLES.match(section.title)) or section.title == HEADING:
        return []
    return [
        unit
        for idea in section.ideas
        if idea.kind in ("text", "definition")
        for unit in idea.units
        if id(unit) not in dropped
        and not unit.head.leans
        and not unit.head.roles & {"narrative", "step"}
        and "narrative" not in unit.roles
        and slide_line(unit.head, 12)
        and not re.search(r"\b(?:they|it|them|this|these|those)\b", slide_line(unit.head, 12))
    ]
