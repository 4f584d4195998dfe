"""Recognized by its first bytes, as the backends do: which files run code when read, which XGBoost ends
with.
"""

from pathlib import Path

from modelport_formats.frameworks.xgboost_files import has_vector_leaves
from modelport_formats.identify import format_of
from modelport_formats.native import find_xgboost_categories
from modelport_formats.signatures import WITHOUT_CODE, XGBOOST_BINARY, Format
from modelport_formats.windows import head, windows

from modelport_runtime.core.compatibility.boosters import CATEGORIES_SINCE, require_kept
from modelport_runtime.core.compatibility.versions import Saved, saved_by
from modelport_runtime.core.types import LoadError


def can_run_code(path: Path) -> bool:
    """Return whether reading the file may run what it holds. Anything unknown may."""
    return format_of(path) not in WITHOUT_CODE


def cannot_isolate(detail: str) -> LoadError:
    """Return the error for such a file on a machine without a full sandbox. `detail`: what it lacks."""
    return LoadError(
        "SandboxUnavailable",
        f"A file of this format can run code, and this machine cannot isolate it ({detail}).",
    )


_BINARY_UNTIL = (3, 1)
_JSON_IN_PICKLES_SINCE = (1, 6)
_GAMMA_SINCE = (2, 1)
_OBJECTIVE = slice(148, 157)
"""Where the binary format has its name."""
_VECTORS_SINCE = (3, 2)
"""Until then a tree with several numbers in a leaf was written without what is looked for there now."""


def check_boosters(path: Path, found: dict[str, str]) -> None:
    """Raise `LoadError` (LibraryMismatch) for what XGBoost cannot read here."""
    saved = saved_by("xgboost", found)
    if saved is None:
        return
    saved.require_not_newer()
    _check_binary(path, saved)
    of_then = saved.before(*_VECTORS_SINCE) and saved.is_here_since(*_VECTORS_SINCE)
    if of_then and has_vector_leaves(windows(path)):
        raise _vector_leaves(saved)
    if not saved.before(*CATEGORIES_SINCE):
        return
    for window in windows(path):
        require_kept(find_xgboost_categories(window), saved)


def _check_binary(path: Path, saved: Saved) -> None:
    if head(path).startswith(XGBOOST_BINARY):
        if saved.is_here_since(*_BINARY_UNTIL):
            raise saved.refusal("Its binary format is not read since 3.1: save it as JSON with that version.")
        if saved.before(*_GAMMA_SINCE) and path.read_bytes()[_OBJECTIVE] == b"reg:gamma":
            raise saved.refusal(
                "The binary format of reg:gamma is not read: save it as JSON with that version."
            )
    elif saved.before(*_JSON_IN_PICKLES_SINCE) and format_of(path) is not Format.XGBOOST:
        raise saved.refusal(
            "Before 1.6 pickles hold XGBoost's binary format: save the booster as JSON with that version."
        )


def _vector_leaves(saved: Saved) -> Exception:
    return saved.refusal(
        "Its trees have several numbers in a leaf (multi_strategy='multi_output_tree'), "
        "which XGBoost keeps in another way since 3.2."
    )
