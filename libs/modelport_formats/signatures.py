"""The table of first bytes: which compression, which format, and what else people upload."""

import re
from enum import StrEnum


class Compression(StrEnum):
    """Joblib's compressions."""

    ZLIB = "zlib"
    GZIP = "gzip"
    BZIP2 = "bzip2"
    XZ = "xz"
    LZMA = "lzma"
    LZ4 = "lz4"


class Format(StrEnum):
    PICKLE = "pickle"
    """Plain or compressed, and with joblib's arrays between its opcodes."""
    SKOPS = "skops"
    XGBOOST = "xgboost"
    """JSON or UBJSON."""
    XGBOOST_BINARY = "xgboost-binary"
    LIGHTGBM = "lightgbm"
    ONNX = "onnx"
    CATBOOST = "catboost"
    TORCH = "torch"
    """Zip archives of PyTorch: an exported program or TorchScript. By their first bytes they are skops'."""
    KERAS = "keras"
    """Keras 3's own archive."""
    KERAS_HDF5 = "keras-hdf5"
    SAVED_MODEL = "saved-model"
    """TensorFlow's folder, in a zip, tar or tar.gz."""
    JAX = "jax.export"
    """It has no first bytes of its own: `jax_files` tells it."""
    TRANSFORMERS = "transformers"
    """A folder of Transformers, in the zip that the control API makes of it."""
    AUTOGLUON = "autogluon"
    """A folder of AutoGluon, in the zip that the control API makes of it."""
    OWN_CODE = "own-code"
    """Python code of a user's own: a module, a zip with `model.py`, or the archive that is made of them."""
    ENSEMBLE = "ensemble"
    """Versions joined to be one: the archive that is made of their files."""


# What the libraries read. The prefixes that joblib goes by are wider: a text that begins with "x" or "BZ" is
# compressed, to it. Of zlib it reads the largest window alone.
_COMPRESSIONS = {
    Compression.ZLIB: rb"\x78[\x01\x5e\x9c\xda]",
    Compression.GZIP: rb"\x1f\x8b",
    Compression.BZIP2: rb"BZh[1-9]",
    Compression.XZ: rb"\xfd7zXZ\x00",
    Compression.LZMA: rb"\x5d\x00",
    Compression.LZ4: rb"\x04\x22\x4d\x18",
}

ZIP = b"PK\x03\x04"
XGBOOST_OBJECT = b"{"
"""What XGBoost takes for JSON or UBJSON: not even a blank may stand before it."""
XGBOOST_BINARY = b"binf"
"""Of XGBoost up to 3.0, and not read since."""
LIGHTGBM_TEXT = b"tree"
CATBOOST_MODEL = b"CBM1"
HDF5 = b"\x89HDF\r\n\x1a\n"
# Tags of the fields that may come first: nearly always the IR version, number 1. Those that are opcodes of a
# pickle are left out.
_ONNX_FIELDS = (b"\x08", b"\x12", b"\x1a", b'"', b":")

# What no pickle begins with: reading it as one fails at once.
_BEGINNINGS = {
    ZIP: Format.SKOPS,
    XGBOOST_OBJECT: Format.XGBOOST,
    XGBOOST_BINARY: Format.XGBOOST_BINARY,
    LIGHTGBM_TEXT: Format.LIGHTGBM,
    CATBOOST_MODEL: Format.CATBOOST,
    HDF5: Format.KERAS_HDF5,
    **dict.fromkeys(_ONNX_FIELDS, Format.ONNX),
}

WITHOUT_CODE = frozenset({Format.SKOPS, Format.XGBOOST, Format.LIGHTGBM, Format.ONNX})
"""Reading these runs nothing that they hold: skops, too, builds only types that it trusts. CatBoost's files
hold no code either, but it reads their tables of categories unchecked: one wrong byte there is a SIGSEGV.
XGBoost's binary format is an image of its memory."""

# Other members, such as the version, may come before the learner, as long as they are no objects.
_XGBOOST_JSON = rb'\{\s*"(?:[^{}]{0,1000},\s*")?learner"\s*:\s*\{'
_XGBOOST_UBJSON = rb"\{(?:i.|U.|I..|l....|L........)(?:learner\{|version\[)"
_MODEL_HEADS = {
    Format.XGBOOST: re.compile(rb"%s|%s" % (_XGBOOST_JSON, _XGBOOST_UBJSON), re.DOTALL),
    Format.LIGHTGBM: re.compile(rb"tree\r?\n\w+="),
}

# Its keys are sorted.
_CATBOOST_JSON = re.compile(rb'\{\s*"(?:ctr_data|features_info|model_info|oblivious_trees)"\s*:')
_OTHERS = {
    b"\x89HDF": "a damaged HDF5 file",
    b"\x93NUMPY": "a NumPy array",
    b"bs64": "an XGBoost model in the old binary format; save it as .json or .ubj",
    b"version https://git-lfs": "a pointer of Git LFS and not the file itself: run git lfs pull in the clone",
    b"%PDF": "a PDF document",
    b"PAR1": "a Parquet file",
    b"\x7fELF": "a program",
}


def compression_of(head: bytes) -> Compression | None:
    """Return the compression that the first bytes stand for; None: none of those known."""
    return next((name for name, pattern in _COMPRESSIONS.items() if re.match(pattern, head)), None)


def begins_as(head: bytes) -> Format:
    """Return the format that a runtime reads the file in; a pickle, which can run code, if it is no other."""
    return next((name for magic, name in _BEGINNINGS.items() if head.startswith(magic)), Format.PICKLE)


def begins_as_model(head: bytes, format_: Format) -> bool:
    """Return whether the head is that of a model in the XGBoost or LightGBM format."""
    return _MODEL_HEADS[format_].match(head) is not None


def describe_unknown(head: bytes) -> str:
    """Return a sentence for users about a file that is of no known format."""
    known = next((name for magic, name in _OTHERS.items() if head.startswith(magic)), None)
    if _CATBOOST_JSON.match(head):
        known = 'a CatBoost model in JSON; save it as .cbm: model.save_model("model.cbm")'
    return (
        f"The file is {known or 'no model file that Modelport knows'}. "
        "Upload a joblib, pickle, skops, ONNX, XGBoost (.json, .ubj), LightGBM (.txt), CatBoost (.cbm), "
        "PyTorch (.pt2, .pt), JAX (.jaxexport) or Keras (.keras, .h5) file, a zip or tar.gz of a SavedModel "
        "or of a folder of MLflow, MLServer, AutoGluon or Hugging Face, or code of your own (.py, or a zip "
        "with model.py)."
    )
