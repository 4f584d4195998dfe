"""Which addresses may be called: those of the public internet, and what the operator allows beside.

The URL is untrusted. Without this the platform would send requests to its own neighbors for its author.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from modelport_http.client_address import Network

_NAT64 = IPv6Network("64:ff9b::/96")
# What the registries give to hosts; all else is local, reserved, for documentation or of no meaning.
_IPV6_UNICAST = IPv6Network("2000::/3")
# Not for the public though `ipaddress` of some release lets them pass; and addresses at which clouds respond
# their own machines, with credentials or about the network.
_NOT_PUBLIC = tuple(
    ip_network(network)
    for network in (
        "192.0.0.0/24",  # protocol assignments; Oracle Cloud responds at 192.0.0.192
        "168.63.129.16/32",  # Azure
        "161.26.0.0/16",  # IBM Cloud
        "166.8.0.0/14",  # IBM Cloud
        "2001::/23",  # protocol assignments
        "3fff::/20",  # documentation
    )
)
# Below whatever network: the last half of an address that carries an IPv4 one (ISATAP).
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)
_UNPRIVILEGED = 1024
_WEB = (80, 443)


class Forbidden(Exception):
    """The message names the host or port, and why it is not called."""


def check_port(port: int) -> None:
    """Raises `Forbidden` for ports of mail, shells and the like, which may take HTTP for their commands."""
    if port not in _WEB and not _UNPRIVILEGED <= port <= 65_535:
        raise Forbidden(f"Port {port} cannot be used: only 80, 443 and those from {_UNPRIVILEGED} on can.")


def check_addresses(host: str, addresses: Sequence[str], allowed: Sequence[Network]) -> None:
    """Raises `Forbidden` unless every one of `addresses`, which `host` stands for, may be called."""
    if not addresses:
        raise Forbidden(f"{host} has no address.")
    for text in addresses:
        address = ip_address(text.partition("%")[0])
        if not _is_allowed(address, allowed) and not is_public(address):
            # Which one it is would give away something of the platform's own network.
            raise Forbidden(f"{host} stands for an address that is none of the public internet.")


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether the address is on the public internet, also one that IPv6 carries inside."""
    if isinstance(address, IPv6Address):
        inner = _carried(address)
        if inner is not None:
            return all(map(is_public, inner))
        if address not in _IPV6_UNICAST:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or _is_listed(address))


def _is_listed(address: IPv4Address | IPv6Address) -> bool:
    return any(address.version == network.version and address in network for network in _NOT_PUBLIC)


def _carried(address: IPv6Address) -> Sequence[IPv4Address] | None:
    """The IPv4 addresses that packets to an address of a transition technique end at."""
    last = IPv4Address(int(address) & 0xFFFF_FFFF)
    if address.ipv4_mapped:
        return [address.ipv4_mapped]
    if address.sixtofour:
        return [address.sixtofour]
    if address.teredo:
        return address.teredo
    if address in _NAT64 or (int(address) >> 32) & 0xFFFF_FFFF in _ISATAP:
        return [last]
    return None


def _is_allowed(address: IPv4Address | IPv6Address, allowed: Sequence[Network]) -> bool:
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address.version == network.version and address in network for network in allowed)
