"""What an ONNX file holds and ONNX Runtime does not report: class labels, and which inputs are scalars.

The `onnx` package is only for this too large: the file is read as the protobuf that it is.
"""

import struct
from collections.abc import Iterator
from typing import Any

Labels = list[Any]
_GRAPH, _NODE, _ATTRIBUTE, _INITIALIZER, _INPUT = 7, 1, 5, 5, 11
_INPUT_NAME, _TYPE, _TENSOR, _SHAPE = 1, 2, 1, 2
_OP_TYPE = 4
_NAME, _INTS, _STRINGS = 1, 8, 9
_RECURRENT = (b"LSTM", b"GRU", b"RNN")
_WAYS_OF_NAN = (b"nodes_missing_value_tracks_true",)
_DIMS, _DATA_TYPE, _INT32_DATA, _STRING_DATA, _INT64_DATA, _RAW_DATA = 1, 2, 5, 6, 7, 9
_INT32, _INT64, _STRING = 6, 7, 8
_MAX_RAW_BYTES = 80_000
"""More than so many classes no probabilities are given of."""


def class_labels(model: bytes) -> list[Labels]:
    """Return the labels of each node that names any, in the order of its probabilities.

    Raises ValueError on bytes that are no protobuf.
    """
    found = (
        _labels(attribute)
        for graph in _fields(model, _GRAPH)
        for node in _fields(graph, _NODE)
        for attribute in _fields(node, _ATTRIBUTE)
    )
    return [labels for labels in found if labels]


def label_constants(model: bytes) -> list[Labels]:
    """Return the constants that may be labels: vectors of different strings or whole numbers."""
    found = (_constant(tensor) for graph in _fields(model, _GRAPH) for tensor in _fields(graph, _INITIALIZER))
    return [labels for labels in found if labels and len(set(labels)) == len(labels)]


def scalar_inputs(model: bytes) -> set[str]:
    """Return the inputs of no dimension at all; of those of any shape ONNX Runtime reports the same."""
    return {
        b"".join(_fields(given, _INPUT_NAME)).decode()
        for graph in _fields(model, _GRAPH)
        for given in _fields(graph, _INPUT)
        for kind in _fields(given, _TYPE)
        for tensor in _fields(kind, _TENSOR)
        if list(_fields(tensor, _SHAPE)) == [b""]
    }


def declares_missing(model: bytes) -> bool:
    """Return whether a node has a way for what is missing: an imputer, or trees that were trained with
    NaN.
    """
    return any(
        b"".join(_fields(node, _OP_TYPE)) == b"Imputer" or any(map(_leads_nan, _fields(node, _ATTRIBUTE)))
        for graph in _fields(model, _GRAPH)
        for node in _fields(graph, _NODE)
    )


def is_recurrent(model: bytes) -> bool:
    """Return whether a node reads sequences: there the first size may count steps, and the second rows."""
    return any(
        b"".join(_fields(node, _OP_TYPE)) in _RECURRENT
        for graph in _fields(model, _GRAPH)
        for node in _fields(graph, _NODE)
    )


def _leads_nan(attribute: bytes) -> bool:
    return b"".join(_fields(attribute, _NAME)) in _WAYS_OF_NAN and any(_integers(attribute, _INTS))


def _constant(tensor: bytes) -> Labels | None:
    (*kind,) = _integers(tensor, _DATA_TYPE)
    if len(list(_integers(tensor, _DIMS))) != 1:
        return None
    if kind == [_STRING]:
        return [value.decode("utf-8", "replace") for value in _fields(tensor, _STRING_DATA)]
    code = {_INT32: "i", _INT64: "q"}.get(kind[0]) if kind else None
    if code is None:
        return None
    raw = b"".join(_fields(tensor, _RAW_DATA))
    if len(raw) > _MAX_RAW_BYTES or len(raw) % struct.calcsize(code):
        return None
    return [value for (value,) in struct.iter_unpack(f"<{code}", raw)] or [
        _signed(value) for field in (_INT32_DATA, _INT64_DATA) for value in _integers(tensor, field)
    ]


def _labels(attribute: bytes) -> Labels | None:
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
    for number, value, _, _ in pieces(message):
        yield number, value


def pieces(message: bytes) -> Iterator[tuple[int, bytes | int, int, int]]:
    """Yield each field's number and value, and where it begins and ends, in bytes. Raises `ValueError`."""
    at = 0
    while at < len(message):
        start = at
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(message, at)
            yield number, value, start, at
            continue
        size = {1: 8, 5: 4}.get(wire)
        if size is None:
            if wire != 2:
                raise ValueError(f"protobuf wire type {wire}")
            size, at = _varint(message, at)
        if at + size > len(message):
            raise ValueError("the protobuf is cut off")
        at += size
        yield number, message[at - size : at], start, at


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
