"""One model in two processes, which part in `main`: the front speaks HTTP, the other one reads the file."""

import os
import sys

from modelport_runtime.process import environment as hygiene

# Before the heavy imports: this may replace the process, and libraries read the environment when imported.
if __name__ == "__main__":
    hygiene.clean_process()

import logging  # see above
import socket
from functools import partial

from modelport_runtime import logs
from modelport_runtime.core import engine as _shared  # noqa: F401  # imported before the fork, both share it
from modelport_runtime.process import environment as lifeline
from modelport_runtime.process import listening, supervision
from modelport_runtime.sandbox import refusals
from modelport_runtime.settings import Settings, SettingsError, from_environment

log = logging.getLogger("modelport_runtime")


def main() -> int:
    """Run until SIGTERM. 1: the settings or the address are wrong."""
    logs.configure()
    try:
        settings = from_environment(os.environ)
        if settings.parent_pid is not None:
            lifeline.hold(settings.parent_pid)
        listener = listening.bind(settings.listen)
    except (SettingsError, OSError) as error:
        log.error("cannot_start", extra={"detail": str(error)})
        return 1
    ours, theirs = socket.socketpair()
    front = os.getpid()
    line = refusals.Line()
    ours_alone = (listener, ours, line.of_the_front)
    child = supervision.fork(partial(_be_the_model_process, settings, front, theirs, line, ours_alone))
    theirs.close()
    line.of_the_model.close()
    _be_the_front(settings, child, listener, ours, line)
    return 0


def _be_the_front(
    settings: Settings,
    child: supervision.Child,
    listener: socket.socket,
    connection: socket.socket,
    line: refusals.Line,
) -> None:
    # HTTP's libraries are the front's alone.
    from modelport_runtime.server import process as server

    server.run(settings, child, listener, connection, line)


def _be_the_model_process(
    settings: Settings,
    front: int,
    connection: socket.socket,
    line: refusals.Line,
    others: tuple[socket.socket, ...],
) -> None:
    for each in others:
        each.close()
    hygiene.close_all_but(connection.fileno(), line.of_the_model.fileno())
    hygiene.hide_pyarrow()
    # The framework's libraries are this process's alone.
    from modelport_runtime.worker import process as model_process

    model_process.run(settings, connection, front, line)


if __name__ == "__main__":
    sys.exit(main())
