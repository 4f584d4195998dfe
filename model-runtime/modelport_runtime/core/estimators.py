"""What a fitted scikit-learn estimator tells of its input: names, kinds, categories, missing, width."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from modelport_runtime.core.categories import with_booster_categories
from modelport_runtime.core.signature import Column, Kind, positional_columns

_WRAPPED = ("best_estimator_", "estimator_", "regressor_")
_IMPUTERS = {"MissingIndicator", "SimpleImputer", "KNNImputer", "IterativeImputer"}
_BOOSTERS = ("HistGradientBoosting", "XGB", "LGBM")


def unwrapped(estimator: Any) -> Any:
    """Give the estimator inside searches and other wrappers that pass their input on as it is."""
    for name in _WRAPPED:
        inner = getattr(estimator, name, None)
        if inner is not None and hasattr(inner, "get_params"):
            return unwrapped(inner)
    calibrated = getattr(estimator, "calibrated_classifiers_", None)
    return unwrapped(calibrated[0].estimator) if calibrated else estimator


def steps_of(estimator: Any) -> list[Any]:
    """Give the stages that the input goes through, pipelines inside pipelines flattened."""
    estimator = unwrapped(estimator)
    steps = getattr(estimator, "steps", None)
    if steps is None:
        return [estimator]
    stages = (stage for _, stage in steps if stage is not None and not isinstance(stage, str))
    return [inner for stage in stages for inner in steps_of(stage)]


def feature_names(estimator: Any) -> list[str] | None:
    """Give the column names it was fitted with, None if with an array."""
    for candidate in (estimator, *steps_of(estimator)[:1]):
        names = getattr(candidate, "feature_names_in_", None)
        if names is not None:
            return [str(name) for name in names]
    return None


def takes_texts(estimator: Any) -> bool:
    """True if a row is one bare string: a vectorizer of texts stands first."""
    from sklearn.utils import get_tags

    first = steps_of(estimator)[0]
    if not hasattr(first, "__sklearn_tags__"):
        return False
    tags = get_tags(first).input_tags
    return bool(tags.string and not tags.two_d_array)


def describe_columns(estimator: Any) -> tuple[Column, ...] | None:
    """Describe each column, or None if even their number is unknown."""
    steps = steps_of(estimator)
    names = feature_names(estimator)
    width = len(names) if names is not None else _width(estimator, steps[0])
    if width is None:
        return None
    columns = list(positional_columns(width))
    if names is not None:
        columns = [replace(column, name=name) for column, name in zip(columns, names, strict=True)]
    dtype = _fitted_float(steps[0]) if names is None else "float64"
    described = _describe(steps, [replace(column, dtype=dtype) for column in columns])
    return tuple(described)


def _width(estimator: Any, first: Any) -> int | None:
    for candidate in (estimator, first):
        width = getattr(candidate, "n_features_in_", None)
        if width is not None:
            return int(width)
    return None


def _fitted_float(first: Any) -> str:
    """scikit-learn keeps no dtype of its input, but what it learns from float32 data is float32."""
    learned = {
        value.dtype.name
        for name, value in vars(first).items()
        if name.endswith("_") and isinstance(value, np.ndarray) and value.dtype.kind == "f"
    }
    return "float32" if learned == {"float32"} else "float64"


def _describe(steps: list[Any], columns: list[Column]) -> list[Column]:
    first = steps[0]
    parts = _column_parts(first)
    if parts is not None:
        return _describe_parts(parts, columns)
    if getattr(first, "_preprocessor", None) is not None:
        # HistGradientBoosting with categories: an encoder inside, where unknown and missing are one.
        inner = _describe([first._preprocessor], columns)
        return [replace(_numeric_unless_encoded(column), optional=True, values=None) for column in inner]
    known = [_from_categories(column, values) for column, values in _with_categories(steps, columns)]
    optional = _accepts_missing(steps)
    marked = with_booster_categories(first, known) if _is_booster(first) else known
    return [replace(column, optional=optional or column.optional) for column in marked]


def _numeric_unless_encoded(column: Column) -> Column:
    return replace(column, kind="number", dtype="float64") if column.kind == "any" else column


def _column_parts(transformer: Any) -> list[tuple[Any, list[int]]] | None:
    indices = getattr(transformer, "_transformer_to_input_indices", None)
    if indices is None or not hasattr(transformer, "transformers_"):
        return None
    return [(stage, list(indices.get(name, ()))) for name, stage, _ in transformer.transformers_]


def _describe_parts(parts: Iterable[tuple[Any, list[int]]], columns: list[Column]) -> list[Column]:
    """A column that several transformers use must suit them all; one that none uses may hold anything."""
    described: dict[int, Column] = {}
    for stage, indices in parts:
        chosen = [columns[index] for index in indices]
        for index, column in zip(indices, _describe_stage(stage, chosen), strict=True):
            described[index] = _both(described[index], column) if index in described else column
    unused = {"kind": "any", "dtype": "object", "optional": True}
    return [described.get(index, replace(column, **unused)) for index, column in enumerate(columns)]  # type: ignore[arg-type]  # mypy cannot follow ** into replace


def _describe_stage(stage: Any, columns: list[Column]) -> list[Column]:
    if isinstance(stage, str):
        # Passed on as it is (numbers or booleans), or dropped.
        return [
            replace(column, kind="any", dtype="object", optional=stage == "drop" or column.optional)
            for column in columns
        ]
    if not columns:
        return []
    if takes_texts(stage):
        return [replace(column, kind="string", dtype="object") for column in columns]
    return _describe(steps_of(stage), columns)


def _both(one: Column, other: Column) -> Column:
    typed = other if one.kind == "any" else one
    values = one.values if other.values is None else other.values
    return replace(typed, optional=one.optional and other.optional, values=values)


def _with_categories(steps: list[Any], columns: list[Column]) -> Iterator[tuple[Column, Any]]:
    """Pair each column with the encoder and categories that meet it, or with its kind when there is none."""
    encoder = _first_encoder(steps)
    if encoder is None:
        kind, dtype = _kind_of_stage(steps[0])
        for column in columns:
            yield replace(column, kind=kind, dtype=dtype or column.dtype), None
        return
    strict = getattr(encoder, "handle_unknown", "ignore") == "error"
    for column, categories in zip(columns, encoder.categories_, strict=True):
        yield column, (categories, strict)


def _first_encoder(steps: list[Any]) -> Any | None:
    """Find the encoder that sees the raw values: only imputers may stand before it."""
    for stage in steps:
        if hasattr(stage, "categories_"):
            return stage
        if type(stage).__name__ not in _IMPUTERS:
            return None
    return None


def _kind_of_stage(stage: Any) -> tuple[Kind, str | None]:
    fitted = getattr(stage, "_fit_dtype", None)
    if fitted is not None and np.dtype(fitted).kind not in "iuf":
        return ("string", "object") if np.dtype(fitted).kind in "OUS" else ("any", "object")
    module = type(stage).__module__.partition(".")[0]
    if module not in ("sklearn", "xgboost", "lightgbm") or type(stage).__name__ == "FunctionTransformer":
        return "any", "object"
    return "number", None


def _from_categories(column: Column, met: tuple[Any, bool] | None) -> Column:
    if met is None:
        return column
    categories, strict = met
    known = [value for value in np.asarray(categories, dtype=object).tolist() if not _is_missing(value)]
    kind, dtype = _kind_of_values(known)
    missing_known = len(known) < len(categories)
    values = tuple(known) if strict and kind != "any" else None
    return replace(column, kind=kind, dtype=dtype, optional=missing_known, values=values)


def _kind_of_values(values: list[Any]) -> tuple[Kind, str]:
    types = {type(value) for value in values}
    if types == {bool}:
        return "boolean", "bool"
    if types == {int}:
        return "integer", "int64"
    if types and types <= {int, float}:
        return "number", "float64"
    return ("string", "object") if types == {str} else ("any", "object")


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value))


def _accepts_missing(steps: list[Any]) -> bool:
    """True if a missing value meets an imputer, or passes to a model for which it is a value like any other.

    Forests and trees take NaN as well, but were hardly trained with any: a field left out would be
    answered instead of refused. A sample with a null says otherwise.
    """
    for stage in steps:
        if type(stage).__name__ in _IMPUTERS:
            return True
        if _is_booster(stage):
            return True
        if not _allows_nan(stage):
            return False
    return False


def _is_booster(stage: Any) -> bool:
    return type(stage).__name__.startswith(_BOOSTERS)


def _allows_nan(stage: Any) -> bool:
    from sklearn.utils import get_tags

    return hasattr(stage, "__sklearn_tags__") and bool(get_tags(stage).input_tags.allow_nan)
