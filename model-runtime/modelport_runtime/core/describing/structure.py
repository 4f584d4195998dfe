"""How estimators hold others, which are handed the rows, what they declare of input: names and tags."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from modelport_runtime.core.describing.tags import input_tags

_WRAPPED = ("best_estimator_", "estimator_", "regressor_", "classifier_")
_PREFITTED = {"FrozenEstimator", "SelectFromModel", "CalibratedClassifierCV"}
"""Wrappers of scikit-learn that may use what they were given, not a fitted copy of it."""
_ENSEMBLES_OF_TREES = {
    *("sklearn.ensemble._forest", "sklearn.ensemble._gb", "sklearn.ensemble._iforest"),
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting",
}
_LIBRARIES = {"sklearn", "xgboost", "lightgbm", "imblearn"}
_MAX_INNER = 64
"""Members of an ensemble are alike: so many show what all take."""
_MAX_NESTED = 4
"""So many lists and dictionaries in each other are looked into: one may hold itself."""


class Inner(NamedTuple):
    """An estimator inside another, and the places of the columns chosen for it; None: all."""

    estimator: Any
    chosen: list[int] | None = None


def is_model(value: Any) -> bool:
    """True for an object (no class) that rows can be put through."""
    methods = ("predict", "transform", "score_samples")
    return not isinstance(value, type) and any(hasattr(value, method) for method in methods)


def is_of_a_library(estimator: Any) -> bool:
    """Whether its class comes from a library that is known, and not from the user's code."""
    return type(estimator).__module__.partition(".")[0] in _LIBRARIES


def steps_of(estimator: Any) -> list[Any] | None:
    """Return the stages of a pipeline, whatever its class; None if it is none."""
    steps = getattr(estimator, "steps", None)
    if not isinstance(steps, list) or not steps:
        return None
    return [step[-1] if isinstance(step, tuple) else step for step in steps]


def is_passed_on(stage: Any) -> bool:
    """True for what stands in a pipeline for "as it is"."""
    return stage is None or (isinstance(stage, str) and stage == "passthrough")


def union_of(estimator: Any) -> list[Any] | None:
    """Return the transformers of a FeatureUnion, each of which gets all columns."""
    parts = getattr(estimator, "transformer_list", None)
    if not isinstance(parts, list):
        return None
    return [part for _, part in parts if not (isinstance(part, str) and part == "drop")]


def inner_estimators(estimator: Any) -> list[Inner]:
    """Return those that are handed the rows as they are, with the columns chosen for each (None: all)."""
    if type(estimator).__module__ in _ENSEMBLES_OF_TREES:
        return []
    found = _fitted_inside(estimator)
    if not found and not is_of_a_library(estimator):
        found = _members(estimator)
    return [inner for inner in found if is_model(inner.estimator)][:_MAX_INNER]


def _fitted_inside(estimator: Any) -> list[Inner]:
    calibrated = getattr(estimator, "calibrated_classifiers_", None)
    if calibrated:
        # In scikit-learn 1.1 it is called base_estimator.
        return [Inner(getattr(one, "estimator", None) or one.base_estimator) for one in calibrated]
    members = getattr(estimator, "estimators_", None)
    if isinstance(members, list | tuple) and members:
        chosen = _chosen(estimator, len(members))
        return [Inner(one, places) for one, places in zip(members, chosen, strict=True)]
    held = [getattr(estimator, name, None) for name in _WRAPPED]
    if type(estimator).__name__ in _PREFITTED:
        held.append(getattr(estimator, "estimator", None))
    return [Inner(one) for one in held if one is not None][:1]


def _chosen(estimator: Any, count: int) -> list[list[int] | None]:
    """Bagging may hand each of its estimators other columns."""
    features = getattr(estimator, "estimators_features_", None)
    if features is None or len(features) != count:
        return [None] * count
    return [[int(place) for place in places] for places in features]


def _members(estimator: Any) -> list[Inner]:
    """Return what an own class keeps: models beside each other, or the transformers before its model."""
    held = [model for value in _attributes(estimator).values() for model in _models_in(value)]
    transformers = [model for model in held if not hasattr(model, "predict")]
    return [Inner(model) for model in transformers[:1] or held]


def _attributes(value: Any) -> dict[str, Any]:
    return getattr(value, "__dict__", {})


