"""What a version takes, as far as a reader needs it. The JSON is the runtime's word, untrusted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class InputColumn:
    """`kind`: number, integer, boolean, string, any or tensor. `values`: all that the model knows.
    `dtype`: what it is to the model, as NumPy names it."""

    name: str
    kind: str
    optional: bool
    values: tuple[Any, ...] | None = None
    dtype: str = ""

    @property
    def is_plain_number(self) -> bool:
        """Whether it may stand in a matrix that a pod is asked with (docs/contracts.md)."""
        return (self.kind, self.dtype, self.values) == ("number", "float64", None)


@dataclass(frozen=True, slots=True)
class InputSignature:
    """`columns` None: even the width is unknown, rows pass as they are. `positional`: names mean nothing."""

    columns: tuple[InputColumn, ...] | None = None
    positional: bool = False
    takes_text: bool = False
    outputs: tuple[str, ...] = ("prediction",)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns or ())

    @classmethod
    def read(cls, signature: Mapping[str, Any] | None) -> "InputSignature":
        """A malformed one means "rows as they are": the version itself says what it refuses."""
        try:
            return cls._read(signature or {})
        except (KeyError, TypeError, AttributeError):
            return cls()

    @classmethod
    def _read(cls, signature: Mapping[str, Any]) -> "InputSignature":
        described = signature.get("columns")
        return cls(
            columns=None if described is None else tuple(_column(each) for each in described),
            positional=bool(signature.get("positional")),
            takes_text=signature.get("input") == "text",
            outputs=tuple(map(str, signature.get("outputs") or ("prediction",))),
        )


def _column(described: Mapping[str, Any]) -> InputColumn:
    values = described.get("values")
    return InputColumn(
        name=str(described["name"]),
        kind=str(described["kind"]),
        optional=bool(described["optional"]),
        values=None if values is None else tuple(values),
        dtype=str(described.get("dtype", "")),
    )
