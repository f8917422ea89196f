"""Outlines as people write them: every heading and objective is kept, and a line that is neither is named."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.course import CoursePlan, LessonPlan, ModulePlan, Objective
from service.domain.outline_text import outline_markdown, read_outline, title_in

Shape = list[tuple[str, list[tuple[str, list[str]]]]]
LETTERS = string.ascii_letters + string.digits + " äßπ語()[]{}<>#.,:;!?&%$§'’“”/\\|~^=+*_`-"
NAMES = st.text(LETTERS, min_size=1, max_size=60).map(lambda text: " ".join(text.split())).filter(bool)
PLAIN = NAMES.filter(lambda text: not text.startswith(("**", "__")))


def shape(plan: CoursePlan) -> Shape:
    return [
        (module.title, [(lesson.title, [one.text for one in lesson.objectives]) for lesson in module.lessons])
        for module in plan.modules
    ]


def plan_of(title: str, modules: Shape) -> CoursePlan:
    return CoursePlan(
        title=title,
        modules=tuple(
            ModulePlan(
                id=f"m{m}",
                title=name,
                lessons=tuple(
                    LessonPlan(
                        id=f"l{m}-{n}",
                        title=lesson,
                        objectives=tuple(
                            Objective(id=f"o{m}-{n}-{k}", text=text, bloom="apply") for k, text in enumerate(aims)
                        ),
                    )
                    for n, (lesson, aims) in enumerate(lessons)
                ),
            )
            for m, (name, lessons) in enumerate(modules)
        ),
    )


@given(
    PLAIN,
    st.lists(
        st.tuples(PLAIN, st.lists(st.tuples(PLAIN, st.lists(PLAIN, max_size=3)), min_size=1, max_size=3)),
        min_size=1,
        max_size=3,
    ),
)
def test_every_heading_and_objective_comes_back_word_for_word_and_in_order(title: str, modules: Shape) -> None:
    plan = plan_of(title, modules)
    back = read_outline(outline_markdown(plan))
    assert (back.title, shape(back)) == (plan.title, shape(plan))


TYPES: Shape = [("Flour", [("Types", []), ("Storing", [])]), ("Water", [("Heat", [])])]
AIMS: Shape = [("Flour", [("Types", ["Name three types", "Explain gluten"])]), ("Water", [("Heat", [])])]


@pytest.mark.parametrize(
    ("text", "title", "wanted"),
    [
        ("# Bread\n## Flour\n### Types\n### Storing\n## Water\n### Heat\n", "Bread", TYPES),
        ("Bread\n=====\n\nFlour\n-----\n\n- Types\n- Storing\n\nWater\n-----\n1. Heat\n", "Bread", TYPES),
        ("Bread\n\n1. Flour\n   - Types\n   - Storing\n2. Water\n   - Heat", "Bread", TYPES),
        ("Bread\n1 Flour\n1.1 Types\n1.2 Storing\n2 Water\n2.1 Heat", "Bread", TYPES),
        ("Bread\n  Flour\n    Types\n    Storing\n  Water\n    Heat\n", "Bread", TYPES),
        ("* Flour\n\t* Types\n\t* Storing\n* Water\n\t* Heat\n", "Baking", TYPES),
        ("Contents\n1 Flour ....... 1\n1.1 Types\t2\n1.2 Storing .. . . . 5\n2 Water     9\n2.1 Heat ... 10", "Baking",
         TYPES),
        ("- Flour\n  - Types\n    - Name three types\n    - Explain gluten\n- Water\n  - Heat\n", "Baking", AIMS),
        ("# Bread\r\n## Flour\r\n### Types\r\nAfter this lesson you will be able to:\r\n- Name three\r\n  types\r\n"
         "- Explain gluten\r\n## Water\r\n### Heat\r\n", "Bread", AIMS),
        ("## Flour\n- Name three types\n- Explain gluten\n## Heat", "Baking",
         [("Baking", [("Flour", ["Name three types", "Explain gluten"]), ("Heat", [])])]),
        ("Flour\nWater\n", "Baking", [("Baking", [("Flour", []), ("Water", [])])]),
        ("# **Bread**\n## Chapter 1: Flour ##\n### 1. Types\n", "Bread", [("Chapter 1: Flour", [("1. Types", [])])]),
        ("Week 1: Flour\n- Types\n- Storing\nWeek 2: Water\n- Heat", "Baking",
         [("Week 1: Flour", TYPES[0][1]), ("Week 2: Water", TYPES[1][1])]),
    ],
)  # fmt: skip
def test_headings_lists_numbers_and_tables_of_contents_are_understood(text: str, title: str, wanted: Shape) -> None:
    plan = read_outline(text, title="Baking")
    assert (plan.title, shape(plan)) == (title, wanted)
    assert title_in(text) == ("" if title == "Baking" else title)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("# Bread\n", "a title and nothing else"),
        ("## Flour\nFlour is ground grain.\n### Types\n", "Line 2: “Flour is ground grain.” is neither"),
        ("# Bread\n- Explain gluten\n## Flour\n### Types\n", "Line 2: the objective “Explain gluten” has no lesson"),
        ("# Bread\n### Types\n## Flour\n### Storing\n", "Line 2: the lesson “Types” stands in no module"),
        ("# A\n## B\n### C\n#### D\n- e\n", "Line 4: “D” stands too deep"),
        ("- A\n  - B\n    - C\n      - D\n", "Line 4: “D” stands too deep"),
        ("# A\n## B\n### C\n- " + "d" * 201, "Line 4: this objective has 201 characters, 200 fit"),
        ("# A\n## " + "b" * 161, "Line 2: this lesson has 161 characters, 160 fit"),
        ("# A\n##  \n### C", "Line 2"),
        ("# A\n## B\n### C\n" + "- Explain d\n" * 9, "Line 12: a lesson has at most 8 objectives"),
        ("# A\n" + "## B\n" * 301, "301 lessons; 300 are the most"),
        ("x " * 600, "Line 1 has 1,200 characters, as prose has"),
    ],
)
def test_what_is_not_understood_is_refused_by_its_line(text: str, says: str) -> None:
    with pytest.raises(ValueError) as refused:
        read_outline(text)
    assert says in str(refused.value)


def test_an_objective_has_the_level_of_its_verb() -> None:
    plan = read_outline("# A\n## B\n### C\n- Compare two loaves\n- Bake a loaf\n")
    assert [one.bloom for one in plan.lessons[0].objectives] == ["analyze", "understand"]
