"""Every call of the platform, for everybody who may not use it. The table must name every call."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import pytest
from modelport_control_api.accounts.sessions import access_tokens
from modelport_control_api.accounts.sessions.access_tokens import AccessClaims
from modelport_control_api.db.session import Database
from modelport_control_api.history.tables import KeptPrediction
from modelport_control_api.registry.tables import ExperimentRow, RolloutRow
from modelport_control_api.signing_keys import rotation
from modelport_control_api.signing_keys.ring import KeyRing

from tests.control_api.integration.api.conftest import upload_iris
from tests.support.platform_process import PlatformProcess

ALL_SCOPES = ["predict", "models:read", "models:write", "analytics:read"]
MODEL, VERSION = "/api/v1/models/{model_id}", "/api/v1/models/{model_id}/versions/{version}"
ROLLOUT = f"{MODEL}/rollouts/{{number}}"
EXPERIMENT = f"{MODEL}/experiments/{{number}}"
KEY = "/api/v1/api-keys/{key_id}"
USER = "/api/v1/admin/users/{user_id}"
JOB = "/api/v1/jobs/{job_id}"
BATCH = "/api/v1/predict/{model_id}/batch"
BATCH_OF_VERSION = "/api/v1/predict/{model_id}/versions/{version}/batch"
KEPT = "/api/v1/predictions"
WEBHOOK = "/api/v1/webhooks/{webhook_id}"
# Kind of call → the calls. OPEN ones say nothing about anybody, or carry a credential of their own.
TABLE: dict[str, set[str]] = {
    "open": {
        *(
            f"POST /api/v1/auth/{call}"
            for call in ("register", "login", "token", "refresh", "logout", "password")
        ),
        *(f"GET {path}" for path in ("/healthz", "/readyz", "/metrics", "/.well-known/jwks.json")),
        *(f"GET {path}" for path in ("/v2", "/v2/health/live", "/v2/health/ready")),
    },
    "account": {"GET /api/v1/auth/me"},
    "session": {
        "PATCH /api/v1/auth/me",
        "POST /api/v1/auth/me/delete",
        "GET /api/v1/api-keys",
        "POST /api/v1/api-keys",
        "GET /api/v1/audit",
    },
    "admin": {
        "GET /api/v1/admin/health",
        "GET /api/v1/admin/users",
        *(f"{method} {USER}" for method in ("GET", "PATCH", "DELETE")),
        f"POST {USER}/password-link",
        f"POST {USER}/transfer",
        "GET /api/v1/admin/invites",
        "POST /api/v1/admin/invites",
        "DELETE /api/v1/admin/invites/{invite_id}",
    },
    "count": {"GET /api/v1/analytics/overview"},
    "count of one": {"GET /api/v1/analytics/models/{model_id}"},
    "one key": {f"DELETE {KEY}", f"POST {KEY}/rotate"},
    "list": {"GET /api/v1/models", "GET /api/v1/events", "GET /api/v1/webhooks"},
    "change of one's own": {"POST /api/v1/events/read"},
    "new webhook": {"POST /api/v1/webhooks"},
    "webhook": {f"GET {WEBHOOK}", f"GET {WEBHOOK}/deliveries"},
    "change of a webhook": {f"PATCH {WEBHOOK}", f"POST {WEBHOOK}/rotate", f"POST {WEBHOOK}/test"},
    "webhook removal": {f"DELETE {WEBHOOK}"},
    "upload": {"POST /api/v1/models/upload"},
    "read": {
        f"GET {MODEL}",
        *(f"GET {VERSION}{what}" for what in ("", "/logs", "/artifact", "/sbom", "/drift", "/reference")),
        f"GET {VERSION}/importance",
        f"GET {MODEL}/rollouts",
        f"GET {ROLLOUT}",
        f"GET {MODEL}/experiments",
        f"GET {EXPERIMENT}",
    },
    "write": {
        *(f"{method} {MODEL}" for method in ("PATCH", "DELETE")),
        f"POST {MODEL}/versions",
        f"POST {VERSION}/retry",
        f"DELETE {VERSION}",
        f"PUT {VERSION}/reference",
        f"DELETE {VERSION}/reference",
        *(f"{method} {VERSION}/calibration" for method in ("PUT", "DELETE")),
        f"POST {VERSION}/importance",
        f"PUT {MODEL}/traffic",
        f"POST {MODEL}/rollback",
        f"POST {MODEL}/redeploy",
        f"POST {MODEL}/rollouts",
        f"POST {ROLLOUT}/{{step}}",
        f"POST {MODEL}/experiments",
        f"POST {EXPERIMENT}/promote",
        f"POST {EXPERIMENT}/stop",
    },
    "look at kept": {
        f"GET {KEPT}",
        f"GET {KEPT}/export",
        f"GET {KEPT}/{{prediction_id}}",
        f"GET {MODEL}/quality",
    },
    "forget kept": {f"DELETE {KEPT}", f"DELETE {KEPT}/{{prediction_id}}", f"DELETE {MODEL}/feedback"},
    "tell": {f"POST {MODEL}/feedback"},
    "jobs": {"GET /api/v1/jobs"},
    "job": {f"GET {JOB}", f"GET {JOB}/results", f"POST {JOB}/retry"},
    "job removal": {f"DELETE {JOB}"},
    "job submission": {f"POST {BATCH}", f"POST {BATCH_OF_VERSION}"},
    "predict": {
        f"{method} {base}{pinned}{call}"
        for method, base, calls in (
            ("POST", "/predict/{model_id}", ("",)),
            ("POST", "/api/v1/predict/{model_id}", ("",)),
            ("GET", "/v2/models/{model_id}", ("", "/config", "/ready")),
            ("POST", "/v2/models/{model_id}", ("/infer",)),
        )
        for pinned in ("", "/versions/{version}")
        for call in calls
    },
}
PROTECTED = TABLE.keys() - {"open"}
# A job that was removed cannot be tried again.
IN_ORDER = sorted(PROTECTED, key=lambda kind: (kind in ("job removal", "webhook removal"), kind))
OF_WEBHOOKS = {"webhook", "change of a webhook", "webhook removal"}
ABOUT_JOBS = {"jobs", "job", "job removal", "job submission"}
BODIES: dict[str, Any] = {
    "PATCH /api/v1/auth/me": {"full_name": "Eve"},
    "POST /api/v1/api-keys": {"name": "stolen", "scopes": ALL_SCOPES},
    f"POST {KEY}/rotate": {},
    # Refused for its password, whoever sends it: an account must be there for the next call.
    "POST /api/v1/auth/me/delete": {"current_password": "not it", "delete_models": True},
    f"PATCH {USER}": {"max_models": 1_000_000, "is_admin": True, "disabled": True},
    f"POST {USER}/password-link": {"hours": 168},
    f"POST {USER}/transfer": {"to": "eve@example.com"},
    "POST /api/v1/admin/invites": {"days": 90},
    f"PATCH {MODEL}": {"access": "public"},
    f"PUT {MODEL}/traffic": {"v1": 100},
    f"POST {VERSION}/retry": {},
    f"POST {MODEL}/rollouts": {"version": "v1"},
    "POST /api/v1/events/read": {},
    f"POST {MODEL}/feedback": {"items": [{"request_id": "r", "label": 1}]},
    "POST /api/v1/webhooks": {"url": "https://eve.example.com/"},
    f"PATCH {WEBHOOK}": {"url": "https://eve.example.com/"},
    f"POST {MODEL}/experiments": {"arms": {"v1": 50, "v2": 50}, "goal": {"metric": "reward"}},
    f"POST {EXPERIMENT}/promote": {},
}
QUERIES: dict[str, str] = dict.fromkeys(
    (f"GET {KEPT}", f"GET {KEPT}/export", f"DELETE {KEPT}"), "?model_id={model_id}"
)
HOOK = {"url": "https://ann.example.com/"}
ROW = {"input": [5.1, 3.5, 1.4, 0.2]}
ROWS = {"inputs": [[5.1, 3.5, 1.4, 0.2]]}
BODIES |= dict.fromkeys((f"POST {BATCH}", f"POST {BATCH_OF_VERSION}"), ROWS)


@dataclass(frozen=True)
class Scene:
    """Ann's model and key, and those who try to use them."""

    platform: PlatformProcess
    anybody: httpx.Client
    ann: httpx.Client
    bob: httpx.Client
    model_id: str
    key_id: str
    prediction_id: str
    job_id: str
    webhook_id: str

    def send(self, call: str, headers: dict[str, str]) -> httpx.Response:
        method, path = f"{call}{QUERIES.get(call, '')}".split(" ")
        real = {
            "{model_id}": self.model_id,
            "{version}": "v1",
            "{number}": "1",
            "{step}": "promote",
            "{key_id}": self.key_id,
            "{prediction_id}": self.prediction_id,
            "{job_id}": self.job_id,
            "{webhook_id}": self.webhook_id,
        }
        for name, id_ in real.items():
            path = path.replace(name, id_)
        body = None if method in ("GET", "DELETE") else BODIES.get(call, ROW)
        # Who is asked keeps no cookie of one caller for the next.
        self.anybody.cookies.clear()
        return self.anybody.request(method, path, headers=headers, json=body)

    def key(self, **body: Any) -> dict[str, str]:
        made = self.ann.post("/api/v1/api-keys", json={"name": "test", "scopes": ALL_SCOPES, **body})
        return {"X-API-Key": made.raise_for_status().json()["key"]}


