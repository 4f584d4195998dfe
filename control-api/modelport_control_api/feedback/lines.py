"""A body of lines as it streams in, in blocks of whole lines: never more of it in memory than a block."""

import csv
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

from modelport_http.problem import Problem
from modelport_http.wording import counted

from modelport_control_api.feedback.items import COLUMNS

MAX_LINE_BYTES = 65_536
BLOCK_LINES = 1000


async def blocks(chunks: AsyncIterator[bytes], max_bytes: int) -> AsyncIterator[list[bytes]]:
    """Yield up to BLOCK_LINES lines at a time, without their ends. Raises Problem 413 and 422."""
    received, rest, block = 0, b"", []
    async for chunk in chunks:
        received += len(chunk)
        if received > max_bytes:
            raise Problem(status=413, detail=f"Send {counted(max_bytes, 'byte')} at most in one request.")
        *whole, rest = (rest + chunk).split(b"\n")
        if len(rest) > MAX_LINE_BYTES:
            raise Problem(status=422, detail=f"A line may have {counted(MAX_LINE_BYTES, 'byte')} at most.")
        for line in whole:
            block.append(line)
            if len(block) == BLOCK_LINES:
                yield block
                block = []
    yield [*block, rest]


def csv_header(line: bytes) -> list[str]:
    """Return the columns. Raises Problem 422."""
    names = next(iter(csv_cells([line.removeprefix(b"\xef\xbb\xbf")])), [])
    unknown = [name for name in names if name not in COLUMNS]
    if unknown or "request_id" not in names or len(set(names)) != len(names):
        known = ", ".join(COLUMNS)
        raise Problem(
            status=422,
            detail=f"The first line must name the columns, each once and request_id among them: {known}.",
        )
    return names


def csv_cells(lines: Sequence[bytes]) -> Iterator[list[str]]:
    """Yield the cells of each line. A cell never spans lines."""
    for line in _decoded(lines):
        yield from csv.reader([line])


def _decoded(lines: Iterable[bytes]) -> Iterator[str]:
    for line in lines:
        yield line.decode("utf-8", "replace").rstrip("\r")
