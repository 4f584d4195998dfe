"""SimpleImputer, before numbers and before encoders."""

import math
from typing import Any

import numpy as np

from modelport_runtime.core.acceleration import plan
from modelport_runtime.core.acceleration.converters.blocks import NOTHING, Block, Matrix, Raw, as_matrix
from modelport_runtime.core.acceleration.converters.unknown import require
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
    kind = np.dtype(stage._fill_dtype).kind
    require(kind in "fOU", f"A SimpleImputer was fitted on {np.dtype(stage._fill_dtype).name}.")
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
