"""What `make bench-peers` measures: third-party servers and ours, on one core, in one run."""

from contextlib import ExitStack
from pathlib import Path

from bench.load import prepared
from bench.models import trained
from bench.models.model import Model
from bench.predictions.groups import (
    CONNECTIONS,
    MANY_ROWS,
    MANY_ROWS_CONNECTIONS,
    NAIVE,
    RUNTIME,
    requests,
    start_together,
)
from bench.predictions.measuring import Measuring, Setting, Target
from bench.servers import peer_servers, starting

KSERVE, MLSERVER, MLSERVER_BATCHING = "KServe", "MLServer", "MLServer, adaptive batching"
PEERS = (KSERVE, MLSERVER, MLSERVER_BATCHING)
_MODELS = ("iris", "forest", "boosting")


def peers(measuring: Measuring, folder: Path, models: dict[str, Model]) -> None:
    """Each on its native protocol: KServe's V1, MLServer's V2. All know the model fitted on bare arrays."""
    for name in _MODELS:
        model = models[name]
        with ExitStack() as stack:
            ours = {
                NAIVE: stack.enter_context(starting.naive(model.path, folder)),
                RUNTIME: stack.enter_context(starting.runtime(model.path, folder)),
            }
            theirs = _start(stack, folder, trained.unnamed(model))
            one_core = [] if name == "boosting" else [start_together(stack, folder, model)]
            for rows, connections in ((1, CONNECTIONS), (MANY_ROWS, MANY_ROWS_CONNECTIONS)):
                sent = requests(folder, model, rows)
                targets = [Target(path, each.address, sent, (each.pid,)) for path, each in ours.items()]
                for path, server in theirs.items():
                    targets.append(
                        Target(path, server.address, _sent_to(path, folder, model, rows), (server.pid,))
                    )
                targets += one_core if rows == 1 else []
                measuring.compare(Setting("peers", name, rows), targets, connections)


def _start(stack: ExitStack, folder: Path, path: Path) -> dict[str, starting.Server]:
    return {
        KSERVE: stack.enter_context(peer_servers.kserve(path, folder)),
        MLSERVER: stack.enter_context(peer_servers.mlserver(path, folder)),
        MLSERVER_BATCHING: stack.enter_context(peer_servers.mlserver(path, folder, batching=True)),
    }


def _sent_to(path: str, folder: Path, model: Model, rows: int) -> prepared.Prepared:
    count = 500 if rows == 1 else 100
    if path == KSERVE:
        bodies = model.bodies(rows, trained.v1, count)
        return prepared.post(folder, f"{model.name}-{rows}-v1", "/v1/models/model:predict", bodies)
    bodies = model.bodies(rows, trained.v2, count)
    return prepared.post(folder, f"{model.name}-{rows}-v2", "/v2/models/model/infer", bodies)
