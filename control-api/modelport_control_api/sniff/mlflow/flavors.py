"""What an `MLmodel` says: which of its flavors is served, and the file that this one's model lies in."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from modelport_control_api.sniff.errors import CorruptArtifact, UnsupportedFormat

# An MLmodel has a hundred; its signature is a text in one of them.
_MAX_NODES = 2000


@dataclass(frozen=True, slots=True)
class _Flavor:
    """`key`: where MLmodel names its file, or the folder of it. `endings`: of the file in that folder."""

    key: str = "data"
    endings: tuple[str, ...] = ()


SERVED = {
    "sklearn": _Flavor("pickled_model"),
    "xgboost": _Flavor(),
    "lightgbm": _Flavor(),
    "catboost": _Flavor(),
    "statsmodels": _Flavor(),
    "onnx": _Flavor(),
    "keras": _Flavor(endings=(".keras",)),
    "tensorflow": _Flavor(endings=(".keras", ".h5")),
    "pytorch": _Flavor("model_data", (".pt2", ".pth")),
}
_NONE = {"", "null", "~"}


class _Loader(yaml.BaseLoader):
    """Gives texts, lists and mappings alone, and few of them."""

    def __init__(self, text: bytes) -> None:
        super().__init__(text)
        self._nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._nodes += 1
        if self._nodes > _MAX_NODES:
            raise yaml.YAMLError(f"it has more than {_MAX_NODES} entries")
        return super().compose_node(parent, index)


def read_mlmodel(text: bytes) -> Mapping[str, Any]:
    """Return the flavors of an MLmodel. Raises CorruptArtifact."""
    try:
        found = yaml.load(text, _Loader)  # noqa: S506  # it builds no objects
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise CorruptArtifact(f"The folder's MLmodel is not YAML: {_reason(error)}.") from None
    flavors = found.get("flavors") if isinstance(found, dict) else None
    if not isinstance(flavors, dict) or not all(isinstance(each, dict) for each in flavors.values()):
        raise CorruptArtifact("The folder's MLmodel names no flavors: MLflow did not write it.")
    return flavors


def _reason(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"line {error.problem_mark.line + 1}, {error.problem}"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return str(error).splitlines()[0][:200]


def model_file(flavors: Mapping[str, Any], names: Collection[str], root: str) -> tuple[str, str]:
    """Return the flavor that is served, and the name of its file in the archive.

    `root`: the folder of the MLmodel, "" or with its slash. Raises UnsupportedFormat or CorruptArtifact.
    """
    served = next((name for name in SERVED if name in flavors), None)
    if served is None:
        raise UnsupportedFormat(_not_served(flavors))
    said = flavors[served]
    if said.get("code", "") not in _NONE:
        raise UnsupportedFormat(
            f"The MLflow folder brings Python code of its own (code_paths, in {str(said['code'])[:80]!r}), "
            "which the platform does not install. Save a model that needs none of it, for example as ONNX."
        )
    return served, _found(served, said, names, root)


def _not_served(flavors: Mapping[str, Any]) -> str:
    own = [name[:40] for name in flavors if name != "python_function"]
    served = ", ".join(SERVED)
    if own:
        return (
            f"The MLflow folder holds a model of the flavor {', '.join(own[:5])}, which is not served; those "
            f"that are: {served}. Save the model as one of these, for example as ONNX, and upload that."
        )
    loader = str(flavors.get("python_function", {}).get("loader_module", ""))[:100]
    return (
        f"The MLflow folder holds Python code of its own (python_function, loaded by {loader or 'nothing'}) "
        f"and none of the flavors that are served ({served}). Save the model that the code wraps alone "
        "(joblib, skops, ONNX, …), and upload that file."
    )


def _found(flavor: str, said: Mapping[str, Any], names: Collection[str], root: str) -> str:
    key, endings = SERVED[flavor].key, SERVED[flavor].endings
    named = said.get(key, "")
    if not isinstance(named, str) or named in _NONE:
        raise CorruptArtifact(f"The folder's MLmodel does not say where the {flavor} model is: no {key!r}.")
    if f"{root}{named}" in names:
        return f"{root}{named}"
    inside = [each for each in names if each.startswith(f"{root}{named}/") and each.endswith(endings or "\0")]
    if len(inside) == 1:
        return inside[0]
    if endings and any(each.startswith(f"{root}{named}/") for each in names):
        raise UnsupportedFormat(
            f"The MLflow folder's {flavor} model ({named[:100]!r}) is not one file that ends in "
            f"{' or '.join(endings)}. Upload that model alone; a SavedModel as a zip of its own folder."
        )
    raise CorruptArtifact(
        f"The folder's MLmodel names {named[:100]!r}, which the archive does not hold. Pack the folder again."
    )
