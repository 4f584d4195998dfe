"""The SDK: one object for one platform."""

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import quote

import httpx

from modelport.credentials import Credentials
from modelport.drift import DriftCalls
from modelport.history import HistoryCalls
from modelport.jobs import JobCalls
from modelport.models import Acceleration, Access, ApiKey, Model, Prediction, User, Version
from modelport.rows import as_rows, to_body
from modelport.transport import RetryPolicy, Transport
from modelport.uploads import OnProgress, upload_form
from modelport.usage import UsageCalls
from modelport.waiting import wait_until_ready

DEFAULT_URL = "http://127.0.0.1:8000"


class Modelport(DriftCalls, HistoryCalls, JobCalls, UsageCalls):
    """`Modelport().predict("iris-7kq2p", {"petal_width": 0.2, …})`

    `url` defaults to MODELPORT_URL, then to this machine. `api_key`, which may be an access token, defaults
    to MODELPORT_API_KEY, then to what `modelport login` or `modelport up` kept for that URL.
    Every method raises `ModelportError`. Threads may share one object.
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        timeout_seconds: float = 60,
        retries: RetryPolicy | None = None,
    ) -> None:
        self._transport = Transport(
            url or os.environ.get("MODELPORT_URL") or DEFAULT_URL,
            api_key or os.environ.get("MODELPORT_API_KEY"),
            timeout_seconds=timeout_seconds,
            retries=retries or RetryPolicy(),
        )

    @property
    def url(self) -> str:
        return self._transport.url

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._transport.close()

    # Predictions

    def predict(
        self,
        model_id: str,
        row: Any,
        *,
        version: str | None = None,
        return_: Sequence[str] | None = None,
        session: str | None = None,
    ) -> Prediction:
        """Predict one row: an object by name, a list by position, or a text.

        `return_`: names in the version's `signature["outputs"]`, e.g. `["prediction", "probabilities"]`.
        `session`: requests of one session stay on one version.
        """
        response = self._predict(model_id, version, session, input=row, **_wanted(return_))
        return _prediction(response, response.json())

    def predict_many(
        self,
        model_id: str,
        rows: Any,
        *,
        version: str | None = None,
        return_: Sequence[str] | None = None,
        session: str | None = None,
    ) -> list[Prediction]:
        """Predict rows, in order: an iterable of what `predict` takes, an array, or a data frame."""
        response = self._predict(model_id, version, session, inputs=as_rows(rows), **_wanted(return_))
        answer = response.json()
        named = {name: values for name, values in answer.items() if name not in ("model", "version")}
        named["prediction"] = named.pop("predictions", [None] * len(next(iter(named.values()))))
        each = (dict(zip(named, values, strict=True)) for values in zip(*named.values(), strict=True))
        return [_prediction(response, {**answer, **one}) for one in each]

    def _predict(
        self, model_id: str, version: str | None, session: str | None, **body: Any
    ) -> httpx.Response:
        path = f"/predict/{_segment(model_id)}"
        headers = {"Content-Type": "application/json"}
        if session is not None:
            headers["X-Modelport-Session"] = session
        return self._transport.call(
            "POST",
            path if version is None else f"{path}/versions/{_segment(version)}",
            content=to_body(**body),
            headers=headers,
            repeatable=True,
        )

    # Models and versions

    def upload(
        self,
        path: str | Path,
        name: str,
        *,
        model_type: str | None = None,
        description: str | None = None,
        sample: Any = None,
        reference: str | Path | None = None,
        acceleration: Acceleration | None = None,
        on_progress: OnProgress | None = None,
    ) -> Model:
        """Upload a model file. It answers while the model still loads: `wait_for_model` waits for the end.

        `acceleration`: `"off"` has every request answered by the model itself. `reference`: a CSV file with
        a header, of the rows it was trained on; live inputs are compared with them (`drift`).
        """
        texts = {
            "name": name,
            "model_type": model_type,
            "description": description,
            "acceleration": acceleration,
        }
        with upload_form(path, on_progress=on_progress, sample=sample, reference=reference, **texts) as form:
            return self._model(self._transport.json("POST", "/api/v1/models/upload", **form))

    def models(self) -> list[Model]:
        """Your models, newest first."""
        return [self._model(each) for each in self._transport.pages("/api/v1/models")]

    def model(self, model_id: str, *, wait: float = 0) -> Model:
        """One model; with `wait`, once nothing is in progress any more, or after that many seconds (60 at
        most).
        """
        return self._model(self._transport.json("GET", _model_path(model_id), params=_hold(wait)))

    def wait_for_model(
        self, model_id: str, *, seconds: float = 300, on_status: Callable[[Model], None] | None = None
    ) -> Model:
        """Wait until it serves. Raises ModelFailed, with the reason, or NotReadyInTime."""
        return wait_until_ready(lambda hold: self.model(model_id, wait=hold), seconds, on_status)

    def update(
        self,
        model_id: str,
        *,
        name: str | None = None,
        description: str | None = None,
        access: Access | None = None,
        acceleration: Acceleration | None = None,
        history: Mapping[str, Any] | Literal["off"] | None = None,
    ) -> Model:
        """Change a model's settings; what is left out stays as it is.

        `history`: the share of requests to keep with their answers, `{"percent": 10}`, and if wanted
        `retention_days`, `redact_fields` and `max_row_bytes`; `"off"` keeps no more.
        """
        given = {"name": name, "description": description, "access": access, "acceleration": acceleration}
        body: dict[str, Any] = {field: value for field, value in given.items() if value is not None}
        if history is not None:
            body["history"] = None if history == "off" else dict(history)
        # Twice is as good as once: the same settings again change nothing.
        return self._model(self._transport.json("PATCH", _model_path(model_id), json=body, repeatable=True))

    def delete(self, model_id: str) -> None:
        """Stop serving it and remove its files."""
        self._transport.call("DELETE", _model_path(model_id))

    def versions(self, model_id: str) -> list[Version]:
        return list(self.model(model_id).versions)

    def version(self, model_id: str, version: str, *, wait: float = 0) -> Version:
        path = _model_path(model_id, "versions", version)
        return Version.from_json(self._transport.json("GET", path, params=_hold(wait)))

    def wait_for_version(
        self,
        model_id: str,
        version: str,
        *,
        seconds: float = 300,
        on_status: Callable[[Version], None] | None = None,
    ) -> Version:
        """Wait until it is ready. Raises ModelFailed, with the reason, or NotReadyInTime."""
        return wait_until_ready(lambda hold: self.version(model_id, version, wait=hold), seconds, on_status)

    def add_version(
        self,
        model_id: str,
        path: str | Path,
        *,
        model_type: str | None = None,
        sample: Any = None,
        reference: str | Path | None = None,
        move_traffic: bool = True,
        on_progress: OnProgress | None = None,
    ) -> Version:
        """Upload another version. Requests go to it once it is ready, unless `move_traffic` is false."""
        texts = {"model_type": model_type, "traffic": None if move_traffic else "0"}
        with upload_form(path, on_progress=on_progress, sample=sample, reference=reference, **texts) as form:
            answer = self._transport.json("POST", _model_path(model_id, "versions"), **form)
        return Version.from_json(answer)

    def delete_version(self, model_id: str, version: str) -> None:
        """Remove a version that gets no requests."""
        self._transport.call("DELETE", _model_path(model_id, "versions", version))

    def logs(self, model_id: str, version: str, *, tail: int = 200) -> str:
        """What the version's code printed, and its traces: the last `tail` lines of each replica."""
        path = _model_path(model_id, "versions", version, "logs")
        return self._transport.call("GET", path, params={"tail": tail}).text

    def traffic(self, model_id: str, weights: Mapping[str, int]) -> Model:
        """Share the requests: `{"v1": 90, "v2": 10}`, percent of ready versions."""
        answer = self._transport.json("PUT", _model_path(model_id, "traffic"), json=dict(weights))
        return self._model(answer)

    def rollback(self, model_id: str) -> Model:
        """Restore the traffic before the last change."""
        return self._model(self._transport.json("POST", _model_path(model_id, "rollback")))

    def _model(self, answer: dict[str, Any]) -> Model:
        return Model.from_json(answer, self._transport.url)

    # API keys

    def keys(self) -> list[ApiKey]:
        return [ApiKey.from_json(each) for each in self._transport.pages("/api/v1/api-keys")]

    def create_key(
        self,
        name: str,
        *,
        scopes: Sequence[str] | None = None,
        model_ids: Sequence[str] | None = None,
        expires_at: datetime | None = None,
    ) -> ApiKey:
        """Make a key; its `key` is in this answer only. It may predict, unless `scopes` say otherwise."""
        body: dict[str, Any] = {"name": name, "scopes": scopes, "model_ids": model_ids}
        body["expires_at"] = None if expires_at is None else expires_at.isoformat()
        given = {field: value for field, value in body.items() if value is not None}
        return ApiKey.from_json(self._transport.json("POST", "/api/v1/api-keys", json=given))

    def rotate_key(self, key_id: str, *, grace_seconds: int = 0) -> ApiKey:
        """A new secret; the old one works for `grace_seconds` more."""
        path = f"/api/v1/api-keys/{_segment(key_id)}/rotate"
        return ApiKey.from_json(self._transport.json("POST", path, json={"grace_seconds": grace_seconds}))

    def revoke_key(self, key_id: str) -> None:
        self._transport.call("DELETE", f"/api/v1/api-keys/{_segment(key_id)}")

    # The account

    def register(
        self, email: str, password: str, *, full_name: str | None = None, invite: str | None = None
    ) -> User:
        """`invite`: the token of an invitation, where the platform takes registrations by invitation only."""
        body = {"email": email, "password": password}
        body |= {"full_name": full_name} if full_name else {}
        body |= {"invite": invite} if invite else {}
        return User.from_json(self._transport.json("POST", "/api/v1/auth/register", json=body, auth=None))

    def login(self, email: str, password: str) -> Credentials:
        """Act as this user from now on; tokens renew themselves while this object lives."""
        return self._transport.open_session(email, password)

    def logout(self, refresh_token: str) -> None:
        """End that session on the platform."""
        self._transport.call("POST", "/api/v1/auth/logout", json={"refresh_token": refresh_token}, auth=None)

    def me(self) -> User:
        """Who is logged in. Not for API keys: Forbidden."""
        return User.from_json(self._transport.json("GET", "/api/v1/auth/me"))


def _segment(text: str) -> str:
    return quote(text, safe="")


def _model_path(model_id: str, *rest: str) -> str:
    return "/".join(["/api/v1/models", *map(_segment, (model_id, *rest))])


def _hold(seconds: float) -> dict[str, float] | None:
    return {"wait": seconds} if seconds > 0 else None


_USUAL = {"model", "version", "prediction", "predictions", "probabilities"}


def _wanted(return_: Sequence[str] | None) -> dict[str, list[str]]:
    return {} if return_ is None else {"return": list(return_)}


def _prediction(response: httpx.Response, answer: dict[str, Any]) -> Prediction:
    return Prediction(
        prediction=answer.get("prediction"),
        probabilities=answer.get("probabilities"),
        model=answer["model"],
        version=answer["version"],
        outputs={name: value for name, value in answer.items() if name not in _USUAL},
        cached=response.headers.get("x-cache") == "hit",
        request_id=response.headers.get("x-request-id"),
    )
