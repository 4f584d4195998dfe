"""The bins of a reference: what gateways learn of it, and what live rows are counted into.

Every feature has the same first cells, `MISSING` and `UNKNOWN`; from `FIRST_BIN` on come its bins.
"""

from typing import Literal
from zlib import crc32

import msgspec

MISSING = 0
"""null, absent, or NaN."""
UNKNOWN = 1
"""A text that the reference has once or never, or no number where numbers are."""
FIRST_BIN = 2

MAX_CATEGORIES = 100


class NumberBins(msgspec.Struct, frozen=True, tag="numbers"):
    """Rising `edges` e0…ek make k + 2 bins: below e0, each [e, next e), and from ek on.

    A value that is frequent in the reference has a bin of its own: [value, the next float after it).
    The outermost bins lie beyond all values of the reference. `far`: beyond those come two more, for what
    lies beyond by more than the reference's whole range, as after a change of units. No edges: any number is
    as good as another, as ids are.
    """

    edges: tuple[float, ...]
    far: bool = False

    @property
    def cells(self) -> int:
        return FIRST_BIN + len(self.edges) + 1

    @property
    def far_cells(self) -> tuple[int, ...]:
        """The cells for values far beyond the reference's own; empty without `far`."""
        return (FIRST_BIN, self.cells - 1) if self.far else ()

    @property
    def beyond_cells(self) -> tuple[int, ...]:
        """The cells of what the reference has no value as small or as large as, the far ones among them."""
        if not self.edges:
            return ()
        if not self.far:
            return (FIRST_BIN, self.cells - 1)
        return (FIRST_BIN, FIRST_BIN + 1, self.cells - 2, self.cells - 1)


class CategoryBins(msgspec.Struct, frozen=True, tag="categories"):
    """A bin for each category, the most frequent first.

    `others`: categories beyond these, as sorted 4-byte digests (`digest_of`), together in the last cell.
    """

    categories: tuple[str, ...]
    others: bytes = b""

    @property
    def cells(self) -> int:
        return FIRST_BIN + len(self.categories) + bool(self.others)


class Feature(msgspec.Struct, frozen=True):
    name: str
    position: int
    """Its place in a row that is given by position."""
    bins: NumberBins | CategoryBins
    usual: tuple[float, ...] = ()
    """Of each cell, the share of the reference's rows with the most frequent single value in it."""
    scores: tuple[float, ...] = ()
    """Of each cell, where its values stand in the reference's order, from 0 to 1: for `drift.blocks`."""


class ReferenceBins(msgspec.Struct, frozen=True):
    """`reference` is another one whenever a version's reference is replaced."""

    reference: str
    features: tuple[Feature, ...]
    positional: bool = False
    """The model takes the values of an object in their order, whatever their names."""
    predictions: Literal["classes", "numbers", "any"] = "any"


_JSON_DECODER = msgspec.json.Decoder(ReferenceBins)


def digest_of(category: str) -> int:
    """Return the 32 bits by which a category without a cell of its own is known."""
    return crc32(category.encode("utf-8", "surrogatepass"))


def encode(bins: ReferenceBins) -> bytes:
    """Return JSON, as gateways read it with `decode`."""
    return msgspec.json.encode(bins)


def decode(data: bytes) -> ReferenceBins:
    """Raises `msgspec.MsgspecError` (with ValueError for a base)."""
    return _JSON_DECODER.decode(data)
