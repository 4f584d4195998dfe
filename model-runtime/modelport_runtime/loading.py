"""From a file to an engine, or to a reason why not: verify, inspect, load, ask the sample."""

import logging
import time
from pathlib import Path

from modelport_runtime import deadline, digest, metrics
from modelport_runtime.core import backends
from modelport_runtime.core.engine import Engine
from modelport_runtime.core.types import LoadError
from modelport_runtime.failures import explain
from modelport_runtime.inspection import inspect
from modelport_runtime.inspection.formats import can_run_code
from modelport_runtime.inspection.modules import check_modules
from modelport_runtime.sandbox import attempts
from modelport_runtime.sandbox.report import SandboxReport
from modelport_runtime.settings import Settings
from modelport_runtime.state import Inspected, State

log = logging.getLogger(__name__)


class Loader:
    """Loads the one model of the process. `state` is what came of it, and may be read from any thread."""

    def __init__(self, settings: Settings, sandbox: SandboxReport) -> None:
        self.state = State()
        self._settings = settings
        self._sandbox = sandbox

    def run(self) -> Engine | None:
        """Load in the calling thread, which then owns the engine. Never raises."""
        started = time.perf_counter()
        with deadline.watched(self._settings.load_timeout_seconds), attempts.watched():
            engine = self._load_or_explain()
        seconds = time.perf_counter() - started
        metrics.LOAD_SECONDS.set(seconds)
        metrics.READY.set(engine is not None)
        log.info(
            "load_ended",
            extra={
                "state": self.state.phase,
                "reason": self.state.reason,
                "detail": self.state.message,
                "seconds": round(seconds, 3),
            },
        )
        return engine

    def _load_or_explain(self) -> Engine | None:
        inspected = Inspected()
        path = self._settings.artifact
        try:
            digest.verify(path, self._settings.artifact_sha256)
            self._check_isolation(path)
            scan = inspect(path)
            inspected = scan.libraries
            check_modules(scan.references)
            engine = self._load(path)
        except BaseException as error:  # a model may raise SystemExit; /status must tell of it
            log.warning("load_failed", exc_info=error)
            failure = explain(error, inspected, attempts.seen(), self._settings.memory_bytes)
            # Users read this; where the platform keeps the file is none of theirs.
            message = failure.message.replace(str(path), "the model file")
            self.state = State("failed", None, failure.reason, message, inspected)
            return None
        self.state = State("ready", engine, inspected=inspected)
        return engine

    def _check_isolation(self, path: Path) -> None:
        if self._may_run_code() or not can_run_code(path):
            return
        raise LoadError(
            "SandboxUnavailable",
            "A file of this format can run code, and this machine cannot isolate it "
            f"({self._sandbox.detail}).",
        )

    def _may_run_code(self) -> bool:
        return self._sandbox.level == 2 or self._settings.allow_unsandboxed

    def _load(self, path: Path) -> Engine:
        settings = self._settings
        engine = backends.load(
            path,
            settings.framework,
            settings.sample,
            model=settings.model,
            version=settings.version,
            max_batch_rows=settings.max_batch_size,
            trusted=self._may_run_code(),
        )
        backends.self_check(engine)
        return engine
