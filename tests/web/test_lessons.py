"""A lesson: its video, its text, the proof of each sentence, and the second where the learner was."""

from __future__ import annotations

import html
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from sqlalchemy import Engine, select, update

from service.db.engine import session_scope
from service.db.tables import Enrolment, Lesson, LessonProgress, Media
from service.domain.source import Block, Cite
from service.ports import StorageService
from service.web.evidence import Numbers, around
from tests.web.conftest import Browser
from tests.web.world import BLOCKS, BODY, CLOSE, CODE, FILES, GUST, ISOBAR, SHA, World, cite

Browsers = Callable[..., tuple[Browser, uuid.UUID]]
FRAGMENT = {"Accept": "text/x-fragment"}


@dataclass
class Taught:
    """A published course with three lessons, and the browser of somebody who learns from it."""

    browser: Browser
    learner: uuid.UUID
    course: uuid.UUID
    lessons: list[uuid.UUID]

    @property
    def lesson(self) -> str:
        return f"/courses/{self.course}/lessons/{self.lessons[0]}"

    def watch(self, at: float, lesson: int = 0) -> dict[str, bool]:
        address = f"/courses/{self.course}/lessons/{self.lessons[lesson]}/progress"
        answer = self.browser.submit(address, at=str(at))
        assert answer.status_code == 200
        return dict(answer.json())


@pytest.fixture
def taught(browser_of: Browsers, world: World) -> Taught:
    course = world.course(world.person("owner@example.org"), "published")
    browser, me = browser_of("learner@example.org", name="Tomas Lindqvist", role="learner")
    return Taught(browser, me, course, list(world.lessons))


def test_the_lesson_shows_every_kind_of_block(taught: Taught) -> None:
    page = taught.browser.get(taught.lesson).text
    for text in (
        "<h2>Lines on the map</h2>",
        "<strong>Isobars</strong> join places",
        "<code>x&lt;y</code> and 3&lt;5",
        "<dfn>Isobar</dfn>",
        "gust = 1.5 * mean_wind\nprint(gust)",
        "<samp>30.0</samp>",
        '<th scope="col">Spacing</th>',
        "<footer>A skipper</footer>",
        "<strong>Take care.</strong>",
        "Show a solution",
        'aria-label="Weakly supported"',
        "Estimate wind strength",
    ):
        assert text in page, text


def test_each_sentence_carries_its_cites_and_the_same_span_the_same_number(taught: Taught) -> None:
    page = taught.browser.get(taught.lesson).text
    chips = re.findall(r'<a class="cite" href="([^"]+)"[^>]*>(\d+)</a>', page)
    numbers = {html.unescape(address).split("&n=")[0]: number for address, number in chips}
    assert all(numbers[html.unescape(address).split("&n=")[0]] == number for address, number in chips)
    address = f"/courses/{taught.course}/sources/{SHA}?start={CLOSE.start}&end={CLOSE.end}"
    assert address in numbers
    assert len(set(numbers.values())) == len(numbers)


def test_every_chip_of_the_lesson_leads_to_its_quote(taught: Taught) -> None:
    page = taught.browser.get(taught.lesson).text
    for address in {html.unescape(found) for found in re.findall(r'class="cite" href="([^"]+)"', page)}:
        answer = taught.browser.get(address, headers=FRAGMENT)
        assert answer.status_code == 200
        start, end = (int(re.search(rf"{name}=(\d+)", address).group(1)) for name in ("start", "end"))  # type: ignore[union-attr]
        marked = "".join(html.unescape(part) for part in re.findall(r"<mark>(.*?)</mark>", answer.text, re.DOTALL))
        assert marked == BODY[start:end]


def test_the_player_gets_signed_addresses_captions_chapters_and_a_transcript(taught: Taught) -> None:
    page = taught.browser.get(taught.lesson).text
    video = html.unescape(re.search(r'<video [^>]*src="([^"]+)"', page).group(1))  # type: ignore[union-attr]
    assert video.startswith("/media/films/")
    whole = taught.browser.get(video)
    assert (whole.status_code, whole.headers["content-type"], whole.content) == (200, "video/mp4", FILES[0][1])
    part = taught.browser.get(video, headers={"Range": "bytes=256-511"})
    assert (part.status_code, part.content) == (206, bytes(range(256)))
    captions = taught.browser.get(f"{taught.lesson}/captions.vtt")
    assert captions.headers["content-type"].startswith("text/vtt")
    assert captions.text.startswith("WEBVTT")
    assert re.findall(r'<a href="#t=([\d.]+)" aria-label="Go to', page) == ["0.0", "50.0", "100.0", "134.0"]
    assert "Wind" in page
    assert page.count('<rect class="tick"') == 2


