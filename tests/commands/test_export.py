"""`coursewright export`: a site's course as a folder that passes its checks and is built again, until it is edited."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.__main__ import main
from service.db.engine import session_scope
from service.db.plans import read_plan, write_plan
from service.db.queries import lessons_of
from service.db.tables import Course, CourseState, SignOff, User
from service.domain.course import Brief
from service.domain.lesson import Claim, ParagraphBlock
from service.domain.outline import RenameLesson, apply
from service.pipeline.produce import advance
from service.ports import Services
from service.settings import Settings
from tests.pipeline.test_course import begin, both_lanes, carry, services  # noqa: F401 - a fixture


@pytest.fixture
def installation(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The environment that an operator's shell would hold."""
    for name, value in settings.environ().items():
        monkeypatch.setenv(name, value)
    yield


def exported(name: object, out: Path) -> dict[str, Any]:
    assert main(["export", str(name), "--out", str(out), "--no-video"]) == 0
    return dict(json.loads((out / "course.lock").read_text(encoding="utf-8")))


@pytest.mark.usefixtures("installation")
def test_a_sites_course_is_exported_checked_and_built_again_until_somebody_edits_it(
    services: Services,  # noqa: F811
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    course_id = begin(services, tmp_path)
    with session_scope(services.engine) as session:
        session.get_one(Course, course_id).brief = Brief(title="Bread")
    with both_lanes(services):
        _plan(services, course_id)
        with session_scope(services.engine) as session:
            plan = read_plan(session, course_id)
            renamed = RenameLesson(id=plan.lessons[0].id, title="A starter that lives")
            write_plan(session, session.get_one(Course, course_id), apply(plan, [renamed]))
        carry(services, course_id, film=False)
    one, two, three = tmp_path / "one", tmp_path / "two", tmp_path / "three"
    lock = exported("bread", one)
    assert lock["edited"] == []
    assert lock["reviewed"]["modules"][0]["lessons"][0]["title"] == "A starter that lives"
    assert "--locked" in capsys.readouterr().err
    assert main(["check", str(one)]) == 0
    assert main(["build", "--locked", str(one), "--out", str(two), "--cache", str(tmp_path / "cache")]) == 0
    assert "identical" in capsys.readouterr().err

    with session_scope(services.engine) as session:
        _edit(session.get_one(Course, course_id), session)
    lock = exported(course_id, three)
    assert "is not as extractive made it from this brief and outline" in lock["edited"][0]
    assert lock["signed"][0]["by"] == "A"
    assert "cannot be built again" in capsys.readouterr().err
    assert main(["check", str(three)]) == 0, capsys.readouterr().out
    assert main(["build", "--locked", str(three), "--out", str(tmp_path / "four")]) == 2
    assert "is not as extractive made it" in capsys.readouterr().err

    assert main(["export", "Cakes", "--out", str(tmp_path / "five")]) == 2
    assert "There is no course “Cakes”. The newest are “Bread”" in capsys.readouterr().err
    assert main(["export", str(course_id), "--out", str(tmp_path / "five")]) == 2
    assert "has no video yet" in capsys.readouterr().err
    with session_scope(services.engine) as session:
        owner = session.get_one(Course, course_id).owner_id
        session.add(Course(id=uuid.uuid4(), owner_id=owner, title="Bread", brief=Brief()))
    assert main(["export", "Bread", "--out", str(tmp_path / "five")]) == 2
    assert "2 courses are called “Bread”" in capsys.readouterr().err
    assert not (tmp_path / "five").exists()


def _plan(services: Services, course_id: uuid.UUID) -> None:  # noqa: F811
    """Bring the course to its outline."""
    ends = time.monotonic() + 120
    while time.monotonic() < ends:
        with session_scope(services.engine) as session:
            if session.get_one(Course, course_id).state == CourseState.PLANNED:
                return
            advance(session, course_id)
        time.sleep(0.05)
    raise AssertionError("the outline was not drafted")


def _edit(course: Course, session: Any) -> None:
    """A sentence of somebody's own, signed for by name."""
    lesson = lessons_of(session, course.id)[0]
    assert lesson.text is not None
    claim = Claim(text="Every loaf of the world weighs 900 grams.", state="edited")
    block = ParagraphBlock(id="own", claims=(claim,))
    lesson.text = lesson.text.model_copy(update={"blocks": (*lesson.text.blocks, block)})
    owner = session.get_one(User, course.owner_id)
    session.add(SignOff(lesson_id=lesson.id, claim_sha256=claim.key, user_id=owner.id, signed_by=owner.name))
