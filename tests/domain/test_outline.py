"""Edits of an outline: each does its one thing, and a stale one can say what it collided with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.course import CoursePlan, LessonPlan, ModulePlan, Objective
from service.domain.outline import (
    AddLesson,
    AddModule,
    MoveLesson,
    MoveModule,
    RemoveLesson,
    RemoveModule,
    RemoveObjective,
    RenameLesson,
    RenameModule,
    SetObjective,
    apply,
    difference,
    undo_of,
)


def lesson(name: str, *before: str) -> LessonPlan:
    goal = Objective(id=f"o-{name}", text=f"Explain {name}", bloom="understand")
    return LessonPlan(id=name, title=name.upper(), objectives=(goal,), prerequisites=before)


PLAN = CoursePlan(
    title="Course",
    modules=(
        ModulePlan(id="m1", title="One", lessons=(lesson("a"), lesson("b", "a"))),
        ModulePlan(id="m2", title="Two", lessons=(lesson("c", "b"),)),
    ),
)


def shape(plan: CoursePlan) -> list[list[str]]:
    return [[one.id for one in module.lessons] for module in plan.modules]


def test_a_renamed_lesson_and_unit_keep_their_place() -> None:
    plan = apply(PLAN, [RenameLesson(id="b", title="New"), RenameModule(id="m2", title="Second")])
    assert plan.lesson("b").title == "New"
    assert plan.modules[1].title == "Second"
    assert shape(plan) == shape(PLAN)


def test_a_lesson_moves_within_its_unit_and_into_another() -> None:
    assert shape(apply(PLAN, [MoveLesson(id="a", module="m1", index=1)])) == [["b", "a"], ["c"]]
    assert shape(apply(PLAN, [MoveLesson(id="a", module="m2", index=0)])) == [["b"], ["a", "c"]]


def test_a_moved_lesson_is_still_what_others_build_on() -> None:
    plan = apply(PLAN, [MoveLesson(id="a", module="m2", index=1)])
    assert plan.lesson("b").prerequisites == ("a",)


def test_a_unit_moves_with_its_lessons() -> None:
    assert shape(apply(PLAN, [MoveModule(id="m2", index=0)])) == [["c"], ["a", "b"]]


def test_a_removed_lesson_leaves_no_prerequisite_behind() -> None:
    plan = apply(PLAN, [RemoveLesson(id="a")])
    assert shape(plan) == [["b"], ["c"]]
    assert plan.lesson("b").prerequisites == ()


def test_a_removed_unit_takes_its_lessons_and_their_prerequisites() -> None:
    plan = apply(PLAN, [RemoveModule(id="m1")])
    assert shape(plan) == [["c"]]
    assert plan.lesson("c").prerequisites == ()


def test_what_was_removed_comes_back_whole_under_a_new_id() -> None:
    undo = undo_of(PLAN, RemoveLesson(id="a"), "new-1")
    assert undo is not None
    plan = apply(apply(PLAN, [RemoveLesson(id="a")]), [undo])
    assert shape(plan) == [["new-1", "b"], ["c"]]
    assert plan.lesson("new-1").objectives == PLAN.lesson("a").objectives
    undo = undo_of(PLAN, RemoveModule(id="m1"), "new-2")
    assert undo is not None
    plan = apply(apply(PLAN, [RemoveModule(id="m1")]), [undo])
    assert [[one.title for one in module.lessons] for module in plan.modules] == [["A", "B"], ["C"]]


def test_an_edit_that_removes_nothing_needs_no_undo() -> None:
    assert undo_of(PLAN, RenameLesson(id="a", title="x"), "new") is None


def test_objectives_are_rewritten_added_and_removed() -> None:
    plan = apply(
        PLAN, [SetObjective(lesson="a", id="o-a", text="Name it"), SetObjective(lesson="a", id="x", text="Use it")]
    )
    assert [one.text for one in plan.lesson("a").objectives] == ["Name it", "Use it"]
    plan = apply(plan, [RemoveObjective(lesson="a", id="o-a")])
    assert [one.text for one in plan.lesson("a").objectives] == ["Use it"]


def test_new_units_and_lessons_stand_where_they_were_put() -> None:
    plan = apply(PLAN, [AddModule(id="m3", title="Three", index=1), AddLesson(id="d", module="m3", title="D", index=9)])
    assert shape(plan) == [["a", "b"], ["d"], ["c"]]


@pytest.mark.parametrize(
    "edit",
    [
        RenameLesson(id="gone", title="x"),
        RenameModule(id="gone", title="x"),
        MoveLesson(id="a", module="gone", index=0),
        MoveLesson(id="gone", module="m1", index=0),
        RemoveLesson(id="gone"),
        RemoveModule(id="gone"),
        SetObjective(lesson="gone", id="o", text="x"),
    ],
)
def test_an_edit_of_something_that_is_gone_says_so(edit: RenameLesson) -> None:
    with pytest.raises(ValueError, match="no longer in the outline"):
        apply(PLAN, [edit])


def test_an_outline_does_not_grow_without_bound() -> None:
    with pytest.raises(ValueError, match="at most"):
        apply(PLAN, [AddModule(id=f"n{n}", title="x", index=0) for n in range(60)])
    with pytest.raises(ValueError, match="at most 8 objectives"):
        apply(PLAN, [SetObjective(lesson="a", id=f"n{n}", text="x") for n in range(8)])


def test_a_stale_edit_says_what_it_wanted_and_what_stands_there() -> None:
    found = difference(
        PLAN,
        [
            RenameLesson(id="a", title="Mine"),
            RenameLesson(id="gone", title="Mine"),
            SetObjective(lesson="a", id="o-a", text="Mine"),
            RemoveObjective(lesson="a", id="o-a"),
            MoveLesson(id="b", module="m2", index=0),
            RemoveModule(id="m2"),
            MoveModule(id="m1", index=1),
            AddLesson(id="n", module="m1", title="New", index=0),
        ],
    )
    assert [(one.yours, one.theirs) for one in found] == [
        ("Mine", "A"),
        ("Mine", "removed"),
        ("Mine", "Explain a"),
        ("removed", "Explain a"),
        ("Two, position 1", "One, position 2"),
        ("removed", "unit 2"),
        ("unit 2", "unit 1"),
        ("New", "not there"),
    ]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["m1", "m2"]), st.integers(0, 5)), max_size=12))
def test_moving_never_loses_or_doubles_a_lesson(moves: list[tuple[str, str, int]]) -> None:
    plan = apply(PLAN, [MoveLesson(id=name, module=module, index=index) for name, module, index in moves])
    assert sorted(one.id for one in plan.lessons) == ["a", "b", "c"]
