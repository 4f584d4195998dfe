"""The one row that a version must predict: the uploaded one, or one made from the signature."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

from modelport_http.wording import counted

from modelport_runtime.core.signature import Column, Signature, is_date
from modelport_runtime.core.types import LoadError

_EVERY_MIX = 3
"""Of so many columns of unknown kind, every mix of kinds is tried."""
_MADE_UP = "made_up"
_UNORDERED = "unordered"
_GUESSES = (0.0, 1.0, "text", True)


class UnorderedRow(dict[str, Any]):
    """A row of named values that nobody gave this order: it is no order of a model's columns."""


def sample_row(sample: Any) -> Any:
    """Take the row out of a predict body, or a bare row as it is."""
    if not _is_body(sample):
        return sample
    row = sample["input"]
    is_unordered = sample.get(_UNORDERED) is True and isinstance(row, dict) and len(row) > 1
    return UnorderedRow(row) if is_unordered else row


def _is_body(sample: Any) -> bool:
    known = {"input", "return", _MADE_UP, _UNORDERED}
    return isinstance(sample, dict) and sample.keys() <= known and "input" in sample


def in_order(row: dict[str, Any]) -> dict[str, Any]:
    """Return the row, for a model that takes its values by place. Raises `LoadError` if it has no order."""
    if isinstance(row, UnorderedRow):
        raise LoadError(
            "SampleInvalid",
            "The model takes its columns by place, and the sample, an object, does not say theirs: "
            "Kubernetes sorts its fields. List them in the model's order in sampleColumns, beside the sample "
            "in the MLModel, or give the sample's row as a list.",
        )
    return row


def is_made_up(sample: Any) -> bool:
    """Whether its row names the columns, and nobody says that the model takes its values."""
    return isinstance(sample, dict) and sample.get(_MADE_UP) is True and "input" in sample


def named(columns: tuple[Column, ...], names: list[str]) -> tuple[Column, ...]:
    """Let a sample name the columns of a model that knows no names. Raises `LoadError`."""
    if len(names) != len(columns):
        raise LoadError(
            "SampleInvalid",
            f"The sample names {counted(len(names), 'field')}, but the model takes {len(columns)}.",
        )
    return tuple(replace(column, name=name) for column, name in zip(columns, names, strict=True))


def synthetic_rows(signature: Signature) -> Iterator[Any]:
    """Return rows to try, the likeliest first: which values a model can take is only a guess."""
    if signature.input == "text":
        yield "text"
        return
    if signature.columns is None:
        return
    for guesses in _guesses(signature.columns):
        row = [_example(column, guess) for column, guess in zip(signature.columns, guesses, strict=True)]
        if signature.positional:
            yield row
        else:
            yield {column.name: value for column, value in zip(signature.columns, row, strict=True)}


def _guesses(columns: tuple[Column, ...]) -> Iterator[list[Any]]:
    """Return a guess for each column: the same for all that are unknown, then mixes of them."""
    unknown = [place for place, column in enumerate(columns) if column.kind == "any"]
    if all(column.kind not in ("any", "number") for column in columns):
        yield [0.0] * len(columns)
        return
    for guess in _GUESSES:
        yield [guess] * len(columns)
    if 1 < len(unknown) <= _EVERY_MIX:
        for mix in product(_GUESSES, repeat=len(unknown)):
            if len(set(mix)) > 1:
                own = dict(zip(unknown, mix, strict=True))
                yield [own.get(place, 0.0) for place in range(len(columns))]


def _example(column: Column, guess: Any) -> Any:
    if column.values:
        return column.values[0]
    if column.kind == "tensor":
        leaves = {"bool": False, "object": "text"}
        return _filled([size or 1 for size in column.shape or ()], leaves.get(column.dtype, 0.0))
    if is_date(column.dtype):
        return "2024-01-01T00:00:00" + ("Z" if "," in column.dtype else "")
    number = guess if isinstance(guess, float) else 0.0
    if column.kind == "any" and column.dtype != "object":
        return number
    examples = {"number": number, "integer": int(number), "boolean": guess is True, "string": "text"}
    return examples.get(column.kind, guess)


def _filled(shape: list[int], leaf: Any) -> Any:
    return [_filled(shape[1:], leaf) for _ in range(shape[0])] if shape else leaf
