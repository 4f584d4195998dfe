"""From the parts of an upload with code of a user's own to a backend."""

from types import ModuleType
from typing import Any

from modelport_runtime.core.backends.base import Backend
from modelport_runtime.core.backends.model_file import ModelFile
from modelport_runtime.core.backends.own_code import around, model_class
from modelport_runtime.core.backends.own_code.parts import Parts
from modelport_runtime.core.backends.registry import Framework
from modelport_runtime.core.types import LoadError


def load(parts: Parts, framework: Framework, file: ModelFile | None) -> Backend:
    """Return the backend of the code, of the model file with code around it, or of the file that names it.

    Raises `LoadError`, or whatever the code raises.
    """
    parts.make_importable()
    module = parts.import_entry()
    kind = getattr(module, "Model", None)
    if kind is not None:
        return model_class.make(kind, parts, framework.versions())
    if file is None:
        raise _no_model(module)
    inner = framework.load(file)
    steps = around.steps_of(module, inner)
    return inner if steps is None else around.Around(steps, inner)


def _no_model(module: ModuleType | None) -> LoadError:
    name: Any = getattr(module, "__name__", "The code")
    return LoadError(
        "NotAModel", f"{name}.py defines no class Model, and no model file was uploaded with it."
    )
