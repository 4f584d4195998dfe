"""Counts of sampled rows, from a gateway to the control API: of one version, one reference and one minute."""

from collections.abc import Mapping, Sequence

import msgspec

from modelport_telemetry.drift.repetition import SKETCH_CELLS, SUMS

KIND = "drift"


class DriftCounts(msgspec.Struct, frozen=True):
    """All numbers add up over gateways and batches; but for `values` and `blocks` none is negative."""

    model: str
    version: str
    reference: str
    """The id that came with the bins: counts into another reference's bins are of no use."""
    minute: int
    """Minutes since 1970 UTC."""
    rows: int
    """All of them; of rows that repeat too often only `counted` are in the cells."""
    features: dict[str, list[int]]
    """Feature → the count of each of its cells (`modelport_telemetry.drift.bins`)."""
    predictions: dict[str, int] = {}
    """Key of `modelport_telemetry.drift.predictions` → number of predictions."""
    counted: int | None = None
    """None: all, as gateways of the release before say it."""
    values: dict[str, list[int]] = {}
    """Feature → how often its values repeat: `modelport_telemetry.drift.repetition`."""
    blocks: dict[str, list[float]] = {}
    """Feature → how alike neighboring rows are: `modelport_telemetry.drift.repetition`."""


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(DriftCounts)


def encode(counts: DriftCounts) -> bytes:
    """Return the MessagePack payload of a `drift` sample. Checks nothing: `decode` does."""
    return _ENCODER.encode(counts)


def decode(data: bytes) -> DriftCounts:
    """Raises `msgspec.MsgspecError` (with ValueError for a base) if it is none."""
    counts = _DECODER.decode(data)
    numbers = [counts.rows, counts.counted or 0, *counts.predictions.values()]
    if min(numbers) < 0 or any(min(cells, default=0) < 0 for cells in counts.features.values()):
        raise msgspec.ValidationError("a count is negative")
    _check_sizes(counts.values, SKETCH_CELLS)
    _check_sizes(counts.blocks, SUMS)
    return counts


def _check_sizes(of_features: Mapping[str, Sequence[float]], size: int) -> None:
    if any(len(numbers) != size for numbers in of_features.values()):
        raise msgspec.ValidationError(f"a feature has not {size} numbers")
