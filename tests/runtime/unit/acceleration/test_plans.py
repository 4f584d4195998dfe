"""Plans that a hostile model may have written: refused before anything runs over them."""

import math
import random
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from modelport_runtime.core.acceleration import Accelerated, PlanRefused, accelerate, plan, read_plan
from modelport_runtime.core.backends import load, self_check

from tests.runtime.unit.acceleration import trained
from tests.support import models

NESTING = 20_000


def _proven(case: str, folder: Path) -> bytes:
    path = models.save_joblib(trained.CASES[case](), folder)
    engine = load(path, "sklearn", None, model="m", version="v1", max_batch_rows=64)
    self_check(engine)
    result = accelerate(engine, seconds=30.0, rows=1_000)
    assert isinstance(result, Accelerated), result
    return result.plan


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """One good plan with a tree and one with coefficients."""
    cases = {"forest": "tree, three classes", "linear": "logistic, three classes"}
    return {name: _proven(case, tmp_path_factory.mktemp(name)) for name, case in cases.items()}


def _refused(made: Any) -> str:
    with pytest.raises(PlanRefused) as refused:
        read_plan(msgspec.msgpack.encode(made))
    return str(refused.value)


def _array(values: Any, dtype: Any = "int64") -> Any:
    return msgspec.to_builtins(plan.pack(values, dtype), builtin_types=(bytes,))


def _values(array: Any) -> Any:
    return np.frombuffer(array["data"], array["dtype"]).reshape(array["shape"]).copy()


@pytest.fixture
def forest(plans: dict[str, bytes]) -> Any:
    """As msgpack has it: dicts and lists, to be spoiled."""
    return msgspec.msgpack.decode(plans["forest"])


@pytest.fixture
def linear(plans: dict[str, bytes]) -> Any:
    return msgspec.msgpack.decode(plans["linear"])


def test_that_what_is_good_is_read(forest: Any, linear: Any) -> None:
    for made in (forest, linear):
        read_plan(msgspec.msgpack.encode(made))


@pytest.mark.parametrize("child", [0, -1, 10**9, -(2**63)])
def test_children_that_lead_back_or_out(forest: Any, child: int) -> None:
    trees = forest["final"]["trees"]
    left = _values(trees["left"])
    inner = int(np.flatnonzero(left != np.arange(len(left)))[-1])
    left[inner] = child
    trees["left"] = _array(left)
    assert "leads back" in _refused(forest)


def test_a_node_that_is_a_leaf_on_one_side_only(forest: Any) -> None:
    trees = forest["final"]["trees"]
    left = _values(trees["left"])
    left[0] = 0
    trees["left"] = _array(left)
    assert "only on one side" in _refused(forest)


@pytest.mark.parametrize("feature", [4, -1, 2**40])
def test_features_that_there_are_not(forest: Any, feature: int) -> None:
    trees = forest["final"]["trees"]
    features = _values(trees["feature"])
    features[0] = feature
    trees["feature"] = _array(features)
    assert "an index in a tree" in _refused(forest)


@pytest.mark.parametrize(
    ("name", "value"), [("roots", 10**6), ("roots", -1), ("levels", 10**9), ("levels", -1)]
)
def test_roots_and_depths_out_of_range(forest: Any, name: str, value: int) -> None:
    forest["final"]["trees"][name] = _array([value])
    assert "an index in a tree" in _refused(forest)


def test_a_depth_that_is_not_the_tree_s(forest: Any) -> None:
    forest["final"]["trees"]["levels"] = _array([1])
    assert "deeper than it says" in _refused(forest)


def test_more_trees_than_nodes(forest: Any) -> None:
    trees = forest["final"]["trees"]
    trees["roots"] = trees["levels"] = _array([0] * 10_000)
    assert "too many trees" in _refused(forest)


def test_a_tree_too_deep(forest: Any) -> None:
    """A chain of 2,000 nodes: bounded, whatever it says."""
    trees, size = forest["final"]["trees"], 2_001
    here = np.arange(size)
    trees["left"] = _array(np.where(here < size - 2, here + 1, here))
    trees["right"] = _array(np.where(here < size - 2, size - 1, here))
    trees["feature"] = _array(np.zeros(size))
    trees["nan_left"] = _array(np.zeros(size), "uint8")
    trees["threshold"] = _array(np.zeros(size), "float64")
    trees["values"] = _array(np.zeros((size, 3)), "float64")
    trees["levels"] = _array([512])
    assert "deeper than it says" in _refused(forest)


@pytest.mark.parametrize("name", ["left", "right", "feature", "threshold", "nan_left", "values", "roots"])
def test_arrays_that_do_not_fit_each_other(forest: Any, name: str) -> None:
    trees = forest["final"]["trees"]
    trees[name] = _array(_values(trees[name])[:-1], trees[name]["dtype"])
    _refused(forest)


@pytest.mark.parametrize("shape", [[2**62], [2**62, 2**62], [-1], [-1, -4], [3], [4, 3, 1], [math.nan], "4"])
def test_shapes_that_the_bytes_have_not(linear: Any, shape: Any) -> None:
    linear["final"]["coefficients"]["shape"] = shape
    _refused(linear)


