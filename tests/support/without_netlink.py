"""A program to which the machine's network never changes: `without_netlink.py PROGRAM ARGUMENT…`.

Chromium breaks off what it loads, from loopback too, when any interface gets or loses an address
(`ERR_NETWORK_CHANGED`), and no flag of its own forbids that. Other tests meanwhile start and stop a cluster
with a bridge. Whoever is refused netlink sockets hears of no change.
"""

import errno
import os
import socket
import sys
from pathlib import Path

from modelport_runtime.sandbox import kernel, seccomp
from modelport_runtime.sandbox.numbers import numbers


def launcher(program: str, folder: Path) -> Path:
    """Write one command for it into the folder, for those who can start a file only."""
    script = folder / Path(program).name
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" "{program}" "$@"\n')
    script.chmod(0o755)
    return script


def _netlink_is_absent(machine: int) -> list[seccomp.Instruction]:
    absent = [
        seccomp.argument(0),
        (seccomp.EQUAL, 0, 1, socket.AF_NETLINK),
        seccomp.failing(errno.EAFNOSUPPORT),
        seccomp.PERMITTED,
    ]
    [number] = numbers(frozenset({"socket"}), machine)
    return [
        (seccomp.LOAD, 0, 0, seccomp.NUMBER),
        (seccomp.EQUAL, 0, len(absent), number),
        *absent,
        seccomp.PERMITTED,
    ]


def main() -> None:
    machine = kernel.machine()
    if machine is not None:
        kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
        seccomp.load(machine, _netlink_is_absent(machine))
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
