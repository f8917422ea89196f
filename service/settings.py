"""The only reader of the environment: every setting, its laptop default, and what production refuses.

An empty environment gives the whole product on a laptop. Addresses are URLs whose scheme is checked at start. Settings
are built once at a door (`python -m service`, `python -m renderer_job`, a test) and passed; no module holds them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.domain.money import Caps, micro_dollars
from service.errors import BadInput

ROOT = Path(__file__).resolve().parent.parent


def _scheme(*allowed: str) -> AfterValidator:
    def check(url: str) -> str:
        if urlsplit(url).scheme not in allowed:
            raise ValueError(f"the scheme must be one of {', '.join(filter(None, allowed))}")
        return url

    return AfterValidator(check)


def _networks(written: str) -> str:
    for network in filter(None, written.split(",")):
        ip_network(network.strip())  # a misspelt one would be believed by nobody, silently
    return written


def _pairs(written: str) -> str:
    for pair in filter(None, written.split(";")):
        role, _, member = pair.partition("=")
        if not role.strip() or not member.strip():
            raise ValueError("write ROLE=USER;ROLE=USER, such as site=courses;author=worker")
    return written


DEVELOPMENT_ONLY = {
    "database_url": "embedded",
    "storage_url": "file",
    "jobs_url": "local",
}
SHORTEST_COOKIE_KEY = 32  # characters; what `openssl rand -base64 24` draws, 192 bits


class Settings(BaseSettings):
    """Everything that can be configured. docs/operations.md explains each field; a test keeps the two equal."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_file=None, hide_input_in_errors=True, allow_inf_nan=False
    )

    environment: Literal["local", "production"] = "local"
    data_dir: Path = Field(default=ROOT / "var", description="where a laptop keeps database, media, keys and caches")
    bind: str = Field(default="127.0.0.1", description="the address to listen on")
    port: int = Field(default=8000, ge=0, le=65535)
    public_url: str = Field(default="", description="the site's own origin; empty: what the browser says")
    log_level: Literal["", "debug", "info", "warning", "error"] = Field(
        default="", description="empty: warning on a laptop, info in production"
    )

    database_url: Annotated[str, _scheme("embedded", "cloudsql", "postgresql", "postgresql+pg8000")] = "embedded:"
    database_user: str = Field(default="", description="IAM database user, for cloudsql:// only")
    database_pool: int = Field(default=5, ge=1, le=40, description="connections that one process keeps")
    database_overflow: int = Field(default=5, ge=0, le=40)
    database_role_members: Annotated[str, AfterValidator(_pairs)] = Field(
        default="", description="for `migrate`: which database user gets which role, ROLE=USER;ROLE=USER"
    )

    storage_url: Annotated[str, _scheme("file", "gs")] = "file:"
    queue_url: Annotated[str, _scheme("postgres", "pubsub")] = "postgres:"
    jobs_url: Annotated[str, _scheme("local", "cloudrun", "none")] = "local:"
    vectors_url: Annotated[str, _scheme("memory", "https", "http")] = "memory:"
    vectors_api_key: SecretStr = SecretStr("")
    mail_url: Annotated[str, _scheme("console", "smtp", "smtps")] = "console:"

    llm: str = Field(default="", description="the author; empty: openai:gpt-4o-mini with a key, else offline")
    embeddings: str = Field(default="local:", description="local:, openai:MODEL or none:")
    nli: str = Field(default="none:", description="a second opinion on claims: none: or onnx:FOLDER")
    speech: str = Field(default="auto:", description="auto:, piper:, espeak:, silent: or openai:MODEL")
    openai_api_key: SecretStr = SecretStr("")
    openai_base_url: str = "https://api.openai.com/v1"

    cookie_keys: SecretStr = Field(default=SecretStr(""), description="comma-separated, newest first; made on a laptop")
    signup: Literal["open", "invite", "closed"] = "open"
    trusted_proxies: Annotated[str, AfterValidator(_networks)] = Field(
        default="", description="networks whose X-Forwarded-For is believed, comma-separated; empty: nobody's"
    )
    upload_limit_bytes: int = Field(default=50_000_000, gt=0)

    media_url: Annotated[str, _scheme("", "gs")] = Field(
        default="", description="a public bucket for videos, gs://BUCKET; empty: signed addresses"
    )
    media_public_url: str = Field(default="", description="where the public bucket is read; empty: Cloud Storage's own")

    site_month_usd: Decimal = Field(default=Decimal(20), ge=0, description="the most that a month may cost in all")
    user_month_usd: Decimal = Field(default=Decimal(10), ge=0, description="the most that one person's month may cost")
    user_day_usd: Decimal = Field(default=Decimal(5), ge=0, description="the most that one person's day may cost")
    budget_stop_share: float = Field(
        default=1.0, gt=0, le=10, description="the cloud's budget alert that stops spending: this share of it, or more"
    )

    push_account: str = Field(default="", description="the service account that carries Pub/Sub's messages")
    scheduler_account: str = Field(default="", description="the service account that calls the sweep")
    oidc_certs_url: str = Field(
        default="https://www.googleapis.com/oauth2/v1/certs", description="the keys that service tokens are signed with"
    )
    traces_url: Annotated[str, _scheme("none", "gcp")] = Field(default="none:", description="none: or gcp://PROJECT")

    sweep_seconds: float = Field(default=30.0, ge=0, description="how often a laptop's site sweeps; 0: somebody calls")
    launch_lease_seconds: float = Field(default=120.0, gt=0, description="how long a start of a lane's job counts")
    author_tasks: int = Field(default=1, ge=1, le=100, description="the most tasks of the job `author`")
    render_tasks: int = Field(default=4, ge=1, le=100, description="the most tasks of the job `render`")
    linger_seconds: float = Field(
        default=0.0, ge=0, description="how long an idle worker stays while an editor is open, at most"
    )
    task_timeout_seconds: float = Field(default=0.0, ge=0, description="when the platform ends a task; 0: never")
    task_cpu: float = Field(default=0.0, ge=0, description="processors that a task is billed for; 0: not billed")
    task_memory_mib: int = Field(default=0, ge=0, description="memory that a task is billed for")
    k_service: str = Field(default="", description="set by Cloud Run: the service's name")
    k_revision: str = Field(default="", description="set by Cloud Run: the service's revision")
    cloud_run_job: str = Field(default="", description="set by Cloud Run: the job's name")
    cloud_run_execution: str = Field(default="", description="set by Cloud Run: the job's execution")
    failpoints: str = Field(default="", description="for fault runs only: where a worker dies or stalls, and how often")

    render_workers: int = Field(default=1, ge=1, le=64, description="render workers that a laptop keeps")
    lease_seconds: float = Field(default=90.0, gt=0, description="how long a claimed job is held without renewal")
    poll_seconds: float = Field(default=0.5, gt=0, description="how often an idle worker looks at the job table")
    idle_exit_seconds: float = Field(default=0.0, ge=0, description="an idle worker ends after this; 0: never")
    step_deadline_seconds: float = Field(default=900.0, gt=0, description="a step running longer is killed")

    @model_validator(mode="after")
    def _production_refuses_development_parts(self) -> Settings:
        if self.environment != "production":
            return self
        for field, scheme in DEVELOPMENT_ONLY.items():
            if urlsplit(getattr(self, field)).scheme == scheme:
                raise ValueError(f"{field.upper()}={scheme}: is for development; production needs a real address")
        if self.failpoints:
            raise ValueError("FAILPOINTS is for fault runs; production must not break itself")
        if self.speech.split(":")[0] == "auto":
            raise ValueError("SPEECH=auto: is for development; name the voice, such as openai:gpt-4o-mini-tts")
        return self

    def refuse_for_the_site(self) -> None:
        """What only the site needs: keys for its cookies and a way to send mail. Jobs hold neither.

        Raises:
            BadInput: a key is missing in production, or too short to be one anywhere; or mail would go to a log.
        """
        keys = [key.strip() for key in self.cookie_keys.get_secret_value().split(",") if key.strip()]
        if any(len(key) < SHORTEST_COOKIE_KEY for key in keys):
            raise BadInput(
                f"COOKIE_KEYS holds a key of fewer than {SHORTEST_COOKIE_KEY} characters."
                " Draw a new one: openssl rand -base64 48"
            )
        if self.production and not keys:
            raise BadInput("COOKIE_KEYS is empty, and production needs a key of its own: openssl rand -base64 48")
        if self.production and urlsplit(self.mail_url).scheme == "console":
            raise BadInput("MAIL_URL=console: is for development; production needs an smtp:// or smtps:// address.")

    @property
    def caps(self) -> Caps:
        """The most that may be spent, in micro-dollars."""
        return Caps(*map(micro_dollars, (self.site_month_usd, self.user_month_usd, self.user_day_usd)))

    @property
    def role_members(self) -> Mapping[str, str]:
        """The database user of each role."""
        pairs = (pair.partition("=") for pair in self.database_role_members.split(";") if pair.strip())
        return {role.strip(): member.strip() for role, _, member in pairs}

    @property
    def model(self) -> str:
        """The author in force: a key in the environment is a wish to use it."""
        return self.llm or ("openai:gpt-4o-mini" if self.openai_api_key.get_secret_value() else "offline")

    @property
    def level(self) -> str:
        """The log level in force."""
        return self.log_level or ("info" if self.production else "warning")

    @property
    def production(self) -> bool:
        return self.environment == "production"

    def environ(self) -> dict[str, str]:
        """These settings as environment variables, for a child process that must resolve to the same."""
        values = {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            values[name.upper()] = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        return values


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment, with command-line choices on top.

    Raises:
        BadInput: a value is wrong; the message names the variable and what it may be.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"]).upper()
        said = first["msg"].removeprefix("Value error, ")
        raise BadInput(f"{name}: {said}." if name else f"{said}.") from error


def child_environment(settings: Settings) -> dict[str, str]:
    """The environment for a child process: this one's, with the resolved settings on top."""
    return {**os.environ, **settings.environ()}  # noqa: TID251 - the one reader