@pytest.fixture(scope="module")
def scene(
    platform: PlatformProcess, nobody: httpx.Client, ann: httpx.Client, bob: httpx.Client, iris_id: str
) -> Scene:
    key = ann.post("/api/v1/api-keys", json={"name": "target"}).raise_for_status().json()
    reference = "a,b,c,d\n" + "5.1,3.5,1.4,0.2\n" * 30
    ann.put(f"/api/v1/models/{iris_id}/versions/v1/reference", content=reference).raise_for_status()
    job = ann.post(f"/api/v1/predict/{iris_id}/batch", json=ROWS).raise_for_status().json()
    kept = kept_prediction(platform, iris_id)
    hook = ann.post("/api/v1/webhooks", json=HOOK).raise_for_status().json()
    return Scene(platform, nobody, ann, bob, iris_id, key["id"], kept, job["id"], hook["id"])


def kept_prediction(platform: PlatformProcess, model_id: str) -> str:
    """Written beside the platform, as a rollout and an experiment: the model is shared, its history off."""
    kept = KeptPrediction(
        model_id=model_id, version="v1", created_at=datetime.now(UTC), caller_id="", api_key_id="",
        request_id="r", status=200, reason="", cache="miss", seconds=0.1, request="{}", request_bytes=2,
        answer="{}", truncated=False,
    )  # fmt: skip
    database = Database(f"sqlite:///{platform.data}/modelport.db")
    with database.transaction() as session:
        session.add(kept)
        session.add(
            RolloutRow(
                model_id=model_id,
                number=1,
                version="v2",
                baseline="v1",
                strategy={},
                created_by="",
                ended_at=datetime.now(UTC),
            )
        )
        session.add(
            ExperimentRow(
                model_id=model_id,
                number=1,
                arms={"v1": 50, "v2": 50},
                design={"goal": {"metric": "reward"}},
                before={},
                state="stopped",
                created_by="",
                ended_at=datetime.now(UTC),
            )
        )
    database.close()
    return kept.id


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def expired_token(scene: Scene) -> dict[str, str]:
    ring = KeyRing(scene.platform.data / "signing-keys", rotation.schedule(300, 1800))
    token = scene.ann.headers["Authorization"].removeprefix("Bearer ")
    said = jwt.decode(token, options={"verify_signature": False})
    return bearer(access_tokens.issue(ring, AccessClaims(said["sub"], said["sid"], said["admin"]), -60))


