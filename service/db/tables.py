"""Every table. Documents are Pydantic models in JSONB, states are text with a CHECK, keys are UUIDs, time is UTC."""

from __future__ import annotations

import enum
import uuid
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy import (
    ARRAY,
    REAL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from service.domain.course import Brief, CoursePlan, LessonPlan
from service.domain.lesson import Lesson as LessonText
from service.domain.quiz import QuizItem as QuizItemDocument
from service.domain.quote import Quote
from service.domain.revision import Change, LessonDocuments
from service.domain.storyboard import Film, Storyboard

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)


class PydanticJSON(TypeDecorator[Any]):
    """A column that holds one kind of document: the model on this side, JSONB on the other."""

    impl = JSONB
    cache_ok = True

    def __init__(self, model: type[BaseModel]) -> None:
        super().__init__()
        self.model = model

    def process_bind_param(self, value: BaseModel | None, dialect: Dialect) -> Any:  # noqa: ARG002
        return None if value is None else value.model_dump(mode="json")

    def process_result_value(self, value: Any, dialect: Dialect) -> BaseModel | None:  # noqa: ARG002
        return None if value is None else self.model.model_validate(value)


class Role(enum.StrEnum):
    LEARNER = "learner"
    INSTRUCTOR = "instructor"
    ADMIN = "admin"


class CourseState(enum.StrEnum):
    DRAFT = "draft"
    PLANNING = "planning"
    PLANNED = "planned"
    GENERATING = "generating"
    READY = "ready"
    PUBLISHED = "published"


class LessonState(enum.StrEnum):
    PLANNED = "planned"
    QUEUED = "queued"
    WRITING = "writing"
    WRITTEN = "written"
    FILMING = "filming"
    COMPLETED = "completed"
    FAILED = "failed"


class SourceState(enum.StrEnum):
    UPLOADED = "uploaded"
    READING = "reading"
    READY = "ready"
    REFUSED = "refused"


class RunKind(enum.StrEnum):
    INGEST = "ingest"
    PLAN = "plan"
    GENERATE = "generate"
    REVISE = "revise"
    REPAIR = "repair"


class RunState(enum.StrEnum):
    ACCEPTED = "accepted"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


class RevisionCause(enum.StrEnum):
    ASKED = "asked"
    SOURCE = "source"
    GENERATED = "generated"
    RESTORED = "restored"


class RevisionState(enum.StrEnum):
    MAKING = "making"
    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    OUTDATED = "outdated"
    FAILED = "failed"


class JobState(enum.StrEnum):
    BLOCKED = "blocked"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    DEAD = "dead"
    CANCELED = "canceled"


def one_of(column: str, states: type[enum.StrEnum]) -> CheckConstraint:
    """The CHECK that keeps a text column to an enumeration."""
    values = ", ".join(f"'{state.value}'" for state in states)
    return CheckConstraint(f"{column} IN ({values})", name=f"{column}_known")


def key() -> Mapped[uuid.UUID]:
    return mapped_column(UUID(as_uuid=True), primary_key=True, default=uuid.uuid4)


def refers(target: str, *, index: bool = True, cascade: bool = True) -> Any:
    return mapped_column(UUID(as_uuid=True), ForeignKey(target, ondelete="CASCADE" if cascade else None), index=index)


def now() -> Mapped[datetime]:
    return mapped_column(DateTime(timezone=True), server_default=func.now())


def instant() -> Mapped[datetime | None]:
    return mapped_column(DateTime(timezone=True))


class User(Base):
    __tablename__ = "users"
    __table_args__ = (one_of("role", Role), CheckConstraint("email = lower(email)", name="email_lower"))

    id: Mapped[uuid.UUID] = key()
    email: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text, default=Role.INSTRUCTOR)
    created_at: Mapped[datetime] = now()
    disabled_at: Mapped[datetime | None] = instant()


