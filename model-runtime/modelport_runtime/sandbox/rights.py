"""Limits and capabilities that the process gives up for itself."""

import ctypes
import resource

from modelport_runtime.sandbox.kernel import syscall

_CAPABILITY_VERSION_3 = 0x20080522
_CAPSET = (126, 91)
_QUEUED_SIGNALS = 64


def limit_memory(count: int) -> None:
    """Cap the address space at `count` bytes. Raises ValueError or OSError where the system will not.

    Its size is what a process can be held to; what it really uses is only seen afterwards.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = count if hard == resource.RLIM_INFINITY else min(count, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def limit_kernel_memory(descriptors: int) -> None:
    """Bound what the kernel keeps for the process beside its address space: buffers, signals, pages."""
    limits = {
        resource.RLIMIT_NOFILE: descriptors,
        resource.RLIMIT_SIGPENDING: _QUEUED_SIGNALS,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_MEMLOCK: 0,
    }
    for limit, value in limits.items():
        resource.setrlimit(limit, (value, value))


def forbid_core_dumps() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def drop_capabilities(machine: int) -> None:
    """Be nobody special, even as root: it then owns files, and may do no more with others' than anyone."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    syscall(_CAPSET[machine], ctypes.byref(header), ctypes.byref(nothing))
