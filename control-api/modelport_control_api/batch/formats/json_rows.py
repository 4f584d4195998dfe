"""The rows of `{"inputs": [row, …]}` or of a bare list, cut out of the text without reading it whole."""

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, NoReturn

from modelport_control_api.batch.formats.limits import MAX_ROW_BYTES, InputInvalid

_PIECE_BYTES = 1 << 20
_SPACE = re.compile(r"[ \t\n\r]*")
_decode = json.JSONDecoder().raw_decode


def split_rows(file: BinaryIO) -> Iterator[bytes]:
    """Return each row's JSON. Raises `InputInvalid` where it is no JSON."""
    text = _Text(file)
    in_object = text.take("{")
    if in_object and not (text.take('"inputs"') and text.take(":")):
        raise InputInvalid('The JSON must be {"inputs": [row, …]}: options go into the query.')
    if not text.take("["):
        raise InputInvalid('The JSON must be {"inputs": [row, …]} or a list of rows.')
    number = 0
    more = not text.take("]")
    while more:
        yield text.value(number).encode()
        number += 1
        more = text.take(",")
        if not more and not text.take("]"):
            text.fail(number)
    if (in_object and not text.take("}")) or not text.at_end():
        text.fail(number)


class _Text:
    """A window that moves over the text."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._place = 0
        self._ended = False

    def take(self, token: str) -> bool:
        """Go on behind `token`, if that is what comes next but for white space."""
        self._skip_space()
        while len(self._text) - self._place < len(token) and self._read():
            pass
        if not self._text.startswith(token, self._place):
            return False
        self._place += len(token)
        return True

    def value(self, number: int) -> str:
        """Return the next value's text; `number` is its row's, for the error."""
        self._skip_space()
        while True:
            end = self._end()
            # A number that reaches to the window's end may go on behind it.
            if end is not None and (end < len(self._text) or self._ended):
                found = self._text[self._place : end]
                self._place = end
                return found
            if len(self._text) - self._place > MAX_ROW_BYTES or not self._read():
                self.fail(number)

    def at_end(self) -> bool:
        self._skip_space()
        return self._place == len(self._text)

    def fail(self, number: int) -> NoReturn:
        raise InputInvalid(
            f"The JSON breaks off or is malformed at or behind row {number} (counted from 0), near "
            f"{self._text[self._place : self._place + 40]!r}: {_ADVICE}"
        )

    def _end(self) -> int | None:
        try:
            _, end = _decode(self._text, self._place)
        except (ValueError, RecursionError):
            return None
        return int(end)

    def _skip_space(self) -> None:
        while True:
            found: Any = _SPACE.match(self._text, self._place)
            self._place = found.end()
            if self._place < len(self._text) or not self._read():
                return

    def _read(self) -> bool:
        if self._ended:
            return False
        piece = self._file.read(max(_PIECE_BYTES, len(self._text) - self._place))
        self._ended = not piece
        try:
            more = self._decoder.decode(piece, final=self._ended)
        except UnicodeDecodeError:
            raise InputInvalid("The JSON is not UTF-8: save it as UTF-8.") from None
        self._text, self._place = self._text[self._place :] + more, 0
        return True


_ADVICE = "write one row a line (application/x-ndjson), then only the bad rows fail."
