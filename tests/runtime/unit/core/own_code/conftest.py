"""Loads code of a user's own as the model process does, and forgets its modules afterward."""

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from modelport_runtime.core import backends
from modelport_runtime.core.backends.own_code.parts import parts_of
from modelport_runtime.core.engine import Engine

from tests.support.own_code import fetched

Load = Callable[..., Engine]


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    """Return what makes an engine of a `model.py` and, in `files`, of what lies beside it."""
    before = (dict(sys.modules), list(sys.path), list(sys.path_hooks))

    def load(
        code: str,
        sample: Any = None,
        *,
        files: Mapping[str, bytes | str] | None = None,
        framework: str = "python",
        entry: str = "model.py",
        model: str | None = None,
    ) -> Engine:
        path = fetched(tmp_path, {entry: code, **(files or {})}, entry=entry, model=model)
        names = {"model": "own", "version": "v1", "max_batch_rows": 64}
        given = None if sample is None else {"input": sample}
        engine = backends.load(path, framework, given, **names, parts=parts_of(path))  # type: ignore[arg-type]
        backends.self_check(engine)
        return engine

    yield load
    sys.modules.clear()
    sys.modules.update(before[0])
    sys.path[:], sys.path_hooks[:] = before[1], before[2]
    sys.path_importer_cache.clear()
