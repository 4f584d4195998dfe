"""Webhooks never reach what is not public, whatever the name, its responses or the receiver say."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

import pytest
from modelport_control_api.alerts import signing
from modelport_control_api.alerts.sending import NotTaken, Sender, Target
from modelport_control_api.network.addresses import is_public

LOOPBACK = (ip_network("127.0.0.0/8"),)
BODY = json.dumps({"type": "job.succeeded"}).encode()


@dataclass
class Receiver:
    """Answers each request with `answer`, raw, after `pause` seconds; `requests` is what came."""

    answer: bytes = b"HTTP/1.1 204 No Content\r\n\r\n"
    pause: float = 0
    requests: list[bytes] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        self.requests.append(head + await reader.readexactly(length))
        await asyncio.sleep(self.pause)
        writer.write(self.answer)
        writer.close()


@asynccontextmanager
async def receiving(receiver: Receiver) -> AsyncIterator[Receiver]:
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    yield receiver
    server.close()


def sender_resolving(*responses: Sequence[str]) -> Sender:
    """A sender whose resolver gives these responses in turn, and then the last one forever."""
    left = list(responses)

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return left.pop(0) if len(left) > 1 else left[0]

    return Sender(resolve=resolve, total_seconds=2)


async def send(sender: Sender, port: int, host: str = "hooks.example.com") -> None:
    secret = signing.new_secret()
    await sender.send(Target(f"http://{host}:{port}/done", [secret]), "msg-1", 1_700_000_000, BODY)


async def test_a_message_is_signed_as_the_standard_says() -> None:
    secret = signing.new_secret()
    now = int(time.time())
    async with receiving(Receiver()) as receiver:
        url = f"http://127.0.0.1:{receiver.port}/done?x=1"
        await Sender(LOOPBACK).send(Target(url, [secret]), "msg-1", now, BODY)
    head, _, body = receiver.requests[0].partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().lower().split("\r\n")[1:])
    assert head.startswith(b"POST /done?x=1 ")
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("msg-1", str(now))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.digest(key, f"msg-1.{now}.".encode() + body, hashlib.sha256))
    assert f"webhook-signature: v1,{expected.decode()}" in head.decode()


@pytest.mark.parametrize(
    "answer",
    [
        ["127.0.0.1"],
        ["10.0.0.7"],
        ["169.254.169.254"],
        ["100.64.0.1"],
        ["0.0.0.0"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["fd00::1"],
        ["fe80::1%eth0"],
        ["64:ff9b::7f00:1"],
        ["2002:7f00:1::"],
        ["2002:a9fe:a9fe::1"],
        ["64:ff9b::a9fe:a9fe"],
        ["64:ff9b:1::1"],
        ["::ffff:169.254.169.254"],
        ["::ffff:0:169.254.169.254"],
        ["::169.254.169.254"],
        ["2001:0:a9fe:a9fe::1"],
        ["2a00:1450:4001::5efe:a9fe:a9fe"],
        ["2a00:1450:4001::200:5efe:10.0.0.1"],
        ["192.0.0.1"],
        ["192.0.0.9"],
        ["192.0.0.192"],
        ["168.63.129.16"],
        ["::ffff:168.63.129.16"],
        ["100.100.100.200"],
        ["161.26.0.10"],
        ["169.254.170.2"],
        ["198.18.0.1"],
        ["192.0.2.1"],
        ["240.0.0.1"],
        ["255.255.255.255"],
        ["224.0.0.1"],
        ["fec0::1"],
        ["feff::1"],
        ["3fff::1"],
        ["3fff:fff:ffff::1"],
        ["5f00::1"],
        ["100::1"],
        ["2001:db8::1"],
        ["2001:2::1"],
        ["fd00:ec2::254"],
        ["fd20:ce::254"],
        ["ff0e::1"],
        ["::"],
        ["93.184.216.34", "127.0.0.1"],
        [],
    ],
)
async def test_a_name_with_any_private_address_gets_no_request(answer: list[str]) -> None:
    async with receiving(Receiver()) as receiver:
        with pytest.raises(NotTaken):
            await send(sender_resolving(answer), receiver.port)
    assert receiver.requests == []


@pytest.mark.parametrize(
    "address",
    ["93.184.216.34", "168.63.129.17", "2606:4700:4700::1111", "2a00:1450:4001::1", "64:ff9b::8.8.8.8"],
)
def test_addresses_of_the_public_internet_are_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "[::ffff:7f00:1]", "localhost", "2130706433", "a" * 70]
)
async def test_an_address_in_the_url_is_judged_as_what_it_stands_for(host: str) -> None:
    async with receiving(Receiver()) as receiver:
        with pytest.raises(NotTaken):
            await send(Sender(total_seconds=2), receiver.port, host)
    assert receiver.requests == []


async def test_a_name_that_changes_its_address_is_resolved_once() -> None:
    """DNS rebinding: a public address for the check, a private one for the connection."""
    async with receiving(Receiver()) as receiver:
        sender = sender_resolving(["192.88.99.255"], ["127.0.0.1"])
        with pytest.raises(NotTaken):
            await send(sender, receiver.port)
    assert receiver.requests == []


async def test_a_redirect_is_not_followed() -> None:
    async with receiving(Receiver()) as inner:
        moved = f"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:{inner.port}/\r\nContent-Length: 0\r\n\r\n"
        async with receiving(Receiver(moved.encode())) as outer:
            with pytest.raises(NotTaken, match="status 307"):
                await send(Sender(LOOPBACK), outer.port, "127.0.0.1")
    assert inner.requests == []


async def test_a_slow_receiver_and_one_that_never_stops_talking_are_left() -> None:
    started = time.perf_counter()
    async with receiving(Receiver(pause=30)) as receiver:
        with pytest.raises(NotTaken, match="within"):
            await send(Sender(LOOPBACK, total_seconds=0.3), receiver.port, "127.0.0.1")
    endless = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n" + bytes(1 << 20)
    async with receiving(Receiver(endless)) as receiver:
        await send(Sender(LOOPBACK, total_seconds=2), receiver.port, "127.0.0.1")
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize("port", [22, 25, 6])
async def test_ports_of_other_protocols_are_closed(port: int) -> None:
    with pytest.raises(NotTaken, match="Port"):
        await send(Sender(LOOPBACK), port, "127.0.0.1")


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("64:ff9b::5db8:d822", True),
        ("::ffff:93.184.216.34", True),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("::7f00:1", False),
        ("ff02::1", False),
        ("2001:db8::1", False),
        ("2001:0:7f00:1::", False),
    ],
)
def test_what_is_public(text: str, public: bool) -> None:
    assert is_public(ip_address(text)) == public
