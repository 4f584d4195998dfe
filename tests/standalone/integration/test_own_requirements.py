"""A model of a library that the platform does not have, uploaded with its own requirements."""

import asyncio
import json
import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from modelport_environments.catalogue import BESIDE_OWN
from modelport_environments.resolving import Resolver
from modelport_standalone.environments.store import EnvironmentStore, default_folder

from tests.standalone.integration.crashes.processes import Child, children_of
from tests.support.platform_process import PlatformProcess, settled, wait_until_ready
from tests.support.waiting import eventually

pytestmark = [pytest.mark.nightly, pytest.mark.slow, pytest.mark.timeout(900)]
# An orjson that the runtime could not work with, beside a scikit-learn of its time.
GIVEN = """\
scikit-learn==1.3.2
category-encoders==2.6.3
numpy<1.27
scipy<1.12
pandas<2.2
orjson==3.8.0
"""
TRAIN = """
import json, sys
packages, file = sys.argv[1:]
sys.path.append(packages)
import joblib, pandas
from category_encoders import TargetEncoder
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
rows = pandas.DataFrame({"color": ["red", "blue", "green", "red"] * 10, "size": list(range(40))})
model = make_pipeline(TargetEncoder(cols=["color"]), LogisticRegression()).fit(rows, [1, 0, 0, 1] * 10)
joblib.dump(model, file)
few = rows[:6]
print(json.dumps({"rows": few.to_dict("records"), "probabilities": model.predict_proba(few)[:, 1].tolist()}))
"""


@pytest.fixture
def own() -> tuple[Path, Path]:
    """A Python, and the folder with the packages: made by this process, whose uv knows the index."""
    kept = EnvironmentStore(default_folder())
    packages = kept.prepare_own(asyncio.run(Resolver().lock(GIVEN.splitlines())))
    python = kept.python_of(BESIDE_OWN)
    assert python is not None
    return python, packages


def upload(client: httpx.Client, file: Path, requirements: str) -> httpx.Response:
    files = {"file": file.open("rb"), "requirements": ("requirements.txt", requirements.encode())}
    return client.post("/api/v1/models/upload", files=files, data={"name": "encoded"})


def test_it_predicts_what_its_own_packages_predict(
    new_platform: Callable[..., PlatformProcess], own: tuple[Path, Path], tmp_path: Path
) -> None:
    python, packages = own
    file = tmp_path / "model.joblib"
    trained = subprocess.run(
        [str(python), "-I", "-c", TRAIN, str(packages), str(file)], capture_output=True, text=True, check=True
    )
    expected: dict[str, Any] = json.loads(trained.stdout)
    # The platform's uv has another home, and what the other one has fetched.
    with new_platform(UV_OFFLINE="1").start().register_user() as client:
        made = upload(client, file, GIVEN).raise_for_status().json()
        wait_until_ready(client, made["id"])
        body = {"inputs": expected["rows"], "return": ["probabilities"]}
        answer = client.post(f"/predict/{made['id']}", json=body).raise_for_status().json()
        assert [each["1"] for each in answer["probabilities"]] == expected["probabilities"]
        (version,) = client.get(f"/api/v1/models/{made['id']}").json()["versions"]
        assert {"category-encoders==2.6.3", "orjson==3.8.0"} <= set(version["requirements"]["packages"])
        assert version["libraries"]["here"]["scikit-learn"] == "1.3.2"
        assert version["sandbox"]["level"] == 2

        missing = upload(client, file, GIVEN.replace("category-encoders==2.6.3\n", ""))
        failed = settled(client, f"/api/v1/models/{missing.raise_for_status().json()['id']}")
        assert (failed["status"], failed["reason"]) == ("failed", "MissingModule"), failed
        assert "'category_encoders" in failed["message"]


def begun_by(pid: int, words: str) -> list[Child]:
    """Processes below this one whose command has these words."""
    found = children_of(pid)
    below = [deeper for each in found for deeper in begun_by(each.pid, words)]
    return [each for each in found if words in each.command] + below


def kill(platform: PlatformProcess, *others: Child) -> None:
    platform.process.kill()
    for each in others:
        each.kill()
    platform.process.communicate()


def test_a_platform_that_is_killed_over_them_becomes_right(
    new_platform: Callable[..., PlatformProcess],
    own: tuple[Path, Path],
    tmp_path: Path,
) -> None:
    """While it resolves, and while it installs: nothing half-made is used, and none is left."""
    file, cache = tmp_path / "model.joblib", tmp_path / "cache"
    command = [str(own[0]), "-I", "-c", TRAIN, str(own[1]), str(file)]
    subprocess.run(command, capture_output=True, check=True)
    (tmp_path / "tmp").mkdir()
    uv_cache = os.environ.get("UV_CACHE_DIR") or str(Path.home() / ".cache/uv")
    folders = {"XDG_CACHE_HOME": str(cache), "UV_CACHE_DIR": uv_cache, "TMPDIR": str(tmp_path / "tmp")}
    platform = new_platform(UV_OFFLINE="1", **folders)
    client = platform.start().register_user()
    token = client.headers["Authorization"].removeprefix("Bearer ")

    with ThreadPoolExecutor() as pool:
        uploading = pool.submit(upload, client, file, GIVEN)
        eventually(lambda: begun_by(platform.process.pid, "pip compile"))
        kill(platform)
        with pytest.raises(httpx.TransportError):
            uploading.result()
    client = platform.start().session(token)
    assert client.get("/api/v1/models").json()["items"] == []
    assert not list((platform.data / "artifacts").rglob("*upload*"))

    made = upload(client, file, GIVEN).raise_for_status().json()
    environments = cache / "modelport" / "environments"
    eventually(lambda: list(environments.glob(".own-*.partial")))
    # Not by the platform: what it has started dies with it, as where the power fails.
    pid = platform.process.pid
    kill(platform, *begun_by(pid, "prepare-lock"), *begun_by(pid, "pip install"))
    assert list(environments.glob(".own-*.partial"))
    client = platform.start().session(token)
    wait_until_ready(client, made["id"])
    assert not list(environments.glob(".*.partial"))
    platform.stop()
    assert list((tmp_path / "tmp").iterdir()) == []
