"""Recognizes Python code of a user's own by its text. Nothing is parsed: it may be hostile."""

import re
from collections.abc import Collection, Iterable

from modelport_formats.errors import UnknownFormat

ENTRY = "model.py"
"""The module of a zip that is imported."""
MAX_MODULE_BYTES = 1 << 20
_STRAYS = ("__pycache__", "__MACOSX", ".DS_Store")
_CODE = re.compile(rb"^(?:class|def|async def|import|from) \w", re.MULTILINE)
_MODEL = re.compile(rb"^class Model\b", re.MULTILINE)
_STEP = re.compile(rb"^(?:async )?def (?:preprocess|postprocess)\b", re.MULTILINE)


def is_text(content: bytes) -> bool:
    """Return whether it is text in UTF-8, of the size of a module."""
    if len(content) > MAX_MODULE_BYTES or b"\0" in content:
        return False
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def looks_like_code(content: bytes) -> bool:
    """Return whether it is text with a line at its margin that only Python has."""
    return is_text(content) and _CODE.search(content) is not None


def defines_model(content: bytes) -> bool:
    """Return whether a module defines `class Model`, as far as its text shows."""
    return _MODEL.search(content) is not None


def require_model(content: bytes, name: str = "The file") -> None:
    """Raise UnknownFormat for a module that cannot serve without a model file beside it."""
    if defines_model(content):
        return
    if _STEP.search(content):
        raise UnknownFormat(
            f"{name} is Python code with preprocess or postprocess, which stand around a model file: "
            "upload the model file, and the code as its part `code` (--code)."
        )
    raise UnknownFormat(
        f"{name} is Python code that defines no class Model. Write `class Model` with a method "
        "`predict(self, rows)`, or upload a model file and the code as its part `code` (--code)."
    )


def is_stray(name: str) -> bool:
    """Return whether a member is what tools leave behind, which is left out."""
    return any(part in _STRAYS for part in name.split("/"))


def root_of(names: Iterable[str]) -> str | None:
    """Return the folder in an archive, as `name/` or "", that has a `model.py`; None: there is none."""
    files = {name for name in names if not name.endswith("/") and not is_stray(name)}
    if ENTRY in files:
        return ""
    top = _only_folder(files)
    return top if top is not None and f"{top}{ENTRY}" in files else None


def _only_folder(files: Collection[str]) -> str | None:
    """Return the folder, as `name/`, that all files are in; None: there is none."""
    tops = {name.partition("/")[0] for name in files}
    if len(tops) != 1 or not all("/" in name for name in files):
        return None
    return f"{tops.pop()}/"
