"""Third-party servers from PyPI, each in an own environment: MLServer (MLflow too), KServe's scikit-learn.

The environments are made once, in the user's cache folder, from the pinned lists in bench/peers/.
"""

import json
import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

from bench.servers.starting import free_port, serving

_PEERS = Path(__file__).parents[1] / "peers"
MLSERVER_MLFLOW = "mlserver_mlflow"
_MLSERVER_SETTINGS = {
    "host": "127.0.0.1",
    # One process: a second one would share the core and only cost.
    "parallel_workers": 0,
    "debug": False,
}


def environment(name: str) -> Path:
    """The folder of an environment with what bench/peers/<name>.txt lists. Raises CalledProcessError."""
    pinned = _PEERS / f"{name}.txt"
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "modelport" / "bench"
    folder = cache / f"{name}-{sha256(pinned.read_bytes()).hexdigest()[:10]}"
    if not (folder / "complete").exists():
        print(f"installing {name} into {folder} (once)", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        uv = str(Path(sys.executable).with_name("uv"))
        subprocess.run([uv, "venv", "-q", "--python", sys.executable, str(folder)], check=True)
        python = str(folder / "bin" / "python")
        subprocess.run([uv, "pip", "install", "-q", "--python", python, "-r", str(pinned)], check=True)
        (folder / "complete").touch()
    return folder


def kserve(model: Path, folder: Path) -> Any:
    """KServe's scikit-learn server, V1 protocol at /v1/models/model:predict."""
    port = free_port()
    python = environment("kserve") / "bin" / "python"
    command = [str(python), str(_PEERS / "kserve_sklearn.py"), str(model), str(port)]
    return serving("kserve", command, folder, port=port, ready="/v1/models/model")


def mlserver(model: Path, folder: Path, *, batching: bool = False) -> Any:
    """MLServer, Open Inference Protocol at /v2/models/model/infer. `batching`: adaptive, as it has it."""
    described = _mlserver_model("mlserver_sklearn.SKLearnModel", model)
    if batching:
        described |= {"max_batch_size": 64, "max_batch_time": 0.005}
    return _mlserver("mlserver", described, folder)


def mlserver_mlflow(model: Path, folder: Path) -> Any:
    """MLServer's MLflow runtime with a folder that MLflow has saved, the same protocol and path."""
    described = _mlserver_model("mlserver_mlflow.MLflowRuntime", model)
    return _mlserver(MLSERVER_MLFLOW, described, folder)


def _mlserver_model(implementation: str, model: Path) -> dict[str, Any]:
    return {"name": "model", "implementation": implementation, "parameters": {"uri": str(model)}}


def _mlserver(peer: str, described: dict[str, Any], folder: Path) -> Any:
    port = free_port()
    settings = folder / f"{peer}-{port}"
    settings.mkdir()
    ports = {"http_port": port, "grpc_port": free_port(), "metrics_port": free_port()}
    (settings / "settings.json").write_text(json.dumps({**_MLSERVER_SETTINGS, **ports}))
    (settings / "model-settings.json").write_text(json.dumps(described))
    command = [str(environment(peer) / "bin" / "mlserver"), "start", str(settings)]
    return serving(peer, command, folder, port=port, ready="/v2/models/model/ready")
