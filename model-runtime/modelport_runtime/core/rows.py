"""A native request body → rows of typed values in the model's column order, with every problem named."""

from collections.abc import Callable, Sequence
from typing import Any

import orjson
from modelport_http.wording import counted

from modelport_runtime.core.signature import Column, Signature, TensorSpec
from modelport_runtime.core.typed_bodies import typed_reader
from modelport_runtime.core.types import Failure, FieldError, Rejected, Request, Unfit
from modelport_runtime.core.values import converter, json_type

MAX_ERRORS = 100
"""A body of a million wrong values must not become a bigger response."""

_EXACT = 2**53
_WIDE = {"float32", "float64"}
_MAX_NAME = 100
_KEYS = {"input", "inputs", "return"}

Row = list[Any]


class Problems:
    """Collects field errors; more than `MAX_ERRORS` are counted, not kept."""

    def __init__(self) -> None:
        self.errors: list[FieldError] = []
        self.total = 0

    def add(self, field: str, message: str) -> None:
        self.total += 1
        if len(self.errors) < MAX_ERRORS:
            self.errors.append({"field": field, "message": message})

    def raise_if_any(self) -> None:
        """Raises `Rejected`: 422, with all that was found."""
        if self.errors:
            raise Rejected(self.failure())

    def failure(self) -> Failure:
        """Make the 422 of all that was found, which is something."""
        first = self.errors[0]
        more = f" (and {self.total - 1} more)" if self.total > 1 else ""
        detail = f"{first['field']} {first['message']}{more}"
        return Failure(422, "Invalid input", detail, errors=self.errors)


def reject(field: str, message: str) -> Rejected:
    """Make the 422 of a single field."""
    return Rejected(
        Failure(422, "Invalid input", f"{field} {message}", errors=[FieldError(field=field, message=message)])
    )


def parse_object(body: bytes) -> dict[str, Any]:
    """Parse the body as JSON. Raises `Rejected`: 400 not JSON, 422 not an object."""
    try:
        parsed = orjson.loads(body)
    except (orjson.JSONDecodeError, RecursionError) as error:
        raise Rejected(Failure(400, "Not JSON", f"The body is not valid JSON: {error}")) from None
    if not isinstance(parsed, dict):
        raise reject("body", f"must be an object with input or inputs, not {json_type(parsed)}")
    return parsed


def wanted_outputs(wanted: Any, available: Sequence[str]) -> tuple[str, ...]:
    """Check `return` against what the model can give."""
    have = ", ".join(available)
    if not isinstance(wanted, list) or not wanted:
        raise reject("return", f"must be a list of outputs: {have}")
    for name in wanted:
        if name not in available:
            raise reject("return", f"asks for {_shown(name)}, which this model does not have: {have}")
    return tuple(name for name in available if name in wanted)


def _shown(name: Any) -> str:
    return name[:_MAX_NAME] if isinstance(name, str) else json_type(name)


class RowDecoder:
    """All that can be prepared once a model is, so that a request pays for its values only."""

    def __init__(self, signature: Signature, *, blanks_are_lost: bool = False) -> None:
        """blanks_are_lost: the model's names have `_` where those of its training may have had blanks."""
        self._signature = signature
        self._read_row = _row_reader(signature, blanks_are_lost=blanks_are_lost)
        self._read_typed = typed_reader(signature)

    def decode(self, body: bytes) -> Request:
        """Decode a native body. Raises `Rejected` with a 400 or a 422 that names each field."""
        return self._read_typed(body) or self.decode_described(body)

    def decode_described(self, body: bytes) -> Request:
        """Decode value by value: slower than `typed_reader`, but takes all bodies and words all errors."""
        parsed = parse_object(body)
        problems = Problems()
        for key in sorted(parsed.keys() - _KEYS):
            problems.add(key, "is not a key of a predict request: input or inputs, and return")
        if ("input" in parsed) == ("inputs" in parsed):
            both = "must not be given together with inputs" if "input" in parsed else "is missing (or inputs)"
            problems.add("input", both)
        problems.raise_if_any()
        outputs = (
            wanted_outputs(parsed["return"], self._signature.outputs)
            if "return" in parsed
            else ("prediction",)
        )
        if "input" in parsed:
            return Request(self.read_rows([parsed["input"]], "input"), True, outputs)
        return Request(self._many(parsed["inputs"]), False, outputs)

    def _many(self, rows: Any) -> list[Any]:
        if not isinstance(rows, list):
            raise reject("inputs", f"must be a list of rows, not {json_type(rows)}")
        if not rows:
            raise reject("inputs", "must hold at least one row")
        return self.read_rows(rows, None)

    def read_rows(self, rows: list[Any], field: str | None) -> list[Any]:
        """Read parsed rows; `field` names the one row, or None for `inputs[i]`. Raises `Rejected`."""
        problems = Problems()
        read = self._read_row
        if field is not None:
            decoded = [read(row, lambda: field, problems) for row in rows]
        else:
            decoded = [
                read(row, lambda i=index: f"inputs[{i}]", problems)  # type: ignore[misc]  # a lambda's default
                for index, row in enumerate(rows)
            ]
        problems.raise_if_any()
        return decoded


