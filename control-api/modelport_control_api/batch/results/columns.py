"""The columns of a download, from all the chunks that it is made of."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from modelport_control_api.batch.storage.chunks import ChunkResults, Named
from modelport_control_api.batch.storage.contributions import Terms

OWN = ("row", "prediction", "probabilities", "error")
_EXPLAINED = ("contribution_", "contributions")


@dataclass(slots=True)
class Columns:
    """`kinds`: of each column the types of its values, as `bool`, `int`, `float`, `str` or `json`."""

    keys: list[str] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    kinds: dict[str, set[str]] = field(default_factory=dict)
    terms: Terms | None = None
    has_contributions: bool = False

    def see(self, results: ChunkResults) -> None:
        """Note a chunk."""
        known = set(self.keys)
        self.has_contributions = results.contributions is not None
        if results.contributions is not None:
            self.terms = self.terms or results.contributions.terms
        self.keys += [name for name in results.keys if name not in known]
        for name, values in results.keys.items():
            self._see_kinds(self.shown_key(name), values)
        self._see_kinds("prediction", results.predictions)
        for named in results.probabilities or ():
            # Of all rows of a version the classes are the same.
            if named and not self.classes:
                self.classes = list(_by_name(named))

    def shown_key(self, name: str) -> str:
        """Return a key column's name in the file."""
        return shown_key(name, contributions=self.has_contributions)

    def _see_kinds(self, column: str, values: Iterable[Any]) -> None:
        kinds = self.kinds.setdefault(column, set())
        kinds.update(_KINDS.get(kind, "json") for kind in set(map(type, values)) if kind is not type(None))


_KINDS: dict[type, str] = {bool: "bool", int: "int", float: "float", str: "str"}


def shown_key(name: str, *, contributions: bool) -> str:
    """A key column's name in the results, where some names are taken: more where they have contributions."""
    taken = name in OWN or name.startswith("probability_") or (contributions and name.startswith(_EXPLAINED))
    return f"input_{name}" if taken else name


def key_values(results: ChunkResults, name: str) -> Sequence[Any]:
    """Return the key column's value of each row; None where the row has none."""
    return results.keys.get(name) or [None] * results.rows


def row_numbers(results: ChunkResults) -> Sequence[int]:
    """Return each row's place in the job's input, counted from 0."""
    return results.numbers or range(results.first_row, results.first_row + results.rows)


def class_values(results: ChunkResults, name: str) -> Iterator[Any]:
    """Yield each row's probability of the class; None where there is none."""
    for named in results.probabilities or [None] * results.rows:
        yield None if named is None else _by_name(named).get(name)


def term_names(terms: Terms | None) -> list[str]:
    """Return the columns of contributions: what is added up to, then each of its numbers."""
    if terms is None:
        return []
    about = ["contributions_scale", *([] if terms.of_class is None else ["contributions_class"])]
    if terms.classes is None:
        return about + _distinct([*(f"contribution_{name}" for name in terms.columns), "contributions_base"])
    named = (
        [*(f"contribution_{key}_{name}" for name in terms.columns), f"contributions_base_{key}"]
        for key in terms.classes
    )
    return about + _distinct([name for names in named for name in names])


def term_values(results: ChunkResults, terms: Terms | None) -> list[Sequence[Any]]:
    """Return for each of `term_names` the rows' values; None where a row has none."""
    if terms is None:
        return []
    given = results.contributions
    rows = [None] * results.rows if given is None else given.rows
    about = [terms.scale, *([] if terms.of_class is None else [terms.of_class])]
    constant = [[None if row is None else text for row in rows] for text in about]
    numbers = [[None] * results.rows] * terms.width if given is None else given.columns(terms)
    return [*constant, *numbers]


def _distinct(names: Sequence[str]) -> list[str]:
    """Class a of column b_c and class a_b of column c share a name: the second one is numbered."""
    seen: Counter[str] = Counter()
    taken = set(names)
    distinct = []
    for name in names:
        seen[name] += 1
        while seen[name] > 1 and f"{name}_{seen[name]}" in taken:
            seen[name] += 1
        distinct.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return distinct


def _by_name(named: Named) -> dict[str, Any]:
    """Several labels have an object of classes each: their columns are the label's place and the class."""
    if isinstance(named, dict):
        return named
    return {f"{place}_{key}": value for place, label in enumerate(named) for key, value in label.items()}


def error_values(results: ChunkResults) -> Iterator[str | None]:
    """Yield why each row has no prediction; None where it has one."""
    return map(results.errors.get, range(results.rows))


def as_text(value: Any) -> str:
    """JSON, but for a text, which stays as it is."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()
