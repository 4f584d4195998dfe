"""The parts of the traffic that a row belongs to: where a field is missing, or has one of a few values."""

from collections.abc import Iterator, Sequence
from typing import Any

from modelport_gateway.routing.routes import RolloutRoute
from modelport_gateway.sampling.tap import Seen

_MOST_FIELDS = 20
_MOST_VALUES = 20
_MOST_ROLLOUTS = 100
_LONGEST_NAME, _LONGEST_VALUE = 60, 30


class KnownSegments:
    """The first few of each rollout: an id in each row would else be a segment, and a row of the database."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, int], dict[str, set[str]]] = {}

    def known(self, seen: Seen, rollout: RolloutRoute, body: Any, row: int) -> list[str]:
        """Return those that a row is in, such as `shape is missing`."""
        fields = self._fields(seen.route.public_id, rollout.id)
        segments = segments_of(seen, body, row)
        return [f"{name} is {said}" for name, said in segments if _has_room(fields, name, said)]

    def _fields(self, model: str, rollout: int) -> dict[str, set[str]]:
        fields = self._values.get((model, rollout))
        if fields is None:
            if len(self._values) >= _MOST_ROLLOUTS:
                del self._values[next(iter(self._values))]
            fields = self._values[model, rollout] = {}
        return fields


def _has_room(fields: dict[str, set[str]], name: str, said: str) -> bool:
    if name not in fields and len(fields) >= _MOST_FIELDS:
        return False
    values = fields.setdefault(name, set())
    if said not in values and len(values) < _MOST_VALUES:
        values.add(said)
    return said in values


def segments_of(seen: Seen, body: Any, row: int) -> Iterator[tuple[str, str]]:
    """Of one row: field, and what is in it. Never the values that history redacts."""
    history = seen.route.history
    redacted = set(history.redact_fields) if history else set()
    columns = seen.version.canonical.columns
    names = [column.name for column in columns] if columns else []
    return _segments(_named(_row(body, row), names), redacted)


def _row(body: Any, row: int) -> Any:
    """None: there is no such row."""
    if not isinstance(body, dict):
        return None
    rows = body.get("inputs")
    if not isinstance(rows, list):
        return body.get("input")
    return rows[row] if row < len(rows) else None


def _named(row: Any, names: Sequence[str]) -> dict[str, Any]:
    if isinstance(row, dict):
        return {**dict.fromkeys(names), **row}
    return dict(zip(names, row, strict=False)) if isinstance(row, list) else {}


def _segments(row: dict[str, Any], redacted: set[str]) -> Iterator[tuple[str, str]]:
    for name, value in list(row.items())[:_MOST_FIELDS]:
        # A NUL, which a caller may send, would have the database refuse the whole batch, again and again.
        if len(name) > _LONGEST_NAME or not name.isprintable():
            continue
        if value is None:
            yield f"`{name}`", "missing"
        elif name not in redacted and _is_category(value):
            yield f"`{name}`", str(value)


def _is_category(value: Any) -> bool:
    if isinstance(value, str):
        return 0 < len(value) <= _LONGEST_VALUE and value.isprintable()
    return isinstance(value, bool)
