"""One way to make an engine of a fitted model."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from modelport_runtime.core.backends import load, self_check
from modelport_runtime.core.engine import Engine

from tests.support import models


@pytest.fixture
def serve(tmp_path: Path) -> Callable[..., Engine]:
    """Save a fitted model with joblib, load it, check it."""

    def serve(model: Any, sample: Any = None) -> Engine:
        path = models.save_joblib(model, tmp_path)
        engine = load(path, "sklearn", sample, model="m", version="v1", max_batch_rows=64)
        self_check(engine)
        return engine

    return serve
