"""The frameworks whose models are served, found by name before any of their libraries is imported.

docs/add-a-framework.md has what else a new one needs.
"""

import importlib
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from importlib.util import cache_from_source, find_spec
from pathlib import Path

from modelport_formats.signatures import CATBOOST_MODEL, LIGHTGBM_TEXT, XGBOOST_BINARY, XGBOOST_OBJECT, ZIP

from modelport_runtime.core.backends import deferred_imports
from modelport_runtime.core.backends.base import Backend
from modelport_runtime.core.backends.model_file import ModelFile

_IMPORTS_EVERY_ESTIMATOR = "skops.io"


def cache_estimators() -> None:
    """Import what models may name, once, where an installer left scikit-learn uncompiled.

    Models import what they need inside the sandbox, which is quick only if it was compiled before.
    """
    # A model's own requirements may bring scikit-learn alone.
    there = find_spec(_IMPORTS_EVERY_ESTIMATOR.partition(".")[0]) is not None
    spec = find_spec(_IMPORTS_EVERY_ESTIMATOR) if there else None
    if spec is None or spec.origin is None:
        return
    cached = Path(cache_from_source(spec.origin))
    if not cached.exists() and os.access(cached.parent.parent, os.W_OK):
        for name in (_IMPORTS_EVERY_ESTIMATOR, *sorted(deferred_imports.MODULES)):
            importlib.import_module(name)


def use_one_thread() -> None:
    """Have one thread compute: rows come in batches, and threads of many models would only contend."""
    import torch

    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)


_BACKENDS = "modelport_runtime.core.backends"


def _nothing_more() -> None:
    """Most frameworks are ready once they are imported."""


@dataclass(frozen=True, kw_only=True)
class Framework:
    """How the models of one framework are read."""

    name: str
    """As MLModels and `MODELPORT_RUNTIME_FRAMEWORK` have it."""
    imports: str
    """What every model of it needs. The rest is imported as the file names it, inside the sandbox: reading
    modules needs no right that a model lacks, and most models use few of them."""
    libraries: tuple[str, ...]
    """The distributions that run its models, which `/status` reports with their versions."""
    backend: str
    """The module of this package whose `load` makes a backend of a `ModelFile`."""
    native: bytes | tuple[bytes, ...] | None = None
    """How a file in its own formats starts; None: it has none, b"": it has no other."""
    on_scikit_learn: bool = True
    """It may bring scikit-learn, whose seldom used imports are then deferred."""
    after_import: Callable[[], None] = _nothing_more
    """What else is done while the process still has its rights."""

    def prepare(self) -> None:
        """Import what every model needs."""
        if self.on_scikit_learn:
            deferred_imports.install()
        importlib.import_module(self.imports)
        self.after_import()

    def versions(self) -> dict[str, str]:
        """Return the versions of its libraries that are here: of distributions, as not all are imported.

        A model's own requirements may do without one of them, such as pandas.
        """
        found = {library: self._version(library) for library in self.libraries}
        return {library: version for library, version in found.items() if version is not None}

    def _version(self, library: str) -> str | None:
        # xgboost comes as the distribution xgboost or xgboost-cpu: the module knows, and is imported anyway.
        if library == self.imports:
            return str(importlib.import_module(library).__version__)
        with suppress(metadata.PackageNotFoundError):
            return metadata.version(library)
        return None

    def load(self, file: ModelFile) -> Backend:
        """Return the backend of the file's model. Raises `LoadError`, or what the file's own code raises."""
        module = importlib.import_module(f"{_BACKENDS}.{self.backend}")
        backend: Backend = module.load(file)
        return backend


FRAMEWORKS = (
    Framework(
        name="sklearn",
        imports="sklearn.base",
        libraries=("scikit-learn", "numpy", "pandas"),
        backend="sklearn",
        after_import=cache_estimators,
    ),
    Framework(
        name="xgboost",
        imports="xgboost",
        libraries=("xgboost", "scikit-learn", "numpy"),
        backend="xgboost",
        native=(XGBOOST_OBJECT, XGBOOST_BINARY),
    ),
    Framework(
        name="lightgbm",
        imports="lightgbm",
        libraries=("lightgbm", "scikit-learn", "numpy"),
        backend="lightgbm",
        native=LIGHTGBM_TEXT,
    ),
    Framework(
        name="catboost",
        imports="catboost",
        libraries=("catboost", "numpy"),
        backend="catboost",
        native=CATBOOST_MODEL,
        on_scikit_learn=False,
    ),
    Framework(
        name="jax",
        imports="jax.export",
        libraries=("jax", "jaxlib", "numpy"),
        backend="jax.backend",
        native=b"",
        on_scikit_learn=False,
    ),
    Framework(
        name="river",
        imports="river.base",
        libraries=("river", "numpy"),
        backend="river.backend",
        on_scikit_learn=False,
    ),
    Framework(
        name="statsmodels",
        imports="statsmodels.base.model",
        libraries=("statsmodels", "numpy", "pandas"),
        backend="statsmodels.backend",
        on_scikit_learn=False,
    ),
    Framework(
        name="onnx",
        imports="onnxruntime",
        libraries=("onnxruntime", "numpy"),
        backend="onnx.backend",
        native=b"",
        on_scikit_learn=False,
    ),
    Framework(
        name="torch",
        imports="torch",
        libraries=("torch", "numpy"),
        backend="torch.backend",
        native=ZIP,
        on_scikit_learn=False,
        after_import=use_one_thread,
    ),
    Framework(
        name="transformers",
        imports=f"{_BACKENDS}.transformers.library",
        libraries=("transformers", "torch", "numpy"),
        backend="transformers.backend",
        native=ZIP,
        on_scikit_learn=False,
        after_import=use_one_thread,
    ),
    Framework(
        name="autogluon",
        imports=f"{_BACKENDS}.autogluon.library",
        libraries=("autogluon.tabular", "numpy", "pandas"),
        backend="autogluon.backend",
        native=ZIP,
        on_scikit_learn=False,
    ),
    Framework(
        name="tensorflow",
        imports=f"{_BACKENDS}.tensorflow.library",
        libraries=("tensorflow-cpu", "keras", "numpy"),
        backend="tensorflow.backend",
        native=b"",
        on_scikit_learn=False,
    ),
    Framework(
        name="python",
        # What its code needs it imports itself.
        imports="numpy",
        libraries=("numpy",),
        backend="own_code.alone",
    ),
    Framework(
        name="ensemble",
        # What its members need is imported for each of their frameworks.
        imports="numpy",
        libraries=("numpy",),
        backend="ensembles.alone",
        on_scikit_learn=False,
    ),
)
_BY_NAME = {framework.name: framework for framework in FRAMEWORKS}


def find(name: str) -> Framework:
    """Return the framework of that name. Raises ValueError, naming those known, if there is none."""
    try:
        return _BY_NAME[name]
    except KeyError:
        known = ", ".join(_BY_NAME)
        raise ValueError(f"{name!r} is no framework that this runtime knows: it knows {known}.") from None