def revoked_key(scene: Scene) -> dict[str, str]:
    made = scene.ann.post("/api/v1/api-keys", json={"name": "gone", "scopes": ALL_SCOPES}).json()
    assert scene.ann.delete(f"/api/v1/api-keys/{made['id']}").status_code == 204
    return {"X-API-Key": made["key"]}


def expired_key(scene: Scene) -> dict[str, str]:
    # Long enough for it still to be in the future when the key is made.
    until = datetime.now(UTC) + timedelta(seconds=5)
    headers = scene.key(expires_at=until.isoformat())
    time.sleep(max(0.0, (until - datetime.now(UTC)).total_seconds()) + 0.01)
    return headers


def revoked_session(scene: Scene) -> dict[str, str]:
    """Of a new person, who has logged out."""
    credentials = {"email": f"gone-{time.time_ns()}@example.com", "password": "Sensible-Passphrase-7"}
    for call in ("register", "login"):
        answer = httpx.post(f"{scene.platform.url}/api/v1/auth/{call}", json=credentials, timeout=60)
    pair = answer.raise_for_status().json()
    body = {"refresh_token": pair["refresh_token"]}
    answer = httpx.post(f"{scene.platform.url}/api/v1/auth/logout", json=body, timeout=60)
    assert answer.status_code == 204
    return bearer(pair["access_token"])


def key_for_another_model(scene: Scene) -> dict[str, str]:
    return scene.key(model_ids=[upload_iris(scene.ann)["id"]])


def everywhere(status: int) -> dict[str, int]:
    return dict.fromkeys(PROTECTED, status)


