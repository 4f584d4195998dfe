"""From rows to predictions or error rows: what a pod replies is checked, what it refuses is narrowed down."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import msgspec
import orjson

from modelport_control_api.batch.storage.contributions import Contributions

# A pod names so many wrong fields at most: there may be more (docs/contracts.md).
_MOST_NAMED = 100
MAX_RESULTS_BYTES = 64 << 20
"""Of the rows of one chunk, which are held together."""
# So many rows that were sent alone and refused, with none predicted between them: the model refuses them all.
_HOPELESS_ROWS = 200


class ResultsTooLarge(Exception):
    """Of rows that are held together."""


@dataclass(frozen=True, slots=True)
class Predicted:
    """One value for each row that was sent. `size`: of the response as it came, in bytes."""

    predictions: list[Any]
    probabilities: list[dict[str, Any] | None] | None = None
    contributions: Contributions | None = None
    size: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class RowsRejected:
    """`errors`: place among the rows sent → what is wrong with it; the others were not tried.

    `named`: how many fields were named.
    """

    errors: dict[int, str]
    named: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """None of the rows has a prediction; which of them is to blame is not known."""

    message: str


PredictResult = Predicted | RowsRejected | Rejected
PredictRows = Callable[[bytes, int], Awaitable[PredictResult]]
"""Takes a JSON list of rows, and how many they are."""


@dataclass(slots=True)
class RowResults:
    """A value for each row; None where `errors` holds the reason."""

    predictions: list[Any]
    probabilities: list[dict[str, Any] | None] | None
    errors: dict[int, str] = field(default_factory=dict)
    contributions: Contributions | None = None

    @classmethod
    def of(cls, predicted: Predicted) -> Self:
        """Return the results of rows that all have a prediction."""
        return cls(predicted.predictions, predicted.probabilities, contributions=predicted.contributions)


async def bisect_bad_rows(predict: PredictRows, inputs: bytes, rows: int, *, most_rows: int) -> RowResults:
    """Predict all rows of the JSON list `inputs`, at most `most_rows` at once. Raises `ResultsTooLarge`."""
    if rows == 0:
        return RowResults([], None)
    if rows <= most_rows:
        result = await predict(inputs, rows)
        if isinstance(result, Predicted):
            return RowResults.of(result)
        search = _Search(predict, inputs)
        return await search.run(search.learn(range(rows), result))
    return await _Search(predict, inputs).run(_parts(range(rows), most_rows))


class _Search:
    def __init__(self, predict: PredictRows, inputs: bytes) -> None:
        self._predict = predict
        # Each row as its text: nothing of it is read, so nothing of it changes.
        self._texts = msgspec.json.decode(inputs, type=list[msgspec.Raw])
        self._results = RowResults([None] * len(self._texts), None)
        self._rejected_in_a_row = 0
        self._size = 0

    async def run(self, groups: list[Sequence[int]]) -> RowResults:
        """`groups`: places of rows that are to be sent together."""
        waiting = groups[::-1]
        while waiting:
            places = waiting.pop()
            if self._rejected_in_a_row >= _HOPELESS_ROWS:
                self._give_up(places)
                continue
            inputs = b"[" + b",".join(bytes(self._texts[place]) for place in places) + b"]"
            waiting += self.learn(places, await self._predict(inputs, len(places)))[::-1]
        return self._results

    def learn(self, places: Sequence[int], result: PredictResult) -> list[Sequence[int]]:
        """Keep what is known now, and return the groups that are to be sent next."""
        match result:
            case Predicted():
                self._keep(places, result)
                return []
            case RowsRejected():
                self._results.errors |= {places[place]: text for place, text in result.errors.items()}
                rest = [place for index, place in enumerate(places) if index not in result.errors]
                return _halves(rest) if result.named >= _MOST_NAMED else _all_of(rest)
            case Rejected():
                if len(places) > 1:
                    return _halves(places)
                self._results.errors[places[0]] = result.message
                self._rejected_in_a_row += 1
                return []

    def _keep(self, places: Sequence[int], result: Predicted) -> None:
        self._rejected_in_a_row = 0
        self._size += result.size
        if self._size > MAX_RESULTS_BYTES:
            raise ResultsTooLarge
        for place, prediction in zip(places, result.predictions, strict=True):
            self._results.predictions[place] = prediction
        if result.probabilities is not None:
            if self._results.probabilities is None:
                self._results.probabilities = [None] * len(self._texts)
            for place, probabilities in zip(places, result.probabilities, strict=True):
                self._results.probabilities[place] = probabilities
        if result.contributions is not None:
            self._explain(places, result.contributions)

    def _explain(self, places: Sequence[int], given: Contributions) -> None:
        if self._results.contributions is None:
            self._results.contributions = Contributions(given.terms, [None] * len(self._texts))
        kept = self._results.contributions
        for place, row in zip(places, given.rows, strict=True):
            # Numbers of other columns than the rows before have would be shown as theirs.
            kept.rows[place] = row if given.terms == kept.terms else None

    def _give_up(self, places: Sequence[int]) -> None:
        text = (
            f"was not tried: each of {_HOPELESS_ROWS} rows before it was refused, the last with: "
            f"{next(reversed(self._results.errors.values()))}"
        )
        self._results.errors |= dict.fromkeys(places, text)


def _parts(places: Sequence[int], size: int) -> list[Sequence[int]]:
    return [places[start : start + size] for start in range(0, len(places), size)]


def _halves(places: Sequence[int]) -> list[Sequence[int]]:
    return _parts(places, (len(places) + 1) // 2) if places else []


def _all_of(places: Sequence[int]) -> list[Sequence[int]]:
    return [places] if places else []


_FIELD = re.compile(r"inputs\[(\d+)\](?:\.?(.*))", re.DOTALL)
_MOST_CHARACTERS = 500


def read_reply(
    status: int, body: bytes, rows: int, *, probabilities: bool, contributions: bool = False
) -> PredictResult:
    """`rows`: how many were sent; the others: whether those were requested."""
    try:
        reply = orjson.loads(body)
    except orjson.JSONDecodeError:
        reply = None
    if not isinstance(reply, dict):
        return Rejected("The model's process answered with what is no JSON object.")
    if status == 200:
        result = _predicted(reply, rows, len(body), probabilities=probabilities)
        return _explained(result, reply.get("contributions")) if contributions else result
    return _rows_rejected(reply.get("errors"), rows) or Rejected(_text(reply))


def _predicted(reply: dict[str, Any], rows: int, size: int, *, probabilities: bool) -> PredictResult:
    predictions, given = reply.get("predictions"), reply.get("probabilities") if probabilities else None
    if not _is_list_of(rows, predictions) or (probabilities and not _is_list_of(rows, given)):
        return Rejected("The model's process answered with another number of predictions than of rows.")
    return Predicted(predictions, given, size=size)  # type: ignore[arg-type]  # checked above


def _explained(result: PredictResult, given: Any) -> PredictResult:
    if not isinstance(result, Predicted):
        return result
    try:
        if not _is_list_of(len(result.predictions), given):
            raise ValueError("another number of rows")
        contributions = Contributions.read(given)
    except ValueError:
        return Rejected("The model's process answered with what are no contributions of these rows.")
    # Their names, which make most of the response, are held once.
    return replace(result, contributions=contributions, size=_size_of(result) + contributions.size)


def _size_of(result: Predicted) -> int:
    return len(orjson.dumps([result.predictions, result.probabilities]))


def is_too_much(status: int, body: bytes) -> bool:
    """Whether the pod refused so many rows at once, of what was to be returned."""
    try:
        reply = orjson.loads(body) if status == 422 else None
        return isinstance(reply, dict) and [each["field"] for each in reply["errors"]] == ["return"]
    except (orjson.JSONDecodeError, LookupError, TypeError):
        return False


def _is_list_of(rows: int, value: Any) -> bool:
    return isinstance(value, list) and len(value) == rows


def _rows_rejected(errors: Any, rows: int) -> RowsRejected | None:
    if not isinstance(errors, list):
        return None
    by_row: dict[int, list[str]] = {}
    for error in errors:
        found = _FIELD.fullmatch(str(error.get("field", ""))) if isinstance(error, dict) else None
        if found is None or int(found[1]) >= rows:
            return None
        text = " ".join(part for part in (found[2], str(error.get("message", ""))) if part)
        by_row.setdefault(int(found[1]), []).append(text)
    reported = {row: "; ".join(texts)[:_MOST_CHARACTERS] for row, texts in by_row.items()}
    return RowsRejected(reported, named=len(errors)) if reported else None


def _text(reply: dict[str, Any]) -> str:
    words = [str(reply[name]) for name in ("title", "detail") if reply.get(name)]
    return ": ".join(words)[:_MOST_CHARACTERS] or "The model's process refused the rows without a word."
