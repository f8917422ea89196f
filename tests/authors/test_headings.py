"""Objectives from headings: a verb that fits, grammar that holds, for every shape that headings come in."""

from __future__ import annotations

import re

import pytest

from service.authors.extractive import ExtractiveAuthor
from service.authors.extractive.language.headings import bare, by_heading
from service.authors.extractive.outline.objectives import bloom_of
from service.authors.extractive.sources.code_kinds import kind_of, looks_like_code, short_name, spelled_out
from service.domain.bloom import BLOOM_VERBS, VAGUE_VERBS
from service.domain.course import Brief
from tests.authors.test_author_contract import silent
from tests.authors.texts import SourceBuilder, evidence

NAMES = frozenset(("hash maps", "build scripts", "commit queue", "log rotation", "change detection", "test plan"))
OBJECTIVES = {
    # questions
    "what is a starter": "Explain what a starter is",
    "what are locks and why do they matter": "Explain what locks are and why they matter",
    "what is a cache and how does it work": "Explain what a cache is and how it works",
    "what happens when a node fails": "Explain what happens when a node fails",
    "what does the oven do": "Explain what the oven does",
    "what could go wrong": "Explain what could go wrong",
    "how does DNS work": "Explain how DNS works",
    "how do queens mate": "Explain how queens mate",
    "how are releases managed": "Explain how releases are managed",
    "how often is the cache cleared": "Explain how often the cache is cleared",
    "how to read a log": "Read a log",
    "how do I record changes": "Record changes",
    "how do you knead dough": "Show how to knead dough",
    "how can we help": "Show how to help",
    "how routers choose a path": "Explain how routers choose a path",
    "when should I use a queue": "Decide when to use a queue",
    "when to feed a starter": "Decide when to feed a starter",
    "where is the log kept": "State where the log is kept",
    "which editor should I use": "Choose which editor to use",
    "who owns a module": "State who owns a module",
    "should I use a framework": "Decide whether to use a framework",
    "do I need a database": "Decide whether you need a database",
    "is my data safe": "Discuss the question “Is my data safe?”",
    "why use containers": "Give reasons to use containers",
    "why the castle mattered": "Explain why the castle mattered",
    "why the duke came": "Explain why the duke came",
    "why the fall of the city": "Explain the reasons for the fall of the city",
    "why bees swarm": "Explain why bees swarm",
    "why caching matters": "Explain why caching matters",
    "why version control": "Explain the reasons for version control",
    # comparisons
    "tabs vs. spaces": "Compare tabs with spaces",
    "rye versus wheat": "Compare rye with wheat",
    "comparing TCP and UDP": "Compare TCP with UDP",
    "differences between salt and sugar": "Compare salt with sugar",
    "merge or rebase": "Choose between merge and rebase",
    # gerunds
    "using jars to keep fruit": "Use jars to keep fruit",
    "adding and removing files": "Add and remove files",
    "cloning a repository and pushing changes": "Clone a repository and push changes",
    "setting up a hive": "Set up a hive",
    "running multiple tests": "Run multiple tests",
    "working with remotes": "Work with remotes",
    "welcoming new members": "Show how to welcome new members",
    "waiting for approvals": "Show how to wait for approvals",
    "understanding ownership": "Explain ownership",
    "getting started with dough": "Start using dough",
    # instructions
    "use the right tool": "Use the right tool",
    "build the image": "Build the image",
    "manage security issues": "Manage security issues",
    "keep files out of your package": "Show how to keep files out of your package",
    "share your work": "Share your work",
    "know your audience": "Apply the rule “Know your audience”",
    "be consistent": "Apply the rule “Be consistent”",
    "don’t repeat yourself": "Apply the rule “Don’t repeat yourself”",
    "never store passwords in plain text": "Apply the rule “Never store passwords in plain text”",
    # claims and events
    "matches are exhaustive": "Explain what it means that matches are exhaustive",
    "every hive has one queen": "Explain what it means that every hive has one queen",
    "between two releases": "Explain what happens between two releases",
    "after the merge": "Explain what happens after the merge",
    # dates: what happened then
    "May 2013: Ray Dassen died": "Describe what happened in May 2013",
    "march 2020": "Describe what happened in March 2020",
    "1995–2003: the first releases": "Describe what happened in 1995–2003",
    "3 may 2013 – a release": "Describe what happened on 3 May 2013",
    "march 3, 2021": "Describe what happened on March 3, 2021",
    # numbers: what follows them counts
    "step 3: wash the jar": "Show how to wash the jar",
    "chapter IV. building the hive": "Build the hive",
    "listing 4.1 reading a log": "Read a log",
    # names of things: the section must tell
    "equation 2.3. Newton’s law": "",
    "equation 2.3": "",
    "figure 4": "",
    "march 2020 report": "",
    "1024: the last free port": "",
    "section leaders": "",
    "via an attribute": "",
    "may the force be with you": "",
    "vacuuming basics": "",
    "while loops": "",
    "like a professional": "",
    "over the network": "",
    "check basics": "",
    "plan B": "",
    "quick reference": "",
    "hash maps": "",
    "build scripts": "",
    "commit queue": "",
    "log rotation": "",
    "change detection": "",
    "type casting": "",
    "color and contrast": "",
    "testing frameworks": "",
    "load balancing": "",
    "things that are hard": "",
    "introduction to networking": "",
    "the match control flow construct": "",
}


