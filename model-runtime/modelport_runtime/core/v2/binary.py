"""Tensors as raw bytes: little-endian numbers, booleans of one byte, texts behind four bytes of length."""

import struct
from typing import Any

import numpy as np
from modelport_http.wording import counted

from modelport_runtime.core.types import Unfit
from modelport_runtime.core.v2.datatypes import DTYPES

_LENGTH = struct.Struct("<I")

Array = np.ndarray[Any, Any]


def read(raw: bytes, datatype: str, count: int) -> Array | list[str]:
    """Return `count` values, texts as a list. Raises `Unfit`: no size that a sender declares is believed."""
    if datatype == "BYTES":
        return _read_texts(raw, count)
    dtype = np.dtype(DTYPES[datatype]).newbyteorder("<")
    if len(raw) != count * dtype.itemsize:
        wanted = f"{counted(count, 'value')} of {datatype} take {count * dtype.itemsize:,}"
        raise Unfit(f"has {counted(len(raw), 'byte')}, but {wanted}")
    if datatype == "BOOL" and raw.strip(b"\0\1"):
        _refuse_other_booleans(raw)
    # A copy in this machine's order.
    return np.frombuffer(raw, dtype).astype(dtype.newbyteorder("="))


def _refuse_other_booleans(raw: bytes) -> None:
    for index, value in enumerate(raw):
        if value > 1:
            raise Unfit("must be a byte of 0 or 1", index=index)


def _read_texts(raw: bytes, count: int) -> list[str]:
    texts, at = [], 0
    if count * _LENGTH.size > len(raw):
        raise Unfit(f"has {counted(len(raw), 'byte')}, too few for the lengths of {counted(count, 'text')}")
    for index in range(count):
        begin = at + _LENGTH.size
        (size,) = _LENGTH.unpack_from(raw, at) if begin <= len(raw) else (len(raw),)
        at = begin + size
        if at > len(raw):
            raise Unfit("goes beyond the tensor's end", index=index)
        try:
            texts.append(raw[begin:at].decode())
        except UnicodeDecodeError:
            raise Unfit("must be UTF-8", index=index) from None
    if at != len(raw):
        raise Unfit(f"has {counted(len(raw) - at, 'byte')} behind its last text")
    return texts


def write(values: list[Any] | Array, datatype: str) -> bytes:
    """Return values of `datatype` as bytes; what is missing among floats is NaN."""
    if datatype == "BYTES":
        texts = [str(value).encode("utf-8", "replace") for value in values]
        return b"".join(_LENGTH.pack(len(text)) + text for text in texts)
    dtype = np.dtype(DTYPES[datatype]).newbyteorder("<")
    if isinstance(values, list) and dtype.kind == "f":
        values = np.array([np.nan if value is None else value for value in values])
    return np.ascontiguousarray(values, dtype).tobytes()
