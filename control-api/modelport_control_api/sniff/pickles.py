"""Whose class a pickle begins with, read from its opcodes. Nothing is unpickled."""

import io
import pickletools
import re
from collections.abc import Iterator

# Enough for the class of any estimator; keeps a file of a million one-byte opcodes from taking seconds.
_MAX_OPCODES = 100_000

# How the pickle machine rebuilds objects, not what it rebuilds.
_MACHINERY = {"builtins", "__builtin__", "copyreg", "copy_reg"}
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_STRINGS = {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"}


class NotAPickle(Exception):
    """The bytes are no pickle."""


class PickleCutShort(Exception):
    """A pickle that ends in the middle."""


def looks_binary_pickle(head: bytes) -> bool:
    """Protocol 2 and later begin with PROTO and its number; 0 and 1 begin with anything."""
    return len(head) > 1 and head[0] == 0x80 and 2 <= head[1] <= 5


def first_class(head: bytes, *, whole: bool) -> str | None:
    """Give `module.Class` of the first object; None: a pickle of plain data.

    `whole`: `head` is all there is. Raises NotAPickle or PickleCutShort.
    """
    marked = looks_binary_pickle(head)
    try:
        for module, name in _globals(head):
            if not (_IDENTIFIER.fullmatch(module) and _IDENTIFIER.fullmatch(name)):
                raise NotAPickle
            if module not in _MACHINERY:
                return f"{module}.{name}"
    except (ValueError, UnicodeDecodeError, IndexError) as error:
        if not marked:
            raise NotAPickle from error
        if whole:
            raise PickleCutShort(str(error)) from error
    if not marked and not whole:
        raise NotAPickle
    return None


def _globals(head: bytes) -> Iterator[tuple[str, str]]:
    strings = _Strings()
    for count, (opcode, argument, _) in enumerate(pickletools.genops(io.BytesIO(head))):
        if count >= _MAX_OPCODES:
            return
        if opcode.name in {"GLOBAL", "INST"}:
            module, _, name = str(argument).partition(" ")
            yield module, name
        elif opcode.name == "STACK_GLOBAL":
            yield strings.last_two()
        else:
            strings.see(opcode.name, argument)


class _Strings:
    """The strings pushed last, also through the memo: what STACK_GLOBAL will name."""

    def __init__(self) -> None:
        self._recent = ["", ""]
        self._memo: dict[int, str] = {}
        self._memoized = 0
        self._top: str | None = None

    def last_two(self) -> tuple[str, str]:
        return self._recent[0], self._recent[1]

    def see(self, opcode: str, argument: object) -> None:
        if opcode in _STRINGS:
            self._push(str(argument))
        elif opcode == "MEMOIZE":
            self._remember(self._memoized)
        elif opcode in {"PUT", "BINPUT", "LONG_BINPUT"}:
            self._remember(int(str(argument)))
        elif opcode in {"GET", "BINGET", "LONG_BINGET"}:
            self._push(self._memo.get(int(str(argument))))
        else:
            self._top = None

    def _push(self, value: str | None) -> None:
        self._top = value
        if value is not None:
            self._recent = [self._recent[1], value]

    def _remember(self, slot: int) -> None:
        self._memoized += 1
        if self._top is not None:
            self._memo[slot] = self._top
