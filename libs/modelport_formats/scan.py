"""Versions and modules that a file names, by format: read from pickles and skops files, without
unpickling.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from modelport_formats import archives, native, pickles
from modelport_formats.errors import FormatError
from modelport_formats.frameworks import keras, statsmodels, torch_files
from modelport_formats.identify import format_of
from modelport_formats.native import find_xgboost
from modelport_formats.signatures import XGBOOST_BINARY, Format
from modelport_formats.windows import head, windows

# MEMOIZE, BINPUT, LONG_BINPUT or PUT stands between a string and what follows it; a frame may begin there.
_MEMO = rb"(?:\x94|q.|r.{4}|\np\d{1,9}\n)?"
_FRAME = rb"(?:\x95.{8})?"
_STRING = rb"(?:\x8c.|X.\0\0\0|V)"
_SKLEARN_VERSION = re.compile(
    rb"_sklearn_version" + _MEMO + _FRAME + _STRING + rb"(\d[\w.+-]{2,39}?)(?=\x94|q|r|u|s|\n|\x95)",
    re.DOTALL,
)
_STACK_GLOBAL = re.compile(
    rb"\x8c(.)([A-Za-z_][\w.]{0,199})" + _MEMO + rb"\x8c(.)([A-Za-z_][\w.]{0,199})" + _MEMO + rb"\x93",
    re.DOTALL,
)


Versions = dict[str, str]
References = dict[tuple[str, str], None]
"""Each `(module, name)` once, in the order in which the file names them."""


def scan_pickle(path: Path) -> tuple[Versions, References]:
    """Return versions and references, of as much as can be read in a bounded time."""
    versions: Versions = {}
    references: References = {}
    boosted = False
    marks = statsmodels.Marks()
    for number, window in enumerate(windows(path)):
        if number == 0:
            references |= _globals(window)
        references |= _stack_globals(window)
        if "scikit-learn" not in versions and (match := _SKLEARN_VERSION.search(window)):
            versions["scikit-learn"] = match[1].decode()
        # A booster's version stands at its end, which may be far from where it begins.
        boosted = boosted or b"xgboost" in window
        if boosted and "xgboost" not in versions:
            versions |= find_xgboost(window)
        marks.see(window)
    if release := marks.release(module for module, _ in references):
        versions["statsmodels"] = release
    return versions, references


def _stack_globals(window: bytes) -> References:
    """A string's length must be right: chance finds in the bytes of an array are not named."""
    return {
        (module.decode(), name.decode()): None
        for module_length, module, name_length, name in _STACK_GLOBAL.findall(window)
        if module_length[0] == len(module) and name_length[0] == len(name)
    }


def _globals(opening: bytes) -> References:
    """Return what any protocol names, up to the first array or the end of the opening."""
    found: References = {}
    try:
        for reference in pickles.references(opening):
            found[reference] = None
    except (ValueError, pickles.NotAPickle):
        return found
    return found


_MAX_SCHEMA = 32 * 1024 * 1024
_VERSION = re.compile(rb'"_sklearn_version"\s*:\s*\{[^{}]*?"content"\s*:\s*"\\"([\w.+-]{1,40})\\""')
_MODULE = re.compile(rb'"__class__"\s*:\s*"([\w.]{1,200})"\s*,\s*"__module__"\s*:\s*"([\w.]{1,200})"')


def scan_skops(path: Path) -> tuple[Versions, References]:
    """Return versions and references; nothing of a zip file that is no skops file."""
    try:
        with path.open("rb") as file:
            schema = archives.schema(file, _MAX_SCHEMA)
    except FormatError:
        return {}, {}
    version = _VERSION.search(schema)
    versions = {"scikit-learn": version[1].decode()} if version else {}
    references = dict.fromkeys((module.decode(), name.decode()) for name, module in _MODULE.findall(schema))
    if any(module.partition(".")[0] == "xgboost" for module, _ in references):
        versions |= _xgboost_version(path)
    return versions, references


def _xgboost_version(path: Path) -> dict[str, str]:
    """Boosters are members of their own."""
    return next((version for window in windows(path) if (version := find_xgboost(window))), {})


@dataclass(frozen=True)
class Scan:
    """`versions`: library → version. `references`: what the file names of modules."""

    versions: Versions = field(default_factory=dict)
    references: References = field(default_factory=dict)


_VERSION_OF: dict[Format, Callable[[Path], Versions]] = {
    Format.XGBOOST: native.xgboost_version,
    Format.LIGHTGBM: native.lightgbm_format,
    Format.ONNX: native.onnx_producer,
    Format.CATBOOST: native.catboost_version,
    Format.TORCH: torch_files.version,
    Format.KERAS: keras.version,
    Format.KERAS_HDF5: keras.version,
    # Its own numbers are those of its format.
    Format.JAX: lambda _: {},
    # What TensorFlow wrote it stands in the graph alone.
    Format.SAVED_MODEL: lambda _: {},
    Format.OWN_CODE: lambda _: {},
    # Each member has its own.
    Format.ENSEMBLE: lambda _: {},
}


def scan(path: Path) -> Scan:
    """Look into the file, for at most seconds. One that cannot be understood yields nothing."""
    start = head(path)
    if start.startswith(XGBOOST_BINARY):
        return Scan(native.xgboost_binary_version(path))
    match format_of(path):
        case Format.SKOPS:
            return Scan(*scan_skops(path))
        case Format.PICKLE:
            return Scan(*scan_pickle(path))
        case other:
            return Scan(_VERSION_OF[other](path))
