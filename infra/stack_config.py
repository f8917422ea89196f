"""The stack's configuration as one typed record, and the only reader of pulumi.Config.

Every refusal names the key and says how to set it. Groups are objects in `Pulumi.<stack>.yaml`, so that a key that
nobody knows is a refusal too, not a silent default.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal

import pulumi
from pulumi.runtime.config import CONFIG
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from infra.platform_limits import database_connections, refuse_instance, refuse_tier

NAMESPACE = "coursewright"
PLACEHOLDER = re.compile(r"replace-me|000000-000000-000000|@example\.(com|org)", re.IGNORECASE)
# Numbers look like nobody's placeholder: the key says it.
PLACEHOLDER_NUMBERS = {f"{NAMESPACE}:delivery.installation_id": 1}

# Secret name in Secret Manager → its key in the configuration, always set with `pulumi config set --secret`.
SECRET_KEYS = {
    "cookie-keys": "cookieKeys",
    "mail-url": "mailUrl",
    "openai-key": "openaiKey",
    "vectors-key": "vectorsKey",
    "github-token": "githubToken",
}

RESERVED_CONNECTIONS = 3  # PostgreSQL keeps these for superusers
SITE_POOL, WORKER_POOL = 3, 2
# A step may take 900 s before it is taken from its worker, and a task gives its job back before its end: in a shorter
# one the longest steps would be begun again for ever.
LEAST_TASK_SECONDS = 1200


class Group(BaseModel):
    """A group of settings: frozen, and a stranger among its keys is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Site(Group):
    """The Cloud Run service."""

    domain: str = Field(default="", description="a verified domain of yours; empty: the address that Cloud Run gives")
    cpu: Literal[1, 2, 4] = 1
    memory_mib: int = Field(default=1024, ge=512, le=8192)
    min_instances: int = Field(default=0, ge=0, le=10)
    max_instances: int = Field(default=3, ge=1, le=100)
    concurrency: int = Field(default=40, ge=1, le=250)
    timeout_seconds: int = Field(default=900, ge=60, le=1800, description="the longest request")
    # Not `closed`: a release is tried by somebody who is invited for it, and without invitations nobody else comes in.
    signup: Literal["open", "invite"] = "invite"
    log_level: Literal["debug", "info"] = "info"  # the gauges are a line at info: above it the alerts are blind

    @model_validator(mode="after")
    def _memory_fits_processors(self) -> Site:
        refuse_instance(self.cpu, self.memory_mib)
        return self


class Lane(Group):
    """One lane's Cloud Run Job. Tasks are anonymous workers, so their number is only a width."""

    tasks: int = Field(default=2, ge=1, le=100)
    cpu: Literal[1, 2, 4, 8] = 1
    memory_mib: int = Field(default=1024, ge=512, le=32768)
    scratch_mib: int = Field(default=256, ge=64, le=16384, description="in memory, so it counts against memory_mib")
    timeout_seconds: int = Field(default=3600, ge=LEAST_TASK_SECONDS, le=86400)
    idle_exit_seconds: int = Field(default=20, ge=1, le=600)
    linger_seconds: int = Field(
        default=60, ge=0, le=3600, description="how long a worker waits for the next edit while somebody edits"
    )

    @model_validator(mode="after")
    def _scratch_leaves_room(self) -> Lane:
        refuse_instance(self.cpu, self.memory_mib)
        if self.scratch_mib > self.memory_mib // 2:
            raise ValueError(
                f"scratch_mib {self.scratch_mib} is more than half of memory_mib {self.memory_mib}; scratch lives in"
                " memory, so raise memory_mib or lower scratch_mib"
            )
        return self


class Jobs(Group):
    """The lanes."""

    author: Lane = Lane()
    render: Lane = Lane(cpu=2, memory_mib=4096, scratch_mib=1024)


class Database(Group):
    """Cloud SQL for PostgreSQL."""

    version: Literal["POSTGRES_15", "POSTGRES_16", "POSTGRES_17", "POSTGRES_18"] = "POSTGRES_17"
    tier: Annotated[str, AfterValidator(refuse_tier)] = "db-f1-micro"
    disk_type: Literal["PD_HDD", "PD_SSD"] = "PD_HDD"
    disk_gb: int = Field(default=10, ge=10, le=4096)
    disk_limit_gb: int = Field(default=50, ge=10, le=8192, description="the disk grows by itself up to this")
    availability: Literal["zonal", "regional"] = "zonal"
    point_in_time_recovery: bool = False
    backups_kept: int = Field(default=7, ge=1, le=365)
    read_replicas: int = Field(default=0, ge=0, le=5)

    @model_validator(mode="after")
    def _regional_needs_logs(self) -> Database:
        if self.availability == "regional" and not self.point_in_time_recovery:
            raise ValueError("availability: regional needs point_in_time_recovery: true; set both, or stay zonal")
        if self.disk_limit_gb < self.disk_gb:
            raise ValueError("disk_limit_gb is smaller than disk_gb; raise it")
        return self

    @property
    def connections(self) -> int:
        """How many clients the tier takes."""
        return database_connections(self.tier)


