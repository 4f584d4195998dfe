"""TreeSHAP over all trees of an ensemble: by how much each column moved the output from its mean.

Path-dependent (Lundberg 2018): what a tree would give without a column is the mean of both sides of its
splits, weighted by the training rows that went there (`covers`). A column's part of one leaf is a sum of
Shapley's weights times a polynomial's coefficients, and those weights are integrals of Bernstein's
polynomials: so it is one integral over the product of the path's factors (Yu et al., Linear TreeSHAP, 2022),
exact with half as many Gauss points as a path has columns. One walk down and one up the trees does for all
leaves: rows × nodes × points numbers, where the textbook's algorithm takes the depth's square for each leaf.
"""

from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from modelport_runtime.core.acceleration import plan
from modelport_runtime.core.acceleration.kernels.steps import Matrix
from modelport_runtime.core.acceleration.kernels.trees import Trees

_CELLS = 150_000
"""Numbers of an array that is worked on at once: it stays in a processor's cache."""
_Integers = np.ndarray[Any, np.dtype[np.intp]]


class TreeContributions:
    """`columns` × outputs numbers for each row, which are together the trees' sum less `base`.

    `output_of`: of each root, which output its tree's one value adds to; None: trees have a value an output.
    """

    def __init__(self, trees: plan.Trees, kernel: Trees, values: Matrix, output_of: _Integers | None) -> None:
        self._trees, self._kernel, self._values = trees, kernel, values
        self._output_of = output_of
        self.outputs = values.shape[1] if output_of is None else int(output_of.max()) + 1

    @cached_property
    def _groups(self) -> list["_Group"]:
        shape = _Shape(self._trees)
        return [
            _Group(shape, self._values, self._output_of, places, points) for points, places in shape.alike()
        ]

    @cached_property
    def base(self) -> Matrix:
        """The trees' mean for each output."""
        base = np.zeros(self.outputs)
        for group in self._groups:
            base += group.base(self.outputs)
        return base

    @cached_property
    def cells(self) -> int:
        """How many numbers it takes for one row: the measure of the work."""
        outputs = 1 if self._output_of is not None else self.outputs
        return outputs * sum(group.nodes * group.points for group in self._groups)

    def of(self, matrix: Matrix) -> Matrix:
        """Return n × outputs × width."""
        found = np.zeros((self.outputs, self._trees.width, len(matrix)))
        for group in (each for each in self._groups if each.points):
            step = max(1, _CELLS // (group.nodes * group.points))
            for start in range(0, len(matrix), step):
                rows = matrix[start : start + step]
                group.add(found[:, :, start : start + step], self._satisfied(rows, group.inner))
        return found.transpose(2, 0, 1)

    def _satisfied(self, rows: Matrix, inner: _Integers) -> Any:
        """Return inner nodes × n: whether a row goes left there."""
        return self._kernel.go_left(rows, inner).T


class _Shape:
    """Which node is whose child, and how many columns stand on the way to it."""

    def __init__(self, trees: plan.Trees) -> None:
        self.feature = trees.feature.unpack().astype(np.intp)
        self.left, self.right = (side.unpack().astype(np.intp) for side in (trees.left, trees.right))
        assert trees.covers is not None  # noqa: S101  # validated: only then contributions are offered
        self.covers = trees.covers.unpack()
        self.roots = trees.roots.unpack().astype(np.intp)
        here = np.arange(len(self.left))
        self.is_inner = self.left != here
        inner = np.flatnonzero(self.is_inner)
        self.parent = here.copy()
        self.parent[self.left[inner]] = self.parent[self.right[inner]] = inner
        self.split_on = np.where(self.parent == here, -1, self.feature[self.parent])
        self.before = self._before()

    def _before(self) -> _Integers:
        """Return of each node the last one above it that was split off by the same column, else its root."""
        at = self.parent.copy()
        climbing = np.flatnonzero(self.split_on >= 0)
        while len(climbing):
            above = at[climbing]
            climbing = climbing[
                (self.split_on[above] != self.split_on[climbing]) & (self.split_on[above] >= 0)
            ]
            at[climbing] = self.parent[at[climbing]]
        return at

    def alike(self) -> Iterator[tuple[int, _Integers]]:
        """Return the places of roots whose trees take equally many points and fit into the cache."""
        points, sizes = self._points_and_sizes()
        for count in np.unique(points).tolist():
            places = np.flatnonzero(points == count)
            chunks = np.cumsum(sizes[places] * count) // _CELLS
            for chunk in np.split(places, np.flatnonzero(np.diff(chunks)) + 1):
                yield count, chunk

    def _points_and_sizes(self) -> tuple[_Integers, _Integers]:
        """Return for each tree the points for the most columns on a way through it, and its nodes."""
        points, sizes = np.zeros(len(self.roots), np.intp), np.zeros(len(self.roots), np.intp)
        columns = np.zeros(len(self.left), np.intp)
        for level, tree in self.levels(np.arange(len(self.roots))):
            is_first = (self.before[level] == self.roots[tree]) & (self.split_on[level] >= 0)
            columns[level] = columns[self.parent[level]] + is_first
            np.maximum.at(points, tree, (columns[level] + 1) // 2)
            np.add.at(sizes, tree, 1)
        return points, sizes

    def levels(self, places: _Integers) -> Iterator[tuple[_Integers, _Integers]]:
        """Return the nodes of each level, children in pairs, and whose tree each is of."""
        level, tree = self.roots[places], places
        while len(level):
            yield level, tree
            inner = self.is_inner[level]
            parents = level[inner]
            level = np.stack((self.left[parents], self.right[parents]), axis=1).ravel()
            tree = tree[inner].repeat(2)


class _Group:
    """Some trees, their nodes level by level: after the roots the children of each inner node in turn."""

    def __init__(
        self,
        shape: _Shape,
        values: Matrix,
        output_of: _Integers | None,
        places: _Integers,
        points: int,
    ) -> None:
        found = list(shape.levels(places))
        nodes, trees = (np.concatenate(one) for one in zip(*found, strict=True))
        stops = np.cumsum([0, *(len(level) for level, _ in found)]).tolist()
        self._below_the_roots = list(pairwise(stops))[1:]
        self.nodes, self.points = len(nodes), points
        position = np.zeros(len(shape.left), np.intp)
        position[nodes] = np.arange(self.nodes)
        is_inner = shape.is_inner[nodes]
        self.inner = nodes[is_inner]
        self._parent, self._before = position[shape.parent[nodes]], position[shape.before[nodes]]
        self._values = np.where(is_inner[:, None], 0.0, values[nodes])
        self._output = None if output_of is None else output_of[trees]
        self._share = shape.covers[nodes] / shape.covers[shape.parent[nodes]]
        self._merged = self._downwards(self._share, self._before)
        t, weights = np.polynomial.legendre.leggauss(max(points, 1))
        self._t, self._weights = (t + 1) / 2, weights / 2
        self._order_edges(shape.split_on[nodes])

    def _downwards(self, factors: Matrix, above: _Integers) -> Matrix:
        """Return each node's factor times that of the node `above` it, and so on up to its root."""
        product = factors.copy()
        for start, stop in self._below_the_roots:
            product[start:stop] *= product[above[start:stop]]
        return product

    def _order_edges(self, split_on: Any) -> None:
        """Put all edges of a column (and output) side by side, to be summed."""
        edges = np.flatnonzero(split_on >= 0)
        width = int(split_on.max(initial=0)) + 1
        keys = split_on[edges] + (0 if self._output is None else width * self._output[edges])
        order = np.argsort(keys, kind="stable")
        self._edges = edges[order]
        found, self._starts = np.unique(keys[order], return_index=True)
        self._columns, self._outputs = found % width, found // width

    def base(self, outputs: int) -> Matrix:
        """Return the mean of the training rows for each output."""
        weights = self._downwards(self._share, self._parent)
        if self._output is None:
            mean: Matrix = weights @ self._values
            return mean
        return np.bincount(self._output, weights * self._values[:, 0], outputs)

    def add(self, found: Matrix, goes_left: Any) -> None:
        """Add to outputs × width × n what these trees contribute; `goes_left`: inner nodes × n."""
        slopes, product = self._walked_down(goes_left)
        for output in range(self._values.shape[1]):
            moved = np.einsum("enq,enq->en", slopes, self._walked_up(product, output)[self._edges])
            sums = np.add.reduceat(moved, self._starts, axis=0)
            if self._output is None:
                found[output, self._columns] += sums
            else:
                found[self._outputs, self._columns] += sums

    def _walked_down(self, goes_left: Any) -> tuple[Matrix, Matrix]:
        """Return edges × n × points, what each edge takes of what lies below it, and of each node the product
        of the factors on the way to it.
        """
        passes = self._passes(goes_left)[:, :, None]
        merged = self._merged[:, None, None]
        factors = merged * (1 - self._t) + passes * self._t
        slopes = self._weights * (passes - merged) / factors
        product = factors / factors.take(self._before, 0)
        for start, stop in self._below_the_roots:
            product[start:stop] *= product.take(self._parent[start:stop], 0)
        return slopes.take(self._edges, 0) - slopes.take(self._before[self._edges], 0), product

    def _passes(self, goes_left: Any) -> Any:
        """Return nodes × n: whether a row fulfils all conditions on the node's column on the way to it."""
        sides = np.stack((goes_left, ~goes_left), axis=1).reshape(-1, goes_left.shape[1])
        roots = np.ones((self.nodes - len(sides), goes_left.shape[1]), bool)
        passes = np.concatenate((roots, sides))
        for start, stop in self._below_the_roots:
            passes[start:stop] &= passes.take(self._before[start:stop], 0)
        return passes

    def _walked_up(self, product: Matrix, output: int) -> Matrix:
        """Return at each node the sum of what the leaves below it give."""
        held = product * self._values[:, output, None, None]
        for start, stop in reversed(self._below_the_roots):
            held[self._parent[start:stop:2]] = held[start:stop:2] + held[start + 1 : stop : 2]
        return held
