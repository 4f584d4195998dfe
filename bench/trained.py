"""The models that are measured, trained on data that comes with scikit-learn, and new rows for each."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from prepared import FIRST

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
        """New rows for ever: rows of the data, their numbers moved by up to a tenth."""
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


def train(folder: Path) -> dict[str, Model]:
    """Fit all in a process of its own, save them into `folder`."""
    return _elsewhere("fit_all", folder)


def unnamed(model: Model) -> Path:
    """The same model fitted on bare arrays, for servers that know no names; they are then a little faster."""
    return _elsewhere("unnamed", model)


def _elsewhere(function: str, argument: Any) -> Any:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_call, function, argument).result()


def _call(function: str, argument: Any) -> Any:
    # Here and not above, see there.
    import estimators

    return getattr(estimators, function)(argument)


def one_or_many(rows: list[Any]) -> Any:
    """Modelport's body, and the naive server's."""
    return {"input": rows[0]} if len(rows) == 1 else {"inputs": rows}


def v1(rows: list[Any]) -> Any:
    """KServe's V1 protocol: rows as lists."""
    return {"instances": [_values(row) for row in rows]}


def v2(rows: list[Any]) -> Any:
    """The Open Inference Protocol: one tensor of float64."""
    values = [value for row in rows for value in _values(row)]
    shape = [len(rows), len(values) // len(rows)]
    return {"inputs": [{"name": "predict", "shape": shape, "datatype": "FP64", "data": values}]}


def _values(row: Any) -> list[Any]:
    return list(row.values()) if isinstance(row, dict) else row
