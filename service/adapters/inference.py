"""A second opinion on a claim: a natural-language-inference model that somebody has installed beside us.

Any cross-encoder in ONNX form with its tokenizer will do, such as an export of `cross-encoder/nli-deberta-v3-xsmall`.
None ships in a wheel, so nothing is asked unless the settings name a folder.
"""

from __future__ import annotations

import importlib.util
import json
import threading
from pathlib import Path
from typing import Any

from service.domain.support import Contradiction
from service.errors import BadInput

HOW = "Use none: or onnx:FOLDER."
MODEL, TOKENIZER, CONFIG = "model.onnx", "tokenizer.json", "config.json"
LONGEST = 512  # tokens of passage and claim together; the longer of the two is cut, which is nearly always the passage


def open_inference(spec: str) -> Contradiction | None:
    """The model that a spec names: `none:`, or `onnx:FOLDER` with model.onnx, tokenizer.json and config.json.

    Raises:
        BadInput: there is no such model, a file of it is missing, or the packages that run it are.
    """
    kind, _, folder = spec.partition(":")
    if kind == "none":
        return None
    if kind != "onnx" or not folder:
        raise BadInput(f"There is no inference model {spec!r}. {HOW}")
    for package in ("onnxruntime", "tokenizers"):
        if importlib.util.find_spec(package) is None:
            raise BadInput(f"NLI={spec} needs the package {package}. Install it with `pip install {package}`.")
    for name in (MODEL, TOKENIZER, CONFIG):
        if not (Path(folder) / name).is_file():
            raise BadInput(f"NLI={spec} lacks {name}. Export the model with its tokenizer into that folder.")
    return OnnxInference(Path(folder))


class OnnxInference:
    """How probable a model holds it that a passage contradicts a claim, 0 to 1. Loaded at the first question."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._contradiction = _label(folder)
        self._loaded: tuple[Any, Any] | None = None
        self._turn = threading.Lock()

    def __call__(self, passage: str, claim: str) -> float:
        """The probability. Raises BadInput when the model cannot be loaded."""
        import numpy as np

        session, tokenizer = self._model()
        pair = tokenizer.encode(passage, claim)
        given = {"input_ids": pair.ids, "attention_mask": pair.attention_mask, "token_type_ids": pair.type_ids}
        wanted = {one.name for one in session.get_inputs()}
        inputs = {name: np.array([values], dtype=np.int64) for name, values in given.items() if name in wanted}
        logits = np.asarray(session.run(None, inputs)[0], dtype=np.float64).reshape(-1)
        shares = np.exp(logits - logits.max())
        return float(shares[self._contradiction] / shares.sum())

    def _model(self) -> tuple[Any, Any]:
        with self._turn:
            if self._loaded is None:
                self._loaded = _load(self._folder)
            return self._loaded


def _load(folder: Path) -> tuple[Any, Any]:
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as failures
    from tokenizers import Tokenizer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # the lanes share the machine
    try:
        session = onnxruntime.InferenceSession(folder / MODEL, options, providers=["CPUExecutionProvider"])
    except (failures.Fail, failures.InvalidProtobuf, failures.InvalidGraph, failures.NotImplemented) as error:
        raise BadInput(f"{folder / MODEL} cannot be loaded: {str(error).splitlines()[0]}. Export it anew.") from error
    try:
        tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    except Exception as error:  # the library raises nothing narrower
        raise BadInput(
            f"{folder / TOKENIZER} is no tokenizer: {error}. Export the model with its tokenizer."
        ) from error
    tokenizer.enable_truncation(LONGEST, strategy="longest_first")
    return session, tokenizer


def _label(folder: Path) -> int:
    """Which of the model's answers means “contradicts”, by its own config."""
    try:
        labels = json.loads((folder / CONFIG).read_text(encoding="utf-8"))["id2label"]
        return next(int(number) for number, name in labels.items() if str(name).lower().startswith("contradict"))
    except (ValueError, KeyError, AttributeError, StopIteration) as error:
        raise BadInput(
            f"{folder / CONFIG} names no label “contradiction” in id2label. Use a model for natural-language inference."
        ) from error
