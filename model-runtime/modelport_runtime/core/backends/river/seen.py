"""What a model of river has seen of its rows: names, where it keeps them, and which are numbers.

Rows are objects there, and every model takes any. What keeps names of its own is told apart by its class's
name, so nothing here needs river.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from modelport_runtime.core.describing.evidence import is_missing
from modelport_runtime.core.signature import Column, Kind


@dataclass(frozen=True)
class Field:
    """A key of a row. `required`: the model raises without it."""

    kind: Kind = "any"
    required: bool = False


Fields = dict[Any, Field]
# Class → the attribute whose keys are the names that it has learned of.
_OF_NUMBERS = {
    "StandardScaler": "counts",
    "MinMaxScaler": "min",
    "MaxAbsScaler": "abs_max",
    "RobustScaler": "median",
    "LinearRegression": "weights",
    "LogisticRegression": "weights",
    "Perceptron": "weights",
    "PARegressor": "weights",
    "PAClassifier": "weights",
}
_OF_ANY = {"OneHotEncoder": "values", "OrdinalEncoder": "categories"}
_OF_WORDS = ("BagOfWords", "TFIDF")
_TREES = ("HoeffdingTree", "HoeffdingAdaptiveTree", "ExtremelyFastDecisionTree")
_FORESTS = ("ARFClassifier", "ARFRegressor")


def fields_of(model: Any) -> Fields | None:
    """Return the keys that a row should have; None: the model does not tell."""
    kind = type(model).__name__
    if kind == "Pipeline":
        return _of_steps(list(model.steps.values()))
    if kind == "TransformerUnion":
        return _together(map(fields_of, model.transformers.values()))
    if kind == "Select":
        return {name: Field(required=True) for name in sorted(model.keys, key=str)}
    if kind in _OF_WORDS:
        return {model.on: Field("string", required=True)} if model.on else None
    return dict(_learned(model, kind)) or None


def _learned(model: Any, kind: str) -> Iterator[tuple[Any, Field]]:
    if kind == "GaussianNB":
        yield from ((name, Field("number")) for one in model.gaussians.values() for name in one)
    elif kind.startswith(_TREES):
        yield from ((name, Field()) for name in _of_tree(model))
    elif kind in _FORESTS:
        yield from ((name, Field()) for tree in model.data for name in _of_tree(tree))
    elif attribute := _OF_NUMBERS.get(kind):
        yield from ((name, Field("number")) for name in getattr(model, attribute))
    elif attribute := _OF_ANY.get(kind):
        yield from ((name, Field()) for name in getattr(model, attribute))


def _of_tree(tree: Any) -> Iterator[Any]:
    """Yield what its branches compare and its leaves have counted."""
    waiting = [tree._root]
    while waiting:
        node = waiting.pop()
        if (name := getattr(node, "feature", None)) is not None:
            yield name
        yield from getattr(node, "splitters", None) or ()
        waiting += getattr(node, "children", None) or ()


def _of_steps(steps: list[Any]) -> Fields | None:
    """The first step is handed the row; of what is selected there, the next may know more."""
    found = fields_of(steps[0]) if steps else None
    if found is None or type(steps[0]).__name__ != "Select" or len(steps) == 1:
        return found
    known = dict(_learned(steps[1], type(steps[1]).__name__))
    return {name: Field(known.get(name, field).kind, field.required) for name, field in found.items()}


def _together(parts: Iterable[Fields | None]) -> Fields | None:
    found: Fields = {}
    for part in parts:
        if part is None:
            return None
        for name, field in part.items():
            other = found.get(name, field)
            kind: Kind = field.kind if field.kind == other.kind else "any"
            found[name] = Field(kind, field.required or other.required)
    return found


def takes_text(model: Any) -> bool:
    """Return whether a row is one text, whose words are counted."""
    if type(model).__name__ == "Pipeline":
        return any(takes_text(step) for step in list(model.steps.values())[:1])
    return type(model).__name__ in _OF_WORDS and not model.on


def columns_of(fields: Mapping[Any, Field]) -> tuple[Column, ...]:
    """Return the columns of these keys."""
    return tuple(
        Column(
            str(name),
            field.kind,
            "float64" if field.kind == "number" else "object",
            optional=not field.required,
        )
        for name, field in fields.items()
    )


def assembler_of(fields: Mapping[Any, Field]) -> Callable[[list[Any]], list[dict[Any, Any]]]:
    """Return what makes objects of rows of values: with the model's own keys, some of which are numbers, and
    without those of missing values, as river has it."""
    names = list(fields)
    return lambda rows: [
        {name: value for name, value in zip(names, row, strict=True) if not is_missing(value)} for row in rows
    ]
