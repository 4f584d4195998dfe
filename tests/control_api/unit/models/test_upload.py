"""An upload becomes a stored file, a model and a resource; a bad one becomes a reason and leaves nothing."""

import asyncio
import hashlib
import io
import pickle
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from modelport_control_api.registry.errors import TooManyVersions
from modelport_environments import choice
from modelport_store.store import Limit

from tests.control_api.unit.models.platform import Account, Platform, running_platform, settings_at

UPLOAD = "/api/v1/models/upload"


async def test_an_upload_returns_202_with_the_model_and_its_location(
    platform: Platform, ann: Account, iris_bytes: bytes
) -> None:
    response = await ann.upload(
        iris_bytes, name="iris_classifier", model_type="sklearn", sample="[5.1, 3.5, 1.4, 0.2]"
    )
    model = response.json()
    assert response.status_code == 202
    assert response.headers["Location"] == f"/api/v1/models/{model['id']}"
    assert model["id"].startswith("iris-classifier-")
    assert (model["framework"], model["status"], model["traffic"]) == ("sklearn", "pending", {})
    assert model["predict_url"] == f"/predict/{model['id']}"
    assert model["versions"][0]["sha256"] == hashlib.sha256(iris_bytes).hexdigest()
    assert model["versions"][0]["sample"] == {"input": [5.1, 3.5, 1.4, 0.2]}
    assert (await ann.http.get(response.headers["Location"])).json()["id"] == model["id"]
    await platform.published(model["id"], "v1")


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("localhost:8000", "http://localhost:8000"),
        ("127.0.0.1", "http://127.0.0.1"),
        ("192.168.1.20:8000", ""),
        ("elsewhere.example", ""),
        ("localhost@elsewhere.example", ""),
        ("127.0.0.1.elsewhere.example", ""),
        ("127.0.0.1/elsewhere", ""),
    ],
)
async def test_no_name_that_a_request_brings_along_is_repeated(
    ann: Account, iris_bytes: bytes, host: str, base: str
) -> None:
    model_id = (await ann.upload(iris_bytes)).json()["id"]
    for path in (f"/api/v1/models/{model_id}", "/api/v1/models", "/api/v1/auth/me"):
        response = await ann.http.get(path, headers={"Host": host})
        assert response.status_code == 200
        assert "elsewhere" not in response.text + str(response.headers)
    shown = (await ann.http.get(f"/api/v1/models/{model_id}", headers={"Host": host})).json()
    assert shown["predict_url"] == f"{base}/predict/{model_id}"


@pytest.mark.parametrize("left_out", [{}, {"acceleration": ""}, {"acceleration": "auto"}])
async def test_a_model_is_accelerated_unless_the_form_says_otherwise(
    platform: Platform, ann: Account, iris_bytes: bytes, left_out: dict[str, str]
) -> None:
    assert (await ann.upload(iris_bytes, **left_out)).json()["acceleration"] == "auto"
    off = (await ann.upload(iris_bytes, acceleration="off")).json()
    assert off["acceleration"] == "off"
    await platform.published(off["id"], "v1")
    assert platform.cluster.objects[off["id"]]["spec"]["acceleration"] == "off"


async def test_a_version_names_what_it_runs_in_or_nothing(
    platform: Platform, ann: Account, iris_bytes: bytes
) -> None:
    made = (await ann.upload(iris_bytes, environment="sklearn-1.2")).json()
    assert made["versions"][0]["environment"] == "sklearn-1.2"
    version = (await ann.upload_version(made["id"], iris_bytes, environment="")).json()
    assert version["environment"] is None
    # It reaches the cluster only where one is named, as before.
    await platform.published(made["id"], "v1", "v2")
    spec = platform.cluster.objects[made["id"]]["spec"]
    assert [each.get("environment") for each in spec["versions"]] == ["sklearn-1.2", None]


_SAVED = Path(__file__).parents[3] / "fixtures" / "other_versions" / "1.2.2" / "boosting.joblib"


@pytest.mark.parametrize(
    ("chooses", "named", "environment"),
    [(True, {}, "sklearn-1.2"), (True, {"environment": "platform"}, None), (False, {}, None)],
)
async def test_the_file_decides_where_the_platform_may_choose(
    tmp_path: Path,
    sqlite_url: str,
    monkeypatch: pytest.MonkeyPatch,
    chooses: bool,
    named: dict[str, str],
    environment: str | None,
) -> None:
    only_own = {name: frozenset[str]() for name in choice.OF_SKLEARN}
    only_own["sklearn-1.2"] = frozenset({"GradientBoostingClassifier"})
    monkeypatch.setattr(choice, "_own_only", lambda: only_own)
    async with running_platform(
        settings_at(tmp_path, sqlite_url, choose_environments=chooses), tmp_path
    ) as platform:
        ann = await platform.account("ann")
        made = (await ann.upload(_SAVED.read_bytes(), **named)).json()
        assert made["versions"][0]["environment"] == environment


