"""Rows of a file with the probabilities that a version gave and what was true, as CSV or JSON Lines."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from modelport_control_api.errors import DomainError
from modelport_control_api.ground_truth.classes import number_of
from modelport_control_api.ground_truth.reading import Observation


class CalibrationInvalid(DomainError):
    """The message says where, and what to do."""

    status = 422


MOST_ROWS = 200_000
"""The first of them are read: more make no better curve."""
_PREFIX = "probability_"
_HINT = "A batch job with probabilities=true, over rows that keep their label as a column, gives such a file"
_NOW = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class FileRow:
    """`cells`: its columns, or fields, by name. `is_text`: they are what a CSV has."""

    label: Any
    probabilities: dict[str, float]
    cells: Mapping[str, Any]
    is_text: bool

    @property
    def prediction(self) -> Any:
        """What the version said; else the class with the highest probability."""
        given = self.cells.get("prediction")
        known = given if isinstance(given, str | int | float) and given != "" else None
        return max(self.probabilities, key=lambda name: self.probabilities[name]) if known is None else known

    def as_observed(self, prediction: Any) -> Observation:
        """As if it had been predicted. prediction: one of the version's, for the kind of its classes."""
        return Observation("", _NOW, "", prediction, self.probabilities, self.label, None)


def read(path: Path, label: str) -> Iterator[FileRow]:
    """label: the name of the column, or field, with the truth. Raises CalibrationInvalid."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            rows = _json_lines if file.read(1) == "{" else _csv
            file.seek(0)
            yield from islice(rows(file, label), MOST_ROWS)
        except UnicodeDecodeError as error:
            raise CalibrationInvalid("The file is no text in UTF-8: save it as such.") from error
        except csv.Error as error:
            raise CalibrationInvalid(f"The file is no CSV: {error}.") from error


def _csv(file: Iterable[str], label: str) -> Iterator[FileRow]:
    reader = csv.DictReader(file)
    columns = [name for name in reader.fieldnames or () if name.startswith(_PREFIX)]
    if label not in (reader.fieldnames or ()) or len(columns) < 2:
        raise CalibrationInvalid(
            f"The header of a CSV needs the column {label}, and {_PREFIX}<class> for each class. {_HINT}."
        )
    for row in reader:
        given = {name.removeprefix(_PREFIX): row[name] for name in columns}
        if row[label]:
            yield FileRow(row[label], _checked(given, reader.line_num), row, is_text=True)


def _json_lines(file: Iterable[str], label: str) -> Iterator[FileRow]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise CalibrationInvalid(f"Line {number} is no JSON: {error}.") from error
        given = row.get("probabilities") if isinstance(row, dict) else None
        if not isinstance(given, dict) or label not in row:
            raise CalibrationInvalid(
                f"Line {number} must be an object with {label} and probabilities. {_HINT}."
            )
        if isinstance(row[label], str | int | float):
            yield FileRow(row[label], _checked(given, number), row, is_text=False)


def _checked(given: Mapping[str, Any], line: int) -> dict[str, float]:
    probabilities = {name: number_of(value) for name, value in given.items()}
    for name, value in probabilities.items():
        if value is None or not 0 <= value <= 1:
            raise CalibrationInvalid(f"Line {line}: the probability of {name} is none from 0 to 1.")
    return {name: float(value) for name, value in probabilities.items() if value is not None}
