"""Plans of networks that a hostile model may have written: refused before anything runs over them."""

import math
from typing import Any

import msgspec
import pytest
from modelport_runtime.core.acceleration import PlanRefused, read_plan
from modelport_runtime.core.acceleration.networks import nodes, shapes
from modelport_runtime.core.acceleration.networks.converters.builder import packed

from tests.runtime.unit.acceleration.networks.support import linear, made, of_torch, small


@pytest.fixture
def good() -> Any:
    """As msgpack has it: dicts and lists, to be spoiled."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(made(of_torch("layers.pt2"))))


def refused(plan: Any) -> str:
    with pytest.raises(PlanRefused) as why:
        read_plan(msgspec.msgpack.encode(plan))
    return str(why.value)


def node(good: Any, kind: str) -> Any:
    return next(each for each in good["network"]["nodes"] if each["type"] == kind)


def array(values: Any, dtype: str = "float32") -> Any:
    return msgspec.to_builtins(packed(values, dtype), builtin_types=(bytes,))


def test_that_what_is_good_is_read(good: Any) -> None:
    read_plan(msgspec.msgpack.encode(good))


@pytest.mark.parametrize(
    "kind", ["Linear", "Map", "Slice", "Reshape", "Permute", "Softmax", "Standardize", "Embedding", "Cast"]
)
@pytest.mark.parametrize("source", [-1, 10**6, 2**63])
def test_sources_that_there_are_not(good: Any, kind: str, source: int) -> None:
    node(good, kind)["source"] = source
    refused(good)


def test_a_node_takes_nothing_that_comes_after_it(good: Any) -> None:
    held = good["network"]["nodes"]
    place = next(place for place, each in enumerate(held) if each["type"] == "Map")
    held[place]["source"] = len(good["network"]["inputs"]) + place
    assert "a source that is not" in refused(good)


@pytest.mark.parametrize(
    ("kind", "changes", "words"),
    [
        ("Linear", {"weight": array([[1.0, 2.0]])}, "weights of shape"),
        ("Linear", {"weight": array([1.0, 2.0])}, "weights of shape"),
        ("Linear", {"bias": array([1.0])}, "a bias of shape"),
        ("Linear", {"bias": array([0.0] * 8, "float64")}, "another type"),
        ("Map", {"function": "os.system"}, "no plan"),
        ("Map", {"first": math.nan}, "is NaN"),
        ("Pair", {"operation": "power"}, "no plan"),
        ("Concatenate", {"axis": 1}, "axis"),
        ("Concatenate", {"axis": -1}, "axis"),
        ("Concatenate", {"sources": []}, "nothing is put together"),
        ("Concatenate", {"sources": [0] * 6_000}, "nothing is put together"),
        ("Reshape", {"shape": [2**40, 2**40]}, "as"),
        ("Reshape", {"shape": [-1, -8]}, "as"),
        ("Reshape", {"shape": [0]}, "as"),
        ("Permute", {"axes": [0, 0]}, "axes"),
        ("Permute", {"axes": [1, 2]}, "axes"),
        ("Slice", {"start": -1}, "places"),
        ("Slice", {"stop": 10**9}, "places"),
        ("Slice", {"start": 3, "stop": 3}, "places"),
        ("Slice", {"step": 0}, "places"),
        ("Standardize", {"axes": 0}, "axes"),
        ("Standardize", {"axes": 5}, "axes"),
        ("Standardize", {"epsilon": math.nan}, "epsilon"),
        ("Standardize", {"epsilon": -1.0}, "epsilon"),
        ("Embedding", {"table": array([1.0])}, "table"),
        ("Embedding", {"table": array([[1], [2]], "int64")}, "table"),
        ("Cast", {"dtype": "object"}, "no plan"),
    ],
)
def test_nodes_that_do_not_fit(good: Any, kind: str, changes: Any, words: str) -> None:
    node(good, kind).update(changes)
    assert words in refused(good)


@pytest.mark.parametrize("shape", [[2**62], [2**62, 2**62], [-1], [3], [math.nan], "4", [1] * 40])
def test_shapes_that_the_bytes_have_not(good: Any, shape: Any) -> None:
    node(good, "Linear")["weight"]["shape"] = shape
    refused(good)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "x" * 2_000}, "too long a name"),
        ({"shape": []}, "no rows"),
        ({"shape": [0, 4]}, "no rows"),
        ({"shape": [10**9, 4]}, "no rows, too many"),
        ({"shape": [None, None]}, "no fixed shape"),
        ({"shape": [None, 10**7]}, "an array"),
        ({"shape": [None, 1_000, 1_000, 1_000, 1]}, "an array"),
        ({"dtype": "object"}, "no plan"),
    ],
)
def test_inputs_that_are_none(good: Any, changes: Any, words: str) -> None:
    good["network"]["inputs"][0].update(changes)
    assert words in refused(good)


def test_names_and_outputs_that_are_none(good: Any) -> None:
    network = good["network"]
    output = network["outputs"][0]
    for outputs, words in (
        ([], "without inputs or outputs"),
        ([output, output], "two of one name"),
        ([{**output, "node": 10**6}], "an output that is not"),
        ([{**output, "node": 0}], "another shape or type"),
        ([{**output, "tensor": {**output["tensor"], "dtype": "int64"}}], "another shape or type"),
    ):
        network["outputs"] = outputs
        assert words in refused(good)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("classes", 3, "no label and probabilities"),
        ("most_rows", 0, "takes no row"),
        ("kind", "<script>", "no plan"),
        ("inputs", [], "without inputs"),
    ],
)
def test_facts_that_are_none(good: Any, name: str, value: Any, words: str) -> None:
    good["network"][name] = value
    assert words in refused(good)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("task", "classifier"),
        ("outputs", ["prediction", "probabilities"]),
        ("columns", None),
        ("input", "text"),
        ("tensors_in", None),
        ("classes", ["a", "b"]),
    ],
)
def test_a_signature_that_is_not_the_networks(good: Any, name: str, value: Any) -> None:
    good["signature"][name] = value
    assert "signature" in refused(good)


def test_names_of_the_sample_are_taken_but_not_twice(good: Any) -> None:
    columns = good["signature"]["columns"]
    good["signature"]["positional"] = False
    for column, name in zip(columns, "abcd", strict=True):
        column["name"] = name
    read_plan(msgspec.msgpack.encode(good))
    columns[0]["name"] = "b"
    assert "signature" in refused(good)


def test_work_is_bounded() -> None:
    wide = [nodes.Reshape(0, (1, 4)), *[nodes.Concatenate([place + 1] * 100, 0) for place in range(4)]]
    with pytest.raises(PlanRefused, match="an array"):
        made(small(*wide))
    many: list[nodes.AnyNode] = [linear(0, 4, 1_000)]
    many += [linear(1, 1_000, 1_000)] * 12
    with pytest.raises(PlanRefused, match="more than 10,000,000 multiplications"):
        made(small(*many))
    with pytest.raises(PlanRefused, match="5,001 nodes"):
        made(small(*[nodes.Map(0, "relu")] * (shapes.MOST_NODES + 1)))


@pytest.mark.parametrize(
    "pair",
    [
        [nodes.Constant(packed([1.0], "float64")), nodes.Pair(0, 1, "add")],
        [nodes.Constant(packed([1.0, 2.0, 3.0], "float32")), nodes.Pair(0, 1, "add")],
        [nodes.Constant(packed([[1.0] * 4] * 2, "float32")), nodes.Pair(0, 1, "add")],
        [nodes.Constant(packed([1.0], "float32")), nodes.Pair(1, 1, "add")],
        [nodes.Constant(packed([1.0], "float32")), nodes.Map(1, "relu")],
        [nodes.Slice(0, 0, 0, 1), nodes.Reshape(1, ()), nodes.Pair(0, 2, "add")],
        [nodes.Cast(0, "int64"), nodes.Pair(1, 1, "divide")],
    ],
)
def test_pairs_that_would_take_rows_for_columns(pair: list[nodes.AnyNode]) -> None:
    with pytest.raises(PlanRefused):
        made(small(*pair))


def test_rows_without_end_are_computed_in_parts() -> None:
    """A million rows of a wide network would be gigabytes at once."""
    import tracemalloc

    import numpy as np
    from modelport_runtime.core.acceleration.networks.session import NetworkSession

    session = NetworkSession(small(linear(0, 4, 2_000), linear(1, 2_000, 3)))
    tracemalloc.start()
    (given,) = session.run(None, {"x": np.ones((20_000, 4), np.float32)})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert given.shape == (20_000, 3)
    assert peak < 60_000_000
