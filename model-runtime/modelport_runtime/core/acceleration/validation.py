"""Whether the parts of a plan fit each other: what comes through can be run, in bounded time and memory."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from modelport_http.wording import counted

from modelport_runtime.core.acceleration import plan
from modelport_runtime.core.acceleration.input_columns import Mixed, input_columns
from modelport_runtime.core.acceleration.plan import Array, PlanRefused
from modelport_runtime.core.acceleration.validation_of_trees import check_covers, check_trees
from modelport_runtime.core.contributions.explained import can_be_named
from modelport_runtime.core.signature import Signature

_MAX_WIDTH = 100_000
_MAX_PARTS = 10_000
"""Steps, lookups and parts of a plan, all together."""
_KINDS = {"number", "integer", "boolean", "string", "any"}
_DTYPES = {"float64", "int64", "uint64", "int32", "int16", "int8", "uint8", "bool", "object", "category"}
_SCALARS = {bool, int, float, str}


def validate(made: plan.Plan) -> None:
    """Raise `PlanRefused` unless every index is in range and every shape fits its neighbor's."""
    _check_signature(made.signature)
    validator = _Widths(len(made.signature.columns or ()))
    width = validator.of_part(made.part)
    classes = _check_final(made.final, width)
    if (made.signature.classes or None) != (tuple(classes) if classes else None):
        raise PlanRefused("the classes are not those of the signature")
    if "probabilities" in made.signature.outputs and not _has_probabilities(made.final):
        raise PlanRefused("the signature offers probabilities, but the final has none")
    if "decision_function" in made.signature.outputs and not _has_scores(made.final):
        raise PlanRefused("the signature offers decision_function, but the final has none")
    if "contributions" in made.signature.outputs:
        _check_contributions(made)


def _check_contributions(made: plan.Plan) -> None:
    if not can_be_named(made.signature):
        raise PlanRefused("the signature offers contributions of columns that share a name")
    if not isinstance(made.final, plan.LinearClassifier | plan.LinearRegressor):
        check_covers(made.final.trees)
    try:
        input_columns(made.part)
    except Mixed as error:
        raise PlanRefused(f"the signature offers contributions, but: {error}") from None


def _check_signature(signature: Signature) -> None:
    columns = signature.columns
    if not columns or len(columns) > _MAX_WIDTH or signature.input != "rows":
        raise PlanRefused("the signature has no columns, or too many")
    for column in columns:
        if column.kind not in _KINDS or column.dtype not in _DTYPES or column.shape is not None:
            raise PlanRefused(f"column {column.name!r} is of no kind that kernels read")
        _check_scalars(column.values or ())
    if not signature.outputs or not {*signature.outputs} <= plan.OUTPUTS:
        raise PlanRefused("the signature's outputs are none that there are")
    _check_scalars(signature.classes or ())


def _check_scalars(values: Sequence[Any]) -> None:
    if not _SCALARS.issuperset(map(type, values)):
        raise PlanRefused("a class or category is no JSON value")


class _Widths:
    """Follows the width of the matrix from part to part."""

    def __init__(self, row_width: int) -> None:
        self._row_width = row_width
        self._parts = 0

    def of_part(self, part: plan.Part) -> int:
        self._count()
        return self._through(part.steps, self._of_source(part.source))

    def _count(self) -> None:
        self._parts += 1
        if self._parts > _MAX_PARTS:
            raise PlanRefused(f"the plan has more than {_MAX_PARTS} parts")

    def _of_source(self, source: plan.Numbers | plan.Lookups | plan.Stack) -> int:
        if isinstance(source, plan.Numbers):
            _check_range(source.columns, self._row_width)
            return _bounded(len(source.columns))
        if isinstance(source, plan.Lookups):
            return _bounded(sum(self._of_lookup(lookup) for lookup in source.lookups))
        return _bounded(sum(self.of_part(part) for part in source.parts))

    def _of_lookup(self, lookup: plan.Lookup) -> int:
        self._count()
        _check_range([lookup.column], self._row_width)
        table = _array(lookup.table, "float64", 2)
        rows = [row for row in (lookup.missing, lookup.unknown) if row is not None]
        _check_range([*rows, len(lookup.keys) - 1] if lookup.keys else rows, len(table))
        return int(table.shape[1])

    def _through(self, steps: list[plan.Step], width: int) -> int:
        for step in steps:
            self._count()
            width = _bounded(self._after(step, width))
        return width

    def _after(self, step: plan.Step, width: int) -> int:
        if isinstance(step, plan.Split):
            return sum(self._of_selection(selection, width) for selection in step.selections)
        rule = _RULES.get(type(step))
        return width if rule is None else rule(step, width)

    def _of_selection(self, selection: plan.Selection, width: int) -> int:
        columns = _array(selection.columns, "int64", 1)
        _check_range(columns, width)
        return self._through(selection.steps, _bounded(len(columns)))


