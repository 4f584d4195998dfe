"""A session that takes rows, however many and of whatever shapes, and gives rows."""

import re
from collections.abc import Callable, Sequence, Set
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from modelport_runtime.core.backends.onnx import independence
from modelport_runtime.core.backends.onnx.inputs import (
    DTYPES,
    Feeds,
    Input,
    has_any_shape,
    in_groups,
    read_inputs,
    shapes_of_values,
    sizes_of,
    tensor_spec,
)
from modelport_runtime.core.backends.onnx.layouts import (
    ROWS_FIRST,
    WHOLE,
    Layout,
    NoRows,
    Rows,
    Shape,
    joined,
    of_batch,
    of_two,
)
from modelport_runtime.core.backends.onnx.probes import Probes
from modelport_runtime.core.signature import TensorSpec
from modelport_runtime.core.types import LoadError

Groups = list[tuple[list[int] | None, Feeds]]
"""Feeds with the places of their rows; None: all of them, in order."""
_TENSOR = re.compile(r"tensor\(\w+\)")
_TOGETHER = 3
_READABLE = (list, dict, str, int, float, type(None))


class Graph:
    """Raises `LoadError` (UnsupportedFormat) if rows cannot be put in or found in what comes out."""

    def __init__(
        self,
        session: Any,
        scalars: Set[str],
        *,
        one_by_one: bool = False,
        is_recurrent: bool = False,
        kind: str = "ONNX",
        most_rows: int | None = None,
    ) -> None:
        """one_by_one: what stands beside a row would have a part in its prediction.
        is_recurrent: unless rows are found in its first sizes, a request is one row, as the graph has it.
        kind: whose graph it is, in the words of an error.
        most_rows: the graph takes no more of them at once, and any fewer."""
        self._session, self._scalars, self._kind, self._most_rows = session, scalars, kind, most_rows
        self._declared_inputs, self.reported_outputs = session.get_inputs(), session.get_outputs()
        unknown = [each.name for each in self._declared_inputs if each.type not in DTYPES]
        if unknown or not self._declared_inputs:
            raise LoadError(
                "UnsupportedFormat", f"The {kind} inputs {unknown} are not tensors of known types."
            )
        self._check_types()
        self.inputs, self._limit = read_inputs(self._declared_inputs, self.reported_outputs, scalars)
        self._is_whole = is_recurrent and not self._rows_stand_first()
        if self._is_whole:
            self.inputs, self._limit = [Input(each, batched=False) for each in self._declared_inputs], 1
        probes = self._probes()
        self.makes_numbers_of_nan = probes.makes_numbers_of_nan()
        for given in probes.given[:1]:
            self._check(given)
        self.layouts = dict(zip(self._names, self._find_layouts(probes), strict=True))
        if one_by_one:
            self._limit = 1
        if self._limit is None:
            self._let_rows_be_independent(probes)
        self.probed: list[dict[str, Rows]] = [self._rows(self._names, given) for given in probes.given]

    @property
    def any_length(self) -> bool:
        """True if rows may be of different shapes."""
        return any(None in each.row_shape for each in self.inputs)

    @property
    def _names(self) -> list[str]:
        return [each.name for each in self.reported_outputs]

    def specs_in(self) -> tuple[TensorSpec, ...]:
        """Return what callers may send: any number of rows, even if the graph has a fixed batch."""
        declared = zip(map(tensor_spec, self._declared_inputs), self.inputs, strict=True)
        specs = [
            replace(spec, shape=(None, *spec.shape[1:])) if each.batched and spec.shape else spec
            for spec, each in declared
        ]
        # The smallest that rows are found in: what declares no shape may be more.
        free = has_any_shape(self._declared_inputs, self._scalars)
        return tuple(replace(spec, shape=(None, None)) if free else spec for spec in specs)

    def shape_out(self, reported: Any) -> Shape:
        """Return an output's shape, rows first; as declared where not even the inputs have rows."""
        if not reported.shape and (seen := self._seen_shape(reported.name)):
            return seen
        layout, sizes = self.layouts[reported.name], sizes_of(reported)
        if sizes and layout.axis is None and not all(each.batched for each in self.inputs):
            return sizes
        return layout.shape(sizes)

    def _seen_shape(self, name: str) -> Shape | None:
        """Return the free shape of what was given for probes: the file declares none."""
        if not self.probed:
            return (None, None) if has_any_shape(self._declared_inputs, self._scalars) else None
        rows = self.probed[0][name]
        return (None,) * rows.ndim if isinstance(rows, np.ndarray) else None

    def assembler(self, *, of_one_input: bool) -> Callable[[list[Any]], Groups]:
        """Build what makes feeds of rows: of values for each input, or of the only input's own rows."""
        feeds = self._feeds_of_rows if of_one_input else self._feeds_by_column
        shape_of: Any = np.shape if of_one_input else shapes_of_values
        at_once = self._limit or self._most_rows
        if at_once is None and not self.any_length:
            return lambda rows: [(None, feeds(rows))]

        def assemble(rows: list[Any]) -> Groups:
            groups = in_groups(rows, shape_of, at_once)
            return [(places, feeds(self._filled(group))) for places, group in groups]

        return assemble

    def run(self, groups: Groups, names: Sequence[str]) -> dict[str, Rows]:
        """Return the rows of these outputs in the order of the rows that were assembled."""
        given = [self._rows(names, self._session.run(names, feeds)) for _, feeds in groups]
        places = [places for places, _ in groups if places is not None]
        if not places:
            return given[0]
        return {name: joined([each[name] for each in given], places) for name in names}

    def _feeds_of_rows(self, rows: list[Any]) -> Feeds:
        (only,) = self.inputs
        return {only.name: only.tensor(rows)}

    def _feeds_by_column(self, rows: list[Any]) -> Feeds:
        columns = zip(*rows, strict=True)
        return {each.name: each.tensor(values) for each, values in zip(self.inputs, columns, strict=True)}

    def _filled(self, rows: list[Any]) -> list[Any]:
        """A graph of a fixed batch takes no fewer rows: the last one stands in."""
        return rows + rows[-1:] * ((self._limit or 0) - len(rows))

    def _rows(self, names: Sequence[str], given: Sequence[Any]) -> dict[str, Rows]:
        return {name: self.layouts[name].rows(each) for name, each in zip(names, given, strict=True)}

    def _probes(self) -> Probes:
        return Probes(lambda feeds: self._session.run(None, feeds), self.inputs, self._limit or 1)

    def _rows_stand_first(self) -> bool:
        """False where the first sizes are free and count something else: steps of a sequence."""
        if self._limit is not None:
            return None not in [(sizes_of(each) or (1,))[0] for each in self._declared_inputs]
        probes = self._probes()
        layouts = [of_two(*each) for each in zip(*probes.doubled, strict=True)] if probes.doubled else []
        if None in layouts:
            return False
        self.layouts = {name: layout for name, layout in zip(self._names, layouts, strict=False) if layout}
        try:
            independence.require(partial(self._arrays, probes), probes.drawn(_TOGETHER))
        except LoadError:
            return False
        return True

    def _let_rows_be_independent(self, probes: Probes) -> None:
        run, drawn = partial(self._arrays, probes), list(probes.drawn(_TOGETHER))
        if independence.fills_up(run, drawn):
            self._limit = 1
        else:
            independence.require(run, drawn)

    def _check_types(self) -> None:
        for reported in self.reported_outputs:
            if not DTYPES.keys() >= set(_TENSOR.findall(reported.type)):
                raise LoadError(
                    "UnsupportedFormat",
                    f"The {self._kind} output {reported.name} is a {reported.type}, not in NumPy: "
                    "cast it to float.",
                )

    def _arrays(self, probes: Probes, feeds: Feeds) -> list[np.ndarray[Any, Any]] | None:
        given = probes.try_run(feeds)
        if given is None:
            return None
        rows = self._rows(self._names, given).values()
        return [each for each in rows if isinstance(each, np.ndarray)]

    def _check(self, given: Sequence[Any]) -> None:
        for reported, each in zip(self.reported_outputs, given, strict=True):
            if not isinstance(each, _READABLE) and not hasattr(each, "dtype"):
                raise LoadError(
                    "UnsupportedFormat",
                    f"The {self._kind} output {reported.name} is a {reported.type}: "
                    "export it as a dense tensor.",
                )

    def _find_layouts(self, probes: Probes) -> list[Layout]:
        if self._is_whole:
            return [WHOLE] * len(self.reported_outputs)
        if not probes.given:
            # It takes no row that could be made up. Nearly all graphs are like this.
            return [ROWS_FIRST] * len(self.reported_outputs)
        if self._limit is None:
            two = probes.doubled
            layouts = [] if two is None else [of_two(*each) for each in zip(*two, strict=True)]
            found = [layout for layout in layouts if layout is not None]
            if len(found) == len(self.reported_outputs):
                return found
            self._limit = 1
        return [
            self._of_batch(reported.name, given)
            for reported, given in zip(self.reported_outputs, probes.given[0], strict=True)
        ]

    def _of_batch(self, name: str, given: Any) -> Layout:
        try:
            return of_batch(given, self._limit or 1)
        except NoRows as why:
            raise LoadError("UnsupportedFormat", f"The {self._kind} output {name} {why}.") from None
