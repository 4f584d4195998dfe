"""Loads ensembles as the model process does, but for its sandbox."""

import hashlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from modelport_runtime.core.engine import Engine
from modelport_runtime.core.types import LoadError
from modelport_runtime.sandbox.enter import SandboxReport
from modelport_runtime.settings import Settings
from modelport_runtime.worker.loading import Loader

from tests.support.ensembles import Part, archive, fetched

Load = Callable[..., Engine]


def loaded(path: Path, sample: Any = None) -> Engine:
    """Raises `LoadError`."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    given = None if sample is None else {"input": sample}
    settings = Settings(
        model="both", version="v1", framework="ensemble", artifact=path, artifact_sha256=digest, sample=given
    )
    loader = Loader(settings, SandboxReport(2, ""), lambda: ())
    engine = loader.run()
    if engine is None:
        assert loader._failure is not None
        raise loader._failure
    return engine


@pytest.fixture(autouse=True)
def keeps_no_bytecode(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the sandbox: to keep what it compiled would be the file's attempt to write."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Return what makes an engine of members that are joined."""

    def load(
        join: str,
        parts: Sequence[Part],
        final: Part | None = None,
        *,
        passthrough: bool = False,
        sample: Any = None,
    ) -> Engine:
        return loaded(fetched(tmp_path, archive(join, parts, final, passthrough=passthrough)), sample)

    return load


@pytest.fixture
def fails(load: Load) -> Callable[..., str]:
    """Return the message of members that cannot be joined."""

    def fails(*args: Any, reason: str = "MembersMismatch", **options: Any) -> str:
        with pytest.raises(LoadError) as caught:
            load(*args, **options)
        assert caught.value.reason == reason, caught.value
        return caught.value.message

    return fails
