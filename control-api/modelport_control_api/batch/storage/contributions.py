"""What moved each prediction of a chunk: the names once, the numbers a row."""

import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec


class Terms(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Which numbers a row has: for each class (once, where `classes` is None) one a column, and its base.

    `of_class`: the class that a single sum speaks for; None: it is a regressor's.
    """

    scale: str
    columns: list[str]
    classes: list[str] | None = None
    of_class: str | None = None

    @classmethod
    def of(cls, explained: Mapping[str, Any]) -> "Terms":
        """Read the names of what the runtime responds about a row. Raises `ValueError`."""
        classes = explained.get("classes")
        try:
            first = explained if classes is None else next(iter(classes.values()))
            terms = cls(explained["scale"], list(first["values"]), classes and list(classes))
            return msgspec.convert(
                [terms.scale, terms.columns, terms.classes, explained.get("class")], cls, strict=True
            )
        except (LookupError, TypeError, AttributeError, StopIteration, msgspec.ValidationError) as error:
            raise ValueError("no contributions") from error

    @property
    def width(self) -> int:
        """How many numbers a row has."""
        return len(self.classes or ("",)) * (len(self.columns) + 1)

    def pack(self, explained: Mapping[str, Any]) -> bytes:
        """Return the row's numbers as little-endian float64. Raises `ValueError` for other terms."""
        if self.classes is None:
            return self._packed([explained])
        if list(explained.get("classes") or ()) != self.classes:
            raise ValueError("contributions of other classes")
        return self._packed(list(explained["classes"].values()))

    def _packed(self, sums: Sequence[Mapping[str, Any]]) -> bytes:
        numbers: list[Any] = []
        try:
            for each in sums:
                if list(each["values"]) != self.columns:
                    raise ValueError("contributions of other columns")
                numbers += (*each["values"].values(), each["base"])
            return array("d", [math.nan if number is None else number for number in numbers]).tobytes()
        except (LookupError, TypeError, AttributeError) as error:
            raise ValueError("no contributions") from error

    def unpack(self, row: bytes) -> list[float | None]:
        """Return the numbers that were packed, None where JSON has none."""
        return [None if math.isnan(number) else number for number in array("d", row)]

    def shown(self, row: bytes) -> dict[str, Any]:
        """Return the object that was packed."""
        numbers = self.unpack(row)
        size = len(self.columns) + 1
        sums = [self._sum(numbers[start : start + size]) for start in range(0, len(numbers), size)]
        if self.classes is not None:
            return {"scale": self.scale, "classes": dict(zip(self.classes, sums, strict=True))}
        named = {} if self.of_class is None else {"class": self.of_class}
        return {"scale": self.scale, **named, **sums[0]}

    def _sum(self, numbers: list[float | None]) -> dict[str, Any]:
        return {"base": numbers[-1], "values": dict(zip(self.columns, numbers, strict=False))}


class Contributions(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Of the rows of a chunk, None for one without. `terms` None: no row has any."""

    terms: Terms | None
    rows: list[bytes | None]

    @classmethod
    def read(cls, explained: Sequence[Any]) -> "Contributions":
        """Read what the runtime responds about rows, one or more. Raises `ValueError`."""
        if not all(isinstance(each, dict) for each in explained):
            raise ValueError("no contributions")
        terms = Terms.of(explained[0])
        return cls(terms, [terms.pack(each) for each in explained])

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(len(row) for row in self.rows if row is not None)

    def shown(self) -> Iterator[dict[str, Any] | None]:
        """Yield the rows as the runtime responded."""
        for row in self.rows:
            yield None if row is None or self.terms is None else self.terms.shown(row)

    def columns(self, terms: Terms) -> list[Sequence[float | None]]:
        """Return the numbers of each of `terms`, a value for each row: None where a row has none."""
        if self.terms != terms:
            return [[None] * len(self.rows)] * terms.width
        empty: list[float | None] = [None] * terms.width
        return list(zip(*(empty if row is None else terms.unpack(row) for row in self.rows), strict=True))
