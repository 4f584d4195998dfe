"""Keras models as kernels, against what Keras itself said when they were saved."""

import copy
import json
from typing import Any

import numpy as np
import orjson
import pytest
from modelport_runtime.core.acceleration.converters.blocks import NotConverted
from modelport_runtime.core.acceleration.networks import nodes
from modelport_runtime.core.acceleration.networks.converters.keras_models import KerasModel, convert, tensor
from modelport_runtime.core.engine import Engine
from modelport_runtime.core.types import Call, Failure, Prediction

from tests.runtime.unit.acceleration.networks.support import FIXTURES, served

SAID = json.loads((FIXTURES / "tensorflow" / "networks.json").read_text(encoding="utf-8"))
LAYERS = [tensor("kind", "int32", (None,)), tensor("measures", "float32", (None, 4))]
FLOWERS = [tensor("rows", "float32", (None, 4))]


def network(name: str, inputs: Any, outputs: Any, classes: int = 0, **changed: Any) -> nodes.Network:
    held = {**SAID[name], **changed}
    weights = {
        layer: {key: np.array(each, np.float32) for key, each in variables.items()}
        for layer, variables in held["weights"].items()
    }
    return convert(KerasModel(held["kind"], held["config"], weights, inputs, outputs, classes))


@pytest.fixture(scope="module")
def layers() -> Engine:
    return served(network("layers", LAYERS, ["price", "risk"]))


def predicted(engine: Engine, **body: Any) -> Any:
    (given,) = engine.predict_many([Call("native", orjson.dumps(body))])
    assert isinstance(given, Prediction), given
    return orjson.loads(given.body)


def test_layers_of_every_kind_answer_as_keras_did(layers: Engine) -> None:
    said = SAID["layers"]
    found = predicted(layers, inputs=said["rows"])["predictions"]
    for name in ("price", "risk"):
        for each, wanted in zip(found, said["answers"][name], strict=True):
            assert each[name] == pytest.approx(wanted, rel=1e-6)


def test_a_softmax_at_the_end_makes_a_classifier() -> None:
    said = SAID["flowers"]
    engine = served(network("flowers", FLOWERS, ["prediction", "dense_1"], classes=3))
    assert (engine.signature.task, engine.signature.classes) == ("classifier", (0, 1, 2))
    found = predicted(engine, inputs=said["rows"], **{"return": ["prediction", "probabilities"]})
    wanted = np.array(said["answers"])
    assert found["predictions"] == wanted.argmax(axis=1).tolist()
    given = [list(row.values()) for row in found["probabilities"]]
    assert given == [pytest.approx(row, abs=1e-6) for row in wanted.tolist()]
    assert list(found["probabilities"][0]) == ["0", "1", "2"]


@pytest.mark.parametrize(("kind", "is_taken"), [(4, True), (5, False), (-5, True), (-6, False)])
def test_categories_count_from_the_end_as_in_keras(layers: Engine, kind: int, *, is_taken: bool) -> None:
    layers.sample = {"input": SAID["layers"]["rows"][0]}
    row = {**SAID["layers"]["rows"][0], "kind": kind}
    (given,) = layers.predict_many([Call("native", orjson.dumps({"input": row}))])
    assert isinstance(given, Prediction) == is_taken
    if isinstance(given, Failure):
        assert (given.status, given.errors[0]["field"]) == (422, "input.kind")


def changed(kind: str, **config: Any) -> Any:
    """Return the configuration with the first layer of a kind changed."""
    held = copy.deepcopy(SAID["layers"]["config"])
    layer = next(each for each in held["layers"] if each["class_name"] == kind)
    layer["class_name"] = config.pop("class_name", kind)
    layer["module"] = config.pop("module", layer["module"])
    layer["config"].update(config)
    return held


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (changed("Dense", class_name="Conv2D"), "Keras' Conv2D has no kernels"),
        (changed("Dense", module="mine"), "Keras' Dense has no kernels"),
        (changed("Dense", activation="sparsemax"), "activation sparsemax"),
        (changed("Dense", dtype={"config": {"name": "mixed_float16"}}), "in mixed_float16"),
        (changed("Dense", lora_rank=4), "with lora_rank"),
        (changed("LayerNormalization", axis=[0]), "rows with each other"),
        (changed("LayerNormalization", rms_scaling=True), "has no kernels"),
        (changed("Reshape", target_shape=[7]), r"as \(7,\)"),
        (changed("GlobalAveragePooling1D", keepdims=True), "Such a pooling"),
    ],
)
def test_what_has_no_kernels_stays_with_keras(config: Any, words: str) -> None:
    with pytest.raises(NotConverted, match=words):
        network("layers", LAYERS, ["price", "risk"], config=config)


def test_a_layer_that_needs_itself_ends() -> None:
    """A configuration says what it likes."""
    held = copy.deepcopy(SAID["layers"]["config"])
    layer = next(each for each in held["layers"] if each["class_name"] == "Add")
    for tensor_of in layer["inbound_nodes"][0]["args"][0]:
        tensor_of["config"]["keras_history"] = [layer["name"], 0, 0]
    with pytest.raises(NotConverted, match="so many layers"):
        network("layers", LAYERS, ["price", "risk"], config=held)
