"""The Job that makes a bundle, run as the cluster runs it: a real uv, a folder of wheels, a real server."""

import hashlib
import os
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from modelport_environments import bundling, packing
from modelport_environments.locked import digest_of, own_name

from tests.support.wheels import index_of, lock_of, make_wheel

TOKEN = "of-this-lock-alone"


@dataclass
class Store:
    """Gives `lock`, and takes what is handed in with the token, unless it answers with `status`."""

    lock: str
    status: int = 200
    handed_in: list[bytes] = field(default_factory=list)
    address: str = ""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    files = {"its_own.py": "raise SystemExit('ran')\n", "at_start.pth": "import its_own\n"}
    kept = Store(lock_of(make_wheel(tmp_path / "index", "its-own", "1.0", files=files)))

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(kept.lock.encode())

        def do_PUT(self) -> None:
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            shown = self.headers["Authorization"] == f"Bearer {TOKEN}"
            if shown and kept.status == 200:
                kept.handed_in.append(body)
            self.send_response(kept.status if shown else 403)
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    kept.address = f"http://127.0.0.1:{server.server_port}"
    yield kept
    server.shutdown()
    server.server_close()


def job(
    store: Store, folder: Path, index: Mapping[str, str] | None = None, **changed: str
) -> subprocess.CompletedProcess[str]:
    """Run it to its end. `index`: uv's settings, other than the folder's. `changed`: ours, by their names
    without the prefix.
    """
    sha256 = digest_of(store.lock)
    facts = {
        "LOCK_URI": f"{store.address}/{sha256}",
        "LOCK_SHA256": sha256,
        "TO": f"{store.address}/bundle",
        "TOKEN": TOKEN,
        "MAX_BYTES": str(1 << 20),
        "PYTHON": sys.executable,
        "PLACE": "/modelport/artifact/packages",
        **changed,
    }
    named = {f"MODELPORT_BUNDLE_{name}": value for name, value in facts.items()}
    return subprocess.run(
        [sys.executable, "-I", "-m", "modelport_environments.bundling"],
        env={**_clean(os.environ), **(index or index_of(folder / "index")), **named},
        capture_output=True,
        text=True,
        check=False,
    )


def _clean(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith("UV_")}


def last_words(done: subprocess.CompletedProcess[str]) -> str:
    return done.stderr.strip().splitlines()[-1]


def test_a_bundle_holds_what_is_installed_and_compiled_the_same_bytes_each_time(
    store: Store, tmp_path: Path
) -> None:
    for _ in range(2):
        done = job(store, tmp_path)
        assert done.returncode == 0, done.stderr
    first, second = store.handed_in
    assert hashlib.sha256(first).digest() == hashlib.sha256(second).digest()
    (tmp_path / "bundle.tar").write_bytes(first)
    with tarfile.open(tmp_path / "bundle.tar", "r:") as archive:
        members = archive.getmembers()
        compiled = next(each for each in members if each.name.endswith(".pyc"))
        content = archive.extractfile(compiled)
        assert content is not None
        assert b"/modelport/artifact/packages/its_own.py" in content.read()
    assert {"its_own.py", "at_start.pth", "its_own-1.0.dist-info/METADATA"} <= {each.name for each in members}
    assert all(each.isreg() and each.mode == 0o444 and each.mtime == 0 for each in members)


def test_what_stands_in_the_way_is_its_last_word(store: Store, tmp_path: Path) -> None:
    name = own_name(digest_of(store.lock))
    small = job(store, tmp_path, MAX_BYTES="10")
    assert "GiB of packages, and this platform takes" in last_words(small)
    other = job(store, tmp_path, LOCK_SHA256="0" * 64)
    assert last_words(other).endswith("another one than was asked for.")
    closed = job(store, tmp_path, TOKEN="of-another")
    assert "answered 403" in last_words(closed)
    unset = job(store, tmp_path, TO="")
    assert last_words(unset) == "MODELPORT_BUNDLE_TO is not set; the operator and the image set it."
    away = job(store, tmp_path, LOCK_URI="http://127.0.0.1:9/lock")
    assert "cannot be fetched: " in last_words(away)
    store.lock = store.lock.replace("its-own==1.0", "its-own==2.0")
    missing = job(store, tmp_path)
    assert last_words(missing).startswith(f"{own_name(digest_of(store.lock))} cannot be made here: ")
    assert "its-own==2.0" in last_words(missing)
    store.lock = f"{store.lock}-e .\n"
    bad = job(store, tmp_path)
    assert "'-e .', which is no version" in last_words(bad)
    assert {each.returncode for each in (small, other, unset, missing, bad)} == {bundling.REFUSED}
    assert {each.returncode for each in (closed, away)} == {bundling.LATER}
    assert (store.handed_in, name[:4]) == ([], "own-")


@pytest.mark.parametrize(
    ("asked", "status", "content", "code", "said"),
    [
        ("page", 404, "", bundling.REFUSED, "was not found in the package registry"),
        ("page", 401, "", bundling.LATER, "valid authentication credentials"),
        ("page", 403, "", bundling.LATER, "credentials are valid"),
        ("page", 503, "", bundling.LATER, "503 Service Unavailable"),
        ("wheel", 404, "", bundling.REFUSED, "404 Not Found"),
        ("wheel", 503, "", bundling.LATER, "503 Service Unavailable"),
        ("wheel", 200, "another file", bundling.REFUSED, "Failed to extract archive"),
    ],
)
def test_an_index_that_may_do_better_later_is_not_one_that_refuses(
    store: Store, tmp_path: Path, asked: str, status: int, content: str, code: int, said: str
) -> None:
    name = "its_own-1.0-py3-none-any.whl"

    class Index(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            is_asked = ("wheel" if self.path.endswith(".whl") else "page") == asked
            self.send_response(status if is_asked else 200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write((content if is_asked else f'<a href="/{name}">{name}</a>').encode())

    with ThreadingHTTPServer(("127.0.0.1", 0), Index) as index:
        threading.Thread(target=index.serve_forever, args=(0.01,), daemon=True).start()
        settings = {
            "UV_DEFAULT_INDEX": f"http://127.0.0.1:{index.server_port}/simple",
            "UV_NO_CONFIG": "1",
            "UV_HTTP_RETRIES": "0",
            "UV_CACHE_DIR": str(tmp_path / "cache"),
        }
        done = job(store, tmp_path, settings)
        index.shutdown()
    assert (done.returncode, store.handed_in) == (code, [])
    assert said in last_words(done)


def test_links_are_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "packages"
    folder.mkdir()
    (folder / "a.py").write_text("1\n")
    (folder / "b.py").symlink_to("/etc/passwd")
    archive = b"".join(packing.pieces(folder))
    assert packing.size(folder) == len(archive)
    assert b"b.py" not in archive
