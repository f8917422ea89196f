"""Concept maps from definitions, prose and lists; and slides thinned until they are no script of the speech."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from service.authors.extractive.key_phrases import clauses, orders, phrases, split_subject, without_article
from service.authors.extractive.scene_draft import Line, Said, SceneDraft
from service.authors.extractive.scene_joining import BRANCHES
from service.authors.extractive.sentences import Sentence
from service.authors.extractive.slide_lines import compress, set_code
from service.authors.extractive.words import capitalized, fourgrams, words
from service.domain.conventions import SLIDE_WORDS, SPEECH_ON_SLIDE

SHORT_NAME, LINE_NAME = 4, 6  # words of a subject that stands alone
NO_GAIN = (0, 0, 0)
_PARTS = re.compile(r"^(?P<whole>[^:]{6,60}): (?P<parts>[^:;]+)$")
_NO_LABEL = re.compile(r"(?:some|most|many|few|several|no|your|our|my|other|first|second|third|last|next|all|any)\b", re.IGNORECASE)
_BETWEEN = re.compile(r", (?:and |or )?| and | or ")


def draw_maps(scenes: Iterable[SceneDraft]) -> None:
    """Turns a scene whose sentences can be set out around one term, or under one heading, into a concept map."""
    for scene in scenes:
        if scene.kind == "definition":
            _around_the_term(scene)
        elif scene.kind == "bullets" and len(scene.lines) > 1 and scene.kicker not in ("Note", "Warning"):
            _under_the_heading(scene)
        elif scene.kind == "list" and 2 <= len(scene.lines) <= BRANCHES + 1:
            _members(scene)


def _around_the_term(scene: SceneDraft) -> None:
    """The term with its meaning on the card; what else is said of it, or its parts, on the branches."""
    term, meaning = str(scene.fields["term"]), str(scene.fields["text"])
    lines: list[Line] = []
    for said in scene.facts():
        sentence = said.sentence
        if sentence is None or len(lines) == BRANCHES:
            continue
        if sentence.defines:
            whole, parts = _parts(sentence)
            if parts:
                meaning = whole
                lines += [Line(part, sentence.cites, forms=[("", part)], keep=True) for part in parts]
                said.shows = lines[-1]
            continue
        grown = _branches(sentence, term)[: BRANCHES - len(lines)]
        lines += grown
        said.shows = grown[-1] if grown else None
    if scene.fields.get("example") and lines and len(lines) < BRANCHES:
        lines.append(Line(str(scene.fields["example"]), scene.cites[-1:], "Example", [("Example", str(scene.fields["example"]))]))
        _last_before(scene.facts(), lines)
    if len(lines) > 1 or any(not line.name for line in lines):
        scene.kind, scene.title, scene.lines, scene.fields = "map", term, lines, {"text": meaning}


def _last_before(facts: Sequence[Said], lines: Sequence[Line]) -> None:
    """A line that no sentence shows appears with the last one."""
    if not any(said.shows is lines[-1] for said in facts):
        facts[-1].shows = lines[-1]


def _parts(sentence: Sentence) -> tuple[str, list[str]]:
    """The parts that a definition counts up after a colon, and the definition without them."""
    found = _PARTS.match((sentence.defines or ("", ""))[1].rstrip(" ."))
    parts = [part.strip() for part in _BETWEEN.split(found["parts"])] if found else []
    if not found or not 2 <= len(parts) <= BRANCHES or any(not 1 <= len(words(part)) <= SHORT_NAME + 1 for part in parts):
        return "", []
    whole = capitalized(re.sub(r"^(?:an?|the) ", "", found["whole"]))
    return set_code(whole, sentence), [
        set_code(capitalized(re.sub(r"^(?:an?|the) ", "", part)), sentence) for part in parts
    ]


def _branch(sentence: Sentence, term: str) -> Line | None:
    forms = [(phrase.name, phrase.text) for phrase in phrases(sentence, term)]
    forms += _label(forms[-1][0]) if forms else []
    return Line(forms[0][1], sentence.cites, forms[0][0], forms) if forms and not sentence.leans else None


def _branches(sentence: Sentence, term: str) -> list[Line]:
    """A branch for each statement of the sentence."""
    several = [] if sentence.leans else clauses(sentence)
    if several:
        forms = [[(one.name, one.text), *_label(one.name)] for one in several]
        shared = all(len(form) > 1 for form in forms)
        return [
            Line(own[0][1], sentence.cites, own[0][0], own if shared else own[:1], group=sentence.start + 1)
            for own in forms
        ]
    line = _branch(sentence, term)
    return [line] if line else []


def _label(name: str, most: int = SHORT_NAME) -> list[tuple[str, str]]:
    """The subject alone, which the voice then tells about; a name of a few words that says something without it."""
    bare = without_article(name)
    return [(bare, "")] if name and len(words(bare)) <= most and not _NO_LABEL.match(bare) else []


def _under_the_heading(scene: SceneDraft) -> None:
    """Prose whose sentences name what they are about: each subject is a branch of the heading."""
    branches: list[tuple[Said, Line]] = []
    for said in scene.facts():
        grown = _branches(said.sentence, "") if said.sentence else []
        branches += [(said, line) for line in grown if line.name][: BRANCHES - len(branches)]
    told = sum(said.shows is not None for said in scene.said)
    if len(branches) < 2 or len({id(said) for said, _ in branches}) < told - 1:
        return
    for said in scene.said:
        said.shows = next((line for own, line in reversed(branches) if own is said), None)
    scene.kind, scene.lines, scene.fields = "map", [line for _, line in branches], {"text": ""}


def _members(scene: SceneDraft) -> None:
    """A list of names is drawn as the members of its heading; entries that are sentences, as subject and predicate."""
    drawn: dict[int, Line] = {}
    for said in scene.facts():
        if said.shows is None or said.sentence is None:
            continue
        line = _branch(said.sentence, "")
        if len(words(said.shows.text)) <= SHORT_NAME:
            drawn[id(said.shows)] = Line(said.shows.text, said.shows.cites, forms=[("", said.shows.text)], keep=True)
        elif line and line.name:
            line.keep = True
            drawn[id(said.shows)] = line
    if len(drawn) < len(scene.lines) or any(re.match(r"\d", line.text) for line in scene.lines):
        return
    for said in scene.said:
        if said.shows is not None:
            said.shows = drawn[id(said.shows)]
    scene.kind, scene.lines, scene.fields = "map", [drawn[id(line)] for line in scene.lines], {"text": ""}


def thin(scene: SceneDraft) -> None:
    """Shortens, then drops lines until the slide holds few words, and few runs of four words of the speech."""
    if scene.kind in ("bullets", "list", "steps"):
        for said in scene.facts():
            if said.shows is not None and said.sentence is not None and not said.shows.forms:
                said.shows.forms = _line_forms(said.shows.text, said.sentence, scene.kind == "steps")
    if scene.kind in ("warning", "figure", "definition", "map"):
        _shorten_text(scene)
    if scene.kind not in ("bullets", "list", "steps", "map", "recap") or not scene.lines:
        return
    spoken = fourgrams(" ".join(said.text for said in scene.said)) if scene.kind != "recap" else set()
    while _too_full(scene, spoken):
        best = max(scene.lines, key=lambda line: _gain(line, spoken))
        if _gain(best, spoken) > NO_GAIN:
            for line in scene.lines:
                if line is best or (best.group and line.group == best.group):
                    line.forms = line.forms[1:] or line.forms
                    line.name, line.text = line.forms[0]
        elif not _drop_line(scene, spoken):
            return


def _drop_line(scene: SceneDraft, spoken: set[tuple[str, ...]]) -> bool:
    """Drops the line that copies most, if the slide can do without one."""
    if scene.kind == "steps" or len(scene.lines) <= (1 if scene.kind == "map" else 2):
        return False
    may_go = [line for line in scene.lines if line.cites and not line.keep]
    if may_go:
        gone = max(may_go, key=lambda line: (len(fourgrams(line.shown) & spoken), len(line.shown)))
        left = [line for line in scene.lines if line is not gone and not (gone.group and line.group == gone.group)]
        if not left:
            return False
        scene.lines = left
    return bool(may_go)


def _shorten_text(scene: SceneDraft) -> None:
    """A card's statement in the fullest wording that is no copy of the speech; else in its shortest."""
    text = str(scene.fields.get("text", ""))
    source = next((s.sentence for s in scene.facts() if s.sentence and s.cites[:1] == scene.cites[:1]), None)
    spoken = fourgrams(" ".join(said.text for said in scene.said))
    if not text or len(fourgrams(text) & spoken) <= SPEECH_ON_SLIDE * len(spoken):
        return
    forms = [text, *(compress(text, limit) for limit in (12, 10, 8))]
    if source is not None and scene.kind in ("warning", "figure"):
        forms += [form for _, form in _line_forms(text, source, step=False)]
    figure = str(scene.fields.get("figure", ""))
    kept = [form for form in dict.fromkeys(forms) if form and figure in form]
    kept.sort(key=lambda form: -len(words(form)))
    short = (form for form in kept if len(fourgrams(form) & spoken) <= SPEECH_ON_SLIDE * len(spoken))
    scene.fields["text"] = next(short, kept[-1])