class Media(Group):
    """Where videos are read from."""

    access: Literal["signed", "public", "cdn"] = "signed"
    domain: str = Field(default="", description="the CDN's own domain, for access: cdn")

    @model_validator(mode="after")
    def _cdn_needs_a_name(self) -> Media:
        if self.access == "cdn" and not self.domain:
            raise ValueError("access: cdn needs a domain for its certificate; set domain, or choose signed or public")
        return self


def _in_an_image(none: str) -> Callable[[str], str]:
    """Refuses a model that is neither this word for none nor one of OpenAI's."""

    def checked(model: str) -> str:
        if model != none and not re.fullmatch("openai:.+", model):
            raise ValueError(f"no image brings {model!r}; it is {none} or openai:MODEL")
        return model

    return checked


class Models(Group):
    """Author, voice, embeddings and index, written as the site's own settings take them.

    A laptop has more voices and an embedding model of its own; they weigh more than the images do.
    """

    llm: str = Field(default="offline", pattern=r"^(offline|openai:.+)$")
    speech: Annotated[str, AfterValidator(_in_an_image("silent:"))] = "silent:"
    embeddings: Annotated[str, AfterValidator(_in_an_image("none:"))] = "none:"
    vectors_url: str = Field(default="memory:", pattern=r"^(memory:|https://.+)$")

    @property
    def use_openai(self) -> bool:
        return any(name.startswith("openai:") for name in (self.llm, self.speech, self.embeddings))

    @property
    def speak_by_openai(self) -> bool:
        return self.speech.startswith("openai:")

    @property
    def use_qdrant(self) -> bool:
        return self.vectors_url != "memory:"


class Delivery(Group):
    """How a push to the repository becomes a release."""

    repository: str = Field(default="", pattern=r"^([\w.-]+/[\w.-]+)?$", description="owner/name; empty: no trigger")
    branch: str = "main"
    connection: Literal["first-generation", "second-generation"] = "second-generation"
    installation_id: int = Field(default=0, ge=0, description="of the Cloud Build GitHub app, second generation only")
    approval: bool = False
    github_actions: bool = Field(default=False, description="let the repository's workflows act as the builder")
    image_versions_kept: int = Field(
        default=1,
        ge=0,
        le=20,
        description="besides the one that serves: first the one to roll back to, then the newest",
    )

    @model_validator(mode="after")
    def _connection_is_complete(self) -> Delivery:
        if self.second_generation and not self.installation_id:
            raise ValueError(
                "the second-generation connection needs installation_id, the number at the end of the GitHub app's"
                " settings address; set it, or choose connection: first-generation"
            )
        if self.github_actions and not self.repository:
            raise ValueError("github_actions needs repository: owner/name, which alone may act as the builder")
        return self

    @property
    def second_generation(self) -> bool:
        return bool(self.repository) and self.connection == "second-generation"


class Guard(Group):
    """Who is told, and when spending stops."""

    billing_account: str = Field(default="", pattern=r"^([0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6})?$")
    budget: int = Field(default=20, ge=1, description="a month, in the billing account's currency")
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    stop_share: Literal[0.5, 0.8, 1.0] = Field(
        default=1.0,
        description="the budget's alert at which the site stops new work; only shares that alerts are sent at",
    )
    email: str = Field(default="", pattern=r"^([^@\s]+@[^@\s]+)?$")
    alerts: bool = Field(default=True, description="alert policies; each condition is billed")


class Spending(Group):
    """The product's own caps, in US dollars: exact, and asked before anything is paid for."""

    site_month_usd: float = Field(default=20, ge=0, le=1_000_000)
    user_month_usd: float = Field(default=10, ge=0, le=1_000_000)
    user_day_usd: float = Field(default=5, ge=0, le=1_000_000)

    @model_validator(mode="after")
    def _caps_nest(self) -> Spending:
        if not self.user_day_usd <= self.user_month_usd <= self.site_month_usd:
            raise ValueError(
                "user_day_usd, user_month_usd and site_month_usd must not fall in this order, or the larger cap is"
                " never reached; set them so"
            )
        return self


