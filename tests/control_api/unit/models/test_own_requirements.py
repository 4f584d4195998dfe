"""An upload with requirements of its own: locked, stored, shown, published, and refused with reasons."""

import io
import json
import re
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from modelport_crds.mlmodel import from_object
from modelport_environments.errors import ResolverAway
from modelport_environments.locked import digest_of, own_name, read_lock
from modelport_environments.resolving import Resolver

from tests.control_api.unit.models.fake_cluster import FAILED
from tests.control_api.unit.models.platform import Account, Platform, running_platform, settings_at
from tests.support.wheels import index_of, make_wheel

GIVEN = "scikit-learn==1.2.2\nnumpy\n"
LOCKED = ["joblib==1.4.0", "numpy==1.26.4", "scikit-learn==1.2.2"]


@pytest.fixture
async def platform(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Platform]:
    """It takes requirements, and its index is a folder of wheels."""
    index = tmp_path / "index"
    for name, version in (("numpy", "1.26.4"), ("joblib", "1.4.0"), ("xgboost", "3.1.0"), ("extra", "1.0")):
        make_wheel(index, name, version)
    make_wheel(index, "scikit-learn", "1.2.2", needs=("numpy", "joblib"))
    for name, value in index_of(index).items():
        monkeypatch.setenv(name, value)
    settings = settings_at(tmp_path, sqlite_url, own_requirements=True)
    async with running_platform(settings, tmp_path) as running:
        yield running


@pytest.fixture
async def ann(platform: Platform) -> Account:
    return await platform.account("ann")


def spec_of(platform: Platform, model_id: str) -> Any:
    return from_object(platform.cluster.objects[model_id]).spec


async def test_they_are_locked_stored_shown_and_published(
    platform: Platform, ann: Account, iris_bytes: bytes
) -> None:
    response = await ann.upload(iris_bytes, requirements=GIVEN)
    made = response.json()
    assert response.status_code == 202, made
    (version,) = made["versions"]
    assert version["requirements"] == {"given": GIVEN, "packages": LOCKED}
    await platform.published(made["id"], "v1")
    (published,) = spec_of(platform, made["id"]).versions
    lock = (
        platform.root / "artifacts" / "sha256" / published.lock.sha256[:2] / published.lock.sha256
    ).read_text()
    assert [str(each) for each in read_lock(lock)] == LOCKED
    assert (published.lock.sha256, published.lock.uri) == (digest_of(lock), f"artifact:{digest_of(lock)}")
    assert published.environment == version["environment"] == own_name(digest_of(lock))
    assert platform.incoming() == []
    quota = (await ann.http.get("/api/v1/auth/me")).json()["quota"]
    assert quota["model_bytes"] == len(iris_bytes) + len(lock)


async def test_they_may_be_a_file_and_versions_may_differ(
    platform: Platform, ann: Account, iris_bytes: bytes
) -> None:
    files = {
        "file": ("model", iris_bytes),
        "requirements": ("requirements.txt", b"scikit-learn\r\nextra\r\n"),
    }
    made = (await ann.http.post("/api/v1/models/upload", files=files, data={"name": "Iris"})).json()
    assert "extra==1.0" in made["versions"][0]["requirements"]["packages"]
    second = (await ann.upload_version(made["id"], iris_bytes, requirements=GIVEN)).json()
    third = (await ann.upload_version(made["id"], iris_bytes, requirements="")).json()
    assert second["environment"] != made["versions"][0]["environment"]
    assert (third["environment"], third["requirements"]) == (None, None)
    assert len(platform.stored()) == 3


async def test_versions_of_one_lock_are_joined_and_keep_it(
    platform: Platform, ann: Account, iris_bytes: bytes
) -> None:
    made = [(await ann.upload(iris_bytes, requirements=GIVEN)).json() for _ in range(2)]
    other = (await ann.upload(iris_bytes, requirements="scikit-learn\nextra")).json()["id"]

    async def joined(*models: str) -> httpx.Response:
        ensemble = json.dumps({"join": "vote", "members": [{"model": each} for each in models]})
        parts = {"name": (None, "Both"), "ensemble": (None, ensemble)}
        return await ann.http.post("/api/v1/models/upload", files=parts)

    both = (await joined(made[0]["id"], made[1]["id"])).json()
    assert (await joined(made[0]["id"], other)).status_code == 422
    for each in (made[0]["id"], made[1]["id"], other):
        await ann.http.delete(f"/api/v1/models/{each}")

    (version,) = both["versions"]
    assert version["requirements"] == made[0]["versions"][0]["requirements"]
    assert version["environment"] == made[0]["versions"][0]["environment"]
    await platform.published(both["id"], "v1")
    (published,) = spec_of(platform, both["id"]).versions
    assert platform.stored() == sorted([version["sha256"], published.lock.sha256])
    quota = (await ann.http.get("/api/v1/auth/me")).json()["quota"]
    lock = platform.root / "artifacts" / "sha256" / published.lock.sha256[:2] / published.lock.sha256
    assert quota["model_bytes"] == version["size"] + lock.stat().st_size


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"requirements": "-e ."}, "requirements", "in line 1 '-e .': options are not taken"),
        ({"requirements": "# none"}, "requirements", "name no package"),
        ({"requirements": "nowhere"}, "requirements", "cannot be met: .*nowhere was not found"),
        ({"requirements": "scikit-learn==9"}, "requirements", "cannot be met: .*scikit-learn==9"),
        ({"requirements": "extra"}, "requirements", "bring no scikit-learn, which reads models of sklearn"),
        ({"requirements": "folder"}, "requirements", "the file is no model folder with a requirements.txt"),
        ({"requirements": "x" * 40_000}, "requirements", "longer than 32,768 bytes"),
        (
            {"requirements": GIVEN, "environment": "sklearn-1.2"},
            "environment",
            "and requirements contradict each other",
        ),
    ],
)
async def test_what_cannot_be_had_is_refused_and_leaves_nothing(
    platform: Platform, ann: Account, iris_bytes: bytes, fields: dict[str, str], field: str, words: str
) -> None:
    response = await ann.upload(iris_bytes, **fields)
    problem = response.json()
    assert (response.status_code, [each["field"] for each in problem["errors"]]) == (422, [field]), problem
    assert problem["detail"].startswith(field)
    assert re.search(words, problem["detail"])
    assert (platform.stored(), platform.incoming()) == ([], [])


