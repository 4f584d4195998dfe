"""/openapi.json holds the whole platform's calls, in a form that every reader of it resolves."""

import json
import re
from pathlib import Path

import httpx
from modelport_control_api.process.app import ControlPlane

from tests.support.control_api import build_control_plane


def test_every_reference_points_into_the_components(control_plane: ControlPlane) -> None:
    document = control_plane.public.openapi()
    references = set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(document)))
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert "#/components/schemas/Problem" in references
    assert references <= known


def test_the_calls_are_in_the_order_in_which_somebody_new_needs_them(control_plane: ControlPlane) -> None:
    document = control_plane.public.openapi()
    described = [tag["name"] for tag in document["tags"]]
    used = {tag for calls in document["paths"].values() for call in calls.values() for tag in call["tags"]}
    assert set(described) == used
    assert described.index("models") < described.index("predictions") < described.index("platform")


def test_a_prediction_is_documented_with_examples_and_needs_no_credential_of_one_kind(
    control_plane: ControlPlane,
) -> None:
    call = control_plane.public.openapi()["paths"]["/predict/{model_id}"]["post"]
    examples = call["requestBody"]["content"]["application/json"]["examples"].values()
    assert {"input", "inputs"} <= {name for example in examples for name in example["value"]}
    assert call["security"] == [{"Bearer": []}, {"ApiKey": []}, {}]
    assert {"401", "403", "404", "422", "429", "503"} <= call["responses"].keys()


async def test_anybody_may_read_what_an_upload_takes(api: httpx.AsyncClient) -> None:
    paths = (await api.get("/openapi.json")).json()["paths"]
    for path in ("/api/v1/models/upload", "/api/v1/models/{model_id}/versions"):
        form = paths[path]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
        assert form["properties"]["file"]["maxLength"] == 100_000_000
        assert form["properties"]["environment"]["x-chosen-by-file"] is False


def test_where_a_file_decides_its_environment_is_said(sqlite_url: str, tmp_path: Path) -> None:
    document = build_control_plane(sqlite_url, tmp_path, choose_environments=True).public.openapi()
    upload = document["paths"]["/api/v1/models/upload"]["post"]["requestBody"]
    fields = upload["content"]["multipart/form-data"]["schema"]["properties"]
    assert fields["environment"]["x-chosen-by-file"] is True


def test_ids_of_operations_are_unique(control_plane: ControlPlane) -> None:
    paths = control_plane.public.openapi()["paths"]
    ids = [call["operationId"] for calls in paths.values() for call in calls.values()]
    assert len(ids) == len(set(ids))
