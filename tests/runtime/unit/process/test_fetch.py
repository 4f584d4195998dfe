"""The init container's job, against real files and a real HTTP server."""

import errno
import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from modelport_runtime.fetch import FetchFailed, Unreachable, fetch

CONTENT = b"model" * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        if self.path == "/broken":
            self.send_response(200)
            self.send_header("content-length", "5000")
            self.end_headers()
            self.wfile.write(b"model")
        elif self.path == "/busy":
            self.send_error(503)
        else:
            super().do_GET()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=tmp_path))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_file_is_copied_read_only(source: Path, tmp_path: Path) -> None:
    destination = tmp_path / "model"

    fetch(source.as_uri(), DIGEST, destination)

    assert destination.read_bytes() == CONTENT
    assert destination.stat().st_mode & 0o777 == 0o444
    assert source.stat().st_nlink == 1, "a file that may be written must not be shared"


def test_a_read_only_file_is_shared(source: Path, tmp_path: Path) -> None:
    source.chmod(0o444)
    destination = tmp_path / "model"

    fetch(source.as_uri(), DIGEST, destination)

    assert destination.samefile(source)


def test_a_download_is_verified(source: Path, tmp_path: Path, address: str) -> None:
    fetch(f"{address}/source", DIGEST, tmp_path / "model")

    assert (tmp_path / "model").read_bytes() == CONTENT


def test_an_object_of_a_bucket_is_downloaded(
    source: Path, tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    (tmp_path / "bucket").mkdir()
    source.rename(tmp_path / "bucket" / "iris v1")

    fetch("s3://bucket/iris v1", DIGEST, tmp_path / "model")

    assert (tmp_path / "model").read_bytes() == CONTENT


def test_the_digest_of_an_object_that_the_platform_can_read_is_not_revealed(
    source: Path, tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bucket").mkdir()
    source.rename(tmp_path / "bucket" / "iris v1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    with pytest.raises(FetchFailed, match="but the version names 000") as refused:
        fetch("s3://bucket/iris v1", "0" * 64, tmp_path / "model")

    assert DIGEST not in refused.value.message


def test_an_object_that_is_not_there_is_reported_by_its_own_address(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)

    with pytest.raises(FetchFailed, match=r"^s3://bucket/nothing answered 404"):
        fetch("s3://bucket/nothing", DIGEST, tmp_path / "model")


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_other_bytes_are_refused_and_leave_nothing(
    scheme: str, source: Path, tmp_path: Path, address: str
) -> None:
    uri = source.as_uri() if scheme == "file" else f"{address}/source"

    with pytest.raises(FetchFailed) as refused:
        fetch(uri, "0" * 64, tmp_path / "model")

    assert refused.value.reason == "DigestMismatch"
    # Of a file that was opened with the platform's rights the digest would be as good as the file.
    assert (DIGEST in refused.value.message) == (scheme == "http")
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


@pytest.mark.parametrize("uri", ["file:///nowhere/at/all", "{address}/nothing", "ftp://host/file"])
def test_a_missing_artifact_is_reported(uri: str, tmp_path: Path, address: str) -> None:
    with pytest.raises(FetchFailed) as refused:
        fetch(uri.format(address=address), DIGEST, tmp_path / "model")

    assert refused.value.reason == "ArtifactNotFound"


@pytest.mark.parametrize("uri", ["http://127.0.0.1:9/x", "{address}/busy", "{address}/broken"])
def test_a_source_that_may_do_better_later_raises_unreachable(uri: str, tmp_path: Path, address: str) -> None:
    with pytest.raises(Unreachable):
        fetch(uri.format(address=address), DIGEST, tmp_path / "model")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
@pytest.mark.parametrize("scheme", ["file", "http"])
def test_a_full_disk_is_tried_again(
    scheme: str, number: int, source: Path, tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(Unreachable) as later:
        fetch(source.as_uri() if scheme == "file" else f"{address}/source", DIGEST, tmp_path / "model")

    assert ("no room" in str(later.value)) == (number != errno.EIO)
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_a_file_over_the_systems_limit_is_too_large(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_large(_: int) -> None:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))

    monkeypatch.setattr(os, "fsync", too_large)

    with pytest.raises(FetchFailed) as refused:
        fetch(source.as_uri(), DIGEST, tmp_path / "model")

    assert refused.value.reason == "TooLarge"


@pytest.mark.parametrize("sha256", [DIGEST, "0" * 64], ids=["not there", "other bytes"])
def test_no_path_of_the_platform_is_revealed(sha256: str, source: Path, tmp_path: Path) -> None:
    if sha256 == DIGEST:
        source.unlink()

    with pytest.raises(FetchFailed) as refused:
        fetch(source.as_uri(), sha256, tmp_path / "model")

    assert str(tmp_path) not in refused.value.message


@pytest.mark.parametrize(
    ("uri", "sha256", "code", "reason"),
    [
        ("file://{source}", DIGEST, 0, None),
        ("file://{source}", "0" * 64, 1, "DigestMismatch"),
        ("http://127.0.0.1:9/x", DIGEST, 2, None),
    ],
)
def test_the_command_ends_as_the_contract_says(  # parameters and fixtures
    uri: str, sha256: str, code: int, reason: str | None, source: Path, tmp_path: Path
) -> None:
    environment = {
        "PATH": os.defpath,
        "MODELPORT_FETCH_URI": uri.format(source=source),
        "MODELPORT_FETCH_SHA256": sha256,
        "MODELPORT_FETCH_TO": str(tmp_path / "model"),
    }
    command = [sys.executable, "-I", "-m", "modelport_runtime.fetch"]

    ended = subprocess.run(command, env=environment, capture_output=True, text=True)

    assert ended.returncode == code
    if reason:
        assert json.loads(ended.stderr.splitlines()[-1])["reason"] == reason


def test_the_command_imports_little() -> None:
    script = "import sys, modelport_runtime.fetch; print(*sorted({m.partition('.')[0] for m in sys.modules}))"

    loaded = subprocess.run(
        [sys.executable, "-I", "-c", script], capture_output=True, text=True
    ).stdout.split()

    assert not {"numpy", "asyncio", "ssl", "orjson", "prometheus_client"} & set(loaded)
