"""Rows as data scientists have them (NumPy, pandas, NaN) as the JSON that the platform takes."""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from modelport.errors import InvalidRequest


def to_body(**members: Any) -> bytes:
    """Return a predict call's JSON; NaN becomes null. Raises `InvalidRequest` for what JSON cannot hold."""
    try:
        return json.dumps(_plain(members), allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        raise InvalidRequest(f"The input cannot be sent as JSON: {error}.") from error


def as_rows(rows: Any) -> list[Any]:
    """A data frame's rows by name, else what it iterates over."""
    if hasattr(rows, "columns") and hasattr(rows, "to_dict"):
        records: list[Any] = rows.to_dict(orient="records")
        return records
    return list(rows)


def _plain(value: Any) -> Any:
    # NumPy arrays and scalars, pandas series: recognized by their method, so neither library is needed here.
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return [_plain(each) for each in value]
    return value