class Session(Base):
    """A signed-in browser: the cookie carries a random id, this row can revoke it."""

    __tablename__ = "sessions"

    id: Mapped[uuid.UUID] = key()
    sid_hash: Mapped[str] = mapped_column(Text, unique=True)
    user_id: Mapped[uuid.UUID] = refers("users.id")
    user_agent: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = now()
    last_seen_at: Mapped[datetime] = now()
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = instant()


class RateLimit(Base):
    """A fixed window of tries, exact over any number of instances."""

    __tablename__ = "rate_limits"

    subject: Mapped[str] = mapped_column(Text, primary_key=True)
    window_start: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    tries: Mapped[int] = mapped_column(Integer, default=0)


class Course(Base):
    """A course. `version` is the optimistic lock of its brief and outline."""

    __tablename__ = "courses"
    __table_args__ = (one_of("state", CourseState),)

    id: Mapped[uuid.UUID] = key()
    owner_id: Mapped[uuid.UUID] = refers("users.id")
    title: Mapped[str] = mapped_column(Text)
    summary: Mapped[str] = mapped_column(Text, default="")
    brief: Mapped[Brief] = mapped_column(PydanticJSON(Brief))
    own_outline: Mapped[CoursePlan | None] = mapped_column(
        PydanticJSON(CoursePlan), doc="the outline that people gave, to be filled; empty: the author drafts one"
    )
    glossary: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    accent: Mapped[str] = mapped_column(Text, default="#1f5c57")
    state: Mapped[str] = mapped_column(Text, default=CourseState.DRAFT)
    version: Mapped[int] = mapped_column(Integer, default=1)
    sample: Mapped[bool] = mapped_column(Boolean, default=False)
    created_at: Mapped[datetime] = now()
    updated_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), onupdate=func.now()
    )
    published_at: Mapped[datetime | None] = instant()
    editor_until: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True), doc="somebody has the course open for editing; the page says so again and again"
    )


class Module(Base):
    __tablename__ = "modules"

    id: Mapped[uuid.UUID] = key()
    course_id: Mapped[uuid.UUID] = refers("courses.id")
    position: Mapped[int] = mapped_column(Integer)
    title: Mapped[str] = mapped_column(Text)


class Lesson(Base):
    """A lesson: its plan, then its text and storyboard as they come."""

    __tablename__ = "lessons"
    __table_args__ = (one_of("state", LessonState),)

    id: Mapped[uuid.UUID] = key()
    course_id: Mapped[uuid.UUID] = refers("courses.id")
    module_id: Mapped[uuid.UUID] = refers("modules.id")
    position: Mapped[int] = mapped_column(Integer, doc="in teaching order over the whole course, from 1")
    title: Mapped[str] = mapped_column(Text)
    plan: Mapped[LessonPlan] = mapped_column(PydanticJSON(LessonPlan))
    text: Mapped[LessonText | None] = mapped_column(PydanticJSON(LessonText))
    storyboard: Mapped[Storyboard | None] = mapped_column(PydanticJSON(Storyboard))
    state: Mapped[str] = mapped_column(Text, default=LessonState.PLANNED)
    error: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column(Integer, default=1)
    updated_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), onupdate=func.now()
    )


class Source(Base):
    """A document of a course: the upload, and the extracted text with its structure once it is read."""

    __tablename__ = "sources"
    __table_args__ = (one_of("state", SourceState), Index("ix_sources_course_sha", "course_id", "sha256"))

    id: Mapped[uuid.UUID] = key()
    course_id: Mapped[uuid.UUID] = refers("courses.id")
    position: Mapped[int] = mapped_column(Integer, default=0)
    name: Mapped[str] = mapped_column(Text)
    media_type: Mapped[str] = mapped_column(Text, default="")
    upload_key: Mapped[str] = mapped_column(Text)
    upload_bytes: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(Text, default=SourceState.UPLOADED)
    error: Mapped[str] = mapped_column(Text, default="")
    sha256: Mapped[str | None] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text, default="")
    body: Mapped[str | None] = mapped_column(Text, doc="the extracted text; never rewritten")
    blocks: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB)
    words: Mapped[int] = mapped_column(Integer, default=0)
    pages: Mapped[int] = mapped_column(Integer, default=0)
    notes: Mapped[list[str]] = mapped_column(JSONB, default=list)
    superseded_by: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("sources.id", ondelete="SET NULL"),
        index=True,
        doc="the newer version of this document; the old one stays as long as something cites it",
    )
    replaces: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("sources.id", ondelete="SET NULL"),
        index=True,
        doc="the document whose newer version this is to be; empty again when it is in force",
    )
    created_at: Mapped[datetime] = now()