_CATBOOST = b"CBM1" + bytes(4)


@pytest.mark.parametrize("named", [{}, {"environment": "catboost-1.2"}])
async def test_a_framework_that_the_platform_has_no_library_for_has_its_own_environment(
    platform: Platform, ann: Account, named: dict[str, str]
) -> None:
    made = (await ann.upload(_CATBOOST, **named)).json()
    assert [made["versions"][0][key] for key in ("framework", "environment")] == ["catboost", "catboost-1.2"]
    await platform.published(made["id"], "v1")
    (version,) = platform.cluster.objects[made["id"]]["spec"]["versions"]
    assert (version["framework"], version["environment"]) == ("catboost", "catboost-1.2")


async def test_the_platforms_libraries_are_refused_to_such_a_framework(
    platform: Platform, ann: Account
) -> None:
    response = await ann.upload(_CATBOOST, environment="platform")
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert (error["field"], platform.stored()) == ("environment", [])
    assert error["message"].endswith("for models of catboost: give catboost-1.2, or leave environment out")


async def test_an_environment_is_refused_that_does_not_serve_the_files_framework(
    platform: Platform, ann: Account
) -> None:
    booster = b"tree\nversion=v4\nnum_class=1\n" + b"end of trees\n"
    response = await ann.upload(booster, environment="sklearn-1.2")
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert (error["field"], platform.stored()) == ("environment", [])
    assert "serves sklearn, and the file holds a lightgbm model" in error["message"]


async def test_the_stored_file_is_served_on_the_internal_port_only(
    platform: Platform, ann: Account, iris_bytes: bytes
) -> None:
    await ann.upload(iris_bytes)
    path = f"/internal/v1/artifacts/{hashlib.sha256(iris_bytes).hexdigest()}"
    async with platform.internal() as internal:
        assert (await internal.get(path)).content == iris_bytes
        missing = await internal.get(f"/internal/v1/artifacts/{'0' * 64}")
        assert (missing.status_code, missing.json()["reason"]) == (404, "ArtifactNotFound")
    assert (await ann.http.get(path)).status_code == 404


async def test_fields_may_come_in_any_order_and_a_sample_as_a_file(ann: Account, iris_bytes: bytes) -> None:
    parts = [
        ("sample", ("row.json", b"[1, 2, 3, 4]")),
        ("file", ("model", iris_bytes)),
        ("name", (None, b"late")),
    ]
    response = await ann.http.post(UPLOAD, files=parts)
    assert (response.status_code, response.json()["name"]) == (202, "late")


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", "a")
    return buffer.getvalue()


GOOD = {"name": "x"}
# What is sent: (file or None, text fields) -> (status, reason, field that is named).
BAD: dict[str, tuple[bytes | None, dict[str, str], int, str | None, str | None]] = {
    "no file": (None, GOOD, 422, None, "file"),
    "no name": (b"MODEL", {}, 422, None, "name"),
    "empty name": (b"MODEL", {"name": ""}, 422, None, "name"),
    "blank name": (b"MODEL", {"name": "   "}, 422, None, "name"),
    "long name": (b"MODEL", {"name": "n" * 101}, 422, None, "name"),
    "very long name": (b"MODEL", {"name": "n" * 5000}, 422, None, "name"),
    "unprintable name": (b"MODEL", {"name": "a\x07b"}, 422, None, "name"),
    "an unknown acceleration": (b"MODEL", {"name": "x", "acceleration": "on"}, 422, None, "acceleration"),
    "empty file": (b"", GOOD, 422, "CorruptArtifact", "file"),
    "text": (b"hello, I am text", GOOD, 422, "UnsupportedFormat", "file"),
    "zip": (zipped(), GOOD, 422, "UnsupportedFormat", "file"),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(64), GOOD, 422, "UnsupportedFormat", "file"),
    "cut pickle": (pickle.dumps({"a": 1})[:-3], GOOD, 422, "CorruptArtifact", "file"),
    "damaged gzip": (b"\x1f\x8b\x08\x00" + b"\xff" * 40, GOOD, 422, "CorruptArtifact", "file"),
    "contradicted": (b"MODEL", {**GOOD, "model_type": "onnx"}, 422, "FrameworkMismatch", "model_type"),
    "unknown type": (b"MODEL", {**GOOD, "model_type": "spark"}, 422, None, "model_type"),
    "unknown environment": (b"MODEL", {**GOOD, "environment": "sklearn-0.1"}, 422, None, "environment"),
    "sample no JSON": (b"MODEL", {**GOOD, "sample": "{"}, 422, None, "sample"),
    "sample a number": (b"MODEL", {**GOOD, "sample": "7"}, 422, None, "sample"),
    "sample too long": (b"MODEL", {**GOOD, "sample": "[" + "1," * 40_000 + "1]"}, 422, None, "sample"),
    "long description": (b"MODEL", {**GOOD, "description": "d" * 10_001}, 422, None, "description"),
    "unknown field": (b"MODEL", {**GOOD, "color": "red"}, 422, None, "color"),
    "field of versions": (b"MODEL", {**GOOD, "traffic": "0"}, 422, None, "traffic"),
}


