"""The system-call filter: a BPF program built here, because its Python bindings need a C library."""

import ctypes
import os
import struct
from collections.abc import Callable, Iterable

from modelport_runtime.sandbox.allowed import ABSENT, DENIED_QUIETLY
from modelport_runtime.sandbox.kernel import syscall
from modelport_runtime.sandbox.limited import limits
from modelport_runtime.sandbox.numbers import LAST_KNOWN, numbers
from modelport_runtime.sandbox.program import (
    ABSENT_CALL,
    ARCHITECTURE,
    ASK,
    EQUAL,
    GREATER,
    LOAD,
    NUMBER,
    PERMITTED,
    REFUSED,
    Instruction,
)
from modelport_runtime.sandbox.role import Role

_AUDIT_ARCHITECTURES = (0xC000003E, 0xC00000B7)
_SECCOMP = (317, 277)
_SET_MODE_FILTER = 1
_TSYNC, _NEW_LISTENER, _TSYNC_ESRCH = 1, 8, 16

_TO_HAND_OVER = frozenset({"seccomp", "sendmsg"})
"""Allowed until the listener is with the front: a second filter then takes them away."""

HandOver = Callable[[int | None], None]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def install(machine: int, role: Role, hand_over: HandOver | None = None) -> None:
    """Filter every thread of the process, for ever. It needs no_new_privs. Raises OSError.

    hand_over: is given what tells of refused calls, None where the kernel cannot.
    """
    if hand_over is None:
        _load(machine, build(machine, os.getpid(), role), _TSYNC)
        return
    listener = _listen(machine, role)
    hand_over(listener)
    if listener is None:
        install(machine, role)
    else:
        _load(machine, refusing(machine, _TO_HAND_OVER), _TSYNC)


def _listen(machine: int, role: Role) -> int | None:
    program = build(machine, os.getpid(), role, others=ASK, also=_TO_HAND_OVER)
    try:
        return _load(machine, program, _NEW_LISTENER | _TSYNC | _TSYNC_ESRCH)
    except OSError:
        # Whoever started the container listens already, or the kernel is older than 5.7.
        return None


def _load(machine: int, program: list[Instruction], flags: int) -> int:
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
    pointer = ctypes.byref(_Program(len(program), code))
    return syscall(_SECCOMP[machine], ctypes.c_uint(_SET_MODE_FILTER), ctypes.c_uint(flags), pointer)


def build(
    machine: int, pid: int, role: Role, others: Instruction = REFUSED, also: frozenset[str] = frozenset()
) -> list[Instruction]:
    """Give the filter of a machine (a place in the table of numbers) for the process `pid`.

    others: the answer to a call that is not in the role. also: calls that are allowed beside it.
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
    """Answer calls that are newer than the table, and x32's, as an older kernel: libraries fall back."""
    return others if others == ASK else ABSENT_CALL


def _cases(wanted: Iterable[int], block: list[Instruction]) -> list[Instruction]:
    program: list[Instruction] = []
    for number in wanted:
        program += [(EQUAL, 0, len(block), number), *block]
    return program
