"""Who may call what. A path that is not in this table does not exist for anybody; a test compares it with the routes.

Order matters as in routing: the first row that matches a path decides.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from re import Pattern

from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from service.errors import NotFound


class Who(enum.Enum):
    """What a caller must be. READER and OWNER speak of the course in the path; the database decides both."""

    ANYBODY_UNSEEN = "anybody; no session is read, so it answers without a database"
    ANYBODY = "anybody, known or not"
    SIGNED_IN = "a signed-in person"
    INSTRUCTOR = "an instructor or administrator"
    READER = "a person who may read the course"
    OWNER = "a person who may change the course"
    PUSH = "Pub/Sub, by the token of PUSH_ACCOUNT; no session is read"
    SCHEDULER = "Cloud Scheduler, by the token of SCHEDULER_ACCOUNT; no session is read"


@dataclass(frozen=True)
class Rule:
    """One row: the methods of one path, and who may call them. `path` is written exactly as in the route.

    `uploads` says that files may be sent there; every other body is short.
    """

    methods: frozenset[str]
    path: str
    who: Who
    pattern: Pattern[str]
    uploads: bool = False

    @property
    def needs_sign_in(self) -> bool:
        return self.who not in (Who.ANYBODY_UNSEEN, Who.ANYBODY) and not self.is_service

    @property
    def is_service(self) -> bool:
        """Whether a program of the cloud calls, which has a token and neither cookie nor origin."""
        return self.who in (Who.PUSH, Who.SCHEDULER)


def _rule(methods: str, path: str, who: Who, *, uploads: bool = False) -> Rule:
    return Rule(frozenset(methods.split()), path, who, compile_path(path)[0], uploads)


_COURSE = "/courses/{course_id:uuid}"
_LESSON = _COURSE + "/lessons/{lesson_id:uuid}"
_CHANGE = _COURSE + "/changes/{revision_id:uuid}"

POLICY: tuple[Rule, ...] = (
    _rule("GET HEAD", "/static/{path:path}", Who.ANYBODY_UNSEEN),
    _rule("GET HEAD", "/media/{key:path}", Who.ANYBODY_UNSEEN),
    _rule("GET HEAD", "/healthz", Who.ANYBODY_UNSEEN),
    _rule("GET", "/livez", Who.ANYBODY_UNSEEN),
    _rule("GET", "/readyz", Who.ANYBODY_UNSEEN),
    _rule("GET", "/favicon.ico", Who.ANYBODY_UNSEEN),
    _rule("POST", "/internal/push", Who.PUSH),
    _rule("POST", "/internal/budget", Who.PUSH),
    _rule("POST", "/internal/sweep", Who.SCHEDULER),
    _rule("GET HEAD", "/", Who.ANYBODY),
    _rule("GET POST", "/sign-up", Who.ANYBODY),
    _rule("GET POST", "/sign-in", Who.ANYBODY),
    _rule("POST", "/sign-out", Who.SIGNED_IN),
    _rule("POST", "/theme", Who.ANYBODY),
    _rule("GET", "/account", Who.SIGNED_IN),
    _rule("POST", "/account/name", Who.SIGNED_IN),
    _rule("POST", "/account/password", Who.SIGNED_IN),
    _rule("POST", "/account/remove", Who.SIGNED_IN),
    _rule("POST", "/account/sessions/revoke-all", Who.SIGNED_IN),
    _rule("POST", "/account/sessions/{session_id:uuid}/revoke", Who.SIGNED_IN),
    _rule("GET", "/account/spending", Who.SIGNED_IN),
    _rule("GET", "/account/spending.csv", Who.SIGNED_IN),
    _rule("GET", "/catalogue", Who.ANYBODY),
    _rule("GET POST", "/courses/new", Who.INSTRUCTOR),
    _rule("GET", _COURSE, Who.READER),
    _rule("POST", _COURSE + "/enrol", Who.READER),
    _rule("GET POST", _COURSE + "/ask", Who.READER),
    _rule("POST", _COURSE + "/publish", Who.OWNER),
    _rule("POST", _COURSE + "/unpublish", Who.OWNER),
    _rule("POST", _COURSE + "/remove", Who.OWNER),
    _rule("GET", _COURSE + "/quality", Who.OWNER),
    _rule("POST", _COURSE + "/quality/sign-off", Who.OWNER),
    _rule("POST", _COURSE + "/quality/sign-off-lesson", Who.OWNER),
    _rule("GET PATCH POST", _COURSE + "/brief", Who.OWNER),
    _rule("GET POST", _COURSE + "/sources", Who.OWNER, uploads=True),
    _rule("POST", _COURSE + "/sources/{source_id:uuid}/replace", Who.OWNER, uploads=True),
    _rule("POST", _COURSE + "/sources/{source_id:uuid}/remove", Who.OWNER),
    _rule("GET", _COURSE + "/sources/{sha256}", Who.READER),
    _rule("GET PATCH", _COURSE + "/outline", Who.OWNER),
    _rule("GET", _COURSE + "/outline.md", Who.OWNER),
    _rule("GET POST", _COURSE + "/own-outline", Who.OWNER),
    _rule("POST", _COURSE + "/editing", Who.OWNER),
    _rule("POST", _COURSE + "/generate", Who.OWNER),
    _rule("GET", _COURSE + "/generating", Who.OWNER),
    _rule("GET", _COURSE + "/invoice", Who.OWNER),
    _rule("GET", _COURSE + "/invoice.csv", Who.OWNER),
    _rule("POST", _COURSE + "/stop", Who.OWNER),
    _rule("POST", _COURSE + "/resume", Who.OWNER),
    _rule("GET", _COURSE + "/runs/{run_id:uuid}/events", Who.OWNER),
    _rule("GET", _COURSE + "/changes", Who.OWNER),
    _rule("GET", _CHANGE, Who.OWNER),
    _rule("POST", _CHANGE + "/accept", Who.OWNER),
    _rule("POST", _CHANGE + "/reject", Who.OWNER),
    _rule("POST", _CHANGE + "/again", Who.OWNER),
    _rule("POST", _CHANGE + "/restore", Who.OWNER),
    _rule("POST", _CHANGE + "/stop", Who.OWNER),
    _rule("POST", _CHANGE + "/resume", Who.OWNER),
    _rule("GET", _CHANGE + "/{side}/{scene_id}", Who.OWNER),
    _rule("GET POST", _COURSE + "/units/{module_id:uuid}/change", Who.OWNER),
    _rule("GET", _LESSON + "/changes", Who.OWNER),
    _rule("GET POST", _LESSON + "/change", Who.OWNER),
    _rule("GET", _LESSON + "/scenes/{scene_id}", Who.OWNER),
    _rule("GET", _LESSON, Who.READER),
    _rule("GET", _LESSON + "/media", Who.READER),
    _rule("GET", _LESSON + "/captions.vtt", Who.READER),
    _rule("POST", _LESSON + "/progress", Who.READER),
    _rule("POST", _LESSON + "/finish", Who.READER),
    _rule("GET", _LESSON + "/quiz", Who.READER),
    _rule("POST", _LESSON + "/quiz/{item_id:uuid}", Who.READER),
)


def rule_for(method: str, path: str) -> Rule:
    """The row that decides about this request.

    Raises:
        NotFound: no row knows the path.
        HTTPException: 405, a row knows the path but not for this method.
    """
    known = [rule for rule in POLICY if rule.pattern.match(path)]
    for rule in known[:1]:
        if method in rule.methods:
            return rule
        raise HTTPException(405, headers={"Allow": ", ".join(sorted(rule.methods))})
    raise NotFound("There is nothing at this address.")
