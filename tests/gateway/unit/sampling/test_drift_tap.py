"""Rows counted by a real gateway into a reference's bins, cached responses and batches included."""

import asyncio
from typing import Any

import httpx
import pytest
from modelport_telemetry.drift import bins as wire
from modelport_telemetry.drift.bins import FIRST_BIN, MISSING, Feature, NumberBins, ReferenceBins
from modelport_telemetry.usage import drift_counts
from modelport_telemetry.usage.drift_counts import DriftCounts

from tests.gateway.unit.sampling.test_history_tap import by_asgi, by_the_fast_path, saying
from tests.support.gateway_harness import Harness
from tests.support.scripted_model import ScriptedModel

BINS = ReferenceBins("r1", (Feature("a", 0, NumberBins((0.0, 1.0))),), predictions="classes")
ONE = {"model": "iris", "version": "v1", "prediction": "x"}


async def watch(harness: Harness, bins: ReferenceBins = BINS) -> None:
    harness.control.references["iris"] = {"model": "iris", "version": "v1", "reference": bins.reference}
    harness.control.bins[bins.reference] = wire.encode(bins)
    await harness.gateway._references.refresh()


async def counted(harness: Harness) -> DriftCounts | None:
    await asyncio.sleep(0.1)
    harness.gateway._drift.flush()
    await harness.gateway.usage.turn()
    found = [drift_counts.decode(each.payload) for each in harness.usage.samples if each.kind == "drift"]
    return found[-1] if found else None


async def predict(caller: httpx.AsyncClient, **body: Any) -> int:
    return (await caller.post("/predict/iris", json=body)).status_code


@pytest.mark.parametrize("path", [by_asgi, by_the_fast_path])
async def test_rows_are_counted_whatever_path_they_come_by(
    serving: Harness, model: ScriptedModel, path: Any
) -> None:
    model.script = saying(ONE)
    await watch(serving)
    async with path(serving) as caller:
        for value in (0.5, 0.5, None):
            assert await predict(caller, input={"a": value}) == 200
    found = await counted(serving)
    assert found is not None
    assert (found.model, found.version, found.reference, found.rows) == ("iris", "v1", "r1", 3)
    assert found.features["a"][FIRST_BIN + 1] == 2
    assert found.features["a"][MISSING] == 1
    assert found.predictions == {"=x": 3}
    # Two values were equal; the third, null, may share their cell.
    assert sum(cell * cell for cell in found.values["a"]) in (1, 5, 9)


async def test_of_a_large_batch_a_bounded_part_is_counted(serving: Harness, model: ScriptedModel) -> None:
    model.script = saying({"model": "iris", "version": "v1", "predictions": ["x"] * 2000})
    await watch(serving)
    async with by_asgi(serving) as caller:
        assert await predict(caller, inputs=[{"a": 0.5}] * 2000) == 200
    found = await counted(serving)
    assert found is not None
    assert 490 <= found.rows <= 510


async def test_without_a_reference_nothing_is_counted(serving: Harness, model: ScriptedModel) -> None:
    model.script = saying(ONE)
    async with by_asgi(serving) as caller:
        assert await predict(caller, input={"a": 0.5}) == 200
        await watch(serving)
        serving.control.references.clear()
        await serving.gateway._references.refresh()
        assert await predict(caller, input={"a": 0.7}) == 200
    assert await counted(serving) is None
