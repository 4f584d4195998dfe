"""Programs of torch.export as kernels, against what PyTorch itself said when the files were saved."""

import json
from typing import Any

import orjson
import pytest
from modelport_formats.frameworks import torch_files
from modelport_runtime.core.acceleration.converters.blocks import NotConverted
from modelport_runtime.core.acceleration.networks.converters import torch_programs
from modelport_runtime.core.backends.torch import archive, program
from modelport_runtime.core.engine import Engine
from modelport_runtime.core.types import Call, Failure, Prediction

from tests.runtime.unit.acceleration.networks.support import TORCH, of_torch, served

SAID = json.loads((TORCH / "answers.json").read_text(encoding="utf-8"))
NETWORKS = json.loads((TORCH / "networks.json").read_text(encoding="utf-8"))


def predicted(engine: Engine, **body: Any) -> Any:
    (given,) = engine.predict_many([Call("native", orjson.dumps(body))])
    assert isinstance(given, Prediction), given
    return orjson.loads(given.body)


@pytest.mark.parametrize("name", ["dynamic.pt2", "fixed.pt2", "cast.pt2"])
def test_a_network_answers_as_pytorch_did(name: str) -> None:
    engine = served(of_torch(name))
    # More than a program takes at once, of a fixed and of a limited batch.
    found = predicted(engine, inputs=SAID["rows"] * 50)["predictions"]
    for given, wanted in zip(found, SAID["mlp"] * 50, strict=True):
        assert given == pytest.approx(wanted, abs=1e-6)
    assert predicted(engine, input=SAID["rows"][1])["prediction"] == pytest.approx(SAID["mlp"][1], abs=1e-6)


def test_layers_of_every_kind_answer_as_pytorch_did() -> None:
    found = predicted(served(of_torch("layers.pt2")), inputs=NETWORKS["rows"])["predictions"]
    for given, wanted in zip(found, NETWORKS["layers"], strict=True):
        assert given == pytest.approx(wanted, rel=1e-6)


def test_several_inputs_and_outputs_have_their_names() -> None:
    engine = served(of_torch("floors.pt2"))
    rows = [
        {"floor": floor, "measures": measures}
        for floor, measures in zip(NETWORKS["floor"], NETWORKS["measures"], strict=True)
    ]
    found = predicted(engine, inputs=rows)["predictions"]
    assert [each["class"] for each in found] == NETWORKS["class"]
    assert [each["best"] for each in found] == pytest.approx(NETWORKS["best"])
    for each, wanted in zip(found, NETWORKS["scores"], strict=True):
        assert each["scores"] == pytest.approx(wanted, rel=1e-6)
    tensors = engine.signature.tensors_in or ()
    assert [(each.name, each.datatype, each.shape) for each in tensors] == [
        ("floor", "INT64", (None,)),
        ("measures", "FP32", (None, 2)),
    ]


@pytest.mark.parametrize("floor", [-1, 4, 2**62])
def test_a_category_without_a_row_is_the_callers_error(floor: int) -> None:
    engine = served(of_torch("floors.pt2"))
    engine.sample = {"input": {"floor": 1, "measures": [0.0, 0.0]}}
    body = orjson.dumps({"input": {"floor": floor, "measures": [1.0, 2.0]}})
    (given,) = engine.predict_many([Call("native", body)])
    assert isinstance(given, Failure)
    assert (given.status, given.errors[0]["field"]) == (422, "input.floor")
    assert "whole numbers from 0 to 3" in given.errors[0]["message"]


def test_an_operator_without_kernels_is_named() -> None:
    with pytest.raises(NotConverted, match="PyTorch's operator linalg_vector_norm has no kernels"):
        of_torch("two.pt2")


def _changed(name: str, old: str, new: str) -> Any:
    text = torch_files.program(TORCH / name).decode()
    assert old in text
    return program.read(text.replace(old, new).encode())


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("aten.softmax.int", "aten.sort.default", "operator sort has no kernels"),
        ("torch.ops.aten.relu", "torch.ops.mine.relu", "has no kernels"),
        (
            '{"name": "dim", "arg": {"as_int": 1}',
            '{"name": "dim", "arg": {"as_int": 0}',
            "rows with each other",
        ),
    ],
)
def test_what_has_no_kernels_stays_with_pytorch(old: str, new: str, words: str) -> None:
    changed = _changed("dynamic.pt2", old, new)
    with pytest.raises(NotConverted, match=words):
        torch_programs.convert(changed, archive.arrays(TORCH / "dynamic.pt2"))
