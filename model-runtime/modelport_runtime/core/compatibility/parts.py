"""All that a loaded model is made of, at any depth: estimators in pipelines, lists, arrays, own classes."""

from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

_PLAIN = (str, bytes, int, float, complex, bool, type(None), type, FunctionType, ModuleType, set, frozenset)
_DATA = ("numpy", "scipy", "pandas")
_BOOSTERS = ("xgboost", "lightgbm")
"""Libraries whose objects hold no estimators."""


def parts_of(held: Any) -> Iterator[Any]:
    """Give each object once, inner ones after those that hold them. Calls no method of any."""
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
