"""Passwords: argon2id at the strength that OWASP advises, few at once so that sign-ins cannot eat the memory."""

from __future__ import annotations

from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from service.errors import BadInput

SHORTEST, LONGEST = 12, 200
_AT_ONCE = BoundedSemaphore(2)
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

# The commonest passwords of at least twelve characters, without spaces and in lower case.
_COMMON = frozenset(
    """
    123456789012 1234567890123 12345678901234 123456789123 1q2w3e4r5t6y 1qaz2wsx3edc abcdefghijkl administrator
    coursewright correcthorsebatterystaple iloveyou1234 letmein12345 mynameisjohn password1234 password12345
    passwordpassword p@ssw0rd1234 qwertyuiop12 qwertyuiop123 qwertyuiopasdf qwerty123456 changeme1234 welcome12345
    121212121212 123123123123 123456123456 abcabcabcabc qwertyqwerty monkeymonkey football1234 dragondragon
    superman1234 trustno1trustno1 passw0rd1234 zaq12wsxcde3
    """.split()  # noqa: SIM905 - a list of thirty strings reads worse
)


def hash_password(password: str) -> str:
    """The encoded argon2id hash of a password; takes about 35 ms and 19 MiB."""
    with _AT_ONCE:
        return _HASHER.hash(password)


def verify_password(encoded: str | None, password: str) -> bool:
    """Whether the password belongs to the hash. Without a hash it takes as long and says no."""
    with _AT_ONCE:
        try:
            return _HASHER.verify(encoded or _DUMMY, password) and encoded is not None
        except (VerificationError, InvalidHashError):
            return False


def check_new_password(password: str, *, email: str) -> None:
    """Refuse a password that is too easy to guess.

    Raises:
        BadInput: with the reason and what to choose instead.
    """
    if len(password) < SHORTEST:
        raise BadInput(f"This password is too short. Use at least {SHORTEST} characters; four words in a row are good.")
    if len(password) > LONGEST:
        raise BadInput(f"This password is too long. Use at most {LONGEST} characters.")
    plain = password.lower().replace(" ", "")
    if plain in _COMMON or len(set(plain)) < 4:
        raise BadInput("This password is among the first that people guess. Choose another, such as four random words.")
    if plain in (email, email.split("@", maxsplit=1)[0] * 2):
        raise BadInput("This password is your email address. Choose another, such as four random words.")


_DUMMY = _HASHER.hash("nobody has this password")
