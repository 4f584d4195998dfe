"""The mean absolute contribution of each column, from the results of a job."""

from array import array
from collections.abc import Iterable

import msgspec

from modelport_control_api.batch.storage.chunks import ChunkResults
from modelport_control_api.batch.storage.contributions import Terms


class Sums(msgspec.Struct, frozen=True):
    """Of one sum: its base, and each column's mean absolute contribution, in the columns' order."""

    base: float
    means: list[float]


class Importance(msgspec.Struct, frozen=True):
    """`by_class` has one entry, of the class `of_class` or none, unless each of three or more has its own."""

    scale: str
    columns: list[str]
    of_class: str | None
    by_class: dict[str, Sums]
    rows: int

    @property
    def means(self) -> list[float]:
        """Each column's, over all classes."""
        sums = [each.means for each in self.by_class.values()]
        return [sum(values) / len(values) for values in zip(*sums, strict=True)]


def of_results(chunks: Iterable[ChunkResults]) -> Importance | None:
    """None: no row has contributions that are numbers."""
    terms: Terms | None = None
    totals: list[float] = []
    rows = 0
    for chunk in chunks:
        given = chunk.contributions
        if given is None or given.terms is None or (terms is not None and given.terms != terms):
            continue
        terms = given.terms
        totals = totals or [0.0] * terms.width
        size = len(terms.columns) + 1
        for row in given.rows:
            numbers = array("d", row or b"")
            # NaN and infinite sums are no evidence, and would leave none of the others'.
            if not numbers or not abs(sum(map(abs, numbers))) < float("inf"):
                continue
            rows += 1
            for place, number in enumerate(numbers):
                totals[place] += number if place % size == size - 1 else abs(number)
    return None if terms is None or not rows else _importance(terms, totals, rows)


def _importance(terms: Terms, totals: list[float], rows: int) -> Importance:
    size = len(terms.columns) + 1
    means = [total / rows for total in totals]
    by_class = {
        key: Sums(means[start + size - 1], means[start : start + size - 1])
        for key, start in zip(
            terms.classes or [terms.of_class or ""], range(0, len(means), size), strict=True
        )
    }
    return Importance(terms.scale, terms.columns, terms.of_class, by_class, rows)
