"""A trained model, and new rows for it without end."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.load.prepared import FIRST

IRIS_COLUMNS = ("sepal_length", "sepal_width", "petal_length", "petal_width")
_SEED = 7

Row = list[Any]


@dataclass(frozen=True)
class Model:
    """`columns`: names of a model that was fitted on a DataFrame, which callers send; None: bare rows.

    `data`: what it was fitted on, missing values as None.
    """

    name: str
    path: Path
    columns: tuple[str, ...] | None
    data: list[Row]

    def rows(self, seed: int = _SEED) -> Iterator[Row]:
        """New rows forever: rows of the data, their numbers moved by up to a tenth."""
        generator = random.Random(seed)
        while True:
            row = generator.choice(self.data)
            # The first is never missing: it carries the number that makes each request another.
            if isinstance(row[0], float):
                yield [_moved(value, generator) for value in row]

    def bodies(
        self, rows: int, encode: Callable[[list[Any]], Any], count: int
    ) -> Iterator[tuple[Any, float]]:
        """`count` bodies for `prepared.post`. `encode` gets rows, as dicts where there are columns."""
        source = self.rows()
        for _ in range(count):
            batch = [next(source) for _ in range(rows)]
            first, batch[0][0] = batch[0][0], FIRST
            yield encode([self.named(row) for row in batch]), first

    def named(self, row: Row) -> Any:
        return dict(zip(self.columns, row, strict=True)) if self.columns else row


def _moved(value: Any, generator: random.Random) -> Any:
    return round(value * generator.uniform(0.9, 1.1), 6) if isinstance(value, float) else value
