"""The demo: a real model, trained and uploaded the first time; it has predicted when the start reports so."""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from modelport_standalone import data_dir
from modelport_standalone.data_dir import DataDir

ROW = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
_NAME = "Iris demo"
_KEPT_ID = "demo_model"
_HOLD_SECONDS = 5
_READY_WITHIN_SECONDS = 90.0

Say = Callable[[str], None]


class DemoFailed(Exception):
    """The platform runs, but its demo does not; the message explains why."""


@dataclass(frozen=True)
class Demo:
    model_id: str
    prediction: Any


async def open_demo(api: httpx.AsyncClient, data: DataDir, admin_key: str, demo_key: str, say: Say) -> Demo:
    """`api` speaks to the whole platform. Raises `DemoFailed` and `CannotStart`."""
    headers = {"X-API-Key": admin_key}
    kept = await asyncio.to_thread(data_dir.read, data.keys)
    model_id = kept.get(_KEPT_ID)
    if model_id is None or not (await api.get(f"/api/v1/models/{model_id}", headers=headers)).is_success:
        model_id = await _upload(api, headers, say)
        await asyncio.to_thread(data_dir.write, data.keys, {**kept, _KEPT_ID: model_id})
    say("Waiting for the demo model to predict")
    await _wait(api, headers, model_id, say)
    return Demo(model_id, await _predict(api, model_id, demo_key))


async def _upload(api: httpx.AsyncClient, headers: dict[str, str], say: Say) -> str:
    say("Training the demo model (iris, scikit-learn)")
    with tempfile.TemporaryDirectory(prefix="modelport-demo-") as folder:
        path = Path(folder) / "iris.joblib"
        await _train(path)
        content = await asyncio.to_thread(path.read_bytes)
    say("Uploading it")
    response = await api.post(
        "/api/v1/models/upload",
        headers=headers,
        files={"file": ("iris.joblib", content)},
        data={"name": _NAME, "description": "Made by modelport up --demo", "sample": json.dumps(ROW)},
    )
    if not response.is_success:
        raise DemoFailed(f"The demo model was not taken: {response.text}")
    return str(response.json()["id"])


async def _train(path: Path) -> None:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-m", "modelport_standalone.demo_model", str(path)),
        env={"PATH": os.defpath, "HOME": str(path.parent)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, errors = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
    if child.returncode:
        raise DemoFailed(f"The demo model could not be trained:\n{errors.decode(errors='replace')}")


async def _wait(api: httpx.AsyncClient, headers: dict[str, str], model_id: str, say: Say) -> None:
    give_up_at = time.monotonic() + _READY_WITHIN_SECONDS
    while time.monotonic() < give_up_at:
        response = await api.get(
            f"/api/v1/models/{model_id}", headers=headers, params={"wait": _HOLD_SECONDS}
        )
        model = response.json()
        if model["status"] == "failed":
            raise DemoFailed(f"The demo model failed ({model['reason']}): {model['message']}")
        if model["status"] != "pending":
            return
        say(f"  {model['message'] or model['reason']}")
    raise DemoFailed(f"The demo model was not ready within {_READY_WITHIN_SECONDS:.0f} s.")


async def _predict(api: httpx.AsyncClient, model_id: str, key: str) -> Any:
    """Ready again after a restart is reported before its process is: call until it responds."""
    give_up_at = time.monotonic() + _READY_WITHIN_SECONDS
    while True:
        response = await api.post(f"/predict/{model_id}", headers={"X-API-Key": key}, json={"input": ROW})
        if response.is_success:
            return response.json()["prediction"]
        if response.status_code not in (404, 429, 503) or time.monotonic() > give_up_at:
            raise DemoFailed(f"The demo model answered {response.status_code}: {response.text}")
        await asyncio.sleep(0.1)
