"""Calls that are harmless with some arguments only. Every block ends in an answer."""

from collections.abc import Iterable

from modelport_runtime.sandbox.program import AND, ANY_BIT, EQUAL, PERMITTED, Instruction, argument
from modelport_runtime.sandbox.role import Role

# As glibc and musl start a thread, no other way: with descriptors of its own it would double their limit.
_THREADS = (0x3D0F00, 0x7D0F00)
_CLOSE_RANGE_UNSHARE = 2
_MSG_FASTOPEN = 0x20000000
_AF_UNIX, _SOCK_STREAM, _SOCK_TYPE_MASK = 1, 1, 0xF
# Not locks, which hold memory of the kernel and hold up others; not a pipe's size; not signals on input.
_FCNTLS = (0, 1, 2, 3, 4, 1030)
_PR_SET_NAME, _PR_GET_NAME, _PR_SET_VMA = 15, 16, 0x53564D41


def limits(pid: int, role: Role, refused: Instruction) -> dict[str, list[Instruction]]:
    """Give a block for each, which is entered with the call's number known. The busiest come first."""
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
