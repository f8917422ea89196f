"""Each role may do what its row says and nothing else, and the site and the lanes can work with just that.

The server stands in for Cloud SQL: who migrates is no superuser and may not make roles himself, he is only a member of
a role that may. Everybody signs in as himself.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import product
from pathlib import Path

import pytest
from sqlalchemy import Engine, NullPool, create_engine, exc, func, make_url, select, text, update
from starlette.testclient import TestClient

from renderer_job.work import Studio, film_lesson
from service.adapters.doorbell import open_doorbell
from service.adapters.embedded_postgres import EmbeddedPostgres
from service.adapters.launcher import open_launcher
from service.adapters.mail import open_mailer
from service.adapters.speech import open_speech
from service.adapters.stills import SlideStills
from service.adapters.vectors import open_vectors
from service.authors import open_author
from service.commands import migrate as command
from service.db import jobs, launches, money, pruning, steps, tallies
from service.db.breaker import Breaker
from service.db.engine import session_scope
from service.db.faults import code
from service.db.invitations import hash_secret, invite
from service.db.lane import run_lane
from service.db.migrate import upgrade
from service.db.queries import lessons_of, sources_of
from service.db.roles import PRIVILEGES, ROLES, VERBS, grant_roles, role_name
from service.db.steps import Finished
from service.db.tables import (
    Base,
    Course,
    CourseState,
    Invitation,
    Job,
    Revision,
    RevisionState,
    Role,
    Run,
    SignOff,
    Source,
    User,
)
from service.domain.course import Brief
from service.domain.money import Spending
from service.errors import BadInput, Unavailable
from service.pipeline.handlers import HANDLERS
from service.pipeline.produce import advance, create_course
from service.pipeline.versions import add_version
from service.ports import Services, StorageService
from service.settings import Settings
from service.web.app import create_app
from tests.engine.desk import AT_ONCE, Desk
from tests.web.conftest import Browser

DENIED = "42501"
MEMBERS = {role: f"coursewright-{role}@courses.iam" for role in ROLES}
OWNER = "coursewright-migrate@courses.iam"
TEXT = (Path(__file__).parents[1] / "e2e" / "sourdough.md").read_text(encoding="utf-8")

SignIn = Callable[[str], Engine]


@pytest.fixture(scope="module")
def sign_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignIn]:
    """An engine for a user of the server that stands in for Cloud SQL; the schema and the roles are there."""
    with EmbeddedPostgres(tmp_path_factory.mktemp("roles") / "postgres", durable=False) as server:
        users = ", ".join(f'"{name}"' for name in MEMBERS.values())
        root = create_engine(server.url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with root.connect() as connection:
            connection.execute(text("CREATE ROLE cloudsqlsuperuser NOLOGIN CREATEROLE CREATEDB"))
            connection.execute(text(f'CREATE ROLE "{OWNER}" LOGIN IN ROLE cloudsqlsuperuser'))
            for user in users.split(", "):
                connection.execute(text(f"CREATE ROLE {user} LOGIN"))
            connection.execute(text("CREATE DATABASE courses OWNER cloudsqlsuperuser"))
        engines: dict[str, Engine] = {}

        def engine_of(user: str) -> Engine:
            url = make_url(server.url).set(username=user, database="courses")
            return engines.setdefault(user, create_engine(url, pool_size=4))

        upgrade(engine_of(OWNER))
        grant_roles(engine_of(OWNER), MEMBERS)
        grant_roles(engine_of(OWNER), MEMBERS)  # every deployment does it again
        yield engine_of
        for engine in engines.values():
            engine.dispose()


@pytest.fixture
def owner(sign_in: SignIn) -> Iterator[Engine]:
    yield sign_in(OWNER)
    names = ", ".join(table.name for table in Base.metadata.sorted_tables)
    with sign_in(OWNER).begin() as connection:
        connection.execute(text(f"TRUNCATE {names}"))


TABLES = text("""
    SELECT relname FROM pg_class
    WHERE relkind IN ('r', 'p', 'v', 'm') AND relnamespace = CAST('public' AS regnamespace) ORDER BY relname
