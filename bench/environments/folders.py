"""Models in folders, of Transformers and AutoGluon: the runtime beside FastAPI and their library."""

import json
import shutil
import sysconfig
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from modelport_control_api.models.folder_uploads import model_pieces
from modelport_control_api.sniff.folders.finding import find as find_folder
from modelport_environments.catalogue import find
from modelport_formats.packed import unpacked
from modelport_formats.packed.zips import unpack
from modelport_standalone.environments.store import EnvironmentStore, default_folder

from bench.load import prepared
from bench.models.model import Model
from bench.predictions.measuring import Measuring, Setting, Target
from bench.servers import starting

_FIXTURES = starting.ROOT / "tests" / "fixtures"
_KINDS = {
    "transformers": ("transformers-5.24", "bert.zip", "transformers text"),
    "autogluon": ("autogluon-1.6", "flowers.zip", "autogluon table"),
}
_CONNECTIONS = (1, 16)


def folders(measuring: Measuring, folder: Path, models: dict[str, Model]) -> None:
    """One row a request: the library predicts in both, and there are no kernels for it."""
    for kind, (environment, archive, name) in _KINDS.items():
        python = str(EnvironmentStore(default_folder()).prepare(find(environment)))
        saved = _FIXTURES / kind / archive
        with ExitStack() as stack:
            naive = stack.enter_context(_naive(python, kind, _extracted(saved, folder), folder))
            runtime = stack.enter_context(
                starting.runtime(_as_stored(saved, folder), folder, framework=kind, model_python=python)
            )
            sent = prepared.post(folder, kind, "/predict", [(body, 0.0) for body in _bodies(kind, archive)])
            servers = {f"naive FastAPI + {kind}": naive, "runtime": runtime}
            targets = [Target(path, each.address, sent, (each.pid,)) for path, each in servers.items()]
            measuring.compare(Setting("folders", name), targets, _CONNECTIONS)


def _bodies(kind: str, archive: str) -> list[dict[str, Any]]:
    """The rows that its library's own answers are kept of."""
    read = json.loads((_FIXTURES / kind / "answers.json").read_text(encoding="utf-8"))
    if kind == "transformers":
        return [{"input": {"text": text}} for text in read["rows"] if 0 < len(text) < 100]
    return [{"input": row} for row in read[archive]["rows"]]


def _extracted(archive: Path, folder: Path) -> Path:
    """The folder as its library saved it."""
    made = folder / f"{archive.stem}-extracted"
    shutil.unpack_archive(archive, made)
    (marker,) = [*made.rglob("config.json"), *made.rglob("predictor.pkl")][:1]
    return marker.parent


def _as_stored(archive: Path, folder: Path) -> Path:
    """A version's artifact, unpacked beside it as its node has it."""
    found = find_folder(archive)
    if found is None:
        raise ValueError(f"{archive} is no folder of a model")
    path = folder / f"{archive.stem}-stored"
    path.write_bytes(b"".join(model_pieces(archive, found)))
    unpack(path, unpacked(path))
    return path


def _naive(python: str, kind: str, model: Path, folder: Path) -> Any:
    port = starting.free_port()
    script = starting.ROOT / "bench" / "servers" / "naive_folder.py"
    command = [python, str(script), kind, str(model), str(port), sysconfig.get_paths()["purelib"]]
    return starting.serving(f"naive-{kind}", command, folder, port=port, ready="/openapi.json")