@pytest.mark.parametrize(("heading", "objective"), OBJECTIVES.items(), ids=lambda text: re.sub(r"\W+", "-", text)[:40])
def test_a_heading_becomes_an_objective_that_reads_well(heading: str, objective: str) -> None:
    assert by_heading(heading, NAMES.__contains__) == objective


def test_every_objective_begins_with_a_verb_that_can_be_observed() -> None:
    verbs = {objective.partition(" ")[0].lower() for objective in OBJECTIVES.values() if objective}
    assert verbs <= BLOOM_VERBS
    assert not verbs & VAGUE_VERBS
    assert bloom_of("Decide when to use a queue") == "evaluate"


def test_a_claim_with_reasons_is_explained_by_them() -> None:
    assert by_heading("matches are exhaustive", NAMES.__contains__, True) == "Explain why matches are exhaustive"


@pytest.mark.parametrize(
    ("heading", "left"),
    [
        ("Equation 2.3. Newton’s law", "Newton’s law"),
        ("Figure 4", ""),
        ("Equation (7): …", ""),
        ("Appendix A: tools", "tools"),
        ("section leaders", "section leaders"),
        ("table mills", "table mills"),
        ("part of the hive", "part of the hive"),
    ],
)
def test_a_heading_is_read_without_its_label_and_number(heading: str, left: str) -> None:
    assert bare(heading) == left


UNDER_A_PARENT = [
    ("Adding a role", "Via an attribute", "Add a role via an attribute"),
    ("Configuration", "Without a restart", "Apply configuration without a restart"),
    ("Copying a hive", "Over the network", "Copy a hive over the network"),
    ("Markers", "As a filter", "Use markers as a filter"),
    ("Searching", "For loops", "Use for loops in code"),
    ("Chapter 7: Ways to search", "While loops", "Use while loops in code"),
    ("Equations", "Equation 2.3", "Summarize the main points of hives"),
]


@pytest.mark.parametrize(("parent", "heading", "objective"), UNDER_A_PARENT)
def test_a_heading_of_only_a_way_or_a_number_gives_no_objective_by_itself(
    parent: str, heading: str, objective: str
) -> None:
    page = SourceBuilder("Hives").heading(2, parent).heading(3, heading)
    for n in range(9):
        page.para(f"The keeper of hive {n} writes the name of its queen on the lid, and a colour for year {n + 3}.")
    page.code("hive.add(queen)", lang="python").para("The lid of the hive shows it.").code("hive.lid()", lang="python")
    made = ExtractiveAuthor().plan(Brief(), evidence(page.source()), silent)
    assert [one.text for lesson in made.lessons for one in lesson.objectives] == [objective]


@pytest.mark.parametrize(
    ("code", "kind", "name"),
    [
        ("--all", "flag", "--all"),
        ("--registry <url>", "flag", "--registry"),
        ("jars.count(lid[, size])", "call", "jars.count()"),
        ("new Jar(lid)", "expression", "Jar()"),
        ("notes.md", "file", "notes.md"),
        (".keepignore", "file", ".keepignore"),
        ("JAR_SIZE", "constant", "JAR_SIZE"),
        ("keep push origin", "command", "keep push origin"),
        ("lid::open=KEY[=VALUE]", "expression", "lid::open"),
        ("max-age", "hyphened", "max-age"),
        ("hive.queen", "member", "hive.queen"),
        ("&&", "operator", "&&"),
        ("Event: 'swarm'", "expression", "the swarm event"),
    ],
)
def test_code_is_told_apart_by_its_shape_and_named_without_its_arguments(code: str, kind: str, name: str) -> None:
    assert (kind_of(code), short_name(code)) == (kind, name)


def test_only_names_from_programs_look_like_code() -> None:
    assert all(map(looks_like_code, ("hive.queen()", "max_age", "openJar", "--all", "Class: Hive")))
    assert not any(map(looks_like_code, ("Node.js", "DNS", "Hash maps", "Honey", "Testing: the oven")))
    assert spelled_out("jarLids()").lower() == "jar lids()"
