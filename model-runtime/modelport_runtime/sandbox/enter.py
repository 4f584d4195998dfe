"""Give up every right that a role does not need, and say how far that went."""

import os
import sys
from collections.abc import Callable

from modelport_runtime.sandbox import landlock, rights, seccomp
from modelport_runtime.sandbox.kernel import PR_SET_NO_NEW_PRIVS, machine, prctl
from modelport_runtime.sandbox.report import SandboxReport
from modelport_runtime.sandbox.role import Role


def enter(role: Role, memory_bytes: int, hand_over: seccomp.HandOver | None = None) -> SandboxReport:
    """Confine this process for good. Call it in the only thread, after imports and before reading the model.

    hand_over: see `seccomp.install`.
    Never raises: what the machine cannot do lowers the level, and the caller decides what that forbids.
    """
    rights.forbid_core_dumps()
    # Modules imported from here on cannot be cached: to try would look like a model that makes folders.
    sys.dont_write_bytecode = True
    known = machine()
    if known is None:
        return SandboxReport(0, "this is not Linux on x86-64 or arm64; the memory limit is not held either")
    memory = _attempt("memory limit", lambda: _limit(role, memory_bytes))
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    capabilities = _attempt("dropping capabilities", lambda: rights.drop_capabilities(known))
    files = _attempt("Landlock", lambda: _restrict_files(role))
    calls = _attempt("seccomp", lambda: seccomp.install(known, role, hand_over))
    problems = [problem for problem in (files, calls, memory, capabilities) if problem]
    level = 2 - (files is not None) - (calls is not None)
    detail = "; ".join(problems) or "Landlock and seccomp hold"
    return SandboxReport(level, detail)


def _limit(role: Role, memory_bytes: int) -> None:
    rights.limit_memory(memory_bytes)
    if role.descriptors is not None:
        rights.limit_kernel_memory(role.descriptors)


def _restrict_files(role: Role) -> None:
    tasks = len(os.listdir("/proc/self/task"))
    if tasks != 1:
        # Below ABI 8 Landlock holds the calling thread only; a model could make another act for it.
        raise OSError(f"{tasks} threads run already, and it would hold only one of them")
    # Landlock knows signals to all or to none outside: for a child, seccomp holds them alone.
    landlock.restrict(landlock.read_set(role.artifact, role.proc), signals=role.child is not None)


def _attempt(what: str, act: Callable[[], object]) -> str | None:
    try:
        act()
    except (OSError, ValueError) as error:
        return f"{what} is not there: {error}"
    return None
