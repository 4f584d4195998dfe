"""Limits and capabilities that the process gives up for itself."""

import ctypes
import resource

from modelport_runtime.sandbox.kernel import syscall
from modelport_runtime.sandbox.syscalls import CAPSET

_CAPABILITY_VERSION_3 = 0x20080522


def limit_memory(count: int) -> None:
    """Cap the address space at `count` bytes. Raises ValueError or OSError where the system will not.

    Its size is what a process can be held to; what it really uses is only seen afterwards.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = count if hard == resource.RLIM_INFINITY else min(count, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def forbid_core_dumps() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def drop_capabilities(machine: int) -> None:
    """Be nobody special, even as root: it then owns files, and may do no more with others' than anyone."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    syscall(CAPSET[machine], ctypes.byref(header), ctypes.byref(nothing))
