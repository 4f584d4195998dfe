"""Feedback from a request's body into the table, a block at a time."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from modelport_http.problem import FieldError, Problem
from modelport_http.wording import counted
from sqlalchemy.orm import Session

from modelport_control_api.db.base import utc_now
from modelport_control_api.db.session import Transactions
from modelport_control_api.feedback import items, lines
from modelport_control_api.feedback.items import InvalidItem
from modelport_control_api.feedback.schemas import FeedbackAnswer, ItemError
from modelport_control_api.ground_truth import writing

MAX_BYTES = 1024**3
_SHOWN_ERRORS = 20

Read = Callable[[], Any]
"""Gives one item. Raises InvalidItem."""


@dataclass(slots=True)
class Receiving:
    """What has come of one request so far."""

    transactions: Transactions
    model_id: str
    now: datetime = field(default_factory=utc_now)
    accepted: int = 0
    rejected: int = 0
    errors: list[ItemError] = field(default_factory=list)

    async def objects(self, given: Sequence[Any]) -> None:
        """Take decoded JSON values."""
        for begin in range(0, len(given), lines.BLOCK_LINES):
            block = given[begin : begin + lines.BLOCK_LINES]
            await self._take(
                (begin + at, _reading(items.read_object, each)) for at, each in enumerate(block, 1)
            )

    async def json_lines(self, chunks: AsyncIterator[bytes]) -> None:
        """Take a JSON object a line. Raises Problem."""
        seen = 0
        async for block in lines.blocks(chunks, MAX_BYTES):
            await self._take(
                (seen + at, _reading(items.read_json, line))
                for at, line in enumerate(block, 1)
                if line.strip()
            )
            seen += len(block)

    async def csv(self, chunks: AsyncIterator[bytes]) -> None:
        """Take a line an item, after one that names the columns. Raises Problem."""
        names: list[str] = []
        seen = 0
        async for block in lines.blocks(chunks, MAX_BYTES):
            if not names:
                names = lines.csv_header(block[0])
            body = block if seen else block[1:]
            first = seen + 1 if seen else 2
            await self._take(
                (first + at, _reading_cells(names, line)) for at, line in enumerate(body) if line.strip()
            )
            seen += len(block)

    def answer(self) -> FeedbackAnswer:
        """Raises Problem 422 where nothing was accepted and something rejected."""
        if self.rejected and not self.accepted:
            errors = [FieldError(field=f"items[{each.item}]", message=each.message) for each in self.errors]
            first = self.errors[0]
            raise Problem(
                status=422, detail=f"No item was accepted; item {first.item}: {first.message}.", errors=errors
            )
        return FeedbackAnswer(accepted=self.accepted, rejected=self.rejected, errors=self.errors)

    async def _take(self, numbered: Iterable[tuple[int, Read]]) -> None:
        rows = []
        for number, read in numbered:
            try:
                rows.append(items.row_of(read(), self.model_id, self.now))
            except InvalidItem as error:
                self._reject(number, str(error))

        def write(session: Session) -> None:
            writing.write_feedback(session, rows)

        if rows:
            await self.transactions.write(write)
        self.accepted += len(rows)

    def _reject(self, number: int, message: str) -> None:
        self.rejected += 1
        if len(self.errors) < _SHOWN_ERRORS:
            self.errors.append(ItemError(item=number, message=message))


def _reading(read: Callable[[Any], Any], item: Any) -> Read:
    return lambda: read(item)


def _reading_cells(names: Sequence[str], line: bytes) -> Read:
    def read() -> Any:
        cells = next(lines.csv_cells([line]))
        if len(cells) != len(names):
            raise InvalidItem(f"the line has {counted(len(cells), 'cell')}, the first line has {len(names)}")
        return items.read_cells(dict(zip(names, cells, strict=True)))

    return read
