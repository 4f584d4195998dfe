"""The one row that a version must answer: the uploaded one, or one made from the signature."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from modelport_runtime.core.signature import Column, Kind, Signature
from modelport_runtime.core.types import LoadError

_KINDS: dict[type, tuple[Kind, str]] = {
    bool: ("boolean", "bool"),
    int: ("number", "float64"),
    float: ("number", "float64"),
    str: ("string", "object"),
}


def sample_row(sample: Any) -> Any:
    """Take the row out of a predict body, or a bare row as it is."""
    if isinstance(sample, dict) and sample.keys() <= {"input", "return"} and "input" in sample:
        return sample["input"]
    return sample


def refine(signature: Signature, row: Any) -> Signature:
    """Let the sample tell what the model does not: names for a nameless one, kinds for unknown columns."""
    columns = signature.columns
    if columns is None or not isinstance(row, dict | list):
        return signature
    if signature.positional and isinstance(row, dict):
        columns = _named(columns, list(row))
        signature = replace(signature, positional=False)
    given = row if isinstance(row, dict) else dict(zip((c.name for c in columns), row, strict=False))
    typed = (_typed(column, given[column.name]) if column.name in given else column for column in columns)
    return replace(signature, columns=tuple(typed))


def _named(columns: tuple[Column, ...], names: list[str]) -> tuple[Column, ...]:
    if len(names) != len(columns):
        raise LoadError(
            "SampleInvalid",
            f"The sample names {len(names)} fields, but the model takes {len(columns)}.",
        )
    return tuple(replace(column, name=name) for column, name in zip(columns, names, strict=True))


def _typed(column: Column, value: Any) -> Column:
    if value is None:
        # Shown by the sample: this model is asked with missing values.
        return replace(column, optional=True)
    # A model takes booleans for the numbers 0 and 1 without telling; only its user knows.
    untold = column.kind == "any" or (column.kind == "number" and type(value) is bool)
    if not untold or type(value) not in _KINDS:
        return column
    kind, dtype = _KINDS[type(value)]
    return replace(column, kind=kind, dtype=dtype)


def synthetic_rows(signature: Signature) -> Iterator[Any]:
    """Give rows to try, the likeliest first: which values a model can take is only a guess."""
    if signature.input == "text":
        yield "text"
        return
    if signature.columns is None:
        return
    for guess in (0.0, 1.0, "text", True):
        row = [_example(column, guess) for column in signature.columns]
        if signature.positional:
            yield row
        else:
            yield {column.name: value for column, value in zip(signature.columns, row, strict=True)}
        if all(column.kind not in ("any", "number") for column in signature.columns):
            return


def _example(column: Column, guess: Any) -> Any:
    if column.values:
        return column.values[0]
    if column.kind == "tensor":
        leaves = {"bool": False, "object": "text"}
        return _filled([size or 1 for size in column.shape or ()], leaves.get(column.dtype, 0.0))
    number = guess if isinstance(guess, float) else 0.0
    examples = {"number": number, "integer": int(number), "boolean": guess is True, "string": "text"}
    return examples.get(column.kind, guess)


def _filled(shape: list[int], leaf: Any) -> Any:
    return [_filled(shape[1:], leaf) for _ in range(shape[0])] if shape else leaf
