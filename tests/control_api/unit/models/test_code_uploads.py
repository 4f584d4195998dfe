"""Uploads with Python code of a user's own: what is stored of them, as what, and what is refused."""

import hashlib
import io
import os
import zipfile
from typing import Any

import httpx
import pytest
from modelport_formats.own_code import MANIFEST

from tests.control_api.unit.models.platform import Account, Platform
from tests.support.own_code import archive

UPLOAD = "/api/v1/models/upload"
MODEL = "class Model:\n    def predict(self, rows):\n        return [1 for _ in rows]\n"
PREP = "def preprocess(rows):\n    return rows\n"


def zipped(files: dict[str, str | bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return file.getvalue()


async def send(
    ann: Account, file: tuple[str, bytes | str], code: tuple[str, bytes | str] | None = None, **fields: str
) -> httpx.Response:
    files: dict[str, Any] = {"file": file} | ({} if code is None else {"code": code})
    return await ann.http.post(UPLOAD, files=files, data={"name": "Own", **fields})


async def stored(ann: Account, made: dict[str, Any]) -> bytes:
    url = f"/api/v1/models/{made['id']}/versions/v1/artifact"
    answer = await ann.http.get(url)
    assert answer.headers["Content-Disposition"].endswith('-v1.zip"')
    return answer.content


async def test_a_model_file_and_its_module_are_one_artifact_of_the_files_framework(
    ann: Account, iris_bytes: bytes
) -> None:
    response = await send(ann, ("churn.joblib", iris_bytes), ("prep.py", PREP))

    made = response.json()
    assert (response.status_code, made["framework"]) == (202, "sklearn")
    expected = archive({"prep.py": PREP, "churn.joblib": iris_bytes}, entry="prep.py", model="churn.joblib")
    assert await stored(ann, made) == expected
    assert made["versions"][0]["sha256"] == hashlib.sha256(expected).hexdigest()
    assert made["versions"][0]["size"] == len(expected)


@pytest.mark.parametrize(
    ("name", "content", "kept"),
    [
        ("mine.py", MODEL.encode(), {"mine.py": MODEL}),
        ("json.py", MODEL.encode(), {"model.py": MODEL}),
        ("a b.py", MODEL.encode(), {"model.py": MODEL}),
        (
            "x.zip",
            zipped({"model.py": MODEL, "sub/words.txt": "w"}),
            {"model.py": MODEL, "sub/words.txt": "w"},
        ),
        ("x.zip", zipped({"mine/model.py": MODEL, "mine/__pycache__/a.pyc": "x"}), {"model.py": MODEL}),
    ],
    ids=["module", "a library's name", "no name", "zip", "zip of a folder"],
)
async def test_code_alone_is_a_model_of_python(
    ann: Account, name: str, content: bytes, kept: dict[str, str]
) -> None:
    response = await send(ann, (name, content))

    made = response.json()
    assert (response.status_code, made["framework"]) == (202, "python"), made
    assert await stored(ann, made) == archive(kept, entry=next(iter(kept)))


async def test_a_downloaded_artifact_is_the_same_again(ann: Account, iris_bytes: bytes) -> None:
    first = (await send(ann, ("churn.joblib", iris_bytes), ("prep.py", PREP))).json()
    again = await send(ann, ("downloaded.zip", await stored(ann, first)))

    assert (again.status_code, again.json()["framework"]) == (202, "sklearn")
    assert again.json()["versions"][0]["sha256"] == first["versions"][0]["sha256"]


async def test_a_zip_of_modules_stands_beside_a_pickle(ann: Account, iris_bytes: bytes) -> None:
    modules = zipped({"steps/__init__.py": "", "steps/half.py": "x = 1"})

    made = (await send(ann, ("../../etc/m.joblib", iris_bytes), ("code.zip", modules))).json()

    files = {"steps/__init__.py": "", "steps/half.py": "x = 1", "m.joblib": iris_bytes}
    assert await stored(ann, made) == archive(files, entry=None, model="m.joblib")


async def test_a_class_model_reads_files_of_any_kind_in_any_environment(ann: Account) -> None:
    response = await send(ann, ("words.txt", "a b c"), ("model.py", MODEL), environment="torch-2.15")

    made = response.json()
    assert (response.status_code, made["framework"]) == (202, "python"), made
    assert made["versions"][0]["environment"] == "torch-2.15"


@pytest.mark.parametrize(
    ("file", "code", "field", "says"),
    [
        (("m.py", MODEL), ("prep.py", PREP), "code", "is given beside a file that is code itself"),
        (("m.joblib", None), ("prep.py", b"\xff\xfe"), "code", "is neither a module of Python"),
        (("m.joblib", None), ("prep.py", b"#" * (1 << 20) + b"#"), "code", "more than 1 MiB"),
        (("m.joblib", None), ("c.zip", zipped({"a.txt": "x"})), "code", "holds no module of Python"),
        (("m.joblib", None), ("c.zip", zipped({"../a.py": "x"})), "code", "leads out of its folder"),
        (("m.joblib", None), ("c.zip", zipped({"a.py": "x"})[:-9]), "file", "zip archive"),
        (("m.joblib", None), ("c.zip", zipped({"a.py": "x", "b": bytes(200 << 20)})), "code", "unpacks to"),
        (("words.txt", b"a b c"), ("prep.py", PREP), "file", "no model file"),
        (("prep.py", PREP), None, "file", "as its part `code`"),
        (("m.zip", zipped({"model.py": "x = 1"})), None, "file", "defines no class Model"),
        (("m.zip", zipped({"model.py": MODEL, "../x": "x"})), None, "file", "leads out of its folder"),
        (("m.zip", zipped({MANIFEST: "{}", "model.py": MODEL})), None, "file", "none that Modelport wrote"),
    ],
)
async def test_what_is_no_code_is_refused_and_leaves_nothing(
    platform: Platform,
    ann: Account,
    iris_bytes: bytes,
    file: tuple[str, Any],
    code: tuple[str, Any] | None,
    field: str,
    says: str,
) -> None:
    response = await send(ann, (file[0], iris_bytes if file[1] is None else file[1]), code)

    assert response.status_code == 422, response.text
    assert says in response.text
    assert response.json()["errors"][0]["field"] == field
    assert platform.stored() == []
    assert platform.incoming() == []


async def test_random_bytes_between_zip_entries_never_break_it(platform: Platform, ann: Account) -> None:
    whole = zipped({"model.py": MODEL, "a/b.txt": "x" * 1000})
    for _ in range(25):
        at = int.from_bytes(os.urandom(2)) % len(whole)
        damaged = whole[:at] + os.urandom(3) + whole[at + 3 :]
        assert (await send(ann, ("m.zip", damaged))).status_code in (202, 422, 429)
    assert platform.incoming() == []
