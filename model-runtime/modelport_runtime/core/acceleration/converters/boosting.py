"""Gradient boosting: the classic one on single trees, and the one on histograms."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from modelport_runtime.core.acceleration import plan
from modelport_runtime.core.acceleration.converters import former
from modelport_runtime.core.acceleration.converters.blocks import Matrix, NotConverted, known_name, require
from modelport_runtime.core.acceleration.converters.trees import Tree, bounded, leaf, nodes_of, packed

Link = Literal["identity", "exp", "logistic", "softmax"]
_CODES = 256


def gradient(stage: Any, block: Matrix, classes: list[Any] | None) -> tuple[Matrix, plan.Final]:
    """GradientBoostingClassifier and -Regressor. What it starts from is a tree of one leaf."""
    outputs = former.trees_per_iteration(stage)
    trees = [leaf(value) for value in _start(stage, block.width, outputs)]
    for member in stage.estimators_.ravel():
        known_name(member)
        values = stage.learning_rate * member.tree_.value[:, 0, :1]
        trees.append(nodes_of(member.tree_, values))
    final = plan.Boosting(
        packed(trees, block.width),
        outputs,
        classes,
        _link(stage, classes, outputs),
        zero_is_positive=True,
        single_precision=True,
        checks=True,
    )
    return block, final


def _start(stage: Any, width: int, outputs: int) -> list[float]:
    start = stage.init_
    constant = isinstance(start, str) or type(start).__name__ in ("DummyClassifier", "DummyRegressor")
    require(constant, f"Gradient boosting starts from a {type(start).__name__}.")
    given = np.asarray(stage._raw_predict_init(np.zeros((1, width), dtype=np.float32)))
    require(given.shape == (1, outputs), "Gradient boosting starts from an unknown shape.")
    return [float(value) for value in given[0]]


def _link(stage: Any, classes: list[Any] | None, outputs: int) -> Link:
    name = type(stage._loss).__name__
    if name in former.LINKS:
        return former.LINKS[name]
    if classes is None:
        link = type(getattr(stage._loss, "link", None)).__name__
        require(link in ("IdentityLink", "LogLink"), f"The link {link} has no kernel.")
        # The classic one's regressors give what they sum up.
        return "exp" if link == "LogLink" and hasattr(stage, "_predictors") else "identity"
    require(name in ("HalfBinomialLoss", "HalfMultinomialLoss"), f"The loss {name} has no kernel.")
    return "logistic" if outputs == 1 else "softmax"


def histogram(stage: Any, block: Matrix, classes: list[Any] | None) -> tuple[Matrix, plan.Final]:
    """HistGradientBoostingClassifier and -Regressor, on what their own preprocessor gives."""
    outputs = former.trees_per_iteration(stage)
    require(not former.has_codes_of_its_own(stage), "Boosting looks its categories up itself.")
    baseline = np.asarray(stage._baseline_prediction, dtype=np.float64).ravel()
    require(len(baseline) == outputs, "Boosting starts from an unknown shape.")
    sets: list[Any] = []
    grown = bounded(_grown(stage, sets))
    trees = [*(leaf(float(value)) for value in baseline), *grown]
    if sets:
        trees = [_with_category(tree) for tree in trees]
    final = plan.Boosting(
        packed(trees, block.width, np.array(sets) if sets else None),
        outputs,
        classes,
        _link(stage, classes, outputs),
        zero_is_positive=False,
        single_precision=False,
        checks=False,
    )
    return block, final


def _grown(stage: Any, sets: list[Any]) -> Iterator[Tree]:
    """Return one tree after the other, and add their sets of categories to `sets`."""
    for predictor in _predictors(stage):
        yield _nodes(predictor, len(sets))
        sets += _sets(predictor)


def _predictors(stage: Any) -> Iterator[Any]:
    for iteration in stage._predictors:
        for predictor in iteration:
            if type(predictor).__name__ != "TreePredictor" or "predict" in vars(predictor):
                raise NotConverted(f"Boosting holds a {type(predictor).__name__}.")
            yield predictor


def _nodes(predictor: Any, first_set: int) -> Tree:
    nodes = predictor.nodes
    here = np.arange(len(nodes))
    is_leaf = nodes["is_leaf"].astype(bool)
    categorical = nodes["is_categorical"].astype(bool) & ~is_leaf
    tree = Tree(
        np.where(is_leaf, 0, nodes["feature_idx"]),
        np.where(is_leaf | categorical, 0.0, nodes["num_threshold"]),
        np.where(is_leaf, here, nodes["left"]),
        np.where(is_leaf, here, nodes["right"]),
        nodes["missing_go_to_left"].astype(np.uint8),
        nodes["value"][:, None].astype(np.float64),
        nodes["count"].astype(np.float64),
    )
    if not categorical.any():
        return tree
    return replace(tree, category=np.where(categorical, nodes["bitset_idx"].astype(np.int64) + first_set, -1))


def _with_category(tree: Tree) -> Tree:
    return tree if tree.category is not None else replace(tree, category=np.full(len(tree.feature), -1))


def _sets(predictor: Any) -> list[Any]:
    """Return a row of 256 zeros and ones for each bit set of 8 × 32 bits."""
    words = np.ascontiguousarray(predictor.raw_left_cat_bitsets, dtype="<u4")
    bits = np.unpackbits(words.view(np.uint8), axis=1, bitorder="little")
    return list(bits.reshape(-1, _CODES)) if len(words) else []
