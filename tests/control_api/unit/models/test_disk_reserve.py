"""Below the disk's reserve nothing is taken that needs room, and nobody is locked out."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from modelport_control_api.db.base import utc_now
from modelport_control_api.disk import DiskReserve
from modelport_control_api.registry.tables import BatchJob
from modelport_control_api.usage.wiring import UsageServices
from modelport_telemetry.usage import kept_prediction

from tests.control_api.unit.models.platform import Platform, running_platform, settings_at

MORE_THAN_ANY_DISK = 1 << 62


@pytest.fixture
async def full(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Platform]:
    """As a platform whose disk fills up: `fill` is what happens to it."""
    async with running_platform(settings_at(tmp_path, sqlite_url, disk_reserve_bytes=1), tmp_path) as running:
        yield running


def _fill(platform: Platform) -> None:
    # The disk cannot be filled here, so the reserve grows.
    object.__setattr__(platform.plane.models.reserve, "bytes", MORE_THAN_ANY_DISK)


def _says_no_room(response: httpx.Response) -> bool:
    return response.status_code == 507 and "has no room" in response.json()["detail"]


async def test_uploads_and_jobs_are_refused_and_leave_nothing(full: Platform, iris_bytes: bytes) -> None:
    ann = await full.account("ann")
    model = (await ann.upload(iris_bytes)).json()["id"]
    await full.serve(model, {"v1": 100})
    stored = full.stored()
    _fill(full)
    assert _says_no_room(await ann.upload(iris_bytes, "second"))
    assert _says_no_room(await ann.upload_version(model, iris_bytes))
    assert _says_no_room(
        await ann.http.put(
            f"/api/v1/models/{model}/versions/v1/reference",
            content=b"a,b\n1,2\n",
            headers={"Content-Type": "text/csv"},
        )
    )
    for body, kind in (
        (b"a,b\n1,2\n", "text/csv"),
        (b'{"input_uri": "https://x.example/a.csv"}', "application/json"),
    ):
        job = await ann.http.post(
            f"/api/v1/predict/{model}/batch", content=body, headers={"Content-Type": kind}
        )
        assert _says_no_room(job), job.text
    assert (full.stored(), full.incoming()) == (stored, [])


async def test_a_job_is_not_tried_again_without_room_for_it(full: Platform, iris_bytes: bytes) -> None:
    ann = await full.account("ann")
    model = (await ann.upload(iris_bytes)).json()["id"]
    await full.serve(model, {"v1": 100})
    owner, now = (await ann.http.get("/api/v1/auth/me")).json()["id"], utc_now()
    with full.plane.context.database.transaction() as session:
        job = BatchJob(
            owner_id=owner, model_id=model, version="v1",
            state="failed", input_format="csv", output_format="csv", finished_at=now,
            expires_at=now + timedelta(days=1),
        )  # fmt: skip
        session.add(job)
        session.flush()
        job_id = job.id
    _fill(full)
    assert _says_no_room(await ann.http.post(f"/api/v1/jobs/{job_id}/retry"))


async def test_logins_registrations_changes_and_deletes_go_on(full: Platform, iris_bytes: bytes) -> None:
    ann = await full.account("ann")
    model = (await ann.upload(iris_bytes)).json()["id"]
    _fill(full)
    ann = await full.log_in("ann")
    await full.account("bob")
    key = await ann.http.post("/api/v1/api-keys", json={"name": "mine", "scopes": ["predict"]})
    assert key.status_code == 201
    assert (await ann.http.delete(f"/api/v1/api-keys/{key.json()['id']}")).status_code == 204
    assert (await ann.http.patch(f"/api/v1/models/{model}", json={"name": "other"})).status_code == 200
    assert (await ann.http.delete(f"/api/v1/models/{model}")).status_code == 204
    assert full.stored() == []


async def test_usage_goes_on_and_best_effort_does_not(full: Platform) -> None:
    _fill(full)
    handler = full.plane.public.state.services.get(UsageServices).handlers[kept_prediction.KIND]
    with full.plane.context.database.transaction() as session, pytest.raises(OSError, match="reserve"):
        handler(session, [b""])


async def test_administrators_see_it(full: Platform) -> None:
    root = await full.admin()
    assert (await root.http.get("/api/v1/admin/health")).json()["artifacts"]["ok"] is True
    _fill(full)
    artifacts = (await root.http.get("/api/v1/admin/health")).json()["artifacts"]
    assert (artifacts["ok"], "uploads are refused" in artifacts["detail"]) == (False, True)


def test_the_reserve_is_looked_at_on_every_disk(tmp_path: Path) -> None:
    assert DiskReserve(1, (tmp_path,)).has_room()
    assert not DiskReserve(1, (tmp_path,)).has_room(MORE_THAN_ANY_DISK)
    assert not DiskReserve(MORE_THAN_ANY_DISK, (tmp_path,)).has_room()
    assert DiskReserve(0, (tmp_path,)).has_room()
    assert DiskReserve(MORE_THAN_ANY_DISK).has_room(), "no local disk is used"


def test_of_a_small_disk_a_twentieth_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disks = {64 << 20: True, 1_000_000_000_000: False}
    for total, has_room in disks.items():
        monkeypatch.setattr("shutil.disk_usage", lambda _, total=total: _Usage(total, 100_000_000))
        assert DiskReserve(None, (tmp_path,)).has_room() is has_room


class _Usage:
    def __init__(self, total: int, free: int) -> None:
        self.total, self.free = total, free
