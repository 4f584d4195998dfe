"""From `modelport upload` to ready, of models whose framework is in an environment that is there already."""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from modelport_environments.catalogue import find
from modelport_standalone.environments.store import EnvironmentStore, default_folder

from bench.models.model import Model
from bench.predictions.measuring import Measuring
from bench.servers.standalone import Standalone, standalone
from bench.servers.starting import ROOT

_FIXTURES = ROOT / "tests" / "fixtures"
FILES = {
    "PyTorch .pt2": _FIXTURES / "torch" / "dynamic.pt2",
    "Keras .keras": _FIXTURES / "tensorflow" / "flowers.keras",
    "TensorFlow SavedModel": _FIXTURES / "tensorflow" / "counter.zip",
}
_NEEDED = ("torch-2.15", "tensorflow-2.21")
_TIMES = 5


def fact_of(name: str) -> str:
    return f"{name}, modelport upload to ready, s"


def uploads(measuring: Measuring, folder: Path, models: dict[str, Model]) -> None:
    """Facts of the median of five uploads, each of a new model: the command is part of the time."""
    for name in _NEEDED:
        EnvironmentStore(default_folder()).prepare(find(name))
    facts: dict[str, float | str | None] = {}
    with standalone(folder, XDG_CACHE_HOME=str(default_folder().parents[1])) as platform:
        for name, path in FILES.items():
            taken = [_seconds_to_ready(platform, path, folder) for _ in range(_TIMES)]
            facts[fact_of(name)] = statistics.median(taken)
            print(f"{name}: {[round(each, 2) for each in taken]} s", flush=True)
    measuring.facts["uploads"] = facts


def _seconds_to_ready(platform: Standalone, path: Path, folder: Path) -> float:
    """Raises RuntimeError with what the command printed. The model is deleted afterwards."""
    program = Path(sys.executable).with_name("modelport")
    environment = {
        **os.environ,
        "HOME": str(folder / "caller"),
        "MODELPORT_URL": f"http://{platform.server.address}",
        "MODELPORT_API_KEY": platform.headers["Authorization"].removeprefix("Bearer "),
    }
    begin = time.monotonic()
    # It waits until the model is ready.
    command: list[str | Path] = [program, "upload", path]
    ended = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
    seconds = time.monotonic() - begin
    if ended.returncode:
        raise RuntimeError(f"{path.name}: {ended.stdout}{ended.stderr}")
    for model in platform.client.get("/api/v1/models").raise_for_status().json()["items"]:
        platform.client.delete(f"/api/v1/models/{model['id']}").raise_for_status()
    return seconds
