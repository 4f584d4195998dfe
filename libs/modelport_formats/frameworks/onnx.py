"""The top level of an ONNX model, a protobuf message: its fields are walked, nothing is parsed deeper."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

from modelport_formats.errors import DamagedFile

_VARINT, _BYTES = 0, 2
_FIXED = {1: 8, 5: 4}
# ModelProto's fields of those that know it; a reader skips any other.
_KINDS = {
    1: _VARINT,
    2: _BYTES,
    3: _BYTES,
    4: _BYTES,
    5: _VARINT,
    6: _BYTES,
    7: _BYTES,
    8: _BYTES,
    14: _BYTES,
}
_IR_VERSION, _PRODUCER_NAME, _PRODUCER_VERSION, _GRAPH, _OPSET_IMPORT = 1, 2, 3, 7, 8
_NEEDED = {_IR_VERSION, _GRAPH, _OPSET_IMPORT}
_MAX_FIELDS = 10_000
_MAX_NAME_BYTES = 4096


class _Truncated(Exception):
    pass


class _NotAModel(Exception):
    pass


@dataclass(frozen=True, slots=True)
class _Field:
    number: int
    start: int
    size: int


def is_onnx(file: BinaryIO, size: int) -> bool:
    """Return whether it is a whole ONNX model. Raises DamagedFile if it begins as one and is cut short."""
    seen: set[int] = set()
    try:
        seen.update(field.number for field in _fields(file, size))
    except _NotAModel:
        return False
    except _Truncated:
        # An ONNX model begins with its IR version; a stray file whose first bytes happen to parse, rarely.
        if _IR_VERSION in seen and len(seen) > 1:
            raise DamagedFile("The file begins as an ONNX model and is cut short.") from None
        return False
    return seen >= _NEEDED


def producer(file: BinaryIO, size: int) -> tuple[str, str]:
    """Return name and version of what wrote an ONNX model; empty where it names none."""
    texts = {_PRODUCER_NAME: "", _PRODUCER_VERSION: ""}
    with suppress(_Truncated, _NotAModel):
        for field in _fields(file, size):
            if field.number in texts and field.size <= _MAX_NAME_BYTES:
                file.seek(field.start)
                texts[field.number] = file.read(field.size).decode(errors="replace")
    return texts[_PRODUCER_NAME], texts[_PRODUCER_VERSION]


def _fields(file: BinaryIO, size: int) -> Iterator[_Field]:
    """Raises _Truncated, or _NotAModel for what no ModelProto holds."""
    file.seek(0)
    for _ in range(_MAX_FIELDS):
        if file.tell() == size:
            return
        tag = _varint(file)
        number, kind = tag >> 3, tag & 7
        if number == 0 or _KINDS.get(number, kind) != kind:
            raise _NotAModel
        length = _length(file, kind)
        start = file.tell()
        if start + length > size:
            raise _Truncated
        yield _Field(number, start, length)
        file.seek(start + length)


def _length(file: BinaryIO, kind: int) -> int:
    """Return how many bytes of the field follow."""
    if kind in _FIXED:
        return _FIXED[kind]
    if kind not in (_VARINT, _BYTES):
        raise _NotAModel
    value = _varint(file)
    return value if kind == _BYTES else 0


def _varint(file: BinaryIO) -> int:
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            raise _Truncated
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    raise _NotAModel
