"""The way in: the front page, signing up, signing in, signing out, and the theme."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.db.invitations import EMAIL, accept, open_invitation
from service.db.tables import Invitation, Role, User
from service.errors import BadInput, Forbidden, RateLimited
from service.ports import Services
from service.web.auth import begin_session, revoke
from service.web.courses import dashboard
from service.web.deps import Caller, Database, Person, ServicesDep
from service.web.passwords import check_new_password, hash_password, verify_password
from service.web.site import THEMES, render, site_of, visitor_of
from service.web.throttle import ACCOUNT_TRIES, ADDRESS_TRIES, address_of, count_try

router = APIRouter()

Field = Annotated[str, Form(max_length=400)]
CLOSED = {
    "invite": "This site is by invitation. Open the link in your invitation, or ask the person who runs it for one.",
    "closed": "This site takes no new accounts. Ask the person who runs it.",
}


@router.api_route("/", methods=["GET", "HEAD"])
def home(request: Request, database: Database, caller: Caller) -> Response:
    """The front page for strangers, the dashboard for people who are signed in."""
    if caller.person is None:
        return render(request, "front.html", removed=request.query_params.get("removed") == "account")
    return dashboard(request, database, caller.person)


@router.get("/sign-in")
def sign_in_page(request: Request, caller: Caller, next: str = "/", ended: bool = False) -> Response:
    """The sign-in form; whoever is signed in goes on. `ended`: a form was sent, and nobody was signed in any more."""
    if caller.person is not None:
        return RedirectResponse(local_path(next), 303)
    return render(request, "sign-in.html", email="", error="", next=local_path(next), ended=ended)


@router.post("/sign-in")
def sign_in(
    request: Request,
    services: ServicesDep,
    database: Database,
    email: Field = "",
    password: Field = "",
    next: Field = "/",
) -> Response:
    """Check the pair and begin a session. The answer does not tell which of the two was wrong."""
    email = email.strip().lower()
    try:
        _count_tries(request, services, email)
        person = database.scalar(select(User).where(User.email == email, User.disabled_at.is_(None)))
        if not verify_password(person.password_hash if person else None, password) or person is None:
            raise BadInput("That email and password do not match. Check both and try again.")
    except (BadInput, RateLimited) as error:
        shown = {"email": email, "error": str(error), "next": local_path(next), "ended": False}
        page = render(request, "sign-in.html", error.status, **shown)
        if isinstance(error, RateLimited):
            page.headers["Retry-After"] = str(error.after_seconds)
        return page
    _let_in(request, database, person)
    return RedirectResponse(local_path(next), 303)


@router.get("/sign-up")
def sign_up_page(request: Request, database: Database, caller: Caller, invitation: str = "") -> Response:
    """The form for a new account, for an invited person with the invitation's address; or why there is none."""
    if caller.person is not None:
        return RedirectResponse("/", 303)
    try:
        invited = _invited(request, database, invitation)
    except BadInput as error:
        return _no_sign_up(request, error)
    return _sign_up_form(request, 200, {"email": invited.email} if invited else {}, invitation=invitation)


@router.post("/sign-up")
def sign_up(
    request: Request,
    services: ServicesDep,
    database: Database,
    name: Field = "",
    email: Field = "",
    password: Field = "",
    invitation: Field = "",
) -> Response:
    """Make an account and sign its owner in. An invitation gives address and role, and is used up with it."""
    given = {"name": name.strip(), "email": email.strip().lower()}
    try:
        count_try(services.engine, f"sign-up:{address_of(request)}", ADDRESS_TRIES)
        invited = _invited(request, database, invitation)
    except RateLimited as error:
        page = _sign_up_form(request, error.status, given, {"email": str(error)}, invitation)
        page.headers["Retry-After"] = str(error.after_seconds)
        return page
    except BadInput as error:
        return _no_sign_up(request, error)
    if invited is not None:
        given["email"] = invited.email
    if wrong := _wrong(given, password):
        return _sign_up_form(request, 422, given, wrong, invitation)
    role = Role(invited.role) if invited else Role.INSTRUCTOR
    person = _new_person(database, given["name"], given["email"], password, role)
    if person is None:
        taken = "There is an account with this email already. Sign in instead."
        return _sign_up_form(request, 422, given, {"email": taken}, invitation)
    if invited is not None:
        accept(database, invited)
    _let_in(request, database, person)
    return RedirectResponse("/", 303)


def _invited(request: Request, database: Session, secret: str) -> Invitation | None:
    """The invitation of this link; None for somebody who needs none.

    Raises:
        Forbidden: nobody signs up here, or not without an invitation.
        BadInput: the invitation is unknown, used or too old.
    """
    signup = site_of(request).settings.signup
    if signup == "closed" or (signup == "invite" and not secret):
        raise Forbidden(CLOSED[signup])
    return open_invitation(database, secret) if secret else None


@router.post("/sign-out")
def sign_out(database: Database, caller: Caller, person: Person) -> Response:
    """End this session, here and in the table."""
    revoke(database, person.id, caller.session_id)
    caller.set_cookie = ""
    return RedirectResponse("/", 303)


@router.post("/theme")
def set_theme(theme: Field = "auto", next: Field = "/") -> Response:
    """Choose light, dark or the system's choice, for a browser without JavaScript."""
    response = RedirectResponse(local_path(next), 303)
    if theme in THEMES:
        response.headers["Set-Cookie"] = f"theme={theme}; Path=/; Max-Age=31536000; SameSite=Lax"
    return response


def local_path(path: str) -> str:
    """The path when it stays on this site, else the start: nobody is sent elsewhere after signing in."""
    return path if re.fullmatch(r"/(?![/\\])[\w\-./?=&%~]*", path) else "/"


def _let_in(request: Request, database: Session, person: User) -> None:
    sid, csrf = begin_session(database, person, request.headers.get("user-agent", ""))
    visitor_of(request).set_cookie = site_of(request).sealer.seal(sid, csrf)


def _count_tries(request: Request, services: Services, email: str) -> None:
    count_try(services.engine, f"sign-in:{email[:200]}", ACCOUNT_TRIES)
    count_try(services.engine, f"sign-in-from:{address_of(request)}", ADDRESS_TRIES)


def _wrong(given: dict[str, str], password: str) -> dict[str, str]:
    wrong = {}
    if not 1 <= len(given["name"]) <= 120:
        wrong["name"] = "Enter the name that learners and colleagues will see."
    if not EMAIL.fullmatch(given["email"]):
        wrong["email"] = "This is not an email address. It needs a name, an @ and a domain."
    try:
        check_new_password(password, email=given["email"])
    except BadInput as error:
        wrong["password"] = str(error)
    return wrong


def _new_person(database: Session, name: str, email: str, password: str, role: Role) -> User | None:
    statement = insert(User).values(name=name, email=email, password_hash=hash_password(password), role=role)
    statement = statement.on_conflict_do_nothing(index_elements=[User.email])
    created = database.scalar(statement.returning(User.id))
    return database.get(User, created) if created else None


def _sign_up_form(
    request: Request,
    status: int,
    given: dict[str, str],
    wrong: dict[str, str] | None = None,
    invitation: str = "",
) -> Response:
    shown = {"given": given, "wrong": wrong or {}, "closed": "", "invitation": invitation}
    return render(request, "sign-up.html", status, **shown)


def _no_sign_up(request: Request, error: BadInput) -> Response:
    return render(request, "sign-up.html", error.status, given={}, wrong={}, closed=str(error), invitation="")
