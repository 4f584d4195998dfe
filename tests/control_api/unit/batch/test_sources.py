"""Inputs that are fetched: whole or not at all, from public addresses and allowed buckets only."""

import asyncio
import io
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from modelport_control_api.batch.preparation import Preparation
from modelport_control_api.batch.sources.fetching import Fetching, InputUnavailable, Reader
from modelport_control_api.batch.sources.uri import Named, require_readable
from modelport_control_api.batch.storage.files import BatchFiles, LocalBatchFiles, RemoteBatchFiles
from modelport_control_api.errors import InvalidFields
from obstore.store import MemoryStore

LOOPBACK = (ip_network("127.0.0.0/8"),)
ROWS = b"a,b\n" + b"1,2\n" * 50_000
MOST = 1_000_000


def ok(body: bytes, length: int | None = None) -> bytes:
    declared = len(body) if length is None else length
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % declared + body


def moved(to: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()


BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
ENDLESS = b"HTTP/1.1 200 OK\r\n\r\n" + bytes(2 * MOST)


@dataclass
class Server:
    """HTTPS on loopback. Gives `answers` in turn, raw, and then the last one forever."""

    answers: list[bytes]
    port: int = 0
    requests: list[bytes] = field(default_factory=list)

    @property
    def uri(self) -> str:
        return f"https://127.0.0.1:{self.port}/rows.csv?key=secret"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests.append(await reader.readuntil(b"\r\n\r\n"))
        answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
        writer.write(answer)
        try:
            await writer.drain()
        except ConnectionError:
            return
        writer.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate of 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + made.public_bytes(pem))
    return path


@asynccontextmanager
async def serving(certificate: Path, *answers: bytes) -> AsyncIterator[Server]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = Server(list(answers))
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context)
    server.port = listening.sockets[0].getsockname()[1]
    yield server
    listening.close()


@pytest.fixture
def files(tmp_path: Path) -> LocalBatchFiles:
    return LocalBatchFiles(tmp_path)


@pytest.fixture
def reader(certificate: Path) -> Reader:
    return Reader(LOOPBACK, tls=ssl.create_default_context(cafile=str(certificate)))


async def fetch(files: BatchFiles, reader: Reader, uri: str, *, tries: int = 1) -> bytes:
    fetching = Fetching(files, reader, max_bytes=MOST, pauses=[0] * (tries - 1), total_seconds=20)
    size = await fetching.fetch("job", uri)
    with files.open_input("job") as file:
        content = bytes(file.read())
    assert len(content) == size
    return content


def left(root: Path) -> list[str]:
    return [path.name for path in root.rglob("*") if path.is_file()]


async def test_an_input_comes_whole_after_a_try_that_broke_off(
    files: LocalBatchFiles, reader: Reader, certificate: Path, tmp_path: Path
) -> None:
    half = tmp_path / "batch" / "job" / ".input-of-a-killed-worker"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"a,b\n1,")
    async with serving(certificate, BUSY, ok(ROWS[:70_000], len(ROWS)), ok(ROWS)) as server:
        assert await fetch(files, reader, server.uri, tries=3) == ROWS
    assert server.requests[0].startswith(b"GET /rows.csv?key=secret HTTP/1.1\r\n")
    assert left(tmp_path) == ["input"]


