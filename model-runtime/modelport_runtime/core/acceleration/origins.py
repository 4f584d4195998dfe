"""Where a matrix's columns come from: which values of the input meet a threshold after all the steps."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from modelport_runtime.core.acceleration import plan

_Undo = Callable[[Any], Any]


@dataclass(frozen=True)
class _Origin:
    """`undo`: what takes a value of the matrix back to one of the input's column."""

    column: int
    undo: tuple[_Undo, ...] = ()

    def of(self, values: Any) -> Any:
        for undo in reversed(self.undo):
            values = undo(values)
        return values


@dataclass
class Hints:
    """Per column of the input: values that matter to the model, and which categories it knows."""

    values: dict[int, list[Any]] = field(default_factory=dict)
    scales: dict[int, Any] = field(default_factory=dict)
    categories: dict[int, list[Any]] = field(default_factory=dict)


def hints_of(made: plan.Plan) -> Hints:
    """Take thresholds, learned centers and categories out of a plan."""
    hints = Hints()
    origins = _of_part(made.part, hints)
    with np.errstate(all="ignore"):
        for place, thresholds in _thresholds(made.final).items():
            origin = origins[place] if place < len(origins) else None
            if origin is not None:
                hints.values.setdefault(origin.column, []).extend(origin.of(thresholds).tolist())
        for origin in origins:
            if origin is not None and origin.undo:
                hints.scales[origin.column] = origin.of(np.array([0.0, 1.0]))
    return hints


def _thresholds(final: plan.Final) -> dict[int, Any]:
    if not isinstance(final, plan.Forest | plan.Boosting):
        return {}
    trees = final.trees
    left = trees.left.unpack()
    inner = left != np.arange(len(left))
    feature, threshold = trees.feature.unpack()[inner], trees.threshold.unpack()[inner]
    return {int(place): np.unique(threshold[feature == place]) for place in np.unique(feature)}


def _of_part(part: plan.Part, hints: Hints) -> list[_Origin | None]:
    source = part.source
    origins: list[_Origin | None] = []
    if isinstance(source, plan.Numbers):
        origins = [_Origin(column) for column in source.columns]
    elif isinstance(source, plan.Lookups):
        for lookup in source.lookups:
            hints.categories.setdefault(lookup.column, []).extend(lookup.keys)
            origins += [None] * lookup.table.shape[1]
    else:
        origins = [origin for inner in source.parts for origin in _of_part(inner, hints)]
    return _through(part.steps, origins)


def _through(steps: list[plan.Step], origins: list[_Origin | None]) -> list[_Origin | None]:
    for step in steps:
        if isinstance(step, plan.Project):
            return [None] * step.matrix.shape[1]
        if isinstance(step, plan.Recode):
            return [None] * len(step.columns)
        if isinstance(step, plan.Impute):
            origins = origins + [None] * step.indicated.shape[0]
        elif isinstance(step, plan.Split):
            origins = [
                origin
                for selection in step.selections
                for origin in _through(selection.steps, [origins[i] for i in selection.columns.unpack()])
            ]
        else:
            origins = [_undone(step, place, origin) for place, origin in enumerate(origins)]
    return origins


_INVERSES: dict[type, Callable[[Any, Any], Any]] = {
    plan.Subtract: np.add,
    plan.Add: np.subtract,
    plan.Multiply: np.divide,
    plan.Divide: np.multiply,
}


def _undone(step: Any, place: int, origin: _Origin | None) -> _Origin | None:
    inverse = _INVERSES.get(type(step))
    if origin is None or inverse is None:
        return origin
    value = step.values.unpack()[place]
    return _Origin(origin.column, (*origin.undo, lambda values: inverse(values, value)))
