"""A gateway under test and a model behind it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.gateway_harness import Harness
    from tests.support.scripted_model import ScriptedModel


@pytest.fixture
async def model(tmp_path: Path) -> AsyncIterator["ScriptedModel"]:
    from tests.support.scripted_model import scripted_model

    async with scripted_model(tmp_path / "m.sock") as running:
        yield running


@pytest.fixture
async def harness() -> AsyncIterator["Harness"]:
    """A running gateway on the memory store, which serves nothing yet."""
    from modelport_store.memory_store import MemoryStore

    from tests.support.gateway_harness import running_harness

    async with running_harness(
        MemoryStore(), limit_predict="1000/second", endpoint_wait_seconds=0.4
    ) as running:
        yield running


@pytest.fixture
async def serving(harness: "Harness", model: "ScriptedModel") -> "Harness":
    """`harness` with the private model `iris` behind `model`, answering."""
    harness.serve("iris", model.address)
    await harness.settle()
    return harness
