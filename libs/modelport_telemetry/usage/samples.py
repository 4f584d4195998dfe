"""What gateways send beside usage as best effort: some of it may be lost, and is then counted.

An envelope is a list of samples. Each goes to the handler of its kind, which alone knows its payload.
"""

from collections.abc import Sequence

import msgspec


class Sample(msgspec.Struct, frozen=True, array_like=True):
    kind: str
    """Names its reader: `history` or `drift`."""
    payload: bytes


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[Sample])


def encode(samples: Sequence[Sample]) -> bytes:
    """Return one envelope, in MessagePack, of the samples in their order."""
    return _ENCODER.encode(list(samples))


def decode(data: bytes) -> list[Sample]:
    """Raises `msgspec.MsgspecError` (with ValueError for a base) if it is no envelope."""
    return _DECODER.decode(data)
