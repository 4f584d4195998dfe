"""What an estimator declares of its input, in the words of scikit-learn 1.6; before, it was a dictionary."""

from typing import Any, NamedTuple


class InputTags(NamedTuple):
    """`string`: it takes texts; `two_d_array`: a table; `mapping`: dictionaries of any keys."""

    allow_nan: bool
    string: bool
    two_d_array: bool
    mapping: bool


def has_tags(estimator: Any) -> bool:
    """Return whether it declares what it is, as every estimator of scikit-learn does."""
    return hasattr(estimator, "__sklearn_tags__") or hasattr(estimator, "_get_tags")


def kind_of(estimator: Any) -> str | None:
    """Return `classifier`, `regressor`, `clusterer` or `outlier_detector`; None: it is none of them."""
    if not _is_of_today(estimator):
        return getattr(estimator, "_estimator_type", None)
    from sklearn.utils import get_tags

    kind: str | None = get_tags(estimator).estimator_type
    return kind


def input_tags(estimator: Any) -> InputTags | None:
    """Return the estimator's tags; None: it has none, or they do not suit it."""
    read = _read if _is_of_today(estimator) else _read_dict
    try:
        return read(estimator)
    except Exception:  # noqa: BLE001  # an own class may inherit tags that do not suit it
        return None


def _is_of_today(estimator: Any) -> bool:
    """LightGBM declares both kinds, and may be beside a scikit-learn that has no words for today's."""
    import sklearn.utils

    return hasattr(estimator, "__sklearn_tags__") and hasattr(sklearn.utils, "get_tags")


def _read(estimator: Any) -> InputTags:
    from sklearn.utils import get_tags

    found = get_tags(estimator).input_tags
    return InputTags(found.allow_nan, found.string, found.two_d_array, found.dict)


def _read_dict(estimator: Any) -> InputTags | None:
    if not hasattr(estimator, "_get_tags"):
        return None
    found = estimator._get_tags()
    types = found["X_types"]
    return InputTags(found["allow_nan"], "string" in types, "2darray" in types, "dict" in types)
