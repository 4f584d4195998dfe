"""A runtime on a machine that lacks a layer of the sandbox: `python -I weak_runtime.py landlock,seccomp`.

A program of its own, since the runtime itself must have no switch that weakens it. Of the runtime it replaces
nothing but what the kernel answers. Its environment must be clean already: libraries read it when imported.
"""

import errno
import os
import sys
from typing import NoReturn

from modelport_runtime import __main__ as runtime
from modelport_runtime.sandbox import landlock, seccomp


def refuse(*_: object) -> NoReturn:
    raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))


if __name__ == "__main__":
    missing = sys.argv[1].split(",")
    if "landlock" in missing:
        vars(landlock)["syscall"] = refuse
    if "seccomp" in missing:
        vars(seccomp)["syscall"] = refuse
    sys.exit(runtime.main())
