"""Many predictions at once: a list, and what pandas makes of it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from modelport.errors import ModelportError
from modelport.models import Prediction


class Predictions(list[Prediction]):
    """One prediction for each row, in the order of the rows: a list, and as pandas has it if wanted.

    `index`: that of the data frame or Series that was predicted, which the results then have too.
    """

    def __init__(self, found: Iterable[Prediction] = (), index: Any = None) -> None:
        super().__init__(found)
        # `index` is a method of every list.
        self._index = index

    def to_series(self) -> Any:
        """Return the predictions alone, as a pandas Series. Raises `ModelportError` without pandas."""
        values = [each.prediction for each in self]
        return _pandas().Series(values, index=self._index, name="prediction")

    def to_frame(self) -> Any:
        """Return a pandas DataFrame of all that was requested. Raises `ModelportError` without pandas.

        Columns are `prediction`, `probability_<class>` and the other outputs by their names; of an output
        with several values one for each, `<name>_<key or place>`.
        """
        return _pandas().DataFrame([dict(_cells(each)) for each in self], index=self._index)


def _cells(row: Prediction) -> Iterator[tuple[str, Any]]:
    if row.prediction is not None or not (row.probabilities or row.outputs):
        yield from _flat("prediction", row.prediction)
    if row.probabilities is not None:
        yield from _flat("probability", row.probabilities)
    for name, value in row.outputs.items():
        yield from _flat(name, value)


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        parts: Iterable[tuple[Any, Any]] = value.items()
    elif isinstance(value, list):
        parts = enumerate(value)
    else:
        yield name, value
        return
    for key, part in parts:
        yield from _flat(f"{name}_{key}", part)


def _pandas() -> Any:
    try:
        import pandas
    except ImportError as error:
        raise ModelportError(f"This needs pandas ({error}): pip install 'modelport[pandas]'.") from error
    return pandas
