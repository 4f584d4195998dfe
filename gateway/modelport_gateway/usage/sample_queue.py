"""Samples that wait for the second's turn. Bounded: a sample too many is counted and forgotten."""

from modelport_telemetry.usage.samples import Sample

from modelport_gateway.metrics import SAMPLES_DROPPED

MAX_WAITING_BYTES = 4 * 1024 * 1024
ENVELOPE_BYTES = 512 * 1024
"""An envelope ends with the sample that reaches it: the control API and Redis take it in one piece."""


class SampleQueue:
    def __init__(self, max_bytes: int = MAX_WAITING_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._waiting: list[Sample] = []

    def put(self, kind: str, payload: bytes) -> None:
        """Have `payload` given to the control API's handler of `kind`, if all goes well, within seconds."""
        if self._bytes + len(payload) > self._max_bytes:
            SAMPLES_DROPPED.labels(kind).inc()
            return
        self._bytes += len(payload)
        self._waiting.append(Sample(kind, payload))

    def take(self) -> list[list[Sample]]:
        """Give everything that waits, in envelopes, and forget it."""
        envelopes: list[list[Sample]] = []
        room = 0
        for sample in self._waiting:
            if room <= 0:
                envelopes.append([])
                room = ENVELOPE_BYTES
            envelopes[-1].append(sample)
            room -= len(sample.payload)
        self._waiting, self._bytes = [], 0
        return envelopes
