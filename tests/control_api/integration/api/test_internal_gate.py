"""The internal port, which the pods of models reach too: what only the platform's own parts may ask there."""

from pathlib import Path

import httpx
import pytest
from modelport_control_api.process.app import ControlPlane
from modelport_process import internal_key

from tests.support.control_api import INTERNAL_KEY, build_control_plane, client_of, register, serving

GUARDED = {
    ("POST", "/internal/v1/usage"),
    ("POST", "/internal/v1/samples"),
    ("GET", "/internal/v1/drift/references"),
    ("GET", "/internal/v1/drift/bins/{reference}"),
    ("GET", "/internal/v1/drift/metrics"),
    ("GET", "/internal/v1/quality/metrics"),
    ("GET", "/internal/v1/rollouts/evidence"),
    ("GET", "/internal/v1/rollouts/rows"),
    ("GET", "/internal/v1/batch/endpoints"),
    # With what is made of the key for one lock: `tests/control_api/unit/models/test_bundles.py`.
    ("GET", "/internal/v1/bundles/{lock_sha256}"),
    ("PUT", "/internal/v1/bundles/{lock_sha256}"),
}
# Init containers have no key, and a query about an API key must know its digest.
OPEN = {("POST", "/internal/v1/introspect"), ("GET", "/internal/v1/artifacts/{sha256}")}


def test_every_internal_route_is_guarded_or_open_on_purpose(plane: ControlPlane) -> None:
    paths = plane.internal.openapi()["paths"]
    assert {
        (method.upper(), path)
        for path, methods in paths.items()
        for method in methods
        if path.startswith("/internal/")
    } == GUARDED | OPEN


@pytest.mark.parametrize(("method", "path"), sorted(GUARDED))
@pytest.mark.parametrize("given", [None, "Bearer ", "Bearer wrong", "cut", "user", "key", "revoked key"])
async def test_only_the_platform_may_call_the_internal_port(
    plane: ControlPlane, method: str, path: str, given: str | None
) -> None:
    async with client_of(plane.public) as api, client_of(plane.internal) as internal:
        headers = await _headers(api, given)
        response = await internal.request(method, path, headers=headers)
        assert response.status_code == 403
        assert "MODELPORT_INTERNAL_KEY" in response.json()["detail"]
        assert INTERNAL_KEY.get_secret_value() not in response.text
        assert (await api.request(method, path, headers=internal_key.show(INTERNAL_KEY))).status_code == 404


async def _headers(api: httpx.AsyncClient, given: str | None) -> dict[str, str]:
    match given:
        case None:
            return {}
        case "cut":
            return {"Authorization": f"Bearer {INTERNAL_KEY.get_secret_value()[:-1]}"}
        case "user":
            return (await register(api)).bearer
        case "key" | "revoked key":
            ada = await register(api)
            made = await ada.make_key()
            if given == "revoked key":
                gone = await api.delete(f"/api/v1/api-keys/{made['id']}", headers=ada.bearer)
                assert gone.is_success
            return {"Authorization": f"Bearer {made['key']}"}
    return {"Authorization": given}


@pytest.mark.parametrize(("method", "path"), sorted(GUARDED))
async def test_without_a_key_of_its_own_the_control_api_believes_nobody(
    sqlite_url: str, tmp_path: Path, method: str, path: str
) -> None:
    plane = build_control_plane(sqlite_url, tmp_path, internal_key=None)
    async with serving(plane), client_of(plane.internal) as internal:
        for shown in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer None"}):
            assert (await internal.request(method, path, headers=shown)).status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/internal/v1/usage", 422),
        ("POST", "/internal/v1/samples", 422),
        ("GET", "/internal/v1/drift/references", 200),
        ("GET", "/internal/v1/drift/bins/unknown", 404),
        ("GET", "/internal/v1/drift/metrics", 200),
        ("GET", "/internal/v1/quality/metrics", 200),
        ("GET", "/internal/v1/rollouts/evidence?model=m&rollout=1", 200),
        ("GET", "/internal/v1/rollouts/rows?model=m&limit=10", 200),
        ("GET", "/internal/v1/rollouts/rows?model=m&limit=0", 422),
        ("GET", "/internal/v1/batch/endpoints?model=m&version=v1", 503),
    ],
)
async def test_a_caller_with_the_internal_key_is_let_in(
    plane: ControlPlane, method: str, path: str, status: int
) -> None:
    async with client_of(plane.internal) as internal:
        response = await internal.request(method, path, headers=internal_key.show(INTERNAL_KEY))
        assert response.status_code == status