Path = Callable[[], str]
ReadRow = Callable[[Any, Path, Problems], Any]


def _row_reader(signature: Signature, *, blanks_are_lost: bool) -> ReadRow:
    if signature.input == "text":
        return _read_text
    if signature.columns is None:
        return _VectorReader(signature.tensors_in[0]) if signature.tensors_in else _read_anything
    return _ColumnReader(signature, blanks_are_lost=blanks_are_lost)


def _read_text(row: Any, path: Path, problems: Problems) -> Any:
    if not isinstance(row, str):
        problems.add(path(), f"must be a string (the model takes texts), not {json_type(row)}")
    return row


def _read_anything(row: Any, path: Path, problems: Problems) -> Any:
    if not isinstance(row, list | dict):
        problems.add(path(), f"must be an object or a list, not {json_type(row)}")
    return row


class _VectorReader:
    """Rows of any number of values, all of the one tensor's type."""

    def __init__(self, tensor: TensorSpec) -> None:
        self._convert = converter(Column("", "tensor", tensor.dtype, shape=(None,)))

    def __call__(self, row: Any, path: Path, problems: Problems) -> Any:
        if not isinstance(row, list):
            problems.add(path(), f"must be a list, not {json_type(row)}")
            return row
        try:
            return self._convert(row)
        except Unfit as unfit:
            problems.add(f"{path()}{unfit.place}", str(unfit))
            return row


class _ColumnReader:
    def __init__(self, signature: Signature, *, blanks_are_lost: bool) -> None:
        self._blanks_are_lost = blanks_are_lost
        columns = signature.columns or ()
        self._names = [column.name for column in columns]
        self._known = frozenset(self._names)
        self._required = frozenset(column.name for column in columns if not column.optional)
        # ONNX Runtime alone has no numbers for booleans.
        counts = signature.tensors_in is None
        self._converters = [converter(column, booleans_count=counts) for column in columns]
        self._positional = signature.positional
        plain = all(
            column.kind == "number" and column.values is None and column.dtype in _WIDE for column in columns
        )
        self._fast_types = frozenset((int, float)) if plain else frozenset()

    def __call__(self, row: Any, path: Path, problems: Problems) -> Row:
        if isinstance(row, dict):
            return self._read_object(row, path, problems)
        if isinstance(row, list):
            return self._read_list(row, [f"[{i}]" for i in range(len(row))], path, problems)
        problems.add(path(), f"must be an object or a list, not {json_type(row)}")
        return []

    def _read_object(self, row: dict[str, Any], path: Path, problems: Problems) -> Row:
        if self._positional:
            return self._read_list(list(row.values()), [f".{key}" for key in row], path, problems)
        if row.keys() != self._known:
            row = self._respelled(row) if self._blanks_are_lost else row
            self._name_differences(row, path, problems)
        values = [row.get(name) if name in row else _ABSENT for name in self._names]
        return self._convert(values, [f".{name}" for name in self._names], path, problems)

    def _respelled(self, row: dict[str, Any]) -> dict[str, Any]:
        """Two keys never become one: the row stays as it is, and the key that is wrong is named."""
        spelled = {key if key in self._known else key.replace(" ", "_"): value for key, value in row.items()}
        return spelled if len(spelled) == len(row) else row

    def _name_differences(self, row: dict[str, Any], path: Path, problems: Problems) -> None:
        for name in self._names:
            if name in self._required and name not in row:
                problems.add(f"{path()}.{name}", "is missing")
        for name in row:
            if name not in self._known:
                problems.add(f"{path()}.{name}", "is not a field of this model")

    def _read_list(self, row: list[Any], suffixes: list[str], path: Path, problems: Problems) -> Row:
        if len(row) != len(self._names):
            problems.add(path(), f"has {counted(len(row), 'value')}, but the model takes {len(self._names)}")
            return []
        return self._convert(row, suffixes, path, problems)

    def _convert(self, values: list[Any], suffixes: list[str], path: Path, problems: Problems) -> Row:
        if self._fast_types.issuperset(map(type, values)) and _exact(values):
            return values
        converted: Row = []
        for value, convert, suffix in zip(values, self._converters, suffixes, strict=True):
            if value is _ABSENT:
                converted.append(float("nan"))
                continue
            try:
                converted.append(convert(value))
            except Unfit as unfit:
                problems.add(f"{path()}{suffix}{unfit.place}", str(unfit))
        return converted


_ABSENT = object()


def _exact(values: list[Any]) -> bool:
    return not values or (max(values) <= _EXACT and min(values) >= -_EXACT)
