"""Joins scenes of one section that are too short to follow: a slide stays for an idea, and not for a sentence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from service.authors.extractive.scenes.code_scenes import PIECE_LINES, PIECES
from service.authors.extractive.scenes.draft import AFTER_ALL, Line, Said, SceneDraft

SHORT, MOST = 38, 130  # words that take 15 and 52 seconds
TINY = 20  # a slide of 8 seconds is worse than one of a minute
BRANCHES = 5
_BUILT_UP = ("list", "steps", "comparison")
LINES = 4
_SHOWN_WHOLE = ("code", "comparison", "table", "steps", "list", "figure", "warning", "quote")


def join_short(scenes: list[SceneDraft]) -> None:
    """Joins neighbours of one section while one of them is too short, or has nothing to show; terms first."""
    _join_where(scenes, lambda one, other: one.kind in ("definition", "map") and other.kind == "definition")
    _join_where(scenes, lambda _one, _other: True)


def even_out(scenes: Sequence[SceneDraft]) -> None:
    """Lets slides that are too short take some of what is said before or after them, when nothing joins any more."""
    for one, other in pairwise(scenes):
        if one.section == other.section >= 0:
            _even_out(one, other)


def _join_where(scenes: list[SceneDraft], may: Callable[[SceneDraft, SceneDraft], bool]) -> None:
    place = 0
    while place + 1 < len(scenes):
        if may(scenes[place], scenes[place + 1]) and _join(scenes[place], scenes[place + 1]):
            one, other = scenes[place], scenes[place + 1]
            scenes[place : place + 2] = [other if other.said and not one.said else one]
            place = max(0, place - 1)
        else:
            place += 1


def _join(one: SceneDraft, other: SceneDraft) -> bool:
    """Moves what one scene says into the other, and tells whether it did; the emptied one has nothing to say."""
    if not _belong_together(one, other):
        return False
    if one.section != other.section:
        return one.kind == "bullets" and other.kind != "section" and _lead_in(one, other)
    by_kinds = {
        ("bullets", "bullets"): _two_of_text,
        ("definition", "definition"): _two_terms,
        ("map", "definition"): _add_term,
        ("definition", "bullets"): _absorb,
        ("map", "bullets"): _absorb,
        ("bullets", "definition"): _lead_in,
        ("bullets", "map"): _lead_in,
        ("code", "code"): _two_of_code,
    }
    move = by_kinds.get((one.kind, other.kind))
    if move is None and other.kind == "bullets" and one.kind in _SHOWN_WHOLE and _gives_way(other):
        move = _absorb
    elif move is None and one.kind == "bullets" and other.kind in _SHOWN_WHOLE and _gives_way(one):
        move = _lead_in
    return move(one, other) if move else False


def _belong_together(one: SceneDraft, other: SceneDraft) -> bool:
    """Whether they are of one section, one of them is too short, and both together are not too long."""
    bare = _is_bare(one) or _is_bare(other)
    shorter, together = min(one.words, other.words), one.words + other.words
    if one.leads_on and one.words < SHORT and other.section > one.section:
        return together <= MOST
    most = MOST + 45 if bare else MOST + TINY if shorter < TINY else MOST
    return one.section == other.section and one.section >= 0 and together <= most and (shorter < SHORT or bare)


def _is_bare(scene: SceneDraft) -> bool:
    return scene.kind == "bullets" and not scene.lines


def _gives_way(scene: SceneDraft) -> bool:
    """Whether the text needs no slide of its own beside one that shows something."""
    return scene.words < SHORT + 8 or not scene.lines


def _is_note(scene: SceneDraft) -> bool:
    """A call-out with a heading of its own keeps it, and a warning stands alone."""
    return scene.kicker == "Warning" or (scene.kicker == "Note" and scene.title != scene.heading)


def _two_of_text(one: SceneDraft, other: SceneDraft) -> bool:
    if (one.kicker != other.kicker and (_is_note(one) or _is_note(other))) or len(one.lines) + len(
        other.lines
    ) > LINES + 1:
        return False
    one.lines += other.lines
    one.said += other.said
    return True


def _even_out(one: SceneDraft, other: SceneDraft) -> None:
    """A slide that is too short takes some of what is said before or after it, if that can spare it."""
    if other.kind != "bullets" and other.words < SHORT and _can_spare(one):
        for place in range(len(one.said) - 1, 0, -1):
            if other.words >= SHORT or not _hand_over(one, other, one.said[place:], before=True):
                break
    elif one.kind in _SHOWN_WHOLE and one.words < SHORT and _can_spare(other):
        for place in range(1, len(other.said)):
            if one.words >= SHORT or not _hand_over(other, one, other.said[:place], before=False):
                break


def _can_spare(scene: SceneDraft) -> bool:
    return scene.kind == "bullets" and not _is_note(scene) and bool(scene.lines)


def _hand_over(giver: SceneDraft, taker: SceneDraft, moved: Sequence[Said], before: bool) -> bool:
    """Moves sentences to the neighbour, unless that cuts what hangs together; true when a longer run may do."""
    kept = [said for said in giver.said if not any(said is one for one in moved)]
    lines = [line for line in giver.lines if not any(said.shows is line for said in moved)]
    left = sum(said.words for said in kept)
    if left < SHORT or not lines:
        return False
    follows = (moved if before else kept)[0].sentence
    if follows is None or follows.leans:
        return True
    for said in moved:
        said.shows = None
        said.state = AFTER_ALL if not before and taker.kind in _BUILT_UP and said is moved[0] else None
    giver.said, giver.lines = kept, lines
    taker.said = [*moved, *taker.said] if before else [*taker.said, *moved]
    return False


def _two_of_code(one: SceneDraft, other: SceneDraft) -> bool:
    """Two short pieces of code below each other, each set off while it is spoken of."""
    first, second = _pieces(one), _pieces(other)
    shown = [line for piece in (*first, *second) for line in piece]
    if len(shown) > PIECE_LINES or len(first) + len(second) > PIECES or one.fields["lang"] != other.fields["lang"]:
        return False
    starts = [sum(len(piece) for piece in (*first, *second)[:n]) for n in range(len(first) + len(second))]
    ends = [*starts[1:], len(shown)]
    for scene, before in ((one, 0), (other, len(first))):
        if not scene.fields["focus"]:
            next((said for said in scene.said if said.cites), scene.said[0]).state = 1
        for said in scene.said:
            said.state = said.state + before if said.state else said.state
    focus = tuple((start + 1, end) for start, end in zip(starts, ends, strict=True))
    one.fields = {**one.fields, "lines": tuple(shown), "output": (), "focus": focus}
    one.title = one.title if one.title == other.title else one.heading
    one.cites += other.cites
    one.said += other.said
    return True


def _pieces(scene: SceneDraft) -> list[tuple[str, ...]]:
    """The lines of each piece of code, its output among them."""
    lines = scene.fields["lines"]
    ranges = scene.fields["focus"] or ((1, len(lines)),)
    found = [tuple(lines[start - 1 : end]) for start, end in ranges]
    found[-1] += scene.fields["output"]
    return found


def _two_terms(one: SceneDraft, other: SceneDraft) -> bool:
    """Two terms side by side as branches of the heading that they stand under."""
    first = _term_line(one)
    one.kind, one.title, one.lines, one.fields = "map", one.heading or one.title, [first], {"text": ""}
    _show(one, first)
    return _add_term(one, other)


def _add_term(one: SceneDraft, other: SceneDraft) -> bool:
    if len(one.lines) >= BRANCHES:
        return False
    line = _term_line(other)
    _show(other, line)
    one.lines.append(line)
    one.said += [said for said in other.said if said.cites]
    return True


def _term_line(scene: SceneDraft) -> Line:
    meaning = str(scene.fields["text"])
    line = Line(meaning[:1].lower() + meaning[1:], scene.cites, str(scene.fields["term"]))
    line.forms = [(line.name, line.text), (line.name, "")]
    line.keep = True
    return line


def _show(scene: SceneDraft, line: Line) -> None:
    """The line appears with the sentence that defines its term."""
    defining = next((said for said in scene.facts() if said.sentence and said.sentence.defines), scene.facts()[0])
    defining.shows = line


def _absorb(one: SceneDraft, other: SceneDraft) -> bool:
    """What is said next is said while the first slide still stands, with all of it shown again."""
    if _is_note(other):
        return False
    if one.kind in _BUILT_UP and other.said:
        other.said[0].state = AFTER_ALL
    for said in other.said:
        said.shows = None
    one.said += other.said
    return True


def _lead_in(one: SceneDraft, other: SceneDraft) -> bool:
    """What was said before leads to the second slide."""
    if _is_note(one):
        return False
    for said in one.said:
        said.shows = None
    other.said, one.said = one.said + other.said, []
    return True
