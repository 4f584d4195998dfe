"""What the fast path remembers, and that it does not grow without end."""

from contextlib import suppress

import pytest
import structlog
from modelport_gateway.concurrency.in_flight import InFlight
from modelport_gateway.http import client_addresses, fast_path
from modelport_gateway.http.client_addresses import ClientAddresses
from modelport_gateway.request.paths import RequestHeaders
from modelport_gateway.routing import traffic_split
from modelport_http.client_address import HOW_TO_TRUST, parse_networks

from tests.support.gateway_harness import Harness

FORWARDED = b"x-forwarded-for"


def test_headers_give_the_first_value_or_all() -> None:
    headers = RequestHeaders([(b"a", b"1"), (b"b", b"2"), (b"a", b"\xe9")])
    assert (headers.get(b"a"), headers.all(b"a"), headers.all(b"b")) == ("1", ["1", "é"], ["2"])
    assert (headers.get(b"c"), headers.all(b"c")) == (None, [])
    assert RequestHeaders([(b"a", b"1")]).all(b"a") == ["1"]


def test_an_address_is_found_again_and_never_another_callers() -> None:
    addresses = ClientAddresses(parse_networks("10.0.0.0/8"))
    ways = {
        ("10.0.0.1", b"203.0.113.7"): ("203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", b"203.0.113.8"): ("203.0.113.8", "203.0.113.8"),
        ("192.0.2.1", b"203.0.113.7"): ("192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", b"2001:db8::1:2"): ("2001:db8::1:2", "2001:db8::/64"),
        ("", b""): ("local", "local"),
    }
    for _ in range(2):
        for (peer, forwarded), expected in ways.items():
            assert addresses.find(peer, RequestHeaders([(FORWARDED, forwarded)])) == expected


def test_without_trusted_proxies_no_header_is_believed() -> None:
    addresses = ClientAddresses([])
    assert addresses.find("192.0.2.1", RequestHeaders([(FORWARDED, b"203.0.113.7")]))[0] == "192.0.2.1"
    assert len(addresses._known) == 1


def test_a_proxy_that_is_not_trusted_is_warned_of_once() -> None:
    with structlog.testing.capture_logs() as logs:
        for proxies in ([], parse_networks("10.0.0.0/8")):
            addresses = ClientAddresses(proxies)
            addresses.find("10.0.0.1", RequestHeaders([]))
            for number in range(3):
                addresses.find(f"10.0.1.{number}", RequestHeaders([(FORWARDED, b"203.0.113.7")]))
    assert [log["cure"] for log in logs] == [HOW_TO_TRUST]


def test_addresses_that_a_caller_makes_up_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_addresses, "_KEPT", 10)
    addresses = ClientAddresses(parse_networks("10.0.0.0/8"))
    for number in range(100):
        forwarded = RequestHeaders([(FORWARDED, f"203.0.113.{number}".encode())])
        assert addresses.find("10.0.0.1", forwarded)[0] == f"203.0.113.{number}"
    assert len(addresses._known) <= 10


async def test_ids_that_a_caller_makes_up_do_not_fill_the_memory(
    serving: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fast_path, "_KEPT_TARGETS", 10)
    path = serving.gateway.fast_path
    assert all(path.takes(b"/predict/m%d" % number, []) for number in range(100))
    assert len(path._targets) <= 10


@pytest.mark.parametrize(
    "target",
    [
        b"/predict",
        b"/predict/",
        b"/predict/UPPER",
        b"/predict/iris/",
        b"/predict/iris?x",
        b"/predict/iris\n",
        b"/predict/\xe9",
        b"/v2/models/iris",
        b"/v2/models/iris/ready",
        b"/api/v1/models",
    ],
)
async def test_what_is_no_prediction_is_not_taken(serving: Harness, target: bytes) -> None:
    assert not serving.gateway.fast_path.takes(target, [])
    assert not serving.gateway.fast_path._targets


def test_what_is_in_flight_is_counted_through_failures() -> None:
    in_flight = InFlight()
    with suppress(KeyError), in_flight, in_flight:
        assert (in_flight.in_flight, in_flight.idle.is_set()) == (2, False)
        raise KeyError
    assert (in_flight.in_flight, in_flight.idle.is_set()) == (0, True)


@pytest.mark.parametrize("sticky_to", ["c", None])
def test_the_only_version_needs_no_choice(sticky_to: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    for draw in ("random", "_point"):
        monkeypatch.setattr(traffic_split, draw, None)
    assert traffic_split.choose_version([("v1", 100)], model_uid="u", sticky_to=sticky_to) == "v1"
    assert traffic_split.choose_version([("v1", 0)], model_uid="u", sticky_to=sticky_to) is None


def test_a_drawn_request_pays_for_no_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic_split, "_point", None)
    drawn = {
        traffic_split.choose_version([("v1", 50), ("v2", 50)], model_uid="u", sticky_to=None)
        for _ in range(50)
    }
    assert drawn == {"v1", "v2"}
