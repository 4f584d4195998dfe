"""The disk is full: whoever wanted to store something is told, everybody else is served."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.integration.crashes.accounts import ROW, register, serve, telling_model
from tests.integration.crashes.killable import killable_platform, make_home, poll
from tests.integration.crashes.remains import check_whole

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
_DISK_BYTES = 64 << 20
_BLOCK_BYTES = 4096


@pytest.fixture
def small_disk() -> Iterator[Path]:
    with make_home() as folder:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_BYTES}", "modelport-test", str(folder)]
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
        try:
            yield folder
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_refuses_what_needs_room_and_serves_on(small_disk: Path) -> None:
    with killable_platform(small_disk / "data") as platform:
        account = register(platform.start().url)
        with account.client(platform.url) as client, account.caller(platform.url) as caller:
            model = serve(client, "before")
            for room in (1 << 20, 0):
                with filled(small_disk, leaving=room):
                    refused = upload(client, "refused", padding=2 << 20)
                    assert_says_no_room(refused)
                    predicted = caller.post(f"/predict/{model}", json={"input": ROW})
                    assert predicted.raise_for_status().json()["prediction"] == "before"
                    assert client.get(f"/api/v1/models/{model}").json()["status"] == "ready"
                assert [each["id"] for each in client.get("/api/v1/models").json()["items"]] == [model]
            with filled(small_disk, leaving=0):
                assert_says_no_room(client.patch(f"/api/v1/models/{model}", json={"description": "x" * 9000}))
            check_whole(platform)
            after = serve(client, "after")
            poll(lambda: not caller.post(f"/predict/{after}", json={"input": ROW}).is_success, "it answers")
            check_whole(platform)
        assert platform.stop() == 0
        assert "Traceback" not in platform.stdout


def upload(client: httpx.Client, tag: str, padding: int) -> httpx.Response:
    # Bytes after a pickle's end belong to nothing, and need their room all the same.
    content = telling_model(tag) + os.urandom(padding)
    return client.post("/api/v1/models/upload", files={"file": content}, data={"name": tag})


def assert_says_no_room(answer: httpx.Response) -> None:
    assert answer.status_code in {503, 507}, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "room" in answer.json()["detail"]


@contextmanager
def filled(disk: Path, *, leaving: int) -> Iterator[None]:
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        while (free := os.statvfs(disk).f_bavail * _BLOCK_BYTES - leaving) > 0:
            file.write(bytes(min(free, 1 << 20)))
    try:
        yield
    finally:
        filler.unlink()
