"""Who is calling, by address: `X-Forwarded-For` counts only as far as trusted proxies wrote it."""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.datastructures import Headers
from starlette.types import Scope

Network = IPv4Network | IPv6Network
_Address = IPv4Address | IPv6Address

HOW_TO_TRUST = "name the networks of your proxies in MODELPORT_TRUSTED_PROXIES (settings.trustedProxies)"
LOCAL = "local"
"""The client of a unix socket or an in-process call."""


def parse_networks(text: str) -> list[Network]:
    """Read `10.0.0.0/8, ::1`. Raises ValueError naming the part that is no network."""
    return [ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip()]


def client_ip(scope: Scope, trusted_proxies: Sequence[Network]) -> str:
    """The rightmost hop that is not a trusted proxy, as text; `local` without an address."""
    peer = scope["client"][0] if scope.get("client") else ""
    return ip_behind(peer, Headers(scope=scope).getlist("x-forwarded-for"), trusted_proxies)


def ip_behind(peer: str, forwarded_for: Sequence[str], trusted_proxies: Sequence[Network]) -> str:
    """The same, from the connection's other end and the values of all `X-Forwarded-For` headers in order."""
    client = _address(peer)
    if client is None:
        return LOCAL
    for hop in _hops(forwarded_for):
        if not _is_in(client, trusted_proxies):
            break
        if hop is None:
            break  # A proxy passed on what is no address: nothing left of it can be believed.
        client = hop
    return str(client)


def is_trusted(peer: str, trusted_proxies: Sequence[Network]) -> bool:
    """Whether the peer is a proxy whose forwarding headers are believed."""
    address = _address(peer)
    return address is not None and _is_in(address, trusted_proxies)


def bucket_address(ip: str) -> str:
    """The address that rate limits count by: one IPv6 household or server owns a whole /64."""
    address = _address(ip)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False))
    return ip


def _is_in(address: _Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks if network.version == address.version)


def _hops(forwarded_for: Sequence[str]) -> Iterator[_Address | None]:
    """Nearest first."""
    for header in reversed(forwarded_for):
        for hop in reversed(header.split(",")):
            yield _address(hop.strip())


def _address(text: str) -> _Address | None:
    if text.startswith("["):
        text = text[1:].partition("]")[0]  # "[2001:db8::1]:443"
    elif text.count(":") == 1:
        text = text.partition(":")[0]  # "192.0.2.1:443"
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # A dual-stack listener sees IPv4 clients as ::ffff:a.b.c.d; networks are written as plain IPv4.
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
