"""Multipart bytes into events, in order, without holding more than the piece at hand."""

from collections.abc import Iterator
from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from modelport_control_api.uploads.form import MalformedMultipart, NotMultipart


@dataclass(frozen=True, slots=True)
class PartBegan:
    """`name` is the form field's; `file_name` and `content_type` are the sender's word, if any."""

    name: str
    file_name: str = ""
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class PartData:
    data: bytes


@dataclass(frozen=True, slots=True)
class PartEnded:
    pass


Event = PartBegan | PartData | PartEnded


class MultipartEvents:
    """Fed the body piece by piece. Raises NotMultipart for another content type, MalformedMultipart later."""

    def __init__(self, content_type: str | None) -> None:
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data":
            raise NotMultipart(
                "The body must be multipart/form-data, for example `curl -F file=@model.joblib`."
            )
        self._events: list[Event] = []
        self._headers: dict[bytes, bytes] = {}
        self._field = bytearray()
        self._value = bytearray()
        self._ended = False
        self._parser = self._make_parser(options.get(b"boundary"))

    def feed(self, data: bytes) -> Iterator[Event]:
        """Return the events of this piece. Raises `MalformedMultipart`."""
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise MalformedMultipart(f"The multipart body is malformed: {error}.") from None
        events, self._events = self._events, []
        yield from events

    def finish(self) -> None:
        """To be called at the end of the body. Raises `MalformedMultipart` if it is cut off."""
        if not self._ended:
            raise MalformedMultipart("The multipart body ends before its closing boundary.")

    def _make_parser(self, boundary: bytes | None) -> MultipartParser:
        if not boundary:
            raise MalformedMultipart("The Content-Type of the body names no boundary.")
        try:
            return MultipartParser(
                boundary,
                {
                    "on_part_begin": self._headers.clear,
                    "on_header_field": lambda data, start, end: self._field.extend(data[start:end]),
                    "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers_finished,
                    "on_part_data": lambda data, start, end: self._events.append(PartData(data[start:end])),
                    "on_part_end": lambda: self._events.append(PartEnded()),
                    "on_end": self._on_end,
                },
            )
        except FormParserError as error:
            raise MalformedMultipart(f"The boundary of the body is not usable: {error}.") from None

    def _on_header_end(self) -> None:
        self._headers[bytes(self._field).lower()] = bytes(self._value)
        self._field.clear()
        self._value.clear()

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        name = options.get(b"name")
        if not name:
            raise MalformedMultipart("A part of the body has no Content-Disposition with a field name.")
        self._events.append(
            PartBegan(
                _text(name)[:100],
                _text(options.get(b"filename", b"")),
                _text(self._headers.get(b"content-type", b"")),
            )
        )

    def _on_end(self) -> None:
        self._ended = True


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")
