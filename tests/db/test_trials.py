"""What a canceled build leaves is cleared by the next invitation of a trial, and nobody else is touched."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from service.__main__ import main
from service.db.invitations import accept, hash_secret, invite, new_secret, open_invitation
from service.db.tables import Course, Invitation, Role, User
from service.domain.course import Brief
from tests.engine.desk import Desk

LEFT = "smoke-c0ffee1-01234567@example.invalid"
NEXT = "smoke-c0ffee2-89abcdef@example.invalid"


@pytest.fixture(autouse=True)
def _environment(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database)


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)


def sign_up(desk: Desk, email: str, minutes_ago: int) -> None:
    """Somebody who accepted an invitation so long ago, and opened a course; the desk works for them from now on."""

    def act(session: Session) -> None:
        secret = new_secret()
        invite(session, email, Role.INSTRUCTOR, hash_secret(secret))
        session.add(user := User(email=email, name="Smoke test", password_hash="!", role=Role.INSTRUCTOR))
        session.flush()
        accept(session, open_invitation(session, secret))
        session.add(course := Course(owner_id=user.id, title="Smoke test", brief=Brief(title="Smoke test")))
        session.flush()
        desk.owner_id, desk.course_id = user.id, course.id
        session.execute(
            text("UPDATE invitations SET accepted_at = now() - make_interval(mins => :ago) WHERE email = :email"),
            {"ago": minutes_ago, "email": email},
        )

    desk.do(act)


def invited(capsys: pytest.CaptureFixture[str], email: str = NEXT, code: int = 0) -> str:
    assert main(["admin", "invite", email, "--trial"]) == code
    captured = capsys.readouterr()
    return captured.err if code else captured.out


def people(engine: Engine) -> set[str]:
    with Session(engine) as session:
        return set(session.scalars(select(User.email)))


def test_an_account_that_a_canceled_build_left_goes_with_its_course(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    sign_up(desk, LEFT, minutes_ago=61)
    assert f"{LEFT}, left by a trial, was removed." in invited(capsys)
    assert people(desk.engine) == {"ada@example.org"}
    with Session(desk.engine) as session:
        assert session.scalars(select(Course.title)).all() == ["Knots"]
        assert session.scalars(select(Invitation.email)).all() == [NEXT]


def test_a_trial_that_may_still_be_at_work_is_left_alone(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    sign_up(desk, LEFT, minutes_ago=59)
    assert "left by a trial" not in invited(capsys)
    assert LEFT in people(desk.engine)


@pytest.mark.parametrize("email", ["smoke-signal@example.org", "eve@example.invalid", "smoke-a.b@example.invalid"])
def test_people_who_came_by_invitation_stay(desk: Desk, email: str, capsys: pytest.CaptureFixture[str]) -> None:
    sign_up(desk, email, minutes_ago=600)
    assert "left by a trial" not in invited(capsys)
    assert email in people(desk.engine)


def test_an_ordinary_invitation_clears_nothing(desk: Desk) -> None:
    sign_up(desk, LEFT, minutes_ago=600)
    assert main(["admin", "invite", "bob@example.org"]) == 0
    assert LEFT in people(desk.engine)


def test_what_waits_for_a_left_course_is_stopped_first(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    sign_up(desk, LEFT, minutes_ago=120)
    desk.enqueue(desk.run())
    assert "was removed" in invited(capsys)
    assert LEFT not in people(desk.engine)


def test_work_at_hand_keeps_the_account_until_a_later_release(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    sign_up(desk, LEFT, minutes_ago=120)
    run_id = desk.run()
    desk.enqueue(run_id)
    desk.claimed()
    assert f"{LEFT}, left by a trial, stays for now: " in invited(capsys)
    assert desk.run_row(run_id).cancel_requested
    assert LEFT in people(desk.engine)


def test_invitations_that_no_smoke_came_to_use_go_too(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.do(lambda session: invite(session, LEFT, Role.INSTRUCTOR, hash_secret("unused")))
    desk.do(lambda session: session.execute(text("UPDATE invitations SET created_at = now() - interval '61 minutes'")))
    invited(capsys)
    with Session(desk.engine) as session:
        assert session.scalars(select(Invitation.email)).all() == [NEXT]


def test_an_address_that_would_not_be_known_again_is_refused(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert "must be like smoke-NAME@example.invalid" in invited(capsys, "ada@example.com", code=2)
    assert people(desk.engine) == {"ada@example.org"}
