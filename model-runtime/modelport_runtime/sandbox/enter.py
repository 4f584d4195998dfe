"""Return up every right that a role does not need, by rlimits and capabilities too, and report how far that
went.
"""

import ctypes
import multiprocessing.context
import os
import re
import resource
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from modelport_http.wording import counted

from modelport_runtime.sandbox import landlock, seccomp
from modelport_runtime.sandbox.allowed import Role
from modelport_runtime.sandbox.kernel import PR_SET_NO_NEW_PRIVS, machine, prctl, syscall

_CAPABILITY_VERSION_3 = 0x20080522
_CAPSET = (126, 91)
_QUEUED_SIGNALS = 64
USUAL_FILES = 512 << 20
"""What libraries map that are not of gigabytes."""
_OF_A_FILE = re.compile(rb"^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ [1-9]", re.MULTILINE)


def limit_memory(count: int) -> None:
    """Cap the address space at `count` bytes. Raises ValueError or OSError where the system will not.

    Its size is what a process can be held to; what it really uses is only seen afterward. What a library of
    gigabytes has mapped of its own files, and mostly never reads, is not counted.
    """
    count += max(0, _mapped_files() - USUAL_FILES)
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = count if hard == resource.RLIM_INFINITY else min(count, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _mapped_files() -> int:
    try:
        maps = Path("/proc/self/maps").read_bytes()
    except OSError:
        return 0
    return sum(int(end, 16) - int(start, 16) for start, end in _OF_A_FILE.findall(maps))


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
    """Allow no core dump of this process and its children from now on, for good: it would hold requests."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def drop_capabilities(machine: int) -> None:
    """Be nobody special, even as root: it then owns files, and may do no more with others' than anyone."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    syscall(_CAPSET[machine], ctypes.byref(header), ctypes.byref(nothing))


@dataclass(frozen=True)
class SandboxReport:
    """`level` 2: Landlock and seccomp both hold; 1: one of them; 0: none. `detail` is for users."""

    level: int
    detail: str


def instead_of_processes() -> None:
    """Let joblib run models that were saved with n_jobs: the sandbox allows neither forks nor /dev/shm."""
    from joblib import parallel

    multiprocessing.context.BaseContext.Lock = lambda _context: threading.Lock()  # type: ignore[assignment,method-assign,return-value]  # a stand-in of another type
    for name in ("loky", "multiprocessing"):
        parallel.BACKENDS[name] = parallel.BACKENDS["threading"]


def enter(role: Role, memory_bytes: int, hand_over: seccomp.HandOver | None = None) -> SandboxReport:
    """Confine this process for good. Call it in the only thread, after imports and before reading the model.

    hand_over: see `seccomp.install`.
    Never raises: what the machine cannot do lowers the level, and the caller decides what that forbids.
    """
    forbid_core_dumps()
    # Modules imported from here on cannot be cached: to try would look like a model that makes folders.
    sys.dont_write_bytecode = True
    known = machine()
    if known is None:
        return SandboxReport(0, "this is not Linux on x86-64 or arm64; the memory limit is not held either")
    memory = _attempt("memory limit", lambda: _limit(role, memory_bytes))
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    capabilities = _attempt("dropping capabilities", lambda: drop_capabilities(known))
    files = _attempt("Landlock", lambda: _restrict_files(role))
    calls = _attempt("seccomp", lambda: seccomp.install(known, role, hand_over))
    problems = [problem for problem in (files, calls, memory, capabilities) if problem]
    level = 2 - (files is not None) - (calls is not None)
    detail = "; ".join(problems) or "Landlock and seccomp hold"
    return SandboxReport(level, detail)


def _limit(role: Role, memory_bytes: int) -> None:
    limit_memory(memory_bytes)
    if role.descriptors is not None:
        limit_kernel_memory(role.descriptors)


def _restrict_files(role: Role) -> None:
    tasks = len(os.listdir("/proc/self/task"))
    if tasks != 1:
        # Below ABI 8 Landlock holds the calling thread only; a model could make another act for it.
        raise OSError(f"{counted(tasks, 'thread')} run already, and it would hold only one of them")
    # Landlock knows signals to all or to none outside: for a child, seccomp holds them alone.
    readable = landlock.read_set(role.artifact, role.proc, role.packages)
    landlock.restrict(readable, signals=role.child is not None)


def _attempt(what: str, act: Callable[[], object]) -> str | None:
    try:
        act()
    except (OSError, ValueError) as error:
        return f"{what} is not there: {error}"
    return None