class Chunk(Base):
    """A passage and its vector: the truth of which the vector store is an index."""

    __tablename__ = "chunks"

    id: Mapped[uuid.UUID] = key()
    course_id: Mapped[uuid.UUID] = refers("courses.id")
    source_id: Mapped[uuid.UUID] = refers("sources.id")
    position: Mapped[int] = mapped_column(Integer)
    start: Mapped[int] = mapped_column("start_at", Integer)
    end: Mapped[int] = mapped_column("end_at", Integer)
    heading: Mapped[str] = mapped_column(Text, default="")
    body: Mapped[str] = mapped_column(Text)
    embedder: Mapped[str] = mapped_column(Text, default="")
    vector: Mapped[list[float] | None] = mapped_column(ARRAY(REAL))


class Revision(Base):
    """A change of one lesson's documents, from the wish to the decision; the accepted ones are the lesson's history.

    It was made from version `base_version` of the lesson and is outdated when that is no longer the newest.
    """

    __tablename__ = "revisions"
    __table_args__ = (one_of("cause", RevisionCause), one_of("state", RevisionState))

    id: Mapped[uuid.UUID] = key()
    course_id: Mapped[uuid.UUID] = refers("courses.id")
    lesson_id: Mapped[uuid.UUID] = refers("lessons.id")
    run_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"), index=True)
    asked_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    decided_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    cause: Mapped[str] = mapped_column(Text)
    change: Mapped[Change] = mapped_column(PydanticJSON(Change))
    state: Mapped[str] = mapped_column(Text, default=RevisionState.MAKING)
    base_version: Mapped[int] = mapped_column(Integer)
    before: Mapped[LessonDocuments | None] = mapped_column(PydanticJSON(LessonDocuments))
    after: Mapped[LessonDocuments | None] = mapped_column(PydanticJSON(LessonDocuments))
    note: Mapped[str] = mapped_column(
        Text, default="", server_default=text("''"), doc="why it failed, or what to look at before deciding"
    )
    created_at: Mapped[datetime] = now()
    decided_at: Mapped[datetime | None] = instant()


class SignOff(Base):
    """Somebody's word that a claim may be published as it stands, against the check. Another wording needs another.

    The name is held by copy, as it was then: a word that was given stands when its giver's account is gone.
    """

    __tablename__ = "sign_offs"

    lesson_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("lessons.id", ondelete="CASCADE"), primary_key=True)
    claim_sha256: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[uuid.UUID | None] = mapped_column(
        UUID(as_uuid=True), ForeignKey("users.id", ondelete="SET NULL"), index=True, doc="empty: the account is gone"
    )
    signed_by: Mapped[str] = mapped_column(Text, default="", server_default=text("''"), doc="the name, as it was then")
    created_at: Mapped[datetime] = now()


class Enrolment(Base):
    __tablename__ = "enrolments"
    __table_args__ = (UniqueConstraint("course_id", "user_id"),)

    id: Mapped[uuid.UUID] = key()
    course_id: Mapped[uuid.UUID] = refers("courses.id")
    user_id: Mapped[uuid.UUID] = refers("users.id")
    created_at: Mapped[datetime] = now()
    completed_at: Mapped[datetime | None] = instant()


