"""Small networks of PyTorch and Keras: the runtime, FastAPI and their framework, MLServer and MLflow."""

import random
import subprocess
import sysconfig
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from modelport_environments.catalogue import find
from modelport_standalone.environments.store import EnvironmentStore, default_folder

from bench.load import prepared
from bench.models import trained
from bench.models.model import Model
from bench.predictions.measuring import Measuring, Setting, Target
from bench.servers import peer_servers, starting

MLSERVER = "MLServer with MLflow"
_KINDS = {
    "torch": ("torch", "torch-2.15", "mlp.pt2"),
    "keras": ("tensorflow", "tensorflow-2.21", "mlp.keras"),
}
_CONNECTIONS = (1, 16)
_COLUMNS = 20
_INFER = "/v2/models/model/infer"
_MAKE = {
    "torch": """
import sys, torch
from torch import nn
torch.manual_seed(7)
layers = [nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 3), nn.Softmax(1)]
shapes = ({0: torch.export.Dim("rows")},)
program = torch.export.export(nn.Sequential(*layers).eval(), (torch.randn(2, 20),), dynamic_shapes=shapes)
torch.export.save(program, sys.argv[1])
""",
    "keras": """
import sys, keras
keras.utils.set_random_seed(7)
dense = keras.layers.Dense
layers = [keras.Input((20,)), dense(64, "relu"), dense(64, "relu"), dense(3, "softmax")]
keras.Sequential(layers).save(sys.argv[1])
""",
}
"""Twenty numbers, two hidden layers of 64, three classes. How well it is trained changes no time."""


def networks(measuring: Measuring, folder: Path, models: dict[str, Model]) -> None:
    """One row a request. The runtime is as a user has it: proven kernels, the framework's process gone."""
    peer = peer_servers.environment(peer_servers.MLSERVER_MLFLOW)
    for kind, (framework, environment, file) in _KINDS.items():
        python = str(EnvironmentStore(default_folder()).prepare(find(environment)))
        path = folder / file
        subprocess.run([python, "-I", "-c", _MAKE[kind], str(path)], check=True, capture_output=True)
        model = Model(f"{kind} MLP", path, None, _rows())
        settings = {"framework": framework, "model_python": python, "recheck_every": "0"}
        with ExitStack() as stack:
            started = {
                f"naive FastAPI + {kind}": stack.enter_context(_naive(python, kind, path, folder)),
                "runtime": stack.enter_context(starting.runtime(path, folder, **settings)),
                f"runtime, {environment} answers": stack.enter_context(
                    starting.runtime(path, folder, acceleration="off", **settings)
                ),
            }
            sent = prepared.post(folder, kind, "/predict", model.bodies(1, trained.one_or_many, 500))
            targets = [Target(name, server.address, sent, (server.pid,)) for name, server in started.items()]
            saved = _saved_by_mlflow(peer, kind, path, folder)
            mlserver = stack.enter_context(peer_servers.mlserver_mlflow(saved, folder))
            tensors = prepared.post(folder, f"{kind}-v2", _INFER, model.bodies(1, trained.v2_array, 500))
            targets.append(Target(MLSERVER, mlserver.address, tensors, (mlserver.pid,)))
            measuring.compare(Setting("networks", model.name), targets, _CONNECTIONS)


def _rows() -> list[list[Any]]:
    generator = random.Random(7)
    return [[round(generator.gauss(0, 1), 4) for _ in range(_COLUMNS)] for _ in range(200)]


def _saved_by_mlflow(peer: Path, kind: str, model: Path, folder: Path) -> Path:
    """The same network as a folder of MLflow, saved with the peer's libraries."""
    saved = folder / f"{kind}-mlflow"
    script = starting.ROOT / "bench" / "peers" / "mlflow_network.py"
    command = [str(peer / "bin" / "python"), str(script), kind, str(model), str(saved)]
    subprocess.run(command, check=True, capture_output=True)
    return saved


def _naive(python: str, kind: str, model: Path, folder: Path) -> Any:
    port = starting.free_port()
    script = starting.ROOT / "bench" / "servers" / "naive_network.py"
    packages = sysconfig.get_paths()["purelib"]
    command = [python, str(script), kind, str(model), str(port), packages]
    return starting.serving(f"naive-{kind}", command, folder, port=port, ready="/openapi.json")
