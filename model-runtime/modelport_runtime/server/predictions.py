"""What a request for a prediction holds before the model reads it, and the call that becomes of it."""

import itertools
import re
import secrets
from collections.abc import Iterable
from typing import Literal

import msgspec

from modelport_runtime.core.types import Call
from modelport_runtime.server.problem import Problem

Protocol = Literal["native", "matrix", "v2"]
PROTOCOLS: dict[str, Protocol] = {"/predict": "native", "/v2/infer": "v2"}

JSON = b"application/json"
OCTETS = b"application/octet-stream"
MATRIX = b"application/vnd.modelport.matrix"
_LENGTH = re.compile(rb"[0-9]{1,15}")
_HARMLESS = re.compile(rb"[ -~]{1,128}")
"""What a request id may be, in a header and in a log."""
_process = secrets.token_hex(8).encode()
_numbers = itertools.count()


class RequestHead(msgspec.Struct, frozen=True, gc=False):
    """A request without its body. Headers that it lacks are empty."""

    path: str
    request_id: bytes
    """The caller's, if it is harmless, else a new one."""
    content_type: bytes
    encoding: bytes
    json_length: bytes
    """Of an Open Inference Protocol body with tensors: the length of the JSON in front, as it was sent."""


def head_of(path: str, headers: Iterable[tuple[bytes, bytes]]) -> RequestHead:
    """Read the headers, whose names are in lower case; of one that is repeated the last counts."""
    given = content_type = encoding = json_length = b""
    for name, value in headers:
        if name == b"x-request-id":
            given = value
        elif name == b"content-type":
            content_type = value
        elif name == b"content-encoding":
            encoding = value
        elif name == b"inference-header-content-length":
            json_length = value
    if not given or not _HARMLESS.fullmatch(given):
        given = b"%b%016x" % (_process, next(_numbers))
    return RequestHead(path, given, content_type, encoding, json_length)


def protocol_of(path: str, content_type: bytes) -> Protocol:
    """What the body is. Raises `Problem`: 415."""
    protocol = PROTOCOLS[path]
    if content_type == JSON or not content_type:
        return protocol
    if content_type == MATRIX and protocol == "native":
        return "matrix"
    _require_json(content_type, protocol)
    return protocol


def _require_json(content_type: bytes, protocol: Protocol) -> None:
    given = content_type.partition(b";")[0].strip().lower()
    is_json = given == JSON or (given.startswith(b"application/") and given.endswith(b"+json"))
    if not is_json and not (given == OCTETS and protocol == "v2"):
        shown = given.decode("latin-1")
        raise Problem(
            415, "Unsupported Media Type", f"The body must be application/json; its type is {shown}."
        )


def call_of(protocol: Protocol, body: bytes, json_length: bytes) -> Call:
    """Make the call of a body; `json_length`: what a header declares of it. Raises `Problem`: 400."""
    if not json_length or protocol != "v2":
        return Call(protocol, body)
    length = int(json_length) if _LENGTH.fullmatch(json_length) else 0
    if not 0 < length <= len(body):
        raise Problem(
            400,
            "Bad Request",
            "Inference-Header-Content-Length must be the length of the JSON before the tensors, in bytes.",
        )
    return Call(protocol, body, length if length < len(body) else None)
