"""How a model process begins: as a fork of the server process, or in another Python.

That is `python -I -m modelport_runtime.worker.begin PARENT CONNECTION LINE`: the server process's pid, then
the numbers of the descriptors that it left open. Settings are in the environment.
"""

import os
import socket
import sys
from functools import partial

from modelport_runtime.process.environment import (
    close_all_but,
    die_with_parent,
    hide_pyarrow,
    leave_stopping_to_the_parent,
    watch_parent,
)
from modelport_runtime.settings import Settings, from_environment


def begin(
    settings: Settings,
    parent: int,
    connection: socket.socket,
    line: socket.socket,
    *,
    not_ours: tuple[socket.socket, ...] = (),
) -> None:
    """Be the model process of `parent`, the server process's pid, until that closes the connection.

    not_ours: sockets that a fork has and a model must not.
    """
    for each in not_ours:
        each.close()
    close_all_but(connection.fileno(), line.fileno())
    die_with_parent(parent)
    watch_parent(parent)
    leave_stopping_to_the_parent()
    hide_pyarrow()
    if settings.packages is not None:
        from modelport_runtime.worker import own_packages

        own_packages.run(settings, settings.packages, connection, line)
        return
    # The framework's libraries are this process's alone.
    from modelport_runtime.worker import process

    process.run(settings, connection, line)


def main(parent: int, connection: int, line: int) -> None:
    """Begin in a Python of its own, with nothing that was imported yet."""
    die_with_parent(parent)
    from modelport_runtime import logs
    from modelport_runtime.process import supervision

    logs.configure()
    settings = from_environment(os.environ)
    supervision.run_and_exit(
        partial(begin, settings, parent, socket.socket(fileno=connection), socket.socket(fileno=line))
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
