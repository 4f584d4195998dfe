"""/sdk: the client of this release, for everybody, as pip and uv read an index."""

import base64
import csv
import io
import re
import subprocess
import sys
import zipfile
from hashlib import sha256
from html import unescape
from importlib.metadata import PackageNotFoundError, PathDistribution
from pathlib import Path

import httpx
import pytest
from modelport_control_api.http import client_wheel
from modelport_control_api.http.client_wheel import REQUIRES_PYTHON, Wheel, load, wheel_name, wheel_path
from modelport_process import VERSION

from requirements.distribution import projects
from tests.support.built_help import ROOT
from tests.support.control_api import Person

NAME = f"modelport-{VERSION}-py3-none-any.whl"
pytestmark = pytest.mark.usefixtures("forget_wheel")
CREDENTIALS = [{}, {"Authorization": "Bearer mlp_live_of-nobody"}, {"X-API-Key": "mlp_live_unknown"}]


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As an image has it: a file beside the code."""
    monkeypatch.setattr(client_wheel, "PACKAGED", tmp_path)
    file = tmp_path / "modelport-9.8.7-py3-none-any.whl"
    file.write_bytes(b"PK of an image")
    return file


@pytest.fixture
def without_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(client_wheel, "PACKAGED", tmp_path)
    monkeypatch.setattr(client_wheel, "distribution", none)


@pytest.mark.parametrize("headers", CREDENTIALS, ids=str)
@pytest.mark.parametrize("path", ["/sdk/", "/sdk/modelport/", f"/sdk/{NAME}"])
async def test_it_is_everybodys_whatever_credential_is_sent(
    api: httpx.AsyncClient, path: str, headers: dict[str, str]
) -> None:
    response = await api.get(path, headers=headers)
    assert response.status_code == 200
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    # uv begins so.
    head = await api.head(path, headers=headers)
    assert head.status_code == 200
    assert head.headers["Content-Length"] == response.headers["Content-Length"]


async def test_it_is_a_users_and_a_revoked_keys_too(api: httpx.AsyncClient, ada: Person) -> None:
    key = await ada.make_key(scopes=["predict"])
    assert (await api.get("/sdk/", headers={"X-API-Key": key["key"]})).status_code == 200
    await api.delete(f"/api/v1/api-keys/{key['id']}", headers=ada.bearer)
    assert (await api.get("/sdk/", headers={"X-API-Key": key["key"]})).status_code == 200
    assert (await api.get("/sdk/", headers=ada.bearer)).status_code == 200


async def test_nothing_is_changed_there(api: httpx.AsyncClient) -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert (await api.request(method, f"/sdk/{NAME}")).status_code == 405


@pytest.mark.parametrize(
    "path", ["/sdk/modelport-0.0.1-py3-none-any.whl", "/sdk/..%2fapp.py", "/sdk/%00", "/sdk/a/b"]
)
async def test_nothing_else_is_there(api: httpx.AsyncClient, path: str) -> None:
    assert (await api.get(path)).status_code == 404


@pytest.mark.parametrize(("page", "before"), [("/sdk/", ""), ("/sdk/modelport/", "../")])
async def test_links_of_the_index_lead_to_the_wheel_with_its_digest(
    api: httpx.AsyncClient, page: str, before: str
) -> None:
    html = (await api.get(page)).text
    content = (await api.get(f"/sdk/{NAME}")).content
    assert f'href="{before}{NAME}#sha256={sha256(content).hexdigest()}"' in html
    python = re.findall(r'data-requires-python="([^"]+)"', (await api.get("/sdk/modelport/")).text)
    assert [unescape(each) for each in python] == [REQUIRES_PYTHON]
    assert projects()["modelport"]["requires-python"] == REQUIRES_PYTHON


async def test_of_an_image_it_is_the_file_beside_the_code(api: httpx.AsyncClient, packaged: Path) -> None:
    assert wheel_path() == f"/sdk/{packaged.name}"
    assert (await api.get(f"/sdk/{packaged.name}")).content == b"PK of an image"


def test_its_name_is_looked_up_once_and_its_bytes_are_those_of_that_name(packaged: Path) -> None:
    assert wheel_path() == f"/sdk/{packaged.name}"
    packaged.with_name("modelport-1.0.0-py3-none-any.whl").write_bytes(b"PK of another release")
    assert wheel_path() == f"/sdk/{packaged.name}"
    assert load() == Wheel(packaged.name, b"PK of an image")


@pytest.mark.usefixtures("without_client")
async def test_where_there_is_no_client_it_says_where_to_get_it(api: httpx.AsyncClient) -> None:
    assert wheel_path() is None
    response = await api.get("/sdk/")
    assert response.status_code == 404
    assert "pip install modelport" in response.json()["detail"]


def test_metadata_without_what_the_client_needs_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / f"modelport-{VERSION}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: modelport\nVersion: {VERSION}\n")
    monkeypatch.setattr(client_wheel, "PACKAGED", tmp_path / "none")
    monkeypatch.setattr(client_wheel, "distribution", lambda _name: PathDistribution(folder))
    assert wheel_name() is None


# What is in it


@pytest.fixture(scope="module")
def wheel() -> zipfile.ZipFile:
    found = load()
    assert found is not None
    assert found.name == NAME
    return zipfile.ZipFile(io.BytesIO(found.content))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The one that is published."""
    folder = tmp_path_factory.mktemp("built")
    uv = Path(sys.executable).with_name("uv")
    command = [
        uv,
        "build",
        "--quiet",
        "--offline",
        "--no-build-isolation",
        "--wheel",
        "--out-dir",
        folder,
        "client",
    ]
    environment = {"VIRTUAL_ENV": sys.prefix, "PATH": str(uv.parent), "HOME": str(folder)}
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    (file,) = folder.glob("*.whl")
    return zipfile.ZipFile(file)


def test_it_holds_what_the_one_that_is_published_holds(
    wheel: zipfile.ZipFile, built: zipfile.ZipFile
) -> None:
    assert set(wheel.namelist()) == set(built.namelist())
    for name in built.namelist():
        if not name.endswith(("/RECORD", "/WHEEL")):
            assert wheel.read(name).strip() == built.read(name).strip(), name


def test_each_file_has_its_digest_in_the_record(wheel: zipfile.ZipFile) -> None:
    (record,) = (name for name in wheel.namelist() if name.endswith("/RECORD"))
    rows = [*csv.reader(wheel.read(record).decode().splitlines())]
    assert [name for name, _, _ in rows] == wheel.namelist()
    for name, digest, size in rows[:-1]:
        content = wheel.read(name)
        expected = base64.urlsafe_b64encode(sha256(content).digest()).rstrip(b"=").decode()
        assert (digest, size) == (f"sha256={expected}", str(len(content)))
    assert rows[-1] == [record, "", ""]


def test_it_is_the_same_each_time() -> None:
    first = load()
    client_wheel._content.cache_clear()
    assert load() == first
