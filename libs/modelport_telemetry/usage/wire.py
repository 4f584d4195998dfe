"""Batches of counts, from a gateway to the control API: in a Redis stream, or as the body of a request."""

from typing import Annotated

import msgspec

from modelport_telemetry.usage.latency import LAST_BUCKET

USAGE_STREAM = "modelport:usage"
USAGE_STREAM_LENGTH = 500
"""About so many entries are kept, each one batch; older ones are sent again if they were not read."""

SAMPLES_STREAM = "modelport:samples"
SAMPLES_STREAM_LENGTH = 64
"""Entries, each one envelope: samples that nobody reads must not fill Redis."""

FIELD = "data"
"""The one field of an entry of either stream."""

CONFIRMED_SECONDS = 600


def confirmation_key(batch_id: str) -> str:
    """The key that exists for CONFIRMED_SECONDS after the batch was written to the ledger."""
    return f"modelport:usage:written:{batch_id}"


LONGEST_PREDICTION_ID = 128
NO_NUL = r"^[^\x00]*$"
"""PostgreSQL stores no other text."""
MAX_PREDICTION_BYTES = 500
MAX_PROBABILITIES_BYTES = 4000

# What the ledger's columns hold: a line that did not fit would be refused there again and again.
_Id = Annotated[str, msgspec.Meta(max_length=36)]
_Count = Annotated[int, msgspec.Meta(ge=0, lt=2**48)]
_Bucket = Annotated[int, msgspec.Meta(ge=0, le=LAST_BUCKET)]


class UsageLine(msgspec.Struct, frozen=True, array_like=True):
    """How many requests of one minute were alike."""

    minute: Annotated[int, msgspec.Meta(ge=0, lt=2**40)]
    """The minute in which their responses were sent, in minutes since 1970 UTC."""
    model: Annotated[str, msgspec.Meta(max_length=127)]
    """The public id; empty where there is no such model."""
    version: Annotated[str, msgspec.Meta(max_length=63)]
    """Empty where the request was refused before a version was chosen."""
    caller: _Id
    """The user's id; empty without a credential."""
    api_key: _Id
    """The API key's id; empty for an access token or none."""
    status: Annotated[int, msgspec.Meta(ge=0, le=999)]
    """The HTTP status; 499: the caller went away."""
    reason: Annotated[str, msgspec.Meta(max_length=63)]
    """The problem's reason (docs/reasons.md); empty for a response and where the problem has none."""
    cache: Annotated[str, msgspec.Meta(max_length=10)]
    """hit, miss, bypass, or none."""
    requests: _Count
    latency: dict[_Bucket, _Count]
    """Bucket of `latency` → requests in it."""


class EvidenceLine(msgspec.Struct, frozen=True, array_like=True):
    """How often something was seen while a rollout was at one step (decision 57)."""

    model: Annotated[str, msgspec.Meta(max_length=127)]
    """The public id."""
    rollout: Annotated[int, msgspec.Meta(ge=1, lt=2**31)]
    step: Annotated[str, msgspec.Meta(max_length=15)]
    counter: Annotated[str, msgspec.Meta(max_length=200)]
    """A name of `modelport_evidence.counters`."""
    count: _Count


class ObservedPrediction(msgspec.Struct, frozen=True, array_like=True):
    """What a caller was told of one row, of a model that asks for it (decision 58)."""

    model: Annotated[str, msgspec.Meta(max_length=127)]
    """The public id."""
    id: Annotated[str, msgspec.Meta(max_length=LONGEST_PREDICTION_ID, pattern=NO_NUL)]
    """The request's, or the row's own."""
    row: Annotated[int, msgspec.Meta(ge=0, lt=2**31)]
    """Its place in the request; 0 where it has an id of its own."""
    version: Annotated[str, msgspec.Meta(max_length=63)]
    at: Annotated[float, msgspec.Meta(ge=0, lt=2**37)]
    """When the response was sent, in seconds since 1970 UTC."""
    unit: Annotated[str, msgspec.Meta(max_length=32)]
    """Stands for the session or caller that was kept on the version; empty: nothing was."""
    prediction: Annotated[str, msgspec.Meta(max_length=MAX_PREDICTION_BYTES)]
    """JSON of a text, number or boolean."""
    probabilities: Annotated[str, msgspec.Meta(max_length=MAX_PROBABILITIES_BYTES)] | None
    """JSON of class → probability; None: there are none."""
    arm: Annotated[str, msgspec.Meta(max_length=40)] = ""
    """`3:25:candidate`: rollout, step and which of its versions answered; empty: no rollout chose it."""


class UsageBatch(msgspec.Struct, frozen=True):
    """Written to the ledger once, however often it arrives: `id` says which it is."""

    id: _Id
    gateway: Annotated[str, msgspec.Meta(max_length=64)]
    """A name of the gateway's process, new with every start."""
    lines: list[UsageLine]
    dropped: _Count = 0
    """Requests that were counted but had to be forgotten since the gateway's batch before."""
    evidence: list[EvidenceLine] = []
    observed: list[ObservedPrediction] = []


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(UsageBatch)


def encode(batch: UsageBatch) -> bytes:
    """Return MessagePack, for a stream's entry or a request's body. Checks no limits: `decode` does."""
    return _ENCODER.encode(batch)


def decode(data: bytes) -> UsageBatch:
    """Raises `msgspec.MsgspecError` (with ValueError for a base) if it is no batch."""
    return _DECODER.decode(data)
