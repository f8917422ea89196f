"""The quality page: what the checks say, and the sentence that only a person's signature lets through."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

from sqlalchemy import Engine, select

from service.db.engine import session_scope
from service.db.tables import Course, Lesson, Role, SignOff
from service.domain.lesson import Claim, ParagraphBlock
from service.pipeline.quality import signers_of
from tests.web.conftest import Browser
from tests.web.world import CLOSE, PASSWORD, World

Browsers = Callable[..., tuple[Browser, uuid.UUID]]
WRONG = "Where isobars lie close together, the wind is not strong."


def with_claim(engine: Engine, lesson_id: uuid.UUID, claim: Claim) -> None:
    """Put one more sentence into the lesson."""
    with session_scope(engine) as session:
        row = session.get_one(Lesson, lesson_id)
        assert row.text is not None
        block = ParagraphBlock(id="added", claims=(claim,))
        row.text = row.text.model_copy(update={"blocks": (*row.text.blocks, block)})


def state_of(engine: Engine, course: uuid.UUID) -> str | None:
    with session_scope(engine) as session:
        return session.scalar(select(Course.state).where(Course.id == course))


def gate(browser: Browser, course: uuid.UUID) -> str:
    """How the gate stands that no claim is unsupported."""
    [look] = re.findall(
        r'<li class="(\w*)">(?:(?!</li>).)*No claim is unsupported',
        browser.get(f"/courses/{course}/quality").text,
        re.DOTALL,
    )
    return str(look)


def test_the_page_shows_every_check_and_the_sentences_in_question(browser_of: Browsers, world: World) -> None:
    browser, me = browser_of()
    course = world.course(me)
    page = browser.get(f"/courses/{course}/quality").text
    assert "No claim is unsupported" in page
    assert "Objectives are measurable" in page
    assert "Where lines lie close, expect a gale." in page
    assert "Few of its words are in the passage." in page
    assert "/quality/sign-off" not in page  # a weak sentence blocks nothing


def test_a_contradicted_sentence_blocks_publishing_until_it_is_signed_off_by_name(
    browser_of: Browsers, world: World, engine: Engine
) -> None:
    browser, me = browser_of()
    course = world.course(me)
    with_claim(engine, world.lessons[0], Claim(text=WRONG, cites=(CLOSE,)))
    refused = browser.submit(f"/courses/{course}/publish")
    assert refused.status_code == 422
    assert "not supported by what they cite" in refused.text
    assert gate(browser, course) == "bad"
    home = browser.get(f"/courses/{course}").text
    assert "1 sentence keeps the course from being published." in home
    assert "Publish in the catalogue" not in home
    page = browser.get(f"/courses/{course}/quality").text
    assert "The sentence denies what the passage says." in page
    [key] = re.findall(r'name="claim" value="(\w{64})"', page)
    signed = browser.submit(f"/courses/{course}/quality/sign-off", lesson=str(world.lessons[0]), claim=key)
    assert signed.status_code == 303
    assert "signed off by" in browser.get(f"/courses/{course}/quality").text
    assert gate(browser, course) == "ok"
    assert "Publish in the catalogue" in browser.get(f"/courses/{course}").text
    assert browser.submit(f"/courses/{course}/publish").status_code == 303
    assert state_of(engine, course) == "published"
    with session_scope(engine) as session:
        assert session.scalars(select(SignOff.user_id)).all() == [me]


def test_a_signature_is_for_exactly_these_words(browser_of: Browsers, world: World, engine: Engine) -> None:
    browser, me = browser_of()
    course = world.course(me)
    lesson = world.lessons[0]
    with_claim(engine, lesson, Claim(text=WRONG, cites=(CLOSE,)))
    [key] = re.findall(r'name="claim" value="(\w{64})"', browser.get(f"/courses/{course}/quality").text)
    browser.submit(f"/courses/{course}/quality/sign-off", lesson=str(lesson), claim=key)
    with_claim(engine, lesson, Claim(text=WRONG.replace("the wind", "the air"), cites=(CLOSE,)))
    assert browser.submit(f"/courses/{course}/publish").status_code == 422
    gone = browser.submit(f"/courses/{course}/quality/sign-off", lesson=str(lesson), claim="0" * 64)
    assert gone.status_code == 404


def test_a_second_opinion_against_a_sentence_is_told(browser_of: Browsers, world: World, engine: Engine) -> None:
    browser, me = browser_of()
    course = world.course(me)
    with_claim(engine, world.lessons[0], Claim(text=CLOSE.quote, cites=(CLOSE,), state="unsupported"))
    page = browser.get(f"/courses/{course}/quality").text
    assert "The words agree, but the sentence was held for contradicted by its passage" in page


def test_all_sentences_of_a_lesson_are_signed_off_at_once_by_name_and_no_other(
    browser_of: Browsers, world: World, engine: Engine
) -> None:
    browser, me = browser_of()
    course, lesson = world.course(me), world.lessons[0]
    for number in range(3):
        with_claim(engine, lesson, Claim(text=f"Fog number {number} lifts before noon.", state="unsupported"))
    page = browser.get(f"/courses/{course}/quality").text
    assert "No source: nothing proves it but your signature." in page
    assert "Sign off all 3 of lesson 1" in page
    [seen] = re.findall(r'name="seen" value="(\w{64})"', page)
    path, form = f"/courses/{course}/quality/sign-off-lesson", {"lesson": str(lesson), "seen": seen}
    unread = browser.submit(path, **form)
    assert unread.status_code == 422
    assert "Say that you have read the sentences" in unread.text
    with_claim(engine, lesson, Claim(text="Fog number 3 lifts before noon.", state="unsupported"))
    assert browser.submit(path, **form, read="true").status_code == 404
    with session_scope(engine) as session:
        assert not session.scalars(select(SignOff)).all()
    form["seen"] = re.findall(r'name="seen" value="(\w{64})"', browser.get(f"/courses/{course}/quality").text)[0]
    assert browser.submit(path, **form, read="true").status_code == 303
    signed = browser.get(f"/courses/{course}/quality").text
    assert "Sign off all" not in signed
    assert signed.count("signed off by Maren") == 4
    assert re.search(r'id="waiting".*?num">0<', signed), "what is signed waits for nobody"
    assert "<summary>4 sentences signed off</summary>" in signed
    assert browser.submit(f"/courses/{course}/publish").status_code == 303
    with session_scope(engine) as session:
        assert session.scalars(select(SignOff.user_id)).all() == [me] * 4


def test_a_lesson_without_a_source_says_so_and_who_answers_for_it(
    browser_of: Browsers, world: World, engine: Engine
) -> None:
    browser, me = browser_of()
    course, lesson = world.course(me), world.lessons[0]
    claims = tuple(Claim(text=f"Fog number {number} lifts before noon.", state="unsupported") for number in range(2))
    with session_scope(engine) as session:
        row = session.get_one(Lesson, lesson)
        assert row.text is not None
        row.text = row.text.model_copy(update={"blocks": (ParagraphBlock(id="b1", claims=claims),)})
    page = browser.get(f"/courses/{course}/lessons/{lesson}").text
    assert "written without a document" in page
    assert "Nobody has signed for it yet." in page
    assert page.count('aria-label="No source"') == 2
    [seen] = re.findall(r'name="seen" value="(\w{64})"', browser.get(f"/courses/{course}/quality").text)
    browser.submit(f"/courses/{course}/quality/sign-off-lesson", lesson=str(lesson), seen=seen, read="true")
    assert "Maren" in browser.get(f"/courses/{course}/lessons/{lesson}").text.partition("answers for it")[0]


def test_an_edited_sentence_blocks_too(browser_of: Browsers, world: World, engine: Engine) -> None:
    browser, me = browser_of()
    course = world.course(me)
    with_claim(engine, world.lessons[0], Claim(text=CLOSE.quote, cites=(CLOSE,), state="edited"))
    assert browser.submit(f"/courses/{course}/publish").status_code == 422


def test_nobody_else_sees_the_report(browser_of: Browsers, world: World) -> None:
    _, me = browser_of()
    course = world.course(me, "published")
    other, _ = browser_of(email="other@example.org")
    assert other.get(f"/courses/{course}/quality").status_code == 404


def test_a_signature_outlives_the_account_of_whoever_gave_it(
    browser_of: Browsers, world: World, engine: Engine
) -> None:
    """An administrator signed on somebody else's course and leaves: the course stays as publishable as it was."""
    owner, me = browser_of()
    admin, _ = browser_of("admin@example.org", role=Role.ADMIN, name="Ingrid")
    course, lesson = world.course(me), world.lessons[0]
    with_claim(engine, lesson, Claim(text=WRONG, cites=(CLOSE,)))
    [key] = re.findall(r'name="claim" value="(\w{64})"', admin.get(f"/courses/{course}/quality").text)
    admin.submit(f"/courses/{course}/quality/sign-off", lesson=str(lesson), claim=key)
    assert "the name that you had then stays under it" in admin.get("/account").text
    assert admin.submit("/account/remove", leaving=PASSWORD).status_code == 303
    assert "signed off by Ingrid" in owner.get(f"/courses/{course}/quality").text
    assert gate(owner, course) == "ok"
    assert owner.submit(f"/courses/{course}/publish").status_code == 303
    with session_scope(engine) as session:
        assert signers_of(session, session.get_one(Lesson, lesson)) == ["Ingrid"]
        assert session.scalars(select(SignOff.user_id)).all() == [None]
