"""What the frameworks' own formats hold of what wrote them."""

import json
import re
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from modelport_formats.frameworks import onnx

_EDGE = 64 * 1024
_XGBOOST_JSON = re.compile(rb'"version"\s*:\s*\[\s*(\d{1,4})\s*,\s*(\d{1,4})\s*,\s*(\d{1,4})\s*\]')
# UBJSON: the key, an array of three, each a marker of its width and the number (one byte is enough for all).
_BYTE = rb"(\\u00[0-9a-f]{2}|.)"
_XGBOOST_UBJSON = re.compile(
    rb"version\[#L(?:\\u00[0-9a-f]{2}|.){8}[iU]" + rb"[iU]".join([_BYTE] * 3), re.DOTALL
)
# `binf`, the start, numbers of columns and classes, two flags; then the version.
_BINARY_HEAD = struct.Struct("<4x20xII")
_MAX_MAJOR = 100
_CATBOOST = re.compile(rb"Summary: CatBoost release (\d{1,4}(?:\.\d{1,4}){1,2})\b")
_LIGHTGBM = re.compile(rb"^version=(v\d+)\s*$", re.MULTILINE)


def xgboost_version(path: Path) -> dict[str, str]:
    """Return what XGBoost writes at the end (JSON) or anywhere (UBJSON) of a model."""
    return find_xgboost(_edges(path))


def find_xgboost(text: bytes) -> dict[str, str]:
    """Return the version of XGBoost that wrote the text; empty if it is not in it."""
    if match := _XGBOOST_JSON.search(text):
        return {"xgboost": ".".join(part.decode() for part in match.groups())}
    if match := _XGBOOST_UBJSON.search(text):
        return {"xgboost": ".".join(str(_number(part)) for part in match.groups())}
    return {}


def _number(byte: bytes) -> int:
    """Protocol 0 of pickle spells some bytes."""
    return byte[0] if len(byte) == 1 else int(byte[4:], 16)


_JSON_LIST = rb'"feature_%s"\s*:\s*(\[[^\]]*\])'
_UBJSON_LIST = rb"feature_%s\[#L(.{8})"
_CATEGORICAL = "c"


def find_xgboost_categories(text: bytes) -> list[str]:
    """Return the names of the columns that a model takes categories in, in JSON or UBJSON."""
    names, kinds = (_xgboost_list(text, key) for key in (b"names", b"types"))
    return [name for name, kind in zip(names, kinds, strict=False) if kind == _CATEGORICAL]


def _xgboost_list(text: bytes, key: bytes) -> list[str]:
    if match := re.search(_JSON_LIST % key, text):
        with suppress(ValueError):
            return [str(each) for each in json.loads(match[1])]
    match = re.search(_UBJSON_LIST % key, text, re.DOTALL)
    return [] if match is None else list(_ubjson_strings(text, match.end(), _size(match[1])))


def _ubjson_strings(text: bytes, at: int, count: int) -> Iterator[str]:
    """Yield as many as are there: each is `SL`, its length in eight bytes, and so much text."""
    for _ in range(count):
        start = at + 10
        if text[at : at + 2] != b"SL" or start > len(text):
            return
        at = start + _size(text[at + 2 : start])
        yield text[start:at].decode(errors="replace")


def _size(number: bytes) -> int:
    return int.from_bytes(number, "big")


def xgboost_binary_version(start: bytes) -> dict[str, str]:
    """Return the version in the start of a file of the binary format, which knows no patches."""
    if len(start) < _BINARY_HEAD.size:
        return {}
    major, minor = _BINARY_HEAD.unpack_from(start)
    return {"xgboost": f"{major}.{minor}"} if major < _MAX_MAJOR else {}


def lightgbm_format(path: Path) -> dict[str, str]:
    """Return the version of the format: a LightGBM file does not name the library's."""
    match = _LIGHTGBM.search(_edges(path))
    return {"lightgbm-format": match[1].decode()} if match else {}


def catboost_version(path: Path) -> dict[str, str]:
    """Return the release that wrote a model, which it names among the parameters of its training."""
    match = _CATBOOST.search(_edges(path))
    return {"catboost": match[1].decode()} if match else {}


def onnx_producer(path: Path) -> dict[str, str]:
    """Return what converted the model."""
    with path.open("rb") as file:
        name, version = onnx.producer(file, path.stat().st_size)
    # CatBoost writes all of its build here, in lines.
    if match := _CATBOOST.search(version.encode()):
        version = match[1].decode()
    return {name: version} if name and version else {}


def _edges(path: Path) -> bytes:
    with path.open("rb") as file:
        start = file.read(_EDGE)
        size = path.stat().st_size
        file.seek(max(_EDGE, size - _EDGE))
        return start + file.read(_EDGE)
