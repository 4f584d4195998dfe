"""A gateway under test and a model behind it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from modelport_edge.memory_store import MemoryStore

from tests.support.gateway_world import World, build_world
from tests.support.scripted_model import ScriptedModel, scripted_model


@pytest.fixture
async def model(tmp_path: Path) -> AsyncIterator[ScriptedModel]:
    async with scripted_model(tmp_path / "m.sock") as running:
        yield running


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A running gateway on the memory store, which serves nothing yet."""
    made = build_world(MemoryStore(), limit_predict="1000/second", endpoint_wait_seconds=0.4)
    async with made.gateway.running():
        async with asyncio.timeout(10):
            while (await made.http.get("/readyz")).status_code != 200:
                await asyncio.sleep(0.01)
        yield made


@pytest.fixture
async def serving(world: World, model: ScriptedModel) -> World:
    """`world` with the private model `iris` behind `model`, answering."""
    world.serve("iris", model.address)
    await world.settle()
    return world
