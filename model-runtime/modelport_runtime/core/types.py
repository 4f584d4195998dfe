"""What crosses the core's border: calls in, predictions or failures out, a model's outputs by name."""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypedDict, final

import msgspec

if TYPE_CHECKING:
    # What a model process sends before it imports a model's own NumPy is written with these types too.
    import numpy as np


class Outputs(msgspec.Struct, frozen=True, gc=False):
    """One model call's results: each output's name → one JSON value a row, in the signature's order.

    `arrays` has those that the model gave as one array, rows first and as they came: for writers of tensors.
    """

    values: dict[str, list[Any]]
    arrays: "dict[str, np.ndarray[Any, Any]]" = {}

    @property
    def rows(self) -> int:
        return len(next(iter(self.values.values())))

    def part(self, start: int, stop: int) -> "Outputs":
        """Return the rows of one request out of a batch."""
        cut = slice(start, stop)
        values = {name: rows[cut] for name, rows in self.values.items()}
        if not self.arrays:
            return Outputs(values)
        return Outputs(values, {name: rows[cut] for name, rows in self.arrays.items()})


_PATH = re.compile(r"(?<![\w:/.])(?:/[\w.+@~-]+){2,}")


def without_paths(text: str) -> str:
    """Leave of each absolute path its last part: where files lie here is none of a model owner's."""
    return _PATH.sub(lambda path: path[0].rpartition("/")[2], text)


class LoadError(Exception):
    """A file that cannot be served. `reason` is one of the platform's closed set (docs/reasons.md)."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


class DamagedWhoeverSavedIt(LoadError):
    """A file that the library here would read if it were whole, though another version of it saved it."""

    def __init__(self, message: str) -> None:
        super().__init__("CorruptArtifact", message)


class Call(msgspec.Struct, frozen=True, gc=False):
    """One request: `native` and `matrix` are bodies of POST /predict, `v2` an Open Inference Protocol one."""

    protocol: Literal["native", "matrix", "v2"]
    body: bytes
    json_bytes: int | None = None
    """Of a v2 body the length of the JSON in front of binary tensors; None: all of it is JSON."""


class Request(msgspec.Struct, frozen=True, gc=False):
    """Rows ready for the model. `single`: sent as `input`, so returned in the singular.

    A row of columns is a list, tuple or array in their order, NaN where a value is missing. Many rows of
    numbers may be one array.
    """

    rows: Any
    single: bool
    outputs: tuple[str, ...]


class Prediction(msgspec.Struct, frozen=True, gc=False):
    """The body of a 200: JSON, with `json_bytes` so much of it, and binary tensors behind."""

    body: bytes
    json_bytes: int | None = None


class FieldError(TypedDict):
    field: str
    message: str


@final
@dataclass(frozen=True)
class Failure:
    """A problem+json in parts. `trace` is for the version's log and never leaves the process."""

    status: int
    title: str
    detail: str
    reason: str | None = None
    errors: list[FieldError] = field(default_factory=list)
    trace: str | None = None


class Rejected(Exception):
    """Raised on the way from body to rows: the request gets this failure and the model never sees it."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.detail)
        self.failure = failure


class Unfit(ValueError):
    """One value that its column does not hold. The message completes "<field>: …".

    `place` is where inside the field (`[0][2]`), `index` the same in a flat list of values.
    """

    def __init__(self, message: str, place: str = "", index: int | None = None) -> None:
        super().__init__(message)
        self.place = place
        self.index = index
