"""What a pickle names, read from its opcodes. Nothing is unpickled."""

import pickletools
import re
from collections.abc import Iterator
from typing import Any

OPENING_BYTES = 256 * 1024
# With it enough for the class of any estimator; keeps a file of one-byte opcodes from taking seconds.
_MAX_OPCODES = 50_000

# How the pickle machine rebuilds objects, not what it rebuilds.
_MACHINERY = {"builtins", "__builtin__", "copyreg", "copy_reg"}
_ARRAYS = b"joblib.numpy_pickle"
_STRINGS = {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"}
_PUTS = {"PUT", "BINPUT", "LONG_BINPUT"}
_GETS = {"GET", "BINGET", "LONG_BINGET"}


class NotAPickle(Exception):
    """The bytes are no pickle."""


class PickleCutShort(Exception):
    """A pickle that ends in the middle."""


def looks_binary_pickle(head: bytes) -> bool:
    """Protocol 2 and later begin with PROTO and its number; 0 and 1 begin with anything."""
    return re.match(rb"\x80[\x02-\x05]", head) is not None


def first_class(head: bytes, *, whole: bool) -> str | None:
    """Return `module.Class` of the first object; None: a pickle of plain data.

    `whole`: `head` is all there is. Raises NotAPickle or PickleCutShort.
    """
    marked = looks_binary_pickle(head)
    try:
        for module, name in references(head):
            if module not in _MACHINERY:
                return f"{module}.{name}"
    except ValueError as error:
        if not marked:
            raise NotAPickle from error
        # Protocol 3 writes names in UTF-8, and pickletools reads them as ASCII: that is no cut.
        unseen = len(head) > OPENING_BYTES or isinstance(error, UnicodeDecodeError)
        if whole and not unseen:
            raise PickleCutShort(str(error)) from error
    if not marked and not whole:
        raise NotAPickle
    return None


def references(opening: bytes) -> Iterator[tuple[str, str]]:
    """Yield module and name of what a pickle names, up to joblib's first array or the end of the opening.

    Raises ValueError there, and NotAPickle for what no pickle names.
    """
    strings = _Strings()
    for opcode, argument in _opcodes(opening):
        if opcode in {"GLOBAL", "INST"}:
            module, _, name = str(argument).partition(" ")
        elif opcode == "STACK_GLOBAL":
            module, name = strings.last_two()
        else:
            strings.see(opcode, argument)
            continue
        if not (_is_dotted(module) and _is_dotted(name)):
            raise NotAPickle
        yield module, name


_CONTAINERS = {
    "EMPTY_DICT": "dict",
    "DICT": "dict",
    "EMPTY_LIST": "list",
    "LIST": "list",
    "EMPTY_SET": "set",
}
_BEFORE = {"PROTO", "FRAME", "MARK"}


def container(opening: bytes) -> str | None:
    """Return `dict`, `list` or `set` if that is what the pickle holds: it is made before what is in it."""
    try:
        first = next((name for name, _ in _opcodes(opening) if name not in _BEFORE), "")
    except ValueError:
        return None
    return _CONTAINERS.get(first)


def can_be_walked(content: bytes) -> bool:
    """Return whether all of the content is opcodes that are read: it is short, and joblib wrote no array."""
    return len(content) <= OPENING_BYTES and _ARRAYS not in content


def reaches_its_end(opening: bytes) -> bool | None:
    """Return whether the pickle ends within the opening, whatever follows; None: that cannot be seen."""
    try:
        return any(opcode == "STOP" for opcode, _ in _opcodes(opening)) or None
    except UnicodeDecodeError:
        return None
    except ValueError:
        return False


def _opcodes(opening: bytes) -> Iterator[tuple[str, Any]]:
    for count, (opcode, argument, _) in enumerate(pickletools.genops(opening[:OPENING_BYTES])):
        if count >= _MAX_OPCODES:
            return
        yield opcode.name, argument


def _is_dotted(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))


class _Strings:
    """What was pushed last, also through the memo: STACK_GLOBAL names it. All but strings count as ""."""

    def __init__(self) -> None:
        self._recent = ["", ""]
        self._memo: dict[int, str] = {}

    def last_two(self) -> tuple[str, str]:
        return self._recent[0], self._recent[1]

    def see(self, opcode: str, argument: Any) -> None:
        if opcode in _STRINGS:
            self._push(argument)
        elif opcode == "MEMOIZE":
            self._memo[len(self._memo)] = self._recent[1]
        elif opcode in _PUTS:
            self._memo[int(argument)] = self._recent[1]
        elif opcode in _GETS:
            self._push(self._memo.get(int(argument), ""))
        elif opcode != "FRAME":
            self._push("")

    def _push(self, value: str) -> None:
        self._recent = [self._recent[1], value]
