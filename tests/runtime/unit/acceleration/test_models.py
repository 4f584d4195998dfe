"""Every estimator that has kernels: they give its own predictions on 10,000 rows, edges among them."""

from collections.abc import Callable

import numpy as np
import orjson
import pytest
from modelport_runtime.core.acceleration import Accelerated, accelerate, read_plan, timing
from modelport_runtime.core.engine import Engine
from modelport_runtime.core.types import Call, Prediction, Request
from sklearn import datasets

from tests.runtime.unit.acceleration import trained

ROWS = 10_000
SECONDS = 300.0
"""So that a busy machine compares as many rows as an idle one."""

Serve = Callable[..., Engine]


@pytest.fixture(autouse=True)
def _faster(monkeypatch: pytest.MonkeyPatch) -> None:
    """That depends on machine and numpy: with 2.5 the original is faster for 32 rows of a single tree."""
    monkeypatch.setattr(timing, "speedup", lambda *_: 2.0)


def kernels_of(engine: Engine) -> Engine:
    result = accelerate(engine, seconds=SECONDS, rows=ROWS)
    assert isinstance(result, Accelerated), result
    assert result.proof.rows_compared >= ROWS
    backend = read_plan(result.plan)
    return Engine(backend, backend.signature, model="m", version="v1", max_batch_rows=64)


@pytest.mark.parametrize("name", trained.CASES)
def test_that_kernels_are_proven(name: str, serve: Serve) -> None:
    engine = serve(trained.CASES[name]())
    kernels = kernels_of(engine)
    assert kernels.signature == engine.signature
    assert kernels.libraries_here == engine.libraries_here
    assert engine.sample is not None
    call = Call("native", orjson.dumps(engine.sample))
    assert kernels.predict_many([call]) == engine.predict_many([call])


@pytest.mark.parametrize("name", ["forest", "forest regressor", "extra trees", "tree with holes"])
def test_that_forests_are_equal_to_the_last_bit(name: str, serve: Serve) -> None:
    """Their sums are done in the same order, in batches of any size: even a tie goes the same way."""
    engine = serve(trained.CASES[name]())
    kernels = kernels_of(engine)
    width = len(engine.signature.columns or ())
    random = np.random.default_rng(3)
    for size in (1, 2, 3, 64, 65, 500):
        rows = random.normal(scale=random.choice([0.1, 1, 30]), size=(size, width)).tolist()
        request = Request(rows, single=False, outputs=engine.signature.outputs)
        assert kernels.run(request).values == engine.run(request).values


def test_whole_bodies_of_real_data(serve: Serve) -> None:
    engine = serve(trained.CASES["forest"]())
    kernels = kernels_of(engine)
    data = datasets.load_breast_cancer().data
    asked = {"inputs": data.tolist(), "return": ["prediction", "probabilities"]}
    single = [{"input": row.tolist()} for row in data[:50]]
    calls = [Call("native", orjson.dumps(body)) for body in (asked, *single)]
    answers = kernels.predict_many(calls)
    assert all(isinstance(response, Prediction) for response in answers)
    assert answers == engine.predict_many(calls)
