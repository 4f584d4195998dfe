"""From an estimator in memory to a model that serves."""

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
from lightgbm import Booster as LightgbmBooster
from lightgbm import Dataset
from lightgbm import train as train_lightgbm
from modelport import Conflict, InvalidRequest, ModelFailed, Modelport, ModelportError
from sklearn.linear_model import LinearRegression
from xgboost import Booster as XgboostBooster
from xgboost import DMatrix
from xgboost import train as train_xgboost

from tests.client.unit.answers import model, version
from tests.client.unit.platform import Answer, Platform

MODELS, MODEL = "GET /api/v1/models", "GET /api/v1/models/iris-7kq2p"
UPLOAD, ADD = "POST /api/v1/models/upload", "POST /api/v1/models/iris-7kq2p/versions"
ROWS = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [0.5, 0.25, 0.125]})
FITTED = LinearRegression().fit(ROWS, [1, 2, 3])


def named(*found: dict[str, Any]) -> Answer:
    return Answer(200, {"items": [*found], "next_cursor": None})


@pytest.fixture
def free(platform: Platform) -> Platform:
    """Where no model has the name, and each upload serves at once."""
    platform.on(MODELS, named())
    platform.on(UPLOAD, Answer(202, model("pending")))
    platform.on(MODEL, Answer(200, model()))
    return platform


def part(body: bytes, name: str) -> bytes:
    return body.split(f'name="{name}"'.encode())[1].split(b"\r\n\r\n", 1)[1].split(b"\r\n--")[0]


def test_an_estimator_is_saved_sent_with_its_first_row_and_waited_for(
    client: Modelport, free: Platform
) -> None:
    found = client.deploy(FITTED, "Iris", ROWS, description="d", acceleration="off")
    assert (found.id, found.status) == ("iris-7kq2p", "ready")
    body = free.calls(UPLOAD)[0].body
    assert b'filename="model.joblib"' in body
    assert (part(body, "name"), part(body, "description"), part(body, "acceleration")) == (
        b"Iris",
        b"d",
        b"off",
    )
    assert part(body, "sample") == b'{"a": 1.0, "b": 0.5}'
    sent = joblib.load(io.BytesIO(part(body, "file")))
    assert sent.predict(ROWS).tolist() == pytest.approx([1, 2, 3])
    assert free.calls(MODELS)[0].path == "/api/v1/models?name=Iris"


def test_the_code_that_an_estimator_needs_goes_along(
    client: Modelport, free: Platform, tmp_path: Path
) -> None:
    code = tmp_path / "prep.py"
    code.write_text("class Half: pass\n")
    client.deploy(FITTED, "Iris", ROWS, code=code)
    client.models.upload(code, "Alone", code=code)
    for call in free.calls(UPLOAD):
        assert b'name="code"; filename="prep.py"' in call.body
        assert part(call.body, "code") == b"class Half: pass\n"
    with pytest.raises(ModelportError, match=r"gone\.py cannot be read"):
        client.deploy(FITTED, "Iris", ROWS, code=tmp_path / "gone.py")


def test_a_keras_model_is_saved_as_keras_does(client: Modelport, free: Platform) -> None:
    def save(model: object, path: Path) -> None:
        path.write_bytes(b"as Keras saves it")

    base = type("Sequential", (), {"__module__": "keras.src.models.sequential", "save": save})
    client.deploy(type("Mine", (base,), {})(), "Flowers", [[1.0, 0.5]])
    body = free.calls(UPLOAD)[0].body
    assert b'filename="model.keras"' in body
    assert part(body, "file") == b"as Keras saves it"


@pytest.mark.parametrize(
    ("rows", "sent"),
    [
        (np.array([[1.0, 0.5], [2.0, 0.25]]), b"[1.0, 0.5]"),
        ([[1.0, 0.5], [2.0, 0.25]], b"[1.0, 0.5]"),
        ([{"a": 1.0}], b'{"a": 1.0}'),
        ({"a": 1.0}, b'{"a": 1.0}'),
        ([1.0, 0.5], b"[1.0, 0.5]"),
        (pd.Series(["win", "lose"]), b'"win"'),
        (ROWS.iloc[0], b'{"a": 1.0, "b": 0.5}'),
        ("win", b'"win"'),
    ],
)
def test_the_first_of_rows_and_a_row_itself_are_samples(
    client: Modelport, free: Platform, rows: Any, sent: bytes
) -> None:
    client.deploy(FITTED, "Iris", rows)
    assert part(free.calls(UPLOAD)[0].body, "sample") == sent


def test_a_sample_is_not_needed_but_if_given_it_has_a_row(client: Modelport, free: Platform) -> None:
    client.deploy(FITTED, "Iris")
    assert b'name="sample"' not in free.calls(UPLOAD)[0].body
    with pytest.raises(ModelportError, match="no row"):
        client.deploy(FITTED, "Iris", ROWS.head(0))
    assert len(free.calls(UPLOAD)) == 1


def test_rows_of_the_training_are_the_reference(client: Modelport, free: Platform) -> None:
    client.deploy(FITTED, "Iris", reference=ROWS)
    assert part(free.calls(UPLOAD)[0].body, "reference").startswith(b"a,b\n1.0,0.5\n")


