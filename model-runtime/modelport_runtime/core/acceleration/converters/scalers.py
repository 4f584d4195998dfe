"""Transformers of numbers, and SimpleImputer before numbers and before encoders."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from modelport_runtime.core.acceleration import plan
from modelport_runtime.core.acceleration.converters import former
from modelport_runtime.core.acceleration.converters.blocks import (
    NOTHING,
    Block,
    Matrix,
    Raw,
    as_matrix,
    floats,
    require,
)
from modelport_runtime.core.acceleration.plan import pack


def simple(stage: Any, block: Block) -> Block:
    """Note what fills gaps; with an indicator the columns must be numbers."""
    fills = _fills(stage)
    numbers = all(type(fill) is not str for fill in fills)
    if isinstance(block, Raw) and stage.indicator_ is None:
        # What a former imputer filled is no longer missing.
        merged = zip(block.fills, fills, strict=True)
        return Raw(
            block.places,
            block.columns,
            tuple(fill if before is NOTHING else before for before, fill in merged),
        )
    require(numbers, "An imputer of strings has an indicator.")
    return _imputed(as_matrix(block).checked(nan_allowed=True), fills, _indicated(stage))


def _fills(stage: Any) -> list[Any]:
    missing = stage.missing_values
    is_nan = isinstance(missing, float) and math.isnan(missing)
    require(is_nan, f"A SimpleImputer takes {missing!r} for missing.")
    fills_with = former.fill_kind(stage)
    require(fills_with.kind in "fOU", f"A SimpleImputer was fitted on {fills_with.name}.")
    fills: list[Any] = np.asarray(stage.statistics_, dtype=object).tolist()
    for fill in fills:
        empty = fill is None or (isinstance(fill, float) and math.isnan(fill))
        require(not empty, "A SimpleImputer drops a column that was empty in training.")
    return fills


def _indicated(stage: Any) -> list[int]:
    return [] if stage.indicator_ is None else np.asarray(stage.indicator_.features_).tolist()


def _imputed(block: Matrix, fills: list[Any], indicated: list[int]) -> Matrix:
    step = plan.Impute(pack(fills), pack(indicated, "int64"))
    return block.then(step, nan=False, width=block.width + len(indicated))


def _scaled(block: Matrix, *steps: plan.Step) -> Matrix:
    return block.checked(nan_allowed=True).then(*steps, infinite=True)


def standard(stage: Any, block: Matrix) -> Matrix:
    """StandardScaler: minus `mean_`, over `scale_`, each where it does so.

    Raises `NotConverted` for single precision.
    """
    return _moved(block, stage.mean_ if stage.with_mean else None, stage.scale_ if stage.with_std else None)


def robust(stage: Any, block: Matrix) -> Matrix:
    """RobustScaler: minus `center_`, over `scale_`, each where it does so.

    Raises `NotConverted` for single precision.
    """
    center = stage.center_ if stage.with_centering else None
    return _moved(block, center, stage.scale_ if stage.with_scaling else None)


def _moved(block: Matrix, origin: Any, scale: Any) -> Matrix:
    """Subtract, then divide, each where there is something to do it by."""
    steps: list[plan.Step] = []
    if origin is not None:
        steps.append(plan.Subtract(pack(floats(origin))))
    if scale is not None:
        steps.append(plan.Divide(pack(floats(scale))))
    return _scaled(block, *steps)


def min_max(stage: Any, block: Matrix) -> Matrix:
    """MinMaxScaler: times `scale_`, plus `min_`, cut to `feature_range` if it clips.

    Raises `NotConverted` for single precision.
    """
    steps: list[plan.Step] = [
        plan.Multiply(pack(floats(stage.scale_))),
        plan.Add(pack(floats(stage.min_))),
    ]
    if stage.clip:
        low, high = stage.feature_range
        steps.append(plan.Clip(float(low), float(high)))
    return _scaled(block, *steps)


def max_abs(stage: Any, block: Matrix) -> Matrix:
    """MaxAbsScaler: over `scale_`, cut to -1 and 1 if it clips.

    Raises `NotConverted` for single precision.
    """
    steps: list[plan.Step] = [plan.Divide(pack(floats(stage.scale_)))]
    if getattr(stage, "clip", False):
        steps.append(plan.Clip(-1.0, 1.0))
    return _scaled(block, *steps)


def normalizer(stage: Any, block: Matrix) -> Matrix:
    """Normalizer: each row over its norm. The plan raises on NaN and infinity, as scikit-learn does."""
    return block.checked(nan_allowed=False).then(plan.Normalize(stage.norm), infinite=True, nan=True)


def components(stage: Any, block: Matrix) -> Matrix:
    """PCA: multiplied, then moved, as it does it."""
    directions = floats(stage.components_)
    steps: list[plan.Step] = [
        plan.Project(pack(directions.T)),
        plan.Subtract(pack(floats(stage.mean_) @ directions.T)),
    ]
    if stage.whiten:
        scale = np.sqrt(floats(stage.explained_variance_))
        steps.append(plan.Divide(pack(np.maximum(scale, np.finfo(scale.dtype).eps))))
    projected = block.checked(nan_allowed=False).then(*steps, infinite=True, nan=True)
    return Matrix(projected.part, len(directions), nan=True, infinite=True)


def unchanged(stage: Any, block: Matrix) -> Matrix:
    """Pass through: FunctionTransformer without a function, as ColumnTransformer keeps it."""
    require(stage.func is None and not stage.validate, "A FunctionTransformer has a function of its own.")
    return block


SCALERS: dict[str, Callable[[Any, Matrix], Matrix]] = {
    "StandardScaler": standard,
    "MinMaxScaler": min_max,
    "MaxAbsScaler": max_abs,
    "RobustScaler": robust,
    "Normalizer": normalizer,
    "PCA": components,
    "FunctionTransformer": unchanged,
}
