"""Walks a fitted model stage by stage and writes the plan of it."""

from typing import Any, cast

from modelport_runtime.core.acceleration import plan
from modelport_runtime.core.acceleration.converters import boosting, encoders, former, linear, scalers, trees
from modelport_runtime.core.acceleration.converters.blocks import (
    NOTHING,
    Block,
    Matrix,
    NotConverted,
    Raw,
    as_matrix,
    known_name,
    require,
)
from modelport_runtime.core.acceleration.converters.scalers import SCALERS
from modelport_runtime.core.signature import Signature

_SEARCHES = {"GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV"}
_ENCODERS = {"OneHotEncoder", "OrdinalEncoder"}


def convert(estimator: Any, signature: Signature, libraries: dict[str, str]) -> plan.Plan:
    """Return the plan of a fitted model. Raises `NotConverted`."""
    require(
        signature.columns is not None and signature.input == "rows", "The model takes no rows of columns."
    )
    require(signature.task in ("classifier", "regressor"), f"A {signature.task} has no kernels.")
    others = ", ".join(name for name in signature.outputs if name not in plan.OUTPUTS)
    require(not others, f"The outputs {others} have no kernel.")
    columns = signature.columns or ()
    block: Block = Raw(tuple(range(len(columns))), columns, (NOTHING,) * len(columns))
    *transformers, final = _stages(estimator)
    for stage in transformers:
        block = transformed(stage, block)
    matrix, made = _final(final, block, None if signature.classes is None else list(signature.classes))
    return plan.Plan(signature, libraries, matrix.part, made)


def _stages(estimator: Any) -> list[Any]:
    """Return the stages of pipelines in pipelines, without those that pass on what they get."""
    name = known_name(estimator)
    if name in _SEARCHES:
        return _stages(estimator.best_estimator_)
    if name != "Pipeline":
        return [estimator]
    stages = [stage for _, stage in estimator.steps if stage is not None and stage != "passthrough"]
    return [inner for stage in stages for inner in _stages(stage)]


def transformed(stage: Any, block: Block) -> Block:
    """Return the block behind one transformer. Raises `NotConverted`."""
    name = known_name(stage)
    if name == "ColumnTransformer":
        return _columns(stage, block)
    if name == "SimpleImputer":
        return scalers.simple(stage, block)
    if name in _ENCODERS:
        return encoders.encoded(stage, block)
    if name in SCALERS:
        return SCALERS[name](stage, as_matrix(block))
    raise NotConverted(f"{name} has no kernel.")


def _columns(stage: Any, block: Block, passing: str | None = None) -> Matrix:
    """ColumnTransformer; `passing` names a part of it that is known to pass on what it gets."""
    parts = [
        (None if name == passing else inner, stage._transformer_to_input_indices[name])
        for name, inner, _ in stage.transformers_
        if inner != "drop"
    ]
    chosen = [(inner, [int(place) for place in places]) for inner, places in parts if len(places)]
    require(bool(chosen), "A ColumnTransformer keeps no column.")
    if isinstance(block, Matrix):
        return _split(chosen, block)
    made = [_through(inner, block.take(places)) for inner, places in chosen]
    return Matrix(
        plan.Part(plan.Stack([matrix.part for matrix in made]), []),
        sum(matrix.width for matrix in made),
        nan=any(matrix.nan for matrix in made),
        infinite=any(matrix.infinite for matrix in made),
    )


def _split(chosen: list[tuple[Any, list[int]]], block: Matrix) -> Matrix:
    start = plan.Part(plan.Numbers([]), [])
    made = [
        _through(inner, Matrix(start, len(places), nan=block.nan, infinite=block.infinite))
        for inner, places in chosen
    ]
    selections = [
        plan.Selection(plan.pack(places, "int64"), matrix.part.steps)
        for (_, places), matrix in zip(chosen, made, strict=True)
    ]
    return block.then(
        plan.Split(selections),
        width=sum(matrix.width for matrix in made),
        nan=any(matrix.nan for matrix in made),
        infinite=any(matrix.infinite for matrix in made),
    )


def _through(inner: Any, block: Block) -> Matrix:
    if inner is None or isinstance(inner, str):
        return as_matrix(block)
    for stage in _stages(inner):
        block = transformed(stage, block)
    return as_matrix(block)


def _final(stage: Any, block: Block, classes: list[Any] | None) -> tuple[Matrix, plan.Final]:
    name = known_name(stage)
    if classes is not None:
        plain = {type(label) for label in classes} <= {bool, int, float, str}
        require(plain and len(classes) > 1, "The classes are no plain values, or fewer than two.")
    if name.startswith("HistGradientBoosting"):
        return boosting.histogram(stage, _preprocessed(stage, block), classes)
    matrix = as_matrix(block)
    if name in linear.CLASSIFIERS:
        return linear.classifier(stage, matrix, cast("list[Any]", classes))
    if name in linear.REGRESSORS:
        return linear.regressor(stage, matrix)
    if name in trees.SINGLE | trees.FORESTS:
        return trees.forest(stage, matrix, classes)
    if name.startswith("GradientBoosting"):
        return boosting.gradient(stage, matrix, classes)
    raise NotConverted(f"{name} has no kernel.")


def _preprocessed(stage: Any, block: Block) -> Matrix:
    preprocessor = former.preprocessor(stage)
    if preprocessor is None:
        return as_matrix(block)
    require(known_name(preprocessor) == "ColumnTransformer", "Boosting has a preprocessor of its own.")
    return _columns(preprocessor, block, passing="numerical")
