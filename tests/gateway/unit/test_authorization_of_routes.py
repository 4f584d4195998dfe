"""Every route of a model, for everybody who may and may not use it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.gateway_harness import KEY, FakeControlApi, Harness
from tests.support.scripted_model import ScriptedModel

ROUTES = [
    ("POST", "/predict/iris"),
    ("POST", "/predict/iris/versions/v1"),
    ("POST", "/api/v1/predict/iris"),
    ("POST", "/api/v1/predict/iris/versions/v1"),
    ("GET", "/v2/models/iris"),
    ("GET", "/v2/models/iris/versions/v1"),
    ("GET", "/v2/models/iris/config"),
    ("GET", "/v2/models/iris/ready"),
    ("POST", "/v2/models/iris/infer"),
    ("POST", "/v2/models/iris/versions/v1/infer"),
]
Headers = dict[str, str]


def bearer(credential: str) -> Headers:
    return {"Authorization": f"Bearer {credential}"}


def tampered(control: FakeControlApi) -> Headers:
    head, _, signature = control.token().split(".")
    other_claims = control.token(sub="somebody-else").split(".")[1]
    return bearer(f"{head}.{other_claims}.{signature}")


def signed_with_public_key_as_secret(control: FakeControlApi) -> Headers:
    public = control.signing["kid-1"].public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return bearer(control.token(key=public, algorithm="HS256"))


def revoked_key(control: FakeControlApi) -> Headers:
    control.issue_key()
    control.revoke()
    return {"X-API-Key": KEY}


def expired_key(control: FakeControlApi) -> Headers:
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    return {"X-API-Key": control.issue_key(expires_at=past)}


CALLERS: dict[str, tuple[Callable[[FakeControlApi], Headers], int]] = {
    "nobody": (lambda control: {}, 401),
    "the owner": (lambda control: bearer(control.token()), 200),
    "another user": (lambda control: bearer(control.token(sub="somebody-else")), 404),
    "an admin": (lambda control: bearer(control.token(sub="somebody-else", admin=True)), 200),
    "one whose admin claim is a text": (lambda control: bearer(control.token(sub="x", admin="yes")), 404),
    "an expired token": (lambda control: bearer(control.token(exp=int(time.time()) - 60)), 401),
    "a token not yet issued": (lambda control: bearer(control.token(iat=int(time.time()) + 600)), 401),
    "a tampered token": (tampered, 401),
    "an unsigned token": (lambda control: bearer(control.token(key="", algorithm="none")), 401),
    "HS256 with the public key": (signed_with_public_key_as_secret, 401),
    "another's signature": (lambda control: bearer(control.token(key=Ed25519PrivateKey.generate())), 401),
    "an unknown signing key": (
        lambda control: bearer(control.token(kid="kid-9", key=Ed25519PrivateKey.generate())),
        401,
    ),
    "another audience": (lambda control: bearer(control.token(aud="else")), 401),
    "another issuer": (lambda control: bearer(control.token(iss="else")), 401),
    "no token at all": (lambda control: bearer("nonsense"), 401),
    "another scheme": (lambda control: {"Authorization": "Basic dXNlcjpwYXNz"}, 401),
    "an empty key": (lambda control: {"X-API-Key": ""}, 401),
    "two credentials": (lambda control: {**bearer(control.token()), "X-API-Key": control.issue_key()}, 401),
    "the owner's key": (lambda control: {"X-API-Key": control.issue_key()}, 200),
    "the owner's key as bearer": (lambda control: bearer(control.issue_key()), 200),
    "the same key twice": (lambda control: {**bearer(control.issue_key()), "X-API-Key": KEY}, 200),
    "another user's key": (lambda control: {"X-API-Key": control.issue_key(user_id="somebody-else")}, 404),
    "an unknown key": (lambda control: {"X-API-Key": KEY}, 401),
    "a malformed key": (lambda control: {"X-API-Key": "mlp_live_short"}, 401),
    "a revoked key": (revoked_key, 401),
    "an expired key": (expired_key, 401),
    "a key of another scope": (lambda control: {"X-API-Key": control.issue_key(scopes=["models:read"])}, 403),
    "a key for this model": (lambda control: {"X-API-Key": control.issue_key(model_ids=["iris"])}, 200),
    "a key for another model": (lambda control: {"X-API-Key": control.issue_key(model_ids=["wine"])}, 404),
}


@pytest.mark.parametrize("caller", CALLERS)
async def test_a_private_model_responds_to_authorized_callers_only(
    serving: Harness, caller: str, model: ScriptedModel
) -> None:
    make_headers, expected = CALLERS[caller]
    headers = make_headers(serving.control)
    for method, path in ROUTES:
        body = {"input": {"a": 1}} if method == "POST" else None
        response = await serving.http.request(method, path, json=body, headers=headers)
        assert response.status_code == expected, (path, response.text)
        assert ("www-authenticate" in response.headers) == (expected == 401)
    assert bool(model.received) == (expected == 200)


async def test_not_yours_and_not_there_look_the_same(serving: Harness) -> None:
    outsider = bearer(serving.control.token(sub="somebody-else"))
    responses = [await serving.predict(name, headers=outsider) for name in ("iris", "nothing-here")]
    bodies = [{**response.json(), "request_id": ""} for response in responses]
    assert bodies[0] == bodies[1]
    assert responses[0].status_code == 404
    assert responses[0].headers.keys() == responses[1].headers.keys()
    anonymous = [await serving.predict(name, headers={}) for name in ("iris", "nothing-here")]
    assert [response.status_code for response in anonymous] == [401, 401]


@pytest.mark.parametrize(
    ("access", "caller", "expected"),
    [
        ("authenticated", "another user", 200),
        ("authenticated", "nobody", 401),
        ("authenticated", "a key for another model", 404),
        ("authenticated", "a key of another scope", 403),
        ("public", "nobody", 200),
        ("public", "another user", 200),
        ("public", "an expired token", 401),
        ("public", "an unknown key", 401),
    ],
)
async def test_access_widens_who_may(
    harness: Harness, model: ScriptedModel, access: str, caller: str, expected: int
) -> None:
    harness.serve("iris", model.address, access=access)
    await harness.settle()
    response = await harness.predict(headers=CALLERS[caller][0](harness.control))
    assert response.status_code == expected


async def test_only_a_keys_hash_leaves_the_gateway(serving: Harness) -> None:
    key = serving.control.issue_key()
    assert (await serving.predict(headers={"X-API-Key": key})).status_code == 200
    assert len(serving.control.asked) == 1
    assert key.encode() not in serving.control.asked[0]


async def test_a_model_sees_nothing_of_the_caller(serving: Harness, model: ScriptedModel) -> None:
    secret = {**serving.bearer, "Cookie": "a=b", "X-Forwarded-For": "192.0.2.1", "X-Request-ID": "req-1"}
    await serving.predict(headers=secret)
    assert model.received[0].headers.keys() == {
        "host",
        "content-type",
        "content-length",
        "x-request-id",
        "accept",
    }
    assert model.received[0].headers["x-request-id"] == "req-1"
