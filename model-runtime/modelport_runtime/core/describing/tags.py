"""What scikit-learn's tags say of an estimator's input."""

from typing import Any

from modelport_runtime.core.describing.structure import handed_rows


def takes_texts(estimator: Any) -> bool:
    """True if a row is one bare string: a vectorizer of texts sees the rows."""
    return any(map(_reads_texts, handed_rows(estimator, beyond=True)))


def takes_dictionaries(estimator: Any) -> bool:
    """True if a row is a dictionary of any keys."""
    return any(bool(getattr(_tags(one), "dict", False)) for one in handed_rows(estimator))


def allows_nan(stage: Any) -> bool:
    return bool(getattr(_tags(stage), "allow_nan", False))


def _reads_texts(estimator: Any) -> bool:
    tags = _tags(estimator)
    return bool(tags is not None and tags.string and not tags.two_d_array)


def _tags(estimator: Any) -> Any:
    from sklearn.utils import get_tags

    if not hasattr(estimator, "__sklearn_tags__"):
        return None
    try:
        return get_tags(estimator).input_tags
    except Exception:  # noqa: BLE001  # an own class may inherit tags that do not suit it
        return None
