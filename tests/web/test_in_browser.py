"""What needs a real browser: saving while typing, moving lines, files by choice, live progress, player and evidence."""

from __future__ import annotations

import io
import re
import shutil
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from fractions import Fraction

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, Route, expect, sync_playwright
from sqlalchemy import Engine, select, update

from service.db.engine import session_scope
from service.db.events import say
from service.db.plans import read_plan
from service.db.tables import Course, Lesson, LessonProgress, Run, Session, Source, User
from service.pipeline import runs
from tests.web import world as worlds
from tests.web.world import BODY, CLOSE, ISOBAR, PASSWORD, World

expect.set_options(timeout=20_000)  # on a busy machine a condition takes its time; none is asserted to be quick
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine; install it to test pages in a browser"),
]
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-dev-shm-usage --disable-background-networking --disable-component-update"
    " --disable-sync --no-first-run --autoplay-policy=no-user-gesture-required"
)


def tiny_film(seconds: int) -> bytes:
    """A real video of grey frames and silence-free of surprises: one frame a second, seekable from the start."""
    import av
    import numpy as np

    buffer = io.BytesIO()
    with av.open(buffer, "w", format="webm") as container:
        stream = container.add_stream("libvpx", rate=1)
        stream.width, stream.height, stream.pix_fmt = 64, 36, "yuv420p"
        stream.time_base = Fraction(1, 1)
        for second in range(seconds):
            frame = av.VideoFrame.from_ndarray(np.full((36, 64, 3), second % 255, np.uint8), format="rgb24")
            frame.pts, frame.time_base = second, Fraction(1, 1)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()


@pytest.fixture(scope="module")
def film() -> bytes:
    return tiny_film(200)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS.split())
        yield browser
        browser.close()


