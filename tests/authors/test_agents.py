"""The team of agents over real HTTP: what it does when the model, or the way to it, fails."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from service.authors.agents import team
from service.authors.agents.author import AgentAuthor
from service.domain.course import Brief, CoursePlan
from service.domain.money import Spending, chat_micro_dollars
from service.errors import Broken, Canceled, CoursewrightError, Paused, Throttled, Unavailable
from tests.adapters.openai_server import (
    DRIP,
    HANG,
    NO_QUOTA,
    OK,
    PASSING,
    REFUSALS,
    Mode,
    refused,
)
from tests.authors.chat_server import Mind, Notebook, block, chat, model_at
from tests.authors.test_author_contract import silent
from tests.authors.texts import backups, bees, evidence, sourdough

CITED = evidence(sourdough())


@dataclass
class Books:
    """A till that can be looked into."""

    payer: str = "me"
    rows: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    empty: bool = False
    allowed: int = 1_000_000  # what was paid before a kill was allowed then

    def may_spend(self, most: int) -> None:
        self.allowed = most
        if self.empty:
            raise Paused("The purse is empty. Fill it.")

    def book(self, key: str, *spent: Spending) -> None:
        assert all(one.unit.startswith("tokens") for one in spent)
        whole = (spent[0].what, sum(one.quantity for one in spent), sum(one.micro_dollars for one in spent))
        if self.rows.setdefault(key, whole) is whole:
            assert whole[2] <= self.allowed, "the call cost more than was asked for before"

    def used(self, key: str) -> None:
        assert len(key) == 64


def lesson_of(author: AgentAuthor, plan: CoursePlan, books: Books | None = None) -> Any:
    return author.write(Brief(), plan, plan.lessons[0].id, CITED, silent, books or Books())


@pytest.mark.parametrize("mood", ["cut", "wrong shape", "no json", "refusal", "filter", "empty"])
def test_an_answer_that_cannot_be_used_is_asked_again_and_paid(mood: str) -> None:
    books = Books()
    with chat(Mind(moods=[mood, mood])) as (server, _):
        plan = AgentAuthor(model_at(server), Notebook()).plan(Brief(), CITED, silent, books)
        assert plan.lessons
        assert len(books.rows) == server.calls()
        told = server.bodies()[1]["messages"][-1]["content"]
    assert "cannot be used" in told


@pytest.mark.parametrize("mood", ["cut", "wrong shape", "no json", "refusal", "filter", "empty"])
def test_three_answers_that_cannot_be_used_end_it_by_name_and_can_be_tried_anew(mood: str) -> None:
    notes = Notebook()
    with chat(Mind(moods=[mood] * 3)) as (server, _):
        author = AgentAuthor(model_at(server), notes)
        with pytest.raises(Broken, match=r"gpt-4o-mini gave no usable answer: .+ Try again"):
            author.plan(Brief(), CITED, silent)
        assert server.calls() == 3
        assert not notes.kept
        assert author.plan(Brief(), CITED, silent).lessons


@pytest.mark.parametrize("mode", [refused(429, "rate_limit_exceeded", retry_after="0"), *PASSING], ids=str)
def test_what_passes_is_tried_again(mode: Mode) -> None:
    with chat() as (server, _):
        server.script = [mode]
        author = AgentAuthor(model_at(server, one_try=0.5 if mode.how in ("hang", "half", "drip") else 10), Notebook())
        assert author.plan(Brief(), CITED, silent).lessons
        assert server.modes[0] == mode.name


@pytest.mark.parametrize(
    ("mode", "error", "calls"),
    [
        (refused(429, "rate_limit_exceeded", retry_after="7"), Throttled, 1),
        (NO_QUOTA, Paused, 1),
        (refused(500), Unavailable, 3),
        (HANG, Unavailable, 3),
        (DRIP, Unavailable, 3),
        *[(mode, Broken, 1) for mode in REFUSALS],
    ],
    ids=str,
)
def test_what_does_not_pass_has_a_name(mode: Mode, error: type[CoursewrightError], calls: int) -> None:
    with chat() as (server, _):
        server.always = mode
        author = AgentAuthor(model_at(server, one_try=0.3), Notebook())
        with pytest.raises(error) as caught:
            author.plan(Brief(), CITED, silent)
        assert type(caught.value) is error
        assert server.calls() == calls
        if isinstance(caught.value, Throttled):
            assert caught.value.after_seconds == 7


def test_a_key_that_is_withdrawn_in_the_middle_costs_no_answer_that_was_paid() -> None:
    notes = Notebook()
    with chat() as (server, _):
        author = AgentAuthor(model_at(server), notes)
        plan = author.plan(Brief(), CITED, silent)
        before = server.calls()
        server.script = [OK, OK, refused(401)]
        with pytest.raises(Broken, match="OPENAI_API_KEY"):
            lesson_of(author, plan)
        assert len(notes.kept) == before + 2
        lesson_of(author, plan)
        assert server.calls() == before + 3 + (len(notes.kept) - before - 2)


def test_a_critic_who_is_never_satisfied_ends_after_the_last_round() -> None:
    with chat(Mind(never_satisfied=True)) as (server, mind):
        plan = AgentAuthor(model_at(server), Notebook()).plan(Brief(), CITED, silent)
    assert plan.lessons
    assert mind.asked.count("OutlineShape") == 3
    assert mind.asked.count("VerdictShape") == 2


def test_what_the_rules_find_goes_back_to_the_writer_with_its_reason() -> None:
    class Careless(Mind):
        def lesson(self, talk: str) -> dict[str, Any]:
            made = super().lesson(talk)
            first = made["blocks"][1]["sentences"][0]
            if "asks the writer to change" not in talk:
                first["text"] = "Bread has risen for exactly 4321 years."
            return made

    with chat(Careless()) as (server, _):
        author = AgentAuthor(model_at(server), Notebook())
        plan = author.plan(Brief(), CITED, silent)
        lesson = lesson_of(author, plan)
        asked = [body for body in server.bodies() if "LessonTextShape" in json.dumps(body.get("response_format", {}))]
    assert "4321" in asked[1]["messages"][-1]["content"]
    assert not any("4321" in claim.text for claim in lesson.claims())


def test_an_unsupported_sentence_that_stays_is_marked() -> None:
    class Stubborn(Mind):
        def lesson(self, talk: str) -> dict[str, Any]:
            made = super().lesson(talk)
            made["blocks"][1]["sentences"][0]["text"] = "Bread has risen for exactly 4321 years."
            return made

    with chat(Stubborn()) as (server, _):
        author = AgentAuthor(model_at(server), Notebook())
        lesson = lesson_of(author, author.plan(Brief(), CITED, silent))
    assert [claim.state for claim in lesson.claims() if "4321" in claim.text] == ["unsupported"]


def test_a_draft_without_one_proof_is_refused_by_name() -> None:
    class Inventor(Mind):
        def lesson(self, talk: str) -> dict[str, Any]:
            made = super().lesson(talk)
            for part in made["blocks"]:
                for sentence in part["sentences"]:
                    sentence["quote"] = "The moon is made of green cheese and nobody minds it."
            return made

    notes = Notebook()
    with chat(Inventor()) as (server, _):
        author = AgentAuthor(model_at(server), notes)
        plan = author.plan(Brief(), CITED, silent)
        before = len(notes.kept)
        with pytest.raises(Broken, match="cannot be used"):
            lesson_of(author, plan)
    assert len(notes.kept) == before


def test_every_call_is_booked_once_and_an_equal_wish_costs_nothing() -> None:
    books, notes = Books(), Notebook()
    with chat() as (server, _):
        author = AgentAuthor(model_at(server), notes)
        plan = author.plan(Brief(), CITED, silent, books)
        lesson = lesson_of(author, plan, books)
        calls = server.calls()
        assert len(books.rows) == calls == len(notes.kept)
        usage = [
            (call.input_tokens + call.output_tokens,
             chat_micro_dollars("gpt-4o-mini", call.input_tokens, call.cached_tokens, call.output_tokens))
            for call in notes.kept.values()
        ]  # fmt: skip
        assert sorted((quantity, price) for _, quantity, price in books.rows.values()) == sorted(usage)
        assert all(price > 0 for _, _, price in books.rows.values())
        assert lesson_of(AgentAuthor(model_at(server), notes), plan, books) == lesson
        assert server.calls() == calls == len(books.rows)
        stranger = Books(payer="somebody else")
        assert lesson_of(author, plan, stranger) == lesson
        assert not stranger.rows


def test_an_empty_purse_stops_before_the_next_call() -> None:
    books = Books(empty=True)
    with chat() as (server, _):
        with pytest.raises(Paused):
            AgentAuthor(model_at(server), Notebook()).plan(Brief(), CITED, silent, books)
        assert server.calls() == 0


@pytest.mark.parametrize("after", range(1, 6))
def test_a_kill_repeats_at_most_the_call_that_was_under_way(after: int) -> None:
    """The notebook dies after so many answers: whoever comes next asks for the rest only."""

    class Dying(Notebook):
        def keep(self, key: str, call: Any) -> Any:
            if len(self.kept) >= after:
                raise KeyboardInterrupt
            return super().keep(key, call)

    with chat() as (server, _):
        whole = Notebook()
        plan = AgentAuthor(model_at(server), whole).plan(Brief(), CITED, silent)
        lesson = lesson_of(AgentAuthor(model_at(server), whole), plan)
        needed, before = len(whole.kept), server.calls()
        dying = Dying()
        with pytest.raises(BaseException):  # noqa: B017 - dead is dead
            AgentAuthor(model_at(server), dying).plan(Brief(), CITED, silent)
            lesson_of(AgentAuthor(model_at(server), dying), plan)
        heir = Notebook()
        heir.kept = dict(dying.kept)
        AgentAuthor(model_at(server), heir).plan(Brief(), CITED, silent)
        assert lesson_of(AgentAuthor(model_at(server), heir), plan) == lesson
        assert server.calls() - before <= needed + 1


def test_canceling_ends_a_hanging_call_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(team, "STOP_SECONDS", 60.0)  # it is the token that ends the call, and not that we stop waiting
    began = threading.Event()

    def report(what: str, part: float | None = None) -> None:
        if began.is_set():
            raise Canceled("Stopped.")

    with chat() as (server, _):
        server.always = HANG
        author = AgentAuthor(model_at(server, one_try=60.0), Notebook())
        watch = threading.Thread(target=lambda: (wait_for(lambda: server.calls() > 0), began.set()))
        watch.start()
        start = time.monotonic()
        with pytest.raises(Canceled):
            author.plan(Brief(), CITED, report)
        watch.join()
    assert time.monotonic() - start < 30


def test_progress_is_told_in_the_instructors_words() -> None:
    told: list[tuple[str, float]] = []
    with chat() as (server, _):
        author = AgentAuthor(model_at(server), Notebook())
        plan = author.plan(Brief(), evidence(sourdough(), bees()), silent)
        author.write(
            Brief(),
            plan,
            plan.lessons[1].id,
            evidence(sourdough(), bees()),
            lambda w, p=None: told.append((w, p or 0.0)),
        )
    words = list(dict.fromkeys(what for what, _ in told))
    place = f"lesson 2 of {len(plan.lessons)}: {plan.lessons[1].title}"
    assert words[:2] == [f"Looking up sources for {place}", f"Writing {place}"]
    assert [part for _, part in told] == sorted(part for _, part in told)


def test_the_prompts_state_the_figures_that_the_checks_measure_by() -> None:
    with chat() as (server, _):
        author = AgentAuthor(model_at(server), Notebook())
        plan = author.plan(Brief(minutes=30, audience="Bakers"), CITED, silent)
        author.storyboard(Brief(), plan, lesson_of(author, plan), CITED, silent)
        systems = [body["messages"][0]["content"] for body in server.bodies()]
    assert "$" not in "".join(systems)
    assert "about 30 minutes" in systems[0]
    assert "Bakers" in systems[0]
    assert any("at most 6 lines" in text for text in systems)


def test_structured_output_is_asked_for_strictly() -> None:
    """Every object closed and every field required, or the provider refuses the schema."""
    with chat() as (server, _):
        author = AgentAuthor(model_at(server), Notebook())
        plan = author.plan(Brief(), CITED, silent)
        lesson = lesson_of(author, plan)
        author.storyboard(Brief(), plan, lesson, CITED, silent)
        author.quiz(Brief(), plan, lesson, CITED, silent)
        formats = [body["response_format"]["json_schema"] for body in server.bodies() if "response_format" in body]
    assert {one["name"] for one in formats} == {
        "OutlineShape", "FindingsShape", "LessonTextShape", "StoryboardShape", "QuizShape", "VerdictShape",
    }  # fmt: skip
    for one in formats:
        assert one["strict"] is True
        for part in objects(one["schema"]):
            assert part["additionalProperties"] is False
            assert sorted(part["required"]) == sorted(part["properties"])


def test_the_site_does_not_load_autogen(tmp_path: Any) -> None:
    code = (
        "import sys; from service.authors import open_author; from pydantic import SecretStr; "
        "from service.adapters.provider import judge; from service.adapters.storage import open_storage; "
        "from service.settings import load_settings; s = load_settings(data_dir='/tmp/none', openai_api_key='k'); "
        "a = open_author(s.model, openai_api_key=s.openai_api_key, openai_base_url=s.openai_base_url, "
        "storage=open_storage(s), judge=judge); assert a.name.startswith('agents gpt-4o-mini'); "
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'autogen_core', 'autogen_agentchat', 'autogen_ext'}))"
    )
    code = code.replace("/tmp/none", str(tmp_path))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_passage_that_the_lesson_was_not_given_proves_nothing() -> None:
    """The writer names a passage of another lesson, and one that does not exist, and copies its sentence exactly."""
    foreign = "A backup is a copy of files that survives the loss of the originals."

    class Stray(Mind):
        def lesson(self, talk: str) -> dict[str, Any]:
            made = super().lesson(talk)
            strays = [{"text": foreign, "passage": name, "quote": foreign} for name in ("P8", "P99", "")]
            made["blocks"].append(block("paragraph", sentences=strays))
            return made

    both = evidence(sourdough(), backups())
    with chat(Stray()) as (server, _):
        author = AgentAuthor(model_at(server), Notebook())
        plan = author.plan(Brief(), both, silent)
        lesson = author.write(Brief(), plan, plan.lessons[0].id, both, silent)
    assert foreign not in [claim.text for claim in lesson.claims()]
    assert {cite.source for cite in lesson.cites()} == {sourdough().sha256}


def objects(schema: Any) -> list[dict[str, Any]]:
    """Every object's schema inside of a schema."""
    if isinstance(schema, list):
        return [found for one in schema for found in objects(one)]
    if not isinstance(schema, dict):
        return []
    own = [schema] if schema.get("type") == "object" else []
    return own + [found for one in schema.values() for found in objects(one)]


def wait_for(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.02)
