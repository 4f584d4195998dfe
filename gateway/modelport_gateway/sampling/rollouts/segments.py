"""The parts of the traffic that a row belongs to: where a field is missing, or has one of a few values."""

from collections.abc import Iterator, Sequence
from typing import Any

from modelport_gateway.sampling.tap import Seen

_MOST_FIELDS = 20
_LONGEST_NAME, _LONGEST_VALUE = 60, 30


def segments_of(seen: Seen, body: Any) -> Iterator[list[str]]:
    """Of each row, in its order. Values of fields that are redacted in history are never named."""
    history = seen.route.history
    redacted = set(history.redact_fields) if history else set()
    columns = seen.version.canonical.columns
    names = [column.name for column in columns] if columns else []
    for row in _rows(body):
        yield list(_segments(_named(row, names), redacted))


def _rows(body: Any) -> Sequence[Any]:
    if not isinstance(body, dict):
        return []
    rows = body.get("inputs")
    return rows if isinstance(rows, list) else [body.get("input")]


def _named(row: Any, names: Sequence[str]) -> dict[str, Any]:
    if isinstance(row, dict):
        return {**dict.fromkeys(names), **row}
    return dict(zip(names, row, strict=False)) if isinstance(row, list) else {}


def _segments(row: dict[str, Any], redacted: set[str]) -> Iterator[str]:
    for name, value in list(row.items())[:_MOST_FIELDS]:
        if len(name) > _LONGEST_NAME:
            continue
        if value is None:
            yield f"`{name}` is missing"
        elif name not in redacted and _is_category(value):
            yield f"`{name}` is {value}"


def _is_category(value: Any) -> bool:
    return isinstance(value, bool) or (isinstance(value, str) and 0 < len(value) <= _LONGEST_VALUE)
