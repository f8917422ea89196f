"""Puts a lesson's storyboard together from its text: opening, sections in order, practice, a check, the recap."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from service.authors.extractive.language import patterns
from service.authors.extractive.language.key_phrases import split_subject
from service.authors.extractive.language.narration import speak
from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.verb_forms import base_verb, word_classes
from service.authors.extractive.language.words import bag, cosine, shorten
from service.authors.extractive.lessons.pretraining import HEADING
from service.authors.extractive.outline.titles import key_terms
from service.authors.extractive.scenes.code_scenes import (
    EXPLAINING_WORDS,
    code_scene,
    fits_together,
    give_time_to_read,
)
from service.authors.extractive.scenes.draft import SceneDraft, finish, signpost
from service.authors.extractive.scenes.frame import (
    opening,
    practice_scene,
    question_scene,
    recap,
    section_scene,
)
from service.authors.extractive.scenes.hooks import hook_question
from service.authors.extractive.scenes.joining import even_out, join_short
from service.authors.extractive.scenes.lists import list_scenes, table_scene
from service.authors.extractive.scenes.map import draw_maps, label
from service.authors.extractive.scenes.prose import TextScenes, fill_empty
from service.authors.extractive.scenes.recall import faded_scene, objective_scene, recall_scene
from service.authors.extractive.scenes.selection import left_out
from service.authors.extractive.scenes.signposts import Signposts
from service.authors.extractive.scenes.splitting import split_full
from service.authors.extractive.scenes.stages import draw_stages
from service.authors.extractive.scenes.thinning import thin
from service.authors.extractive.sources.library import Library
from service.authors.extractive.sources.material import Idea, Section, Unit
from service.authors.extractive.sources.rereading import sections_of_lesson
from service.authors.extractive.sources.scoring import score
from service.domain import storyboard as board
from service.domain.course import CoursePlan
from service.domain.lesson import Lesson
from service.domain.quiz import QuizItem
from service.domain.source import Cite

PRACTICE_IN_A_VIDEO = 2
FADED_IN_A_VIDEO = 1
_DOING = re.compile(r"(?:[\w-]+ing|being)\b", re.IGNORECASE)  # what somebody does is no topic without the rest
UNHURRIED = 720  # words of a lesson's body; a longer one has no room for pauses to think


def storyboard_of(plan: CoursePlan, lesson: Lesson, library: Library, check: QuizItem | None) -> board.Storyboard:
    """The lesson's video; `check` is the question that it asks midway."""
    sections, keypoints = sections_of_lesson(lesson, library)
    score(sections, lesson.title, [s.text for s in keypoints] + [o.text for o in lesson.objectives])
    dropped = left_out(sections)
    number = [planned.id for planned in plan.lessons].index(lesson.id) + 1
    module = plan.module_of(lesson.id).title
    hook = hook_question(lesson.title, lesson.objectives, _own_questions(plan, lesson, library), library.casing)
    drawn = _Body(sections, dropped, library)
    body = drawn.scenes()
    join_short(body)
    fill_empty(body)
    draw_maps(body)
    draw_stages(body)
    even_out(body)
    _retitle(body, sections)
    for scene in body:
        thin(scene)
    split_full(body)
    in_a_hurry = sum(scene.words for scene in body) > UNHURRIED
    for scene in body:
        if scene.kind == "code" and not in_a_hurry:
            give_time_to_read(scene, drawn.signposts)
    scenes = opening(
        lesson.title, module, number, lesson.objectives, hook, _parts(sections), library.casing, in_a_hurry
    )
    shown = max((scene.lines for scene in body), key=len, default=[])
    closing = recap(lesson.objectives, sections, keypoints, dropped, shown, library.casing, lesson.title)
    scenes += _with_questions(body, check, sections)
    if closing and lesson.objectives and not any(scene.kind == "question" for scene in scenes):
        asked = objective_scene(lesson.objectives[0], closing.lines, library.casing)
        scenes += [asked] if asked else []
    scenes += [closing] if closing else []
    for scene in scenes:
        thin(scene)
        scene.kicker = scene.kicker or (lesson.title if scene.title != lesson.title else module)
        scene.source_title = scene.source_title or _source_title(scene, library)
    return board.Storyboard(
        lesson_id=lesson.id,
        course=shorten(plan.title, board.LINE),
        title=shorten(lesson.title, board.LINE),
        language=plan.language,
        scenes=tuple(finish(scene, f"s{place}") for place, scene in enumerate(scenes, start=1)),
    )


