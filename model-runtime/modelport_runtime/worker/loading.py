"""From a file to an engine, or to a reason why not: verify, inspect, load, predict the sample."""

import hashlib
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypedDict

import msgspec

from modelport_runtime.core import backends
from modelport_runtime.core.backends.ensembles.backend import join
from modelport_runtime.core.backends.ensembles.members import Member, member_of
from modelport_runtime.core.backends.ensembles.parts import EnsembleParts, ensemble_of
from modelport_runtime.core.backends.own_code.parts import Parts, parts_of
from modelport_runtime.core.contributions import offer_contributions
from modelport_runtime.core.engine import Engine
from modelport_runtime.core.responses import encode
from modelport_runtime.core.traces import trace_of
from modelport_runtime.core.types import LoadError
from modelport_runtime.inspection import inspect
from modelport_runtime.inspection.formats import can_run_code, cannot_isolate, check_boosters
from modelport_runtime.inspection.libraries import Inspected, check_modules, together
from modelport_runtime.process.starvation import MOST_TIMES
from modelport_runtime.sandbox import attempts, enter
from modelport_runtime.sandbox.enter import SandboxReport
from modelport_runtime.settings import Settings
from modelport_runtime.wire import LoadReport
from modelport_runtime.worker.failures import explain


def verify(path: Path, expected: str) -> None:
    """Compare the file's sha256. Raises `LoadError`: ArtifactNotFound, DigestMismatch."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except (FileNotFoundError, IsADirectoryError):
        raise LoadError("ArtifactNotFound", "The fetch container left no model file.") from None
    if found != expected:
        # Not what it is instead: see modelport_runtime.fetch.
        raise LoadError("DigestMismatch", f"The file's sha256 is not {expected}, which the version names.")


_AFTER_THE_ALARM_SECONDS = 1


@contextmanager
def watched(load_timeout_seconds: float) -> Iterator[None]:
    """Bound the block a second time, and disarm however it ends. Any thread.

    A model's code can switch the alarm off. It can hold Python's lock too: then the startup probe ends it.
    """
    seconds = MOST_TIMES * load_timeout_seconds + _AFTER_THE_ALARM_SECONDS
    second = threading.Timer(seconds, os._exit, [signal.SIGALRM])
    second.daemon = True
    second.start()
    try:
        yield
    finally:
        second.cancel()
        signal.setitimer(signal.ITIMER_REAL, 0)


log = logging.getLogger(__name__)


class Limits(TypedDict):
    model: str
    version: str
    max_batch_rows: int


Refused = Callable[[], tuple[str, ...]]
"""Returns what the kernel has refused the model so far, in words."""


class Loader:
    """Loads the one model of the process. `seconds` is how long that took."""

    def __init__(self, settings: Settings, sandbox: SandboxReport, refused: Refused) -> None:
        self.seconds = 0.0
        self._settings = settings
        self._sandbox = sandbox
        self._refused = refused
        self._inspected = Inspected()
        self._failure: LoadError | None = None
        self._member: str | None = None
        """That is being read, of an ensemble."""

    def run(self) -> Engine | None:
        """Load in the calling thread. Never raises: what went wrong is in `document`."""
        started = time.perf_counter()
        with watched(self._settings.load_timeout_seconds), attempts.watched():
            engine = self._load_or_explain()
        self.seconds = time.perf_counter() - started
        failure = self._failure
        log.info(
            "load_ended",
            extra={
                "state": "ready" if engine else "failed",
                "reason": failure.reason if failure else None,
                "detail": failure.message if failure else None,
                "seconds": round(self.seconds, 3),
            },
        )
        return engine

    def document(self, engine: Engine | None) -> bytes:
        """Return what came of it: `LoadReport` as JSON."""
        inspected, failure = self._inspected, self._failure
        reported = LoadReport(
            state="ready" if engine else "failed",
            reason=failure.reason if failure else None,
            message=failure.message if failure else None,
            signature=engine.signature.to_json() if engine else None,
            sample=engine.sample if engine else None,
            sample_source=engine.sample_source if engine else None,
            found=inspected.found,
            here=inspected.here | (engine.libraries_here if engine else {}),
            differences=list(inspected.differences),
            v2=engine.v2_metadata() if engine else None,
        )
        return encode(msgspec.structs.asdict(reported))

    def _load_or_explain(self) -> Engine | None:
        path = self._settings.artifact
        try:
            verify(path, self._settings.artifact_sha256)
            ensemble = ensemble_of(path)
            if ensemble is not None:
                return self._load_ensemble(ensemble)
            return self._load(path)
        except BaseException as error:  # noqa: BLE001  # a model may raise SystemExit; /status must report it
            log.warning("load_failed", extra={"trace": trace_of(error)})
            failure = self._explained(error)
            # Users read this; where the platform keeps the file is none of theirs.
            message = failure.message.replace(str(path), "the model file")
            self._failure = LoadError(failure.reason, message)
            return None

    def _explained(self, error: BaseException) -> LoadError:
        tried = (*attempts.seen(), *self._refused())
        failure = explain(error, self._inspected, tried, self._settings.memory_bytes)
        if self._member is None:
            return failure
        return LoadError(failure.reason, f"Of {self._member}: {failure.message}")

    def _load(self, path: Path) -> Engine:
        parts = self._looked_into(path)
        self._prepare((self._settings.framework,))
        engine = self._read(path, self._settings.framework, self._settings.sample, parts)
        backends.self_check(engine)
        offer_contributions(engine)
        return engine

    def _load_ensemble(self, parts: EnsembleParts) -> Engine:
        manifest, settings = parts.manifest, self._settings
        parts.require_framework(settings.framework)
        self._prepare(manifest.frameworks)
        members = self._members(parts)
        engine = backends.engine_of(join(manifest, members), settings.sample, **self._limits)
        backends.self_check(engine)
        return engine

    def _members(self, parts: EnsembleParts) -> list[Member]:
        """Load each as it would be loaded alone."""
        members, inspected = [], []
        for each in parts.manifest.everyone:
            self._member, self._inspected = each.label, Inspected()
            path = parts.file_of(each)
            engine = self._read(path, each.framework, each.sample, self._looked_into(path))
            backends.self_check(engine)
            members.append(member_of(each, engine))
            inspected.append(self._inspected)
        self._member, self._inspected = None, together(inspected)
        return members

    def _prepare(self, frameworks: tuple[str, ...]) -> None:
        if self._settings.packages is not None:
            # Elsewhere that is done before the sandbox; these are the user's own.
            backends.prepare(*frameworks, confined=True)
            enter.instead_of_processes()

    def _looked_into(self, path: Path) -> Parts | None:
        """Look into a model file before it is read. Raises `LoadError`."""
        self._check_isolation(path)
        parts = parts_of(path)
        if parts is None:
            self._inspect(path, lambda references: references)
        elif parts.model is not None:
            parts.make_importable()
            self._inspect(parts.model, parts.left_to_find)
        return parts

    def _read(self, path: Path, framework: str, sample: dict[str, Any] | None, parts: Parts | None) -> Engine:
        return backends.load(
            path,
            framework,
            sample,
            **self._limits,
            trusted=self._may_run_code(),
            found=self._inspected.found,
            parts=parts,
        )

    @property
    def _limits(self) -> Limits:
        settings = self._settings
        return {
            "model": settings.model,
            "version": settings.version,
            "max_batch_rows": settings.max_batch_size,
        }

    def _inspect(self, path: Path, to_find: Callable[[dict[str, str]], dict[str, str]]) -> None:
        scan = inspect(path)
        self._inspected = scan.libraries
        check_modules(to_find(scan.references))
        check_boosters(path, self._inspected.found)

    def _check_isolation(self, path: Path) -> None:
        if self._may_run_code() or not can_run_code(path):
            return
        raise cannot_isolate(self._sandbox.detail)

    def _may_run_code(self) -> bool:
        return self._sandbox.level == 2 or self._settings.allow_unsandboxed
