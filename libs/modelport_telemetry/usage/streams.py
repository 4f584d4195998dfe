"""How usage travels by Redis: what gateways write there, and where the control API confirms it.

Nothing hangs on Redis keeping any of it: what is not confirmed is sent again.
"""

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