def _parts(sections: Sequence[Section]) -> list[str]:
    """The headings of the lesson's parts: the highest ones below its title."""
    tellings = [section.telling for section in sections if section.telling.level > 1 and section.title != HEADING]
    tellings = [telling for telling in tellings if telling.parent is None or telling.title != telling.parent.title]
    top = min((telling.level for telling in tellings), default=0)
    return [telling.title for telling in tellings if telling.level == top]


def _with_questions(body: list[SceneDraft], check: QuizItem | None, sections: Sequence[Section]) -> list[SceneDraft]:
    """The body with its check midway, then one faded procedure, then the exercises of the source."""
    faded = [scene for steps in body if (scene := faded_scene(steps))][:FADED_IN_A_VIDEO]
    practice = [scene for idea in _exercises(sections) if (scene := practice_scene(idea))][:PRACTICE_IN_A_VIDEO]
    middle = question_scene(check) if check else None
    if middle is None and not faded and not practice:
        middle = recall_scene(body)
        return [*body, middle] if middle else body
    if middle is not None:
        body.insert(_middle(body, middle), middle)
    return body + faded + practice


def _source_title(scene: SceneDraft, library: Library) -> str:
    """Where the scene's first cite comes from."""
    cites = [cite for line in scene.lines for cite in line.cites] + list(scene.cites)
    reading = library.reading(cites[0].source) if cites else None
    return reading.root.title if reading else ""


def _own_questions(plan: CoursePlan, lesson: Lesson, library: Library) -> list[Sentence]:
    """The question that the source itself opens with, when the lesson is made of this one source."""
    one_source = len({span.source for span in plan.lesson(lesson.id).passages}) == 1
    return library.questions(plan, lesson.id)[:1] if one_source else []


def _exercises(sections: Sequence[Section]) -> list[Idea]:
    return [idea for section in sections for idea in section.ideas if idea.kind == "exercise"]


