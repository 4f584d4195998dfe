"""What the control API takes for a JSON body, and what it says of others."""

import httpx
import pytest

from tests.support.control_api import Person

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe",
        b'{"name": "half a pair \\ud800"}',
        b'{"\\udfff": 1}',
        b'{"name": NaN}',
        b'{"name": 1e999}',
        b"[" * 50_000,
    ],
    ids=lambda body: repr(body[:30]),
)
async def test_a_body_that_is_no_json_or_cannot_be_stored_is_refused(
    api: httpx.AsyncClient, ada: Person, body: bytes
) -> None:
    response = await api.post("/api/v1/api-keys", headers={**ada.bearer, **JSON}, content=body)
    assert response.status_code == 400, response.text
    assert "JSON" in response.json()["detail"]


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/plain"}], ids=str)
async def test_a_body_of_another_type_is_refused(api: httpx.AsyncClient, headers: dict[str, str]) -> None:
    body = b'{"email": "a@example.com", "password": "x"}'
    response = await api.post("/api/v1/auth/login", headers=headers, content=body)
    assert response.status_code == 415
    assert "application/json" in response.json()["detail"]


async def test_a_field_in_a_list_is_named_by_its_place(api: httpx.AsyncClient, ada: Person) -> None:
    body = {"name": "ci", "scopes": ["predict", "everything"]}
    response = await api.post("/api/v1/api-keys", headers=ada.bearer, json=body)
    assert [error["field"] for error in response.json()["errors"]] == ["scopes[1]"]


async def test_responses_with_secrets_are_stored_by_no_cache(api: httpx.AsyncClient, ada: Person) -> None:
    made = await api.post("/api/v1/api-keys", headers=ada.bearer, json={"name": "ci"})
    refreshed = await api.post("/api/v1/auth/refresh", json={"refresh_token": ada.refresh_token})
    assert [made.status_code, refreshed.status_code] == [201, 200]
    assert {response.headers["Cache-Control"] for response in (made, refreshed)} == {"no-store"}
