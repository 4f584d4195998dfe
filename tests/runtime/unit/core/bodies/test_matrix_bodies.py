"""A matrix of numbers gets what the same numbers as JSON get: the very bytes, or the very words."""

import math
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import orjson
import pytest
from modelport_runtime.core.acceleration import Accelerated, accelerate, read_plan
from modelport_runtime.core.engine import Engine
from modelport_runtime.core.types import Call, Failure, Prediction
from sklearn.ensemble import HistGradientBoostingClassifier

from tests.support import models

OUTPUTS = {1: ["prediction"], 2: ["probabilities"], 3: ["prediction", "probabilities"]}
TRAINED = {
    "an array": models.iris_logistic,
    "names": models.iris_logistic_named,
    "a forest": models.iris_forest,
    "numbers": models.diabetes_linear,
}


def matrix(rows: Any, outputs: int = 1) -> bytes:
    numbers = np.array(rows, dtype="<f8")
    return struct.pack("<4sIII", b"MPM1", outputs, *numbers.shape) + numbers.tobytes()


def both(engine: Engine, rows: Any, outputs: int = 1) -> tuple[Prediction | Failure, Prediction | Failure]:
    """Return the outcome of the matrix and that of the JSON, in which NaN is null."""
    listed = [[None if math.isnan(value) else value for value in row] for row in np.array(rows).tolist()]
    body = orjson.dumps({"inputs": listed, "return": OUTPUTS[outputs]})
    asked = [Call("matrix", matrix(rows, outputs)), Call("native", body)]
    first, second = (engine.predict_many([call])[0] for call in asked)
    assert engine.predict_many(asked) == [first, second]
    return first, second


@pytest.mark.parametrize("trained", TRAINED.values(), ids=TRAINED.keys())
def test_responses_are_those_to_json(serve: Callable[..., Engine], trained: Any) -> None:
    given = trained()
    engine = serve(given)
    for outputs in (1, 3) if "probabilities" in engine.signature.outputs else (1,):
        first, second = both(engine, np.asarray(given.data)[:100], outputs)
        assert isinstance(first, Prediction)
        assert first == second


def test_kernels_predict_it_too(serve: Callable[..., Engine]) -> None:
    given = models.iris_forest()
    made = accelerate(serve(given))
    assert isinstance(made, Accelerated), made
    backend = read_plan(made.plan)
    kernels = Engine(backend, backend.signature, model="m", version="v1", max_batch_rows=64)
    first, second = both(kernels, given.data, 3)
    assert first == second


def test_nan_is_a_missing_value(serve: Callable[..., Engine]) -> None:
    data, species = models.iris()
    gaps = data.copy()
    gaps[::3, 1] = np.nan
    model = HistGradientBoostingClassifier(max_iter=5).fit(gaps, species)
    first, second = both(serve(models.Trained(model, gaps)), gaps, 3)
    assert isinstance(first, Prediction)
    assert first == second


@pytest.mark.parametrize("rows", [[[1, 2, 3, 4], [1, np.nan, 3, np.nan]], [[1, 2, 3]], [[1, 2, 3, 4, 5]] * 2])
def test_what_is_wrong_is_reported_as_for_json(iris: Engine, rows: Any) -> None:
    first, second = both(iris, rows)
    assert isinstance(first, Failure)
    assert first.errors[0]["field"].startswith("inputs[")
    assert first == second


def test_an_infinity_is_named(iris: Engine) -> None:
    (outcome,) = iris.predict_many([Call("matrix", matrix([[1, 2, 3, 4], [1, 2, -np.inf, 4]]))])
    assert isinstance(outcome, Failure)
    assert outcome.errors == [{"field": "inputs[1][2]", "message": "must be a finite number"}]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        matrix([[1, 2, 3, 4]])[:-1],
        matrix([[1, 2, 3, 4]]) + b"\0",
        b"JSON" + matrix([[1, 2, 3, 4]])[4:],
        matrix([[1, 2, 3, 4]], outputs=4),
        matrix(np.empty((0, 4))),
        struct.pack("<4sIII", b"MPM1", 1, 2**32 - 1, 2**32 - 1),
    ],
)
def test_what_is_no_matrix_is_a_400(iris: Engine, body: bytes) -> None:
    (outcome,) = iris.predict_many([Call("matrix", body)])
    assert isinstance(outcome, Failure)
    assert (outcome.status, outcome.errors) == (400, [])


def test_a_model_with_other_columns_takes_none(mixed: Engine) -> None:
    (outcome,) = mixed.predict_many([Call("matrix", matrix([[1, 2, 3, 4]]))])
    assert isinstance(outcome, Failure)
    assert outcome.status == 415
