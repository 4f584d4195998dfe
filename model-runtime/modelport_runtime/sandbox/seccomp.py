"""The system-call filter: a BPF program built here, because its Python bindings need a C library of
their own.
"""

import ctypes
import errno
import os
import struct
from collections.abc import Callable, Iterable

from modelport_runtime.sandbox.allowed import ABSENT, DENIED_QUIETLY, Role
from modelport_runtime.sandbox.kernel import syscall
from modelport_runtime.sandbox.numbers import LAST_KNOWN, numbers

Instruction = tuple[int, int, int, int]
"""code, jump if true, jump if false, operand: `struct sock_filter`"""

LOAD, AND, _RETURN = 0x20, 0x54, 0x06
EQUAL, GREATER, ANY_BIT = 0x15, 0x25, 0x45
NUMBER, ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_ALLOW, _USER_NOTIF, _ERRNO = 0x7FFF0000, 0x7FC00000, 0x00050000


def failing(error: int) -> Instruction:
    """Return the end of a call that fails with this errno."""
    return (_RETURN, 0, 0, _ERRNO | error)


PERMITTED: Instruction = (_RETURN, 0, 0, _ALLOW)
REFUSED = failing(errno.EPERM)
ABSENT_CALL = failing(errno.ENOSYS)
USER_NOTIFY: Instruction = (_RETURN, 0, 0, _USER_NOTIF)
"""The server process is consulted, notes the call and refuses it."""


def argument(index: int, *, high: bool = False) -> Instruction:
    """Load the lower half, which is all that the kernel reads of an int."""
    return (LOAD, 0, 0, _ARGUMENTS + 8 * index + (4 if high else 0))


# As glibc and musl start a thread, no other way: with descriptors of its own it would double their limit.
_THREADS = (0x3D0F00, 0x7D0F00)
_CLOSE_RANGE_UNSHARE = 2
_MSG_FASTOPEN = 0x20000000
_AF_UNIX, _SOCK_STREAM, _SOCK_TYPE_MASK = 1, 1, 0xF
# Not locks, which hold memory of the kernel and hold up others; not a pipe's size; not signals on input.
_FCNTLS = (0, 1, 2, 3, 4, 1030)
_PR_SET_NAME, _PR_GET_NAME, _PR_SET_VMA = 15, 16, 0x53564D41


def limits(pid: int, role: Role, refused: Instruction) -> dict[str, list[Instruction]]:
    """Return a block for each, which is entered with the call's number known. The busiest come first."""
    own = (pid,) if role.child is None else (pid, role.child)
    no_fast_open = [(ANY_BIT, 0, 1, _MSG_FASTOPEN), refused, PERMITTED]
    return {
        "sendto": [*_must_be_null(4, refused), argument(3), *no_fast_open],
        "sendmsg": [argument(2), *no_fast_open],
        "ioctl": [argument(1), *_one_of(role.ioctls, refused)],
        "fcntl": [argument(1), *_one_of(_FCNTLS, refused)],
        "clone": [*_upper_half_is_null(0, refused), argument(0), *_one_of(_THREADS, refused)],
        "close_range": [argument(2), (ANY_BIT, 0, 1, _CLOSE_RANGE_UNSHARE), refused, PERMITTED],
        # The event loop wakes itself through a stream pair. A datagram socket could send to any path.
        "socketpair": [*_must_be(0, _AF_UNIX, refused), *_must_be_a_stream(1, refused), PERMITTED],
        "prlimit64": [*_must_be_null(2, refused), argument(0), *_one_of((0, pid), refused)],
        "kill": [argument(0), *_one_of(own, refused)],
        "tgkill": [argument(0), *_one_of((pid,), refused)],
        "prctl": [argument(0), *_one_of((_PR_SET_NAME, _PR_GET_NAME, _PR_SET_VMA), refused)],
        "sched_setaffinity": [argument(0), *_one_of((0, pid), refused)],
    }


def _must_be(index: int, value: int, refused: Instruction) -> list[Instruction]:
    return [argument(index), (EQUAL, 1, 0, value), refused]


def _must_be_a_stream(index: int, refused: Instruction) -> list[Instruction]:
    return [argument(index), (AND, 0, 0, _SOCK_TYPE_MASK), (EQUAL, 1, 0, _SOCK_STREAM), refused]