@pytest.mark.parametrize("case", BAD)
async def test_a_bad_upload_gets_its_reason_and_leaves_nothing(
    platform: Platform, ann: Account, iris_bytes: bytes, case: str
) -> None:
    content, fields, status, reason, field = BAD[case]
    content = iris_bytes if content == b"MODEL" else content
    files = {"file": ("model", content)} if content is not None else {"name": (None, "x")}
    response = await ann.http.post(UPLOAD, data=fields if content is not None else {}, files=files)
    problem = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, problem.get("reason")) == (status, reason)
    assert [error["field"] for error in problem["errors"]] == [field]
    assert (platform.stored(), platform.incoming()) == ([], [])
    assert (await ann.http.get("/api/v1/models")).json()["items"] == []


def part(name: str, content: bytes) -> bytes:
    return (
        b'--B\r\nContent-Disposition: form-data; name="'
        + name.encode()
        + b'"; filename="f"\r\n\r\n'
        + content
        + b"\r\n"
    )


FORM = "multipart/form-data; boundary=B"
RAW: dict[str, tuple[str, bytes, int]] = {
    "json": ("application/json", b"{}", 415),
    "no type": ("", b"x", 415),
    "no boundary": ("multipart/form-data", b"x", 400),
    "huge boundary": (f"multipart/form-data; boundary={'b' * 5000}", b"x", 400),
    "not the boundary": (FORM, b"--C\r\n\r\n", 400),
    "no body": (FORM, b"", 400),
    "cut": (FORM, part("file", b"abc")[:-4], 400),
    "no closing boundary": (FORM, part("name", b"x") + part("file", b"abc"), 400),
    "no field name": (FORM, b"--B\r\nContent-Disposition: form-data\r\n\r\nx\r\n--B--\r\n", 400),
    "two files": (FORM, part("name", b"x") + part("file", b"a") + part("file", b"b") + b"--B--\r\n", 422),
    "two names": (FORM, part("name", b"x") + part("name", b"y") + part("file", b"b") + b"--B--\r\n", 422),
    "name not UTF-8": (FORM, part("name", b"\xff\xfe") + part("file", b"b") + b"--B--\r\n", 422),
}


@pytest.mark.parametrize("case", RAW)
async def test_a_malformed_body_is_refused_and_leaves_nothing(
    platform: Platform, ann: Account, case: str
) -> None:
    content_type, body, status = RAW[case]
    response = await ann.http.post(UPLOAD, content=body, headers={"Content-Type": content_type})
    assert response.status_code == status, response.text
    assert (platform.stored(), platform.incoming()) == ([], [])


@pytest.fixture
async def small(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Platform]:
    async with running_platform(
        settings_at(tmp_path, sqlite_url, max_upload_bytes=5000), tmp_path
    ) as running:
        yield running


async def test_a_body_that_declares_too_much_is_refused_before_it_is_read(small: Platform) -> None:
    ann = await small.account("ann")
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        read += 1
        yield b"x"

    headers = {"Content-Type": FORM, "Content-Length": "90000000"}
    response = await ann.http.post(UPLOAD, content=body(), headers=headers)
    assert (response.status_code, response.json()["reason"]) == (413, "TooLarge")
    assert small.incoming() == []


async def test_a_body_that_declares_nothing_is_stopped_at_the_limit(small: Platform) -> None:
    ann = await small.account("ann")
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        yield part("file", b"")[:-2]
        while sent < 3_000_000:
            sent += 1000
            yield bytes(1000)

    response = await ann.http.post(UPLOAD, content=body(), headers={"Content-Type": FORM})
    assert (response.status_code, response.json()["reason"]) == (413, "TooLarge")
    assert small.incoming() == []


