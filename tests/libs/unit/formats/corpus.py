"""Small model files in every way that their libraries read: what upload and runtime must agree on."""

import bz2
import gzip
import io
import json
import lzma
import pickle
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from typing import Any

import joblib
import lz4.frame
import numpy as np
import skops.io
from skl2onnx import to_onnx

from tests.support import models

COMPRESSIONS = {
    "plain": 0,
    "zlib, fast": ("zlib", 1),
    "zlib": ("zlib", 3),
    "zlib, small": ("zlib", 9),
    "gzip": ("gzip", 3),
    "bzip2": ("bz2", 3),
    "lzma": ("lzma", 1),
    "xz": ("xz", 1),
    "lz4": ("lz4", 1),
}


def dumped(model: Any, compress: Any) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(model, buffer, compress=compress)
    return buffer.getvalue()


def in_parts(model: Any, compress: Callable[[bytes], bytes]) -> bytes:
    """Several streams, as parallel compressors write them; the first ends before any class is named."""
    content = pickle.dumps(model)
    return b"".join(compress(content[start:end]) for start, end in pairwise([0, 15, 400, len(content)]))


def lzma_with(dictionary: int) -> Callable[[bytes], bytes]:
    filters = [{"id": lzma.FILTER_LZMA1, "dict_size": dictionary}]
    return lambda content: lzma.compress(content, format=lzma.FORMAT_ALONE, filters=filters)


WRAPPED: dict[str, Callable[[Any], bytes]] = {
    **{f"joblib, {name}": lambda model, how=how: dumped(model, how) for name, how in COMPRESSIONS.items()},
    **{f"pickle {number}": lambda model, number=number: pickle.dumps(model, number) for number in range(6)},
    "pickle, more after it": lambda model: pickle.dumps(model) + b"\nmore",
    "zlib, stored": lambda model: zlib.compress(pickle.dumps(model), 0),
    "zlib, no checksum": lambda model: zlib.compress(pickle.dumps(model))[:-4],
    "gzip, no trailer": lambda model: gzip.compress(pickle.dumps(model))[:-8],
    "bzip2 in parts": lambda model: in_parts(model, bz2.compress),
    "bzip2, more after it": lambda model: bz2.compress(pickle.dumps(model)) + b"xx",
    "xz in parts": lambda model: in_parts(model, lzma.compress),
    "xz, more after it": lambda model: lzma.compress(pickle.dumps(model)) + b"xx",
    "lz4 in parts": lambda model: in_parts(model, lz4.frame.compress),
    "lzma, small dictionary": lambda model: lzma_with(4096)(pickle.dumps(model)),
    "lzma, odd dictionary": lambda model: lzma_with(12288)(pickle.dumps(model)),
    "skops": skops.io.dumps,
    "skops, deflated": lambda model: skops.io.dumps(model, compression=zipfile.ZIP_DEFLATED),
    "skops, bzip2": lambda model: skops.io.dumps(model, compression=zipfile.ZIP_BZIP2),
    "skops, lzma": lambda model: skops.io.dumps(model, compression=zipfile.ZIP_LZMA),
}
TRAINED: dict[str, Callable[[], models.Trained]] = {
    "sklearn": cache(models.iris_logistic),
    "xgboost": cache(models.iris_xgboost),
    "lightgbm": cache(models.iris_lightgbm),
}


def xgboost_raw(kind: str = "json") -> bytes:
    return bytes(TRAINED["xgboost"]().model.get_booster().save_raw(kind))


def xgboost_json(**options: Any) -> bytes:
    return json.dumps(json.loads(xgboost_raw()), **options).encode()


def version_first() -> bytes:
    document = json.loads(xgboost_raw())
    return json.dumps({"version": document["version"], "learner": document["learner"]}).encode()


def without_version() -> bytes:
    return json.dumps({"learner": json.loads(xgboost_raw())["learner"]}).encode()


def lightgbm_text() -> str:
    text: str = TRAINED["lightgbm"]().model.booster_.model_to_string()
    return text


@cache
def onnx_model() -> bytes:
    trained = TRAINED["sklearn"]()
    model: bytes = to_onnx(trained.model, trained.data[:1].astype(np.float32)).SerializeToString()
    return model


def fields_of(message: bytes) -> Iterator[tuple[int, bytes]]:
    """The number of each field of a protobuf message, which are varints or bytes, and the whole field."""
    at = 0
    while at < len(message):
        start = at
        tag, at = varint(message, at)
        value, at = varint(message, at)
        at += value if tag & 7 == 2 else 0
        yield tag >> 3, message[start:at]


def varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (message[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if message[at - 1] < 0x80:
            return value, at


def onnx_led_by(number: int) -> bytes:
    fields = sorted(fields_of(onnx_model()), key=lambda field: field[0] != number)
    return b"".join(content for _, content in fields)


NATIVE: dict[str, tuple[str, Callable[[], bytes]]] = {
    "xgboost json": ("xgboost", xgboost_raw),
    "xgboost json, spaced": ("xgboost", xgboost_json),
    "xgboost json, indented": ("xgboost", lambda: xgboost_json(indent=2)),
    "xgboost json, a line after it": ("xgboost", lambda: xgboost_raw() + b"\n"),
    "xgboost json, version first": ("xgboost", version_first),
    "xgboost json, no version": ("xgboost", without_version),
    "xgboost ubj": ("xgboost", lambda: xgboost_raw("ubj")),
    "lightgbm": ("lightgbm", lambda: lightgbm_text().encode()),
    "lightgbm, CRLF": ("lightgbm", lambda: lightgbm_text().replace("\n", "\r\n").encode()),
    "lightgbm, no version": ("lightgbm", lambda: lightgbm_text().replace("version=v4\n", "").encode()),
    "onnx": ("onnx", onnx_model),
    **{f"onnx, field {number} first": ("onnx", lambda n=number: onnx_led_by(n)) for number in (2, 5, 7, 8)},
    # Field 99 (bytes) and 50 (a varint): a reader skips what it does not know.
    "onnx, fields of a later version": ("onnx", lambda: onnx_model() + b"\x9a\x06\x03abc\x90\x03\x05"),
}