@pytest.mark.parametrize("dtype", ["object", "O", "U8", "V8", "datetime64[s]", "float16", "", 7])
def test_types_of_values_that_are_no_numbers(linear: Any, dtype: Any) -> None:
    linear["final"]["coefficients"]["dtype"] = dtype
    _refused(linear)


@pytest.mark.parametrize("columns", [[0, 1, 2, 4], [-1, 0, 1, 2], [0], [], [math.nan]])
def test_columns_that_there_are_not(linear: Any, columns: Any) -> None:
    linear["part"]["source"]["columns"] = columns
    _refused(linear)


def test_coefficients_for_other_columns(linear: Any) -> None:
    linear["final"]["coefficients"] = _array(np.zeros((5, 3)), "float64")
    assert "coefficients of shape" in _refused(linear)


def test_classes_that_are_not_the_signature_s(linear: Any) -> None:
    linear["final"]["classes"] = ["a", "b", "c"]
    assert "the classes" in _refused(linear)


@pytest.mark.parametrize("label", [{"a": 1}, ["a"], None, b"a"])
def test_classes_that_are_no_scalars(linear: Any, label: Any) -> None:
    linear["final"]["classes"] = linear["signature"]["classes"] = [label, "b", "c"]
    _refused(linear)


def test_probabilities_that_the_final_has_not(linear: Any) -> None:
    linear["final"]["link"] = "none"
    assert "probabilities" in _refused(linear)


def test_a_matrix_that_grows_without_end(linear: Any) -> None:
    twice = {"columns": _array([0, 1, 2, 3] * 2), "steps": []}
    once = {"columns": _array([0]), "steps": []}
    doubling = {"type": "Split", "selections": [twice, *[once] * 99_995]}
    linear["part"]["steps"] = [doubling]
    assert "columns" in _refused(linear)


def test_more_parts_than_any_model_has(linear: Any) -> None:
    linear["part"]["steps"] = [{"type": "Check", "nan_allowed": True}] * 20_000
    assert "parts" in _refused(linear)


def test_parts_nested_without_end(linear: Any) -> None:
    """Written by hand: no encoder nests so deep."""
    head = msgspec.msgpack.encode(linear["part"]["source"])
    opening = b"\x82\xa6source\x82\xa4type\xa5Stack\xa5parts\x91"
    nested = opening * NESTING + b"\x82\xa6source" + head + b"\xa5steps\x90" + b"\xa5steps\x90" * NESTING
    linear["part"] = msgspec.Raw(nested)
    _refused(linear)


def test_truncated_at_any_byte(linear: Any) -> None:
    data = msgspec.msgpack.encode(linear)
    for stop in range(len(data)):
        with pytest.raises(PlanRefused):
            read_plan(data[:stop])


def test_any_byte_changed(linear: Any, forest: Any) -> None:
    """Each is refused, or gives kernels that answer or raise: nothing else comes of a damaged plan."""
    choice = random.Random(5)
    for made in (linear, forest):
        data = msgspec.msgpack.encode(made)
        for _ in range(1_500):
            spoiled = bytearray(data)
            spoiled[choice.randrange(len(data))] = choice.randrange(256)
            # ValueError: a number has become infinite, which kernels refuse as the original does.
            with suppress(PlanRefused, ValueError):
                backend = read_plan(bytes(spoiled))
                rows = [[0.5] * len(backend.signature.columns or ())] * 2
                assert backend.predict(backend.assembler(backend.signature)(rows), ("prediction",)).rows == 2


def test_a_plan_too_large() -> None:
    with pytest.raises(PlanRefused, match="more than"):
        read_plan(bytes(plan.MAX_PLAN_BYTES + 1))


_IN_THE_FRONT = """
import sys
from modelport_runtime.core.acceleration import read_plan
from modelport_runtime.core.engine import Engine
backend = read_plan(open(sys.argv[1], "rb").read())
engine = Engine(backend, backend.signature, model="m", version="v", max_batch_rows=64)
engine.run(engine.decode_sample({"input": [0.5] * len(backend.signature.columns)}))
heavy = {"sklearn", "scipy", "pandas", "joblib", "pickle5", "onnxruntime"} & sys.modules.keys()
assert not heavy, heavy
"""


@pytest.mark.parametrize("name", ["forest", "linear"])
def test_that_the_front_imports_no_framework(name: str, plans: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "plan").write_bytes(plans[name])
    command = [sys.executable, "-c", _IN_THE_FRONT, str(tmp_path / "plan")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_that_overflow_is_refused_without_a_warning(
    plans: dict[str, bytes], recwarn: pytest.WarningsRecorder
) -> None:
    backend = read_plan(plans["forest"])
    inputs = backend.assembler(backend.signature)([[1e300] * 4])
    with pytest.raises(ValueError, match="infinity or a value too large"):
        backend.predict(inputs, ("prediction",))
    assert not recwarn.list
