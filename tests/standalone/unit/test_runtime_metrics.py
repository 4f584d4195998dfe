"""What models' processes count is on the platform's page, and no model can spoil that page."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from modelport_crds.names import LABEL_MODEL, LABEL_MODEL_VERSION
from modelport_standalone.runtime_metrics import collect
from prometheus_client.parser import text_string_to_metric_families

from tests.support.scripted_model import answering, http, scripted_model

HONEST = """\
# TYPE modelport_runtime_requests_total counter
modelport_runtime_requests_total{protocol="native",status="200"} 7.0
# TYPE modelport_runtime_ready gauge
modelport_runtime_ready 1.0
# TYPE process_open_fds gauge
process_open_fds 16.0
"""
CollectFrom = Callable[..., Coroutine[Any, Any, dict[str, Any]]]


class Cluster:
    def __init__(self) -> None:
        self.pods: list[dict[str, Any]] = []

    async def list(self, _kind: str, _namespace: str | None) -> list[dict[str, Any]]:
        return self.pods


def pod(name: str, address: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {LABEL_MODEL: name, LABEL_MODEL_VERSION: "v1"}},
        "status": {"podIP": f"unix:{address}", "conditions": [{"type": "Ready", "status": "True"}]},
    }


@pytest.fixture
async def collect_from(tmp_path: Path) -> AsyncIterator[CollectFrom]:
    """Return the values on the page, by name and model, of models that answer with these pages."""

    async def collect_from(**pages: bytes) -> dict[str, Any]:
        cluster = Cluster()
        async with asyncio.timeout(120):
            for name, page in pages.items():
                socket = tmp_path / name
                model = await stack.enter_async_context(scripted_model(socket))
                model.script = answering(http("200 OK", page, "text/plain"))
                cluster.pods.append(pod(name, str(socket)))
            text = (await collect(cluster)).decode()  # type: ignore[arg-type]  # of a cluster it only lists
        return {
            f"{sample.name} {sample.labels['model']}": sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    async with AsyncExitStack() as stack:
        yield collect_from


async def test_each_number_says_whose_it_is(collect_from: CollectFrom) -> None:
    assert await collect_from(iris=HONEST.encode(), wine=HONEST.replace("7.0", "8.0").encode()) == {
        "modelport_runtime_requests_total iris": 7.0,
        "modelport_runtime_requests_total wine": 8.0,
        "modelport_runtime_ready iris": 1.0,
        "modelport_runtime_ready wine": 1.0,
    }


@pytest.mark.parametrize(
    "page",
    [
        b"no metrics {{{",
        b"\xff\x00",
        b"modelport_runtime_ready " + b"1" * 300_000,
        b"# TYPE modelport_runtime_ready histogram\nmodelport_runtime_ready 3\n",
        b"# TYPE modelport_runtime_ready counter\nmodelport_runtime_ready_total 3\n",
        b'# TYPE modelport_runtime_ready gauge\nmodelport_runtime_ready{"odd name"="x"} 3\n',
        b"# TYPE modelport_gateway_requests counter\nmodelport_gateway_requests_total 3\n",
    ],
)
async def test_a_page_that_makes_no_sense_is_left_out(collect_from: CollectFrom, page: bytes) -> None:
    assert await collect_from(honest=HONEST.encode(), odd=page) == await collect_from(honest=HONEST.encode())


async def test_a_model_cannot_count_for_another(collect_from: CollectFrom) -> None:
    lie = HONEST.replace("{", '{model="honest",').encode()
    assert "modelport_runtime_requests_total liar" in (said := await collect_from(liar=lie))
    assert not any(key.endswith("honest") for key in said)


async def test_a_number_that_is_there_twice_is_said_once(collect_from: CollectFrom) -> None:
    samples = b'modelport_runtime_ready{model="a"} 1\nmodelport_runtime_ready{model="b"} 2\n'
    page = b"# TYPE modelport_runtime_ready gauge\n" + samples
    assert await collect_from(iris=page) == {"modelport_runtime_ready iris": 2.0}