def _models_in(value: Any, depth: int = _MAX_NESTED) -> Iterator[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value[:_MAX_INNER] if depth else ():
            yield from _models_in(item, depth - 1)
    elif _is_fitted(value):
        yield value


def _is_fitted(value: Any) -> bool:
    """An own class may keep the unfitted original beside its fitted copy."""
    if not is_model(value):
        return False
    if not is_of_a_library(value) and not hasattr(value, "fit"):
        return any(list(_models_in(held)) for held in _attributes(value).values())
    if steps_of(value) is not None:
        return any(not is_passed_on(step) and _is_fitted(step) for step in steps_of(value) or ())
    if any(name.endswith("_") or name == "_Booster" for name in _attributes(value)):
        return True
    return not is_of_a_library(value) and any(list(_models_in(held)) for held in _attributes(value).values())


def handed_rows(estimator: Any, *, beyond: bool = False, depth: int = 12) -> Iterator[Any]:
    """Return the estimator and all inside it that see the rows as they come, all columns of them.

    beyond: also what stands behind functions and own transformers, which may do anything to the rows.
    """
    if depth == 0 or isinstance(estimator, str | None):
        return
    yield estimator
    for inner in _handed_on(estimator, beyond=beyond):
        yield from handed_rows(inner, beyond=beyond, depth=depth - 1)


def _handed_on(estimator: Any, *, beyond: bool) -> list[Any]:
    steps = steps_of(estimator)
    if steps is not None:
        steps = [step for step in steps if not is_passed_on(step)]
        return _first_of(steps) if beyond else steps[:1]
    union = union_of(estimator)
    if union is not None:
        return union
    return [inner for inner, chosen in inner_estimators(estimator) if chosen is None]


def _first_of(steps: list[Any]) -> list[Any]:
    """Return the first stage, and the next as well where that one does unknown things."""
    first: list[Any] = []
    for step in steps:
        first.append(step)
        if not _hides_nothing(step):
            break
    return first


def _hides_nothing(stage: Any) -> bool:
    """True for what only changes rows before they are made features: functions, own transformers."""
    own = not is_of_a_library(stage) and not inner_estimators(stage)
    nameless = getattr(stage, "feature_names_in_", None) is None
    return (own or type(stage).__name__ == "FunctionTransformer") and nameless


def learned_floats(estimator: Any) -> set[str]:
    """scikit-learn keeps no dtype of its input, but what it learns from float32 data is float32."""
    return {
        value.dtype.name
        for name, value in _attributes(estimator).items()
        if name.endswith("_") and isinstance(value, np.ndarray) and value.dtype.kind == "f"
    }


def feature_names(estimator: Any) -> list[str] | None:
    """Return the column names that it, or anything in it that sees the rows, was fitted with."""
    for candidate in handed_rows(estimator):
        for names in _names_in(candidate):
            return names
    return None


def width(estimator: Any) -> int | None:
    """Return the number of columns, None if nothing in it knows."""
    for candidate in handed_rows(estimator):
        found = getattr(candidate, "n_features_in_", None)
        if found is not None:
            return int(found)
    return None


def lightgbm_names(booster: Any) -> list[str] | None:
    """Return the names of a LightGBM booster, None for those that it makes up for the columns of an array."""
    names = [str(name) for name in booster.feature_name()]
    return None if names == [f"Column_{place}" for place in range(len(names))] else names


def blanks_are_lost(estimator: Any) -> bool:
    """True if the names are LightGBM's, which writes `_` for a blank."""
    found = feature_names(estimator)
    boosters = (getattr(candidate, "booster_", None) for candidate in handed_rows(estimator))
    return any(hasattr(one, "pandas_categorical") and lightgbm_names(one) == found for one in boosters)


def _names_in(estimator: Any) -> Iterator[list[str]]:
    names = getattr(estimator, "feature_names_in_", None)
    if names is not None:
        yield [str(name) for name in names]
    # Pickles of LightGBM before 4.7 have lost theirs, but not the booster's.
    booster = getattr(estimator, "booster_", None)
    if hasattr(booster, "feature_name") and (kept := lightgbm_names(booster)) is not None:
        yield kept
    if hasattr(estimator, "get_booster") and (kept := estimator.get_booster().feature_names) is not None:
        yield [str(name) for name in kept]


def takes_texts(estimator: Any) -> bool:
    """True if a row is one bare string: a vectorizer of texts sees the rows."""
    return any(map(_reads_texts, handed_rows(estimator, beyond=True)))


def takes_dictionaries(estimator: Any) -> bool:
    """True if a row is a dictionary of any keys."""
    return any(tags.mapping for one in handed_rows(estimator) if (tags := input_tags(one)))


def allows_nan(stage: Any) -> bool:
    """Return whether the stage's tags say that it takes NaN; False where it has none."""
    tags = input_tags(stage)
    return tags is not None and tags.allow_nan


def _reads_texts(estimator: Any) -> bool:
    tags = input_tags(estimator)
    return tags is not None and tags.string and not tags.two_d_array
