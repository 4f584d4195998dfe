"""The system-call filter: a BPF program built here, because its Python bindings need a C library."""

import ctypes
import errno
import os
import struct
from collections.abc import Iterable

from modelport_runtime.sandbox.kernel import syscall
from modelport_runtime.sandbox.syscalls import LAST_KNOWN, LIMITED, REFUSED, SECCOMP

Instruction = tuple[int, int, int, int]
"""code, jump if true, jump if false, operand: `struct sock_filter`"""

_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06
_EQUAL, _GREATER, _ANY_BIT = 0x15, 0x25, 0x45
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_AUDIT_ARCHITECTURES = (0xC000003E, 0xC00000B7)

_SET_MODE_FILTER, _FLAG_TSYNC = 1, 1
_CLONE_THREAD = 0x00010000
_MSG_FASTOPEN = 0x20000000
_AF_UNIX, _SOCK_STREAM, _SOCK_TYPE_MASK = 1, 1, 0xF
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_FIOSETOWN, _SIOCSPGRP = 0x8901, 0x8902
_F_SETOWN, _F_SETSIG, _F_SETOWN_EX = 8, 10, 15
_PR_SET_NAME, _PR_GET_NAME, _PR_SET_VMA = 15, 16, 0x53564D41

_PERMITTED: Instruction = (_RETURN, 0, 0, _ALLOW)
_REFUSED: Instruction = (_RETURN, 0, 0, _ERRNO | errno.EPERM)
_UNKNOWN: Instruction = (_RETURN, 0, 0, _ERRNO | errno.ENOSYS)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def install(machine: int, child: int | None = None) -> None:
    """Filter every thread of the process, for ever. It needs no_new_privs. Raises OSError.

    child: the one other process that may be sent signals.
    """
    program = build(machine, os.getpid(), child)
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
    pointer = ctypes.byref(_Program(len(program), code))
    syscall(SECCOMP[machine], ctypes.c_uint(_SET_MODE_FILTER), ctypes.c_uint(_FLAG_TSYNC), pointer)


def build(machine: int, pid: int, child: int | None = None) -> list[Instruction]:
    """Give the filter of a machine (a place in the tables of numbers) for the process `pid`."""
    program: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        # Another architecture (i386 on x86-64) has other numbers, which would pass for harmless ones.
        (_EQUAL, 1, 0, _AUDIT_ARCHITECTURES[machine]),
        _REFUSED,
        (_LOAD, 0, 0, _NUMBER),
        # x32 calls have high numbers too.
        (_GREATER, 0, 1, LAST_KNOWN),
        _UNKNOWN,
    ]
    for numbers in REFUSED.values():
        number = numbers[machine]
        if number is not None:
            program += _case(number, [_REFUSED])
    for name, block in _limits(pid, child).items():
        program += _case(LIMITED[name][machine], block)
    return [*program, _PERMITTED]


def _limits(pid: int, child: int | None) -> dict[str, list[Instruction]]:
    """Give the calls that are harmless with some arguments only. Every block ends in an answer."""
    own = (pid,) if child is None else (pid, child)
    return {
        "clone": [*_argument(0), (_ANY_BIT, 1, 0, _CLONE_THREAD), _REFUSED, _PERMITTED],
        # Its flags lie in memory, out of a filter's sight; glibc falls back to clone.
        "clone3": [_UNKNOWN],
        # The event loop wakes itself through a stream pair. A datagram socket could send to any path.
        "socketpair": [
            *_argument(0),
            (_EQUAL, 1, 0, _AF_UNIX),
            _REFUSED,
            *_argument(1),
            (_AND, 0, 0, _SOCK_TYPE_MASK),
            (_EQUAL, 1, 0, _SOCK_STREAM),
            _REFUSED,
            _PERMITTED,
        ],
        "sendto": [*_must_be_null(4), *_argument(3), (_ANY_BIT, 0, 1, _MSG_FASTOPEN), _REFUSED, _PERMITTED],
        "sendmsg": [*_argument(2), (_ANY_BIT, 0, 1, _MSG_FASTOPEN), _REFUSED, _PERMITTED],
        "prlimit64": [*_must_be_null(2), *_argument(0), *_one_of(0, pid)],
        "kill": [*_argument(0), *_one_of(*own)],
        "tgkill": [*_argument(0), *_one_of(pid)],
        "ioctl": [*_argument(1), *_none_of(_TIOCSTI, _TIOCLINUX, _FIOSETOWN, _SIOCSPGRP)],
        # A file's owner is sent a signal when there is something to read; older kernels ask nobody.
        "fcntl": [*_argument(1), *_none_of(_F_SETOWN, _F_SETSIG, _F_SETOWN_EX)],
        "prctl": [*_argument(0), *_one_of(_PR_SET_NAME, _PR_GET_NAME, _PR_SET_VMA)],
        "sched_setaffinity": [*_argument(0), *_one_of(0, pid)],
    }


def _case(number: int, block: list[Instruction]) -> list[Instruction]:
    return [(_EQUAL, 0, len(block), number), *block]


def _argument(index: int, *, high: bool = False) -> list[Instruction]:
    """Load the lower half, which is all that the kernel reads of an int."""
    return [(_LOAD, 0, 0, _ARGUMENTS + 8 * index + (4 if high else 0))]


def _must_be_null(index: int) -> Iterable[Instruction]:
    for high in (False, True):
        yield from _argument(index, high=high)
        yield (_EQUAL, 1, 0, 0)
        yield _REFUSED


def _one_of(*values: int) -> Iterable[Instruction]:
    for value in values:
        yield (_EQUAL, 0, 1, value)
        yield _PERMITTED
    yield _REFUSED


def _none_of(*values: int) -> Iterable[Instruction]:
    for value in values:
        yield (_EQUAL, 0, 1, value)
        yield _REFUSED
    yield _PERMITTED