@pytest.mark.parametrize(
    ("answers", "words", "asked"),
    [
        ([ok(ROWS[:70_000], len(ROWS))], "The connection failed", 2),
        ([ENDLESS], "larger than 1,000,000 bytes", 1),
        ([ok(b"", MOST + 1)], "larger than 1,000,000 bytes", 1),
        ([BUSY], "status 503", 2),
        ([b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"], "status 404", 1),
        ([b"SSH-2.0-OpenSSH\r\n\r\n"], "The connection failed", 2),
        ([ok(b"")], "It is empty", 1),
    ],
)
async def test_what_cannot_be_had_leaves_nothing(
    *,
    files: LocalBatchFiles,
    reader: Reader,
    certificate: Path,
    tmp_path: Path,
    answers: list[bytes],
    words: str,
    asked: int,
) -> None:
    async with serving(certificate, *answers) as server:
        with pytest.raises(InputUnavailable, match=words):
            await fetch(files, reader, server.uri, tries=2)
    assert len(server.requests) == asked
    if words != "It is empty":
        assert left(tmp_path) == []


async def test_a_redirect_to_loopback_is_not_followed(
    files: LocalBatchFiles, reader: Reader, certificate: Path
) -> None:
    async with serving(certificate, ok(b"secret")) as inner, serving(certificate, moved(inner.uri)) as outer:
        with pytest.raises(InputUnavailable, match="redirects are not followed"):
            await fetch(files, reader, outer.uri)
    assert inner.requests == []


@pytest.mark.parametrize("answer", [["127.0.0.1"], ["169.254.169.254"], ["93.184.216.34", "::1"]])
async def test_a_name_that_stands_for_a_private_address_gets_no_request(
    files: LocalBatchFiles, certificate: Path, answer: list[str]
) -> None:
    async def resolve(_host: str, _port: int) -> list[str]:
        return answer

    async with serving(certificate, ok(b"secret")) as server:
        with pytest.raises(InputUnavailable, match="none of the public internet") as raised:
            await fetch(files, Reader(resolve=resolve), f"https://data.example.com:{server.port}/rows.csv")
    assert server.requests == []
    # What the platform's resolver says of its own network is not for users.
    assert not any(address in str(raised.value) for address in answer)


async def test_a_server_that_never_responds_is_given_up(
    files: LocalBatchFiles, reader: Reader, tmp_path: Path
) -> None:
    server = await asyncio.start_server(_silent, "127.0.0.1", 0)
    uri = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    fetching = Fetching(files, reader, max_bytes=MOST, total_seconds=0.3)
    with pytest.raises(InputUnavailable, match="within"):
        await fetching.fetch("job", uri)
    server.close()
    assert left(tmp_path) == []


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def test_an_input_in_a_bucket(tmp_path: Path) -> None:
    bucket, store = MemoryStore(), MemoryStore()
    bucket.put("night/rows 1.csv", ROWS)
    bucket.put("night/large.csv", bytes(MOST + 1))
    opened: list[str] = []

    def open_bucket(url: str) -> MemoryStore:
        opened.append(url)
        return bucket

    reader = Reader(open_bucket=open_bucket)
    for files in (LocalBatchFiles(tmp_path), RemoteBatchFiles(store)):
        assert await fetch(files, reader, "s3://data/night/rows 1.csv") == ROWS
    assert opened == ["s3://data"] * 2
    for key, words in (("missing", "Nothing lies there"), ("large.csv", "larger than")):
        with pytest.raises(InputUnavailable, match=words):
            await fetch(LocalBatchFiles(tmp_path / key), reader, f"s3://data/night/{key}")
        assert left(tmp_path / key) == []


def test_an_input_in_a_bucket_is_read_as_a_file_is() -> None:
    """By each of the readers of formats: they take it for a file of Python's own."""
    table = pyarrow.table({"a": [1.0, 2.0], "b": ["x", "y"]})
    parquet = io.BytesIO()
    pyarrow.parquet.write_table(table, parquet)
    inputs = {
        "parquet": parquet.getvalue(),
        "csv": b"a,b\n1,x\n2,y\n",
        "jsonl": b'{"a": 1.0, "b": "x"}\n{"a": 2.0, "b": "y"}\n',
        "json": b'{"inputs": [{"a": 1.0, "b": "x"}, {"a": 2.0, "b": "y"}]}',
    }
    store = MemoryStore()
    for kind, content in inputs.items():
        store.put(f"batch/{kind}/input", content)
        with RemoteBatchFiles(store).open_input(kind) as file:
            preparation = Preparation(file, kind, None, None)
            assert [chunk.rows for chunk in preparation.chunks()] == [2]


async def test_a_bucket_gets_no_half_input() -> None:
    class Broken(Exception):
        pass

    async def pieces() -> AsyncIterator[bytes]:
        yield bytes(12_000_000)
        raise Broken

    store = MemoryStore()
    with pytest.raises(Broken):
        await RemoteBatchFiles(store).write_input("job", pieces())
    assert store.list().collect() == []


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("http://example.com/rows.csv", "https://"),
        ("https://user:password@example.com/rows.csv", "without a password"),
        ("https://example.com:22/rows.csv", "Port 22"),
        ("file:///etc/passwd", "https://"),
        ("gs://bucket/rows.csv", "https://"),
        ("", "is empty"),
        ("s3://data/other/rows.csv", "must begin with s3://data/night"),
        ("s3://data/nightly/rows.csv", "must begin with"),
        ("s3://data/night/../other/rows.csv", "none that is"),
        ("s3://data/night/%2e%2e/rows.csv", "printable ASCII"),
        ("s3://data/night//rows.csv", "no empty part"),
        ("s3://data", "s3://bucket/key"),
    ],
)
def test_addresses_that_nothing_is_fetched_from(uri: str, words: str) -> None:
    with pytest.raises(InvalidFields) as raised:
        require_readable(Named(uri, {}), ["s3://data/night/"])
    [error] = raised.value.errors
    assert error["field"] == "input_uri"
    assert words in error["message"]


def test_the_format_comes_from_the_name_or_from_the_form_field() -> None:
    for texts, name in (({}, "rows.parquet?part=1"), ({"format": "csv"}, "rows")):
        require_readable(Named(f"https://example.com/{name}", texts), [])
    with pytest.raises(InvalidFields) as raised:
        require_readable(Named("https://example.com/rows", {}), [])
    assert [error["field"] for error in raised.value.errors] == ["format"]