class Polars:
    """What is used of a frame that has no `to_csv`."""

    def write_csv(self, path: Path) -> None:
        path.write_text("a,b\n4.0,0.5\n")


def test_a_frame_of_polars_is_a_reference_and_an_array_is_refused(client: Modelport, free: Platform) -> None:
    client.deploy(FITTED, "Iris", reference=Polars())
    assert part(free.calls(UPLOAD)[0].body, "reference").startswith(b"a,b\n4.0,0.5\n")
    with pytest.raises(InvalidRequest, match="data frame with named columns"):
        client.deploy(FITTED, "Iris", reference=ROWS.to_numpy())


class Rows(pd.DataFrame):
    """A training set that is too large to be turned into rows."""

    def to_dict(self, *arguments: Any, **more: Any) -> Any:
        assert len(self) == 1
        return super().to_dict(*arguments, **more)

    @property
    def _constructor(self) -> Any:
        return Rows


def test_of_the_rows_only_the_first_is_read(client: Modelport, free: Platform) -> None:
    client.deploy(FITTED, "Iris", Rows(ROWS))
    assert part(free.calls(UPLOAD)[0].body, "sample") == b'{"a": 1.0, "b": 0.5}'


def test_skops_is_another_format(client: Modelport, free: Platform) -> None:
    client.deploy(FITTED, "Iris", file_format="skops")
    body = free.calls(UPLOAD)[0].body
    assert b'filename="model.skops"' in body
    assert skops.io.loads(part(body, "file")).coef_.tolist() == FITTED.coef_.tolist()


class Onnx:
    def SerializeToString(self) -> bytes:
        return b"\x08\x0a"


@pytest.mark.parametrize(
    ("make", "name", "read"),
    [
        (lambda: train_xgboost({}, DMatrix(ROWS, [1, 2, 3]), 1), b"model.ubj",
         lambda content: XgboostBooster(model_file=bytearray(content))),
        (lambda: train_lightgbm({"min_data": 1, "verbose": -1}, Dataset(ROWS, [1, 2, 3]), 1), b"model.txt",
         lambda content: LightgbmBooster(model_str=content.decode())),
        (Onnx, b"model.onnx", lambda content: content == b"\x08\x0a" or 1 / 0),
    ],
)  # fmt: skip
def test_what_has_a_format_of_its_own_is_sent_in_it(
    client: Modelport, free: Platform, make: Callable[[], Any], name: bytes, read: Callable[[bytes], Any]
) -> None:
    client.deploy(make(), "Iris")
    body = free.calls(UPLOAD)[0].body
    assert b'filename="' + name + b'"' in body
    assert read(part(body, "file"))


def test_what_cannot_be_saved_says_why_and_is_not_sent(client: Modelport, free: Platform) -> None:
    broken = LinearRegression()
    broken.transform = lambda rows: rows
    with pytest.raises(ModelportError, match=r"LinearRegression cannot be saved as model\.joblib.*lambda"):
        client.deploy(broken, "Iris")
    assert free.calls(UPLOAD) == []


@pytest.mark.parametrize("library", ["joblib", "skops"])
def test_a_library_that_is_not_there_is_named(
    client: Modelport, free: Platform, library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.setitem(sys.modules, f"{library}.io", None)
    with pytest.raises(ModelportError, match=rf"pip install 'modelport\[{library}\]'"):
        client.deploy(FITTED, "Iris", file_format=library)


def test_a_name_that_exists_is_said_before_anything_is_sent(client: Modelport, platform: Platform) -> None:
    platform.on(MODELS, named(model(name="Iris"), model("failed", id="b", name="Other")))
    with pytest.raises(Conflict, match=r"iris-7kq2p.*to='iris-7kq2p'"):
        client.deploy(FITTED, "Iris")
    assert platform.calls(UPLOAD) == []


def test_a_model_that_is_named_gets_its_next_version(client: Modelport, platform: Platform) -> None:
    platform.on(ADD, Answer(202, version("v2", "pending")))
    platform.on("GET /api/v1/models/iris-7kq2p/versions/v2", Answer(200, version("v2")))
    platform.on(MODEL, Answer(200, model()))
    assert client.deploy(FITTED, "Iris", ROWS, to="iris-7kq2p").id == "iris-7kq2p"
    assert platform.calls(MODELS) == []
    assert b'name="replaces"' not in platform.calls(ADD)[0].body


def test_a_model_of_the_name_that_never_served_is_replaced(client: Modelport, platform: Platform) -> None:
    dead = model("failed", name="Iris", versions=[version("v1", "failed"), version("v2", "failed")])
    platform.on(MODELS, named(dead))
    platform.on(ADD, Answer(202, version("v3", "pending")))
    platform.on("GET /api/v1/models/iris-7kq2p/versions/v3", Answer(200, version("v3")))
    platform.on(MODEL, Answer(200, model()))
    assert client.deploy(FITTED, "Iris").status == "ready"
    assert part(platform.calls(ADD)[0].body, "replaces") == b"v2"


def test_one_that_fails_raises_its_reason(client: Modelport, free: Platform) -> None:
    free.on(MODEL, Answer(200, model("failed", reason="SampleFailed", message="It raised.")))
    with pytest.raises(ModelFailed, match="SampleFailed") as error:
        client.deploy(FITTED, "Iris")
    assert error.value.help_url == f"{free.url}/help/reasons/#SampleFailed"
