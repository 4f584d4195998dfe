"""What each of a runtime's two processes may do in its sandbox: the system calls, every other is refused."""

from dataclasses import dataclass
from pathlib import Path

from modelport_runtime.sandbox import refusals

_MEMORY = frozenset({"brk", "madvise", "mmap", "mprotect", "mremap", "mseal", "msync", "munmap"})

_THREADS = frozenset({
    "arch_prctl", "clone", "exit", "exit_group", "futex", "futex_requeue", "futex_wait", "futex_waitv",
    "futex_wake", "get_robust_list", "getcpu", "gettid", "membarrier", "prctl", "rseq",
    "sched_get_priority_max",
    "sched_get_priority_min", "sched_getaffinity", "sched_getparam", "sched_getscheduler",
    "sched_rr_get_interval", "sched_yield", "set_robust_list", "set_tid_address",
})  # fmt: skip

_TIME = frozenset({
    "alarm", "clock_getres", "clock_gettime", "clock_nanosleep", "getitimer", "gettimeofday", "nanosleep",
    "setitimer", "time", "times",
})  # fmt: skip

_SIGNALS = frozenset({
    "kill", "pause", "restart_syscall", "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigreturn",
    "rt_sigsuspend", "rt_sigtimedwait", "sigaltstack", "tgkill",
})  # fmt: skip

# Landlock decides which files. Nothing that changes one, locks one for others, or shows a whole file system.
_FILES = frozenset({
    "access", "close", "close_range", "dup", "dup2", "dup3", "faccessat", "faccessat2", "fadvise64", "fcntl",
    "fstat", "getcwd", "getdents", "getdents64", "ioctl", "lseek", "lstat", "newfstatat", "open", "openat",
    "pread64", "preadv", "preadv2", "read", "readahead", "readlink", "readlinkat", "readv", "stat", "statx",
    "write", "writev",
})  # fmt: skip

# Python tries epoll when `selectors` is imported.
_WAITING = frozenset({
    "epoll_create", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait", "poll",
    "ppoll",
    "pselect6", "select",
})  # fmt: skip

_ITSELF = frozenset({
    "getegid", "geteuid", "getgid", "getgroups", "getpgrp", "getpid", "getppid", "getrandom", "getresgid",
    "getresuid", "getrlimit", "getrusage", "getuid", "prlimit64", "sysinfo", "uname",
})  # fmt: skip

# On a socket that is there: none can be made, connected or bound.
_ONE_SOCKET = frozenset({"getsockname", "getsockopt", "recvfrom", "sendto"})

_COMMON = _MEMORY | _THREADS | _TIME | _SIGNALS | _FILES | _WAITING | _ITSELF | _ONE_SOCKET

# A pool of threads as joblib and multiprocessing make it wakes its manager by a pipe.
_OF_PYTHON_POOLS = frozenset({"pipe", "pipe2"})
# ONNX Runtime pins its own threads.
_OF_ONNX = frozenset({"sched_setaffinity"})

_OF_FRAMEWORKS = {"onnx": _OF_ONNX}
"""Of those that are more than Python libraries that may make such a pool."""

# The event loop's own wake-ups, connections that are accepted, the end of its child, a descriptor from it.
OF_THE_FRONT = _COMMON | {
    "accept", "accept4", "eventfd2", "getpeername", "listen", "pipe2", "recvmsg", "sendmsg", "setsockopt",
    "shutdown", "socketpair", "wait4", "waitid",
}  # fmt: skip

# Libraries call these and do without: the result is ENOSYS, for which they have another way, and no note.
# clone3 keeps its flags in memory, out of a filter's sight; glibc then takes clone.
ABSENT = frozenset({"clone3", "fchmodat2", "map_shadow_stack", "openat2"})

# Where memory lies among NUMA nodes: OpenBLAS and others query it, and take what they get.
DENIED_QUIETLY = frozenset({"get_mempolicy", "mbind", "set_mempolicy", "set_mempolicy_home_node"})


def calls_of_a_model(frameworks: tuple[str, ...]) -> frozenset[str]:
    """Return the names of the system calls that a process with models of these frameworks may make."""
    return _COMMON.union(*(_OF_FRAMEWORKS.get(each, _OF_PYTHON_POOLS) for each in frameworks))


_TCGETS, _TIOCGWINSZ, _FIONREAD = 0x5401, 0x5413, 0x541B
_FIONBIO, _FIONCLEX, _FIOCLEX = 0x5421, 0x5450, 0x5451
_IOCTLS = (_TCGETS, _TIOCGWINSZ, _FIONREAD, _FIONBIO, _FIONCLEX, _FIOCLEX)

_FILES_OF_A_MODEL = 64
"""Each may hold a pipe's buffer, which no memory limit of the process counts."""

# Below /proc/self: what glibc, OpenBLAS, ONNX Runtime and threadpoolctl look up of their own process.
_OF_A_MODEL = ("cgroup", "maps", "stat", "statm", "status")
# TensorFlow ends the process if it cannot read by which command that was started: by the runtime's own.
_PROC_OF_FRAMEWORKS = {"tensorflow": ("cmdline",)}
# Prometheus' collector of the process.
_OF_THE_FRONT = ("cgroup", "fd", "limits", "stat", "statm", "status")


@dataclass(frozen=True)
class Role:
    """`calls` are names; `ioctls` numbers; `child` is the one other process that may be sent signals.

    artifact, packages: the one file and the one folder of others that may be read.
    descriptors: so many may be open; None: as before.
    """

    calls: frozenset[str]
    proc: tuple[str, ...]
    ioctls: tuple[int, ...] = _IOCTLS
    artifact: Path | None = None
    packages: Path | None = None
    child: int | None = None
    descriptors: int | None = None


def of_a_model(frameworks: tuple[str, ...], artifact: Path, packages: Path | None = None) -> Role:
    """Return what the model process may do; of others' files it may read `artifact` and `packages` alone.

    frameworks: those of the models in the artifact, of which an ensemble has several.
    """
    more = [name for each in frameworks for name in _PROC_OF_FRAMEWORKS.get(each, ())]
    return Role(
        calls=calls_of_a_model(frameworks),
        proc=(*_OF_A_MODEL, *more),
        artifact=artifact,
        packages=packages,
        descriptors=_FILES_OF_A_MODEL,
    )


def of_the_server(child: int) -> Role:
    """Return what the server process may do. `child`: the pid of the model process, which it may signal."""
    return Role(
        calls=OF_THE_FRONT,
        proc=_OF_THE_FRONT,
        ioctls=(*_IOCTLS, refusals.RECEIVE, refusals.SEND),
        child=child,
    )