class _Body:
    """The scenes of the lesson's sections."""

    def __init__(self, sections: Sequence[Section], dropped: set[int], library: Library) -> None:
        self.sections = sections
        self.dropped = dropped
        self.casing = library.casing
        self.signposts = Signposts()
        self.found: list[SceneDraft] = []
        self.told: set[int] = set()

    def scenes(self) -> list[SceneDraft]:
        sources = list(dict.fromkeys(section.source for section in self.sections if section.title != HEADING))
        telling = [section.telling for section in self.sections]
        seen: set[str] = set()
        for place, section in enumerate(self.sections):
            divided = len(sources) > 1 and section.title != HEADING and section.source not in seen
            seen.update(() if section.title == HEADING else (section.source,))
            before = len(self.found)
            self._section(section)
            for scene in self.found[before:]:
                scene.source_title = section.source_title
                scene.section = telling.index(section.telling)
                scene.leads_on = place + 1 < len(self.sections) and self.sections[place + 1].parent is section
                scene.heading = scene.heading or section.name
            if divided:
                title = section.source_title or section.title
                announcement = self._announcement(title)
                part = section_scene(title, sources.index(section.source) + 1, len(sources), announcement)
                self.found.insert(before, part)
            elif place and len(self.found) > before:
                self._announce(section, self.found[before])
        return self.found

    def _announcement(self, title: str) -> str:
        """Says what comes next; a heading that is a sentence stands after a colon, where it needs no grammar."""
        topic = self.casing.with_article(self.casing.inside(title))
        if _is_order(topic):
            return f"Next: {title.rstrip('.')}."
        asks = re.match(r"(?:how|why|what|when|where)\b", topic)
        if not asks and re.search(r"\b(?:is|are|was|were|do|does|can|should|must|you|we)\b", topic):
            return f"Next: {title.rstrip('.')}."
        return self.signposts.next_topic(topic)

    def _announce(self, section: Section, scene: SceneDraft) -> None:
        """Says the heading before the first scene of a section."""
        if section.is_vague or section.parent is None or section.title == HEADING:
            return
        if scene.said and not scene.said[0].cites:
            scene.said.pop(0)
        title = section.title
        text = title if title.endswith("?") else self._announcement(title)
        scene.said.insert(0, signpost(text))
        spoken = speak(text)
        scene.said[0].speech = "" if spoken == text else spoken

    def _kept(self, idea: Idea) -> list[Unit]:
        return [unit for unit in idea.units if id(unit) not in self.dropped]

    def _section(self, section: Section) -> None:
        text = TextScenes(section, self.signposts, self.found)
        place = 0
        while place < len(section.ideas):
            idea = section.ideas[place]
            units = [unit for unit in self._kept(idea) if not self._already(unit)]
            if idea.kind == "code":
                place = self._code(section, place, text)
                continue
            self._idea(idea, units, section, text)
            place += 1
        text.flush()

    def _already(self, unit: Unit) -> bool:
        return any(id(sentence) in self.told for sentence in unit.sentences)

    def _idea(self, idea: Idea, units: list[Unit], section: Section, text: TextScenes) -> None:
        self.told.update(id(s) for unit in units for s in unit.sentences)
        if idea.kind in ("list", "steps") and len(idea.items) == 1:
            for unit in units:
                text.add(unit)
        elif idea.kind in ("list", "steps") and units:
            text.flush()
            self.found += list_scenes(idea, units, section, self.signposts, self._untold(idea))
        elif idea.kind == "table":
            text.flush()
            scene = table_scene(idea, section, self.signposts, self._untold(idea))
            self.found += [scene] if scene else []
        else:
            _prose(idea, units, text)

    def _untold(self, idea: Idea) -> Sentence | None:
        """The idea's lead, unless it was told or needs a sentence that was not."""
        lead = idea.lead
        if lead is None or id(lead) in self.told or (lead.leans and "lead" not in lead.roles):
            return None
        self.told.add(id(lead))
        return lead

    def _code(self, section: Section, place: int, text: TextScenes) -> int:
        """One scene for this code and what follows closely; the place after it."""
        ideas = [section.ideas[place]]
        place += 1
        while place < len(section.ideas):
            between = section.ideas[place]
            skip = between.kind == "text" and not self._kept(between) and place + 1 < len(section.ideas)
            following = section.ideas[place + 1] if skip else between
            if following.kind != "code" or not fits_together([*ideas, following]):
                break
            ideas.append(following)
            place += 2 if skip else 1
        before = self._led_by(text)
        after = self._explanation(section, place)
        scene = code_scene(ideas, before, after, section, self.signposts, self.told)
        if scene is None:
            text.waiting += before
            return place
        self.found.append(scene)
        self.told.update(id(idea.lead) for idea in ideas if idea.lead)
        self.told.update(id(s) for unit in after for s in unit.sentences)
        return place

    def _led_by(self, text: TextScenes) -> list[Unit]:
        """What waits and is short goes onto the code's slide; the rest gets its own."""
        length = sum(unit.words for unit in text.waiting)
        if length <= 60:
            before, text.waiting = text.waiting, []
            return before
        before = text.waiting[-1:] if text.waiting[-1].words <= 40 else []
        text.waiting = text.waiting[: len(text.waiting) - len(before)]
        text.flush()
        return before

    def _explanation(self, section: Section, place: int) -> list[Unit]:
        """What is said of the code right after it, as far as it can be followed with the code on screen."""
        after = section.ideas[place] if place < len(section.ideas) else None
        if after is None or after.kind not in ("text", "quote") or after.tone:
            return []
        units: list[Unit] = []
        for unit in self._kept(after):
            if sum(own.words for own in units) + unit.words > EXPLAINING_WORDS:
                break
            units.append(unit)
        return units


