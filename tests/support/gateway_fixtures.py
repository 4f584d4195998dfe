"""A gateway under test and a model behind it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.gateway_world import World
    from tests.support.scripted_model import ScriptedModel


@pytest.fixture
async def model(tmp_path: Path) -> AsyncIterator["ScriptedModel"]:
    from tests.support.scripted_model import scripted_model

    async with scripted_model(tmp_path / "m.sock") as running:
        yield running


@pytest.fixture
async def world() -> AsyncIterator["World"]:
    """A running gateway on the memory store, which serves nothing yet."""
    from modelport_store.memory_store import MemoryStore

    from tests.support.gateway_world import running_world

    async with running_world(
        MemoryStore(), limit_predict="1000/second", endpoint_wait_seconds=0.4
    ) as running:
        yield running


@pytest.fixture
async def serving(world: "World", model: "ScriptedModel") -> "World":
    """`world` with the private model `iris` behind `model`, answering."""
    world.serve("iris", model.address)
    await world.settle()
    return world
