"""Piper in a process of its own: it is under the GPL and we are not, and its memory goes when it ends.

Started as a script by `speech.PiperSpeech`. Reads one JSON object a line from standard input (`{"text": …}`) and
answers each with a line `{"rate": …, "bytes": …}` followed by that many bytes of 16-bit PCM, or with `{"error": …}`.
Ends when its input does, so it never outlives its parent.
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO


def load(model: Path, threads: int, files: Path) -> Any:
    """The voice of a model, limited to so many threads: beside it the same machine encodes pictures."""
    import onnxruntime
    from piper import PiperVoice
    from piper.config import PiperConfig

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    config = PiperConfig.from_dict(json.loads(Path(f"{model}.json").read_text(encoding="utf-8")))
    return PiperVoice(session=session, config=config, download_dir=files)


def speak(voice: Any, text: str) -> tuple[int, bytes]:
    """Sample rate and PCM of a text. Every sentence keeps its own level: one gain is applied to the film later."""
    from piper.config import SynthesisConfig

    chunks = list(voice.synthesize(text, SynthesisConfig(normalize_audio=False)))
    rate = chunks[0].sample_rate if chunks else voice.config.sample_rate
    return rate, b"".join(chunk.audio_int16_bytes for chunk in chunks)


def serve(voice: Any, lines: BinaryIO, answers: BinaryIO) -> None:
    """Answer every line until there are no more."""
    for line in lines:
        try:
            rate, pcm = speak(voice, json.loads(line)["text"])
        except (ValueError, RuntimeError, KeyError, IndexError) as error:
            answer, pcm = {"error": f"{type(error).__name__}: {error}"[:500]}, b""
        else:
            answer = {"rate": str(rate), "bytes": str(len(pcm))}
        answers.write(json.dumps(answer).encode() + b"\n" + pcm)
        answers.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    try:
        serve(load(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])), sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:
        sys.exit(0)
