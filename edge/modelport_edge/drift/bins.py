"""The bins of a reference: what gateways learn of it, and what live rows are counted into.

Every feature has the same first cells, `MISSING` and `UNKNOWN`; from `FIRST_BIN` on come its bins.
"""

from typing import Literal

import msgspec

MISSING = 0
"""null, absent, or NaN."""
UNKNOWN = 1
"""A text that is none of the categories listed (too rare, or new), or no number where numbers are."""
FIRST_BIN = 2

MAX_CATEGORIES = 100


class NumberBins(msgspec.Struct, frozen=True, tag="numbers"):
    """Rising `edges` e0…ek make k + 2 bins: below e0, each [e, next e), and from ek on.

    A value that is frequent in the reference has a bin of its own: [value, the next float after it).
    """

    edges: tuple[float, ...]

    @property
    def cells(self) -> int:
        return FIRST_BIN + len(self.edges) + 1


class CategoryBins(msgspec.Struct, frozen=True, tag="categories"):
    """A bin for each category, the most frequent first. All others are `UNKNOWN`."""

    categories: tuple[str, ...]

    @property
    def cells(self) -> int:
        return FIRST_BIN + len(self.categories)


class Feature(msgspec.Struct, frozen=True):
    name: str
    position: int
    """Its place in a row that is given by position."""
    bins: NumberBins | CategoryBins


class ReferenceBins(msgspec.Struct, frozen=True):
    """`reference` is another one whenever a version's reference is replaced."""

    reference: str
    features: tuple[Feature, ...]
    positional: bool = False
    """The model takes the values of an object in their order, whatever their names."""
    predictions: Literal["classes", "numbers", "any"] = "any"


_JSON_DECODER = msgspec.json.Decoder(ReferenceBins)


def encode(bins: ReferenceBins) -> bytes:
    return msgspec.json.encode(bins)


def decode(data: bytes) -> ReferenceBins:
    """Raises `msgspec.MsgspecError` (with ValueError for a base)."""
    return _JSON_DECODER.decode(data)
