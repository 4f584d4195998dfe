"""A gateway under test and a model behind it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from modelport_edge.memory_store import MemoryStore

from tests.support.gateway_world import World, running_world
from tests.support.scripted_model import ScriptedModel, scripted_model


@pytest.fixture
async def model(tmp_path: Path) -> AsyncIterator[ScriptedModel]:
    async with scripted_model(tmp_path / "m.sock") as running:
        yield running


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A running gateway on the memory store, which serves nothing yet."""
    async with running_world(
        MemoryStore(), limit_predict="1000/second", endpoint_wait_seconds=0.4
    ) as running:
        yield running


@pytest.fixture
async def serving(world: World, model: ScriptedModel) -> World:
    """`world` with the private model `iris` behind `model`, answering."""
    world.serve("iris", model.address)
    await world.settle()
    return world
