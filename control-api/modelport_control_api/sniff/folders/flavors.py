"""What an `MLmodel` says: which of its flavors is served, where this one's model lies, and what saved it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from modelport_formats.frameworks import keras

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
_OTHER_KEYS = {"tensorflow": ("saved_model_dir",)}
_GRAPHS = {"tensorflow", "keras"}
"""Those whose model may be a SavedModel, a folder of its own."""
_VERSIONS = (
    ("sklearn", "sklearn_version", "scikit-learn"),
    ("statsmodels", "statsmodels_version", "statsmodels"),
)
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


def model_of(
    flavors: Mapping[str, Any], names: Collection[str], root: str
) -> tuple[str, str, Mapping[str, str]]:
    """Return the flavor that is served, the name of its file in the archive, and what is packed of a folder.

    `root`: the folder of the MLmodel, "" or with its slash. Raises UnsupportedFormat or CorruptArtifact.
    """
    served = next((name for name in SERVED if name in flavors), None)
    if served is None:
        raise UnsupportedFormat(_not_served(flavors))
    named = _named(served, flavors[served])
    for each in named if served in _GRAPHS else ():
        if packed := _saved_model(f"{root}{each}/", names):
            return served, f"{root}{each}/", packed
    return served, _found(served, named[0], names, root), {}


def versions_of(flavors: Mapping[str, Any]) -> dict[str, str]:
    """Return library → version, of those by which an environment is chosen."""
    told = {library: flavors.get(flavor, {}).get(key) for flavor, key, library in _VERSIONS}
    return {library: version for library, version in told.items() if isinstance(version, str) and version}


def code_of(said: Mapping[str, Any], names: Collection[str], root: str) -> str | None:
    """Return the folder with the modules of `code_paths`, with its slash; None: there are none."""
    named = said.get("code", "")
    if not isinstance(named, str) or named in _NONE:
        return None
    folder = f"{root}{named.strip('/')}/"
    return folder if any(name.startswith(folder) and name.endswith(".py") for name in names) else None


def _saved_model(folder: str, names: Collection[str]) -> dict[str, str]:
    """Return the files of the outermost SavedModel in the folder by their names in it; none if none is."""
    graphs = [name for name in names if name.startswith(folder) and name.rpartition("/")[2] == keras.GRAPH]
    root = min(graphs, key=len, default="").removesuffix(keras.GRAPH)
    return {name: name.removeprefix(root) for name in names if root and name.startswith(root)}


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


def _named(flavor: str, said: Mapping[str, Any]) -> list[str]:
    """Return where the model may lie, at least one place."""
    keys = (SERVED[flavor].key, *_OTHER_KEYS.get(flavor, ()))
    values = [said.get(key, "") for key in keys]
    named = [each.rstrip("/") for each in values if isinstance(each, str) and each not in _NONE]
    if not named:
        raise CorruptArtifact(
            f"The folder's MLmodel does not say where the {flavor} model is: no {keys[0]!r}."
        )
    return named


def _found(flavor: str, named: str, names: Collection[str], root: str) -> str:
    endings = SERVED[flavor].endings
    if f"{root}{named}" in names:
        return f"{root}{named}"
    inside = [each for each in names if each.startswith(f"{root}{named}/") and each.endswith(endings or "\0")]
    if len(inside) == 1:
        return inside[0]
    if endings and any(each.startswith(f"{root}{named}/") for each in names):
        raise UnsupportedFormat(
            f"The MLflow folder's {flavor} model ({named[:100]!r}) is not one file that ends in "
            f"{' or '.join(endings)}. Save it as one, and upload that alone."
        )
    raise CorruptArtifact(
        f"The folder's MLmodel names {named[:100]!r}, which the archive does not hold. Pack the folder again."
    )
