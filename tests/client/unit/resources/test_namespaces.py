"""Calls by what they are about, and under the names of before."""

from inspect import signature
from pathlib import Path
from unittest.mock import create_autospec

import pytest
from modelport import Modelport
from modelport.resources import Models

from tests.client.unit.answers import key, model, version
from tests.client.unit.platform import Answer, Platform, problem

MODELS, KEYS = "GET /api/v1/models", "GET /api/v1/api-keys"
REFERENCE = "PUT /api/v1/models/iris/versions/v1/reference"


def test_lists_are_called_by_both_names_and_read_to_their_end(client: Modelport, platform: Platform) -> None:
    first, last = {"items": [model()], "next_cursor": "c 1"}, {"items": [model(id="b")], "next_cursor": None}
    platform.on(MODELS, Answer(200, first), Answer(200, last), Answer(200, first), Answer(200, last))
    assert [each.id for each in client.models.list()] == ["iris-7kq2p", "b"]
    assert [each.id for each in client.models()] == ["iris-7kq2p", "b"]
    assert [asked.path for asked in platform.asked[:2]] == ["/api/v1/models", "/api/v1/models?cursor=c+1"]


def test_one_model_is_got_with_the_address_of_its_platform(client: Modelport, platform: Platform) -> None:
    platform.on("GET /api/v1/models/iris", Answer(200, model(predict_url="/predict/iris")))
    assert client.models.get("iris").predict_url == f"{platform.url}/predict/iris"
    assert client.model("iris") == client.models.get("iris")
    assert [each.name for each in client.versions.list("iris")] == ["v1"]
    assert client.versions("iris") == client.versions.list("iris")


def test_names_of_before_belong_to_the_class_where_tests_replace_them() -> None:
    assert signature(Modelport.upload) == signature(Models.upload)
    with create_autospec(Modelport, instance=True) as replaced:
        replaced.upload("iris.joblib", "Iris")
        replaced.models.get("iris")


def test_keys_are_made_and_listed(client: Modelport, platform: Platform) -> None:
    platform.on("POST /api/v1/api-keys", Answer(201, key(key="mlp_live_secret")))
    platform.on(KEYS, Answer(200, {"items": [key()]}))
    assert client.keys.create("ci", scopes=["predict"]).key == "mlp_live_secret"
    assert client.keys.list() == client.keys()


def test_a_reference_is_sent_whole_each_time(client: Modelport, platform: Platform, tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_bytes(b"a,b\n" + b"1,2\n" * 100_000)
    platform.on(REFERENCE, problem(503, "Later.", headers={"Retry-After": "1"}), Answer(204))
    client.versions.put_reference("iris", "v1", rows)
    assert [asked.body for asked in platform.calls(REFERENCE)] == [rows.read_bytes()] * 2


def test_a_version_is_waited_for(client: Modelport, platform: Platform, pauses: list[float]) -> None:
    path = "GET /api/v1/models/iris/versions/v2"
    seen: list[str] = []
    platform.on(
        path,
        Answer(200, version("v2", "pending")),
        Answer(200, version("v2", "pending")),
        Answer(200, version("v2")),
    )
    ready = client.versions.wait("iris", "v2", on_status=lambda found: seen.append(found.status))
    assert (ready.status, seen, pauses) == ("ready", ["pending", "pending", "ready"], [pytest.approx(0.3)])
