"""Models of an old scikit-learn in its environment, beside the same ones of the platform's own."""

import subprocess
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from modelport_environments.catalogue import find
from modelport_standalone.environments.store import EnvironmentStore, default_folder

from bench.load import prepared
from bench.models import trained
from bench.models.model import Model
from bench.predictions.measuring import Measuring, Setting, Target
from bench.servers import starting

ENVIRONMENT = "sklearn-1.2"
MODELS = ("forest", "boosting")
CONNECTIONS = (1, 16)
_FIT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from bench.models import estimators
estimators.fit_all(Path(sys.argv[2]))
"""


def environments(measuring: Measuring, folder: Path, models: dict[str, Model]) -> None:
    """One row a request, both without the model's process, which ends in an environment as a rule."""
    python = str(EnvironmentStore(default_folder()).prepare(find(ENVIRONMENT)))
    for model in _trained_by(python, folder, models):
        own = models[model.name]
        with ExitStack() as stack:
            started = {
                "runtime": stack.enter_context(starting.runtime(own.path, folder, recheck_every="0")),
                f"runtime, {ENVIRONMENT}": stack.enter_context(
                    starting.runtime(model.path, folder, model_python=python, recheck_every="0")
                ),
            }
            bodies = own.bodies(1, trained.one_or_many, 500)
            sent = prepared.post(folder, f"environments-{own.name}", "/predict", bodies)
            targets = [Target(path, server.address, sent, (server.pid,)) for path, server in started.items()]
            measuring.compare(Setting("environments", own.name), targets, CONNECTIONS)


def _trained_by(python: str, folder: Path, models: dict[str, Model]) -> list[Model]:
    own = folder / ENVIRONMENT
    own.mkdir()
    subprocess.run([python, "-I", "-c", _FIT, str(starting.ROOT), str(own)], check=True)
    return [replace(models[name], path=own / f"{name}.joblib") for name in MODELS if name in models]
