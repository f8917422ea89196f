"""Every way in which a paid provider fails, over real HTTP: few calls, bounded time, and an error that has a name."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Callable, Iterator

import pytest

from service.adapters.embeddings import OpenAIEmbedder
from service.adapters.provider import Patience
from service.adapters.speech import OpenAISpeech
from service.errors import Broken, CoursewrightError, Paused, Throttled, Unavailable
from tests.adapters import openai_server as openai
from tests.adapters.openai_server import Mode, ScriptedOpenAI, refused, scripted_openai

HASTY = Patience(base=0.005, cap=0.01, one_try=0.3, total=10.0)
GENEROUS = 30.0  # seconds that a machine under load may need for what takes two
Ask = Callable[[str], object]


@pytest.fixture
def server() -> Iterator[ScriptedOpenAI]:
    with scripted_openai() as running:
        yield running


@pytest.fixture(params=["speech", "embeddings"])
def ask(request: pytest.FixtureRequest, server: ScriptedOpenAI) -> Iterator[Ask]:
    """One question to the provider, as the product asks it."""
    caller = opened(request.param, server.url, HASTY)
    yield caller.say if isinstance(caller, OpenAISpeech) else caller.query
    caller.close()


def opened(kind: str, url: str, patience: Patience) -> OpenAISpeech | OpenAIEmbedder:
    made = OpenAISpeech if kind == "speech" else OpenAIEmbedder
    return made("a-model", "sk-secret", url, patience)


@pytest.mark.parametrize("mode", openai.PASSING, ids=str)
def test_what_passes_is_tried_three_times_and_is_unavailable(ask: Ask, server: ScriptedOpenAI, mode: Mode) -> None:
    server.always = mode
    began = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        ask("Hello.")
    assert type(caught.value) is Unavailable
    assert server.modes == [mode.name] * 3
    assert time.monotonic() - began < GENEROUS


@pytest.mark.parametrize("mode", [*openai.PASSING, openai.THROTTLED], ids=str)
def test_what_passed_is_answered_at_the_third_try(ask: Ask, server: ScriptedOpenAI, mode: Mode) -> None:
    server.script = [mode, mode]
    assert ask("Hello.")
    assert server.modes == [mode.name, mode.name, "ok"]


@pytest.mark.parametrize("mode", openai.REFUSALS, ids=str)
def test_a_refusal_is_asked_once_and_says_the_way_out(ask: Ask, server: ScriptedOpenAI, mode: Mode) -> None:
    server.always = mode
    with pytest.raises(Broken, match=rf"refused \({mode.status}\)\. Check"):
        ask("Hello.")
    assert server.calls() == 1


@pytest.mark.parametrize("mode", [openai.NO_QUOTA, refused(402), refused(400, "billing_hard_limit_reached")], ids=str)
def test_an_account_without_credit_pauses_and_is_never_asked_again(
    ask: Ask, server: ScriptedOpenAI, mode: Mode
) -> None:
    server.always = mode
    with pytest.raises(Paused, match="no credit"):
        ask("Hello.")
    assert server.calls() == 1


def test_a_provider_that_wants_less_is_obeyed_and_then_named(ask: Ask, server: ScriptedOpenAI) -> None:
    server.always = refused(429, "rate_limit_exceeded", retry_after="1.5")
    began = time.monotonic()
    with pytest.raises(Throttled) as caught:
        ask("Hello.")
    assert caught.value.after_seconds == 1.5
    assert server.calls() == 3
    assert time.monotonic() - began >= 3.0, "it waited as long as it was asked to"


@pytest.mark.parametrize("asked", [{"retry_after": "3600"}, {"retry_after_ms": "3600000"}], ids=["s", "ms"])
def test_a_long_rest_is_left_to_the_engine(ask: Ask, server: ScriptedOpenAI, asked: dict[str, str]) -> None:
    server.always = refused(429, "rate_limit_exceeded", **asked)
    with pytest.raises(Throttled) as caught:
        ask("Hello.")
    assert caught.value.after_seconds == 3600
    assert server.calls() == 1, "waiting for an hour inside a call would hold the lease for nothing"


def test_a_rest_may_be_given_as_a_date_and_nonsense_is_no_rest(ask: Ask, server: ScriptedOpenAI) -> None:
    server.always = refused(429, retry_after=email.utils.formatdate(time.time() + 600, usegmt=True))
    with pytest.raises(Throttled) as caught:
        ask("Hello.")
    assert caught.value.after_seconds == pytest.approx(600, abs=30)
    server.always = refused(429, retry_after="soon")
    with pytest.raises(Throttled) as caught:
        ask("Hello.")
    assert caught.value.after_seconds is None


def test_a_hanging_provider_is_given_up_within_the_total(server: ScriptedOpenAI) -> None:
    server.always = openai.HANG
    speech = OpenAISpeech("a-model", "sk-secret", server.url, Patience(tries=50, base=0.01, one_try=0.4, total=1.0))
    with pytest.raises(Unavailable):
        speech.say("Hello.")
    assert 2 <= server.calls() <= 4, "the last try is cut to what is left of the total"
    speech.close()


def test_a_server_that_is_not_there_is_unavailable() -> None:
    for kind in ("speech", "embeddings"):
        caller = opened(kind, "http://127.0.0.1:9/v1", HASTY)
        with pytest.raises(Unavailable):
            (caller.say if isinstance(caller, OpenAISpeech) else caller.query)("Hello.")


def test_no_failure_tells_the_key(ask: Ask, server: ScriptedOpenAI) -> None:
    for mode in (*openai.REFUSALS, openai.NO_QUOTA, openai.THROTTLED, openai.RESET):
        server.always = mode
        with pytest.raises(CoursewrightError) as caught:
            ask("Hello.")
        assert "sk-secret" not in f"{caught.value!r} {caught.value.__cause__!r}"
    assert set(server.keys) == {"Bearer sk-secret"}


def test_the_default_patience_is_a_minute_at_most() -> None:
    patience = Patience()
    assert (patience.tries, patience.base, patience.cap, patience.total) == (3, 1.0, 20.0, 60.0)
    assert patience.one_try < patience.total
