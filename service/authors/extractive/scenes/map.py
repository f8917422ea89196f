"""Concept maps from definitions, prose and lists: a term or a heading, and what belongs to it on branches."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from service.authors.extractive.language.key_phrases import clauses, kinds, phrases, without_article
from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.slide_lines import compress, set_code
from service.authors.extractive.language.words import capitalized, words
from service.authors.extractive.scenes.draft import Line, Said, SceneDraft
from service.authors.extractive.scenes.joining import BRANCHES

SHORT_NAME = 4  # words of a subject that stands alone
LONG_NAME, LONG_TEXT = 6, 10  # words of an entry's name, and of what it is
_PARTS = re.compile(r"^(?P<whole>[^:]{6,60}): (?P<parts>[^:;]+)$")
_NO_LABEL = re.compile(
    r".*\d|(?:some|most|many|few|several|no|your|our|my|other|first|second|third|last|next|all|any)\b", re.IGNORECASE
)
_NAMED = re.compile(r"^(?P<name>[^:;,.]{1,60}?)(?:: | [-–—] )(?P<text>[^:]+)$")
_NO_MEANING = re.compile(r"(?:also|aka|formerly|when|if|where|while|as|usually|sometimes)\b", re.IGNORECASE)
_BETWEEN = re.compile(r", (?:and |or )?| and | or ")


def draw_maps(scenes: Iterable[SceneDraft]) -> None:
    """Turns a scene whose sentences can be set out around one term, or under one heading, into a concept map."""
    for scene in scenes:
        if scene.kind == "definition":
            _around_the_term(scene)
        elif scene.kind == "bullets" and scene.kicker not in ("Note", "Warning"):
            _around_a_subject(scene)
            if scene.kind == "bullets":
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
    example = str(scene.fields.get("example", ""))
    if example and lines and len(lines) < BRANCHES:
        name = "" if example.startswith("An example") else "Example"
        lines.append(Line(example, scene.cites[-1:], name, [(name, example)]))
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
    if (
        not found
        or not 2 <= len(parts) <= BRANCHES
        or any(not 1 <= len(words(part)) <= SHORT_NAME + 1 for part in parts)
    ):
        return "", []
    whole = capitalized(re.sub(r"^(?:an?|the) ", "", found["whole"]))
    return set_code(whole, sentence), [
        set_code(capitalized(re.sub(r"^(?:an?|the) ", "", part)), sentence) for part in parts
    ]


def _branch(sentence: Sentence, term: str) -> Line | None:
    forms = [(phrase.name, phrase.text) for phrase in phrases(sentence, term)]
    forms += label(forms[-1][0]) if forms else []
    return Line(forms[0][1], sentence.cites, forms[0][0], forms) if forms and not sentence.leans else None


def _branches(sentence: Sentence, term: str) -> list[Line]:
    """A branch for each statement of the sentence."""
    several = [] if sentence.leans else clauses(sentence, term)
    if several:
        forms = [[(one.name, one.text), *label(one.name, least=1)] for one in several]
        shared = all(len(form) > 1 for form in forms)
        return [
            Line(own[0][1], sentence.cites, own[0][0], own if shared else own[:1], group=sentence.start + 1)
            for own in forms
        ]
    line = _branch(sentence, term)
    return [line] if line else []


def label(name: str, most: int = SHORT_NAME, least: int = 2) -> list[tuple[str, str]]:
    """The subject alone, which the voice then tells about, if it says something without the rest."""
    bare = without_article(name)
    telling = name and (least <= len(words(bare)) <= most or bare.isupper())
    return [(bare, "")] if telling and not _NO_LABEL.match(bare) else []


def _around_a_subject(scene: SceneDraft) -> None:
    """Prose that says several things of one subject: the subject on the card, what is said of it on the branches."""
    told: dict[str, list[tuple[Said, Line]]] = {}
    for said in scene.facts():
        line = _branch(said.sentence, "") if said.sentence else None
        if line and line.text:
            told.setdefault(without_article(line.name).lower(), []).append((said, line))
    about = max(told.values(), key=len, default=[])[:BRANCHES]
    shown = sum(said.shows is not None for said in scene.said)
    if len(about) < 2 or len(about) < shown - 1:
        return
    subject = without_article(about[0][1].name)
    if not label(subject, least=1):
        return
    for said in scene.said:
        said.shows = next((line for own, line in about if own is said), None)
    for _, line in about:
        line.forms = [("", text) for name, text in line.forms if text]
        line.name, line.text = line.forms[0]
    scene.kicker = scene.title if scene.title.lower() != subject.lower() else scene.kicker
    scene.kind, scene.title, scene.lines, scene.fields = "map", subject, [line for _, line in about], {"text": ""}


def _under_the_heading(scene: SceneDraft) -> None:
    """Prose whose sentences name what they are about: each subject is a branch of the heading."""
    branches: list[tuple[Said, Line]] = []
    for said in scene.facts():
        grown = _branches(said.sentence, "") if said.sentence else []
        branches += [(said, line) for line in grown if line.name][: BRANCHES - len(branches)]
    told = sum(said.shows is not None for said in scene.said)
    names = {line.name for _, line in branches}
    if len(names) < max(2, len(branches)) or len({id(said) for said, _ in branches}) < told - 1:
        return
    for said in scene.said:
        said.shows = next((line for own, line in reversed(branches) if own is said), None)
    scene.kind, scene.lines, scene.fields = "map", [line for _, line in branches], {"text": ""}


def _as_whole_lines(lines: Iterable[Line]) -> None:
    """Beside entries that stand whole, the others are not split either."""
    for line in lines:
        line.forms = [("", f"{name} {text}".strip()) for name, text in line.forms]
        line.name, line.text = line.forms[0]


def _as_names(lines: Iterable[Line]) -> None:
    """Beside names of which something is said, an entry of which nothing is said is a name, too."""
    for line in lines:
        if not line.name and len(words(line.text)) <= LONG_NAME:
            line.name, line.text, line.forms = line.text, "", [(line.text, "")]


def _as_text(meaning: str) -> str:
    """What stands below a name: without the article that it opens with, and small, since it begins no sentence."""
    bare = re.sub(r"^(?:the|an?) ", "", meaning, flags=re.IGNORECASE)
    return bare[:1].lower() + bare[1:] if bare[1:2].islower() else bare


def _named(sentence: Sentence) -> Line | None:
    """An entry that begins with a name, set off by a dash or a colon from what it is."""
    found = _NAMED.match(re.sub(r"\s*\([^()]*\)", "", sentence.text).rstrip(" .;"))
    if not found or len(words(found["name"])) > LONG_NAME:
        return None
    if len(found["name"]) < len("DNS") and not found["name"].isupper():
        return None
    name = set_code(found["name"], sentence)
    texts = [found["text"], compress(found["text"], 8), *kinds(found["text"])]
    texts = [text for text in texts if 0 < len(words(text)) <= LONG_TEXT and not _NO_MEANING.match(text)]
    forms = [(name, set_code(_as_text(text), sentence)) for text in sorted(texts, key=lambda text: -len(words(text)))]
    forms += [(name, "")]
    return Line(forms[0][1], sentence.cites, name, forms)


def _members(scene: SceneDraft) -> None:
    """A list of names is drawn as the members of its heading; entries that are sentences, as subject and predicate."""
    drawn = {id(said.shows): line for said in scene.facts() if said.shows and (line := _member(said))}
    if len(drawn) < len(scene.lines) or any(re.match(r"\d", line.text) for line in scene.lines):
        return
    if any(_is_named(said) and drawn[id(said.shows)].text for said in scene.facts() if said.shows):
        _as_names(drawn.values())
    elif any(not line.name for line in drawn.values()):
        entries = [drawn[id(said.shows)] for said in scene.facts() if said.shows and not _is_named(said)]
        _as_whole_lines(entries)
    for said in scene.said:
        if said.shows is not None:
            said.shows = drawn[id(said.shows)]
    scene.kind, scene.lines, scene.fields = "map", [drawn[id(line)] for line in scene.lines], {"text": ""}


def _is_named(said: Said) -> bool:
    return said.sentence is not None and _named(said.sentence) is not None


def _member(said: Said) -> Line | None:
    """The entry as a branch; one of a sentence keeps its predicate, however short the slide must be."""
    shows, sentence = said.shows, said.sentence
    if shows is None or sentence is None:
        return None
    named = _named(sentence)
    line = named or _branch(sentence, "")
    said_of = line is not None and line.text and shows.text.startswith(line.name)
    if len(words(shows.text)) <= SHORT_NAME and not said_of:
        return Line(shows.text, shows.cites, forms=[("", shows.text)], keep=True)
    if line is None or not line.name:
        return None
    line.keep = True
    whole = [form for form in line.forms if form[1]]
    line.forms = line.forms if named else [*whole, *label(line.name, least=1)]
    return line
