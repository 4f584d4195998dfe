"""All that a loaded model is made of, at any depth: estimators in pipelines, lists, arrays, own classes."""

from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from modelport_runtime.core.compatibility.methods import mix_in


def mend(part: Any) -> None:
    """Work around faults of the scikit-learn here, whichever version saved the part; others stay."""
    kind = type(part)
    if kind.__module__.startswith("sklearn.decomposition.") and kind.__name__ in _SPARSE_COMPONENTS:
        mix_in(part, _NeverOneRow)
    if kind.__module__.startswith("sklearn.mixture.") and kind.__name__ in _MIXTURES:
        mix_in(part, _NeverIntegers)


_SPARSE_COMPONENTS = {"SparsePCA", "MiniBatchSparsePCA"}
_MIXTURES = {"GaussianMixture", "BayesianGaussianMixture"}


class _NeverOneRow:
    """scikit-learn 1.6 to 1.9 return for one row a list that has lost its row."""

    def transform(self: Any, rows: Any) -> Any:
        if len(rows) != 1:
            return super().transform(rows)  # type: ignore[misc]  # of the estimator that this is mixed into
        twice = super().transform(np.repeat(np.asarray(rows), 2, axis=0))  # type: ignore[misc]  # as above
        return twice[:1]


class _NeverIntegers:
    """scikit-learn 1.7 to 1.9 cut densities to whole numbers when they are given integers."""

    def _estimate_weighted_log_prob(self: Any, rows: Any, **keywords: Any) -> Any:
        floats = rows.astype(np.float64) if rows.dtype.kind in "iu" else rows
        return super()._estimate_weighted_log_prob(floats, **keywords)  # type: ignore[misc]  # as above


_PLAIN = (str, bytes, int, float, complex, bool, type(None), type, FunctionType, ModuleType, set, frozenset)
_DATA = ("numpy", "scipy", "pandas")
_BOOSTERS = ("xgboost", "lightgbm")
"""Libraries whose objects hold no estimators."""


def parts_of(held: Any) -> Iterator[Any]:
    """Return each object once, inner ones after those that hold them. Calls no method of any."""
    seen: set[int] = set()
    waiting = [held]
    while waiting:
        part = waiting.pop()
        if isinstance(part, _PLAIN) or id(part) in seen:
            continue
        # Held by `held` all the time, so that no id comes twice.
        seen.add(id(part))
        if _is_container(part):
            waiting.extend(_items(part))
        elif (attributes := _attributes(part)) is not None:
            yield part
            if not _is_of(part, _BOOSTERS):
                waiting.extend(attributes.values())


def _is_container(part: Any) -> bool:
    return isinstance(part, list | tuple | dict | np.ndarray)


def _items(container: Any) -> Iterator[Any]:
    if isinstance(container, np.ndarray):
        return iter(container.ravel()) if container.dtype == object else iter(())
    return iter(container.values() if isinstance(container, dict) else container)


def _attributes(part: Any) -> dict[str, Any] | None:
    if _is_of(part, _DATA):
        return None
    attributes = getattr(part, "__dict__", None)
    return attributes if isinstance(attributes, dict) else None


def _is_of(part: Any, libraries: tuple[str, ...]) -> bool:
    return type(part).__module__.partition(".")[0] in libraries
