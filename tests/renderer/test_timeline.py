"""The timeline: states begin with their cue, questions pause, split slides follow the voice, every frame is known."""

from __future__ import annotations

import pytest

from renderer_job.pages import final_state
from renderer_job.timeline import FPS, GAP, LEAD, Span, Timeline, plan
from service.domain.storyboard import Storyboard
from tests.renderer.boards import board, cue, every_kind, scene


def planned(made: Storyboard, seconds: float = 2.0) -> Timeline:
    return plan(made, [[seconds] * len(one.cues) for one in made.scenes])


def starts_of(timeline: Timeline) -> list[tuple[int, Span]]:
    at, found = 0, []
    for span in timeline.spans:
        found.append((at, span))
        at += span.frames
    return found


def test_a_state_begins_with_the_frame_its_cue_is_heard() -> None:
    timeline = planned(board(scene("bullets")), 1.234)
    begins = {span.look.state: at for at, span in starts_of(timeline)}
    assert begins[0] == 0
    heard = {cue.cue: cue.start for cue in timeline.heard}
    assert {state: heard[state] for state in (1, 2, 3, 4)} == {state: begins[state] for state in (1, 2, 3, 4)}


def test_cues_do_not_overlap_and_keep_their_pauses() -> None:
    made = board(scene("quote", cues=[cue("One.", pause=1.5), cue("Two."), cue("Three.")]))
    first, second, third = planned(made).cue_times()
    assert first.start == pytest.approx(LEAD)
    assert second.start - first.end == pytest.approx(GAP + 1.5, abs=1 / FPS)
    assert third.start - second.end == pytest.approx(GAP, abs=1 / FPS)


def test_without_states_everything_is_shown_from_the_start() -> None:
    timeline = planned(board(scene("bullets", cues=[cue("All at once."), cue("And more.")])))
    assert [span.look.state for span in timeline.spans] == [final_state(timeline.pages[0][0])]


def test_a_question_counts_its_pause_in_whole_seconds_before_the_answer() -> None:
    timeline = planned(board(scene("question", pause=4)))
    looks = [(span.look.state, span.look.ring, span.frames) for span in timeline.spans]
    assert [(state, ring) for state, ring, _ in looks] == [(0, None), (0, 1), (0, 2), (0, 3), (1, None)]
    assert all(frames == FPS for _, ring, frames in looks if ring)
    asked, answered = timeline.cue_times()
    assert answered.start - asked.end == pytest.approx(4 + GAP, abs=1 / FPS)


def test_a_question_nobody_answers_aloud_still_shows_its_answer() -> None:
    timeline = planned(board(scene("question", cues=[cue("What holds the gas?")])))
    assert timeline.spans[-1].look.state == 1
    assert timeline.spans[-1].frames > 2 * FPS


def test_a_long_text_turns_its_pages_in_proportion() -> None:
    made = board(scene("warning", text="The oven is hotter than you think. " * 25, cues=[cue("Mind the oven.")]))
    timeline = planned(made, 20.0)
    assert [span.look.page.part for span in timeline.spans] == [1, 2][: len(timeline.spans)] or len(timeline.spans) > 2
    assert len(timeline.spans) == len(timeline.pages[0]) > 1
    assert min(span.frames for span in timeline.spans) > 0.2 * timeline.frames


def test_every_frame_has_a_picture_and_equal_frames_share_a_key() -> None:
    timeline = planned(every_kind(), 0.7)
    keys = [timeline.frame_at(number).key for number in range(timeline.frames)]
    at = 0
    for span in timeline.spans:
        rest = set(keys[at + span.moving : at + span.frames])
        assert rest == {span.look.key}
        assert len(set(keys[at : at + span.moving])) == span.moving
        at += span.frames
    assert at == timeline.frames
    for beyond in (-1, timeline.frames):
        with pytest.raises(IndexError):
            timeline.frame_at(beyond)


def test_planning_twice_gives_the_same_film() -> None:
    assert planned(every_kind()) == planned(every_kind())


def test_motion_leaves_every_look_a_rest() -> None:
    timeline = planned(every_kind(), 0.3)
    assert all(span.frames - span.moving >= 2 for span in timeline.spans)
    assert {span.motion for span in timeline.spans[1:]} == {"section", "scene", "reveal", "focus", "answer", "ring"}


def test_chapters_start_at_zero_and_skip_repeated_titles() -> None:
    made = board(scene("bullets", title="A **bold** start"), scene("quote", title="A bold start"), scene("recap"))
    timeline = planned(made)
    assert timeline.chapters() == (
        (0.0, "A bold start"),
        (timeline.starts[2] / FPS, "What you can say now"),
    )
