"""The whole journey in a real browser: sign up, upload, outline, generate, watch, follow a cite, quiz, come back."""

from __future__ import annotations

import re
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from tests.e2e.running_site import RunningSite, eventually

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
)
TEXT = Path(__file__).with_name("sourdough.md")
SECOND = 1000

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed; on Debian: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    running = RunningSite(tmp_path_factory.mktemp("journey") / f"var-{uuid.uuid4().hex[:8]}", SPEECH="silent:")
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def page(site: RunningSite, browser: Browser) -> Iterator[Page]:
    """A fresh visitor. A request that leaves the site, an error of a script or a broken policy fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    wrong: list[str] = []

    def inside_only(route: Route) -> None:
        if route.request.url.startswith((site.url, "blob:", "data:")):
            route.continue_()
        else:
            wrong.append(f"a request left the site: {route.request.url}")
            route.abort()

    context.route("**/*", inside_only)
    page = context.new_page()
    page.on("pageerror", lambda error: wrong.append(f"a script failed: {error}"))
    page.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
    yield page
    context.close()
    assert not wrong


def until(page: Page, condition: str, seconds: float = 20) -> None:
    """Wait until the expression is true. The page's policy forbids `eval`, so it is asked for from outside."""
    eventually(lambda: page.evaluate(condition), seconds, condition)


def test_from_signing_up_to_coming_back(site: RunningSite, page: Page) -> None:
    sign_up(site, page)
    upload(page)
    change_the_outline(page)
    generate(page)
    watch(page)
    follow_a_cite(page)
    answer_the_quiz(page)
    come_back(page)


def sign_up(site: RunningSite, page: Page) -> None:
    page.goto(f"{site.url}/sign-up")
    page.get_by_label("Name").fill("Ada Teacher")
    page.get_by_label("Email").fill("ada@example.org")
    page.get_by_label("Password").fill("four plain wooden chairs")
    page.get_by_role("button", name="Create the account").click()
    expect(page.get_by_role("heading", name="Courses", exact=True)).to_be_visible()
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
    assert all(cookie["httpOnly"] for name, cookie in cookies.items() if name != "theme")


def upload(page: Page) -> None:
    page.goto(page.url.rstrip("/") + "/courses/new")
    make = page.get_by_role("button", name="Make a course")
    if make.count():
        make.click()
    expect(page).to_have_url(re.compile(r"/courses/[0-9a-f-]{36}/brief"))
    page.locator("#file").set_input_files(TEXT)
    expect(page.get_by_text(re.compile(r"\d+ words"))).to_be_visible(timeout=30 * SECOND)
    page.get_by_label("Title").fill("Bread that rises by itself")
    page.get_by_label("Who is it for?").fill("People who have never baked bread")
    expect(page.locator(".saved")).to_contain_text("Saved", timeout=10 * SECOND)
    page.reload()
    expect(page.get_by_label("Title")).to_have_value("Bread that rises by itself")
    page.get_by_role("button", name="Draft the outline").click()
    expect(page).to_have_url(re.compile(r"/outline$"), timeout=60 * SECOND)


def change_the_outline(page: Page) -> None:
    title = page.get_by_label("Title of lesson 1")
    title.fill("Keeping a starter alive")
    expect(page.locator(".saved")).to_contain_text("Saved", timeout=10 * SECOND)
    page.wait_for_timeout(1000)
    page.reload()
    expect(page.get_by_label("Title of lesson 1")).to_have_value("Keeping a starter alive")


def generate(page: Page) -> None:
    page.get_by_role("button", name="Generate the course").click()
    expect(page).to_have_url(re.compile(r"/generating$"))
    bar = page.locator("progress").first
    expect(bar).to_be_visible()
    seen: list[float] = []
    for _ in range(900):
        if not re.search(r"/generating$", page.url):
            break
        if bar.count():
            seen.append(float(bar.evaluate("element => element.value")))
        if page.get_by_role("link", name="Watch").count():
            break
        page.wait_for_timeout(200)
    assert seen == sorted(seen), "progress never falls"
    assert len(set(seen)) > 2, f"progress moves while the work goes on: {sorted(set(seen))}"


def watch(page: Page) -> None:
    if re.search(r"/generating$", page.url):
        page.get_by_role("link", name="Watch").first.click()
    else:
        page.get_by_role("link", name=re.compile("Keeping a starter alive")).first.click()
    expect(page).to_have_url(re.compile(r"/lessons/"))
    begin = page.get_by_role("button", name="Start")
    if begin.count():
        begin.first.click()
    expect(page.get_by_role("heading", level=1, name="Keeping a starter alive")).to_be_visible()
    until(page, "document.querySelector('video').readyState >= 2")
    assert page.evaluate("document.querySelector('video').duration") > 20
    page.evaluate("document.querySelector('video').muted = true")
    page.locator("[data-do=play]").first.click()
    until(page, "document.querySelector('video').currentTime > 1")
    line = page.locator(".transcript li").nth(4)
    start = float(line.get_attribute("data-start") or 0)
    line.locator("a").first.click()
    until(page, f"Math.abs(document.querySelector('video').currentTime - {start}) < 3")
    assert page.evaluate("document.querySelector('video').textTracks[0].cues.length") > 3
    page.evaluate("document.querySelector('video').pause()")
    page.wait_for_timeout(1000)


def follow_a_cite(page: Page) -> None:
    sentence = page.locator("article .cite").first
    sentence.click()
    marked = page.locator("[data-source] mark")
    expect(marked.first).to_be_visible(timeout=10 * SECOND)
    quoted = "".join(marked.all_inner_texts()).strip()
    assert quoted
    assert quoted.split("\n")[0] in " ".join(TEXT.read_text(encoding="utf-8").split())
    page.keyboard.press("Escape")


def answer_the_quiz(page: Page) -> None:
    page.get_by_role("link", name=re.compile("Check yourself")).click()
    expect(page).to_have_url(re.compile(r"/quiz"))
    form = page.locator("form.item")
    choices, selects = form.locator("input[name=answer]"), form.locator("select")
    if choices.count():
        choices.first.check()
    for index in range(selects.count()):
        selects.nth(index).select_option(index=index + 1)
    if form.locator("textarea").count():
        form.locator("textarea").fill("Because the gas must get out.")
        form.get_by_role("button", name="Compare").click()
        page.get_by_role("button", name="I had it").click()
    else:
        form.get_by_role("button", name="Check").click()
    expect(page.locator("[data-verdict]")).to_be_visible(timeout=10 * SECOND)


def come_back(page: Page) -> None:
    page.goto(re.sub(r"/lessons/.*", "", page.url))
    onward = page.get_by_role("link", name=re.compile(r"Continue at \d+:\d\d"))
    expect(onward).to_be_visible()
    onward.click()
    expect(page).to_have_url(re.compile(r"/lessons/"))
    expect(page.locator("video")).to_be_attached()
    until(page, "document.querySelector('video').readyState >= 1")
    until(page, "document.querySelector('video').currentTime > 1")


@pytest.mark.parametrize("width", [390, 1440])
def test_no_page_is_wider_than_its_window(site: RunningSite, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    for path in ("/", "/sign-in", "/sign-up", "/catalogue", "/nowhere"):
        page.goto(site.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
