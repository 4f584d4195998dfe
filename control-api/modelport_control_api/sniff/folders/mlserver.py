"""MLServer's folders: `model-settings.json` names the runtime that reads the model, and its file."""

import posixpath
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from modelport_control_api.sniff.errors import CorruptArtifact, UnsupportedFormat
from modelport_control_api.sniff.folders import huggingface, mlflow
from modelport_control_api.sniff.folders.contents import Contents, is_own_code
from modelport_control_api.sniff.folders.found import ModelFolder

SETTINGS = "model-settings.json"
# What MLServer looks for where `uri` is a folder.
_FILES = {
    "mlserver_sklearn": ("model.joblib", "model.pickle", "model.pkl"),
    "mlserver_xgboost": ("model.bst", "model.json", "model.ubj"),
    "mlserver_lightgbm": ("model.bst",),
    "mlserver_catboost": ("model.cbm", "model.bin"),
}
_FOLDERS = {
    "mlserver_mlflow": (mlflow.MLMODEL, mlflow.read),
    "mlserver_huggingface": (huggingface.CONFIG, huggingface.read),
}
_NUMBERS = re.compile(r"FP|U?INT")
_VERSION = re.compile(r"(?:sklearn|scikit-learn)[/=]=?(\d[\w.]{0,30})")
_MAX_COLUMNS = 1000


def find(contents: Contents) -> ModelFolder | None:
    """Return what is served; None: it is no such folder. Raises UnsupportedFormat or CorruptArtifact."""
    root = contents.root_of(SETTINGS, "MLServer")
    if root is None:
        return None
    settings = contents.json(f"{root}{SETTINGS}")
    runtime = settings.get("implementation") if isinstance(settings, dict) else None
    if not isinstance(runtime, str):
        raise CorruptArtifact(f"The folder's {SETTINGS} names no implementation: MLServer did not write it.")
    package = runtime.partition(".")[0]
    if package not in _FILES and package not in _FOLDERS:
        if is_own_code(contents):
            return None
        raise UnsupportedFormat(_of_a_class(runtime, package))
    return _of_runtime(contents, root, settings, package)


def _of_a_class(runtime: str, package: str) -> str:
    if package.startswith("mlserver_"):
        return (
            f"The MLServer folder is served by {runtime[:100]}, which is none of the runtimes that are read "
            f"here ({', '.join((*_FILES, *_FOLDERS))}). Upload the model file alone, or with your own code."
        )
    return (
        f"The MLServer folder is served by a class of its own ({runtime[:100]}), which needs MLServer. "
        "Put its load and predict into a model.py beside the model's files, without model-settings.json, "
        "and upload a zip of them:\n"
        "class Model:\n"
        '    def load(self, folder): self.model = joblib.load(folder / "model.joblib")\n'
        "    def predict(self, rows): return self.model.predict(rows)"
    )


def _of_runtime(contents: Contents, root: str, settings: Mapping[str, Any], package: str) -> ModelFolder:
    parameters = settings.get("parameters")
    parameters = parameters if isinstance(parameters, dict) else {}
    place = _place(root, parameters)
    kind = f"MLServer's {_named(settings, parameters)}({package})"
    if package in _FOLDERS:
        return _inner(contents, place, package, kind)
    return ModelFolder(
        kind=kind,
        model=_file(contents, place, package),
        row=_row(settings),
        is_made_up=True,
        requirements=contents.text_of(f"{root}{mlflow.REQUIREMENTS}"),
        versions=_versions(settings),
    )


def _named(settings: Mapping[str, Any], parameters: Mapping[str, Any]) -> str:
    words = [each for each in (settings.get("name"), parameters.get("version")) if isinstance(each, str)]
    return "".join(f"{each[:60]} " for each in words if each)


def _place(root: str, parameters: Mapping[str, Any]) -> str:
    """Return where `uri` leads, as names in the archive are written; "" is its top."""
    uri = parameters.get("uri") or "."
    if not isinstance(uri, str) or urlsplit(uri).scheme not in {"", "file"}:
        raise UnsupportedFormat(_elsewhere(uri))
    path = posixpath.normpath(posixpath.join(root, urlsplit(uri).path))
    if path.startswith(("/", "..")):
        raise UnsupportedFormat(_elsewhere(uri))
    return "" if path == "." else path


def _elsewhere(uri: Any) -> str:
    return (
        f"The folder's {SETTINGS} names {str(uri)[:100]!r}, which lies outside of the folder. Put the model "
        'file into the folder, and give its name there: "parameters": {"uri": "./model.joblib"}.'
    )


def _file(contents: Contents, place: str, package: str) -> str:
    if place in contents.names:
        return place
    inside = f"{place}/" if place else ""
    found = next((f"{inside}{each}" for each in _FILES[package] if f"{inside}{each}" in contents.names), None)
    if found is None:
        raise CorruptArtifact(
            f"The folder's {SETTINGS} names {place or 'its own folder'!r}, in which there is neither "
            f"a file of that name nor {' nor '.join(_FILES[package])}. Pack the folder again."
        )
    return found


def _inner(contents: Contents, place: str, package: str, kind: str) -> ModelFolder:
    marker, read = _FOLDERS[package]
    root = f"{place}/" if place else ""
    if f"{root}{marker}" not in contents.texts:
        raise CorruptArtifact(
            f"The folder's {SETTINGS} names {place or 'its own folder'!r}, in which the archive holds no "
            f"{marker}. Pack the folder again."
        )
    inner = read(contents, root)
    if inner is None:
        raise UnsupportedFormat(f"The folder's {root}{marker} is of no model that is served.")
    return inner.within(kind)


def _row(settings: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a row of zeros by the names of the inputs, where each is a column of numbers.

    It names the columns of a model that knows no names itself.
    """
    inputs = settings.get("inputs")
    if not isinstance(inputs, list) or not 2 <= len(inputs) <= _MAX_COLUMNS:
        return None
    names = [each["name"] for each in inputs if isinstance(each, dict) and _is_number(each)]
    return dict.fromkeys(names, 0) if len(set(names)) == len(inputs) else None


def _is_number(tensor: Mapping[str, Any]) -> bool:
    datatype, shape = tensor.get("datatype"), tensor.get("shape")
    return (
        isinstance(tensor.get("name"), str)
        and isinstance(datatype, str)
        and _NUMBERS.match(datatype) is not None
        and isinstance(shape, list)
        and shape[1:] in ([], [1])
    )


def _versions(settings: Mapping[str, Any]) -> dict[str, str]:
    told = settings.get("versions")
    found = (
        [_VERSION.fullmatch(each) for each in told if isinstance(each, str)] if isinstance(told, list) else []
    )
    return next(({"scikit-learn": match[1]} for match in found if match), {})
