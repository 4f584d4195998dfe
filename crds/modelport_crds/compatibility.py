"""What callers of one version depend on and another does not have, by the signatures that runtimes report.

The rule: what the former answers the latter must answer too, in the same form; it may take and return more.
What is not known of one of them counts as equal. Pure.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from modelport_crds.mlmodel import Compatibility, SignatureChange

MOST_CHANGES = 20
"""A status has to fit into the cluster's store: of more changes only the number is kept."""

WORDS: Mapping[str, str] = {
    "input_form": "it takes {after}, not {before}",
    "input_removed": "input {name} is gone",
    "input_added": "input {name} is new and required",
    "input_required": "input {name} may no longer be missing",
    "input_type": "input {name} has the type {after}, not {before}",
    "values_removed": "input {name} no longer takes {before}",
    "values_closed": "input {name} takes nothing but {after}",
    "input_order": "rows that are lists have another order: {after}, not {before}",
    "input_count": "the number of values in a row is {after}, not {before}",
    "task": "its task is {after}, not {before}",
    "labels": "the number of labels is {after}, not {before}",
    "classes_removed": "it never answers {before}",
    "classes_added": "it answers {after} too",
    "output_removed": "output {name} is gone",
    "answer_type": "it answers the sample of {name} with {after}, not {before}",
    "sample": "it does not answer the sample of {name}: {after}",
}
"""Every kind of change, and how users read it."""

_EXPLANATION = "contributions"
"""The platform's own about a prediction, which it has for some kinds of models only."""

_MOST_VALUES = 5
_LONGEST_NAME = 80
_LONGEST_TEXT = 300


def compared(version: str, changes: Iterable[SignatureChange]) -> Compatibility:
    """Return how a version compares with `version`: the changes, as many as a status may hold."""
    found = tuple(changes)
    return Compatibility(
        version=version, changes=found[:MOST_CHANGES], more=max(0, len(found) - MOST_CHANGES)
    )


def change(what: str, *, name: str = "", before: str = "", after: str = "") -> SignatureChange:
    """Return a change whose texts, a model's own and so untrusted, are cut and safe to print."""
    return SignatureChange(
        what=what,
        name=_printable(name, _LONGEST_NAME),
        before=_printable(before, _LONGEST_TEXT),
        after=_printable(after, _LONGEST_TEXT),
    )


def in_words(changed: SignatureChange) -> str:
    """`input age is new and required`; of a kind that only a newer release knows, its name."""
    template = WORDS.get(changed.what, "{what} {name}")
    return template.format_map(msgspec.structs.asdict(changed)).strip()


def summary(compatibility: Compatibility) -> str:
    """All changes in one line: `input age is gone; output probabilities is gone; and 3 more`."""
    texts = [in_words(changed) for changed in compatibility.changes]
    return "; ".join([*texts, f"and {compatibility.more} more"] if compatibility.more else texts)


