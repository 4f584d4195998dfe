"""How often rows of each of a feature's cells were predicted rightly."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from modelport_telemetry.drift.bins import MISSING, Feature
from modelport_telemetry.drift.counting import cell_of

from modelport_control_api.batch.results.columns import shown_key
from modelport_control_api.drift.profiles.profile import ColumnProfile
from modelport_control_api.drift.profiles.profiling import cell_of_text
from modelport_control_api.ground_truth.classes import class_name
from modelport_control_api.quality.calibration.file_rows import FileRow

_Cell = Callable[[Any], int]


class CellCounts:
    """Counts rows, and those that were right, by each feature that the file has a column of."""

    def __init__(self, columns: Sequence[ColumnProfile]) -> None:
        self._columns = columns
        self._found: Mapping[str, tuple[str, _Cell]] | None = None
        self._counts: dict[str, list[list[int]]] = {}

    def add(self, row: FileRow, example: Any) -> None:
        """example: one of the version's predictions, for the kind of its classes."""
        if self._found is None:
            self._found = self._finders(row)
        is_right = class_name(row.prediction, example) == class_name(row.label, example)
        for feature, (column, find) in self._found.items():
            counts = self._counts[feature][self._cell(row.cells.get(column), find)]
            counts[0] += 1
            counts[1] += is_right

    def as_json(self) -> dict[str, list[list[int]]]:
        """Return them by the feature's name, as `drift.evaluation.effects` reads them."""
        return self._counts

    def _finders(self, first: FileRow) -> dict[str, tuple[str, _Cell]]:
        """Of those features that the first row has."""
        find = cell_of_text if first.is_text else cell_of
        found = {}
        for each in self._columns:
            column = shown_key(each.name, contributions=False)
            if column in first.cells:
                found[each.name] = column, find(Feature(each.name, each.position, each.bins))
                self._counts[each.name] = [[0, 0] for _ in each.cells]
        return found

    @staticmethod
    def _cell(value: Any, find: _Cell) -> int:
        return MISSING if value is None else find(value)
