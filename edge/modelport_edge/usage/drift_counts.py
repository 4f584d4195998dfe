"""Counts of sampled rows, from a gateway to the control API: of one version, one reference and one minute."""

import msgspec

KIND = "drift"
SKETCH_CELLS = 256


class DriftCounts(msgspec.Struct, frozen=True):
    """All numbers but those of the sketch are counts; they add up over gateways and batches."""

    model: str
    version: str
    reference: str
    """The id that came with the bins: counts into another reference's bins are of no use."""
    minute: int
    """Minutes since 1970 UTC."""
    rows: int
    features: dict[str, list[int]]
    """Feature → the count of each of its cells (`modelport_edge.drift.bins`)."""
    predictions: dict[str, int] = {}
    """Key of `modelport_edge.drift.predictions` → answers."""
    sketch: list[int] = []
    """How often rows repeat: see `modelport_edge.drift.repetition`. Empty or SKETCH_CELLS long."""


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(DriftCounts)


def encode(counts: DriftCounts) -> bytes:
    return _ENCODER.encode(counts)


def decode(data: bytes) -> DriftCounts:
    """Raises `msgspec.MsgspecError` (with ValueError for a base) if it is none."""
    counts = _DECODER.decode(data)
    numbers = [counts.rows, *counts.predictions.values()]
    if min(numbers) < 0 or any(min(cells, default=0) < 0 for cells in counts.features.values()):
        raise msgspec.ValidationError("a count is negative")
    if len(counts.sketch) not in {0, SKETCH_CELLS}:
        raise msgspec.ValidationError("the sketch has another size")
    return counts
