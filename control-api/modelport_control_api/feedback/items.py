"""One item of feedback, as JSON or as cells of CSV, to a row of the table."""

import math
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import orjson
from modelport_telemetry.usage.wire import LONGEST_PREDICTION_ID, MAX_PREDICTION_BYTES

COLUMNS = ("request_id", "row", "label", "reward", "at")
_LONGEST_INTEGER = 2**63
_LAST_YEAR = 9000

_At = Annotated[datetime, msgspec.Meta(tz=True)]
_Row = Annotated[int, msgspec.Meta(ge=0, lt=2**31)]


class InvalidItem(ValueError):
    """The message says which field is wrong, and how it must be."""


class _Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    request_id: str | int
    row: _Row = 0
    label: str | bool | int | float | None = None
    reward: float | None = None
    at: _At | None = None


_DECODER = msgspec.json.Decoder(_Item)


def read_json(text: bytes) -> _Item:
    """Raises InvalidItem."""
    try:
        return _DECODER.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidItem(_in_words(str(error))) from None


def read_object(item: Any) -> _Item:
    """Read a decoded JSON value. Raises InvalidItem."""
    try:
        return msgspec.convert(item, _Item)
    except msgspec.MsgspecError as error:
        raise InvalidItem(_in_words(str(error))) from None


def read_cells(cells: dict[str, str]) -> _Item:
    """Read the cells of a line by their columns; an empty one is as good as none. Raises InvalidItem.

    A label that is a JSON number, `true` or `false` is one; others are texts.
    """
    given = {name: cell for name, cell in cells.items() if cell}
    numbers = {name: _scalar(given[name]) for name in ("row", "label", "reward") if name in given}
    return read_object(given | numbers)


def row_of(item: _Item, model_id: str, now: datetime) -> dict[str, Any]:
    """Return the table's columns. Raises InvalidItem."""
    return {
        "model_id": model_id,
        "prediction_id": _id(item.request_id),
        "row": item.row,
        "label": _label(item),
        "reward": item.reward,
        "at": _moment(item.at or now),
        "received_at": now,
    }


def _id(given: str | int) -> str:
    text = str(given)
    if not 0 < len(text) <= LONGEST_PREDICTION_ID or not text.isprintable():
        raise InvalidItem(f"request_id must have 1 to {LONGEST_PREDICTION_ID} printable characters")
    return text


def _label(item: _Item) -> str | None:
    if item.reward is not None and not math.isfinite(item.reward):
        raise InvalidItem("reward must be a finite number")
    if item.label is None:
        if item.reward is None:
            raise InvalidItem("label or reward is needed: what turned out to be true, or what it was worth")
        return None
    if isinstance(item.label, float) and not math.isfinite(item.label):
        raise InvalidItem("label must be a finite number")
    if isinstance(item.label, int) and abs(item.label) >= _LONGEST_INTEGER:
        raise InvalidItem("label must be a number of at most 64 bits")
    try:
        text = orjson.dumps(item.label)
    except orjson.JSONEncodeError:
        raise InvalidItem("label must be text in UTF-8") from None
    if len(text) > MAX_PREDICTION_BYTES:
        raise InvalidItem(f"label must be {MAX_PREDICTION_BYTES} bytes of JSON at most")
    return text.decode()


def _moment(at: datetime) -> datetime:
    if not 1970 <= at.year <= _LAST_YEAR:
        raise InvalidItem(f"at must be from 1970 to {_LAST_YEAR}")
    return at.astimezone(UTC)


def _scalar(cell: str) -> Any:
    try:
        value = orjson.loads(cell)
    except orjson.JSONDecodeError:
        return cell
    return value if isinstance(value, bool | int | float) else cell


def _in_words(error: str) -> str:
    """msgspec names fields as `$.row`."""
    return error.replace("`$.", "`").replace("$.", "")
