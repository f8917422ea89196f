"""Every template is rendered by a page that somebody can reach, and every page holds to the same few laws."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from html.parser import HTMLParser

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, update

from service.db.engine import session_scope
from service.db.tables import Course, Lesson, RevisionCause, Source, User
from service.domain.revision import Change
from service.pipeline import revisions, runs, wishes
from service.settings import ROOT
from service.web.site import STATIC
from tests.authors.texts import bees, sourdough
from tests.pipeline.written_course import write_course
from tests.web.conftest import Browser
from tests.web.world import SHA, World

Browsers = Callable[..., tuple[Browser, uuid.UUID]]
EVERY = {path.relative_to(ROOT / "templates").as_posix() for path in (ROOT / "templates").rglob("*.html")}
VOID = {"meta", "link", "input", "img", "br", "hr", "track"}
SHAPES = {"path", "rect", "circle", "use", "g"}


def changed(engine: Engine, me: uuid.UUID) -> list[str]:
    """The pages of a course that is being changed: one change under way, one that waits for a decision."""
    with session_scope(engine) as session:
        owner = session.get_one(User, me)
        written = write_course(session, owner, (sourdough,))
        course, lesson = session.get_one(Course, written.course), session.get_one(Lesson, written.lessons[0])
        making = wishes.ask(session, course, lesson, Change(part="lesson"), owner)
        before = revisions.standing(session, lesson)
        shorter = before.text.model_copy(update={"blocks": before.text.blocks[:3]})
        after = before.model_copy(update={"text": shorter, "quiz": None})
        change, cause = Change(part="lesson", wish="shorter"), RevisionCause.ASKED
        proposal = revisions.Proposal(change, cause, before, after, "Look at this.")
        proposed = revisions.propose(session, lesson, proposal, asked_by=me)
        home, at = f"/courses/{course.id}", f"/courses/{course.id}/lessons/{lesson.id}"
        forms = [f"{at}/change", f"{home}/units/{lesson.module_id}/change"]
        return [
            at,
            *forms,
            f"{at}/changes",
            f"{home}/changes",
            f"{home}/changes/{making.id}",
            f"{home}/changes/{proposed.id}",
        ]


def outgrown(engine: Engine, world: World, me: uuid.UUID) -> list[str]:
    """The pages of a course whose source has a newer version that says none of what the lessons cite."""
    with session_scope(engine) as session:
        written = write_course(session, session.get_one(User, me), (bees,))
    newer = world.source(written.course)
    with session_scope(engine) as session:
        older = update(Source).where(Source.course_id == written.course, Source.id != newer)
        session.execute(older.values(superseded_by=newer))
    home = f"/courses/{written.course}"
    return [f"{home}/brief", f"{home}/quality", f"{home}/lessons/{written.lessons[0]}"]


@pytest.fixture
def pages(app: FastAPI, browser_of: Browsers, world: World, engine: Engine) -> Iterator[dict[str, str]]:
    """Every kind of page once, as somebody sees it, by address."""
    seen: dict[str, str] = {}
    stranger = Browser(app)
    browser, me = browser_of()
    draft, planned, ready = world.draft(me), world.course(me, "planned", made=False), world.course(me)
    lesson = world.lessons[0]
    going = world.course(me, "planned", made=False)
    world.source(draft)
    with session_scope(engine) as session:
        runs.start_generate(session, session.get_one(Course, going), session.get_one(User, me))
    course = f"/courses/{ready}"
    for who, addresses in (
        (stranger, ("/", "/sign-in", "/sign-up", "/catalogue", "/nothing")),
        (
            browser,
            (
                "/", "/account", "/account/spending", "/catalogue", "/courses/new", f"/courses/{draft}/brief",
                f"/courses/{planned}/own-outline", f"/courses/{planned}/outline",
                f"/courses/{going}/generating", course, f"{course}/lessons/{lesson}", f"{course}/lessons/{lesson}/quiz",
                f"{course}/lessons/{lesson}/quiz?q=4", f"{course}/lessons/{lesson}/quiz?q=99",
                f"{course}/sources/{SHA}?start=0&end=4", f"{course}/sources/{SHA}", f"{course}/quality",
                f"{course}/ask", f"{course}/invoice", *changed(engine, me), *outgrown(engine, world, me),
            ),
        ),
    ):  # fmt: skip
        for address in addresses:
            answer = who.get(address)
            assert answer.status_code in (200, 404), address
            seen[f"{'stranger' if who is stranger else 'maren'} {address}"] = answer.text
    for question in ("What is an isobar?", "Which boat should I buy?", ""):
        answer = browser.submit(f"{course}/ask", question=question)
        assert answer.status_code == (200 if question else 422), question
        seen[f"maren asks {question}"] = answer.text
    yield seen


class Outline(HTMLParser):
    """Reads a page strictly enough to find what browsers forgive: unclosed elements, doubled ids, missing names."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.faults: list[str] = []
        self.headings = 0
        self.labels: set[str] = set()
        self.controls: dict[str, dict[str, str | None]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = dict(attrs)
        if facts.get("id"):
            self.ids.append(str(facts["id"]))
        if tag == "h1":
            self.headings += 1
        if tag == "label" and facts.get("for"):
            self.labels.add(str(facts["for"]))
        if tag in ("input", "select", "textarea") and facts.get("type") not in ("hidden", "radio", "checkbox"):
            self.controls[str(facts.get("id") or self.getpos())] = facts
        if tag == "img" and "alt" not in facts:
            self.faults.append(f"img without alt: {facts}")
        self.faults += [f"<{tag} {name}>" for name in facts if name == "style" or name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag not in VOID | SHAPES:
            self.faults.append(f"<{tag}/> does not close itself")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()} closes something else")

    def result(self) -> list[str]:
        nameless = [
            name
            for name, facts in self.controls.items()
            if name not in self.labels and not facts.get("aria-label") and facts.get("aria-hidden") != "true"
        ]
        doubled = {name for name in self.ids if self.ids.count(name) > 1}
        return [
            *self.faults,
            *(f"unclosed <{tag}>" for tag in self.open),
            *(f"id {name} twice" for name in doubled),
            *(f"control {name} has no name" for name in nameless),
            *([] if self.headings == 1 else [f"{self.headings} h1"]),
        ]


def test_every_page_is_well_formed_and_names_its_controls(pages: dict[str, str]) -> None:
    for address, page in pages.items():
        outline = Outline()
        outline.feed(page)
        assert outline.result() == [], address


def test_every_page_has_a_title_a_main_part_and_a_way_to_skip_to_it(pages: dict[str, str]) -> None:
    for address, page in pages.items():
        assert re.search(r"<title>\S.* · Coursewright</title>", page), address
        assert page.count('<main id="main"') == 1, address
        assert '<a class="skip" href="#main">' in page, address


def test_every_symbol_that_a_page_uses_is_drawn(pages: dict[str, str]) -> None:
    drawn = set(re.findall(r'<symbol id="([^"]+)"', pages["stranger /"]))
    used = {name for page in pages.values() for name in re.findall(r'href="#(i-[a-z]+)"', page)}
    scripts = "".join(path.read_text() for path in (STATIC / "js").glob("*.js"))
    used |= {f"i-{name}" for name in re.findall(r'\["\w*", "(\w+)", "[A-Z]', scripts)}
    assert used <= drawn


def test_no_template_is_left_that_nobody_sees(app: FastAPI, pages: dict[str, str]) -> None:
    loaded = {name for _, name in app.state.site.templates.cache}
    assert loaded - EVERY == set()
    assert EVERY - loaded == set()


def test_every_script_is_started_by_markup_that_exists(pages: dict[str, str]) -> None:
    starter = (STATIC / "js" / "app.js").read_text()
    markup = "".join(pages.values())
    for selector in re.findall(r'"(\[?[^"]+)": "\./', starter):
        word = re.search(r"\[?([a-z][\w-]+)", selector)
        assert word and word.group(1) in markup, selector


def test_every_class_in_the_markup_is_known_to_the_styles(pages: dict[str, str]) -> None:
    styles = "".join(path.read_text() for path in (STATIC / "css").glob("*.css"))
    known = set(re.findall(r"\.([a-z][\w-]*)", styles))
    used = {name for page in pages.values() for names in re.findall(r'class="([^"]*)"', page) for name in names.split()}
    assert used - known == {"language-python"}


def test_the_styles_hold_nothing_that_no_page_uses(pages: dict[str, str]) -> None:
    styles = "".join(path.read_text() for path in (STATIC / "css").glob("*.css"))
    known = set(re.findall(r"\.([a-z][\w-]*)(?=[^{}]*\{)", styles))
    everything = "".join(path.read_text() for path in (ROOT / "templates").rglob("*.html"))
    everything += "".join(path.read_text() for path in (STATIC / "js").glob("*.js"))
    assert {name for name in known if not re.search(rf"\b{re.escape(name)}\b", everything)} == set()