""")


def tables_of(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(TABLES))


def test_every_table_has_its_row(sign_in: SignIn) -> None:
    assert tables_of(sign_in(OWNER)) == sorted(PRIVILEGES)
    assert {letter for row in PRIVILEGES.values() for letters in row for letter in letters} == set(VERBS)


ATTEMPTS = {
    "SELECT": "SELECT * FROM {table} LIMIT 0",
    "INSERT": "INSERT INTO {table} SELECT * FROM {table} WHERE false",
    "UPDATE": "UPDATE {table} SET {column} = {column} WHERE false",
    "DELETE": "DELETE FROM {table} WHERE false",
    "TRUNCATE": "TRUNCATE {table}",
    "ALTER": "ALTER TABLE {table} ADD COLUMN intruder integer",
    "DROP": "DROP TABLE {table} CASCADE",
}
# Copying from itself reads too; where reading is denied, the right to insert is asked of the catalogue instead.
ASKED = text("SELECT has_table_privilege(current_user, :table, :verb)")


def refusal(engine: Engine, statement: str) -> str | None:
    """The code with which the statement is refused; None when it is not. Nothing of it stays."""
    with engine.connect() as connection, connection.begin() as undone:
        try:
            connection.execute(text(statement))
        except exc.DBAPIError as error:
            return code(error)
        finally:
            undone.rollback()
    return None


@pytest.mark.parametrize("role", ROLES)
def test_every_verb_on_every_table_is_as_its_row_says(sign_in: SignIn, role: str) -> None:
    engine = sign_in(MEMBERS[role])
    wrong = []
    for table, verb in product(tables_of(sign_in(OWNER)), ATTEMPTS):
        letters = PRIVILEGES[table][ROLES.index(role)]
        allowed = verb in {VERBS[letter] for letter in letters}
        with sign_in(OWNER).connect() as connection:
            column = connection.scalar(
                text("SELECT attname FROM pg_attribute WHERE attrelid = CAST(:t AS regclass) AND attnum > 0 LIMIT 1"),
                {"t": table},
            )
        if verb == "INSERT" and "S" not in letters:
            with engine.connect() as connection:
                denied = None if connection.scalar(ASKED, {"table": table, "verb": verb}) else DENIED
        else:
            denied = refusal(engine, ATTEMPTS[verb].format(table=table, column=column))
        if denied != (None if allowed else DENIED):
            wrong.append(f"{role} {verb} {table}: {denied}")
    assert not wrong


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE intruder (id integer)",
        "CREATE ROLE intruder",
        "SET ROLE cloudsqlsuperuser",
        f'SET ROLE "{OWNER}"',
        "GRANT coursewright_site TO coursewright_render",
        "INSERT INTO invitations (id, secret_hash, email) VALUES (gen_random_uuid(), 'x', 'intruder@example.org')",
        "COPY users TO PROGRAM 'cat'",
        "SELECT pg_read_file('PG_VERSION')",
    ],
)
def test_nobody_climbs(sign_in: SignIn, role: str, statement: str) -> None:
    assert refusal(sign_in(MEMBERS[role]), statement) == DENIED


@pytest.mark.parametrize("role", ["author", "render"])
@pytest.mark.parametrize("column", ["password_hash", "email", "name"])
def test_the_lanes_see_nothing_of_people(sign_in: SignIn, role: str, column: str) -> None:
    assert refusal(sign_in(MEMBERS[role]), f"SELECT {column} FROM users") == DENIED
    assert refusal(sign_in(MEMBERS[role]), "SELECT sid_hash FROM sessions") == DENIED


@pytest.mark.parametrize("role", ROLES)
def test_nobody_unsays_what_was_spent(sign_in: SignIn, role: str) -> None:
    for statement in ("UPDATE ledger SET micro_dollars = 0", "DELETE FROM ledger", "TRUNCATE ledger"):
        assert refusal(sign_in(MEMBERS[role]), statement) == DENIED


def test_a_right_that_is_no_longer_in_the_table_is_taken_back(sign_in: SignIn) -> None:
    with sign_in(OWNER).begin() as connection:
        connection.execute(text(f"GRANT SELECT ON users TO {role_name('render')}, PUBLIC"))
    assert refusal(sign_in(MEMBERS["render"]), "SELECT * FROM users") is None
    grant_roles(sign_in(OWNER), MEMBERS)
    assert refusal(sign_in(MEMBERS["render"]), "SELECT * FROM users") == DENIED


def test_a_stranger_who_may_sign_in_may_nothing(sign_in: SignIn) -> None:
    with sign_in(OWNER).begin() as connection:
        connection.execute(text("SET LOCAL ROLE cloudsqlsuperuser"))
        connection.execute(text("CREATE ROLE stranger LOGIN"))
    for table in PRIVILEGES:
        assert refusal(sign_in("stranger"), f"SELECT * FROM {table}") == DENIED


@pytest.mark.parametrize(
    ("members", "said"), [({"sight": "x"}, "sight is no role"), ({"site": "nobody@x"}, "no user nobody@x")]
)
def test_a_wrong_member_is_named(sign_in: SignIn, members: dict[str, str], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        grant_roles(sign_in(OWNER), members)


def test_who_does_not_own_the_tables_is_refused_instead_of_granting_nothing(sign_in: SignIn) -> None:
    with pytest.raises(BadInput, match="belongs to another user"):
        grant_roles(sign_in(MEMBERS["site"]), MEMBERS)


def test_who_may_not_make_roles_is_told_what_it_takes(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "postgres", durable=False) as server:
        root = create_engine(server.url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with root.connect() as connection:
            connection.execute(text("CREATE ROLE plain LOGIN"))
            connection.execute(text("CREATE DATABASE plains OWNER plain"))
        plain = create_engine(make_url(server.url).set(username="plain", database="plains"), poolclass=NullPool)
        upgrade(plain)
        with pytest.raises(BadInput, match=r"CREATEROLE.*cloudsqlsuperuser"):
            grant_roles(plain, {})


def test_the_command_migrates_and_grants(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = sign_in(OWNER).url.render_as_string(hide_password=False)
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("DATABASE_ROLE_MEMBERS", ";".join(f"{role}={user}" for role, user in MEMBERS.items()))
    with sign_in(OWNER).begin() as connection:
        connection.execute(text(f"REVOKE ALL ON jobs FROM {role_name('author')}"))
    assert command.main([]) == 0
    assert "Granted: site, author, render." in capsys.readouterr().out
    assert refusal(sign_in(MEMBERS["author"]), "SELECT * FROM jobs") is None


@pytest.fixture
def services(sign_in: SignIn, settings: Settings, storage: StorageService) -> Callable[[str], Services]:
    """What a part of the product works with, signed in to the database as that part."""

    def of(role: str) -> Services:
        return Services(
            settings=settings,
            engine=sign_in(MEMBERS[role]),
            storage=storage,
            doorbell=open_doorbell(settings),
            launcher=open_launcher(settings),
            author=open_author("offline"),
            vectors=open_vectors("memory:"),
            embedder=None,
            speech=open_speech("silent:", openai_api_key="", openai_base_url="", cache_dir=None),
            stills=SlideStills(),
            mailer=open_mailer(settings),
        )

    return of


def test_a_course_is_made_by_three_who_may_no_more_than_they_need(
    owner: Engine, services: Callable[[str], Services], tmp_path: Path
) -> None:
    site, author, render = (services(role) for role in ROLES)
    (tmp_path / "sourdough.md").write_text(TEXT, encoding="utf-8")
    with session_scope(site.engine) as session:
        person = User(id=uuid.uuid4(), email="a@example.org", name="A", role=Role.INSTRUCTOR, password_hash="!")
        session.add(person)
        session.flush()
        course_id = create_course(session, site.storage, person, Brief(), [tmp_path / "sourdough.md"]).id
    studio = Studio(render.storage, render.speech, tmp_path / "scratch")
    lanes = (
        (author.engine, "author", {kind: partial(handler, author) for kind, handler in HANDLERS.items()}),
        (render.engine, "render", {"film": partial(film_lesson, studio)}),
    )
    stop = threading.Event()
    threads = [
        threading.Thread(target=run_lane, args=lane, kwargs={"settings": site.settings, "stop": stop}) for lane in lanes
    ]
    for thread in threads:
        thread.start()
    try:
        for _ in range(1200):
            with session_scope(site.engine) as session:
                if advance(session, course_id, film=True) is None:
                    break
            stop.wait(0.1)
        for newer in (TEXT + "\n## More\n\nNothing cites this.\n", TEXT.replace("230 degrees", "240 degrees")):
            replace_the_source(site, course_id, tmp_path / "newer.md", newer, stop)
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    with session_scope(owner) as session:
        failed = session.scalars(select(Job.error).where(Job.error != "")).all()
        assert (session.get_one(Course, course_id).state, failed) == (CourseState.READY, [])
        assert session.scalars(select(Revision.state)).all() == [RevisionState.PROPOSED]
        assert session.scalar(select(func.count()).select_from(Source)) == 2  # the first of three is cited by nothing


def replace_the_source(site: Services, course_id: uuid.UUID, path: Path, text: str, stop: threading.Event) -> None:
    """Give a newer version of the one source, after somebody signed each sentence, and wait until it is compared."""
    path.write_text(text, encoding="utf-8")
    with session_scope(site.engine) as session:
        course = session.get_one(Course, course_id)
        for lesson in lessons_of(session, course_id):
            keys = {claim.key for claim in lesson.text.claims()} if lesson.text else set()
            for key in keys:
                session.merge(SignOff(lesson_id=lesson.id, claim_sha256=key, user_id=course.owner_id))
        [old] = sources_of(session, course_id)
        new = add_version(session, site.storage, course, old.id, path.name, path).id
    for _ in range(600):
        with session_scope(site.engine) as session:
            if session.scalar(select(Run.state).where(Run.idem_key == f"repair:{new}")) in jobs.ENDED:
                return
        stop.wait(0.1)
    raise AssertionError("the newer version was not compared within a minute")


@pytest.mark.parametrize("role", ["author", "render"])
def test_a_lanes_whole_trade_works_under_its_role(owner: Engine, sign_in: SignIn, role: str) -> None:
    desk = Desk(owner)
    desk.engine = sign_in(MEMBERS[role])
    run_id = Desk.run(desk) if role == "author" else desk_of(owner, desk).run()
    for _ in range(4):
        desk_of(owner, desk).enqueue(run_id, lane=role, kind=uuid.uuid4().hex)
    finished, failed, handed_back, aside = (desk.claimed(lane=role) for _ in range(4))
    step = Finished(name="speak", in_key="a", out="{}", spent=(Spending("voice", 3, "characters", 7),))
    for again in (step, replace(step, in_key="b")):
        desk.do(lambda session, again=again: steps.checkpoint(session, finished, again, 60, {"what": "Speaking"}))
    assert desk.do(lambda session: steps.saved(session, finished, "speak", "b"))
    desk.do(lambda session: launches.arrived(session, role))  # type: ignore[arg-type]
    breaker = Breaker(desk.engine, "voices")
    with pytest.raises(Unavailable):
        breaker.call(refuse)
    assert breaker.call(lambda: "spoken") == "spoken"
    desk.do(lambda session: tallies.count_one(session, "odd messages"))
    desk.do(lambda session: jobs.renew(session, finished, 60))
    desk.do(lambda session: jobs.advance(session, finished, 1))
    desk.do(lambda session: jobs.finish(session, finished))
    desk.do(lambda session: jobs.fail(session, failed, "Try again.", retryable=True, backoff=AT_ONCE))
    desk.do(lambda session: jobs.release(session, handed_back))
    desk.do(lambda session: jobs.set_aside(session, aside, "The cap is reached."))
    desk.do(jobs.reap)


def refuse() -> str:
    raise Unavailable("The provider rests. Try again.")


def desk_of(owner: Engine, desk: Desk) -> Desk:
    """The same course, with the rights of the tables' owner."""
    other = Desk.__new__(Desk)
    other.engine, other.owner_id, other.course_id, other.module_id = (
        owner,
        desk.owner_id,
        desk.course_id,
        desk.module_id,
    )
    return other


