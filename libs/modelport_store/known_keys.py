"""Marks in the store of API keys that exist: the control API makes them, gateways read them.

A mark opens nothing. It only tells a gateway which keys are worth a look-up while their address is stopped
for sending bad ones.
"""

KEPT_SECONDS = 30 * 86_400


def mark_of(digest: str) -> bytes:
    """The store's key for the API key with this SHA-256."""
    return b"known-key:" + digest.encode()
