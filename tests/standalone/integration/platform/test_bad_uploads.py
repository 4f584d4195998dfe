"""Twenty files that should not be served: each ends with its documented reason; nothing else is disturbed."""

import http.client
import json
import os
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from tests.support.models import iris, iris_logistic, save_joblib, save_lightgbm, save_onnx, save_skops
from tests.support.models import iris_lightgbm as lightgbm_model
from tests.support.platform_process import settled


class _Calls:
    """Pickles as a call: what a hostile file does when it is loaded."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._call = (function, arguments)

    def __reduce__(self) -> Any:
        return self._call


def _pickled(thing: Any) -> bytes:
    return pickle.dumps(thing)


def _good(folder: Path) -> bytes:
    return save_joblib(iris_logistic().model, folder).read_bytes()


def _renamed(folder: Path, before: bytes, after: bytes) -> bytes:
    """A good pickle whose class is called otherwise: as if saved with a class that is not here."""
    data = _pickled(iris_logistic().model)
    assert before in data
    assert len(before) == len(after)
    return data.replace(before, after)


def _memory_bomb() -> bytes:
    return _pickled(_Calls(np.ones, (1 << 20, 1 << 12)))


# Name -> (bytes of the file, form fields, the reasons it may end with).
Case = tuple[Callable[[Path], bytes], dict[str, str], set[str]]
BAD_UPLOADS: dict[str, Case] = {
    "an empty file": (lambda _: b"", {}, {"CorruptArtifact"}),
    "a text file": (lambda _: b"hello, this is no model", {}, {"UnsupportedFormat"}),
    "a CSV file": (lambda _: b"a,b\n1,2\n", {}, {"UnsupportedFormat"}),
    "a PNG image": (lambda _: b"\x89PNG\r\n\x1a\n" + bytes(99), {}, {"UnsupportedFormat"}),
    "a cut joblib file": (lambda f: _good(f)[:-200], {}, {"CorruptArtifact", "LoadFailed"}),
    "a cut ONNX file": (
        lambda f: save_onnx(iris_logistic(), f).read_bytes()[:-90],
        {"model_type": "onnx"},
        {"CorruptArtifact", "UnsupportedFormat", "LoadFailed"},
    ),
    "a cut skops file": (
        lambda f: save_skops(iris_logistic().model, f).read_bytes()[:-50],
        {},
        {"CorruptArtifact", "UnsupportedFormat"},
    ),
    "a cut LightGBM file": (
        lambda f: save_lightgbm(lightgbm_model().model, f).read_bytes()[:900],
        {},
        {"CorruptArtifact", "LoadFailed"},
    ),
    "the wrong model_type": (_good, {"model_type": "onnx"}, {"FrameworkMismatch"}),
    "a dictionary": (lambda _: _pickled({"weights": [1, 2]}), {}, {"NotAModel"}),
    "an array": (lambda _: _pickled(np.eye(3)), {}, {"NotAModel"}),
    "an estimator that is not fitted": (lambda _: _pickled(LogisticRegression()), {}, {"NotAModel"}),
    "a class that is not here": (
        lambda f: _renamed(f, b"sklearn.pipeline", b"my_own_.pipeline"),
        {},
        {"MissingModule"},
    ),
    "a sample of the wrong width": (_good, {"sample": "[1, 2]"}, {"SampleInvalid"}),
    "a sample of text": (_good, {"sample": '["a", "b", "c", "d"]'}, {"SampleInvalid"}),
    "a file that exits": (lambda _: _pickled(_Calls(os._exit, 3)), {}, {"RuntimeCrashed"}),
    "a file that kills itself": (
        lambda _: _pickled(_Calls(os.kill, 0, 9)),
        {},
        {"RuntimeCrashed", "SandboxViolation"},
    ),
    "a file that takes all memory": (lambda _: _memory_bomb(), {}, {"OutOfMemory"}),
    "a file that reads secrets": (
        lambda _: _pickled(_Calls(open, "/etc/passwd")),
        {},
        {"SandboxViolation"},
    ),
    "a file that raises": (lambda _: _pickled(_Calls(int, "no number")), {}, {"LoadFailed"}),
}


@pytest.mark.parametrize("name", BAD_UPLOADS)
def test_a_bad_upload_ends_with_its_reason(name: str, account: httpx.Client, tmp_path: Path) -> None:
    make, fields, reasons = BAD_UPLOADS[name]
    response = account.post(
        "/api/v1/models/upload", files={"file": ("model", make(tmp_path))}, data={"name": name, **fields}
    )
    answer = response.json()
    if response.status_code == 202:
        answer = settled(account, f"/api/v1/models/{answer['id']}")
        assert answer["status"] == "failed", answer
    else:
        assert response.status_code == 422, answer
    assert answer["reason"] in reasons, answer
    assert answer.get("message") or answer["detail"]


def test_a_file_that_hangs_ends_with_the_time_limit(new_platform: Callable[..., Any]) -> None:
    platform = new_platform(MODELPORT_LOAD_TIMEOUT_SECONDS="4").start()
    with platform.register_user() as account:
        file = _pickled(_Calls(time.sleep, 3600))
        response = account.post("/api/v1/models/upload", files={"file": file}, data={"name": "hangs"})
        model = settled(account, f"/api/v1/models/{response.json()['id']}")
    assert (model["status"], model["reason"]) == ("failed", "LoadTimeout")


def test_a_good_model_is_served_after_all_of_them(account: httpx.Client, serve: Any) -> None:
    trained = iris_logistic()
    model = serve(trained.model)
    data = iris()[0][::10]
    response = account.post(f"/predict/{model['id']}", json={"inputs": data.tolist()})
    assert response.json()["predictions"] == trained.model.predict(data).tolist()


def test_a_file_over_the_limit_is_refused_before_it_is_sent(account: httpx.Client) -> None:
    connection = http.client.HTTPConnection(account.base_url.host, account.base_url.port or 80, timeout=20)
    connection.putrequest("POST", "/api/v1/models/upload")
    connection.putheader("Authorization", account.headers["Authorization"])
    connection.putheader("Content-Type", "multipart/form-data; boundary=b")
    connection.putheader("Content-Length", str(200 * 1024**2))
    connection.endheaders()
    response = connection.getresponse()
    assert response.status == 413
    assert json.loads(response.read())["reason"] == "TooLarge"
