"""A platform of an earlier build becomes one of this checkout, under load, and keeps all that it held.

Only with `MODELPORT_UPGRADE_FROM`, a checkout of that build with its `.venv` (`make .venv/.dev`): its images
take minutes and a gigabyte.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import stand_ins
from tests.cluster.cluster import Cluster
from tests.e2e import images, release
from tests.e2e.accounts import Person
from tests.e2e.disturbances.harness import Harness, build_harness
from tests.e2e.disturbances.measuring import measure
from tests.e2e.running import running
from tests.support.models import IRIS_FIELDS
from tests.support.releases.addresses import addresses
from tests.support.releases.comparing import BY_THE_GATEWAY, difference
from tests.support.waiting import eventually

FROM = Path(os.environ.get("MODELPORT_UPGRADE_FROM", ""))
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(3000),
    pytest.mark.skipif(Path() == FROM, reason="MODELPORT_UPGRADE_FROM names no checkout."),
]

ROW = dict(zip(IRIS_FIELDS, (5.1, 3.5, 1.4, 0.2), strict=True))
_GROWS = ("analytics", "usage", "drift", "audit", "logs", "events", "sessions", "metrics")
"""What requests and logins of the test itself add to."""


@pytest.fixture
def earlier(cluster: Cluster, tmp_path: Path) -> Iterator[Harness]:
    """That build with a model under load, whose file, versions, key and job it holds."""
    stand_ins.load_into(cluster)
    with running(cluster, _load(cluster, FROM), FROM / "helm" / "modelport") as platform:
        yield build_harness(cluster, platform, tmp_path)
    release.uninstall(platform.release)


async def test_an_upgrade_keeps_all_data_and_loses_no_request(cluster: Cluster, earlier: Harness) -> None:
    person, model_id = earlier.person, earlier.model_id
    job, key = _use(earlier)
    before = {address: _read(person, address) for address in _addresses(person, model_id, job)}
    predicted = person.predict(model_id, ROW).json()["prediction"]
    wanted = _spec(earlier)
    loaded = _load(cluster, images.ROOT)

    def upgrade(harness: Harness) -> None:
        with tempfile.TemporaryDirectory() as folder:
            release.install(harness.release, Path(folder), loaded)

    report = await measure(earlier, upgrade)
    assert not report.failed, (report.statuses, [each.error for each in report.failed[:5]])
    assert report.longest_gap <= 1.0
    earlier.settle()
    with person.http() as client:
        lost = {
            address: found
            for address, was in before.items()
            if (found := difference(address, was, client.get(address)))
        }
        assert lost == {}
        client.headers["Authorization"] = f"Bearer {key}"
        response = client.post(f"/predict/{model_id}", json={"input": ROW})
    assert response.json()["prediction"] == predicted
    spec = _spec(earlier)
    assert {name: spec.get(name) for name in wanted} == wanted


_BUILD = """
import json
from tests.cluster import base_image, image_build
from tests.e2e.images import PARTS, ROOT, image_of

def build(part):
    return str(image_build.build(ROOT / PARTS[part], ROOT, image_of(part), base_image.build_args()))

print(json.dumps({part: build(part) for part in PARTS}))
"""


def _load(cluster: Cluster, checkout: Path) -> dict[str, str]:
    """Build a checkout's images as it does itself, with its own base, and load them."""
    python = checkout / ".venv" / "bin" / "python"
    built = subprocess.run(
        [python, "-c", _BUILD], cwd=checkout, stdout=subprocess.PIPE, check=True, text=True
    )
    archives = {part: Path(file) for part, file in json.loads(built.stdout.splitlines()[-1]).items()}
    for archive in archives.values():
        cluster.load_image(archive)
    return {part: archive.stem for part, archive in archives.items()}


def _use(harness: Harness) -> tuple[str, str]:
    """Give the model a second version, a share of traffic, a key and a batch job that has ended."""
    person, model_id = harness.person, harness.model_id
    person.upload(harness.file, "--to", model_id)
    with person.http() as client:
        client.put(f"/api/v1/models/{model_id}/traffic", json={"v1": 80, "v2": 20}).raise_for_status()
        key = client.post("/api/v1/api-keys", json={"name": "ci", "scopes": ["predict"]}).raise_for_status()
        path = f"/api/v1/predict/{model_id}/versions/v1/batch"
        csv = "\n".join([",".join(ROW), *[",".join(map(str, ROW.values()))] * 3])
        job = client.post(path, content=csv, headers={"Content-Type": "text/csv"}).raise_for_status().json()
        eventually(lambda: client.get(f"/api/v1/jobs/{job['id']}").json()["finished_at"], seconds=720)
    harness.settle()
    return job["id"], key.json()["key"]


def _addresses(person: Person, model_id: str, job: str) -> list[str]:
    versions = [{"model_id": model_id, "version": name} for name in ("v1", "v2")]
    known: dict[str, list[dict[str, str]]] = {
        "model_id": [{"model_id": model_id}],
        "version": versions,
        "job_id": [{"job_id": job}],
    }
    with person.http() as client:
        found = addresses(client.get("/openapi.json").json(), known)
    return [
        address
        for address in found
        if not address.startswith(BY_THE_GATEWAY) and not any(word in address for word in _GROWS)
    ]


def _read(person: Person, address: str) -> dict[str, Any]:
    with person.http() as client:
        response = client.get(address)
    is_json = "json" in response.headers.get("content-type", "")
    return {"status": response.status_code, "body": response.json() if is_json else response.text}


def _spec(harness: Harness) -> dict[str, Any]:
    """Without the batch pods, which end a minute after the job."""
    spec: dict[str, Any] = harness.models.json("get", "mlm", harness.model_id)["spec"]
    for version in spec["versions"]:
        version.pop("batchReplicas", None)
    return spec