def _line_forms(text: str, sentence: Sentence, step: bool) -> list[tuple[str, str]]:
    """What the line may be shortened to, its own wording first."""
    found = [compress(sentence.text, 8), *orders(sentence, step), *(phrase.line for phrase in phrases(sentence))]
    subject = next((_label(part[0], LINE_NAME) for part in [split_subject(sentence.text)] if part), [])
    found += [name for name, _ in subject]
    shorter = {set_code(form, sentence): None for form in found if form}
    kept = sorted((form for form in shorter if len(words(form)) < len(words(text))), key=lambda form: -len(words(form)))
    return [("", text), *(("", form) for form in kept)]


def _too_full(scene: SceneDraft, spoken: set[tuple[str, ...]]) -> bool:
    shown = " ".join((str(scene.fields.get("text", "")), *(line.shown for line in scene.lines)))
    if len(words(shown)) > SLIDE_WORDS:
        return True
    return bool(spoken) and len(fourgrams(shown) & spoken) > SPEECH_ON_SLIDE * len(spoken)


def _gain(line: Line, spoken: set[tuple[str, ...]]) -> tuple[int, int, int]:
    """What the line's next shorter wording saves: whether it still says something, copied runs, and words."""
    if len(line.forms) < 2:
        return NO_GAIN
    shorter = " ".join(line.forms[1]).strip()
    saved = len(fourgrams(line.shown) & spoken) - len(fourgrams(shorter) & spoken)
    fewer = len(words(line.shown)) - len(words(shorter))
    if fewer <= 0:
        return NO_GAIN
    return (int(bool(line.forms[1][1]) and saved > 0), max(0, saved), fewer)
