"""Whose address counts."""

import pytest
from modelport_http.client_address import bucket_address, client_ip, parse_networks

PROXIES = parse_networks("10.0.0.0/8, 2001:db8:ff::/48")


def scope(peer: str | None, *forwarded: str) -> dict[str, object]:
    headers = [(b"x-forwarded-for", each.encode()) for each in forwarded]
    return {"type": "http", "client": (peer, 1234) if peer is not None else None, "headers": headers}


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.9", (), "203.0.113.9"),
        ("203.0.113.9", ("198.51.100.1",), "203.0.113.9"),
        ("10.0.0.1", (), "10.0.0.1"),
        ("10.0.0.1", ("198.51.100.1",), "198.51.100.1"),
        ("10.0.0.1", ("1.1.1.1, 198.51.100.1",), "198.51.100.1"),
        ("10.0.0.1", ("1.1.1.1, 198.51.100.1, 10.0.0.2",), "198.51.100.1"),
        ("10.0.0.1", ("1.1.1.1", "198.51.100.1"), "198.51.100.1"),
        ("10.0.0.1", ("10.0.0.3, 10.0.0.2",), "10.0.0.3"),
        ("10.0.0.1", ("1.1.1.1, unknown",), "10.0.0.1"),
        ("10.0.0.1", ("1.1.1.1, unknown, 10.0.0.2",), "10.0.0.2"),
        ("10.0.0.1", ("198.51.100.1:4711",), "198.51.100.1"),
        ("10.0.0.1", ("[2001:db8::1]:4711",), "2001:db8::1"),
        ("2001:db8:ff::1", ("198.51.100.1",), "198.51.100.1"),
        ("::ffff:10.0.0.1", ("198.51.100.1",), "198.51.100.1"),
        ("::ffff:203.0.113.9", (), "203.0.113.9"),
        (None, ("198.51.100.1",), "local"),
        ("", (), "local"),
    ],
)
def test_only_what_trusted_proxies_wrote_is_believed(
    peer: str | None, forwarded: tuple[str, ...], expected: str
) -> None:
    assert client_ip(scope(peer, *forwarded), PROXIES) == expected


def test_without_trusted_proxies_the_header_means_nothing() -> None:
    assert client_ip(scope("10.0.0.1", "198.51.100.1"), []) == "10.0.0.1"


@pytest.mark.parametrize(
    ("address", "bucket"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::2", "2001:db8:1:2::/64"),
        ("local", "local"),
    ],
)
def test_an_ipv6_network_is_one_caller(address: str, bucket: str) -> None:
    assert bucket_address(address) == bucket


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(ValueError, match="proxy"):
        parse_networks("10.0.0.0/8, proxy.example")
