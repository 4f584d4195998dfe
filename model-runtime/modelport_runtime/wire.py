"""What the server process and the model process send each other: msgpack, each message behind its length.

What comes from the model process is untrusted, for its model may write to the socket too: every frame has
a bound, every message a type, and anything else is a `ProtocolError`.
"""

import struct
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
from modelport_http.wording import counted

from modelport_runtime.core.types import Call, Failure, Prediction

MAX_BATCH_BYTES = 64 * 1024**2
"""Bodies that are sent to the model process together; a larger body goes alone."""
MAX_FRAME_BYTES = 256 * 1024**2 + 65536
"""The longest frame that the server process takes: a plan, or the results of a batch."""
_MAX_REQUEST_BYTES = 2**32 - 1
_LENGTH = struct.Struct(">I")

Outcome = Prediction | Failure
Count = Annotated[int, msgspec.Meta(ge=0)]


class ProtocolError(Exception):
    """The other side does not keep to the protocol."""


class Sandboxed(msgspec.Struct, tag=True):
    """How well the model process is isolated. Before it reads the model."""

    level: Annotated[int, msgspec.Meta(ge=0, le=2)]
    detail: str


class Loaded(msgspec.Struct, tag=True):
    """The load has ended. `document`: `LoadReport` as JSON, which alone holds any value of a model.

    proves: a `ProofReport` follows.
    """

    document: bytes
    seconds: float
    proves: bool


class ProofReport(msgspec.Struct, tag=True, omit_defaults=True):
    """The plan of kernels that predict as the model does, or in `detail` why there is none.

    shown: rows with the model's answers, where the server process runs other libraries (`confirm`).
    """

    plan: bytes | None
    rows_compared: Count
    largest_difference: float | None
    detail: str
    shown: bytes = b""


class BatchResult(msgspec.Struct, tag=True, omit_defaults=True):
    """One outcome a call, in their order: the body of a 200, or what is wrong. `seconds`: in the model.

    json_bytes: of bodies with binary tensors, by their place, the length of the JSON in front of them.
    """

    outcomes: list[bytes | Failure]
    seconds: float
    json_bytes: dict[int, Count] = {}


class Rechecked(msgspec.Struct, tag=True):
    """The largest difference between a response and the original's; None: they are not the same."""

    difference: float | None


class PredictBatch(msgspec.Struct, tag=True):
    calls: list[Call]


class Recheck(msgspec.Struct, tag=True):
    """Compare the `answer` to a call."""

    call: Call
    answer: Prediction


WorkerEvent = Sandboxed | Loaded | ProofReport
FromModel = WorkerEvent | BatchResult | Rechecked
ToModel = PredictBatch | Recheck


class LoadReport(msgspec.Struct, frozen=True):
    """What a load found, as `GET /status` and `GET /v2` report it. `v2`: the model's metadata there."""

    state: Literal["ready", "failed"]
    reason: str | None
    message: str | None
    signature: dict[str, Any] | None = None
    sample: dict[str, Any] | None = None
    sample_source: Literal["given", "synthetic"] | None = None
    found: dict[str, str] = {}
    here: dict[str, str] = {}
    differences: list[str] = []
    v2: dict[str, Any] | None = None


_encode = msgspec.msgpack.Encoder().encode
decode_from_model = msgspec.msgpack.Decoder(FromModel).decode
decode_to_model = msgspec.msgpack.Decoder(ToModel).decode


def frame(message: FromModel | ToModel) -> bytes:
    """Raises UnicodeEncodeError for text with lone surrogates, `ProtocolError` if it is too long."""
    body = _encode(message)
    if len(body) > _MAX_REQUEST_BYTES:
        raise ProtocolError(f"a message of {counted(len(body), 'byte')} cannot be sent")
    return _LENGTH.pack(len(body)) + body


class Frames:
    """Puts what arrives in pieces together again."""

    def __init__(self, max_bytes: int = _MAX_REQUEST_BYTES) -> None:
        self._max_bytes = max_bytes
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Return the bodies that are whole now. Raises `ProtocolError` for one that is too long."""
        buffer = self._buffer
        buffer += data
        while len(buffer) >= _LENGTH.size:
            (size,) = _LENGTH.unpack_from(buffer)
            if size > self._max_bytes:
                raise ProtocolError(f"a frame of {counted(size, 'byte')}")
            end = _LENGTH.size + size
            if len(buffer) < end:
                return
            with memoryview(buffer) as view:
                body = bytes(view[_LENGTH.size : end])
            del buffer[:end]
            yield body
