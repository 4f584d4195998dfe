"""The disk is full: users who want to store something get an error, everybody else is served."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.standalone.integration.crashes.accounts import ROW, register, serve, telling_model
from tests.standalone.integration.crashes.killable import killable_platform, make_home, poll
from tests.standalone.integration.crashes.remains import check_whole

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


@pytest.mark.nightly
def test_below_its_reserve_the_disk_is_kept_for_logins_deletes_and_usage(small_disk: Path) -> None:
    with killable_platform(small_disk / "data") as platform:
        account = register(platform.start().url)
        with account.client(platform.url) as client, account.caller(platform.url) as caller:
            model, doomed = serve(client, "before"), serve(client, "doomed")
            job = submit(caller, model).raise_for_status().json()
            # A twentieth of the disk is its reserve.
            with filled(small_disk, leaving=_DISK_BYTES // 40):
                assert_says_no_room(upload(client, "refused", padding=0))
                assert_says_no_room(submit(caller, model))
                register(platform.url)  # and logs in, and makes a key
                assert client.delete(f"/api/v1/models/{doomed}").status_code == 204
                caller.post(f"/predict/{model}", json={"input": ROW}).raise_for_status()
                poll(lambda: usage_of(client) < 1, "usage is written")
                waiting = client.get(f"/api/v1/jobs/{job['id']}?wait=5").json()
                assert (waiting["state"], waiting["rows_done"]) in {("queued", 0), ("running", 0)}, waiting
                poll(lambda: unsaid(client, job["id"]), "the job says what it waits for")
            # What was put off is begun again, by a pod that gets no more than is left of the machine.
            poll(lambda: unfinished(client, job["id"]), "the job goes on", seconds=180)
        assert platform.stop() == 0


def submit(caller: httpx.Client, model: str) -> httpx.Response:
    rows = json.dumps({"inputs": [ROW] * 3}).encode()
    return caller.post(
        f"/api/v1/predict/{model}/batch", content=rows, headers={"Content-Type": "application/json"}
    )


def unsaid(client: httpx.Client, job_id: str) -> str:
    job = client.get(f"/api/v1/jobs/{job_id}")
    # Nothing while a pod is being found, and once more while its worker looks again.
    return "" if "no room for results" in (job.json()["waiting_for"] or "") else job.text


def unfinished(client: httpx.Client, job_id: str) -> str:
    response = client.get(f"/api/v1/jobs/{job_id}?wait=5")
    return "" if response.json()["state"] == "succeeded" else response.text


def usage_of(client: httpx.Client) -> int:
    requests: int = client.get("/api/v1/analytics/overview").json()["totals"]["requests"]
    return requests


def upload(client: httpx.Client, tag: str, padding: int) -> httpx.Response:
    # Bytes after a pickle's end belong to nothing, and need their room all the same.
    content = telling_model(tag) + os.urandom(padding)
    return client.post("/api/v1/models/upload", files={"file": content}, data={"name": tag})


def assert_says_no_room(response: httpx.Response) -> None:
    assert response.status_code in {503, 507}, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    assert "room" in response.json()["detail"]


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
