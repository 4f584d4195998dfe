"""scikit-learn's trees, and the ensembles of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from modelport_http.wording import counted

from modelport_runtime.core.acceleration import plan
from modelport_runtime.core.acceleration.converters import former
from modelport_runtime.core.acceleration.converters.blocks import Matrix, known_name, require
from modelport_runtime.core.acceleration.plan import pack
from modelport_runtime.core.acceleration.validation_of_trees import MAX_LEVELS, MAX_NODES, depths_of

_Vector = np.ndarray[Any, Any]
SINGLE = {"DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor"}
FORESTS = {
    *("RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor"),
}


@dataclass(frozen=True)
class Tree:
    """One tree's nodes; a leaf is its own child. `values`: nodes × k. `category`: -1 or a row of the sets.

    `covers`: the weight of the training rows that came to each.
    """

    feature: _Vector
    threshold: _Vector
    left: _Vector
    right: _Vector
    nan_left: _Vector
    values: _Vector
    covers: _Vector
    category: _Vector | None = None


def leaf(value: float) -> Tree:
    """Make a tree that gives the same for every row."""
    zero = np.zeros(1, dtype=np.int64)
    return Tree(zero, np.zeros(1), zero, zero, np.zeros(1, dtype=np.uint8), np.array([[value]]), np.ones(1))


def forest(stage: Any, block: Matrix, classes: list[Any] | None) -> tuple[Matrix, plan.Final]:
    """One tree is a forest of one."""
    members = [stage] if type(stage).__name__ in SINGLE else list(stage.estimators_)
    require(getattr(stage, "n_outputs_", 1) == 1, "A forest has several outputs.")
    trees = packed((_tree(member, classes) for member in members), block.width)
    return block, plan.Forest(trees, classes, nan_allowed=former.takes_missing(members[0]))


def _tree(member: Any, classes: list[Any] | None) -> Tree:
    known_name(member)
    values = member.tree_.value[:, 0, :]
    if classes is None:
        return nodes_of(member.tree_, values[:, :1])
    return nodes_of(member.tree_, former.shares(values[:, : len(classes)]))


def nodes_of(tree: Any, values: _Vector) -> Tree:
    """Read the nodes of a fitted `Tree`; thresholds as the float32 numbers that separate the same rows."""
    here = np.arange(tree.node_count)
    is_leaf = tree.children_left < 0
    return Tree(
        np.where(is_leaf, 0, tree.feature),
        np.where(is_leaf, 0.0, rounded_down(tree.threshold)),
        np.where(is_leaf, here, tree.children_left),
        np.where(is_leaf, here, tree.children_right),
        former.missing_go_left(tree),
        np.asarray(values, dtype=np.float64),
        np.asarray(tree.weighted_n_node_samples, dtype=np.float64),
    )


def rounded_down(threshold: _Vector) -> _Vector:
    """Return the largest float32 ≤ each: a float32 is ≤ one exactly if it is ≤ the other."""
    single = threshold.astype(np.float32)
    return np.where(single > threshold, np.nextafter(single, np.float32(-np.inf)), single)


def bounded(trees: Iterable[Tree]) -> list[Tree]:
    """Collect trees. Raises `NotConverted` once they have more nodes than a server process has memory for."""
    collected, nodes = [], 0
    for tree in trees:
        nodes += len(tree.feature)
        require(nodes <= MAX_NODES, f"The trees have more than {MAX_NODES:,} nodes.")
        collected.append(tree)
    return collected


def packed(given: Iterable[Tree], width: int, left_categories: _Vector | None = None) -> plan.Trees:
    """Put the nodes of all trees one after the other. Raises `NotConverted` if too many, or one too deep."""
    trees = bounded(given)
    starts = np.cumsum([0, *(len(tree.feature) for tree in trees[:-1])])
    depths = [int(depths_of(tree.left, tree.right)[0]) for tree in trees]
    require(max(depths) <= MAX_LEVELS, f"A tree is {counted(max(depths), 'level')} deep or more.")

    def joined(name: str) -> _Vector:
        return np.concatenate([getattr(tree, name) for tree in trees])

    def moved(name: str) -> _Vector:
        pairs = zip(trees, starts, strict=True)
        return np.concatenate([getattr(tree, name) + start for tree, start in pairs])

    categories = left_categories is not None
    return plan.Trees(
        width=width,
        feature=pack(joined("feature"), "int64"),
        threshold=pack(joined("threshold")),
        left=pack(moved("left"), "int64"),
        right=pack(moved("right"), "int64"),
        nan_left=pack(joined("nan_left"), "uint8"),
        category=pack(joined("category"), "int64") if categories else None,
        left_categories=pack(left_categories, "uint8") if categories else None,
        values=pack(joined("values")),
        roots=pack(starts, "int64"),
        levels=pack(depths, "int64"),
        covers=_covers(joined("covers")),
    )


def _covers(covers: _Vector) -> plan.Array | None:
    """Return None where no training row came to a node: what it would weigh is not known."""
    return pack(covers) if bool((np.isfinite(covers) & (covers > 0)).all()) else None
