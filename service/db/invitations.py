"""Invitations: a link lets one person sign up, once, with the role it was made for; only its secret's hash is kept."""

from __future__ import annotations

import hashlib
import re
import secrets
import uuid
from datetime import timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from service.db.tables import Invitation, Role, User
from service.errors import BadInput, Conflict

VALID = timedelta(days=7)
EMAIL = re.compile(r"[^@\s<>\"]{1,64}@[^@\s<>\"]{1,190}")
HASH = re.compile(r"[0-9a-f]{64}")


def new_secret() -> str:
    """The secret of a link: 256 bits, so that its plain hash is as good as a slow one."""
    return secrets.token_urlsafe(32)


def hash_secret(secret: str) -> str:
    """What the table keeps of a secret, so that a stolen table opens nothing."""
    return hashlib.sha256(secret.encode()).hexdigest()


def invite(session: Session, email: str, role: Role, secret_hash: str) -> Invitation:
    """An invitation that is valid for seven days; an earlier one of this person that was not used ends.

    Raises:
        BadInput: the address or the hash is none.
        Conflict: this person has an account.
    """
    email = email.strip().lower()
    if not EMAIL.fullmatch(email):
        raise BadInput(f"{email!r} is not an email address. It needs a name, an @ and a domain.")
    if not HASH.fullmatch(secret_hash):
        raise BadInput("The hash of the secret is not a SHA-256 in 64 hexadecimal digits. scripts/invite makes one.")
    if session.scalar(select(User.id).where(User.email == email)) is not None:
        raise Conflict(f"{email} has an account already. Sign in with it instead.")
    waiting = (Invitation.email == email, Invitation.accepted_at.is_(None), Invitation.expires_at > func.now())
    session.execute(update(Invitation).where(*waiting).values(expires_at=func.now()))
    invitation = Invitation(
        id=uuid.uuid4(), secret_hash=secret_hash, email=email, role=role, expires_at=func.now() + VALID
    )
    session.add(invitation)
    session.flush()
    session.refresh(invitation)
    return invitation


def open_invitation(session: Session, secret: str) -> Invitation:
    """The invitation behind a link, locked: until the transaction ends, nobody else accepts it.

    Raises:
        BadInput: it is unknown, was used, or is too old; the message says which and what to do.
    """
    query = select(Invitation, Invitation.expires_at <= func.now())
    found = session.execute(query.where(Invitation.secret_hash == hash_secret(secret)).with_for_update()).first()
    if found is None:
        raise BadInput("This invitation is not known here. Open the link exactly as you got it, or ask for a new one.")
    invitation: Invitation = found[0]
    is_over: bool = found[1]
    if invitation.accepted_at is not None:
        raise BadInput(
            "This invitation was used already. Sign in with the account that was made, or ask for a new one."
        )
    if is_over:
        raise BadInput("This invitation is too old: a link is good for seven days. Ask for a new one.")
    return invitation


def accept(session: Session, invitation: Invitation) -> None:
    """Use up an opened invitation, in the transaction that makes its account."""
    invitation.accepted_at = func.now()
    session.flush()
