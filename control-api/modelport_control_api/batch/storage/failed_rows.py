"""The rows of a job that have no prediction, as the chunks of a job that tries them again."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec

from modelport_control_api.batch.storage.chunks import Chunk, ChunkResults

_NUMBER_BYTES = 8


class Origin(Protocol):
    """The files of the job that is tried again. Its calls block."""

    def chunks(self) -> Iterator[tuple[Chunk, ChunkResults | None]]:
        """Each chunk with its results; None: all its rows are to be tried.

        Raises `FileNotFoundError` once they are gone.
        """
        ...


class FailedRows:
    """As `Preparation`."""

    def __init__(self, origin: Origin) -> None:
        self.rows = 0
        self.key_columns: list[str] = []
        self._origin = origin

    def chunks(self) -> Iterator[Chunk]:
        """Yield what is to be tried again. Blocks. Once only: `rows` and `key_columns` grow meanwhile.

        Raises `FileNotFoundError` once the origin's files are gone.
        """
        for chunk, results in self._origin.chunks():
            self.key_columns += [name for name in chunk.keys if name not in self.key_columns]
            places = range(chunk.rows) if results is None else sorted(results.errors)
            if places:
                self.rows += len(places)
                yield only(chunk, places)


def only(chunk: Chunk, places: Sequence[int]) -> Chunk:
    """The rows at these places, in that order; each keeps its number in the input."""
    numbers = chunk.numbers or range(chunk.first_row, chunk.first_row + chunk.rows)
    return Chunk(
        numbers[places[0]],
        len(places),
        _inputs(chunk, [place for place in places if place not in chunk.errors]),
        {at: chunk.errors[place] for at, place in enumerate(places) if place in chunk.errors},
        {name: [values[place] for place in places] for name, values in chunk.keys.items()},
        chunk.columns,
        [numbers[place] for place in places],
    )


def _inputs(chunk: Chunk, places: Sequence[int]) -> bytes:
    sendable = {place: at for at, place in enumerate(_sendable(chunk))}
    wanted = [sendable[place] for place in places]
    if chunk.columns:
        width = _NUMBER_BYTES * chunk.columns
        return b"".join(chunk.inputs[width * at : width * (at + 1)] for at in wanted)
    texts = msgspec.json.decode(chunk.inputs, type=list[msgspec.Raw])
    return b"[" + b",".join(bytes(texts[at]) for at in wanted) + b"]"


def _sendable(chunk: Chunk) -> list[int]:
    return [place for place in range(chunk.rows) if place not in chunk.errors]
