"""One model in two processes, which part in `main`: the server process speaks HTTP, the other one reads the
file.
"""

import os
import sys

from modelport_runtime.process.environment import clean_process

# Before the heavy imports: this may replace the process, and libraries read the environment when imported.
if __name__ == "__main__":
    clean_process()

import logging  # see above
import socket
from functools import partial

from modelport_runtime import logs
from modelport_runtime.core import engine as _shared  # noqa: F401  # imported before the fork, both share it
from modelport_runtime.process import listening, supervision
from modelport_runtime.process.environment import close_all_but, die_with_parent, hide_pyarrow
from modelport_runtime.sandbox import refusals
from modelport_runtime.settings import Settings, SettingsError, from_environment

log = logging.getLogger("modelport_runtime")


def main() -> int:
    """Run until SIGTERM. 1: the settings or the address are wrong."""
    logs.configure()
    try:
        settings = from_environment(os.environ)
        if settings.parent_pid is not None:
            die_with_parent(settings.parent_pid)
        listener = listening.bind(settings.listen)
    except (SettingsError, OSError) as error:
        log.error("cannot_start", extra={"detail": str(error)})
        return 1
    ours, theirs = socket.socketpair()
    parent = os.getpid()
    line = refusals.Line()
    ours_alone = (listener, ours, line.of_the_server)
    child = supervision.fork(partial(_run_model_process, settings, parent, theirs, line, ours_alone))
    theirs.close()
    line.of_the_model.close()
    _run_server_process(settings, child, listener, ours, line)
    return 0


def _run_server_process(
    settings: Settings,
    child: supervision.Child,
    listener: socket.socket,
    connection: socket.socket,
    line: refusals.Line,
) -> None:
    # HTTP's libraries are the server process's alone.
    from modelport_runtime.server import process as server

    server.run(settings, child, listener, connection, line)


def _run_model_process(
    settings: Settings,
    parent: int,
    connection: socket.socket,
    line: refusals.Line,
    others: tuple[socket.socket, ...],
) -> None:
    for each in others:
        each.close()
    close_all_but(connection.fileno(), line.of_the_model.fileno())
    hide_pyarrow()
    # The framework's libraries are this process's alone.
    from modelport_runtime.worker import process as model_process

    model_process.run(settings, connection, parent, line)


if __name__ == "__main__":
    sys.exit(main())
