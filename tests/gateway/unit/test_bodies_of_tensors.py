"""Binary tensors pass through the gateway as they are, both ways; compressed bodies inflated."""

import gzip
from typing import Any

import pytest

from tests.support.gateway_harness import Harness
from tests.support.scripted_model import ScriptedModel, answering, http

ROW = b'{"input": [1, 2]}'
HEAD = b'{"inputs": []}'
OCTETS = "application/octet-stream"
ANSWER = b'{"outputs": []}'


def tensors(length: int) -> dict[str, str]:
    return {"Inference-Header-Content-Length": str(length)}


def binary(body: bytes, length: object, content_type: str = OCTETS) -> bytes:
    return http("200 OK", body, content_type, f"Inference-Header-Content-Length: {length}\r\n")


async def infer(serving: Harness, body: bytes, version: str = "", **headers: str) -> Any:
    path = f"/v2/models/iris{version}/infer"
    return await serving.http.post(path, content=body, headers={**serving.bearer, **headers})


@pytest.mark.parametrize("content_type", [None, OCTETS, "application/json", "Application/Octet-Stream; x=1"])
async def test_a_body_with_tensors_reaches_the_model_whole_with_the_length_of_its_json(
    serving: Harness, model: ScriptedModel, content_type: str | None
) -> None:
    model.script = answering(binary(ANSWER + b"\1\2", len(ANSWER)))
    given = {"Content-Type": content_type} if content_type else {}
    response = await infer(serving, HEAD + b"\0\xff", **tensors(len(HEAD)), **given)
    assert response.status_code == 200, response.text
    assert model.received[-1].body == HEAD + b"\0\xff"
    assert model.received[-1].headers["inference-header-content-length"] == str(len(HEAD))
    assert response.content == ANSWER + b"\1\2"
    assert response.headers["content-type"] == OCTETS
    assert response.headers["inference-header-content-length"] == str(len(ANSWER))


async def test_a_compressed_body_reaches_the_model_inflated(serving: Harness, model: ScriptedModel) -> None:
    sent = gzip.compress(HEAD + b"\0" * 100)
    await infer(serving, sent, **tensors(len(HEAD)), **{"Content-Encoding": "gzip"})
    assert model.received[-1].body == HEAD + b"\0" * 100
    assert "content-encoding" not in model.received[-1].headers


async def test_a_body_that_is_json_as_a_whole_is_passed_on_as_that(
    serving: Harness, model: ScriptedModel
) -> None:
    for given in ({}, {"Content-Type": OCTETS}, tensors(len(HEAD))):
        response = await infer(serving, HEAD, **given)
        assert response.headers["content-type"] == "application/json"
        assert "inference-header-content-length" not in model.received[-1].headers


@pytest.mark.parametrize("version", ["/versions/1", "/versions/v1"])
async def test_versions_are_counted_as_triton_does_too(serving: Harness, version: str) -> None:
    assert (await infer(serving, HEAD, version)).headers["x-modelport-version"] == "v1"


async def test_the_server_lists_the_extension_for_binary_tensors(serving: Harness) -> None:
    assert (await serving.http.get("/v2")).json()["extensions"] == ["binary_tensor_data"]


@pytest.mark.parametrize("length", ["0", "-1", "", "15", "9" * 400, "1e1", "٣"])
async def test_a_length_that_the_body_does_not_have_is_400(
    serving: Harness, model: ScriptedModel, length: str
) -> None:
    headers = {"Inference-Header-Content-Length": length.encode()}
    response = await serving.http.post(
        "/v2/models/iris/infer", content=HEAD, headers={**serving.bearer, **headers}
    )
    assert response.status_code == 400
    assert not model.received


@pytest.mark.parametrize(
    "said",
    [
        binary(ANSWER, 99),
        binary(ANSWER, 0),
        binary(ANSWER, "no"),
        binary(b"[]" + b"\0", 2),
        binary(b"{x}" + b"\0", 3),
        binary(ANSWER, len(ANSWER), "text/html"),
        http("200 OK", ANSWER, OCTETS),
        http("422 No", ANSWER, OCTETS, "Inference-Header-Content-Length: 15\r\n"),
    ],
)
async def test_a_response_without_json_where_it_says_so_is_502(
    serving: Harness, model: ScriptedModel, said: bytes
) -> None:
    model.script = answering(said)
    response = await infer(serving, HEAD)
    assert response.status_code == 502
    assert response.json()["error"] == response.json()["detail"]


async def test_the_native_route_never_returns_tensors(serving: Harness, model: ScriptedModel) -> None:
    model.script = answering(binary(ANSWER + b"\1", len(ANSWER)))
    assert (await serving.predict(body=ROW)).status_code == 502


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v2/nothing"), ("GET", "/v2/models/none"), ("POST", "/v2/models/none/infer"), ("POST", "/v2")],
)
async def test_errors_below_v2_have_the_member_that_clients_read(
    serving: Harness, method: str, path: str
) -> None:
    response = await serving.http.request(method, path, headers=serving.bearer)
    assert response.headers["content-type"] == "application/json"
    assert response.json()["error"] == response.json()["detail"]
    asking = serving.bearer | {"Accept": "application/json;q=0.5, Application/Problem+JSON"}
    again = await serving.http.request(method, path, headers=asking)
    assert again.headers["content-type"] == "application/problem+json"
    assert "error" not in (await serving.http.get("/v2x", headers=serving.bearer)).json()


async def test_equal_rows_share_a_response_however_they_were_sent(
    serving: Harness, model: ScriptedModel
) -> None:
    await serving.predict(body=ROW)
    headers = {**serving.bearer, "Content-Encoding": "gzip"}
    again = await serving.http.post("/predict/iris", content=gzip.compress(ROW), headers=headers)
    assert (again.status_code, again.headers["x-cache"]) == (200, "hit")
    assert len(model.received) == 1


@pytest.mark.parametrize(
    ("asked", "size", "encoding"),
    [
        ("gzip", 2000, "gzip"),
        ("deflate", 2000, "deflate"),
        ("gzip", 100_000, "gzip"),
        ("gzip", 500, None),
        ("gzip, deflate, br", 2000, None),
        ("br", 2000, None),
    ],
)
async def test_a_response_is_compressed_for_who_takes_one_encoding_alone(
    serving: Harness, model: ScriptedModel, asked: str, size: int, encoding: str | None
) -> None:
    tensor = b"\1" * size
    model.script = answering(binary(ANSWER + tensor, len(ANSWER)))
    response = await infer(serving, HEAD, **{"Accept-Encoding": asked})
    assert response.headers.get("content-encoding") == encoding
    assert response.content == ANSWER + tensor
    assert response.headers["inference-header-content-length"] == str(len(ANSWER))
    assert (int(response.headers["content-length"]) < size) == (encoding is not None)
