"""Reading a source: headings become sections, the rest becomes ideas, and what reads badly alone is left out."""

from __future__ import annotations

from service.authors.extractive.sources.structure import read
from tests.authors.texts import SourceBuilder, backups, sourdough


def test_headings_become_a_tree_of_sections() -> None:
    page = SourceBuilder("Ovens").heading(2, "1.2 Heat").para("Ovens need an hour to get hot.")
    page.heading(3, "Gas").para("Gas ovens are moist inside.").heading(2, "Care").para("Ovens like to be dry.")
    root = read(page.source()).root
    assert [section.title for section in root.flat()] == ["Ovens", "Heat", "Gas", "Care"]
    assert [child.title for child in root.children] == ["Heat", "Care"]


def test_references_and_further_reading_are_not_taught() -> None:
    titles = [section.title for section in read(sourdough()).root.flat()]
    assert "Baking" in titles
    assert "Further reading" not in titles


def test_a_short_bold_paragraph_is_a_heading() -> None:
    page = SourceBuilder("Ovens").para("**Gas ovens**").para("Gas ovens are moist inside.")
    assert [section.title for section in read(page.source()).root.flat()] == ["Ovens", "Gas ovens"]


def test_a_callout_does_not_swallow_the_text_after_it() -> None:
    page = SourceBuilder("Ovens").heading(2, "Heat").para("Ovens need an hour to get hot.")
    page.heading(3, "A word of care", role="note").para("Glass doors break in cold water.", role="note")
    page.para("Stones keep the heat of the oven.")
    section = next(s for s in read(page.source()).root.flat() if s.title == "Heat")
    assert [(idea.tone, idea.label) for idea in section.ideas] == [("", ""), ("note", "A word of care"), ("", "")]


def test_an_exercise_keeps_its_task_and_its_solution_apart() -> None:
    ideas = [idea for section in read(backups()).root.flat() for idea in section.ideas if idea.kind == "exercise"]
    assert [idea.label for idea in ideas] == ["Which copies to keep"]
    assert ideas[0].sentences[0].text.startswith("A store holds one copy")
    assert ideas[0].solution[0].text.startswith("All but one copy")


def test_an_exercise_about_an_address_keeps_its_task_and_one_without_a_task_goes() -> None:
    page = SourceBuilder("Ovens").heading(2, "Addresses")
    page.heading(3, "Take it apart", role="exercise")
    page.para("Name the parts of `https://ovens.example.org/stone`.", role="exercise")
    page.heading(3, "Solution", role="solution").para("The host is the middle part.", role="solution")
    page.heading(3, "Look there", role="exercise").para("Click here for the question.", role="exercise")
    page.heading(3, "Solution", role="solution").para("It is the second one.", role="solution")
    section = next(s for s in read(page.source()).root.flat() if s.title == "Addresses")
    [exercise] = [idea for idea in section.ideas if idea.kind == "exercise"]
    assert [sentence.text for sentence in exercise.sentences] == ["Name the parts of https://ovens.example.org/stone."]


def test_objectives_questions_and_key_points_are_read_apart_from_the_text() -> None:
    reading = read(backups())
    assert reading.objectives[0].text == "Set up an encrypted backup."
    assert reading.questions[0].text == "What happens to my files when the disk dies?"
    assert len(reading.keypoints) == 3


def test_advice_to_instructors_is_left_out() -> None:
    text = " ".join(s.text for sec in read(backups()).root.flat() for i in sec.ideas for s in i.all_sentences())
    assert "another building" in text
    assert "Instructors" not in text


def test_what_a_document_says_of_itself_is_not_taught() -> None:
    page = SourceBuilder("Ovens").para(
        "Ovens need an hour to get hot. This guide is a work in progress. We welcome your contributions. "
        "This project is open source. Stones keep the heat."
    )
    idea = read(page.source()).root.ideas[0]
    assert [sentence.text for sentence in idea.sentences] == ["Ovens need an hour to get hot.", "Stones keep the heat."]


def test_sentences_that_point_away_are_left_out_with_what_leans_on_them() -> None:
    page = SourceBuilder("Ovens").para(
        "Ovens need an hour to get hot. Click here for a list of ovens. This list is long. Stones keep the heat."
    )
    idea = read(page.source()).root.ideas[0]
    assert [s.text for s in idea.sentences] == ["Ovens need an hour to get hot.", "Stones keep the heat."]


def test_a_numbered_list_of_statements_is_no_procedure() -> None:
    page = SourceBuilder("Ovens")
    page.items(["Open the door of the oven.", "Put the loaf on the stone.", "Close the door."], ordered=True)
    page.para("And these are the facts about it all.")
    page.items(["The stone is hot.", "The loaf is cold.", "The door is open."], ordered=True)
    assert [idea.kind for idea in read(page.source()).root.ideas] == ["steps", "text", "list"]


def test_small_entries_below_an_entry_belong_to_it() -> None:
    page = SourceBuilder("Ovens")
    page.lists = 1
    page.add("item", "The oven is hot", level=1, list_id=1)
    page.add("item", "A drop of water dances on the stone", level=2, list_id=1)
    page.add("item", "The loaf has risen", level=1, list_id=1)
    idea = read(page.source()).root.ideas[0]
    assert [[s.text for s in item] for item in idea.items] == [
        ["The oven is hot", "A drop of water dances on the stone"],
        ["The loaf has risen"],
    ]


def test_steps_go_on_counting_after_the_code_between_them() -> None:
    page = SourceBuilder("Backups")
    page.lists = 1
    page.add("item", "Open a terminal.", level=1, list_id=1, ordered=True)
    page.add("code", "$ keep init", list_id=1)
    page.add("item", "Run the copy.", level=1, list_id=1, ordered=True)
    page.add("item", "Check the summary.", level=1, list_id=1, ordered=True)
    ideas = read(page.source()).root.ideas
    assert [idea.kind for idea in ideas] == ["steps", "code", "steps"]
    assert [idea.first_number for idea in ideas] == [1, 1, 2]


def test_a_fence_around_nothing_inside_a_list_is_no_code() -> None:
    page = SourceBuilder("Page").para("The oven is hot, and the loaf is on the stone.")
    page.add("item", "Open the door.", list_id=1, ordered=True).add("code", "", list_id=1)
    page.add("item", "Bake the loaf for an hour.", list_id=1, ordered=True)
    ideas = [idea for section in read(page.source()).root.flat() for idea in section.ideas]
    assert [idea.kind for idea in ideas] == ["text", "steps"]