class LessonProgress(Base):
    """Where a learner is in a lesson: the second to resume at, and the furthest one seen."""

    __tablename__ = "lesson_progress"
    __table_args__ = (CheckConstraint("seconds >= 0 AND furthest >= seconds", name="seconds_sane"),)

    enrolment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("enrolments.id", ondelete="CASCADE"), primary_key=True)
    lesson_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("lessons.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    seconds: Mapped[float] = mapped_column(REAL, default=0.0)
    furthest: Mapped[float] = mapped_column(REAL, default=0.0)
    completed_at: Mapped[datetime | None] = instant()
    updated_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), onupdate=func.now()
    )


class QuizItem(Base):
    __tablename__ = "quiz_items"

    id: Mapped[uuid.UUID] = key()
    lesson_id: Mapped[uuid.UUID] = refers("lessons.id")
    position: Mapped[int] = mapped_column(Integer)
    document: Mapped[QuizItemDocument] = mapped_column(PydanticJSON(QuizItemDocument))


class QuizAttempt(Base):
    __tablename__ = "quiz_attempts"

    id: Mapped[uuid.UUID] = key()
    quiz_item_id: Mapped[uuid.UUID] = refers("quiz_items.id")
    user_id: Mapped[uuid.UUID] = refers("users.id")
    given: Mapped[list[int]] = mapped_column(JSONB)
    correct: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[datetime] = now()


class Media(Base):
    """The filmed lesson: storage keys of its files and what the player needs. The newest row of a lesson counts."""

    __tablename__ = "media"
    __table_args__ = (UniqueConstraint("lesson_id", "storyboard_sha256"),)

    id: Mapped[uuid.UUID] = key()
    lesson_id: Mapped[uuid.UUID] = refers("lessons.id")
    storyboard_sha256: Mapped[str] = mapped_column(Text)
    film: Mapped[Film] = mapped_column(PydanticJSON(Film))
    video_key: Mapped[str] = mapped_column(Text)
    captions_key: Mapped[str] = mapped_column(Text)
    chapters_key: Mapped[str] = mapped_column(Text)
    transcript_key: Mapped[str] = mapped_column(Text)
    poster_key: Mapped[str] = mapped_column(Text)
    public_url: Mapped[str] = mapped_column(
        Text, default="", server_default=text("''"), doc="where everybody may read the video; empty: signed addresses"
    )
    created_at: Mapped[datetime] = now()


class Run(Base):
    """One request of a person: read these files, plan, generate. Its jobs do the work."""

    __tablename__ = "runs"
    __table_args__ = (
        one_of("kind", RunKind),
        one_of("state", RunState),
        CheckConstraint("done <= units", name="done_bounded"),
        CheckConstraint("percent BETWEEN 0 AND 100", name="percent_sane"),
        CheckConstraint("reserved_micro_dollars >= 0", name="reserved_sane"),
        CheckConstraint("spent_micro_dollars >= 0", name="spent_sane"),
    )

    id: Mapped[uuid.UUID] = key()
    course_id: Mapped[uuid.UUID] = refers("courses.id")
    owner_id: Mapped[uuid.UUID] = refers("users.id")
    idem_key: Mapped[str] = mapped_column(Text, unique=True)
    kind: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default=RunState.ACCEPTED)
    cancel_requested: Mapped[bool] = mapped_column(Boolean, default=False)
    seq: Mapped[int] = mapped_column(BigInteger, default=0, doc="the last event's number")
    units: Mapped[int] = mapped_column(Integer, default=0, doc="planned units of work")
    done: Mapped[int] = mapped_column(Integer, default=0, doc="finished units; never falls")
    percent: Mapped[int] = mapped_column(
        Integer, default=0, server_default=text("0"), doc="what people are shown, 0 to 100; never falls"
    )
    estimated_micro_dollars: Mapped[int] = mapped_column(
        BigInteger, default=0, server_default=text("0"), doc="what it will cost at the worst, as said before it began"
    )
    reserved_micro_dollars: Mapped[int] = mapped_column(
        BigInteger, default=0, server_default=text("0"), doc="what is still held for it in the budgets"
    )
    spent_micro_dollars: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    reserved_on: Mapped[date | None] = mapped_column(Date, doc="the day (UTC) whose budgets it is charged to")
    quote: Mapped[Quote | None] = mapped_column(PydanticJSON(Quote), doc="what was said before it began")
    cap_micro_dollars: Mapped[int | None] = mapped_column(
        BigInteger, doc="the most that whoever began it wants to spend on it; empty: the budgets alone bound it"
    )
    trace_parent: Mapped[str] = mapped_column(
        Text, default="", server_default=text("''"), doc="the W3C trace context of the request that began it"
    )
    paused_because: Mapped[str] = mapped_column(
        Text, default="", server_default=text("''"), doc="why its jobs are not claimed for now; empty: they are"
    )
    error: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = now()
    finished_at: Mapped[datetime | None] = instant()


