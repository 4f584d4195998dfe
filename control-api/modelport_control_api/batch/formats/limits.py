"""Why an input is none: it cannot be read, or a few bytes of it stand for more than a machine has."""

from collections.abc import Iterable
from dataclasses import dataclass

from modelport_crds.reasons import Reason
from modelport_http.wording import counted

from modelport_control_api.errors import DomainError


class InputInvalid(DomainError):
    """The message names what is wrong, where, and what to do."""

    status = 422
    reason = Reason.INPUT_INVALID
    field = "file"


class InputTooLarge(InputInvalid):
    """More of it than may be decoded: what was made of it goes."""


MAX_ROW_BYTES = 8 << 20
"""Of one row: as it is written in a text, or decoded."""
MAX_BLOCK_BYTES = 16 << 20
"""Decoded, of rows that are held at once; what is more comes as several blocks."""
MAX_NAME_CHARACTERS = 1024
"""Of a column's name, which stands beside each row's value in some formats."""
_FREE_BYTES = 256 << 20
_DECODED_FOR_EACH_BYTE = 100


@dataclass(frozen=True, slots=True)
class Limits:
    """`cell_bytes`: of one decoded value; `job_bytes`: of all rows of a job, and again of all its results."""

    cell_bytes: int = 4 << 20
    job_bytes: int = 4_000_000_000

    def allowance(self, input_bytes: int) -> "Allowance":
        """Return the decoded bytes that an input of so many encoded bytes may take."""
        most = min(self.job_bytes, _FREE_BYTES + _DECODED_FOR_EACH_BYTE * input_bytes)
        return Allowance(most, input_bytes)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the rows of an input of `input_bytes` may take: more than usual texts do, less than bombs do."""

    most: int
    input_bytes: int

    def require(self, decoded: int) -> None:
        """Raises `InputTooLarge`."""
        if decoded > self.most:
            raise InputTooLarge(
                f"The rows of the input take more than {counted(self.most, 'byte')} when they are decoded, "
                f"the most for a file of {counted(self.input_bytes, 'byte')}: submit it in several smaller "
                "files, or leave out columns that the model does not take (key_columns says which of them to "
                "keep)."
            )


class RowTooLarge(Exception):
    """`place`: of the row, in the block that is being read."""

    def __init__(self, place: int) -> None:
        super().__init__(place)
        self.place = place

    def in_row(self, row: int) -> InputTooLarge:
        return InputTooLarge(
            f"Row {row} (counted from 0) has more than {MAX_ROW_BYTES} bytes when it is decoded, the most "
            "that a row may have: shorten its texts or lists, or leave out columns."
        )


class CellTooLarge(RowTooLarge):
    """`most`: what a cell may have."""

    def __init__(self, place: int, column: str, most: int) -> None:
        super().__init__(place)
        self._column = column
        self._most = most

    def in_row(self, row: int) -> InputTooLarge:
        return InputTooLarge(
            f"Row {row} (counted from 0) has more than {counted(self._most, 'byte')} in the column "
            f"{self._column[:100]!r}, the most that a cell may have: shorten it, or leave the column out."
        )


def require_names(names: Iterable[str]) -> None:
    """Raises `InputTooLarge`."""
    for number, name in enumerate(names, 1):
        if len(name) > MAX_NAME_CHARACTERS:
            raise InputTooLarge(
                f"The name of column {number}, {name[:40]!r}…, has more than {MAX_NAME_CHARACTERS} "
                "characters: rename it."
            )