async def test_a_file_of_exactly_the_limit_passes(tmp_path: Path, sqlite_url: str, iris_bytes: bytes) -> None:
    settings = settings_at(tmp_path, sqlite_url, max_upload_bytes=len(iris_bytes))
    async with running_platform(settings, tmp_path) as running:
        ann = await running.account("ann")
        assert (await ann.upload(iris_bytes)).status_code == 202
        assert (await ann.upload(iris_bytes + b"\0")).status_code == 413


async def test_a_full_disk_is_said_clearly(
    platform: Platform, ann: Account, iris_bytes: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("modelport_control_api.uploads.spool.Spool._write_through", no_room)
    response = await ann.upload(iris_bytes)
    assert (response.status_code, "no room" in response.json()["detail"]) == (507, True)
    assert platform.incoming() == []


async def test_nobody_can_write_a_stored_file(platform: Platform, ann: Account, iris_bytes: bytes) -> None:
    await ann.upload(iris_bytes)
    (stored,) = (platform.root / "artifacts" / "sha256").rglob(hashlib.sha256(iris_bytes).hexdigest())
    assert stored.stat().st_mode & 0o777 == 0o444


async def test_the_same_bytes_uploaded_at_once_are_stored_once(
    platform: Platform, ann: Account, iris_bytes: bytes
) -> None:
    responses = await asyncio.gather(*(ann.upload(iris_bytes, name=f"m{i}") for i in range(6)))
    assert {response.status_code for response in responses} == {202}
    assert len({response.json()["id"] for response in responses}) == 6
    assert platform.stored() == [hashlib.sha256(iris_bytes).hexdigest()]
    assert platform.incoming() == []


async def test_bytes_that_another_model_shares_outlive_a_delete(
    platform: Platform, ann: Account, bob: Account, iris_bytes: bytes
) -> None:
    mine, theirs = (await ann.upload(iris_bytes)).json(), (await bob.upload(iris_bytes)).json()
    await ann.http.delete(f"/api/v1/models/{mine['id']}")
    assert len(platform.stored()) == 1
    await bob.http.delete(f"/api/v1/models/{theirs['id']}")
    assert platform.stored() == []


async def test_uploads_and_deletes_of_the_same_bytes_at_once_never_lose_a_file(
    platform: Platform, ann: Account, iris_bytes: bytes
) -> None:
    async def upload_and_delete() -> None:
        model = (await ann.upload(iris_bytes)).json()
        assert (await ann.http.delete(f"/api/v1/models/{model['id']}")).status_code == 204

    kept, *_ = await asyncio.gather(ann.upload(iris_bytes), *(upload_and_delete() for _ in range(5)))
    await platform.plane.models.keeper.collect_garbage()
    assert platform.stored() == [kept.json()["versions"][0]["sha256"]]


async def test_a_failed_commit_leaves_no_file(
    platform: Platform, ann: Account, iris_bytes: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise TooManyVersions("refused in the transaction")

    monkeypatch.setattr("modelport_control_api.registry.service.create_model", fail)
    assert (await ann.upload(iris_bytes)).status_code == 409
    assert (platform.stored(), platform.incoming()) == ([], [])


async def test_a_start_removes_what_a_crash_left(tmp_path: Path, sqlite_url: str) -> None:
    settings = settings_at(tmp_path, sqlite_url)
    orphan = tmp_path / "artifacts" / "sha256" / "ab" / ("ab" * 32)
    half = tmp_path / "artifacts" / "incoming" / "upload-half"
    for path in (orphan, half):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"left")
    async with running_platform(settings, tmp_path) as running:
        assert running.incoming() == []
        async with asyncio.timeout(60):
            while running.stored():  # noqa: ASYNC110 - files tell nobody when they go
                await asyncio.sleep(0.01)


async def test_the_eleventh_upload_of_an_hour_is_refused(
    tmp_path: Path, sqlite_url: str, iris_bytes: bytes
) -> None:
    async with running_platform(
        settings_at(tmp_path, sqlite_url, limit_upload=Limit(10, 3600)), tmp_path
    ) as running:
        ann, bob = await running.account("ann"), await running.account("bob")
        responses: list[httpx.Response] = [await ann.upload(iris_bytes) for _ in range(11)]
        assert [response.status_code for response in responses] == [202] * 10 + [429]
        assert int(responses[-1].headers["Retry-After"]) > 0
        assert (await bob.upload(iris_bytes)).status_code == 202
