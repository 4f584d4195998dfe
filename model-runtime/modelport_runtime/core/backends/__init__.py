"""From a file to an engine: one module per framework, imported only when it is needed."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from modelport_runtime.core import samples
from modelport_runtime.core.backends import registry, togetherness
from modelport_runtime.core.backends.base import Backend
from modelport_runtime.core.backends.estimators.probabilities import ImplausibleProbabilities
from modelport_runtime.core.backends.estimators.results import Unreadable
from modelport_runtime.core.backends.model_file import ModelFile
from modelport_runtime.core.backends.own_code.parts import Parts
from modelport_runtime.core.backends.own_code.traces import place_in_code
from modelport_runtime.core.backends.registry import Framework
from modelport_runtime.core.engine import Engine, describe_error
from modelport_runtime.core.interpretations import readings_of
from modelport_runtime.core.types import LoadError, Rejected


def prepare(*frameworks: str, confined: bool = False) -> None:
    """Import what the frameworks need, before rights are given up. Leaves no thread behind.

    confined: they have been given up already.
    """
    if confined:
        # It would try a semaphore and warn that it may not; threads do in its place.
        os.environ["JOBLIB_MULTIPROCESSING"] = "0"
    import joblib

    # Its telemetry starts a thread at import.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    for framework in frameworks:
        registry.find(framework).prepare()
    if confined:
        _assume_one_core()
    # It starts lscpu the first time, which the sandbox forbids; joblib remembers the result.
    joblib.cpu_count(only_physical_cores=True)


def _assume_one_core() -> None:
    """As if joblib had counted already."""
    from joblib.externals.loky.backend import context

    context.physical_cores_cache = 1


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
    parts: Parts | None = None,
) -> Engine:
    """Read the model file, which may run its code, and make it ready to predict.

    found: the versions of libraries that the file names. parts: of what was uploaded with code.

    Raises `LoadError` with a reason, or whatever the file's own code raises.
    """
    kind = registry.find(framework)
    if parts is None:
        backend = kind.load(_file(path, kind, trusted=trusted, found=found))
    else:
        backend = _with_code(parts, kind, trusted=trusted, found=found)
    return engine_of(backend, sample, model=model, version=version, max_batch_rows=max_batch_rows)


def engine_of(
    backend: Backend, sample: dict[str, Any] | None, *, model: str, version: str, max_batch_rows: int
) -> Engine:
    """Make a backend ready to predict. Raises `LoadError`."""
    row = None if sample is None else samples.sample_row(sample)
    others = readings_of(backend, row)
    signature, backend = next(others)
    engine = Engine(
        backend, signature, model=model, version=version, max_batch_rows=max_batch_rows, others=others
    )
    if row is not None and not samples.is_made_up(sample):
        engine.sample, engine.sample_source = {"input": dict(row) if isinstance(row, dict) else row}, "given"
    return engine


def self_check(engine: Engine) -> None:
    """Put one row through the model: the sample, or rows made from the signature until one is predicted.

    Raises `LoadError`: SampleInvalid if the given sample does not fit, SampleFailed if the model raised.
    """
    failure: Exception | None = None
    while True:
        for sample in _samples(engine):
            try:
                request = engine.decode_sample(sample)
                outputs = engine.run(request)
            except Exception as error:  # noqa: BLE001  # the next guess may do; the first failure is reported
                failure = failure or error
                continue
            engine.sample, engine.sample_source = sample, engine.sample_source or "synthetic"
            togetherness.check(engine, request, outputs)
            return
        if not engine.try_another():
            break
    if failure is not None:
        raise _failed(failure, given=engine.sample is not None) from failure


def _samples(engine: Engine) -> Iterator[dict[str, Any]]:
    if engine.sample is not None:
        yield engine.sample
        return
    example = getattr(engine.backend, "example", None)
    if example is not None:
        yield {"input": example}
    for row in samples.synthetic_rows(engine.signature):
        yield {"input": row}


def _failed(failure: Exception, *, given: bool) -> LoadError:
    if given and isinstance(failure, Rejected):
        return LoadError("SampleInvalid", f"The sample does not fit the model: {failure}.")
    if isinstance(failure, ImplausibleProbabilities):
        return LoadError("SampleFailed", f"The model's {failure}.")
    if isinstance(failure, Unreadable):
        what = "its sample" if given else "a made-up row"
        return LoadError("SampleFailed", f"What the model gave for {what} cannot be read: {failure}.")
    if given:
        return LoadError(
            "SampleFailed", f"The model raised on its sample: {describe_error(failure)}{_where(failure)}"
        )
    return LoadError(
        "SampleFailed",
        f"The model raised on every row made from its signature, first with {describe_error(failure)}"
        f"{_where(failure)}. "
        "Upload it with a sample: one row of your own data.",
    )


def _where(failure: Exception) -> str:
    place = place_in_code(failure)
    return f" ({place})" if place else ""


def _with_code(parts: Parts, framework: Framework, *, trusted: bool, found: Mapping[str, str]) -> Backend:
    # Most models are none of these.
    from modelport_runtime.core.backends.own_code import backend

    file = None if parts.model is None else _file(parts.model, framework, trusted=trusted, found=found)
    return backend.load(parts, framework, file)


def _file(path: Path, framework: Framework, *, trusted: bool, found: Mapping[str, str]) -> ModelFile:
    libraries = framework.versions()
    with path.open("rb") as file:
        start = file.read(8)
    if not start:
        raise LoadError("CorruptArtifact", "The file is empty.")
    is_native = framework.native is not None and start.startswith(framework.native)
    return ModelFile(path=path, is_native=is_native, libraries=libraries, found=found, trusted=trusted)
