"""Whose folder an archive is: each kind is asked in turn, those that say most first."""

from pathlib import Path

from modelport_control_api.sniff.errors import as_refusals
from modelport_control_api.sniff.folders import (
    autogluon,
    contents,
    huggingface,
    mlflow,
    mlserver,
    plain,
    transformers,
)
from modelport_control_api.sniff.folders.found import ModelFolder

_KINDS = (mlserver.find, mlflow.find, huggingface.find, autogluon.find, plain.find)
# Names of files that say what a folder is, with the most bytes that they may have.
_KEPT = {
    mlserver.SETTINGS: 256 << 10,
    mlflow.MLMODEL: 512 << 10,
    huggingface.CONFIG: 512 << 10,
    **dict.fromkeys(transformers.KEPT, 1 << 20),
    autogluon.VERSION: 1 << 10,
    mlflow.REQUIREMENTS: 64 << 10,
    **dict.fromkeys(mlflow.EXAMPLES, 1 << 20),
}


def find(path: Path) -> ModelFolder | None:
    """Return what of the archive is served; None: it is no folder of another tool, or no archive.

    Blocking. Raises UnsupportedFormat or CorruptArtifact.
    """
    with path.open("rb") as file, as_refusals():
        held = contents.read(file, path.stat().st_size, _KEPT)
    if held is None:
        return None
    found = next((found for kind in _KINDS if (found := kind(held)) is not None), None)
    if found is not None:
        held.require_weights([found.model, *found.packed])
    return found