def _must_be_null(index: int, refused: Instruction) -> list[Instruction]:
    return [*_upper_half_is_null(index, refused), *_must_be(index, 0, refused)]


def _upper_half_is_null(index: int, refused: Instruction) -> list[Instruction]:
    return [argument(index, high=True), (EQUAL, 1, 0, 0), refused]


def _one_of(values: Iterable[int], refused: Instruction) -> Iterable[Instruction]:
    for value in values:
        yield (EQUAL, 0, 1, value)
        yield PERMITTED
    yield refused


_AUDIT_ARCHITECTURES = (0xC000003E, 0xC00000B7)
_SECCOMP = (317, 277)
_SET_MODE_FILTER = 1
_TSYNC, _NEW_LISTENER, _TSYNC_ESRCH = 1, 8, 16

_TO_HAND_OVER = frozenset({"seccomp", "sendmsg"})
"""Allowed until the server process has the listener: a second filter then takes them away."""

HandOver = Callable[[int | None], None]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def install(machine: int, role: Role, hand_over: HandOver | None = None) -> None:
    """Filter every thread of the process, forever. It needs no_new_privs. Raises OSError.

    hand_over: is given what reports refused calls, None where the kernel cannot.
    """
    if hand_over is None:
        load(machine, build(machine, os.getpid(), role), _TSYNC)
        return
    listener = _listen(machine, role)
    hand_over(listener)
    if listener is None:
        install(machine, role)
    else:
        load(machine, refusing(machine, _TO_HAND_OVER), _TSYNC)


def _listen(machine: int, role: Role) -> int | None:
    program = build(machine, os.getpid(), role, others=USER_NOTIFY, also=_TO_HAND_OVER)
    try:
        return load(machine, program, _NEW_LISTENER | _TSYNC | _TSYNC_ESRCH)
    except OSError:
        # The container runtime listens already, or the kernel is older than 5.7.
        return None


def load(machine: int, program: list[Instruction], flags: int = 0) -> int:
    """Filter this thread and what it starts, forever, and return what the flags ask for.

    It needs no_new_privs. Raises OSError.
    """
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
    pointer = ctypes.byref(_Program(len(program), code))
    return syscall(_SECCOMP[machine], ctypes.c_uint(_SET_MODE_FILTER), ctypes.c_uint(flags), pointer)


def build(
    machine: int, pid: int, role: Role, others: Instruction = REFUSED, also: frozenset[str] = frozenset()
) -> list[Instruction]:
    """Return the filter of a machine (a place in the table of numbers) for the process `pid`.

    others: the reply to a call that is not in the role. also: calls that are allowed beside it.
    """
    limited = limits(pid, role, others)
    program = [*_same_architecture(machine), (GREATER, 0, 1, LAST_KNOWN), _to_newer(others)]
    for name, block in limited.items():
        if name in role.calls:
            program += _cases(numbers(frozenset({name}), machine), block)
    program += _cases(numbers((role.calls - limited.keys()) | also, machine), [PERMITTED])
    program += _cases(numbers(ABSENT, machine), [ABSENT_CALL])
    program += _cases(numbers(DENIED_QUIETLY, machine), [REFUSED])
    return [*program, others]


def refusing(machine: int, names: frozenset[str]) -> list[Instruction]:
    """Return a filter that refuses the named calls and permits all others."""
    return [*_same_architecture(machine), *_cases(numbers(names, machine), [REFUSED]), PERMITTED]


def _same_architecture(machine: int) -> list[Instruction]:
    return [
        (LOAD, 0, 0, ARCHITECTURE),
        # Another architecture (i386 on x86-64) has other numbers, which would pass for harmless ones.
        (EQUAL, 1, 0, _AUDIT_ARCHITECTURES[machine]),
        REFUSED,
        (LOAD, 0, 0, NUMBER),
    ]


def _to_newer(others: Instruction) -> Instruction:
    """Treat calls that are newer than the table, and x32's, as an older kernel: libraries fall back."""
    return others if others == USER_NOTIFY else ABSENT_CALL


def _cases(wanted: Iterable[int], block: list[Instruction]) -> list[Instruction]:
    program: list[Instruction] = []
    for number in wanted:
        program += [(EQUAL, 0, len(block), number), *block]
    return program
