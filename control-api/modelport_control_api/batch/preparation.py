"""An input cut into chunks. The same input gives the same chunks, so that one that broke off begins again."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, BinaryIO, Literal, get_args

from modelport_control_api.batch.formats.blocks import Block, chunks_of
from modelport_control_api.batch.formats.csv_input import read_csv
from modelport_control_api.batch.formats.json_input import read_json, read_json_lines
from modelport_control_api.batch.formats.layout import InputSignature, keeps_all
from modelport_control_api.batch.formats.limits import InputInvalid, Limits, RowTooLarge
from modelport_control_api.batch.formats.parquet_input import read_parquet
from modelport_control_api.batch.storage.chunks import Chunk

InputFormat = Literal["json", "jsonl", "csv", "parquet"]
INPUT_FORMATS: tuple[str, ...] = get_args(InputFormat)

_Reader = Callable[[BinaryIO, InputSignature, Sequence[str] | None, Limits], Iterator[Block]]
_READERS: dict[str, _Reader] = {
    "json": read_json,
    "jsonl": read_json_lines,
    "csv": read_csv,
    "parquet": read_parquet,
}
_BY_ROW: dict[str, _Reader] = {"csv": partial(read_csv, by_row=True)}


class Preparation:
    """`rows` and `key_columns` describe the chunks given so far, and at the end of the whole input.

    `file` must be seekable for Parquet. `key_columns` None: all that the model does not take; `*`: all.
    """

    def __init__(
        self,
        file: BinaryIO,
        input_format: str,
        signature: Mapping[str, Any] | None,
        key_columns: Sequence[str] | None,
        *,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        by_row: bool = False,
        most_rows: int | None = None,
    ) -> None:
        """by_row: for who wants the first chunk only, or has a small file. most_rows: of a chunk."""
        self.rows = 0
        self.key_columns: list[str] = [] if keeps_all(key_columns) else list(key_columns or ())
        self._most_rows = most_rows
        read = _BY_ROW.get(input_format, _READERS[input_format]) if by_row else _READERS[input_format]
        self._blocks = read(file, InputSignature.read(signature), key_columns, limits)

    def chunks(self) -> Iterator[Chunk]:
        """Raises `InputInvalid`, also in the middle, and for an input without a row. Blocks on the file."""
        try:
            yield from self._chunks()
        except RowTooLarge as error:
            raise error.in_row(self.rows + error.place) from None
        if self.rows == 0:
            raise InputInvalid("The input has no rows.")

    def close(self) -> None:
        """Before the file is closed, if not all chunks were taken."""
        if isinstance(self._blocks, Generator):
            self._blocks.close()

    def _chunks(self) -> Iterator[Chunk]:
        for block in self._blocks:
            self.key_columns += [name for name in block.keys if name not in self.key_columns]
            for chunk in chunks_of(block, self.rows, self._most_rows):
                self.rows += chunk.rows
                yield chunk
