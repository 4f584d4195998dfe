"""The words of a BPF program, and answers that a filter gives."""

import errno

Instruction = tuple[int, int, int, int]
"""code, jump if true, jump if false, operand: `struct sock_filter`"""

LOAD, AND, _RETURN = 0x20, 0x54, 0x06
EQUAL, GREATER, ANY_BIT = 0x15, 0x25, 0x45
NUMBER, ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_ALLOW, _USER_NOTIF, _ERRNO = 0x7FFF0000, 0x7FC00000, 0x00050000

PERMITTED: Instruction = (_RETURN, 0, 0, _ALLOW)
REFUSED: Instruction = (_RETURN, 0, 0, _ERRNO | errno.EPERM)
ABSENT_CALL: Instruction = (_RETURN, 0, 0, _ERRNO | errno.ENOSYS)
ASK: Instruction = (_RETURN, 0, 0, _USER_NOTIF)
"""The front is asked, notes the call and refuses it."""


def argument(index: int, *, high: bool = False) -> Instruction:
    """Load the lower half, which is all that the kernel reads of an int."""
    return (LOAD, 0, 0, _ARGUMENTS + 8 * index + (4 if high else 0))