async def test_an_index_that_is_away_is_no_fault_of_the_upload(
    platform: Platform, ann: Account, iris_bytes: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> str:
        raise ResolverAway("the package index cannot be asked: timed out")

    monkeypatch.setattr(Resolver, "lock", away)
    response = await ann.upload(iris_bytes, requirements=GIVEN)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "30")
    assert "timed out" in response.json()["detail"]
    assert platform.stored() == []


async def test_a_platform_that_takes_none_says_so(tmp_path: Path, sqlite_url: str, iris_bytes: bytes) -> None:
    async with running_platform(settings_at(tmp_path, sqlite_url), tmp_path) as platform:
        ann = await platform.account("ann")
        response = await ann.upload(iris_bytes, requirements=GIVEN)
        assert response.status_code == 422
        assert "requirements are not taken by this platform" in response.json()["detail"]


async def test_another_try_keeps_them_unless_it_names_an_environment(
    platform: Platform, ann: Account, iris_bytes: bytes
) -> None:
    made = (await ann.upload(iris_bytes, requirements=GIVEN)).json()
    url = f"/api/v1/models/{made['id']}/versions"
    first = made["versions"][0]
    await platform.serve(made["id"], {}, v1=FAILED)
    # The page names what the version runs in.
    for number, body in enumerate(({"sample": [1, 2, 3, 4]}, {"environment": first["environment"]}), 1):
        again = (await ann.http.post(f"{url}/v{number}/retry", json=body)).json()
        assert (again["environment"], again["requirements"]) == (first["environment"], first["requirements"])
        await platform.serve(made["id"], {}, **{f"v{number + 1}": FAILED})
    assert len(platform.stored()) == 2
    elsewhere = (await ann.http.post(f"{url}/v3/retry", json={"environment": "platform"})).json()
    assert (elsewhere["environment"], elsewhere["requirements"]) == (None, None)


async def test_a_lock_goes_with_the_last_version_that_names_it(
    platform: Platform, ann: Account, iris_bytes: bytes
) -> None:
    made = (await ann.upload(iris_bytes, requirements=GIVEN)).json()
    other = (await ann.upload(iris_bytes, requirements=GIVEN)).json()
    await platform.plane.models.keeper.collect_garbage()
    assert len(platform.stored()) == 2
    assert (await ann.http.delete(f"/api/v1/models/{made['id']}")).status_code == 204
    assert len(platform.stored()) == 2
    assert (await ann.http.delete(f"/api/v1/models/{other['id']}")).status_code == 204
    assert platform.stored() == []


async def test_its_bill_of_materials(platform: Platform, ann: Account, iris_bytes: bytes) -> None:
    made = (await ann.upload(iris_bytes, requirements=GIVEN)).json()
    await ann.upload_version(made["id"], iris_bytes, environment="sklearn-1.2")
    await ann.upload_version(made["id"], iris_bytes)
    url = f"/api/v1/models/{made['id']}/versions"
    own = await ann.http.get(f"{url}/v1/sbom")
    assert own.headers["Content-Type"] == "application/vnd.cyclonedx+json; version=1.6"
    assert own.headers["Content-Disposition"] == f'attachment; filename="{made["id"]}-v1.cdx.json"'
    assert [f"{each['name']}=={each['version']}" for each in own.json()["components"]] == LOCKED
    known = (await ann.http.get(f"{url}/v2/sbom")).json()
    assert "pkg:pypi/scikit-learn@1.2.2" in [each["purl"] for each in known["components"]]
    none = await ann.http.get(f"{url}/v3/sbom")
    assert (none.status_code, "the platform's own libraries" in none.text) == (409, True)
    bob = await platform.account("bob")
    assert (await bob.http.get(f"{url}/v1/sbom")).status_code == 404


FOLDER = Path(__file__).parents[3] / "fixtures" / "mlflow" / "skops.zip"


def folder_with(requirements: str) -> bytes:
    """The folder, whose requirements.txt is another."""
    file = io.BytesIO()
    with zipfile.ZipFile(FOLDER) as saved, zipfile.ZipFile(file, "w") as archive:
        for name in saved.namelist():
            if not name.endswith("requirements.txt"):
                archive.writestr(name, saved.read(name))
        archive.writestr("requirements.txt", requirements)
    return file.getvalue()


async def test_those_of_an_mlflow_folder_are_taken_where_they_are_asked_for(ann: Account) -> None:
    content = folder_with("mlflow==3.17.0\nmlflow-skinny\nscikit-learn==1.2.2\n")
    without = (await ann.upload(content)).json()
    assert without["versions"][0]["requirements"] is None
    (version,) = (await ann.upload(content, requirements="folder")).json()["versions"]
    assert version["requirements"] == {"given": "scikit-learn==1.2.2\n", "packages": LOCKED}
    bad = await ann.upload(folder_with("-r other.txt\n"), requirements="folder")
    assert "requirements of the folder have in line 1 '-r other.txt'" in bad.json()["detail"]
