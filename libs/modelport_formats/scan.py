"""Versions and modules that a file names, by format: read from pickles and skops files, without
unpickling.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from modelport_formats import archives, native, pickles
from modelport_formats.errors import FormatError
from modelport_formats.frameworks import keras, statsmodels, torch_files, xgboost_files
from modelport_formats.identify import format_of
from modelport_formats.native import find_xgboost
from modelport_formats.signatures import Format
from modelport_formats.windows import windows

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


@dataclass(frozen=True)
class Scan:
    """`versions`: library → version. `references`: what the file names of modules. `traits`: what it
    holds that not every version of its library reads, each as `frameworks` names it."""

    versions: Versions = field(default_factory=dict)
    references: References = field(default_factory=dict)
    traits: frozenset[str] = frozenset()


def scan_pickle(path: Path) -> Scan:
    """Return what is found in as much as can be read in a bounded time."""
    versions: Versions = {}
    references: References = {}
    boosted, traits = False, frozenset[str]()
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
        if boosted and not traits:
            traits = _traits([window])
        marks.see(window)
    if release := marks.release(module for module, _ in references):
        versions["statsmodels"] = release
    return Scan(versions, references, traits)


def _traits(pieces: Iterable[bytes]) -> frozenset[str]:
    found = xgboost_files.has_vector_leaves(pieces)
    return frozenset({xgboost_files.VECTOR_LEAVES} if found else ())


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


_BINARY_START = 64
_MAX_SCHEMA = 32 * 1024 * 1024
_VERSION = re.compile(rb'"_sklearn_version"\s*:\s*\{[^{}]*?"content"\s*:\s*"\\"([\w.+-]{1,40})\\""')
_MODULE = re.compile(rb'"__class__"\s*:\s*"([\w.]{1,200})"\s*,\s*"__module__"\s*:\s*"([\w.]{1,200})"')


def scan_skops(path: Path) -> Scan:
    """Return what is found; nothing of a zip file that is no skops file."""
    try:
        with path.open("rb") as file:
            schema = archives.schema(file, _MAX_SCHEMA)
    except FormatError:
        return Scan()
    version = _VERSION.search(schema)
    versions = {"scikit-learn": version[1].decode()} if version else {}
    references = dict.fromkeys((module.decode(), name.decode()) for name, module in _MODULE.findall(schema))
    if not any(module.partition(".")[0] == "xgboost" for module, _ in references):
        return Scan(versions, references)
    return Scan(versions | _xgboost_version(path), references, _traits(windows(path)))


def _xgboost_version(path: Path) -> dict[str, str]:
    """Boosters are members of their own."""
    return next((version for window in windows(path) if (version := find_xgboost(window))), {})


_VERSION_OF: dict[Format, Callable[[Path], Versions]] = {
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
    # One release reads those of all before it.
    Format.TRANSFORMERS: lambda _: {},
    Format.AUTOGLUON: lambda _: {},
    Format.OWN_CODE: lambda _: {},
    # Each member has its own.
    Format.ENSEMBLE: lambda _: {},
}


def _binary_version(path: Path) -> Versions:
    with path.open("rb") as file:
        return native.xgboost_binary_version(file.read(_BINARY_START))


def scan(path: Path) -> Scan:
    """Look into the file, for at most seconds. One that cannot be understood yields nothing."""
    match format_of(path):
        case Format.SKOPS:
            return scan_skops(path)
        case Format.PICKLE:
            return scan_pickle(path)
        case Format.XGBOOST:
            return Scan(native.xgboost_version(path), traits=_traits(windows(path)))
        case Format.XGBOOST_BINARY:
            return Scan(_binary_version(path), traits=frozenset({xgboost_files.BINARY}))
        case other:
            return Scan(_VERSION_OF[other](path))
