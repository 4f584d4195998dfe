"""What rows a function takes, by the type hint of its first parameter."""

import dataclasses
import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NotRequired, Required, Union, get_args, get_origin, get_type_hints

from modelport_runtime.core.signature import Column, Kind
from modelport_runtime.core.types import LoadError

Container = Literal["rows", "array", "frame", "texts"]
_TAKEN = (
    "take list[dict] (what no hint stands for), list[str], a list of a TypedDict or dataclass, "
    "numpy.ndarray or pandas.DataFrame"
)
_KINDS: dict[Any, tuple[Kind, str]] = {
    float: ("number", "float64"),
    int: ("integer", "int64"),
    bool: ("boolean", "bool"),
    str: ("string", "object"),
    datetime: ("string", "datetime64[us]"),
    Any: ("any", "object"),
}
_UNKNOWN = (inspect.Parameter.empty, Any, object)


@dataclass(frozen=True)
class RowsHint:
    """`columns`: None where the hint names none. `build`: makes a row of an object; None: it is a dict.

    `may_lack`: columns that are left out of a row that has no value for them; others are None then.
    """

    container: Container
    columns: tuple[Column, ...] | None = None
    build: Callable[..., Any] | None = None
    may_lack: frozenset[str] = frozenset()


def hint_of(function: Callable[..., Any], name: str) -> RowsHint:
    """Return what the function takes; `name` is how its author knows it.

    Raises `LoadError` for a function of no parameter, and for a hint that stands for no rows.
    """
    parameters = _positional(function)
    if not parameters:
        raise LoadError(
            "LoadFailed", f"{name} takes no rows: write {name}(rows), in a class {name}(self, rows)."
        )
    first = parameters[0]
    if first.annotation is inspect.Parameter.empty:
        return RowsHint("rows")
    hint = _resolved(function, name).get(first.name)
    found = _of_container(hint, name)
    if found is None:
        raise LoadError("LoadFailed", f"{name} takes {_shown(hint)}, which is no form of rows: {_TAKEN}.")
    return found


def _positional(function: Callable[..., Any]) -> list[inspect.Parameter]:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    try:
        return [each for each in inspect.signature(function).parameters.values() if each.kind in kinds]
    except (TypeError, ValueError):
        return []


def _resolved(function: Callable[..., Any], name: str) -> dict[str, Any]:
    try:
        return get_type_hints(function)
    except Exception as error:
        raise LoadError("LoadFailed", f"The type hints of {name} cannot be read: {error}.") from error


def _of_container(hint: Any, name: str) -> RowsHint | None:
    origin = get_origin(hint) or hint
    module = str(getattr(origin, "__module__", "")).partition(".")[0]
    kind = str(getattr(origin, "__name__", ""))
    if (module, kind) == ("numpy", "ndarray"):
        return RowsHint("array")
    if (module, kind) == ("pandas", "DataFrame"):
        return RowsHint("frame")
    if hint in _UNKNOWN:
        return RowsHint("rows")
    if not (isinstance(origin, type) and issubclass(origin, Sequence)) or origin is str:
        return None
    (row,) = get_args(hint) or (Any,)
    return _of_rows(row, name)


def _of_rows(row: Any, name: str) -> RowsHint | None:
    if row is str:
        return RowsHint("texts")
    if _is_typed_dict(row):
        return _of_typed_dict(row, name)
    if dataclasses.is_dataclass(row) and isinstance(row, type):
        return _of_dataclass(row, name)
    origin = get_origin(row) or row
    is_plain = isinstance(origin, type) and issubclass(origin, Mapping | list | tuple)
    return RowsHint("rows") if row in _UNKNOWN or is_plain else None


def _is_typed_dict(row: Any) -> bool:
    return isinstance(row, type) and issubclass(row, dict) and hasattr(row, "__required_keys__")


def _of_typed_dict(row: Any, name: str) -> RowsHint:
    required = row.__required_keys__
    columns = [_column(row, each, hint, each in required) for each, hint in _fields(row, name)]
    return RowsHint("rows", tuple(columns), None, frozenset(row.__annotations__) - required)


def _of_dataclass(row: Any, name: str) -> RowsHint:
    fields = {each.name: each for each in dataclasses.fields(row) if each.init}
    lacking = {each for each, field in fields.items() if _has_default(field)}
    columns = [
        _column(row, each, hint, each not in lacking) for each, hint in _fields(row, name) if each in fields
    ]
    return RowsHint("rows", tuple(columns), row, frozenset(lacking))


def _has_default(field: Any) -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def _fields(row: Any, name: str) -> list[tuple[str, Any]]:
    found = list(_resolved(row, f"{row.__name__}, the row of {name},").items())
    if not found:
        raise LoadError("LoadFailed", f"{row.__name__}, the row of {name}, has no fields.")
    return found


def _column(row: Any, name: str, hint: Any, required: bool) -> Column:
    while get_origin(hint) in (Required, NotRequired):
        (hint,) = get_args(hint)
    plain, nullable = _without_none(hint)
    values = _texts_of(plain)
    kind = _KINDS.get(str if values else plain)
    if kind is None:
        raise LoadError(
            "LoadFailed",
            f"{row.__name__}.{name} is {_shown(hint)}, which no column can be: give it float, int, bool, "
            "str, datetime, a Literal of texts or Any, or take list[dict], whose rows come as they are sent.",
        )
    return Column(name, *kind, optional=nullable or not required or plain is Any, values=values)


def _without_none(hint: Any) -> tuple[Any, bool]:
    if get_origin(hint) not in (Union, types.UnionType):
        return hint, False
    others = [each for each in get_args(hint) if each is not type(None)]
    nullable = len(others) < len(get_args(hint))
    return (others[0], nullable) if len(others) == 1 else (hint, nullable)


def _texts_of(hint: Any) -> tuple[str, ...] | None:
    if get_origin(hint) is not Literal or not all(isinstance(each, str) for each in get_args(hint)):
        return None
    return tuple(get_args(hint))


def _shown(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")
