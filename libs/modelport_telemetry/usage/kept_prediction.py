"""A request and its response, on their way from a gateway to the model's owner: the payload of `history`."""

import msgspec

KIND = "history"


class KeptPrediction(msgspec.Struct, frozen=True, array_like=True):
    """Redacted and cut to size by the gateway."""

    model: str
    """The public id."""
    version: str
    at: float
    """When its response was sent, in seconds since 1970 UTC."""
    caller: str
    """The user's id; empty without a credential."""
    api_key: str
    """Empty for an access token or none."""
    request_id: str
    status: int
    reason: str
    """The problem's reason (docs/reasons.md); empty for a prediction and where the problem has none."""
    cache: str
    """hit, miss, bypass, or none."""
    seconds: float
    request: str | None
    """JSON; None: it was too long (`truncated`), or no JSON."""
    request_bytes: int
    """Of the body as it was sent."""
    answer: str | None
    truncated: bool
    redacted_fields: list[str]
    """The names whose values the gateway took out."""


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(KeptPrediction)


def encode(kept: KeptPrediction) -> bytes:
    """Return the MessagePack payload of a `history` sample: fields by position, in their order."""
    return _ENCODER.encode(kept)


def decode(data: bytes) -> KeptPrediction:
    """Raises `msgspec.MsgspecError` (with ValueError for a base) if it is none."""
    return _DECODER.decode(data)
