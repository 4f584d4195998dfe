"""Is it an ONNX model? The top level of the protobuf message is walked; nothing is parsed deeper."""

import io
from typing import BinaryIO

from modelport_control_api.sniff.errors import CorruptArtifact

# ModelProto's fields: number -> wire type (0 varint, 2 length-delimited).
_FIELDS = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2}
_GRAPH, _OPSET_IMPORT = 7, 8
_MAX_FIELDS = 10_000


class _Truncated(Exception):
    pass


def is_onnx(file: BinaryIO, size: int) -> bool:
    """Give True for a whole ONNX model. Raises CorruptArtifact if it begins as one and ends in the middle."""
    seen: set[int] = set()
    try:
        for _ in range(_MAX_FIELDS):
            field = _skip_field(file, size)
            if field is None:
                break
            if field not in _FIELDS:
                return False
            seen.add(field)
    except _Truncated:
        return _cut_short(seen)
    return {_GRAPH, _OPSET_IMPORT} <= seen


def _cut_short(seen: set[int]) -> bool:
    # An ONNX model begins with its IR version; a stray file whose first bytes happen to parse does rarely.
    if 1 in seen and len(seen) > 1:
        raise CorruptArtifact("The file begins as an ONNX model and is cut short.")
    return False


def _skip_field(file: BinaryIO, size: int) -> int | None:
    """Give the field's number, or None at the end of the file, or 0 for what no ModelProto holds."""
    if file.tell() == size:
        return None
    tag = _varint(file)
    number, wire_type = tag >> 3, tag & 7
    if _FIELDS.get(number) != wire_type:
        return 0
    value = _varint(file)
    if wire_type == 2:
        if file.tell() + value > size:
            raise _Truncated
        file.seek(value, io.SEEK_CUR)
    return number


def _varint(file: BinaryIO) -> int:
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            raise _Truncated
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    return 0
