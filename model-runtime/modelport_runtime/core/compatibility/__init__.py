"""Files that other versions of scikit-learn saved: mended to their own version's predictions, or refused.

A model of another version may load and predict other numbers, with no error. What is known to differ is
mended in the loaded object where that gives exactly the predictions of the version that saved it, or refused
(`LibraryMismatch`). docs/other-versions.md lists both; tests compare with predictions stored at training.
"""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from modelport_runtime.core.compatibility import boosters, families, methods, parts
from modelport_runtime.core.compatibility.parts import parts_of
from modelport_runtime.core.compatibility.stand_ins import standing_in
from modelport_runtime.core.compatibility.versions import other_scikit_learn


@contextmanager
def reading(found: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    """Lend the names that older versions took from scikit-learn, while the file is read.

    Gives the versions in the file: after reading also one that only scikit-learn itself saw.
    """
    reported = dict(found)
    with _listening(reported):
        if other_scikit_learn(found) is None:
            yield reported
            return
        with standing_in():
            yield reported


@contextmanager
def _listening(reported: dict[str, str]) -> Iterator[None]:
    """scikit-learn warns of each estimator that another version saved: that is heard here, and not logged."""
    with warnings.catch_warnings():
        shown = warnings.showwarning

        def hear(message: Warning | str, *where: Any, **more: Any) -> None:
            version = getattr(message, "original_sklearn_version", None)
            if version is None:
                shown(message, *where, **more)
            else:
                reported["scikit-learn"] = str(version).removeprefix("pre-")

        warnings.filterwarnings("always", message="Trying to unpickle estimator", category=UserWarning)
        warnings.showwarning = hear
        yield


def mend(held: Any, found: Mapping[str, str]) -> Any:
    """Make a loaded object predict as the version did that saved it. Raises `LoadError` (LibraryMismatch)."""
    saved = other_scikit_learn(found)
    if saved is not None:
        saved.require_known()
    for part in list(parts_of(held)):
        if boosters.is_booster(part):
            boosters.mend(part, found)
            continue
        parts.mend(part)
        if saved is not None:
            families.mend(part, saved)
    if saved is not None:
        methods.require(held, saved)
    return held


__all__ = ["mend", "reading"]
