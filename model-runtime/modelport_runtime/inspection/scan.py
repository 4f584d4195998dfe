"""Versions and modules that a file names, by format."""

from dataclasses import dataclass, field
from pathlib import Path

from modelport_runtime.inspection import formats, native, pickles, skops


@dataclass(frozen=True)
class Scan:
    """`versions`: library → version. `references`: module → one of the names that the file takes from it."""

    versions: dict[str, str] = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)


def scan(path: Path) -> Scan:
    """Look into the file, for at most seconds. One that cannot be understood tells nothing."""
    start = formats.head(path)
    if start.startswith(formats.ZIP):
        return Scan(*skops.scan(path))
    if start.startswith(formats.JSON_OR_UBJSON):
        return Scan(native.xgboost_version(path))
    if start.startswith(formats.XGBOOST_BINARY):
        return Scan(native.xgboost_binary_version(path))
    if start.startswith(formats.LIGHTGBM_TEXT):
        return Scan(native.lightgbm_format(path))
    if start.startswith(formats.ONNX_IR_VERSION):
        return Scan(native.onnx_producer(path))
    return Scan(*pickles.scan(path))
