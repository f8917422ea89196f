"""What containers are told and what the product asks for are the same, both ways."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from pydantic import ValidationError

from service.adapters.mail import open_mailer
from service.adapters.speech import open_speech
from service.errors import BadInput
from service.settings import DEVELOPMENT_ONLY, Settings
from tests.infra.conftest import VARIANTS, variant
from tests.infra.finding import environment_of

CONTAINERS = ("site", "author", "render", "migrate")
SECRET_VALUE = "a-value-from-secret-manager"


def told(name: str, of: str) -> dict[str, str]:
    """A container's environment with something in the place of each secret."""
    graph = variant(of, False)
    secrets = set(graph.config.secrets)
    return {
        key: "smtps://user:word@mail.test?from=courses@mail.test" if key == "MAIL_URL" and value in secrets else value
        for key, value in environment_of(graph, name).items()
    }


@pytest.fixture(autouse=True)
def _no_other_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields:
        monkeypatch.delenv(field.upper(), raising=False)


@pytest.mark.parametrize("of", VARIANTS)
@pytest.mark.parametrize("name", CONTAINERS)
def test_production_starts_with_what_the_container_is_told(name: str, of: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in told(name, of).items():
        monkeypatch.setenv(key, value)
    settings = Settings()
    assert settings.production
    assert settings.database_url.startswith("cloudsql://")
    assert settings.database_user == f"coursewright-{name}@{variant(of, False).config.project}.iam"
    assert settings.storage_url == f"gs://{variant(of, False).config.project}-content"


@pytest.mark.parametrize("name", CONTAINERS)
def test_without_any_variable_that_production_asks_for_it_refuses(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other way round: each of them is really asked for, so that what is told holds no idle one."""
    environment = told(name, "prod")
    asked_for = [*(field.upper() for field in DEVELOPMENT_ONLY), "SPEECH"]
    for missing in asked_for:
        with monkeypatch.context() as only:
            for key, value in environment.items():
                if key != missing:
                    only.setenv(key, value)
            with pytest.raises(ValidationError):
                Settings()


@pytest.mark.parametrize("name", CONTAINERS)
def test_the_parts_that_need_no_network_open(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting may be well-formed and still be refused by the part that it configures."""
    for key, value in told(name, "prod").items():
        monkeypatch.setenv(key, value)
    settings = Settings()
    if name == "site":
        open_mailer(settings)
    key = settings.openai_api_key.get_secret_value()
    open_speech(settings.speech, openai_api_key=key, openai_base_url=settings.openai_base_url, cache_dir=None).close()


def test_only_who_calls_models_holds_their_keys() -> None:
    keys = {name: {key for key in told(name, "prod") if key.endswith("_KEY")} for name in CONTAINERS}
    holders = ("site", "author", "render")
    assert keys == {name: {"OPENAI_API_KEY"} if name in holders else set() for name in CONTAINERS}
    assert "VECTORS_API_KEY" in told("author", "CDN, replicas, Qdrant")
    # There a model writes and nobody speaks.
    assert "OPENAI_API_KEY" in told("author", "CDN, replicas, Qdrant")
    assert not {"VECTORS_API_KEY", "OPENAI_API_KEY"} & set(told("render", "CDN, replicas, Qdrant"))


def test_the_site_alone_is_told_how_to_seal_cookies_and_to_send_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("author", "render", "migrate"):
        assert not {"COOKIE_KEYS", "MAIL_URL"} & set(told(name, "prod"))
    site = told("site", "prod") | {"COOKIE_KEYS": "a key as long as scripts/deploy draws them"}
    for key, value in site.items():
        monkeypatch.setenv(key, value)
    Settings().refuse_for_the_site()
    for missing in ("COOKIE_KEYS", "MAIL_URL"):
        with monkeypatch.context() as less:
            less.delenv(missing)
            with pytest.raises(BadInput, match=missing):
                Settings().refuse_for_the_site()


def test_the_migration_is_told_every_role_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in told("migrate", "prod").items():
        monkeypatch.setenv(key, value)
    assert Settings().role_members == {
        role: f"coursewright-{role}@replace-me-prod.iam" for role in ("site", "author", "render")
    }


def test_a_callers_address_is_believed_from_the_platform_alone() -> None:
    trusted = [ip_network(one) for one in told("site", "prod")["TRUSTED_PROXIES"].split(",")]
    assert any(ip_address("169.254.169.126") in network for network in trusted)
    assert not [network for network in trusted if not network.is_private]


def test_the_lanes_are_started_by_the_site_alone() -> None:
    assert told("site", "prod")["JOBS_URL"] == "cloudrun://replace-me-prod/us-central1"
    assert {told(name, "prod")["JOBS_URL"] for name in ("author", "render", "migrate")} == {"none:"}
