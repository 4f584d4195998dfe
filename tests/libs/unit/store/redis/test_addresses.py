"""Every address of a Redis that its own client reads: greetings, TLS, sockets."""

import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from modelport_store.redis.store import RedisStore
from modelport_store.store import StoreUnavailable

from tests.support.scripted_redis import Command, ScriptedRedis, echo, scripted_redis_over_tcp


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[RedisStore]:
    store = RedisStore(url, timeout_seconds=10)
    yield store
    await store.aclose()


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """One that signs itself, for 127.0.0.1, and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "redis")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path, key_path = folder / "redis.pem", folder / "redis.key"
    path.write_bytes(made.public_bytes(Encoding.PEM))
    key_path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key_path)
    return path, context


GREETINGS: dict[str, list[Command]] = {
    "unix://{socket}": [],
    "unix://{socket}?db=2": [[b"SELECT", b"2"]],
    "unix://:secret@{socket}": [[b"AUTH", b"secret"]],
    "unix://modelport:s%40cret@{socket}?db=1": [[b"AUTH", b"modelport", b"s@cret"], [b"SELECT", b"1"]],
    "unix://{socket}?client_name=gateway": [[b"CLIENT", b"SETNAME", b"gateway"]],
}


@pytest.mark.parametrize("url", GREETINGS)
async def test_a_server_is_greeted_as_its_address_says(redis: ScriptedRedis, socket: Path, url: str) -> None:
    async with opened(url.format(socket=socket)) as store:
        assert await asyncio.gather(store.get(b"1"), store.get(b"2")) == [b"1", b"2"]
    assert redis.received[:-2] == GREETINGS[url]


@pytest.mark.parametrize("refused", [b"AUTH", b"SELECT"])
async def test_a_server_that_refuses_the_greeting_gets_no_other_commands(
    redis: ScriptedRedis, socket: Path, refused: bytes
) -> None:
    async def refuse(command: Command, writer: asyncio.StreamWriter) -> None:
        if command[0] == refused:
            writer.write(b"-WRONGPASS invalid username-password pair or user is disabled.\r\n")
        else:
            await echo(command, writer)

    redis.script = refuse
    async with opened(f"unix://:secret@{socket}?db=1") as store:
        for _ in range(3):
            with pytest.raises(StoreUnavailable, match="WRONGPASS") as raised:
                await store.get(b"key")
            assert "secret" not in str(raised.value)
        for _ in range(200):
            await asyncio.gather(store.ping(), return_exceptions=True)
    assert not {b"GET", b"PING"} & set(redis.names)
    assert redis.connections < 20, "not again for each request"


async def test_over_tcp_with_and_without_tls(tmp_path: Path) -> None:
    trusted, context = certificate(tmp_path)
    async with scripted_redis_over_tcp() as plain, opened(f"{plain.url}/3") as store:
        assert await store.get(b"key") == b"key"
        assert plain.received[0] == [b"SELECT", b"3"]
    async with scripted_redis_over_tcp(context) as encrypted:
        async with opened(f"{encrypted.url}?ssl_ca_certs={trusted}") as store:
            assert await store.get(b"key") == b"key"
        received = len(encrypted.received)
        async with opened(encrypted.url) as store:
            with pytest.raises(StoreUnavailable, match="SSLCertVerificationError"):
                await store.get(b"key")
        assert len(encrypted.received) == received


@pytest.mark.parametrize(
    "url", ["http://redis", "redis", "", "redis://redis?no_such_option=1", "redis://redis?db=first"]
)
def test_what_is_no_address_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        RedisStore(url)
