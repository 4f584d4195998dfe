"""A skops file is a zip of arrays and one JSON document, `schema.json`, which names every type."""

import re
import zipfile
from pathlib import Path

from modelport_runtime.inspection.decompress import windows
from modelport_runtime.inspection.native import find_xgboost

_MAX_SCHEMA = 32 * 1024 * 1024
_VERSION = re.compile(rb'"_sklearn_version"\s*:\s*\{[^{}]*?"content"\s*:\s*"\\"([\w.+-]{1,40})\\""')
_MODULE = re.compile(rb'"__class__"\s*:\s*"([\w.]{1,200})"\s*,\s*"__module__"\s*:\s*"([\w.]{1,200})"')


def scan(path: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Give versions and references; nothing of a zip file that is no skops file."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open("schema.json") as file:
            schema = file.read(_MAX_SCHEMA)
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, EOFError):
        return {}, {}
    version = _VERSION.search(schema)
    versions = {"scikit-learn": version[1].decode()} if version else {}
    references = {module.decode(): name.decode() for name, module in _MODULE.findall(schema)}
    if any(module.partition(".")[0] == "xgboost" for module in references):
        versions |= _xgboost_version(path)
    return versions, references


def _xgboost_version(path: Path) -> dict[str, str]:
    """Boosters are members of their own."""
    return next((version for window in windows(path) if (version := find_xgboost(window))), {})
