"""The second opinion on claims: a real model in ONNX form, small enough to be made here, that knows negation."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper, save_model
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from service.adapters.inference import open_inference
from service.domain.lesson import Claim, Lesson, ParagraphBlock
from service.domain.source import Cite, sha256_of
from service.domain.support import judged, judged_lesson
from service.errors import BadInput

VOCABULARY = ["[UNK]", "[CLS]", "[SEP]", "not", "fails"]
PASSAGE = "The kelp fails whenever a heavy boat pulls on it in strong wind."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that says “contradiction” when one text denies and the other does not: |denials here − denials there|."""
    folder = tmp_path_factory.mktemp("nli")
    denies = np.array([[0], [0], [0], [1], [1]], dtype=np.float32)
    number = helper.make_tensor_value_info
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["denies", "input_ids"], ["here"], axis=0),
            helper.make_node("Gather", ["signs", "token_type_ids"], ["side"], axis=0),
            helper.make_node("Mul", ["here", "side"], ["signed"]),
            helper.make_node("ReduceSum", ["signed", "axis"], ["difference"], keepdims=0),
            helper.make_node("Abs", ["difference"], ["distance"]),
            helper.make_node("MatMul", ["distance", "weights"], ["raw"]),
            helper.make_node("Add", ["raw", "bias"], ["logits"]),
        ],
        "negation",
        [number(name, TensorProto.INT64, [1, "length"]) for name in ("input_ids", "token_type_ids")],
        [number("logits", TensorProto.FLOAT, [1, 3])],
        [
            numpy_helper.from_array(denies, "denies"),
            numpy_helper.from_array(np.array([[1], [-1]], dtype=np.float32), "signs"),
            numpy_helper.from_array(np.array([1], dtype=np.int64), "axis"),
            numpy_helper.from_array(np.array([[0, 9, 0]], dtype=np.float32), "weights"),
            numpy_helper.from_array(np.array([0, -4, 0], dtype=np.float32), "bias"),
        ],
    )
    save_model(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), folder / "model.onnx"
    )
    tokenizer = Tokenizer(models.WordLevel({word: n for n, word in enumerate(VOCABULARY)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    labels = {"0": "entailment", "1": "CONTRADICTION", "2": "neutral"}
    (folder / "config.json").write_text(json.dumps({"id2label": labels}), encoding="utf-8")
    return folder


def claim(text: str) -> Claim:
    return Claim(text=text, cites=(Cite(source=sha256_of(PASSAGE), start=0, end=len(PASSAGE), quote=PASSAGE),))


def test_the_model_is_asked_about_passage_and_claim(folder: Path) -> None:
    contradiction = open_inference(f"onnx:{folder}")
    assert contradiction is not None
    assert contradiction("Kelp does not hold.", "Kelp holds.") > 0.95
    assert contradiction("Kelp holds.", "Kelp does not hold.") > 0.95
    assert contradiction("Kelp does not hold.", "It fails.") < 0.05
    assert contradiction("Kelp holds.", "Kelp holds.") < 0.05


def test_a_passage_is_cut_and_the_claim_is_not(folder: Path) -> None:
    contradiction = open_inference(f"onnx:{folder}")
    assert contradiction is not None
    assert contradiction("kelp " * 900, "Kelp does not hold.") > 0.95


def test_a_claim_longer_than_the_model_reads_is_cut_instead_of_stopping_the_check(folder: Path) -> None:
    contradiction = open_inference(f"onnx:{folder}")
    assert contradiction is not None
    assert contradiction("Kelp holds.", "not " + "kelp " * 900) > 0.95
    assert contradiction("kelp " * 900, "not " + "kelp " * 900) > 0.95


def test_its_no_makes_a_supported_claim_unsupported_and_its_yes_mends_nothing(folder: Path) -> None:
    contradiction = open_inference(f"onnx:{folder}")
    says_the_same, denied = (
        claim("The kelp fails whenever a heavy boat pulls on it."),
        claim("The kelp holds whenever a heavy boat pulls on it."),
    )
    assert judged(denied).state == "supported"  # the comparison of words is fooled by this one
    assert judged(denied, contradiction).state == "unsupported"
    assert judged(says_the_same, contradiction).state == "supported"
    wrong = claim("The kelp fails whenever 40 boats pull on it.")
    assert judged(wrong, contradiction).state == "unsupported"
    edited = denied.model_copy(update={"state": "edited"})
    assert judged(edited, contradiction).state == "edited"


def test_every_claim_of_a_lesson_gets_the_second_opinion(folder: Path) -> None:
    lesson = Lesson(
        id="l1",
        title="Kelp",
        blocks=(ParagraphBlock(id="b1", claims=(claim("The kelp holds whenever a heavy boat pulls on it."),)),),
    )
    (found,) = judged_lesson(lesson, open_inference(f"onnx:{folder}")).claims()
    assert found.state == "unsupported"


def test_nothing_is_asked_by_default() -> None:
    assert open_inference("none:") is None


def test_what_cannot_be_used_is_refused_with_the_way_out(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="Use none: or onnx:FOLDER"):
        open_inference("torch:model")
    with pytest.raises(BadInput, match=r"lacks model\.onnx"):
        open_inference(f"onnx:{tmp_path}")
    for name in ("tokenizer.json", "config.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / "model.onnx").write_bytes(b"no model")
    broken = open_inference(f"onnx:{tmp_path}")
    assert broken is not None
    with pytest.raises(BadInput, match="cannot be loaded"):
        broken("a", "b")
    (tmp_path / "model.onnx").write_bytes((folder / "model.onnx").read_bytes())
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(BadInput, match="is no tokenizer"):
        broken("a", "b")
    (tmp_path / "config.json").write_text('{"id2label": {"0": "positive"}}')
    with pytest.raises(BadInput, match="names no label"):
        open_inference(f"onnx:{tmp_path}")
