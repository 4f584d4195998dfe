"""Reads the responses of one connection: HTTP/1.1 by httptools, what may be sent by the rules here."""

import re

import httptools
from modelport_http.wording import counted


class EndpointUnreachable(Exception):
    """No response began: the request may be tried elsewhere."""


class ClosedWithoutResponse(EndpointUnreachable):
    """The replica closed the connection before the first byte of its response."""


class ResponseCutOff(EndpointUnreachable):
    """The replica went away in the middle of its response, of which the caller has seen nothing."""


class UpstreamTimeout(Exception):
    """The model did not respond in its time."""


class UpstreamMisbehaved(Exception):
    """The model sent something that is no valid response; the message says what, for logs and users."""


_STATUSES = frozenset({200, 400, 413, 415, 422, 500, 503, 504})
_JSON = frozenset({b"application/json", b"application/problem+json"})
_BINARY = b"application/octet-stream"
_SOME_BYTES = re.compile(rb"[1-9][0-9]{0,14}")
# Of a head, and of whatever else comes between two pieces of a body.
_MAX_HEAD_BYTES = 32 * 1024
_LONG_HEAD = f"its response's head is longer than {_MAX_HEAD_BYTES} bytes"


class ResponseReader:
    """`begin`, then `feed` until `is_complete`; of one response after the other."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self.begin(0)

    def begin(self, max_bytes: int) -> None:
        """Be ready for a response with a body of at most `max_bytes`."""
        self.status = 0
        self.has_begun = False
        self.keep_alive = False
        self.is_complete = False
        self._max_bytes = max_bytes
        # Joined as it comes: a body in millions of tiny pieces must not cost more memory than one in a few.
        self._body: bytes | bytearray = b""
        self._unproductive = self._head_bytes = 0
        self._refusal: str | None = None
        self._forget_head()

    @property
    def has_head(self) -> bool:
        """Whether the response's head is complete."""
        return self.status != 0

    @property
    def ends_with_connection(self) -> bool:
        """Whether the response declared no length, so that a closed connection completes it."""
        return self.has_head and not self.is_complete and not (self._length or self._transfer_encoding)

    @property
    def json_bytes(self) -> int | None:
        """The length of the JSON in front of binary tensors, as the response says it. None: it is JSON."""
        if (
            self.status != 200
            or self._content_type != _BINARY
            or not _SOME_BYTES.fullmatch(self._json_length)
        ):
            return None
        return int(self._json_length)

    def body(self) -> bytes:
        return bytes(self._body)

    def feed(self, data: bytes) -> None:
        """Raises UpstreamMisbehaved."""
        self.has_begun = True
        size = len(self._body)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self.is_complete:
                raise UpstreamMisbehaved(self._refusal or "its response is not HTTP") from error
            # The response stands; what comes behind it was not requested.
            self.keep_alive = False
        if self._refusal is not None:
            raise UpstreamMisbehaved(self._refusal)
        self._unproductive = self._unproductive + len(data) if len(self._body) == size else 0
        if self._unproductive > _MAX_HEAD_BYTES and not self.is_complete:
            raise UpstreamMisbehaved(_LONG_HEAD)

    # What follows is called by httptools, which hides what is raised there: only to make it stop.

    def on_message_begin(self) -> None:
        if self.is_complete:
            raise UpstreamMisbehaved("it answered twice")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_bytes += len(name) + len(value)
        name = name.lower()
        if name == b"content-type":
            self._content_type = value
        elif name == b"content-length":
            self._length = value
        elif name == b"transfer-encoding":
            self._transfer_encoding = value
        elif name == b"content-encoding":
            self._content_encoding = value
        elif name == b"inference-header-content-length":
            self._json_length = value

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if 100 <= status < 200:
            return  # The response itself is still to come.
        self.status = status
        self.keep_alive = self._parser.should_keep_alive()
        too_long = self._head_bytes > _MAX_HEAD_BYTES
        self._refusal = _LONG_HEAD if too_long else self._refusal_of_head(status)

    def on_body(self, data: bytes) -> None:
        if len(self._body) + len(data) > self._max_bytes:
            self._refusal = self._too_long()
        elif not self._body:
            self._body = data
        else:
            if isinstance(self._body, bytes):
                self._body = bytearray(self._body)
            self._body += data

    def on_message_complete(self) -> None:
        if self.has_head:
            self.is_complete = True
        else:
            self._forget_head()

    def _forget_head(self) -> None:
        self._content_type = self._content_encoding = self._length = self._transfer_encoding = b""
        self._json_length = b""

    def _refusal_of_head(self, status: int) -> str | None:
        if status not in _STATUSES:
            return f"it answered with status {status}"
        if not _is_json(self._content_type) and self.json_bytes is None:
            return "its response is not JSON"
        if self._content_encoding not in (b"", b"identity"):
            return "its response is compressed, which nobody asked for"
        if self._transfer_encoding not in (b"", b"chunked"):
            return "its response is encoded as nobody asked for"
        if self._length and int(self._length) > self._max_bytes:
            return self._too_long()
        return None

    def _too_long(self) -> str:
        return f"its response is longer than {counted(self._max_bytes, 'byte')}"


def _is_json(content_type: bytes) -> bool:
    return content_type in _JSON or content_type.partition(b";")[0].strip().lower() in _JSON
