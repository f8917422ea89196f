"""What containers are told and what the product asks for are the same, both ways."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from service.adapters.mail import open_mailer
from service.adapters.speech import open_speech
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
    """The other way round: each of them is really asked for, so the list in `infra/compute.py` holds no idle one."""
    environment = told(name, "prod")
    asked_for = [*(field.upper() for field in DEVELOPMENT_ONLY), "COOKIE_KEYS", "SPEECH"]
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
    open_mailer(settings)
    key = settings.openai_api_key.get_secret_value()
    open_speech(settings.speech, openai_api_key=key, openai_base_url=settings.openai_base_url, cache_dir=None).close()


def test_only_who_calls_models_holds_their_keys() -> None:
    keys = {name: {key for key in told(name, "prod") if key.endswith("_KEY")} for name in CONTAINERS}
    holders = ("site", "author", "render")
    assert keys == {name: {"OPENAI_API_KEY"} if name in holders else set() for name in CONTAINERS}
    assert "VECTORS_API_KEY" in told("author", "CDN, replicas, Qdrant")
    assert "VECTORS_API_KEY" not in told("render", "CDN, replicas, Qdrant")


def test_jobs_hold_no_real_cookie_key_and_no_mail_password() -> None:
    graph = variant("prod", False)
    for name in ("author", "render", "migrate"):
        environment = environment_of(graph, name)
        assert {environment["COOKIE_KEYS"], environment["MAIL_URL"]}.isdisjoint(graph.config.secrets)


def test_the_lanes_are_started_by_the_site_alone() -> None:
    assert told("site", "prod")["JOBS_URL"] == "cloudrun://replace-me-prod/us-central1"
    assert {told(name, "prod")["JOBS_URL"] for name in ("author", "render", "migrate")} == {"none:"}
