"""When a network's kernels are believed: equal but for rounding, and not where a weight is wrong."""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import orjson
import pytest
from modelport_runtime.core.acceleration import (
    Accelerated,
    Declined,
    NotConfirmed,
    accelerate,
    confirm,
    difference,
    timing,
)
from modelport_runtime.core.acceleration.networks import nodes
from modelport_runtime.core.acceleration.networks.converters.builder import packed
from modelport_runtime.core.acceleration.outcome import ShownCall
from modelport_runtime.core.acceleration.shown import encode
from modelport_runtime.core.types import Call, Prediction

from tests.runtime.unit.acceleration.networks.support import linear, of_torch, original, served, small

Change = Callable[[nodes.Network], nodes.Network]


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long something takes is not what is tested here."""
    monkeypatch.setattr(timing, "speedup", lambda *_: 2.0)


def proven(network: nodes.Network, converted: nodes.Network | None = None) -> Accelerated | Declined:
    return accelerate(original(network, converted), seconds=30.0, rows=2_000)


@pytest.mark.parametrize("name", ["dynamic.pt2", "fixed.pt2", "cast.pt2", "layers.pt2", "floors.pt2"])
def test_rounding_is_no_difference(name: str) -> None:
    result = proven(of_torch(name))
    assert isinstance(result, Accelerated), result
    assert result.proof.rows_compared >= 2_000
    assert 0 < result.proof.largest_difference < 1e-4


def test_deep_networks_of_large_numbers_are_compared_by_their_own_rounding() -> None:
    layers: list[nodes.AnyNode] = [linear(0, 4, 64, 1000.0)]
    for depth in range(1, 9, 2):
        layers += [nodes.Map(depth, "gelu"), linear(depth + 1, 64, 64, 0.2)]
    result = proven(small(*layers, linear(len(layers), 64, 3)))
    assert isinstance(result, Accelerated), result
    # More than the tolerance of other kernels allows.
    assert result.proof.largest_difference > 1e-6


def _with(place: int, **changed: Any) -> Change:
    def change(network: nodes.Network) -> nodes.Network:
        held = list(network.nodes)
        held[place] = msgspec.structs.replace(held[place], **changed)
        return msgspec.structs.replace(network, nodes=held)

    return change


def _weight(by: float) -> Change:
    """One number of the first layer, relatively."""

    def change(network: nodes.Network) -> nodes.Network:
        place, node = next(
            (place, node) for place, node in enumerate(network.nodes) if isinstance(node, nodes.Linear)
        )
        weight = node.weight.unpack()
        weight[0, 0] *= 1 + by
        return _with(place, weight=packed(weight, "float32"))(network)

    return change


def _function(one: str, other: str) -> Change:
    def change(network: nodes.Network) -> nodes.Network:
        place = next(
            place
            for place, node in enumerate(network.nodes)
            if isinstance(node, nodes.Map) and node.function == one
        )
        return _with(place, function=other)(network)

    return change


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("dynamic.pt2", _weight(1e-4)),
        ("layers.pt2", _weight(1e-3)),
        ("layers.pt2", _function("gelu", "gelu_tanh")),
        ("layers.pt2", _function("gelu_tanh", "gelu")),
        ("layers.pt2", _function("silu", "mish")),
        ("dynamic.pt2", _function("relu", "abs")),
    ],
)
def test_a_wrong_weight_or_function_is_found(name: str, change: Change) -> None:
    network = of_torch(name)
    result = proven(network, change(network))
    assert isinstance(result, Declined)
    assert "differ from the original" in result.detail
    assert "more than rounding does" in result.detail


def test_a_label_is_equal_or_the_kernels_go() -> None:
    network = of_torch("floors.pt2")
    place = next(
        place
        for place, node in enumerate(network.nodes)
        if isinstance(node, nodes.Reduce) and node.operation == "argmax"
    )
    scores = network.nodes[place].source  # type: ignore[union-attr]  # a Reduce has one
    # The likeliest of the negated scores is another one.
    held = [*network.nodes]
    held[place] = nodes.Map(scores, "negative")
    held.append(nodes.Reduce(len(network.inputs) + place, 0, "argmax"))
    outputs = [
        msgspec.structs.replace(each, node=len(network.inputs) + len(held) - 1)
        if each.tensor.name == "class"
        else each
        for each in network.outputs
    ]
    wrong = msgspec.structs.replace(network, nodes=held, outputs=outputs)
    result = proven(network, wrong)
    assert isinstance(result, Declined), result
    assert "in a label" in result.detail


def test_a_network_that_rounding_alone_decides_stays_with_its_framework() -> None:
    """What differs in the seventh digit is subtracted, and what is left is multiplied."""
    chaos = nodes.Constant(packed(np.full(3, 1e9), "float32"))
    layers = [linear(0, 4, 3), chaos, nodes.Pair(1, 2, "add"), nodes.Pair(3, 2, "subtract")]
    result = proven(small(*layers))
    assert isinstance(result, Declined), result
    assert "rounding of single precision alone" in result.detail


def test_a_table_too_small_is_found() -> None:
    network = of_torch("floors.pt2")
    place, node = next(
        (place, node) for place, node in enumerate(network.nodes) if isinstance(node, nodes.Embedding)
    )
    shorter = _with(place, table=packed(node.table.unpack()[:-1], "float32"))(network)
    result = proven(network, shorter)
    assert isinstance(result, Declined)
    assert "on a row" in result.detail or "one row" in result.detail, result


def test_one_request_is_compared_by_the_same_measure() -> None:
    engine = original(of_torch("layers.pt2"))
    kernels = served(of_torch("layers.pt2"))
    call = Call("native", orjson.dumps({"inputs": [[1.0, 9.0, -100.0, 0.5], [0.0, 1.0, 2.0, 3.0]]}))
    (given,) = kernels.predict_many([call])
    assert isinstance(given, Prediction)
    found = difference(engine, call, given)
    assert found is not None
    assert found < 1e-5
    body = orjson.loads(given.body)
    body["predictions"][1][0] *= 1 + 1e-4
    assert difference(engine, call, Prediction(orjson.dumps(body))) is None
    body["predictions"].pop()
    assert difference(engine, call, Prediction(orjson.dumps(body))) is None
    assert difference(engine, call, Prediction(b"{")) is None


def test_a_server_process_with_another_numpy_repeats_the_sample() -> None:
    result = proven(of_torch("layers.pt2"))
    assert isinstance(result, Accelerated), result
    kernels = served(of_torch("layers.pt2"))
    assert confirm(kernels, encode(result.shown)) == 2
    (two, _) = result.shown
    assert isinstance(two, ShownCall)
    body = orjson.loads(two.response.body)
    body["predictions"][1][0] *= 1 + 1e-4
    with pytest.raises(NotConfirmed, match="differ from the model"):
        confirm(kernels, encode([ShownCall(two.call, Prediction(orjson.dumps(body)))]))