@pytest.fixture
def address(app: FastAPI) -> Iterator[str]:
    """The site on a real port; its lifespan is already open."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)
    listener.close()


@pytest.fixture
def me(world: World) -> uuid.UUID:
    return world.person("maren@example.org")


@pytest.fixture
def page(chromium: Chromium, address: str, me: uuid.UUID) -> Iterator[Page]:
    """A signed-in page that reaches nothing but the site, and fails when a script does."""
    context = chromium.new_context(base_url=address, viewport={"width": 1280, "height": 900})
    context.route(re.compile(rf"^(?!{re.escape(address)})"), lambda route: route.abort())
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if "Content Security" in line.text else None)
    sign_in(page, "maren@example.org")
    yield page
    context.close()
    assert faults == []


def sign_in(page: Page, email: str) -> None:
    page.goto("/sign-in")
    page.fill("#email", email)
    page.fill("#password", PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Courses", exact=True)).to_be_visible()


def visit(page: Page, address: str) -> None:
    """Open a page and wait until its scripts listen."""
    page.goto(address)
    expect(page.locator("html")).to_have_attribute("data-ready", "")


def saved(page: Page) -> None:
    expect(page.locator(".saved")).to_have_attribute("data-state", "saved")


def titles(engine: Engine, course: uuid.UUID) -> list[list[str]]:
    with session_scope(engine) as session:
        return [[lesson.title for lesson in module.lessons] for module in read_plan(session, course).modules]


def test_the_brief_is_saved_while_it_is_typed_and_a_file_is_taken(page: Page, engine: Engine) -> None:
    page.get_by_role("button", name="Make a course").click()
    page.get_by_label("Title").fill("Weather for sailors")
    page.get_by_label("Who is it for?").fill("People new to sailing")
    saved(page)
    page.set_input_files("#file", [{"name": "notes.md", "mimeType": "text/markdown", "buffer": b"# Wind\n\nIt blows."}])
    expect(page.locator("#files li[data-source]")).to_contain_text("notes.md")
    expect(page.locator("#why-not")).to_contain_text("being read")
    page.set_input_files("#file", [{"name": "song.mp3", "mimeType": "audio/mpeg", "buffer": b"ID3"}])
    expect(page.locator("#files")).to_contain_text("this kind of file cannot be read")
    with session_scope(engine) as session:
        course = session.scalars(select(Course)).one()
        assert (course.title, course.brief.audience) == ("Weather for sailors", "People new to sailing")
        session.execute(update(Source).values(state="ready", words=1100))
    expect(page.locator("#files")).to_contain_text("1,100 words")
    expect(page.locator("[data-needs-sources]")).not_to_have_attribute("aria-disabled", "true")
    page.get_by_role("button", name="Draft the outline").click()
    page.wait_for_url("**/generating")


def test_a_change_made_elsewhere_is_compared_before_it_is_lost(
    page: Page, world: World, me: uuid.UUID, engine: Engine
) -> None:
    course = world.draft(me, "Theirs at first")
    visit(page, f"/courses/{course}/brief")
    with session_scope(engine) as session:
        row = session.get_one(Course, course)
        row.brief, row.version = row.brief.model_copy(update={"title": "Theirs"}), 2
    page.get_by_label("Title").fill("Mine")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Theirs Mine")
    dialog.get_by_role("button", name="Keep mine").click()
    saved(page)
    with session_scope(engine) as session:
        assert session.get_one(Course, course).title == "Mine"


def test_the_outline_is_edited_by_keys_menu_and_drag(page: Page, world: World, me: uuid.UUID, engine: Engine) -> None:
    course = world.course(me, "planned", made=False)
    visit(page, f"/courses/{course}/outline")
    first = page.get_by_label("Title of lesson 1")
    first.fill("Reading the lines")
    saved(page)
    first.press("Alt+ArrowDown")
    expect(page.get_by_label("Title of lesson 2")).to_have_value("Reading the lines")
    expect(page.get_by_label("Title of lesson 2")).to_be_focused()
    page.get_by_label("Title of lesson 2").press("Alt+ArrowDown")
    expect(page.locator("[data-outline-status]")).to_have_text("Reading the lines: position 1 in Deciding to go")
    assert titles(engine, course) == [["The Beaufort scale"], ["Reading the lines", "Go, wait or change the plan"]]
    above = page.locator("[data-lesson]").nth(1)
    page.locator("[data-lesson] .grip").nth(2).drag_to(above, target_position={"x": 9, "y": 3})
    saved(page)
    expect(page.get_by_label("Title of lesson 2")).to_have_value("Go, wait or change the plan")
    page.get_by_label("More for the lesson The Beaufort scale").click()
    page.get_by_role("button", name="Remove the lesson").click()
    expect(page.get_by_label("Title of lesson 3")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_label("Title of lesson 1")).to_have_value("The Beaufort scale")
    assert titles(engine, course) == [["The Beaufort scale"], ["Go, wait or change the plan", "Reading the lines"]]


def test_progress_arrives_by_itself_and_the_first_lesson_can_be_watched(
    page: Page, world: World, me: uuid.UUID, engine: Engine
) -> None:
    course = world.course(me, "planned", made=False)
    with session_scope(engine) as session:
        run = runs.start_generate(session, session.get_one(Course, course), session.get_one(User, me))
    visit(page, f"/courses/{course}/generating")
    expect(page.locator("[data-live=percent]")).to_have_text("0 %")
    lesson = {"lesson_id": str(world.lessons[0])}
    with session_scope(engine) as session:
        session.execute(update(Run).where(Run.id == run.id).values(percent=37))
        say(session, run.id, "lesson", {"what": "Filming lesson 1", "lesson_state": "filming", "part": 0.5, **lesson})
    expect(page.locator("[data-live=percent]")).to_have_text("37 %")
    expect(page.locator("[data-live=what]")).to_have_text("Filming lesson 1")
    with session_scope(engine) as session:
        session.execute(update(Lesson).where(Lesson.id == world.lessons[0]).values(state="completed"))
        say(session, run.id, "lesson", {"what": "Lesson 1 is ready", "lesson_state": "completed", **lesson})
    expect(page.get_by_role("link", name="Watch Fronts and pressure")).to_be_visible()
    page.reload()
    expect(page.get_by_role("link", name="Watch Fronts and pressure")).to_be_visible()
    with session_scope(engine) as session:
        session.execute(update(Run).where(Run.id == run.id).values(percent=100, state="succeeded"))
        say(session, run.id, "done", {"what": "The course is ready"})
    page.wait_for_url(f"**/courses/{course}")


@pytest.fixture
def lesson(
    page: Page, world: World, me: uuid.UUID, film: bytes, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], None]:
    """Opens the first lesson of a made course, with a film that plays."""
    files = tuple((name, film if name == "video.mp4" else body, kind) for name, body, kind in worlds.FILES)
    monkeypatch.setattr(worlds, "FILES", files)
    course = world.course(me)

    def opened(fragment: str = "") -> None:
        visit(page, f"/courses/{course}/lessons/{world.lessons[0]}{fragment}")
        page.wait_for_function("() => document.querySelector('video').readyState > 0")

    return opened


def second(page: Page) -> float:
    return float(page.evaluate("document.querySelector('video').currentTime"))


def test_the_transcript_seeks_follows_and_shows_the_evidence_of_its_second(
    page: Page, lesson: Callable[[str], None]
) -> None:
    lesson("")
    page.get_by_role("link", name="Go to 1:40").click()
    page.wait_for_function("() => document.querySelector('video').currentTime >= 100")
    line = page.locator(".transcript li[aria-current=true]")
    expect(line).to_contain_text("Close lines mean strong wind.")
    page.keyboard.press("k")
    chip = page.locator("[data-evidence]")
    expect(chip).to_be_visible()
    chip.click()
    panel = page.locator("[data-source]")
    expect(panel.locator("mark")).to_have_text(CLOSE.quote)
    assert panel.locator("mark").text_content() == BODY[CLOSE.start : CLOSE.end]
    expect(panel.locator("h2")).to_be_focused()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()


def test_a_chip_marks_the_sentence_and_its_passage_together(page: Page, lesson: Callable[[str], None]) -> None:
    lesson("")
    chip = page.locator("article .cite").first
    chip.click()
    expect(page.locator("[data-source] mark")).to_be_visible()
    expect(page.locator(".span.on")).to_contain_text("Isobars join places")
    expect(chip).to_have_attribute("aria-expanded", "true")
    page.get_by_role("button", name="Close the source").click()
    expect(chip).to_be_focused()


def test_the_second_is_kept_when_the_page_is_left_and_taken_up_again(
    page: Page, lesson: Callable[[str], None], engine: Engine
) -> None:
    lesson("#t=120")
    page.wait_for_function("() => document.querySelector('video').currentTime >= 119")
    visit(page, "/account")
    for _ in range(50):
        with session_scope(engine) as session:
            kept = session.scalar(select(LessonProgress.seconds))
        if kept:
            break
        time.sleep(0.1)
    assert kept == pytest.approx(120, abs=1.5)
    lesson("")
    page.wait_for_function("() => document.querySelector('video').currentTime >= 119")
    assert second(page) == pytest.approx(120, abs=1.5)


def test_an_expired_address_is_renewed_and_playing_goes_on(page: Page, lesson: Callable[[str], None]) -> None:
    lesson("#t=60")
    page.wait_for_function("() => document.querySelector('video').currentTime >= 59")
    page.evaluate("document.querySelector('video').src = '/media/films/gone?expires=1&sig=x'")
    video = "document.querySelector('video')"
    page.wait_for_function(f"() => {video}.readyState > 0 && !{video}.src.includes('gone')")
    expect(page.locator("[data-fault]")).to_be_hidden()


def test_a_question_is_checked_in_place(page: Page, lesson: Callable[[str], None]) -> None:
    lesson("")
    page.get_by_role("link", name="Check yourself, 7 questions").click()
    expect(page.locator("html")).to_have_attribute("data-ready", "")
    page.get_by_text("The one with isobars farther apart").click()
    page.get_by_role("button", name="Check").click()
    expect(page.locator("[data-verdict]")).to_be_focused()
    expect(page.locator("[data-verdict]")).to_contain_text("Not this time.")
    expect(page.get_by_text("Closer lines mean more wind.")).to_be_visible()
    page.reload()
    expect(page.locator("[data-verdict]")).to_contain_text("Not this time.")
    page.get_by_role("link", name="Next question").click()
    expect(page.get_by_text("An isobar joins places")).to_be_visible()


def test_what_was_typed_outlives_a_sign_in_that_has_ended(
    page: Page, world: World, me: uuid.UUID, engine: Engine
) -> None:
    course = world.course(me)
    form = f"/courses/{course}/lessons/{world.lessons[0]}/change"
    visit(page, form)
    page.locator("#wish").fill("shorter, and about the harbour")
    with session_scope(engine) as session:
        session.execute(update(Session).values(revoked_at=datetime.now(UTC)))
    page.get_by_role("button", name="Propose a change").click()
    expect(page.get_by_text("Your sign-in has ended")).to_be_visible()
    page.fill("#email", "maren@example.org")
    page.fill("#password", PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile(f"{form}$"))
    expect(page.locator("#wish")).to_have_value("shorter, and about the harbour")
    page.get_by_role("button", name="Propose a change").click()
    page.wait_for_url("**/changes/*")
    visit(page, form)
    expect(page.locator("#wish")).to_have_value("")


def test_what_somebody_typed_is_not_there_for_the_next_person_at_the_same_browser(
    page: Page, world: World, me: uuid.UUID, engine: Engine
) -> None:
    world.person("other@example.org", role="admin")
    course = world.course(me, "published")
    wish, form = page.locator("#wish"), f"/courses/{course}/lessons/{world.lessons[0]}/change"
    visit(page, form)
    wish.fill("shorter, and about the harbour")
    with session_scope(engine) as session:  # an end that nobody asked for: it waits for its writer
        session.execute(update(Session).values(revoked_at=datetime.now(UTC)))
    sign_in(page, "other@example.org")
    visit(page, form)
    expect(wish).to_have_value("")
    assert "harbour" not in page.evaluate("JSON.stringify(sessionStorage)")
    wish.fill("longer")
    visit(page, form)
    expect(wish).to_have_value("longer")
    visit(page, "/account")
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()
    assert page.evaluate("[...Object.keys(sessionStorage), ...Object.keys(localStorage)]") == []


def test_a_completed_lesson_that_is_renamed_is_to_be_made_again_at_once(
    page: Page, world: World, me: uuid.UUID
) -> None:
    visit(page, f"/courses/{world.course(me)}/outline")
    expect(page.get_by_text("Every lesson is made")).to_be_visible()
    expect(page.locator(".src").get_by_text("Completed")).to_have_count(3)
    page.get_by_label("Title of lesson 1").fill("Wind")
    expect(page.get_by_role("button", name="Generate the course")).to_be_visible()
    expect(page.locator(".src").get_by_text("Completed")).to_have_count(2)
    expect(page.get_by_label("Title of lesson 1")).to_be_focused()


def test_a_button_that_is_pressed_twice_sends_once(page: Page) -> None:
    visit(page, "/")
    sent: list[str] = []

    def answer(route: Route) -> None:
        sent.append(route.request.url)
        route.fulfill(status=204)  # the page stays, as it does while an answer is waited for

    page.route("**/courses/new", answer)
    button = page.get_by_role("button", name="Make a course")
    button.click()
    expect(button).to_have_attribute("aria-busy", "true")
    button.click()
    page.evaluate("fetch('/healthz')")
    assert len(sent) == 1


LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverordnung"


@pytest.mark.parametrize("width", [320, 390, 768, 1024, 1440])
def test_no_page_is_wider_than_its_window(
    page: Page, width: int, world: World, me: uuid.UUID, lesson: Callable[[str], None], engine: Engine
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    planned = world.course(me, "planned", title=f"A title with {LONG} in it", made=False)
    draft = world.draft(me)
    world.source(draft, "a-file-with-a-name-that-has-no-place-to-break-" * 3 + ".pdf")
    course = world.course(me)
    with session_scope(engine) as session:
        session.execute(update(Lesson).values(title=LONG * 2))
    home = f"/courses/{course}/lessons/{world.lessons[0]}"
    for address in (
        "/", "/catalogue", "/account", f"/courses/{planned}/outline", f"/courses/{draft}/brief", f"/courses/{course}",
        f"/courses/{course}/ask", home, f"{home}/quiz", f"{home}/quiz?q=5",
    ):  # fmt: skip
        visit(page, address)
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, (address, width)


def test_without_javascript_a_lesson_can_be_read_and_its_sources_opened(
    chromium: Chromium, address: str, world: World, me: uuid.UUID
) -> None:
    course = world.course(me, "published")
    context = chromium.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"/courses/{course}/lessons/{world.lessons[0]}")
    expect(page.locator("video")).to_have_attribute("controls", "")
    expect(page.get_by_text("Close lines mean strong wind.")).to_be_visible()
    page.locator("article .cite").first.click()
    expect(page.locator("mark")).to_be_visible()
    context.close()


def test_a_page_that_somebody_works_at_says_so_and_an_abandoned_one_is_silent(
    page: Page, world: World, me: uuid.UUID
) -> None:
    course = world.course(me, "planned")
    page.clock.install()
    page.goto(f"/courses/{course}/outline")
    page.wait_for_selector("html[data-ready]")
    with page.expect_response("**/editing") as said:
        page.clock.fast_forward(31_000)
    assert said.value.status == 204
    calls: list[str] = []
    page.on("request", lambda request: calls.append(request.url))
    page.clock.fast_forward(400_000)
    page.evaluate("fetch('/healthz')")
    assert [url.rpartition("/")[2] for url in calls] == ["healthz"]
    page.keyboard.press("Tab")
    with page.expect_response("**/editing"):
        page.clock.fast_forward(31_000)


def ask(page: Page, question: str) -> None:
    page.get_by_label("Your question").fill(question)
    page.get_by_label("Your question").press("Enter")


def test_a_question_is_answered_in_place_and_its_source_opens_beside_it(
    page: Page, world: World, me: uuid.UUID
) -> None:
    course = world.course(me)
    here = f"/courses/{course}/lessons/{world.lessons[0]}"
    visit(page, here)
    ask(page, "What is an isobar?")
    expect(page.locator("[data-ask-status]")).to_have_text("The course answers. The answer is below the form.")
    expect(page.locator(".answer")).to_contain_text(ISOBAR.quote)
    expect(page.get_by_label("Your question")).to_be_focused()
    assert page.url.endswith(here)
    page.locator(".answer .cite").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-source] mark")).to_have_text(ISOBAR.quote)
    expect(page.locator(".answer .span.on")).to_contain_text(ISOBAR.quote)
    page.keyboard.press("Escape")
    expect(page.locator(".answer .cite").first).to_be_focused()
    ask(page, "Which boat should I buy?")
    expect(page.locator("[data-ask-status]")).to_have_text("This course does not cover that.")
    expect(page.locator(".answer")).to_have_count(0)


def test_the_second_where_an_answer_is_taught_is_a_link_that_plays_from_there(
    page: Page, lesson: Callable[[str], None]
) -> None:
    lesson("")
    ask(page, "What is an isobar?")
    page.get_by_role("link", name="lesson 1 at 0:50").click()
    page.wait_for_function("() => document.querySelector('video').currentTime >= 50")
    expect(page.locator(".answer")).to_be_visible()


def test_an_answer_on_the_courses_page_opens_its_source_there(page: Page, world: World, me: uuid.UUID) -> None:
    visit(page, f"/courses/{world.course(me)}")
    ask(page, "What is an isobar?")
    page.locator(".answer .cite").first.click()
    expect(page.locator("[data-source] mark")).to_have_text(ISOBAR.quote)


def test_without_javascript_the_answer_is_a_page_of_its_own(
    chromium: Chromium, address: str, world: World, me: uuid.UUID
) -> None:
    course = world.course(me, "published")
    context = chromium.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"/courses/{course}")
    ask(page, "What is an isobar?")
    expect(page.locator(".answer")).to_contain_text(ISOBAR.quote)
    assert page.url.endswith(f"/courses/{course}/ask")
    page.locator(".answer .cite").first.click()
    expect(page.locator("mark")).to_have_text(ISOBAR.quote)
    context.close()
