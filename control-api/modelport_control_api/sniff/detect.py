"""Which framework a model file belongs to."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, get_args

from modelport_crds.mlmodel import Framework

from modelport_control_api.sniff import pickles
from modelport_control_api.sniff.decompress import decompressed_head
from modelport_control_api.sniff.errors import CorruptArtifact, FrameworkMismatch, UnsupportedFormat
from modelport_control_api.sniff.onnx import is_onnx
from modelport_control_api.sniff.skops import skops_module

_HEAD_BYTES = 2 << 20
FRAMEWORKS: tuple[str, ...] = get_args(Framework)
_ALIASES = {"scikit-learn": "sklearn", "scikit_learn": "sklearn", "lgbm": "lightgbm", "xgb": "xgboost"}
# The module of the first class that a pickle names; any other is read as scikit-learn's.
_OF_MODULES: dict[str, Framework] = {"xgboost": "xgboost", "lightgbm": "lightgbm"}

_XGBOOST_JSON = re.compile(rb'\s*\{\s*"learner"\s*:\s*\{')
_XGBOOST_UBJ = re.compile(rb"\{(i.|U.|I..|l....|L........)learner\{", re.DOTALL)
_LIGHTGBM_TEXT = re.compile(rb"tree\r?\nversion=")

_KNOWN_OTHERS = {
    b"\x89HDF": "an HDF5 file (Keras, TensorFlow)",
    b"\x93NUMPY": "a NumPy array",
    b"CBM1": "a CatBoost model",
    b"binf": "an XGBoost model in the old binary format; save it as .json or .ubj",
    b"bs64": "an XGBoost model in the old binary format; save it as .json or .ubj",
    b"%PDF": "a PDF document",
    b"PAR1": "a Parquet file",
    b"\x7fELF": "a program",
}


@dataclass(frozen=True, slots=True)
class Detected:
    """`form`: pickle, skops or native. The first two can hold a framework's scikit-learn wrapper."""

    framework: Framework
    form: str


def detect_framework(path: Path, declared: str | None = None) -> Framework:
    """Tell the framework of the file at `path`, and that `declared` does not contradict it. Blocking.

    Raises UnsupportedFormat, CorruptArtifact or FrameworkMismatch; ValueError for an unknown `declared`.
    """
    wanted = normalize_framework(declared) if declared is not None else None
    with path.open("rb") as file:
        detected = _detect(file, path.stat().st_size)
    if wanted is None or wanted == detected.framework or (wanted == "sklearn" and detected.form != "native"):
        return detected.framework
    raise FrameworkMismatch(
        f"model_type is {wanted}, but the file holds a {detected.framework} model. "
        f"Leave model_type out, or give {detected.framework}."
    )


def normalize_framework(declared: str) -> str:
    """Read a model_type as users write it. Raises ValueError naming those known."""
    name = declared.strip().lower()
    name = _ALIASES.get(name, name)
    if name not in FRAMEWORKS:
        raise ValueError(
            f"{declared!r} is not a model_type: give one of {', '.join(FRAMEWORKS)}, or leave it out"
        )
    return name


def _detect(file: BinaryIO, size: int) -> Detected:
    if size == 0:
        raise CorruptArtifact("The file is empty.")
    compressed = decompressed_head(file, _HEAD_BYTES)
    if compressed is not None:
        name, head = compressed
        return _detect_compressed(name, head)
    head = file.read(_HEAD_BYTES)
    if head.startswith(b"PK\x03\x04"):
        return Detected(_framework_of(skops_module(file, size)), "skops")
    return _detect_native(head, file, size) or _detect_pickle(head, file, size)


def _detect_compressed(compression: str, head: bytes) -> Detected:
    try:
        found = pickles.first_class(head, whole=len(head) < _HEAD_BYTES)
    except pickles.NotAPickle:
        raise UnsupportedFormat(
            f"The file is compressed with {compression}, but what it holds is no pickle."
        ) from None
    except pickles.PickleCutShort:
        raise CorruptArtifact(f"The file is a pickle compressed with {compression}, and cut short.") from None
    return Detected(_framework_of(found), "pickle")


def _detect_native(head: bytes, file: BinaryIO, size: int) -> Detected | None:
    if _XGBOOST_JSON.match(head) or _XGBOOST_UBJ.match(head):
        # XGBoost writes its keys in order: the version comes last.
        if b"version" not in _tail(file):
            raise CorruptArtifact("The file begins as an XGBoost model and is cut short.")
        return Detected("xgboost", "native")
    if _LIGHTGBM_TEXT.match(head):
        return Detected("lightgbm", "native")
    file.seek(0)
    return Detected("onnx", "native") if is_onnx(file, size) else None


def _detect_pickle(head: bytes, file: BinaryIO, size: int) -> Detected:
    try:
        found = pickles.first_class(head, whole=size <= len(head))
    except pickles.NotAPickle:
        raise UnsupportedFormat(_describe_unknown(head)) from None
    except pickles.PickleCutShort:
        raise CorruptArtifact("The file begins as a pickle and is cut short.") from None
    # A pickle ends with STOP, whatever arrays joblib wrote in between: the cheapest sign of a cut.
    if not _tail(file).endswith(b"."):
        if pickles.looks_binary_pickle(head):
            raise CorruptArtifact("The file begins as a pickle and is cut short.")
        raise UnsupportedFormat(_describe_unknown(head))
    return Detected(_framework_of(found), "pickle")


def _framework_of(dotted: str | None) -> Framework:
    return _OF_MODULES.get((dotted or "").partition(".")[0], "sklearn")


def _tail(file: BinaryIO) -> bytes:
    file.seek(0, os.SEEK_END)
    file.seek(max(0, file.tell() - 64))
    return file.read()


def _describe_unknown(head: bytes) -> str:
    known = next((name for magic, name in _KNOWN_OTHERS.items() if head.startswith(magic)), None)
    accepted = "Upload a joblib, pickle, skops, ONNX, XGBoost (.json, .ubj) or LightGBM (.txt) file."
    return (
        f"The file is {known}. {accepted}"
        if known
        else f"The file is no model file that Modelport knows. {accepted}"
    )
