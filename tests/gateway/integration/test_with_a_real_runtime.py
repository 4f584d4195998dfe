"""A prediction all the way: gateway, a real runtime in its own process, a real model."""

import asyncio
import os
import sys
import tempfile
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import aiohttp
import joblib
import pytest
from modelport_store.memory_store import MemoryStore
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from tests.support.gateway_harness import Harness, model_object, running_harness, slice_object


@asynccontextmanager
async def runtime(folder: Path, artifact: Path, digest: str) -> AsyncIterator[tuple[Path, Process]]:
    """Start one; give its socket and process."""
    socket = folder / "http.sock"
    environment = {
        "PATH": os.environ["PATH"],
        "MODELPORT_RUNTIME_MODEL": "iris",
        "MODELPORT_RUNTIME_VERSION": "v1",
        "MODELPORT_RUNTIME_FRAMEWORK": "sklearn",
        "MODELPORT_RUNTIME_ARTIFACT": str(artifact),
        "MODELPORT_RUNTIME_ARTIFACT_SHA256": digest,
        "MODELPORT_RUNTIME_LISTEN": f"unix:{socket}",
        # What is tested here is the way to the model, also on machines that cannot isolate it.
        "MODELPORT_RUNTIME_ALLOW_UNSANDBOXED": "true",
    }
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-m", "modelport_runtime", env=environment, cwd=folder
    )
    try:
        yield socket, child
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


async def status_when_loaded(socket: Path, child: Process) -> dict[str, object]:
    async with (
        asyncio.timeout(60),
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(socket))) as session,
    ):
        while child.returncode is None:
            try:
                async with session.get("http://model/status") as response:
                    status = await response.json()
                    if status["state"] != "loading":
                        return dict(status)
            except aiohttp.ClientError:
                pass  # It does not listen yet; the time limit above ends this.
            await asyncio.sleep(0.05)
    pytest.fail(f"the runtime ended with {child.returncode}; its own words are above")


@pytest.fixture
async def harness() -> AsyncIterator[Harness]:
    rows, classes = load_iris(return_X_y=True, as_frame=True)
    # Not tmp_path: a unix socket's path may have 107 characters at most.
    with tempfile.TemporaryDirectory(prefix="runtime-") as name:
        folder = Path(name)
        joblib.dump(LogisticRegression(max_iter=500).fit(rows, classes), folder / "model.joblib")
        artifact = folder / "model.joblib"
        digest = sha256(artifact.read_bytes()).hexdigest()
        async with (
            runtime(folder, artifact, digest) as (socket, child),
            running_harness(MemoryStore()) as harness,
        ):
            status = await status_when_loaded(socket, child)
            assert status["state"] == "ready", status
            harness.cluster.put("MLModel", model_object(signature=status["signature"]))
            harness.cluster.put("EndpointSlice", slice_object("iris", "v1", f"unix:{socket}"))
            await harness.settle()
            yield harness


async def test_a_real_model_predicts_and_wrong_requests_are_reported(harness: Harness) -> None:
    names = load_iris().feature_names
    row = dict(zip(names, [5, 3.5, 1.4, 0.2], strict=True))
    first = await harness.predict(body={"input": row})
    assert (first.status_code, first.json()["prediction"]) == (200, 0), first.text
    reordered = {name: float(row[name]) for name in reversed(names)}
    again = await harness.predict(body={"input": reordered})
    assert (again.headers["x-cache"], again.content) == ("hit", first.content)
    bad = await harness.predict(body={"input": row | {names[0]: "wide"}})
    assert (bad.status_code, bad.headers["content-type"]) == (422, "application/problem+json")
    assert names[0] in bad.json()["errors"][0]["field"]
    not_json = await harness.predict(
        body=b"{", headers={**harness.bearer, "Content-Type": "application/json"}
    )
    assert not_json.status_code == 400
    metadata = await harness.http.get("/v2/models/iris", headers=harness.bearer)
    assert (metadata.status_code, metadata.json()["name"]) == (200, "iris")
