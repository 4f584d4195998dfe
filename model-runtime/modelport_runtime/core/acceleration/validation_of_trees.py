"""Whether arrays are trees: no node out of range, none that leads back, none deeper than it says."""

from typing import Any

import numpy as np
from modelport_http.wording import counted

from modelport_runtime.core.acceleration import plan
from modelport_runtime.core.acceleration.plan import Array, PlanRefused

MAX_LEVELS = 512
MAX_NODES = 1_000_000
"""Of about 150 bytes each, while the plan is read."""
_CODES = 256


def check_trees(trees: plan.Trees, width: int) -> None:
    """Raise `PlanRefused` unless a walk over a matrix of `width` columns ends where it should."""
    nodes = _length(trees.feature)
    if trees.width != width or not 0 < nodes <= MAX_NODES or not 0 < _length(trees.roots) <= nodes:
        raise PlanRefused(
            f"{counted(nodes, 'node')} for {counted(trees.width, 'column')} instead of {width}, "
            "or too many trees"
        )
    _check_nodes(trees, nodes, width)
    _check_children(trees, nodes)
    _check_levels(trees, nodes)
    _check_categories(trees, nodes)


def check_covers(trees: plan.Trees) -> None:
    """Raise `PlanRefused` unless each node has a weight and one way to it: contributions take all ways."""
    if trees.covers is None:
        raise PlanRefused("contributions of trees without covers")
    nodes = _length(trees.feature)
    covers = _vector(trees.covers, "float64", nodes)
    if not (np.isfinite(covers) & (covers > 0)).all():
        raise PlanRefused("a node that no training row came to")
    left, right = trees.left.unpack(), trees.right.unpack()
    inner = left != np.arange(nodes)
    met = np.bincount(np.concatenate((left[inner], right[inner], trees.roots.unpack())), minlength=nodes)
    if met.max() > 1:
        raise PlanRefused("two ways lead to a node")


def _length(array: Array) -> int:
    return array.shape[0] if array.shape else 0


def _vector(array: Array, dtype: str, length: int) -> np.ndarray[Any, Any]:
    if array.dtype != dtype or array.shape != (length,):
        raise PlanRefused(f"a {array.dtype} array of shape {array.shape}, not of the length {length}")
    return array.unpack()


def _within(values: np.ndarray[Any, Any], low: int, stop: int) -> None:
    if values.min(initial=low) < low or values.max(initial=low) >= stop:
        raise PlanRefused(f"an index in a tree is not from {low} to {stop - 1}")


def _check_nodes(trees: plan.Trees, nodes: int, width: int) -> None:
    _within(_vector(trees.feature, "int64", nodes), 0, width)
    _vector(trees.threshold, "float64", nodes)
    _vector(trees.nan_left, "uint8", nodes)
    if trees.values.dtype != "float64" or len(trees.values.shape) != 2 or trees.values.shape[0] != nodes:
        raise PlanRefused(f"values of shape {trees.values.shape} for {counted(nodes, 'node')}")
    trees.values.unpack()


def _check_children(trees: plan.Trees, nodes: int) -> None:
    left, right = _vector(trees.left, "int64", nodes), _vector(trees.right, "int64", nodes)
    here = np.arange(nodes)
    is_leaf = (left == here) & (right == here)
    leads_on = (left > here) & (right > here) & (left < nodes) & (right < nodes)
    if not (is_leaf | leads_on).all():
        raise PlanRefused("a node leads back, out of its tree, or only on one side")


def _check_levels(trees: plan.Trees, nodes: int) -> None:
    count = _length(trees.roots)
    roots = _vector(trees.roots, "int64", count)
    levels = _vector(trees.levels, "int64", count)
    _within(roots, 0, nodes)
    _within(levels, 0, MAX_LEVELS + 1)
    if (depths_of(trees.left.unpack(), trees.right.unpack()).take(roots) > levels).any():
        raise PlanRefused("a tree is deeper than it says")


def depths_of(left: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return how many steps it takes from each node to its deepest leaf; beyond `MAX_LEVELS` at least
    that.
    """
    depths = np.zeros(len(left), dtype=np.int64)
    is_inner = left != np.arange(len(left))
    for _ in range(MAX_LEVELS + 2):
        deeper = np.where(is_inner, 1 + np.maximum(depths.take(left), depths.take(right)), 0)
        if (deeper == depths).all():
            break
        depths = deeper
    return depths


def _check_categories(trees: plan.Trees, nodes: int) -> None:
    if (trees.category is None) != (trees.left_categories is None):
        raise PlanRefused("categories without their sets, or sets without categories")
    if trees.category is None or trees.left_categories is None:
        return
    sets = trees.left_categories
    if sets.dtype != "uint8" or len(sets.shape) != 2 or sets.shape[0] == 0 or sets.shape[1] != _CODES:
        raise PlanRefused(f"sets of categories of shape {sets.shape}")
    sets.unpack()
    _within(_vector(trees.category, "int64", nodes), -1, sets.shape[0])