def test_the_sites_part_in_the_engine_works_under_its_role(owner: Engine, sign_in: SignIn) -> None:
    desk = Desk(owner)
    desk.engine = sign_in(MEMBERS["site"])
    run_id = desk.run()
    job_id = desk.enqueue(run_id)
    desk.do(lambda session: jobs.pause(session, run_id, "Somebody looks."))
    desk.do(lambda session: jobs.resume(session, run_id))
    desk.do(lambda session: money.stop_spending(session, "A test.", datetime.now(UTC) + timedelta(hours=1)))
    assert desk.do(money.allow_spending)
    dead = update(Job).where(Job.id == job_id).values(state="dead", error="It broke.", attempt=3)
    desk_of(owner, desk).do(lambda session: session.execute(dead))
    desk.do(lambda session: jobs.redrive(session, job_id))
    desk.do(lambda session: jobs.request_cancel(session, run_id))
    desk.do(money.reconcile)
    desk.do(pruning.prune)
    with session_scope(owner) as session:
        assert session.get_one(Job, job_id).run_id == run_id


def test_the_sites_pages_work_under_its_role(
    owner: Engine, services: Callable[[str], Services], settings: Settings
) -> None:
    app = create_app(settings, lambda _: nullcontext(services("site")))
    with TestClient(app):
        browser = Browser(app)
        assert browser.get("/readyz").status_code == 200
        with session_scope(owner) as session:
            invite(session, "ada@example.org", Role.ADMIN, hash_secret("a link"))
        who = {
            "invitation": "a link",
            "name": "Ada",
            "email": "ada@example.org",
            "password": "a lighthouse in thick fog",
        }
        assert browser.submit("/sign-up", "/sign-up", **who).status_code == 303
        assert browser.submit("/account/name", name="Ada L.").status_code == 303
        made = browser.submit("/courses/new", "/courses/new", title="Knots")
        assert made.status_code == 303, made.text
        course = made.headers["location"].removesuffix("/brief").removesuffix("/sources")
        assert browser.get(made.headers["location"]).status_code == 200
        note = {"file": ("knots.md", TEXT.encode(), "text/markdown")}
        sent = browser.post(f"{course}/sources", data={"csrf": browser.token()}, files=note)
        assert sent.status_code < 400, sent.text
        for page in ("/", "/catalogue", "/account", course, f"{course}/outline"):
            assert browser.get(page).status_code < 400, page
        assert browser.submit(f"{course}/remove").status_code == 303
        assert browser.submit("/sign-out").status_code == 303
        with session_scope(owner) as session:
            assert session.execute(select(User.name, User.role)).all() == [("Ada L.", "admin")]
        assert browser.submit("/sign-in", "/sign-in", **who).status_code == 303
        assert browser.submit("/account/remove", leaving=who["password"]).status_code == 303
    with session_scope(owner) as session:
        assert session.scalars(select(User.name)).all() == session.scalars(select(Invitation.id)).all() == []
