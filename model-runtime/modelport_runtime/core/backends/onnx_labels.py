"""The class labels that an ONNX classifier's node holds.

ONNX Runtime does not tell them, and the `onnx` package is only for this too large: the file is read
as the protobuf that it is, down to the one attribute (GraphProto.node.attribute).
"""

from collections.abc import Iterator

_GRAPH, _NODE, _ATTRIBUTE = 7, 1, 5
_NAME, _INTS, _STRINGS = 1, 8, 9


def class_labels(model: bytes) -> list[str] | list[int] | None:
    """Give the labels in the order of the probabilities, None if no node names any.

    Raises ValueError on bytes that are no protobuf.
    """
    for graph in _fields(model, _GRAPH):
        for node in _fields(graph, _NODE):
            for attribute in _fields(node, _ATTRIBUTE):
                labels = _labels(attribute)
                if labels:
                    return labels
    return None


def _labels(attribute: bytes) -> list[str] | list[int] | None:
    name = b"".join(_fields(attribute, _NAME))
    if name == b"classlabels_strings":
        return [label.decode() for label in _fields(attribute, _STRINGS)]
    if name in (b"classlabels_ints", b"classlabels_int64s"):
        return [_signed(value) for value in _integers(attribute, _INTS)]
    return None


def _fields(message: bytes, wanted: int) -> Iterator[bytes]:
    for number, value in _walk(message):
        if number == wanted and isinstance(value, bytes):
            yield value


def _integers(message: bytes, wanted: int) -> Iterator[int]:
    """Repeated integers may be written one by one or packed."""
    for number, value in _walk(message):
        if number != wanted:
            continue
        if isinstance(value, int):
            yield value
            continue
        at = 0
        while at < len(value):
            item, at = _varint(value, at)
            yield item


def _walk(message: bytes) -> Iterator[tuple[int, bytes | int]]:
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(message, at)
            yield number, value
            continue
        size = {1: 8, 5: 4}.get(wire)
        if size is None:
            if wire != 2:
                raise ValueError(f"protobuf wire type {wire}")
            size, at = _varint(message, at)
        if at + size > len(message):
            raise ValueError("the protobuf is cut off")
        yield number, message[at : at + size]
        at += size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        if at >= len(message) or shift > 63:
            raise ValueError("the protobuf is cut off")
        byte = message[at]
        at += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, at
        shift += 7


def _signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value
