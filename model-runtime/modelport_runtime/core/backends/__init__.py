"""From a file to an engine: one module per framework, imported only when it is asked for."""

import importlib
import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib import metadata
from pathlib import Path
from types import MappingProxyType
from typing import Any

from modelport_runtime.core import compatibility, samples
from modelport_runtime.core.backends import bytecode, deferred_imports, pickles, togetherness
from modelport_runtime.core.backends.base import Backend
from modelport_runtime.core.backends.estimator_results import Unreadable
from modelport_runtime.core.engine import Engine, describe_error
from modelport_runtime.core.interpretations import refined
from modelport_runtime.core.signature import Signature
from modelport_runtime.core.types import LoadError, Refused

_IMPORTS = {
    "sklearn": "sklearn.base",
    "xgboost": "xgboost",
    "lightgbm": "lightgbm",
    "onnx": "onnxruntime",
}
"""What every model of the framework needs. The rest is imported as the file names it, inside the sandbox:
reading modules needs no right that a model lacks, and most models use few of them."""
_LIBRARIES = {
    "sklearn": ("scikit-learn", "numpy", "pandas"),
    "xgboost": ("scikit-learn", "numpy"),
    "lightgbm": ("scikit-learn", "numpy"),
    "onnx": ("numpy",),
}


def prepare(framework: str) -> None:
    """Import what the framework needs, before rights are given up. Leaves no thread behind."""
    import joblib

    # Its telemetry starts a thread at import.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    if framework != "onnx":
        deferred_imports.install()
    importlib.import_module(_IMPORTS[framework])
    if framework == "sklearn":
        bytecode.cache_estimators()
    # It starts lscpu the first time, which the sandbox forbids; joblib remembers the answer.
    joblib.cpu_count(only_physical_cores=True)


def load(
    path: Path,
    framework: str,
    sample: dict[str, Any] | None,
    *,
    model: str,
    version: str,
    max_batch_rows: int,
    trusted: bool = False,
    found: Mapping[str, str] = MappingProxyType({}),
) -> Engine:
    """Read the model file, which may run its code, and make it ready to answer.

    found: the versions of libraries that the file names.

    Raises `LoadError` with a reason, or whatever the file's own code raises.
    """
    backend = _read(path, framework, partial(pickles.read, path, trusted=trusted, found=found), found)
    row = None if sample is None else samples.sample_row(sample)
    others = _readings(backend, row)
    signature, backend = next(others)
    engine = Engine(
        backend, signature, model=model, version=version, max_batch_rows=max_batch_rows, others=others
    )
    if row is not None:
        engine.sample, engine.sample_source = {"input": row}, "given"
    return engine


def self_check(engine: Engine) -> None:
    """Put one row through the model: the sample, or rows made from the signature until one is answered.

    Raises `LoadError`: SampleInvalid if the given sample does not fit, SampleFailed if the model raised.
    """
    failure: Exception | None = None
    while True:
        for sample in _samples(engine):
            try:
                request = engine.decode_sample(sample)
                answer = engine.run(request)
            except Exception as error:  # noqa: BLE001  # the next guess may do; the first failure is told
                failure = failure or error
                continue
            engine.sample, engine.sample_source = sample, engine.sample_source or "synthetic"
            togetherness.check(engine, request, answer)
            return
        if not engine.try_another():
            break
    if failure is not None:
        raise _failed(failure, given=engine.sample is not None) from failure


def _samples(engine: Engine) -> Iterator[dict[str, Any]]:
    if engine.sample is not None:
        yield engine.sample
        return
    for row in samples.synthetic_rows(engine.signature):
        yield {"input": row}


def _failed(failure: Exception, *, given: bool) -> LoadError:
    if given and isinstance(failure, Refused):
        return LoadError("SampleInvalid", f"The sample does not fit the model: {failure}.")
    if given:
        return LoadError("SampleFailed", f"The model raised on its sample: {describe_error(failure)}")
    if isinstance(failure, Unreadable):
        return LoadError("SampleFailed", f"What the model gave for a made-up row cannot be read: {failure}.")
    return LoadError(
        "SampleFailed",
        f"The model raised on every row made from its signature, first with {describe_error(failure)}. "
        "Upload it with a sample: one row of your own data.",
    )


def _readings(backend: Backend, row: Any) -> Iterator[tuple[Signature, Backend]]:
    readings: Callable[[Any], Iterator[tuple[Signature, Backend]]] | None = getattr(backend, "readings", None)
    return iter([(refined(backend.signature, row), backend)]) if readings is None else readings(row)


def _read(path: Path, framework: str, unpickle: Callable[[], Any], found: Mapping[str, str]) -> Backend:
    libraries = _versions(framework)
    with path.open("rb") as file:
        start = file.read(8)
    if not start:
        raise LoadError("CorruptArtifact", "The file is empty.")
    if framework == "onnx":
        from modelport_runtime.core.backends.onnx import backend as onnx

        return onnx.SessionBackend(onnx.read(path), libraries)
    if framework == "xgboost":
        return _read_xgboost(path, start, libraries, unpickle, found)
    if framework == "lightgbm":
        return _read_lightgbm(path, start, libraries, unpickle)
    return _estimator(unpickle(), libraries)


def _versions(framework: str) -> dict[str, str]:
    """Ask distributions, since not all of these are imported: but xgboost comes as xgboost or xgboost-cpu."""
    versions = {name: metadata.version(name) for name in _LIBRARIES[framework]}
    if framework == "sklearn":
        return versions
    module = _IMPORTS[framework]
    return {module: importlib.import_module(module).__version__, **versions}


def _read_xgboost(
    path: Path, start: bytes, libraries: dict[str, str], unpickle: Callable[[], Any], found: Mapping[str, str]
) -> Backend:
    from modelport_runtime.core.backends import xgboost

    if xgboost.is_native(start):
        return xgboost.BoosterBackend(compatibility.mend(xgboost.read(path), found), libraries)
    held = unpickle()
    if isinstance(held, xgboost.Booster):
        return xgboost.BoosterBackend(held, libraries)
    return _estimator(held, libraries)


def _read_lightgbm(
    path: Path, start: bytes, libraries: dict[str, str], unpickle: Callable[[], Any]
) -> Backend:
    from modelport_runtime.core.backends import lightgbm

    if lightgbm.is_native(start):
        return lightgbm.BoosterBackend(lightgbm.read(path), libraries)
    held = unpickle()
    if isinstance(held, lightgbm.Booster):
        return lightgbm.BoosterBackend(held, libraries)
    return _estimator(held, libraries)


def _estimator(held: Any, libraries: dict[str, str]) -> Backend:
    from modelport_runtime.core.backends.sklearn import EstimatorBackend

    return EstimatorBackend(held, libraries)
