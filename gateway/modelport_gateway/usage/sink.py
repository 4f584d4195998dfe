"""Where usage goes: the control API, by way of Redis or directly."""

from collections.abc import Collection, Mapping
from typing import Protocol


class SinkUnavailable(Exception):
    """Nothing is known of what was sent: it may have arrived. The message says why, for the log."""


class UsageSink(Protocol):
    """The caller of `send` keeps what is not confirmed; the caller of `send_samples` keeps nothing."""

    async def send(self, due: Mapping[str, bytes], unconfirmed: Collection[str]) -> set[str]:
        """Send encoded batches by their ids; give those of `unconfirmed` that the ledger is known to have.

        Raises SinkUnavailable.
        """
        ...

    async def send_samples(self, envelope: bytes) -> None:
        """Raises SinkUnavailable."""
        ...

    async def aclose(self) -> None: ...
