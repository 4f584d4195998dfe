"""Reads what was predicted into columns of numbers, never more than one response may hold."""

from array import array
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import isnan, nan
from typing import Any, Literal

from modelport_control_api.ground_truth.classes import class_name, number_of
from modelport_control_api.ground_truth.reading import Observation

Task = Literal["classification", "regression"]
Signatures = Callable[[str], Mapping[str, Any] | None]
"""Of a version, by its name; None: it is not known (any more)."""
MOST_NUMBERS = 4_000_000
"""Of the columns of one response: 32 MB, and a few times that while they are computed with."""

_TASKS: Mapping[Any, Task] = {
    "classifier": "classification",
    "clusterer": "classification",
    "outlier": "classification",
    "regressor": "regression",
}
_OWN_COLUMNS = 4


@dataclass(slots=True)
class Columns:
    """Rows of one version, the newest first. NaN: it is not known.

    Of a classification `predicted` and `truth` have codes of classes, and `scores` of each row the
    probabilities of the classes `scored`.
    """

    task: Task
    buckets: "array[int]" = field(default_factory=lambda: array("q"))
    predicted: "array[float]" = field(default_factory=lambda: array("d"))
    truth: "array[float]" = field(default_factory=lambda: array("d"))
    rewards: "array[float]" = field(default_factory=lambda: array("d"))
    scores: "array[float]" = field(default_factory=lambda: array("d"))
    codes: dict[str, int] = field(default_factory=dict)
    scored: tuple[str, ...] = ()
    known: frozenset[str] = frozenset()
    """The classes that the version can predict; empty: that is not known."""
    unreadable: int = 0
    """Labels that say no number, of a regression."""

    @property
    def numbers(self) -> int:
        """How much there is of it."""
        return _OWN_COLUMNS * len(self.buckets) + len(self.scores)

    def code(self, name: str) -> int:
        return self.codes.setdefault(name, len(self.codes))


@dataclass(frozen=True, slots=True)
class Reading:
    """`since`: where more was there than one answer holds, the first moment of what was read."""

    versions: dict[str, Columns]
    since: datetime | None


def read(
    observations: Iterable[Observation],
    bucket_of: Callable[[datetime], int],
    signatures: Signatures,
    most_numbers: int = MOST_NUMBERS,
) -> Reading:
    """observations: the newest first. bucket_of: from a moment to its bucket's number."""
    readers: dict[str, _Reader] = {}
    left, since = most_numbers, None
    for each in observations:
        if left <= 0:
            return Reading({name: one.columns for name, one in readers.items()}, since)
        reader = readers.get(each.version)
        if reader is None:
            reader = readers[each.version] = _Reader.of(each, signatures(each.version))
        left -= reader.add(each, bucket_of(each.at))
        since = each.at
    return Reading({name: one.columns for name, one in readers.items()}, None)


class _Reader:
    """Of one version. Rows come in at 100,000 a second: names are looked up by what says them."""

    def __init__(self, columns: Columns, example: Any) -> None:
        self.columns = columns
        self._example = example
        self._codes: dict[tuple[type, Any], int] = {}
        self._keys: tuple[str, ...] = ()

    @classmethod
    def of(cls, first: Observation, signature: Mapping[str, Any] | None) -> "_Reader":
        columns = Columns(_task(first, signature))
        classes = (signature or {}).get("classes") or ()
        columns.known = frozenset(class_name(each, first.prediction) for each in classes)
        return cls(columns, first.prediction)

    def add(self, row: Observation, bucket: int) -> int:
        """Return how many numbers it took."""
        columns, before = self.columns, self.columns.numbers
        columns.buckets.append(bucket)
        columns.rewards.append(nan if row.reward is None else row.reward)
        if columns.task == "regression":
            columns.predicted.append(_number(row.prediction))
            columns.truth.append(self._true_number(row.label))
        else:
            columns.predicted.append(self._code(row.prediction))
            columns.truth.append(self._code(row.label))
            self._add_scores(row.probabilities)
        return columns.numbers - before

    def _true_number(self, label: Any) -> float:
        number = _number(label)
        self.columns.unreadable += label is not None and isnan(number)
        return number

    def _code(self, value: Any) -> float:
        if value is None:
            return nan
        # 1, 1.0 and true are equal as keys of a dict, and not always one class.
        key = (type(value), value)
        code = self._codes.get(key)
        if code is None:
            code = self._codes[key] = self.columns.code(class_name(value, self._example))
        return code

    def _add_scores(self, given: Mapping[str, float] | None) -> None:
        columns = self.columns
        if given and not self._keys:
            self._begin_scores(given)
        if given and len(given) == len(self._keys) and all(key in given for key in self._keys):
            columns.scores.extend(_number(given[key]) for key in self._keys)
        else:
            columns.scores.extend(nan for _ in self._keys)

    def _begin_scores(self, given: Mapping[str, float]) -> None:
        columns = self.columns
        self._keys = tuple(given)
        columns.scored = tuple(class_name(key, self._example) for key in given)
        for name in columns.scored:
            columns.code(name)
        columns.known = frozenset(columns.scored)
        # Of the rows before this one, which had none.
        columns.scores.extend(nan for _ in range(len(self._keys) * (len(columns.buckets) - 1)))


def _task(first: Observation, signature: Mapping[str, Any] | None) -> Task:
    if known := _TASKS.get((signature or {}).get("task")):
        return known
    is_number = isinstance(first.prediction, int | float) and not isinstance(first.prediction, bool)
    return "regression" if is_number and not first.probabilities else "classification"


def _number(value: Any) -> float:
    number = number_of(value)
    return nan if number is None else float(number)