def _bounded(width: int) -> int:
    if not 0 < width <= _MAX_WIDTH:
        raise PlanRefused(f"a matrix of {counted(width, 'column')}")
    return width


def _array(array: Array, dtype: str, dimensions: int) -> np.ndarray[Any, Any]:
    if array.dtype != dtype or len(array.shape) != dimensions:
        raise PlanRefused(f"a {array.dtype} array of shape {array.shape} where a {dtype} one is due")
    return array.unpack()


def _check_range(places: Any, stop: int) -> None:
    if len(places) and (int(np.min(places)) < 0 or int(np.max(places)) >= stop):
        raise PlanRefused(f"a place that is not from 0 to {stop - 1}")


def _row_of(array: Array, width: int) -> None:
    if _array(array, "float64", 1).shape != (width,):
        raise PlanRefused(f"{counted(array.shape[0], 'value')} for {counted(width, 'column')}")


def _same_width(step: Any, width: int) -> int:
    _row_of(step.values, width)
    return width


def _after_clip(step: plan.Clip, width: int) -> int:
    if math.isnan(step.low) or math.isnan(step.high):
        raise PlanRefused("a bound is NaN")
    return width


def _after_impute(step: plan.Impute, width: int) -> int:
    _row_of(step.fills, width)
    indicated = _array(step.indicated, "int64", 1)
    _check_range(indicated, width)
    return width + len(indicated)


def _after_projection(step: plan.Project, width: int) -> int:
    matrix = _array(step.matrix, "float64", 2)
    if matrix.shape[0] != width:
        raise PlanRefused(f"a projection of {counted(matrix.shape[0], 'column')} for {width}")
    return int(matrix.shape[1])


def _after_recoding(step: plan.Recode, width: int) -> int:
    if len(step.columns) != width:
        raise PlanRefused(f"{counted(len(step.columns), 'recoding')} for {counted(width, 'column')}")
    for column in step.columns:
        keys = _array(column.keys, "float64", 1)
        _row_of(column.codes, len(keys))
        if not len(keys) or not (np.diff(keys) > 0).all():
            raise PlanRefused("the keys of a recoding do not ascend")
    return width


_RULES: dict[type, Callable[[Any, int], int]] = {
    plan.Subtract: _same_width,
    plan.Add: _same_width,
    plan.Multiply: _same_width,
    plan.Divide: _same_width,
    plan.Clip: _after_clip,
    plan.Impute: _after_impute,
    plan.Project: _after_projection,
    plan.Recode: _after_recoding,
}


def _check_final(final: plan.Final, width: int) -> Sequence[Any] | None:
    """Return the classes that it distinguishes."""
    if isinstance(final, plan.LinearRegressor):
        _coefficients(final.coefficients, width, 1)
        return None
    if isinstance(final, plan.LinearClassifier):
        scores = _scores_of(final.classes)
        _coefficients(final.coefficients, width, scores)
        _row_of(final.intercepts, scores)
        return final.classes
    check_trees(final.trees, width)
    if isinstance(final, plan.Forest):
        values = len(final.classes) if final.classes is not None else 1
        _leaf_values(final.trees, values)
    else:
        _check_boosting(final)
    return final.classes


def _scores_of(classes: Sequence[Any]) -> int:
    if len(classes) < 2:
        raise PlanRefused("fewer than two classes")
    return 1 if len(classes) == 2 else len(classes)


def _coefficients(array: Array, width: int, scores: int) -> None:
    if _array(array, "float64", 2).shape != (width, scores):
        raise PlanRefused(
            f"coefficients of shape {array.shape} for {counted(width, 'column')} "
            f"and {counted(scores, 'score')}"
        )


def _check_boosting(final: plan.Boosting) -> None:
    _leaf_values(final.trees, 1)
    outputs = 1 if final.classes is None else _scores_of(final.classes)
    if final.outputs != outputs or len(final.trees.roots.unpack()) % outputs:
        raise PlanRefused("the trees do not add up to the outputs")


def _leaf_values(trees: plan.Trees, width: int) -> None:
    if width < 1 or _array(trees.values, "float64", 2).shape[1] != width:
        raise PlanRefused(f"leaves of shape {trees.values.shape} for {counted(width, 'value')}")


def _has_scores(final: plan.Final) -> bool:
    if isinstance(final, plan.Boosting):
        return final.classes is not None
    return isinstance(final, plan.LinearClassifier)


def _has_probabilities(final: plan.Final) -> bool:
    if isinstance(final, plan.LinearClassifier):
        return final.link != "none" and (final.link == "one_versus_rest" or len(final.classes) > 2)
    if isinstance(final, plan.LinearRegressor) or final.classes is None:
        return False
    if isinstance(final, plan.Forest):
        return True
    return final.link == ("logistic" if final.outputs == 1 else "softmax")
