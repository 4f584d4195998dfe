"""What a model gave, by name."""

from typing import Any

import msgspec
import numpy as np


class Outputs(msgspec.Struct, frozen=True, gc=False):
    """One model call's results: each output's name → one JSON value a row, in the signature's order.

    `arrays` has those that the model gave as one array, rows first and as they came: for writers of tensors.
    """

    values: dict[str, list[Any]]
    arrays: dict[str, np.ndarray[Any, Any]] = {}

    @property
    def rows(self) -> int:
        return len(next(iter(self.values.values())))

    def part(self, start: int, stop: int) -> "Outputs":
        """Give the rows of one request out of a batch."""
        cut = slice(start, stop)
        return Outputs(
            {name: rows[cut] for name, rows in self.values.items()},
            {name: rows[cut] for name, rows in self.arrays.items()},
        )