class Job(Base):
    """A piece of a run on one subject (a source, the course, a lesson), claimed by one worker at a time."""

    __tablename__ = "jobs"
    __table_args__ = (
        one_of("state", JobState),
        CheckConstraint("lane IN ('author', 'render')", name="lane_known"),
        CheckConstraint("(state = 'running') = (lease_until IS NOT NULL)", name="leased_when_running"),
        CheckConstraint("attempt <= max_attempts + 1", name="attempts_bounded"),
        CheckConstraint("done <= units", name="done_bounded"),
        UniqueConstraint("run_id", "kind", "subject_id"),
        Index("ix_jobs_ready", "lane", "priority", "run_after", postgresql_where=text("state = 'queued'")),
        Index("ix_jobs_open", "run_id", postgresql_where=text("state IN ('blocked', 'queued', 'running')")),
        Index("ix_jobs_leased", "lease_until", postgresql_where=text("state = 'running'")),
    )

    id: Mapped[uuid.UUID] = key()
    run_id: Mapped[uuid.UUID] = refers("runs.id")
    kind: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    lane: Mapped[str] = mapped_column(Text)
    priority: Mapped[int] = mapped_column(Integer, default=100, doc="lower is sooner")
    state: Mapped[str] = mapped_column(Text, default=JobState.QUEUED)
    attempt: Mapped[int] = mapped_column(Integer, default=0, doc="counted at claim")
    max_attempts: Mapped[int] = mapped_column(Integer, default=3)
    epoch: Mapped[int] = mapped_column(BigInteger, default=0, doc="fencing token; grows at every claim")
    worker: Mapped[str | None] = mapped_column(Text)
    lease_until: Mapped[datetime | None] = instant()
    run_after: Mapped[datetime] = now()
    units: Mapped[int] = mapped_column(Integer, default=1)
    done: Mapped[int] = mapped_column(Integer, default=0)
    held_micro_dollars: Mapped[int] = mapped_column(
        BigInteger, default=0, server_default=text("0"), doc="what its call under way may cost at the most"
    )
    error: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = now()
    finished_at: Mapped[datetime | None] = instant()


class Step(Base):
    """A finished step of a job. Equal `in_key` means equal work: it is reused, not redone."""

    __tablename__ = "steps"

    job_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    in_key: Mapped[str] = mapped_column(Text)
    out_sha256: Mapped[str] = mapped_column(Text)
    out: Mapped[Any] = mapped_column(JSONB, nullable=True)
    epoch: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = now()


class Errand(enum.StrEnum):
    """What is paid for a course outside of any run."""

    ASK = "ask"
    REINDEX = "reindex"


