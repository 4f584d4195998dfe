"""Members whose outputs are the columns of one more model, the final."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from modelport_http.wording import counted

from modelport_runtime.core.backends.ensembles.chain import Feed
from modelport_runtime.core.backends.ensembles.columns import Rows, mismatch, united
from modelport_runtime.core.backends.ensembles.members import Member, numbers_or_list
from modelport_runtime.core.responses import class_keys
from modelport_runtime.core.signature import Signature
from modelport_runtime.core.types import Outputs

_IN_ORDER = ("probabilities", "decision_function", "prediction")
"""What is stacked of a member: the first of these that it has, as in scikit-learn."""
_MOST_SHOWN = 20


class GivenColumns:
    """What a member gives the final: `stacked`, in this order, and beside that its prediction by its name."""

    def __init__(self, member: Member, place: int) -> None:
        self._member = member
        self._name = member.name or f"member{place}"
        self._output = next(each for each in _IN_ORDER if each in member.signature.outputs)
        self._keys = class_keys(member.signature.classes or ())
        self._split_names = tuple(self._split(member.first((self._output,))))
        self.names = tuple(dict.fromkeys((*self._split_names, self._name)))

    @property
    def stacked(self) -> tuple[str, ...]:
        """Of two classes the second one alone: the first says nothing more."""
        of_two = self._output == "probabilities" and len(self._split_names) == 2
        return self._split_names[1:] if of_two else self._split_names

    def of(self, rows: Any, used: frozenset[str]) -> Mapping[str, Any]:
        """Return those of its columns that are used, of decoded rows."""
        split = used.intersection(self._split_names)
        needed = {self._output} if split else set()
        if self._name in used - split:
            needed.add("prediction")
        outputs = self._member.predict(
            rows, tuple(each for each in self._member.signature.outputs if each in needed)
        )
        columns = self._split(outputs) if split else {}
        return (
            columns
            if self._name in columns or "prediction" not in needed
            else {**columns, self._name: numbers_or_list(outputs, "prediction")}
        )

    def _split(self, outputs: Outputs) -> dict[str, Any]:
        if self._output == "probabilities":
            shares = self._member.shares(outputs, self._keys)
            return {self._of(at): shares[:, at] for at in range(len(self._keys))}
        values = numbers_or_list(outputs, self._output)
        if isinstance(values, np.ndarray) and values.ndim == 2:
            return {self._of(at): values[:, at] for at in range(values.shape[1])}
        if isinstance(values, list) and values and isinstance(values[0], list):
            return {self._of(at): [*column] for at, column in enumerate(zip(*values, strict=True))}
        return {self._name if self._output == "prediction" else self._of(len(self._keys) - 1): values}

    def _of(self, at: int) -> str:
        return f"{self._name}_{self._keys[at] if at < len(self._keys) else at}"


class Stack:
    """The final predicts of what the members gave: of their probabilities, where they have them."""

    def __init__(self, members: Sequence[Member], final: Member, *, passthrough: bool) -> None:
        self.final = final
        self._columns = [GivenColumns(member, place) for place, member in enumerate(members, 1)]
        self._given = [name for columns in self._columns for name in columns.names]
        by_name = not final.signature.positional
        rest = [final.taker(self._given)] if passthrough and by_name else []
        self.rows: Rows = united([*(member.taker() for member in members), *rest])
        self._width = len(self.rows.columns or ())
        pairs = zip(members, self.rows.places, strict=False)
        self._picks = [member.picked(places, self._width) for member, places in pairs]
        own = self.rows.places[-1] or {} if rest else {}
        self._feed = Feed(final, self._by_name(own) if by_name else self._by_place(passthrough=passthrough))

    @property
    def signature(self) -> Signature:
        return self.rows.on(self.final.signature)

    def predict(self, rows: Any, wanted: tuple[str, ...]) -> Outputs:
        given: dict[str, Any] = {}
        for columns, pick in zip(self._columns, self._picks, strict=True):
            given |= columns.of(pick(rows), self._feed.uses)
        return self.final.predict(self._feed(rows, given), wanted)

    def _by_name(self, own: Mapping[str, int]) -> list[int | str]:
        names = [column.name for column in self.final.signature.columns or ()]
        missing = [name for name in names if name not in self._given and name not in own]
        if missing or not names:
            raise self._unfed(
                f"columns named {', '.join(missing[:_MOST_SHOWN])}" if missing else "no columns"
            )
        return [name if name in self._given else own[name] for name in names]

    def _by_place(self, *, passthrough: bool) -> list[int | str]:
        """The members' columns, and behind them the row: so scikit-learn stacks."""
        sources: list[int | str] = [name for columns in self._columns for name in columns.stacked]
        sources += range(self._width) if passthrough else ()
        width = len(self.final.signature.columns or ())
        if width != len(sources):
            raise self._unfed(f"{counted(width, 'value')} a row, and would get {len(sources)}")
        return sources

    def _unfed(self, takes: str) -> Exception:
        given = ", ".join(self._given[:_MOST_SHOWN])
        return mismatch(
            f"The final, {self.final.label}, takes {takes}. The members give {given}.",
            "Train it on these columns, by name or in this order; with `passthrough` it gets the row's too.",
        )