def _is_order(topic: str) -> bool:
    """Whether the heading tells what to do: it then follows a colon, since nobody turns to “create an account”."""
    first, _, rest = topic.lower().partition(" ")
    classes = word_classes(first)
    if not rest or "VERB" not in classes or base_verb(first) != first:
        return False
    return not classes & {"NOUN", "ADJ"} or bool(re.match(r"(?:the|an?|your|its|all|each|every|one) ", rest))


def _prose(idea: Idea, units: list[Unit], text: TextScenes) -> None:
    if idea.kind == "quote":
        text.quote(idea, units)
    elif idea.kind == "text" and idea.tone:
        text.note(idea, units)
    elif idea.kind in ("text", "definition"):
        for unit in units:
            if idea.kind == "text" or not text.define(unit, idea.label):
                text.add(unit)


def _retitle(scenes: Sequence[SceneDraft], sections: Sequence[Section]) -> None:
    """A later scene under the same heading is titled by the term that it is about, if it marks one."""
    seen: Counter[str] = Counter()
    code = {code.strip(".") for section in sections for unit in section.units() for code in unit.code}
    terms = [term for term in key_terms(sections) if not (patterns.GENERIC_HEADING.match(term) or term in code)]
    for scene in scenes:
        if seen[scene.title] and scene.kind in ("bullets", "list", "table", "figure", "map"):
            text = " ".join(said.text for said in scene.facts())
            term = next((t for t in terms if _names(t, text) and not _names(t, scene.title)), "")
            fresh = f"{scene.title}: {term}"
            if term and not seen[fresh] and len(fresh) <= 60:
                scene.title = fresh
            elif scene.kind == "bullets" and not scene.kicker:
                _title_by_subject(scene, seen)
        elif scene.kind == "code" and seen[scene.title]:
            scene.title = scene.heading
        seen[scene.title] += 1


def _title_by_subject(scene: SceneDraft, seen: Counter[str]) -> None:
    """Titles the slide by what its first line is about; the heading, which others have had, goes above."""
    said = next((said for said in scene.facts() if said.shows in scene.lines), None)
    parts = split_subject(said.sentence.text) if said and said.sentence else None
    subject = label(parts[0]) if parts and not _DOING.match(parts[0]) else []
    if subject and not seen[subject[0][0]] and not _names(subject[0][0], scene.title):
        scene.kicker, scene.title = scene.title, subject[0][0]


def _names(term: str, text: str) -> bool:
    return bool(re.search(rf"(?<!\w){re.escape(term)}(?!\w)", text, re.IGNORECASE))


def _middle(scenes: Sequence[SceneDraft], check: SceneDraft) -> int:
    """Where the check goes: near the middle, after what it asks for was told, between two headings if there are any."""
    told = max((place for place, scene in enumerate(scenes, start=1) if _tells(scene, check.cites)), default=0)
    told = told or _likest(scenes, check)
    half = max(told, len(scenes) // 2)
    changes = [
        n
        for n in range(told, len(scenes))
        if scenes[n].title != scenes[n - 1].title and scenes[n - 1].kind != "section"
    ]
    return min(changes, key=lambda n: (abs(n - half), n), default=len(scenes))


def _likest(scenes: Sequence[SceneDraft], check: SceneDraft) -> int:
    """The place after the scene that speaks of what is asked, for a cite that no scene tells, such as a key point."""
    asked = bag(cite.quote for cite in check.cites)
    likeness = [cosine(asked, bag(said.text for said in scene.facts())) for scene in scenes]
    return 1 + max(range(len(scenes)), key=lambda place: likeness[place], default=0)


def _tells(scene: SceneDraft, asked: Sequence[Cite]) -> bool:
    """Whether a sentence of the scene stands where one of the cites of a question does."""
    return any(
        one.source == cite.source and one.start < cite.end and cite.start < one.end
        for said in scene.said
        for one in said.cites
        for cite in asked
    )