def signature_changes(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> Iterator[SignatureChange]:
    """Yield what `after` lacks of `before`, inputs first. None, or what is no signature, is unknown."""
    old, new = _read(before), _read(after)
    if old is not None and new is not None:
        yield from _of_inputs(old, new)
        yield from _of_answers(old, new)


class _Column(msgspec.Struct, frozen=True):
    """`optional` None: unknown."""

    name: str
    kind: str = "any"
    dtype: str = "object"
    optional: bool | None = None
    values: tuple[Any, ...] | None = None
    shape: tuple[int | None, ...] | None = None

    @property
    def is_unknown(self) -> bool:
        """The file does not say what it holds; only a sample can."""
        return self.kind == "any" and self.dtype == "object"


class _Signature(msgspec.Struct, frozen=True):
    task: str = "generic"
    columns: tuple[_Column, ...] | None = None
    positional: bool = False
    input: str = ""
    outputs: tuple[str, ...] | None = None
    classes: tuple[Any, ...] | None = None
    tensors_in: tuple[Any, ...] | None = None


def _read(signature: Mapping[str, Any] | None) -> _Signature | None:
    try:
        return None if signature is None else msgspec.convert(signature, _Signature)
    except msgspec.ValidationError:
        return None


def _of_inputs(old: _Signature, new: _Signature) -> Iterator[SignatureChange]:
    if old.input and new.input and old.input != new.input:
        yield change("input_form", before=_form(old), after=_form(new))
    elif old.columns is not None and new.columns is not None:
        pairing = _by_position if old.positional or new.positional else _by_name
        # Only ONNX Runtime, which has tensors, takes no boolean for a number.
        yield from pairing(old.columns, new.columns, counts=new.tensors_in is None)


def _form(signature: _Signature) -> str:
    return "texts" if signature.input == "text" else "rows of values"


_Columns = Sequence[_Column]


def _by_position(old: _Columns, new: _Columns, *, counts: bool) -> Iterator[SignatureChange]:
    """Names of a model that knows none say nothing; one more value is refused even if it may be missing."""
    if len(old) != len(new):
        yield change("input_count", before=str(len(old)), after=str(len(new)))
        return
    for was, now in zip(old, new, strict=True):
        yield from _of_column(was, now, counts=counts)


def _by_name(old: _Columns, new: _Columns, *, counts: bool) -> Iterator[SignatureChange]:
    spelled = _spelling(old, new)
    were, are = ({spelled(column.name): column for column in side} for side in (old, new))
    for name, was in were.items():
        if name in are:
            yield from _of_column(was, are[name], counts=counts)
        else:
            yield change("input_removed", name=was.name)
    for name, now in are.items():
        if name not in were and now.optional is False:
            yield change("input_added", name=now.name)
    yield from _of_order([name for name in were if name in are], [name for name in are if name in were])


def _spelling(*sides: _Columns) -> Callable[[str], str]:
    """A blank and `_` are one, since LightGBM writes the former so, unless a model tells them apart."""
    ambiguous = any(len({_without_blanks(each.name) for each in side}) < len(side) for side in sides)
    return str if ambiguous else _without_blanks


def _without_blanks(name: str) -> str:
    return name.replace(" ", "_")


def _of_order(before: list[str], after: list[str]) -> Iterator[SignatureChange]:
    """A caller by position would get wrong answers and no error."""
    if before != after:
        yield change("input_order", before=", ".join(before), after=", ".join(after))


def _of_column(old: _Column, new: _Column, *, counts: bool) -> Iterator[SignatureChange]:
    if not _fits(old, new, counts=counts):
        yield change("input_type", name=old.name, before=_type(old), after=_type(new))
        return
    yield from _of_values(old, new)
    if old.optional and new.optional is False:
        yield change("input_required", name=old.name)


def _of_values(old: _Column, new: _Column) -> Iterator[SignatureChange]:
    if new.values is None or old.is_unknown:
        return
    if old.values is None:
        yield change("values_closed", name=old.name, after=_listed(new.values))
        return
    taken = set(map(_key, new.values))
    lost = [value for value in old.values if _key(value) not in taken]
    if lost:
        yield change("values_removed", name=old.name, before=_listed(lost))


# What a column takes, as sets of what can be sent.
_Kinds = frozenset[str]
_NUMBERS: _Kinds = frozenset({"whole", "fraction"})
_BOOLEAN: _Kinds = frozenset({"boolean"})
_TEXTS: _Kinds = frozenset({"text", "date", "date with an offset"})
_ALL = _NUMBERS | _BOOLEAN | _TEXTS


def _fits(old: _Column, new: _Column, *, counts: bool) -> bool:
    if old.is_unknown:
        return True
    if "tensor" in (old.kind, new.kind):
        return _tensor_fits(old, new)
    return _sent(old) <= _taken(new, counts=counts)


def _sent(column: _Column) -> _Kinds:
    """What callers send to it, without what it would also take."""
    if column.kind == "string":
        return frozenset({_date(column) or "text"})
    usual = {"number": _NUMBERS, "any": _NUMBERS, "integer": frozenset({"whole"}), "boolean": _BOOLEAN}
    return usual.get(column.kind, frozenset())


def _taken(column: _Column, *, counts: bool) -> _Kinds:
    """counts: a boolean is taken for a number."""
    if column.kind == "string":
        if date := _date(column):
            return frozenset({date})
        # Of a category the text counts, of a whole number or a boolean too.
        return _TEXTS | _BOOLEAN | {"whole"} if column.dtype == "str" else _TEXTS
    if column.kind == "boolean":
        return _BOOLEAN if column.dtype in ("bool", "object") else _BOOLEAN | _NUMBERS
    if column.kind == "any":
        return _ALL if column.is_unknown else _BOOLEAN | _NUMBERS
    numbers = {"number": _NUMBERS, "integer": frozenset({"whole"})}.get(column.kind)
    if numbers is None:
        return _ALL
    return numbers | _BOOLEAN if counts and column.dtype != "category" else numbers


def _date(column: _Column) -> str:
    """Empty: it holds no dates."""
    if not column.dtype.startswith("datetime64"):
        return ""
    return "date with an offset" if "," in column.dtype else "date"


def _tensor_fits(old: _Column, new: _Column) -> bool:
    if old.kind != new.kind:
        return new.is_unknown
    return _elements(old) <= _elements(new) and _shape_fits(old.shape, new.shape)


def _elements(column: _Column) -> _Kinds:
    kinds = {"float": _NUMBERS, "int": frozenset({"whole"}), "uint": frozenset({"whole"})}
    return kinds.get(column.dtype.rstrip("0123456789"), frozenset({column.dtype}))


def _shape_fits(old: Sequence[int | None] | None, new: Sequence[int | None] | None) -> bool:
    """None is a free size, or a shape that nobody knows."""
    if old is None or new is None:
        return True
    return len(old) == len(new) and all(now in (None, was) for was, now in zip(old, new, strict=True))


def _type(column: _Column) -> str:
    if column.kind == "tensor":
        return f"tensor of {column.dtype} {json.dumps(column.shape)}"
    if column.kind == "any":
        return "any value" if column.is_unknown else "number or boolean"
    names = {"string": "text", "integer": "whole number"}
    return _date(column) or names.get(column.kind, column.kind)


def _of_answers(old: _Signature, new: _Signature) -> Iterator[SignatureChange]:
    if old.task != new.task and "generic" not in (old.task, new.task):
        yield change("task", before=old.task, after=new.task)
    if old.classes is not None and new.classes is not None:
        yield from _of_classes(_labels(old.classes), _labels(new.classes))
    if old.outputs is not None and new.outputs is not None:
        for name in old.outputs:
            if name not in new.outputs and name != _EXPLANATION:
                yield change("output_removed", name=name)


def _labels(classes: Sequence[Any]) -> list[Sequence[Any]]:
    """The classes of each label: of several labels a list has those of each."""
    nested = bool(classes) and all(isinstance(each, list) for each in classes)
    return list(classes) if nested else [classes]


def _of_classes(old: list[Sequence[Any]], new: list[Sequence[Any]]) -> Iterator[SignatureChange]:
    if len(old) != len(new):
        yield change("labels", before=str(len(old)), after=str(len(new)))
        return
    pairs = list(zip(old, new, strict=True))
    if gone := [each for were, are in pairs for each in _missing(were, are)]:
        yield change("classes_removed", before=_listed(gone))
    if added := [each for were, are in pairs for each in _missing(are, were)]:
        yield change("classes_added", after=_listed(added))


def _missing(some: Sequence[Any], others: Sequence[Any]) -> list[Any]:
    """Those of `some` that `others` lacks. By their JSON text, which is a class's name: 1 is not 1.0."""
    known = set(map(_text, others))
    return [each for each in some if _text(each) not in known]


def _key(value: Any) -> object:
    """Equal for equal values of a column: 1 is 1.0, and neither is true."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number else _text(value)


def _listed(values: Sequence[Any]) -> str:
    shown = ", ".join(map(_text, values[:_MOST_VALUES]))
    return f"{shown} and {len(values) - _MOST_VALUES} more" if len(values) > _MOST_VALUES else shown


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _printable(text: str, limit: int) -> str:
    plain = "".join(char if char.isprintable() else " " for char in text[: limit + 1])
    return plain if len(plain) <= limit else f"{plain[: limit - 1]}…"
