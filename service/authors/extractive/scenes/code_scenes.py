"""Scenes of code: up to three short pieces that belong together, what leads to them, and what explains them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from service.authors.extractive.language import patterns
from service.authors.extractive.language.lexicon import ACTION_VERBS
from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.slide_lines import slide_line
from service.authors.extractive.language.words import words
from service.authors.extractive.scenes.draft import Said, SceneDraft, say, signpost
from service.authors.extractive.scenes.prose import tell
from service.authors.extractive.scenes.signposts import Signposts
from service.authors.extractive.sources.material import Idea, Section, Unit
from service.domain.conventions import SLIDE_SECONDS

LINES_SHOWN = 14
PIECES, PIECE_LINES = 3, 12  # that share a slide
EXPLAINING_WORDS = 60
SECONDS_A_LINE, MOST_PAUSE, WORDS_A_SECOND = 1.5, 8.0, 2.5
LONG_SILENCE = 5.0  # seconds after which listeners wonder whether the sound is gone, unless they were told what to do
_FRAGMENT = re.compile(r"^(?:If|When|Once|After)\b[^,]*:$")
_OBJECT_MISSING = re.compile(
    r"\b(?:by running|by typing|running|run|typing|type|using|use|entering|enters?|runs|types|uses|with)$"
)
_JOINING = re.compile(r"^(?:and then|and|but|then|so),? ", re.IGNORECASE)
_COMMAND = re.compile(r"^\$ ?((?:git|docker|npm|pip|cd|ls|mkdir|python|curl|make|uv) [\w-]+)", re.MULTILINE)


@dataclass
class Piece:
    """One snippet with its output."""

    code: list[str]
    output: list[str]


def code_scene(
    ideas: Sequence[Idea],
    before: Sequence[Unit],
    after: Sequence[Unit],
    section: Section,
    signposts: Signposts,
    told: set[int],
) -> SceneDraft | None:
    """One slide for the code ideas. `before`: units that lead to the first; `after`: explain the last.

    `told`: ids of the sentences that other scenes tell. None when nothing can be said about the code.
    """
    scene = SceneDraft("code", section.name)
    scene.cites = tuple(cite for idea in ideas for cite in idea.cites)
    scene.said = [said for unit in before for said in tell(unit)]
    told = told | {id(sentence) for unit in before for sentence in unit.sentences}
    pieces = [_piece(idea) for idea in ideas]
    focus: list[tuple[int, int]] = []
    lines: list[str] = []
    for number, (idea, piece) in enumerate(zip(ideas, pieces, strict=True), start=1):
        if idea.lead is not None and id(idea.lead) not in told and _leads(idea.lead, bool(scene.said)):
            scene.said.append(_led(idea.lead))
        shown = piece.code + (piece.output if len(ideas) > 1 else [])
        focus.append((len(lines) + 1, len(lines) + len(shown)))
        lines += shown
        if len(ideas) > 1 and scene.said and scene.said[-1].state is None:
            scene.said[-1].state = number
    scene.said += [said for unit in after for said in tell(unit, bare=False)]
    if not scene.facts():
        return None
    if scene.said[0].text != "" and len(scene.said) == 1 and after:
        scene.said.insert(0, signpost(signposts.sign("code") or "Look at the code on screen."))
    output = pieces[0].output if len(ideas) == 1 else []
    scene.fields = {
        "lines": tuple(line[:400] for line in lines) or (" ",),
        "lang": ideas[0].lang,
        "focus": tuple(focus) if len(ideas) > 1 else (),
        "output": tuple(line[:400] for line in output),
    }
    scene.heading = section.name
    scene.title = _title(scene, ideas, section)
    return scene


def give_time_to_read(scene: SceneDraft, signposts: Signposts) -> None:
    """Lets a slide of code stand until it can be read, and as long as any slide should."""
    lines = len(scene.fields["lines"]) + len(scene.fields["output"])
    pause = reading_pause(lines, scene.words)
    short = SLIDE_SECONDS[0] + 0.5 - scene.words / WORDS_A_SECOND
    if max(pause, short) > LONG_SILENCE:
        sign = signposts.sign("reading")
        scene.said += [signpost(sign)] if sign else []
        short -= len(words(sign)) / WORDS_A_SECOND
    scene.said[-1].pause = round(min(MOST_PAUSE, max(pause, short, 0.0)), 1)


def reading_pause(lines: int, spoken: int) -> float:
    """Seconds of silence in which what stands on a slide can be read, less half the time in which it is spoken of.

    Words and a picture that must be looked at need time apart from each other (Sweller's split attention).
    """
    return round(min(MOST_PAUSE, max(0.0, SECONDS_A_LINE * lines - spoken / WORDS_A_SECOND / 2)), 1)


def fits_together(ideas: Sequence[Idea]) -> bool:
    """Whether the snippets can share a slide."""
    return (
        len(ideas) <= PIECES and sum(len(_piece(idea).code) + len(_piece(idea).output) for idea in ideas) <= PIECE_LINES
    )


def _piece(idea: Idea) -> Piece:
    code = idea.code.strip("\n").split("\n")
    if len(code) > LINES_SHOWN:
        code = [*code[: LINES_SHOWN - 1], "…"]
    output = idea.output.strip("\n").split("\n") if idea.output else []
    room = LINES_SHOWN - len(code)
    if len(output) > room:
        output = [*output[: room - 1], "…"] if room > 2 else []
    return Piece(code, output)


def _leads(lead: Sentence, something_said: bool) -> bool:
    if lead.leans and not something_said:
        return False
    if (
        _FRAGMENT.match(lead.plain)
        or patterns.EMPTY.match(lead.text)
        or ("pointing" in lead.roles and not patterns.TOWARDS_NEXT.search(lead.text))
    ):
        return False
    return lead.length > 2 and not re.match(r"(?:see|output|example)\b", lead.text, re.IGNORECASE)


def _led(lead: Sentence) -> Said:
    """The sentence before the code; its colon becomes a full stop when it is heard."""
    said = say(lead, bare=True)
    spoken = _JOINING.sub("", said.speech or said.text).rstrip(": .")
    spoken = _OBJECT_MISSING.sub(r"\g<0> the command on screen", spoken[:1].upper() + spoken[1:])
    said.speech = spoken if re.search(r"[.!?]$", spoken) else spoken + "."
    return said


def _title(scene: SceneDraft, ideas: Sequence[Idea], section: Section) -> str:
    """What the reader is asked to do, if the lead says it in a few words; else the heading."""
    lead = ideas[0].lead
    if lead is not None:
        bare = re.sub(
            r"^(?:(?:Now|So|Then|Next),? )?(?:let[’']s (?:now )?(?:start by )?|"
            r"(?:we|you) (?:can|will|now)(?: now| then)? )",
            "",
            lead.text.rstrip(":. "),
            flags=re.IGNORECASE,
        )
        line = slide_line(Sentence(bare[:1].upper() + bare[1:], lead.cites, (), lead.kind), 8) if bare else ""
        found = words(line)
        if line and 2 <= len(found) <= 8 and found[0].lower() in ACTION_VERBS:
            return line
    command = _COMMAND.search("\n".join(scene.fields["lines"]))
    if command is None:
        return section.name
    return f"{section.name}: {command[1]}" if section.parent and len(section.name) < 40 else command[1]