class StackConfig(Group):
    """Everything that one stack is told. One project holds one stack, so names need no prefix."""

    project: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$")]
    region: Annotated[str, Field(pattern=r"^[a-z]+-[a-z]+\d+$")]
    protect: bool = Field(default=True, description="refuse to delete the database, the content and the site")
    free_tier: Literal["strict", "open"] = "open"
    sweep_schedule: str = "* * * * *"
    site: Site = Site()
    jobs: Jobs = Jobs()
    database: Database = Database()
    media: Media = Media()
    models: Models = Models()
    delivery: Delivery = Delivery()
    guard: Guard = Guard()
    spending: Spending = Spending()

    @model_validator(mode="after")
    def _connections_suffice(self) -> StackConfig:
        if self.connections_needed > self.database.connections:
            raise ValueError(
                f"site.max_instances, jobs.author.tasks and jobs.render.tasks need {self.connections_needed} database"
                f" connections and {self.database.tier} takes {self.database.connections}; lower them or raise"
                " database.tier"
            )
        return self

    @property
    def connections_needed(self) -> int:
        """At full width, while one instance of a new revision is tried and the schema is migrated."""
        workers = self.jobs.author.tasks + self.jobs.render.tasks
        return (self.site.max_instances + 1) * SITE_POOL + workers * WORKER_POOL + 1 + RESERVED_CONNECTIONS

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secrets that this configuration needs; Secret Manager gives six active versions for nothing."""
        wanted = {
            "cookie-keys": True,
            "mail-url": True,
            "openai-key": self.models.use_openai,
            "vectors-key": self.models.use_qdrant,
            "github-token": self.delivery.second_generation,
        }
        return tuple(name for name, needed in wanted.items() if needed)


class BadConfig(pulumi.RunError):
    """The configuration cannot be used; the message says which key and how to set it."""


def load_config(*, refuse_placeholders: bool = True) -> StackConfig:
    """The running stack's configuration.

    Raises:
        BadConfig: a key is unknown, missing or wrong, or still the placeholder of the committed file.
    """
    given = _given()
    _refuse_unknown(given)
    gcp = pulumi.Config("gcp")
    raw: dict[str, Any] = {"project": gcp.get("project"), "region": gcp.get("region")}
    own = pulumi.Config(NAMESPACE)
    for name in StackConfig.model_fields:
        if (text := own.get(name)) is not None:
            raw[name] = _value(text)
    config = validated({name: value for name, value in raw.items() if value is not None})
    _refuse_budget_without_project(config, gcp)
    if refuse_placeholders:
        _refuse_placeholders(given)
    return config


def secret_value(name: str) -> pulumi.Output[str]:
    """The configured value of a secret, which stays a secret in the state.

    Raises:
        BadConfig: it was never set.
    """
    key = SECRET_KEYS[name]
    value = pulumi.Config(NAMESPACE).get_secret(key)
    if value is None:
        raise BadConfig(f"{NAMESPACE}:{key} is missing. Set it: pulumi config set --secret {NAMESPACE}:{key}")
    return value


def _refuse_budget_without_project(config: StackConfig, gcp: pulumi.Config) -> None:
    """Budgets belong to the billing account, and its API asks whose project is calling."""
    told = gcp.get("userProjectOverride") == "true" and gcp.get("billingProject")
    if config.guard.billing_account and not told:
        raise BadConfig(
            f"{NAMESPACE}:guard.billing_account asks for a budget, whose API refuses credentials of a person that name"
            " no project. Set both: pulumi config set gcp:userProjectOverride true;"
            f" pulumi config set gcp:billingProject {config.project}"
        )


def _given() -> Mapping[str, str]:
    return {**pulumi.runtime.get_config_env(), **CONFIG.get()}


def _value(text: str) -> object:
    """Groups and numbers come as JSON, plain words as themselves."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _refuse_unknown(given: Mapping[str, str]) -> None:
    known = {*StackConfig.model_fields, *SECRET_KEYS.values()} - {"project", "region"}
    for key in given:
        namespace, _, name = key.partition(":")
        if namespace == NAMESPACE and name not in known:
            raise BadConfig(
                f"{key} is not a setting of this program. Known are {', '.join(sorted(known))}."
                f" Remove it: pulumi config rm {key}"
            )


def validated(raw: Mapping[str, object]) -> StackConfig:
    """The configuration as a record.

    Raises:
        BadConfig: a key or a value cannot be used; every one of them is named, with the way to set it.
    """
    try:
        return StackConfig.model_validate(raw)
    except ValidationError as error:
        raise BadConfig("\n".join(_refusal(dict(one)) for one in error.errors(include_url=False))) from error


def _refusal(error: Mapping[str, Any]) -> str:
    path = [str(part) for part in error["loc"]]
    said = str(error["msg"]).removeprefix("Value error, ")
    if not path:
        return f"{NAMESPACE}: {said}."
    if path[0] in ("project", "region"):
        return f"gcp:{path[0]}: {said}. Set it: pulumi config set gcp:{path[0]} VALUE"
    key = f"{NAMESPACE}:{'.'.join(path)}"
    return f"{key}: {said}. Set it: pulumi config set --path {key} VALUE"


def _refuse_placeholders(given: Mapping[str, str]) -> None:
    for key, text in given.items():
        for path, value in _leaves(key, _value(text)):
            if PLACEHOLDER.search(str(value)) or PLACEHOLDER_NUMBERS.get(path) == value:
                raise BadConfig(
                    f"{path} still holds a placeholder of the committed file. Set yours: pulumi config set"
                    f"{' --path' * (path != key)} {path} VALUE, or edit the stack's file; docs/deploy.md goes through"
                    " it."
                )


def _leaves(path: str, value: object) -> Iterator[tuple[str, object]]:
    """A group's keys one by one: setting the group itself would replace all of it by one word."""
    if not isinstance(value, dict):
        yield path, value
        return
    for name, inner in value.items():
        yield from _leaves(f"{path}.{name}", inner)
