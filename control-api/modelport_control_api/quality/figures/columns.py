"""The columns of `quality.rows` as arrays, and the parts of them that are one bucket's."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from modelport_control_api.quality.rows import Columns

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Arrays:
    """As `quality.rows.Columns` has them. `scores` has a column for each class whose code is in `scored`."""

    predicted: Floats
    truth: Floats
    rewards: Floats
    scores: Floats
    scored: Codes

    @classmethod
    def of(cls, columns: Columns) -> Self:
        """Without a copy."""
        rows = len(columns.buckets)
        return cls(
            predicted=_floats(columns.predicted),
            truth=_floats(columns.truth),
            rewards=_floats(columns.rewards),
            scores=_floats(columns.scores).reshape(rows, len(columns.scored)),
            scored=np.array([columns.codes[name] for name in columns.scored], np.int64),
        )

    def __len__(self) -> int:
        return len(self.predicted)

    def where(self, chosen: Any) -> "Arrays":
        """A slice, or a mask of rows."""
        return Arrays(
            self.predicted[chosen], self.truth[chosen], self.rewards[chosen], self.scores[chosen], self.scored
        )

    def labelled(self) -> "Arrays":
        """Those whose prediction and truth are known."""
        return self.where(~np.isnan(self.truth) & ~np.isnan(self.predicted))

    def with_scores(self) -> "Arrays":
        """Those whose probabilities are known."""
        if not self.scored.size:
            return self.where(slice(0))
        return self.where(~np.isnan(self.scores).any(axis=1))


def by_bucket(columns: Columns, arrays: Arrays) -> Iterator[tuple[int, Arrays]]:
    """Yield those that have rows, the newest first."""
    numbers = np.frombuffer(columns.buckets, np.int64)
    edges = np.flatnonzero(np.diff(numbers)) + 1
    for start, end in zip([0, *edges], [*edges, len(numbers)], strict=True):
        yield int(numbers[start]), arrays.where(slice(start, end))


def _floats(column: Any) -> Floats:
    return np.frombuffer(column, np.float64)
