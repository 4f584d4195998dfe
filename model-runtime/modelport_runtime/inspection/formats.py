"""Told by its first bytes, as the backends tell it: which files can run code when they are read."""

from pathlib import Path

ZIP = b"PK\x03\x04"
JSON_OR_UBJSON = b"{"
XGBOOST_BINARY = b"binf"
LIGHTGBM_TEXT = b"tree"
ONNX_IR_VERSION = b"\x08"
"""Field 1 of an ONNX ModelProto, a varint; no pickle or compression starts with it."""

_WITHOUT_CODE = (ZIP, JSON_OR_UBJSON, LIGHTGBM_TEXT, ONNX_IR_VERSION)


def head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(16)


def can_run_code(path: Path) -> bool:
    """Say whether reading the file may run what it holds. Anything unknown may.

    A zip file is skops, which builds only types that skops trusts.
    """
    return not head(path).startswith(_WITHOUT_CODE)
