"""Takes the values of some fields out of a request and of its response. Pure.

Where it is not certain what a value is, it goes too: a row of another length than the signature's, a field
that the signature does not name, text where a row should be.
"""

from collections.abc import Mapping
from typing import Any

from modelport_gateway.cache.key import Canonical
from modelport_gateway.request.paths import Call
from modelport_gateway.sampling.tap import Seen

REDACTED = "[redacted]"
_OWN_NAMES = {
    Call.PREDICT: frozenset({"return"}),
    Call.INFER: frozenset({"id", "parameters", "outputs"}),
}
_KEPT_FIELDS = ("type", "title", "status", "request_id", "reason")
# Shorter texts are also parts of words that have nothing to do with them.
_SHORTEST_PART = 4
_NO_ROW = 1000
"""Further lists inside than any response has: none of its numbers is one of a row."""


def redaction_of(seen: Seen) -> "Redaction | None":
    """Return the one for it; None: the model's owner hides nothing."""
    history = seen.route.history
    if history is None or not history.redact_fields:
        return None
    return Redaction(frozenset(history.redact_fields), seen.version.canonical)


class Redaction:
    """For one request and its response, in this order: what the first hides the second must not show."""

    def __init__(self, fields: frozenset[str], canonical: Canonical) -> None:
        self._fields = fields
        self._columns = None if canonical.columns is None else [each.name for each in canonical.columns]
        self._by_position = canonical.by_position
        self._texts: set[str] = set()
        self._numbers: set[float] = set()

    def request(self, call: Call, body: Any) -> Any:
        """Return the request without hidden values, which it remembers for the response."""
        if not isinstance(body, dict):
            return self._hide(body)
        return {name: self._member(call, name, value) for name, value in body.items()}

    def prediction(self, response: Any) -> Any:
        """Return a prediction without the hidden fields, and without hidden values that the model echoes."""
        if not isinstance(response, dict):
            return REDACTED
        # The lists that a number is in, if it is one of a row: a model that only transforms returns rows.
        in_lists = {"prediction": 1, "predictions": 2}
        return {
            name: self._response_member(name, value, in_lists.get(name, _NO_ROW))
            for name, value in response.items()
        }

    @staticmethod
    def problem(problem: Mapping[str, Any]) -> Any:
        """Return a problem without its sentences: they quote what was sent."""
        fields = [{"field": each["field"], "message": REDACTED} for each in problem.get("errors", ())]
        reported = {name: problem[name] for name in _KEPT_FIELDS if name in problem}
        return reported | ({"errors": fields} if fields else {})

    def _member(self, call: Call, name: str, value: Any) -> Any:
        if name in self._fields:
            return self._hide(value)
        if name == "inputs" and isinstance(value, list):
            read = self._row if call is Call.PREDICT else self._tensor
            return [read(each) for each in value]
        if name == "input" and call is Call.PREDICT:
            return self._row(value)
        return self._deep(value) if name in _OWN_NAMES[call] else self._hide(value)

    def _row(self, row: Any) -> Any:
        match row:
            case dict() if self._columns is not None and self._by_position:
                return self._positional_object(row, self._columns)
            case dict():
                return {name: self._cell(name, value) for name, value in row.items()}
            case list():
                return self._positional(row)
        # Text is a row only where there are no columns.
        return row if self._columns is None else self._hide(row)

    def _cell(self, name: str, value: Any) -> Any:
        unknown = self._columns is not None and name not in self._columns
        return self._hide(value) if unknown or name in self._fields else self._deep(value)

    def _positional(self, row: list[Any]) -> Any:
        if self._columns is None or len(row) != len(self._columns):
            return self._hide(row)
        return [self._cell(name, value) for name, value in zip(self._columns, row, strict=True)]

    def _positional_object(self, row: dict[str, Any], columns: list[str]) -> Any:
        # Its values count in their order, whatever their names are.
        cells = self._positional(list(row.values()))
        if cells == REDACTED:
            return cells
        return {
            name: self._hide(value) if name in self._fields else value
            for name, value in zip(row, cells, strict=True)
        }

    def _tensor(self, tensor: Any) -> Any:
        name = tensor.get("name") if isinstance(tensor, dict) else None
        if name not in (self._columns or ()) or name in self._fields:
            return self._without_data(tensor)
        return self._deep(tensor)

    def _without_data(self, tensor: Any) -> Any:
        if not isinstance(tensor, dict):
            return self._hide(tensor)
        about = ("name", "shape", "datatype")
        return {name: value if name in about else self._hide(value) for name, value in tensor.items()}

    def _deep(self, value: Any) -> Any:
        """Return the value without hidden fields further inside."""
        if isinstance(value, dict):
            return {
                name: self._hide(inner) if name in self._fields else self._deep(inner)
                for name, inner in value.items()
            }
        return [self._deep(each) for each in value] if isinstance(value, list) else value

    def _hide(self, value: Any) -> str:
        """Remember what is hidden, so that the response does not show it."""
        match value:
            case dict():
                for inner in value.values():
                    self._hide(inner)
            case list():
                for each in value:
                    self._hide(each)
            case str():
                self._texts.add(value)
            case bool() | None:
                pass
            case int() | float():
                self._numbers.add(value)
        return REDACTED

    def _response_member(self, name: str, value: Any, lists_to_a_row: int) -> Any:
        return REDACTED if name in self._fields else self._scrub_value(value, lists_to_a_row)

    def _scrub_value(self, value: Any, lists_to_a_row: int) -> Any:
        match value:
            case dict() if _is_tensor_of_rows(value) or value.get("name") in self._fields:
                return self._without_data(value)
            case dict():
                return {
                    self._scrubbed(name): self._response_member(name, each, lists_to_a_row)
                    for name, each in value.items()
                }
            case list():
                return [self._scrub_value(each, lists_to_a_row - 1) for each in value]
            case str():
                return self._scrubbed(value)
            case int() | float() if lists_to_a_row <= 0 and value in self._numbers:
                return REDACTED
        return value

    def _scrubbed(self, text: str) -> str:
        parts = (part for part in self._texts if len(part) >= _SHORTEST_PART)
        return REDACTED if text in self._texts or any(part in text for part in parts) else text


def _is_tensor_of_rows(value: dict[str, Any]) -> bool:
    match value:
        case {"data": _, "shape": [_, *inner]}:
            return any(size != 1 for size in inner)
    return False
