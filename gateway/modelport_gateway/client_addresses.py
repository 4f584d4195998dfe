"""Client addresses, each worked out once: a proxy's few connections carry the requests of many callers."""

from collections.abc import Sequence

from modelport_edge.client_address import Network, bucket_address, ip_behind

from modelport_gateway.request_headers import RequestHeaders

_KEPT = 10_000


class ClientAddresses:
    """Not worth an order of use: all are forgotten when there are too many."""

    def __init__(self, trusted_proxies: Sequence[Network]) -> None:
        self._trusted_proxies = trusted_proxies
        self._known: dict[tuple[str, ...], tuple[str, str]] = {}

    def find(self, peer: str, headers: RequestHeaders) -> tuple[str, str]:
        """Give the caller's address for logs, and as rate limits count it. `peer`: "" for a unix socket."""
        forwarded = headers.all(b"x-forwarded-for") if self._trusted_proxies else []
        key = (peer, *forwarded)
        known = self._known.get(key)
        if known is None:
            ip = ip_behind(peer, forwarded, self._trusted_proxies)
            known = (ip, bucket_address(ip))
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[key] = known
        return known
