"""Landlock: which files may be read. Nothing may be written but /dev/null, and nothing executed."""

import ctypes
import os
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

import modelport_formats
import modelport_http
from modelport_formats.packed import unpacked

import modelport_runtime
from modelport_runtime.sandbox.kernel import syscall

# The same on every machine.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 1, 1 << 2, 1 << 3
_RULE_PATH_BENEATH = 1
_VERSION = 1
# Rights that the kernel of an ABI version knows; all of them are handled, so all not granted are refused.
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}
_NET_BIND_AND_CONNECT = 0b11
_SCOPE_ABSTRACT_SOCKETS, _SCOPE_SIGNALS = 1, 2
# From these joblib reads how many CPUs it may use.
_CPU_LIMITS = ("cpu.max", "cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")

# All packages of ours that the runtime imports, some modules of them only once it is restricted.
_OWN_PACKAGES = (modelport_runtime, modelport_formats, modelport_http)


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def abi() -> int:
    """Return the kernel's version of Landlock. Raises OSError where there is none, or none that is on."""
    return syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION))


def restrict(readable: Iterable[Path], *, signals: bool) -> int:
    """Restrict the calling thread, and threads it starts, forever. Gives the ABI. Raises OSError.

    signals: other processes may be sent some; that a child's parent has died is signaled by one too.
    The process must have one thread, and no_new_privs.
    """
    version = abi()
    rules = _create(version, _SCOPE_ABSTRACT_SOCKETS if signals else _SCOPE_ABSTRACT_SOCKETS | _SCOPE_SIGNALS)
    try:
        for path in readable:
            _allow(rules, path, _READ_FILE | _READ_DIR)
        _allow(rules, Path("/dev/null"), _READ_FILE | _WRITE_FILE)
        syscall(_RESTRICT_SELF, ctypes.c_int(rules), ctypes.c_uint32(0))
    finally:
        os.close(rules)
    return version


def read_set(artifact: Path | None, proc: Iterable[str], packages: Path | None = None) -> list[Path]:
    """Everything that a framework reads after it has been imported, the artifact with what was unpacked of
    it, a model's own packages, and nothing else.

    Our own packages are named by themselves: in an editable install other parts lie beside them.
    proc: what is read of the calling process itself, one by one, for more lies beside them (`net`, `mounts`).
    """
    prefixes = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    prefixes |= {f"{sys.base_prefix}/lib", f"{sys.prefix}/lib"}
    machine = [
        "/usr/lib", "/usr/lib64", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime",
        "/usr/share/zoneinfo", "/dev/urandom", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat",
        "/sys/devices/system/cpu", *(f"/sys/fs/cgroup/{name}" for name in _CPU_LIMITS),
    ]  # fmt: skip
    machine += [f"/proc/self/{name}" for name in proc]
    own = [Path(package.__path__[0]).resolve() for package in _OWN_PACKAGES]
    given = [] if artifact is None else [artifact, unpacked(artifact)]
    given += [] if packages is None else [packages]
    return [*own, *given, *(Path(path) for path in sorted(prefixes) + machine)]


def _create(version: int, scoped: int) -> int:
    known = max(since for since in _FILE_RIGHTS if since <= version)
    attributes = _Ruleset(
        files=(1 << _FILE_RIGHTS[known]) - 1,
        net=_NET_BIND_AND_CONNECT if version >= 4 else 0,
        scoped=scoped if version >= 6 else 0,
    )
    # Older kernels know a shorter structure, and refuse the rest of it only where it is not zero.
    return syscall(
        _CREATE_RULESET,
        ctypes.byref(attributes),
        ctypes.c_size_t(ctypes.sizeof(attributes)),
        ctypes.c_uint32(0),
    )


def _allow(rules: int, path: Path, rights: int) -> None:
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        # Not every machine has every folder; one that is not there need not be read.
        return
    try:
        if not path.is_dir():
            rights &= ~_READ_DIR
        rule = _PathBeneath(allowed=rights, parent=opened)
        syscall(
            _ADD_RULE,
            ctypes.c_int(rules),
            ctypes.c_int(_RULE_PATH_BENEATH),
            ctypes.byref(rule),
            ctypes.c_uint32(0),
        )
    finally:
        os.close(opened)
