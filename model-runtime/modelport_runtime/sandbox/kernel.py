"""The C library's door to the kernel, for calls that Python has no function for."""

import ctypes
import os
import platform
import sys

_LIBC = ctypes.CDLL(None, use_errno=True)

PR_SET_NO_NEW_PRIVS = 38

MACHINES = ("x86_64", "aarch64")


def machine() -> int | None:
    """Return this machine's place in the tables of call numbers; None: not one that the sandbox knows."""
    name = platform.machine()
    return MACHINES.index(name) if sys.platform == "linux" and name in MACHINES else None


def syscall(number: int, *arguments: object) -> int:
    """Make a system call. Raises OSError with the kernel's errno."""
    result: int = _LIBC.syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def prctl(option: int, *arguments: int) -> None:
    """Raises `OSError`."""
    if _LIBC.prctl(option, *[ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]]) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