Headers = Callable[[Scene], dict[str, str]]
# Caller → how to become one, and what each kind of call says; a kind that is left out lets the caller in.
CALLERS: dict[str, tuple[Headers, dict[str, int]]] = {
    "nobody": (lambda _: {}, everywhere(401)),
    "a token that is none": (lambda _: bearer("nonsense"), everywhere(401)),
    "an unknown key": (lambda _: {"X-API-Key": "mlp_live_" + "A" * 43}, everywhere(401)),
    "an expired token": (expired_token, everywhere(401)),
    "a revoked key": (revoked_key, everywhere(401)),
    "an expired key": (expired_key, everywhere(401)),
    # The gateway asks nobody about tokens: one that was good lives on there until it expires. Not Ann's: 404.
    "a revoked session": (revoked_session, everywhere(401) | {"predict": 404}),
    "another user": (
        lambda scene: dict(scene.bob.headers),
        dict.fromkeys(
            ("one key", "read", "write", "count of one", "look at kept", "forget kept", "tell", "predict"),
            404,
        )
        | dict.fromkeys(ABOUT_JOBS - {"jobs"} | OF_WEBHOOKS, 404)
        | {"admin": 403},
    ),
    "a key for analytics": (
        lambda scene: scene.key(scopes=["analytics:read"]),
        dict.fromkeys(PROTECTED - {"account", "count", "count of one", "look at kept"}, 403),
    ),
    "a key that may only predict": (
        lambda scene: scene.key(scopes=["predict"]),
        dict.fromkeys(PROTECTED - {"account", "predict", "tell", *ABOUT_JOBS}, 403),
    ),
    "a key that may only read": (
        lambda scene: scene.key(scopes=["models:read"]),
        dict.fromkeys(PROTECTED - {"account", "list", "read", "webhook"}, 403),
    ),
    "a key for another model": (
        key_for_another_model,
        dict.fromkeys(("session", "one key", "upload", "new webhook", "admin"), 403)
        | dict.fromkeys(
            ("read", "write", "count of one", "look at kept", "forget kept", "tell", "predict"), 404
        )
        | dict.fromkeys(ABOUT_JOBS - {"jobs"} | OF_WEBHOOKS, 404),
    ),
}


@pytest.mark.parametrize("caller", CALLERS)
def test_every_call_refuses_who_may_not_use_it(scene: Scene, caller: str) -> None:
    become, refusals = CALLERS[caller]
    headers = become(scene)
    wrong = {}
    for kind in IN_ORDER:
        for call in sorted(TABLE[kind]):
            answer = scene.send(call, headers)
            expected = refusals.get(kind)
            as_expected = answer.status_code == expected if expected else was_let_in(answer)
            if not as_expected or ("www-authenticate" in answer.headers) != (expected == 401):
                wrong[call] = (expected, answer.status_code, answer.text[:200])
    assert not wrong


def was_let_in(answer: httpx.Response) -> bool:
    return answer.status_code < 500 and answer.status_code not in (401, 403, 404)


def test_a_refused_caller_has_changed_nothing(scene: Scene) -> None:
    model = scene.ann.get(f"/api/v1/models/{scene.model_id}").json()
    assert (model["access"], model["traffic"], len(model["versions"])) == ("private", {"v1": 100}, 1)
    assert scene.ann.get("/api/v1/auth/me").json()["full_name"] != "Eve"
    keys = scene.ann.get("/api/v1/api-keys", params={"limit": 100}).json()["items"]
    assert scene.key_id in [key["id"] for key in keys]
    assert "stolen" not in [key["name"] for key in keys]
    assert scene.ann.get(f"/api/v1/webhooks/{scene.webhook_id}").json()["url"] == HOOK["url"]
    kept = scene.ann.get(KEPT, params={"model_id": scene.model_id}).json()["items"]
    assert scene.prediction_id in [each["id"] for each in kept]
    assert scene.ann.get(f"/api/v1/models/{scene.model_id}/versions/v1/reference").json()["rows"] == 30


def test_open_calls_require_no_credential(scene: Scene) -> None:
    for call in sorted(TABLE["open"]):
        answer = scene.send(call, {})
        assert answer.status_code in (200, 204, 401, 422), (call, answer.text)
        # A wrong password is refused; a missing credential is not what is wrong.
        assert answer.status_code != 401 or "needs a credential" not in answer.text


def test_the_table_names_every_call(scene: Scene) -> None:
    document = httpx.get(f"{scene.platform.url}/openapi.json", timeout=60).json()
    exist = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
    assert exist == set().union(*TABLE.values())
