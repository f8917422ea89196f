"""Who is calling: an encrypted cookie that carries a random session id, and a row that can revoke it."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OctKey
from sqlalchemy import select, update
from sqlalchemy.orm import Session as Database

from service.db.tables import Session, User
from service.settings import Settings

IDLE, ABSOLUTE = timedelta(hours=12), timedelta(days=7)
SEEN_EVERY = timedelta(minutes=1)


@dataclass
class Visitor:
    """The caller of a request: a signed-in person, or nobody yet.

    `csrf` is bound to the cookie; `known` says that the browser already holds it. `set_cookie` is the cookie's value
    to send with the answer, an empty one takes the cookie away.
    """

    csrf: str
    person: User | None = None
    session_id: uuid.UUID | None = None
    set_cookie: str | None = None
    known: bool = False

    @classmethod
    def new(cls) -> Visitor:
        """Somebody who carries no cookie of ours."""
        return cls(csrf=secrets.token_urlsafe(24))


class Sealer:
    """Seals and opens cookies. The newest key seals; older ones still open, so keys can be rotated."""

    def __init__(self, secrets_newest_first: list[str], *, secure: bool) -> None:
        self.name = "__Host-session" if secure else "session"
        self.secure = secure
        self._keys = [_key(secret) for secret in secrets_newest_first]
        self._set = KeySet([*self._keys])

    def seal(self, sid: str, csrf: str) -> str:
        """The cookie's value: `sid` is empty for a visitor who has not signed in."""
        body = json.dumps({"sid": sid, "csrf": csrf, "exp": int(time.time() + ABSOLUTE.total_seconds())})
        header = {"alg": "dir", "enc": "A256GCM", "kid": self._keys[0].kid}
        return jwe.encrypt_compact(header, body, self._keys[0])

    def open(self, value: str) -> tuple[str, str] | None:
        """The session id and the form token of a cookie; None when it is not ours, damaged or too old."""
        try:
            opened = jwe.decrypt_compact(value, self._set, algorithms=["dir", "A256GCM"])
            body = json.loads(opened.plaintext or b"{}")
        except (JoseError, ValueError):
            return None
        if body.get("exp", 0) < time.time():
            return None
        return str(body.get("sid", "")), str(body.get("csrf", ""))

    def header(self, value: str) -> str:
        """The Set-Cookie header for a value; an empty value removes the cookie."""
        age = int(ABSOLUTE.total_seconds()) if value else 0
        secure = "; Secure" if self.secure else ""
        return f"{self.name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}"


def _key(secret: str) -> OctKey:
    raw = hashlib.sha256(secret.encode()).digest()
    return OctKey.import_key(raw, {"kid": hashlib.sha256(raw).hexdigest()[:12], "use": "enc"})


def open_sealer(settings: Settings) -> Sealer:
    """The sealer for these settings; on a laptop it makes a key of its own on first use, readable by its owner only."""
    given = [part.strip() for part in settings.cookie_keys.get_secret_value().split(",") if part.strip()]
    return Sealer(given or [_own_key(settings.data_dir / "cookie.key")], secure=settings.production)


def _own_key(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123
            file.write(secrets.token_urlsafe(32))
    except FileExistsError:
        pass
    return path.read_text()


def hash_sid(sid: str) -> str:
    """What the row keeps of a session id, so that a stolen table opens nothing."""
    return hashlib.sha256(sid.encode()).hexdigest()


def recognise(database: Database, cookie: tuple[str, str]) -> Visitor:
    """The visitor behind an opened cookie; a session that is revoked, idle or too old makes nobody."""
    sid, csrf = cookie
    now = datetime.now(UTC)
    row = database.execute(
        select(Session, User)
        .join(User, User.id == Session.user_id)
        .where(
            Session.sid_hash == hash_sid(sid),
            Session.revoked_at.is_(None),
            Session.expires_at > now,
            Session.last_seen_at > now - IDLE,
            User.disabled_at.is_(None),
        )
    ).first()
    if row is None:
        return Visitor.new()
    session, person = row
    if session.last_seen_at < now - SEEN_EVERY:
        database.execute(update(Session).where(Session.id == session.id).values(last_seen_at=now))
    database.expunge(person)
    return Visitor(csrf=csrf, person=person, session_id=session.id, known=True)


def begin_session(database: Database, person: User, user_agent: str) -> tuple[str, str]:
    """Open a session for a person who has just proved who they are: a fresh id and a fresh form token."""
    sid, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
    now = datetime.now(UTC)
    row = Session(
        sid_hash=hash_sid(sid),
        user_id=person.id,
        user_agent=user_agent[:300],
        last_seen_at=now,
        expires_at=now + ABSOLUTE,
    )
    database.add(row)
    database.flush()
    return sid, csrf


def revoke(database: Database, user_id: uuid.UUID, session_id: uuid.UUID | None = None) -> int:
    """End one session of a person, or all of them; returns how many ended."""
    query = update(Session).where(Session.user_id == user_id, Session.revoked_at.is_(None))
    if session_id is not None:
        query = query.where(Session.id == session_id)
    return len(database.scalars(query.values(revoked_at=datetime.now(UTC)).returning(Session.id)).all())
