"""One model in two processes, which part in `main`: the server process speaks HTTP, the other one reads the
file.
"""

import os
import sys

from modelport_runtime.process.environment import clean_process

# Before the heavy imports: this may replace the process, and libraries read the environment when imported.
if __name__ == "__main__":
    clean_process()

import importlib  # see above
import logging
import socket
from functools import partial

from modelport_runtime import logs
from modelport_runtime.process import listening, supervision
from modelport_runtime.process.environment import die_with_parent
from modelport_runtime.sandbox import refusals
from modelport_runtime.settings import Settings, SettingsError, from_environment
from modelport_runtime.worker import begin

log = logging.getLogger("modelport_runtime")


def main() -> int:
    """Run until SIGTERM. 1: the settings, the address or the model's Python are wrong."""
    logs.configure()
    try:
        settings = from_environment(os.environ)
        if settings.parent_pid is not None:
            die_with_parent(settings.parent_pid)
        listener = listening.bind(settings.listen)
        ours, theirs = socket.socketpair()
        line = refusals.Line()
        child = _start_model_process(
            settings, (theirs, line.of_the_model), (listener, ours, line.of_the_server)
        )
    except (SettingsError, OSError) as error:
        log.error("cannot_start", extra={"detail": str(error)})
        return 1
    theirs.close()
    line.of_the_model.close()
    _run_server_process(settings, child, listener, ours, line.of_the_server)
    return 0


def _start_model_process(
    settings: Settings, given: tuple[socket.socket, socket.socket], ours: tuple[socket.socket, ...]
) -> supervision.Child:
    """given: its ends of the connection and of the line. ours: what it must not have."""
    if settings.model_python is not None:
        # First of all: it imports its libraries while this process imports others.
        return supervision.spawn(settings.model_python, begin.__name__, [os.getpid()], given)
    # Before the fork: both processes share it.
    importlib.import_module("modelport_runtime.core.engine")
    return supervision.fork(partial(begin.begin, settings, os.getpid(), *given, not_ours=ours))


def _run_server_process(
    settings: Settings,
    child: supervision.Child,
    listener: socket.socket,
    connection: socket.socket,
    line: socket.socket,
) -> None:
    # HTTP's libraries are the server process's alone.
    from modelport_runtime.server import process as server

    server.run(settings, child, listener, connection, line)


if __name__ == "__main__":
    sys.exit(main())
