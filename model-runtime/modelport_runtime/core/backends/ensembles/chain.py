"""Members that get what others gave, and the members of a chain, of whom each does."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from modelport_runtime.core.backends.ensembles.columns import Rows, mismatch, united
from modelport_runtime.core.backends.ensembles.members import Member, numbers_or_list
from modelport_runtime.core.backends.estimators.results import Unreadable
from modelport_runtime.core.rows import RowDecoder
from modelport_runtime.core.signature import Column, Signature
from modelport_runtime.core.types import Outputs, Rejected, Unfit
from modelport_runtime.core.values import converter

Given = Mapping[str, Any]
"""Columns that members gave: arrays of numbers, or lists, a value a row."""


class Feed:
    """Makes a member's rows of columns of the row, and of columns that other members gave, by their names.

    `sources`: for each of its columns its place in the row, or the name of what was given.
    """

    def __init__(self, member: Member, sources: Sequence[int | str]) -> None:
        self.member = member
        self.sources = sources
        self.uses = frozenset(source for source in sources if isinstance(source, str))
        columns = member.signature.columns or ()
        self._readers = [_Reader(member, column) for column in columns]

    def __call__(self, rows: Any, given: Given) -> Any:
        values = [self._column(place, source, rows, given) for place, source in enumerate(self.sources)]
        if all(isinstance(each, np.ndarray) for each in values):
            return np.column_stack(values)
        listed = [each.tolist() if isinstance(each, np.ndarray) else each for each in values]
        return [list(row) for row in zip(*listed, strict=True)]

    def _column(self, place: int, source: int | str, rows: Any, given: Given) -> Any:
        if isinstance(source, int):
            return rows[:, source] if isinstance(rows, np.ndarray) else [row[source] for row in rows]
        values = given[source]
        read = self._readers[place]
        if isinstance(values, np.ndarray) and values.dtype.kind == "f" and read.takes_floats:
            return values.astype(np.float64)
        return [read(value) for value in (values.tolist() if isinstance(values, np.ndarray) else values)]


class _Reader:
    """Reads a value that another member gave for a column of this one's."""

    def __init__(self, member: Member, column: Column) -> None:
        self._convert = converter(column, booleans_count=True)
        self._words = f"{member.label} takes as {column.name!r}"
        self.takes_floats = (column.kind, column.dtype, column.values) == ("number", "float64", None)

    def __call__(self, value: Any) -> Any:
        try:
            # JSON has no NaN: what is missing is null.
            return self._convert(None if value != value else value)  # noqa: PLR0124
        except Unfit as unfit:
            raise Unreadable(
                f"what another member gave does not fit what {self._words}: it {unfit}"
            ) from None


class Leg:
    """A part of a chain: every member gets the same row, with a column more for each named one before it."""

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = members
        self.rows = united([member.taker(_names(members[:place])) for place, member in enumerate(members)])
        self._require_takers()
        self._feeds = [self._feed(place, member) for place, member in enumerate(members)]
        self._decoder = RowDecoder(self.rows.on(members[0].signature))

    def _require_takers(self) -> None:
        for place, member in enumerate(self.members[:-1], 1):
            columns = [
                column.name for each in self.members[place:] for column in each.signature.columns or ()
            ]
            if member.name not in columns:
                raise mismatch(
                    f"Nobody behind {member.label} takes its prediction: none has a column {member.name!r}.",
                    "Name the member as the column is called, or give it no name: then its prediction is the "
                    "row of the next.",
                )

    def _feed(self, place: int, member: Member) -> Callable[[Any, Given], Any]:
        places = self.rows.places[place]
        columns = member.signature.columns or ()
        if places is None or not {*_names(self.members[:place])} & {column.name for column in columns}:
            pick = member.picked(places, len(self.rows.columns or ()))
            return lambda rows, _: pick(rows)
        return Feed(member, [places.get(column.name, column.name) for column in columns])

    def read(self, rows: list[Any], whose: Member) -> Any:
        """Return what the member before it predicted as rows. Raises `Unreadable` if they do not fit."""
        listed = [row if isinstance(row, list | dict | str) else [row] for row in rows]
        try:
            return self._decoder.read_rows([_without_nan(row) for row in listed], None)
        except Rejected as refused:
            fault = refused.failure.detail.replace("inputs[", "row [", 1)
            raise Unreadable(
                f"what {whose.label} predicts does not fit {self.members[0].label}: {fault}"
            ) from refused

    def run(self, rows: Any, wanted: tuple[str, ...]) -> Outputs:
        """Return the outputs of its last member."""
        given: dict[str, Any] = {}
        outputs = Outputs({})
        for member, feed in zip(self.members, self._feeds, strict=True):
            is_last = member is self.members[-1]
            outputs = member.predict(feed(rows, given), wanted if is_last else ("prediction",))
            if member.name and not is_last:
                given[member.name] = numbers_or_list(outputs, "prediction")
        return outputs


def _without_nan(row: Any) -> Any:
    return [None if value != value else value for value in row] if isinstance(row, list) else row  # noqa: PLR0124


def _names(members: Sequence[Member]) -> list[str]:
    return [member.name for member in members if member.name]


class Chain:
    """What a member predicts is the next one's row, or a column that is added for those behind it."""

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = members
        ends = [place for place, member in enumerate(members[:-1], 1) if member.name is None]
        starts = [0, *ends]
        self._legs = [Leg(members[a:b]) for a, b in zip(starts, [*ends, len(members)], strict=True)]
        self.rows: Rows = self._legs[0].rows

    @property
    def signature(self) -> Signature:
        return self.rows.on(self.members[-1].signature)

    def predict(self, rows: Any, wanted: tuple[str, ...]) -> Outputs:
        *first, last = self._legs
        for leg, following in zip(first, self._legs[1:], strict=True):
            predicted = leg.run(rows, ("prediction",)).values["prediction"]
            rows = following.read(predicted, leg.members[-1])
        return last.run(rows, wanted)
