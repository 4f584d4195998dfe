"""Client addresses, each worked out once: a proxy's few connections carry the requests of many callers."""

from collections.abc import Sequence

import structlog
from modelport_http.client_address import HOW_TO_TRUST, Network, bucket_address, ip_behind

from modelport_gateway.request.paths import RequestHeaders

log = structlog.get_logger(__name__)

_KEPT = 10_000


class ClientAddresses:
    """Not worth an order of use: all are forgotten when there are too many."""

    def __init__(self, trusted_proxies: Sequence[Network]) -> None:
        self._trusted_proxies = trusted_proxies
        self._has_warned = False
        self._known: dict[tuple[str, ...], tuple[str, str]] = {}

    def find(self, peer: str, headers: RequestHeaders) -> tuple[str, str]:
        """Return the caller's address for logs, and as rate limits count it. `peer`: "" for a unix socket."""
        forwarded = headers.all(b"x-forwarded-for") if self._trusted_proxies else []
        key = (peer, *forwarded)
        known = self._known.get(key)
        if known is None:
            self._warn_of_proxies(headers)
            ip = ip_behind(peer, forwarded, self._trusted_proxies)
            known = (ip, bucket_address(ip))
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[key] = known
        return known

    def _warn_of_proxies(self, headers: RequestHeaders) -> None:
        if not self._trusted_proxies and not self._has_warned and headers.all(b"x-forwarded-for"):
            self._has_warned = True
            log.warning(
                "untrusted_proxy_seen",
                detail="callers who come through one proxy share its address",
                cure=HOW_TO_TRUST,
            )
