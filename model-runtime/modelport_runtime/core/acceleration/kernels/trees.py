"""All trees of an ensemble walked at once, level by level."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from modelport_runtime.core.acceleration import plan
from modelport_runtime.core.acceleration.kernels.steps import Matrix

_MAX_LANES = 100_000
"""Rows × trees walked together: bounds the memory that a request takes."""
_Integers = np.ndarray[Any, np.dtype[np.intp]]


class Trees:
    """Finds leaves. The arrays hold each node twice, so that node + "goes left" is the place of its child.

    The deepest trees stand first: at every level, those that are not at their end are a run at the start.
    """

    def __init__(self, trees: plan.Trees, dtype: type[np.floating[Any]]) -> None:
        levels = trees.levels.unpack()
        order = np.argsort(-levels, kind="stable")
        self.count = len(levels)
        self._walking = [int((levels > level).sum()) for level in range(int(levels.max(initial=0)))]
        self._roots = 2 * trees.roots.unpack()[order].astype(np.intp)
        self._in_order = np.argsort(order, kind="stable")
        self._feature = trees.feature.unpack().astype(np.intp).repeat(2)
        self._threshold = trees.threshold.unpack().astype(dtype).repeat(2)
        children = np.stack((trees.right.unpack(), trees.left.unpack()), axis=1)
        self._child = 2 * children.ravel().astype(np.intp)
        self._nan_left = trees.nan_left.unpack().astype(bool).repeat(2)
        self._categories = None if trees.category is None else _Categories(trees)
        self._width = trees.width
        self._all = _AllNodes(self) if len(self._feature) <= _few_nodes(self._walking) else None
        self._lanes = lru_cache(maxsize=128)(self._make_lanes)

    def leaves(self, matrix: Matrix) -> _Integers:
        """Return the leaf of each row in each tree, in the order of the plan: trees × n."""
        if len(matrix) == 1 and self._all is not None:
            return self._all.leaves(matrix)
        step = max(1, _MAX_LANES // self.count)
        if len(matrix) <= step:
            return self._walk(matrix)
        chunks = [self._walk(matrix[start : start + step]) for start in range(0, len(matrix), step)]
        return np.concatenate(chunks, axis=1)

    def go_left(self, matrix: Matrix, nodes: _Integers) -> Any:
        """Return n × nodes: whether a row that came to the node would go left there."""
        doubled = 2 * nodes
        cells = matrix.take(self._feature.take(doubled), 1)
        return self._rule(matrix)(cells, doubled)

    def _make_lanes(self, rows: int) -> tuple[_Integers, _Integers]:
        return self._roots.repeat(rows), np.tile(np.arange(rows) * self._width, self.count)

    def _walk(self, matrix: Matrix) -> _Integers:
        rows = len(matrix)
        roots, first_cells = self._lanes(rows) if rows <= 64 else self._make_lanes(rows)
        flat, node = matrix.ravel(), roots.copy()
        goes_left = self._rule(flat)
        for trees in self._walking:
            stop = trees * rows
            here = node[:stop]
            cells = flat.take(self._feature.take(here) + first_cells[:stop])
            node[:stop] = self._child.take(here + goes_left(cells, here))
        return (node >> 1).reshape(self.count, rows).take(self._in_order, 0)

    def _rule(self, flat: Matrix) -> Callable[[Matrix, _Integers], Any]:
        if self._categories is not None:
            return self._by_category
        return self._by_threshold_or_nan if np.isnan(flat).any() else self._by_threshold

    def _by_threshold(self, cells: Matrix, node: _Integers) -> Any:
        return cells <= self._threshold.take(node)

    def _by_threshold_or_nan(self, cells: Matrix, node: _Integers) -> Any:
        return np.where(np.isnan(cells), self._nan_left.take(node), cells <= self._threshold.take(node))

    def _by_category(self, cells: Matrix, node: _Integers) -> Any:
        assert self._categories is not None  # noqa: S101  # only then this rule is chosen
        ordinary = self._by_threshold_or_nan(cells, node)
        return self._categories.replace(ordinary, cells, node, self._nan_left)


class _AllNodes:
    """One row: all nodes are evaluated at once, and each tree then only followed. Fewer calls of NumPy."""

    def __init__(self, trees: Trees) -> None:
        self._trees = trees
        self._feature = trees._feature[::2].copy()
        self._threshold = trees._threshold[::2].copy()
        self._ordinary = trees._categories is None
        self._nodes = np.arange(len(self._feature)) * 2
        self._child = trees._child >> 1
        self._roots = (trees._roots >> 1).take(trees._in_order)
        self._levels = len(trees._walking)

    def leaves(self, row: Matrix) -> _Integers:
        flat = row.ravel()
        cells = flat.take(self._feature)
        if self._ordinary and not np.isnan(flat).any():
            left = cells <= self._threshold
        else:
            left = self._trees._rule(flat)(cells, self._nodes)
        following = self._child.take(self._nodes + left)
        node = self._roots
        for _ in range(self._levels):
            node = following.take(node)
        return node[:, None]


def _few_nodes(walking: list[int]) -> int:
    """Beyond so many (twice counted) nodes, to test only those on the way is faster."""
    return 2 * max(2_000, 16 * sum(walking))


class _Categories:
    def __init__(self, trees: plan.Trees) -> None:
        assert trees.category is not None  # noqa: S101  # see `Trees`
        assert trees.left_categories is not None  # noqa: S101  # validated: both or none
        self._row = trees.category.unpack().astype(np.intp).repeat(2)
        self._left = trees.left_categories.unpack().astype(bool).ravel()

    def replace(self, ordinary: Any, cells: Matrix, node: _Integers, nan_left: Any) -> Any:
        """Return `ordinary`, but by category at the nodes that test one."""
        row = self._row.take(node)
        missing = ~((cells >= 0) & (cells < 256))
        code = np.where(missing, 0, cells).astype(np.intp)
        by_category = self._left.take(np.maximum(row, 0) * 256 + code)
        return np.where(row < 0, ordinary, np.where(missing, nan_left.take(node), by_category))
