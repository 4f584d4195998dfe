"""At most so many connections of one address: descriptors are for everybody."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import orjson

from modelport_http.client_address import Network, bucket_address, ip_behind, is_trusted

_DETAIL = (
    "This address holds too many connections (MODELPORT_CONNECTIONS_PER_ADDRESS). "
    "Close some, or use each for more than one request."
)
_BODY = orjson.dumps({"type": "about:blank", "title": "Too Many Requests", "status": 429, "detail": _DETAIL})
_RESPONSE = (
    b"HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/problem+json\r\nretry-after: 1\r\n"
    b"connection: close\r\ncontent-length: %d\r\n\r\n%b" % (len(_BODY), _BODY)
)


class Crowd:
    """Counts connections by address; `most` 0: it does not."""

    def __init__(self, most: int, trusted_proxies: Sequence[Network]) -> None:
        self._most = most
        self._trusted_proxies = trusted_proxies
        self._held: Counter[str] = Counter()

    def enter(self, peer: str) -> str | None:
        """Return what to `leave` with later; None: there are too many."""
        if not self._most or not peer or is_trusted(peer, self._trusted_proxies):
            return ""
        address = bucket_address(ip_behind(peer, (), ()))
        if self._held[address] >= self._most:
            return None
        self._held[address] += 1
        return address

    def leave(self, address: str) -> None:
        if address:
            self._held[address] -= 1
            if not self._held[address]:
                del self._held[address]


def crowd_aware(protocol: type[Any], crowd: Crowd) -> type[asyncio.Protocol]:
    """A class of uvicorn's protocols that refuses connections which are too many."""

    class CrowdAware(protocol):  # type: ignore[misc]
        __slots__ = ("_entered",)

        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            entered = crowd.enter(self.client[0] if self.client else "")
            self._entered = entered or ""
            if entered is None:
                transport.write(_RESPONSE)
                transport.close()

        def connection_lost(self, exc: Exception | None) -> None:
            crowd.leave(self._entered)
            super().connection_lost(exc)

    return CrowdAware
