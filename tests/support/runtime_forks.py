"""A runtime that has imported its libraries and forks: each fork goes on from there as `__main__` does.

Importing takes two seconds and the rest of a start a tenth of that. Everything that protects comes after the
imports, so a fork confines itself and reads its file as a process that was started whole. It has only another
/proc/self/environ, which exec alone sets: tests of that start a whole one.

Run as `python -I runtime_forks.py SOCKET PARENT_PID`. Each connection sends the environment and the path of
the log in one JSON line, and receives the fork's pid and, when it has ended, its exit status, a line each.
"""

import json
import os
import signal
import socket
import sys
from typing import NoReturn

from modelport_runtime import __main__ as runtime
from modelport_runtime.core import backends
from modelport_runtime.process.environment import (
    clean_environment,
    clean_process,
    die_with_parent,
    hide_pyarrow,
)


def main(address: str, parent: int) -> None:
    die_with_parent(parent)
    # Keepers are not waited for.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    hide_pyarrow()
    backends.prepare("sklearn")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    me = os.getpid()
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            die_with_parent(me)
            keep(connection)
            return
        connection.close()


def keep(connection: socket.socket) -> None:
    """Be the parent of one runtime, for only a parent learns how its child ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with connection.makefile("r") as lines:
        order = json.loads(lines.readline())
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        become_runtime(order["environment"] | {"MODELPORT_RUNTIME_PARENT_PID": str(parent)}, order["log"])
    connection.sendall(f"{child}\n".encode())
    _, status = os.waitpid(child, 0)
    connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def become_runtime(environment: dict[str, str], log: str) -> NoReturn:
    os.setsid()
    file = os.open(log, os.O_WRONLY | os.O_APPEND)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.environ.clear()
    # Clean already, or cleaning would restart Python.
    os.environ.update(clean_environment(environment))
    clean_process()
    sys.exit(runtime.main())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