class LedgerEntry(Base):
    """What was spent, once for each call or step: append-only, in integer micro-dollars.

    No foreign key and names by copy: the books stay whole when a course, a lesson or a run is removed.
    """

    __tablename__ = "ledger"
    __table_args__ = (Index("ix_ledger_owner_id_charged_on", "owner_id", "charged_on"),)

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    run_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True), index=True, doc="empty: an errand")
    job_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True), index=True)
    run_kind: Mapped[str] = mapped_column(Text, doc="a RunKind, or an Errand")
    owner_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True), doc="whose budgets it was charged to")
    course_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True), index=True)
    course_title: Mapped[str] = mapped_column(Text)
    lesson_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    lesson_title: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    what: Mapped[str] = mapped_column(Text, doc="the agent with its model, the voice, or the embedder")
    quantity: Mapped[int] = mapped_column(BigInteger)
    unit: Mapped[str] = mapped_column(Text)
    micro_dollars: Mapped[int] = mapped_column(BigInteger)
    charged_on: Mapped[date] = mapped_column(Date, doc="the day (UTC) whose budgets it was charged to")
    created_at: Mapped[datetime] = now()


class Outbox(Base):
    """Rings that must reach a doorbell after their transaction commits."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_unsent", "created_at", postgresql_where=text("sent_at IS NULL")),)

    id: Mapped[uuid.UUID] = key()
    key: Mapped[str] = mapped_column(Text, unique=True)
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = now()
    sent_at: Mapped[datetime | None] = instant()


class Event(Base):
    """Progress, numbered per run in commit order."""

    __tablename__ = "events"

    run_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = now()


class Budget(Base):
    """What one purse has spent in one period, and what it holds for runs under way; the caps are settings.

    The scope is `site` or `user:UUID`, the period a month (`2026-11`) or a day (`2026-11-23`), both in UTC.
    """

    __tablename__ = "budgets"
    __table_args__ = (CheckConstraint("reserved_micro_dollars >= 0 AND spent_micro_dollars >= 0", name="money_sane"),)

    scope: Mapped[str] = mapped_column(Text, primary_key=True)
    period: Mapped[str] = mapped_column(Text, primary_key=True)
    reserved_micro_dollars: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    spent_micro_dollars: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))


class Switch(Base):
    """Something that an operator, or the cloud's budget, has turned off. `spending` stops every new claim."""

    __tablename__ = "switches"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime] = now()
    until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), doc="off by itself then; empty: by hand")


class BudgetAlert(Base):
    """The cloud's budget messages that counted: one for each budget and month, however often they are repeated."""

    __tablename__ = "budget_alerts"

    budget: Mapped[str] = mapped_column(Text, primary_key=True)
    interval_start: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    threshold: Mapped[float] = mapped_column(REAL)
    received_at: Mapped[datetime] = now()


class Launch(Base):
    """The newest start of a lane's job. While its lease holds, nobody starts the lane again."""

    __tablename__ = "launches"
    __table_args__ = (CheckConstraint("lane IN ('author', 'render')", name="lane_known"),)

    lane: Mapped[str] = mapped_column(Text, primary_key=True)
    token: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    lease_until: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    tasks: Mapped[int] = mapped_column(Integer)
    execution: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    launched_at: Mapped[datetime] = now()


class ProviderHealth(Base):
    """The breaker of one provider, shared by every worker: open while `open_until` is ahead."""

    __tablename__ = "provider_health"

    provider: Mapped[str] = mapped_column(Text, primary_key=True)
    strikes: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    window_start: Mapped[datetime] = now()
    open_until: Mapped[datetime | None] = instant()
    probing_until: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True), doc="one worker tries whether the provider is back; the others wait until then"
    )
    opened: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"), doc="times in a row")


class Tally(Base):
    """How often something happened that nobody is told of at once, such as a message that could not be read."""

    __tablename__ = "tallies"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    last_at: Mapped[datetime] = now()


class Invitation(Base):
    """A link that lets one person sign up; only the hash of its secret is kept."""

    __tablename__ = "invitations"
    __table_args__ = (one_of("role", Role),)

    id: Mapped[uuid.UUID] = key()
    secret_hash: Mapped[str] = mapped_column(Text, unique=True)
    email: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text, default=Role.INSTRUCTOR)
    created_at: Mapped[datetime] = now()
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    accepted_at: Mapped[datetime | None] = instant()
