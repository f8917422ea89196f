"""`coursewright doctor --cloud`: asks every part of the cloud that the settings name, and says how to mend what fails.

Nothing is written and no job is started: permissions are asked for, and what is not there is looked up. The answers are
those of the account that runs this, so run it as the site's, or with that account impersonated.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from service.commands.findings import Finding
from service.errors import Broken, CoursewrightError
from service.ports import Lane
from service.settings import Settings

PATIENCE_SECONDS = 20.0
# A key that nothing has: looked for and signed, never written.
NOBODYS_KEY = f"sources/{'0' * 64}.txt"
LATE = "does not answer; check the network, and that the project's API is enabled"
PUBLISH = "pubsub.topics.publish"


@dataclass(frozen=True)
class Check:
    """One part: the setting that names it, the scheme that makes it the cloud's, and the question to it."""

    part: str
    setting: str
    scheme: str
    form: str
    ask: Callable[[Settings], str]


def findings_of_cloud(settings: Settings, patience_seconds: float = PATIENCE_SECONDS) -> Iterator[Finding]:
    """Every part, all asked at once; one that does not answer in time is given up."""
    asked = [(check, _Asked(check, settings)) for check in CHECKS]
    for check, answer in asked:
        works, says = answer.within(patience_seconds)
        yield Finding(check.part, works, says)


class _Asked:
    """A question under way, in a thread that may be left behind: not every library keeps its own timeout."""

    def __init__(self, check: Check, settings: Settings) -> None:
        self._answer = (False, LATE)
        self._thread = threading.Thread(target=self._ask, args=(check, settings), daemon=True)
        self._thread.start()

    def within(self, seconds: float) -> tuple[bool, str]:
        self._thread.join(seconds)
        return self._answer

    def _ask(self, check: Check, settings: Settings) -> None:
        from google.api_core.exceptions import GoogleAPIError
        from google.auth.exceptions import GoogleAuthError
        from requests.exceptions import RequestException
        from sqlalchemy.exc import SQLAlchemyError

        if check.scheme and urlsplit(getattr(settings, check.setting)).scheme != check.scheme:
            value = getattr(settings, check.setting) or "empty"
            self._answer = (False, f"{check.setting.upper()} is {value}, not the cloud's; set {check.form}")
            return
        try:
            self._answer = (True, check.ask(settings))
        except CoursewrightError as error:
            self._answer = (False, str(error))
        except (GoogleAPIError, GoogleAuthError, RequestException, SQLAlchemyError, OSError) as error:
            first = (str(error).strip() or type(error).__name__).splitlines()[0]
            self._answer = (False, f"{check.setting.upper()}: {first[:200]}")


def _database(settings: Settings) -> str:
    from service.adapters.database import open_engine
    from service.db.migrate import is_behind

    with open_engine(settings) as engine, engine.connect() as connection:
        user = connection.exec_driver_sql("SELECT current_user").scalar_one()
        if is_behind(connection):
            raise Broken("signed in, but the schema is older than this program; run the job migrate")
    return f"signed in as {user}, schema up to date"


def _storage(settings: Settings) -> str:
    from service.adapters.storage import open_storage

    storage = open_storage(settings)
    storage.size(NOBODYS_KEY)
    storage.signed_url(NOBODYS_KEY, timedelta(minutes=1))
    return f"{settings.storage_url} is read, and its addresses are signed"


def _topic(settings: Settings) -> str:
    from google.api_core.exceptions import NotFound
    from google.cloud.pubsub_v1 import PublisherClient

    parts = urlsplit(settings.queue_url)
    topic = f"projects/{parts.netloc}/topics/{parts.path.strip('/')}"
    client = PublisherClient()
    request = {"resource": topic, "permissions": [PUBLISH]}
    try:
        held = client.test_iam_permissions(request=request, timeout=PATIENCE_SECONDS / 2).permissions
    except NotFound as error:
        raise Broken(f"there is no {topic}; correct QUEUE_URL, or make it with pulumi up") from error
    finally:
        client.transport.close()
    if PUBLISH not in held:
        raise Broken(f"this account may not publish to {topic}; grant it roles/pubsub.publisher there")
    return f"{topic} may be rung"


def _job(lane: Lane) -> Callable[[Settings], str]:
    def ask(settings: Settings) -> str:
        from service.adapters.cloud_run import ROLE, open_cloud_run

        launcher = open_cloud_run(settings)
        try:
            missing = launcher.missing_permissions(lane)
        finally:
            launcher.close()
        if missing:
            raise Broken(f"this account lacks {' and '.join(missing)} on the job {lane}; grant it {ROLE} there")
        return f"{launcher.job(lane)} may be started"

    return ask


def _callers(settings: Settings) -> str:
    from service.web.callers import Keys

    for name, example in (
        ("public_url", "the site's own https:// address"),
        ("push_account", "the service account of the push subscriptions"),
        ("scheduler_account", "the service account of the schedule"),
    ):
        if not getattr(settings, name):
            raise Broken(f"{name.upper()} is empty, so every call to /internal/ is refused; set {example}")
    if not settings.public_url.startswith("https://"):
        raise Broken("PUBLIC_URL is not https://, so no token is made for it; set the site's own address")
    Keys(settings.oidc_certs_url).certificate("")
    return f"tokens for {settings.public_url} can be verified"


CHECKS = (
    Check("database", "database_url", "cloudsql", "cloudsql://PROJECT:REGION:INSTANCE/DATABASE", _database),
    Check("storage", "storage_url", "gs", "gs://BUCKET", _storage),
    Check("doorbell", "queue_url", "pubsub", "pubsub://PROJECT/TOPIC", _topic),
    Check("job author", "jobs_url", "cloudrun", "cloudrun://PROJECT/REGION", _job("author")),
    Check("job render", "jobs_url", "cloudrun", "cloudrun://PROJECT/REGION", _job("render")),
    Check("callers", "oidc_certs_url", "", "", _callers),
)
