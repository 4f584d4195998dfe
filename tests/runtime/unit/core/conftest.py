"""One way to load a file and to ask it, for all of these tests."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from modelport_runtime.core.backends import load, self_check
from modelport_runtime.core.engine import Engine
from modelport_runtime.core.types import Call, Failure, Prediction

from tests.support import models


def open_engine(path: Path, framework: str = "sklearn", sample: Any = None, **options: Any) -> Engine:
    options = {"max_batch_rows": 64, **options}
    engine = load(path, framework, sample, model="m", version="v1", **options)
    self_check(engine)
    return engine


def predict(engine: Engine, body: Any, protocol: Any = "native") -> Any:
    """Return the parsed answer, or fail with what was answered instead."""
    (result,) = engine.predict_many([Call(protocol, orjson.dumps(body))])
    assert isinstance(result, Prediction), result
    return orjson.loads(result.body)


def refused(engine: Engine, body: Any, protocol: Any = "native") -> Failure:
    """Return the failure that a body, parsed or raw, ends with."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    (result,) = engine.predict_many([Call(protocol, raw)])
    assert isinstance(result, Failure), result
    return result


def fields(failure: Failure) -> list[str]:
    return [error["field"] for error in failure.errors]


@pytest.fixture
def serve(tmp_path: Path) -> Callable[..., Engine]:
    """Save a trained model with joblib, load it, check it."""

    def serve(
        trained: models.Trained, sample: Any = None, framework: str = "sklearn", **options: Any
    ) -> Engine:
        return open_engine(models.save_joblib(trained.model, tmp_path), framework, sample, **options)

    return serve


@pytest.fixture(scope="session")
def iris(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """A classifier that knows no names: positional."""
    folder = tmp_path_factory.mktemp("iris")
    return open_engine(models.save_joblib(models.iris_logistic().model, folder))


@pytest.fixture(scope="session")
def named_iris(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder = tmp_path_factory.mktemp("named")
    return open_engine(models.save_joblib(models.iris_logistic_named().model, folder))


@pytest.fixture(scope="session")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder = tmp_path_factory.mktemp("mixed")
    return open_engine(models.save_joblib(models.mixed_pipeline().model, folder))
