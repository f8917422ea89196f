"""The breaker: who fails often is left alone, one worker tries again, and the others do not come back as a herd."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text

from service.db import breaker as breakers
from service.db.breaker import Breaker
from service.db.guarded import GuardedEmbedder, GuardedSpeech, guarded_embedder, guarded_speech
from service.errors import Broken, Canceled, CoursewrightError, Paused, Resting, Throttled, Unavailable
from service.ports import Spoken
from tests.engine.desk import Desk


@pytest.fixture
def breaker(engine: Engine) -> Breaker:
    return Breaker(engine, "openai speech")


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)


def fails(error: CoursewrightError) -> Callable[[], None]:
    def work() -> None:
        raise error

    return work


def strike(breaker: Breaker, times: int, error: CoursewrightError | None = None) -> None:
    for _ in range(times):
        with pytest.raises(Unavailable):
            breaker.call(fails(error or Unavailable("It is away. Try later.")))


def rest_is_over(desk: Desk) -> None:
    desk.do(lambda session: session.execute(text("UPDATE provider_health SET open_until = now() - interval '1 s'")))


def opened_for(desk: Desk) -> float:
    return float(desk.scalar("SELECT extract(epoch FROM open_until - now()) FROM provider_health"))


def resting(breaker: Breaker) -> float:
    with pytest.raises(Resting) as refused:
        breaker.call(lambda: pytest.fail("it was asked"))
    return refused.value.seconds


def test_it_opens_with_the_fifth_strike_in_a_minute_and_asks_no_more(breaker: Breaker) -> None:
    strike(breaker, 4)
    assert breaker.call(lambda: "fine") == "fine"
    strike(breaker, 1, Throttled("Too many. Wait."))
    assert resting(breaker) > 0


def test_strikes_of_an_earlier_minute_do_not_count(breaker: Breaker, desk: Desk) -> None:
    strike(breaker, 4)
    old = text("UPDATE provider_health SET window_start = now() - interval '61 s'")
    desk.do(lambda session: session.execute(old))
    strike(breaker, 4)
    assert breaker.call(lambda: "fine") == "fine"


@pytest.mark.parametrize("error", [Broken("The key is wrong."), Paused("The quota is used up."), Canceled("Stop.")])
def test_an_answer_is_no_strike_even_if_it_is_no(breaker: Breaker, desk: Desk, error: CoursewrightError) -> None:
    for _ in range(8):
        with pytest.raises(type(error)):
            breaker.call(fails(error))
    assert desk.scalar("SELECT count(*) FROM provider_health") == 0


def test_every_process_sees_it_open(breaker: Breaker, engine: Engine) -> None:
    strike(breaker, 5)
    resting(Breaker(engine, "openai speech"))
    assert Breaker(engine, "openai embeddings").call(lambda: "another one") == "another one"


def test_of_many_that_come_back_one_tries_and_its_success_lets_all_in(breaker: Breaker, desk: Desk) -> None:
    strike(breaker, 5)
    rest_is_over(desk)
    asked: list[int] = []
    together, sent_away = threading.Barrier(12), threading.Semaphore(0)

    def answer() -> str:
        asked.append(1)
        assert all(sent_away.acquire(timeout=30) for _ in range(11)), "the others were not sent away meanwhile"
        return "it is back"

    def come_back(_: int) -> str:
        together.wait(30)
        try:
            return breaker.call(answer)
        except Resting:
            sent_away.release()
            return "later"

    with ThreadPoolExecutor(12) as pool:
        told = list(pool.map(come_back, range(12)))
    assert (len(asked), told.count("it is back"), told.count("later")) == (1, 1, 11)
    assert breaker.call(lambda: "fine") == "fine"
    strike(breaker, 4)
    assert breaker.call(lambda: "closed again, so it counts from nothing")


def test_a_prober_that_fails_doubles_the_rest_up_to_ten_minutes(breaker: Breaker, desk: Desk) -> None:
    strike(breaker, 5)
    for seconds in (30, 60, 120, 240, 480, 600, 600):
        assert seconds - 5 < opened_for(desk) <= seconds
        rest_is_over(desk)
        strike(breaker, 1)


def test_a_prober_that_died_is_replaced(breaker: Breaker, desk: Desk) -> None:
    strike(breaker, 5)
    rest_is_over(desk)
    assert breaker.admit() is not None
    resting(breaker)
    dead = text("UPDATE provider_health SET probing_until = now() - interval '1 s'")
    desk.do(lambda session: session.execute(dead))
    assert breaker.call(lambda: "it is back") == "it is back"


@pytest.mark.parametrize("error", [Canceled("Stop."), Paused("The month is spent.")])
def test_a_prober_that_is_stopped_in_between_gives_its_turn_away(
    breaker: Breaker, desk: Desk, error: CoursewrightError
) -> None:
    strike(breaker, 5)
    rest_is_over(desk)
    with pytest.raises(type(error)):
        breaker.call(fails(error))
    assert desk.scalar("SELECT opened FROM provider_health") == 1
    assert breaker.call(lambda: "it is back") == "it is back"
    assert desk.scalar("SELECT opened FROM provider_health") == 0


def test_a_slow_prober_that_succeeds_closes_it_although_another_one_tries_by_now(breaker: Breaker, desk: Desk) -> None:
    strike(breaker, 5)
    rest_is_over(desk)
    slow = breaker.admit()
    desk.do(lambda s: s.execute(text("UPDATE provider_health SET probing_until = now() - interval '1 s'")))
    assert breaker.admit() not in (None, slow)
    assert slow is not None
    breaker._end_probe(breakers.CLOSE, slow)
    assert breaker.admit() is None


def test_a_late_prober_does_not_close_what_another_one_found_broken(breaker: Breaker, desk: Desk) -> None:
    strike(breaker, 5)
    rest_is_over(desk)
    late = breaker.admit()
    assert late is not None
    rest_is_over(desk)
    desk.do(lambda s: s.execute(text("UPDATE provider_health SET probing_until = now() - interval '1 s'")))
    strike(breaker, 1)
    breaker._end_probe(breakers.CLOSE, late)
    resting(breaker)


def test_a_call_that_began_before_it_opened_and_fails_late_changes_nothing(breaker: Breaker, desk: Desk) -> None:
    strike(breaker, 5)
    before = desk.scalar("SELECT open_until FROM provider_health")
    breaker._strike(None, 500.0)
    assert desk.scalar("SELECT open_until FROM provider_health") == before


def test_a_time_that_the_provider_names_is_kept(breaker: Breaker, desk: Desk) -> None:
    strike(breaker, 4)
    strike(breaker, 1, Throttled("Too many. Wait.", after_seconds=200.0))
    assert 190 < opened_for(desk) <= 200


def test_the_waiting_come_back_spread_over_more_than_half_of_the_window(breaker: Breaker) -> None:
    strike(breaker, 5)
    rests = sorted(resting(breaker) for _ in range(60))
    window = breakers.FIRST_REST_SECONDS
    assert rests[-1] - rests[0] > window / 2
    assert rests[0] > 20, "nobody comes back before the rest is over"
    fullest = max(sum(start <= rest < start + window / 10 for rest in rests) for start in rests)
    assert fullest < 30, "half of them come back within a tenth of the window"


# --- around the providers ---


class Voice:
    def __init__(self, voice: str) -> None:
        self.voice, self.asked, self.closed = voice, 0, False

    def say(self, text: str) -> Spoken:
        self.asked += 1
        raise Unavailable(f"{text} cannot be said now. Try later.")

    def close(self) -> None:
        self.closed = True


class Vectorizer:
    def __init__(self, name: str) -> None:
        self.name, self.dimensions, self.asked = name, 2, 0

    def passages(self, texts: Sequence[str]) -> list[list[float]]:
        self.asked += 1
        raise Throttled(f"Too many with these {len(texts)}. Wait.")

    def query(self, text: str) -> list[float]:
        return [0.0, float(len(text))]


@pytest.fixture
def voice() -> Iterator[Voice]:
    yield Voice("openai:tts-1/coral")


def test_a_providers_voice_is_left_alone_after_five_failures(engine: Engine, voice: Voice) -> None:
    guarded = guarded_speech(voice, engine)
    assert isinstance(guarded, GuardedSpeech)
    assert guarded.voice == voice.voice
    for _ in range(9):
        with pytest.raises(Unavailable):
            guarded.say("Hello")
    assert voice.asked == 5
    guarded.close()
    assert voice.closed


def test_a_providers_embedder_is_left_alone_after_five_failures(engine: Engine) -> None:
    inner = Vectorizer("openai-text-embedding-3-small")
    guarded = guarded_embedder(inner, engine)
    assert isinstance(guarded, GuardedEmbedder)
    assert guarded.query("ab") == [0.0, 2.0]
    for _ in range(9):
        with pytest.raises(Unavailable):
            guarded.passages(["x"])
    assert inner.asked == 5
    with pytest.raises(Resting):
        guarded.query("ab")


def test_what_runs_on_this_machine_has_no_breaker(engine: Engine) -> None:
    local, own = Voice("piper:joe"), Vectorizer("multilingual-e5-small-q4")
    assert guarded_speech(local, engine) is local
    assert guarded_embedder(own, engine) is own
    assert guarded_embedder(None, engine) is None