def test_a_film_without_chapters_is_played_whole(taught: Taught, engine: Engine) -> None:
    with session_scope(engine) as session:
        for media in session.scalars(select(Media)):
            media.film = media.film.model_copy(update={"chapters": ()})
    page = taught.browser.get(taught.lesson)
    assert (page.status_code, "<video " in page.text) == (200, True)


def test_a_media_address_is_good_for_one_file_and_one_time(
    taught: Taught, storage: StorageService, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = taught.browser.get(taught.lesson).text
    video = html.unescape(re.search(r'<video [^>]*src="([^"]+)"', page).group(1))  # type: ignore[union-attr]
    other = video.replace("video.mp4", "poster.jpg")
    assert taught.browser.get(other).status_code == 403
    assert taught.browser.get(video.replace("type=video", "type=text")).status_code == 403
    assert taught.browser.get(video.split("?")[0]).status_code == 403
    import time

    now = time.time()
    monkeypatch.setattr("service.adapters.storage.time.time", lambda: now + 2 * 200 + 60)
    assert taught.browser.get(video).status_code == 200, "an address lives twice the video's length"
    monkeypatch.setattr("service.adapters.storage.time.time", lambda: now + 24 * 3600)
    assert taught.browser.get(video).status_code == 403
    fresh = taught.browser.get(f"{taught.lesson}/media", headers={"Accept": "application/json"}).json()
    assert taught.browser.get(fresh["video"]).status_code == 200
    assert taught.browser.get(fresh["poster"]).headers["content-type"] == "image/jpeg"


def test_a_lesson_without_a_video_shows_its_text_and_says_so(taught: Taught, engine: Engine) -> None:
    with session_scope(engine) as session:
        media = session.scalars(select(Media).where(Media.lesson_id == taught.lessons[0])).one()
        session.delete(media)
        session.execute(update(Lesson).where(Lesson.id == taught.lessons[0]).values(state="written"))
    page = taught.browser.get(taught.lesson).text
    assert "The video is not filmed yet" in page
    assert "Lines on the map" in page
    assert "<video" not in page
    assert taught.browser.get(f"{taught.lesson}/media").status_code == 404


def test_the_source_is_a_page_of_its_own_without_a_script(taught: Taught) -> None:
    address = f"/courses/{taught.course}/sources/{SHA}?start={CLOSE.start}&end={CLOSE.end}&n=2"
    page = taught.browser.get(address).text
    assert page.startswith("<!doctype html>")
    assert f"<mark>{CLOSE.quote}</mark>" in page
    fragment = taught.browser.get(address, headers=FRAGMENT).text
    assert fragment.startswith("<header>")
    assert "Source 2" in fragment
    assert "What the chart draws, page 31" in fragment
    assert len(re.findall(r'class="far"', fragment)) == 2, "one paragraph either side"
    whole = taught.browser.get(f"/courses/{taught.course}/sources/{SHA}").text
    assert "Which way it blows" in whole
    assert "<mark>" not in whole


@pytest.mark.parametrize("span", ["start=5&end=5", "start=9&end=3", "start=0&end=999999", "start=x&end=3"])
def test_a_span_that_is_not_in_the_source_is_not_found(taught: Taught, span: str) -> None:
    answer = taught.browser.get(f"/courses/{taught.course}/sources/{SHA}?{span}")
    assert answer.status_code in (404, 422)


def test_a_source_of_another_course_is_not_read(taught: Taught, world: World) -> None:
    assert taught.browser.get(f"/courses/{taught.course}/sources/{'0' * 64}").status_code == 404


@pytest.mark.parametrize("quote", [CLOSE, ISOBAR, CODE, GUST, cite("closed lines.\n\nAn isobar"), cite("Which way it")])
def test_the_marked_words_are_the_quote_wherever_it_stands(quote: Cite) -> None:
    leaf = around(BODY, BLOCKS, quote.start, quote.end)
    assert "\n\n".join(one.marked for one in leaf.paragraphs if one.marked) == quote.quote
    for one in leaf.paragraphs:
        assert one.before + one.marked + one.after in BODY


def test_a_source_without_structure_still_shows_the_line() -> None:
    no_blocks: list[Block] = []
    leaf = around("one\ntwo three\nfour", no_blocks, 8, 13)
    assert [(one.before, one.marked, one.after) for one in leaf.paragraphs] == [("two ", "three", "")]


def test_numbers_follow_reading_order() -> None:
    numbers = Numbers(uuid.UUID(int=1))
    assert [numbers.of(one) for one in (CLOSE, ISOBAR, CLOSE, GUST)] == [1, 2, 1, 3]


def test_starting_a_course_enrols_once_and_opens_the_first_lesson(taught: Taught, engine: Engine) -> None:
    assert "Start</button>" in taught.browser.get(f"/courses/{taught.course}").text
    for _ in range(2):
        answer = taught.browser.submit(f"/courses/{taught.course}/enrol")
        assert answer.headers["location"] == taught.lesson
    with session_scope(engine) as session:
        assert session.scalars(select(Enrolment.user_id)).all() == [taught.learner]


def test_the_course_page_continues_at_the_second(taught: Taught) -> None:
    taught.browser.submit(f"/courses/{taught.course}/enrol")
    assert taught.watch(134.2) == {"finished": False}
    page = taught.browser.get(f"/courses/{taught.course}").text
    assert "Continue at 2:14" in page
    assert 'data-resume="134.2"' in taught.browser.get(taught.lesson).text


def test_a_place_may_go_back_but_the_furthest_second_stays(taught: Taught, engine: Engine) -> None:
    taught.watch(120)
    taught.watch(30)
    with session_scope(engine) as session:
        row = session.scalars(select(LessonProgress)).one()
        assert (row.seconds, row.furthest, row.completed_at) == (30.0, 120.0, None)


def test_nine_tenths_watched_is_finished_and_stays_so(taught: Taught) -> None:
    assert taught.watch(179.9) == {"finished": False}
    assert taught.watch(180.0) == {"finished": True}
    assert taught.watch(5.0) == {"finished": True}
    assert "1 of 3 lessons" in taught.browser.get(f"/courses/{taught.course}").text


def test_a_place_past_the_end_is_the_end_and_watching_starts_over(taught: Taught, engine: Engine) -> None:
    taught.watch(5000)
    with session_scope(engine) as session:
        assert session.scalars(select(LessonProgress.seconds)).one() == 200.0
    assert 'data-resume="0.0"' in taught.browser.get(taught.lesson).text


@pytest.mark.parametrize("at", ["-1", "nan", "inf", "x", ""])
def test_a_place_that_is_no_second_is_refused(taught: Taught, at: str) -> None:
    assert taught.browser.submit(f"{taught.lesson}/progress", at=at).status_code == 422


def test_a_lesson_can_be_marked_as_finished_and_then_the_course_is(taught: Taught, engine: Engine) -> None:
    for lesson in taught.lessons:
        address = f"/courses/{taught.course}/lessons/{lesson}"
        assert "Mark as finished" in taught.browser.get(address).text
        assert taught.browser.submit(f"{address}/finish").headers["location"] == address
    assert "You have finished this course" in taught.browser.get(f"/courses/{taught.course}").text
    with session_scope(engine) as session:
        assert session.scalars(select(Enrolment.completed_at)).one() is not None


def test_finishing_keeps_the_second(taught: Taught, engine: Engine) -> None:
    taught.watch(60)
    taught.browser.submit(f"{taught.lesson}/finish")
    with session_scope(engine) as session:
        assert session.scalars(select(LessonProgress.seconds)).one() == 60.0


def test_after_a_finished_lesson_the_next_one_is_offered(taught: Taught) -> None:
    taught.watch(190)
    page = taught.browser.get(f"/courses/{taught.course}").text
    assert f"/courses/{taught.course}/lessons/{taught.lessons[1]}" in page
    assert "Lesson 2, The Beaufort scale" in page


def test_a_stranger_may_watch_a_published_course_but_keeps_no_place(taught: Taught, stranger: Browser) -> None:
    page = stranger.get(taught.lesson)
    assert page.status_code == 200
    assert "data-progress" not in page.text
    answer = stranger.post(
        f"{taught.lesson}/progress", data={"csrf": stranger.token("/sign-in"), "at": "3"}, headers={"Accept": "*/*"}
    )
    assert answer.status_code == 401
