"""One model in one process. The order of `main` is the security of it: rights go before the file is read."""

import os
import sys

from modelport_runtime import hygiene

# Before the heavy imports: this may replace the process, and libraries read the environment when imported.
if __name__ == "__main__":
    hygiene.clean_process()

import logging  # see above
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

from modelport_runtime import deadline, lifeline, logs, metrics, server, state
from modelport_runtime.batching import Worker
from modelport_runtime.core import backends
from modelport_runtime.http import App
from modelport_runtime.loading import Loader
from modelport_runtime.sandbox import enter
from modelport_runtime.settings import Settings, SettingsError, from_environment

log = logging.getLogger("modelport_runtime")


def main() -> int:
    """Run until SIGTERM. 1: the settings or the address are wrong."""
    logs.configure()
    try:
        settings = from_environment(os.environ)
        if settings.parent_pid is not None:
            lifeline.hold(settings.parent_pid)
        listener = server.bind(settings.listen)
    except (SettingsError, OSError) as error:
        log.error("cannot_start", extra={"detail": str(error)})
        return 1
    backends.prepare(settings.framework)
    deadline.arm(settings.load_timeout_seconds)
    report = enter.enter(settings.artifact, settings.memory_bytes)
    metrics.SANDBOX_LEVEL.set(report.level)
    log.info("sandboxed", extra={"sandbox_level": report.level, "detail": report.detail})
    _serve(settings, Loader(settings, report), partial(state.status_document, settings, report), listener)
    return 0


def _serve(
    settings: Settings,
    loader: Loader,
    status: Callable[[state.State], dict[str, Any]],
    listener: socket.socket,
) -> None:
    if settings.parent_pid is not None:
        lifeline.poll(settings.parent_pid)
    worker = Worker(
        loader.run,
        max_queue=settings.max_queue,
        max_batch=settings.max_batch_size,
        stuck_after=settings.stuck_after_seconds,
    )
    app = App(
        worker,
        lambda: loader.state,
        lambda: status(loader.state),
        max_body_bytes=settings.max_body_bytes,
    )
    worker.start()
    server.serve(app, listener)


if __name__ == "__main__":
    sys.exit(main())
