"""A row out of a folder's input example, as MLflow writes data frames, arrays and plain JSON."""

import json
from typing import Any


def row_of(content: bytes) -> Any:
    """Return the first row of an example; None where there is none that could be sent."""
    try:
        return first_row(json.loads(content))
    except (ValueError, RecursionError):
        return None


def first_row(value: Any) -> Any:
    """The same of an example that is read."""
    match value:
        case {"dataframe_split": inner} | {"inputs": inner} | {"dataframe_records": inner}:
            return first_row(inner)
        case {"columns": [*names], "data": [[*values], *_]}:
            if len(names) != len(values):
                return None
            # Columns without names have numbers: such a model knows none.
            named = all(isinstance(name, str) for name in names)
            return dict(zip(names, values, strict=True)) if named else values
        case {"data": [[*_] as first, *_]} | [list() | dict() | str() as first, *_]:
            return first
        case dict():
            return _of_columns(value)
    return None


def _of_columns(value: dict[str, Any]) -> Any:
    whole = value and all(isinstance(each, list) and each for each in value.values())
    return {name: each[0] for name, each in value.items()} if whole else None
