"""Voices: one contract for every adapter, and each one's own ways to fail."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.adapters.speech import PiperSpeech, open_speech
from service.errors import BadInput, Unavailable
from service.ports import Speech
from service.settings import ROOT
from tests.adapters.openai_server import PCM, ScriptedOpenAI, scripted_openai


@pytest.fixture
def service() -> Iterator[ScriptedOpenAI]:
    with scripted_openai() as running:
        yield running


def opened(spec: str, url: str = "http://127.0.0.1:9/v1", key: str = "sk-test") -> Speech:
    return open_speech(spec, openai_api_key=key, openai_base_url=url, cache_dir=None)


@pytest.fixture(params=["piper:", "espeak:", "silent:", "openai:gpt-4o-mini-tts"])
def speech(request: pytest.FixtureRequest, service: ScriptedOpenAI) -> Iterator[Speech]:
    if request.param == "espeak:" and not shutil.which("espeak-ng"):
        pytest.skip("espeak-ng is not installed on this machine")
    voice = opened(request.param, service.url)
    yield voice
    voice.close()


def test_every_voice_speaks_mono_pcm_at_its_rate(speech: Speech) -> None:
    said = speech.say("The sea comes and goes twice a day.")
    assert 16_000 <= said.rate <= 48_000
    assert len(said.pcm) % 2 == 0
    assert 0.8 < said.seconds < 8
    if not speech.voice.startswith("silent"):
        assert max(map(abs, array("h", said.pcm))) > 1000, "something is heard"


def test_every_voice_names_itself_for_the_cache(speech: Speech) -> None:
    engine, _, rest = speech.voice.partition(":")
    assert engine in {"piper", "espeak", "silent", "openai"}
    assert rest


def test_every_voice_takes_any_text_and_can_be_closed_twice(speech: Speech) -> None:
    for text in ("…", "日本語 und Ümlaut\nin two lines", "<speak>&amp;</speak> --help"):
        assert speech.say(text).seconds >= 0
    speech.close()
    speech.close()


def test_a_longer_sentence_takes_longer() -> None:
    silent = opened("silent:")
    assert silent.say("one two three four five").seconds == pytest.approx(2.0)
    assert silent.say("one two three four five " * 5).seconds == pytest.approx(10.0)
    assert silent.say("海" * 120).seconds == pytest.approx(4.0)


def test_auto_takes_the_best_that_is_here() -> None:
    voice = opened("auto:", key="")
    assert voice.voice.startswith("piper:en_US-joe-medium")
    voice.close()


@pytest.mark.parametrize("spec", ["", "opera:", "joe", "piper:/no/such/voice.onnx", "openai:gpt-4o-mini-tts"])
def test_a_voice_that_cannot_be_had_is_refused_with_the_way_out(spec: str) -> None:
    with pytest.raises(BadInput, match=r"Use |use |Give "):
        opened(spec, key="")


def test_openai_is_asked_for_pcm_with_key_model_and_voice(service: ScriptedOpenAI) -> None:
    voice = opened("openai:some-tts/sage", service.url)
    said = voice.say("Hello.")
    assert (said.pcm, said.rate) == (PCM, 24_000)
    assert service.bodies("/v1/audio/speech") == [
        {"model": "some-tts", "voice": "sage", "input": "Hello.", "response_format": "pcm"}
    ]
    assert service.keys == ["Bearer sk-test"]
    assert voice.voice == "openai:some-tts/sage"
    voice.close()


def test_a_killed_piper_is_started_again() -> None:
    voice = opened("piper:")
    assert isinstance(voice, PiperSpeech)
    try:
        assert voice.say("First.").seconds > 0
        assert voice._child
        voice._child.kill()
        voice._child.wait()
        assert voice.say("Second.").seconds > 0
    finally:
        voice.close()


def test_piper_that_dies_in_the_middle_is_worth_a_retry(tmp_path: Path) -> None:
    model = tmp_path / "voice.onnx"
    model.write_bytes(b"not a model")
    (tmp_path / "voice.onnx.json").write_text("{}")
    with pytest.raises(Unavailable):
        open_speech(f"piper:{model}", openai_api_key="", openai_base_url="", cache_dir=None).say("Hello.")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes through /proc")
def test_piper_ends_when_its_parent_is_killed() -> None:
    code = (
        "from service.adapters.speech import open_speech; import time;"
        "v = open_speech('piper:', openai_api_key='', openai_base_url='', cache_dir=None); v.say('Hello.');"
        "print(v._child.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    child = int(parent.stdout.readline())
    assert alive(child)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 10
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(child)
