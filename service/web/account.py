"""A person's account: the name, the password, the browsers that are signed in, and the way out."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session as DatabaseSession

from service.db.accounts import keeps_account, owned_courses, remove_account
from service.db.tables import Session, User
from service.errors import BadInput, Conflict
from service.web.auth import IDLE, begin_session, revoke
from service.web.deps import Caller, Database, Person, ServicesDep
from service.web.passwords import check_new_password, hash_password, verify_password
from service.web.site import render, site_of, visitor_of
from service.web.throttle import ACCOUNT_TRIES, count_try

router = APIRouter()
Field = Annotated[str, Form(max_length=400)]


@router.get("/account")
def account(request: Request, database: Database, person: Person) -> Response:
    """Everything that can be changed about oneself, on one page."""
    return _page(request, database, person)


@router.post("/account/name")
def rename(request: Request, database: Database, person: Person, name: Field = "") -> Response:
    """Change the name that others see."""
    if not 1 <= len(name.strip()) <= 120:
        return _page(request, database, person, {"name": "Enter the name that learners and colleagues will see."}, 422)
    database.get_one(User, person.id).name = name.strip()
    return RedirectResponse("/account", 303)


@router.post("/account/password")
def change_password(
    request: Request,
    services: ServicesDep,
    database: Database,
    person: Person,
    current: Field = "",
    password: Field = "",
) -> Response:
    """Set a new password. Every other browser is signed out, and this one gets a new session."""
    count_try(services.engine, f"password:{person.id}", ACCOUNT_TRIES)
    row = database.get_one(User, person.id)
    if not verify_password(row.password_hash, current):
        return _page(request, database, person, {"current": "This is not your present password."}, 422)
    try:
        check_new_password(password, email=row.email)
    except BadInput as error:
        return _page(request, database, person, {"password": str(error)}, 422)
    row.password_hash = hash_password(password)
    revoke(database, person.id)
    sid, csrf = begin_session(database, row, request.headers.get("user-agent", ""))
    visitor_of(request).set_cookie = site_of(request).sealer.seal(sid, csrf)
    return RedirectResponse("/account?changed=password", 303)


@router.post("/account/remove")
def remove(
    request: Request, services: ServicesDep, database: Database, caller: Caller, person: Person, leaving: Field = ""
) -> Response:
    """Take the account away with everything that is this person's. `leaving` is the present password."""
    count_try(services.engine, f"password:{person.id}", ACCOUNT_TRIES)
    if not verify_password(database.get_one(User, person.id).password_hash, leaving):
        return _page(request, database, person, {"leaving": "This is not your present password."}, 422)
    try:
        remove_account(database, person.id)
    except Conflict as error:
        return _page(request, database, person, status=error.status)  # which says what is in the way
    caller.set_cookie = ""
    return RedirectResponse("/?removed=account", 303)


@router.post("/account/sessions/revoke-all")
def revoke_all(database: Database, caller: Caller, person: Person) -> Response:
    """Sign out everywhere, here too."""
    revoke(database, person.id)
    caller.set_cookie = ""
    return RedirectResponse("/", 303)


@router.post("/account/sessions/{session_id:uuid}/revoke")
def revoke_one(session_id: uuid.UUID, database: Database, person: Person) -> Response:
    """Sign out one browser; another person's session is untouched."""
    revoke(database, person.id, session_id)
    return RedirectResponse("/account", 303)


def _page(
    request: Request,
    database: DatabaseSession,
    person: User,
    wrong: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    now = datetime.now(UTC)
    sessions = database.scalars(
        select(Session)
        .where(
            Session.user_id == person.id,
            Session.revoked_at.is_(None),
            Session.expires_at > now,
            Session.last_seen_at > now - IDLE,
        )
        .order_by(Session.last_seen_at.desc())
    ).all()
    return render(
        request,
        "account.html",
        status,
        sessions=[(session, browser(session.user_agent)) for session in sessions],
        own=visitor_of(request).session_id,
        wrong=wrong or {},
        changed=request.query_params.get("changed", ""),
        courses=owned_courses(database, person.id),
        kept=keeps_account(database, person.id),
    )


def browser(user_agent: str) -> str:
    """A browser and system by name, as far as its own description tells."""
    names = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
    systems = (
        ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
        ("Mac OS", "macOS"), ("Linux", "Linux"),
    )  # fmt: skip
    name = next((known for part, known in names if part in user_agent), "A browser")
    system = next((known for part, known in systems if part in user_agent), "")
    return f"{name} on {system}" if system else name
