"""What the platform returns, typed. Fields that a newer platform adds are left out, not an error."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Json = dict[str, Any]
Status = Literal["pending", "ready", "failed", "degraded"]
Access = Literal["private", "authenticated", "public"]
Acceleration = Literal["auto", "off"]
Sticky = Literal["caller", "session"]
Join = Literal["vote", "average", "chain", "stack"]
SIGNATURE_CHANGED = "SignatureChanged"
"""The reason of a version that is held."""


@dataclass(frozen=True)
class Prediction:
    """One row's prediction. `cached`: no model was called.

    `probabilities`: by class, a list of such of several labels; None unless requested.
    `outputs`: what else was requested, by name.
    """

    prediction: Any
    probabilities: Mapping[str, float] | list[Mapping[str, float]] | None
    model: str
    version: str
    cached: bool
    request_id: str | None
    outputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Version:
    """`size` in bytes. `traffic`: its share of the requests, in percent.

    `environment`: what it runs in, such as `sklearn-1.2`; None for the platform's own libraries.
    `requirements`: its own, as they were `given`, and the `packages` locked of them; None: it has none.
    `ensemble`: the versions that it was made of (`join`, `members`, `final`); None: it is a file.
    `engine`: what predicts, `native` or `numpy`; empty until it has loaded. `acceleration`: how
    the NumPy kernels compared with the model (`rows_compared`, `largest_difference`, `detail`).
    `compatibility`: how it compares with the version whose requests it was to get (`compatible_with`,
    `changes`, `more`); None if it was not compared.
    """

    name: str
    status: Status
    reason: str
    message: str
    framework: str
    environment: str | None
    sha256: str
    size: int
    traffic: int
    signature: Json | None
    libraries: Json | None
    engine: str
    acceleration: Json | None
    compatibility: Json | None
    created_at: datetime | None
    raw: Json = field(repr=False, compare=False)
    """The whole response."""
    requirements: Json | None = None
    ensemble: Json | None = None

    @property
    def is_held(self) -> bool:
        """It is ready and gets no requests, since it lacks what callers depend on."""
        return self.reason == SIGNATURE_CHANGED

    @classmethod
    def from_json(cls, data: Json) -> "Version":
        """Read the API's JSON. Raises KeyError without name or status; all else may be missing."""
        return cls(
            name=data["name"],
            status=data["status"],
            reason=data.get("reason") or "",
            message=data.get("message") or "",
            framework=data.get("framework") or "",
            environment=data.get("environment"),
            sha256=data.get("sha256") or "",
            size=data.get("size") or 0,
            traffic=data.get("traffic") or 0,
            signature=data.get("signature"),
            libraries=data.get("libraries"),
            engine=data.get("engine") or "",
            acceleration=data.get("acceleration"),
            compatibility=data.get("compatibility"),
            created_at=_moment(data.get("created_at")),
            raw=data,
            requirements=data.get("requirements"),
            ensemble=data.get("ensemble"),
        )


@dataclass(frozen=True)
class Model:
    """`traffic`: percent by version, what is served now. `signature`: None until a version has loaded.
    `access`: who may predict, `private`, `authenticated` or `public`.
    `acceleration`: the setting, `auto` or `off`; each version reports what came of it.
    `sticky`: what stays on one version of a split, `caller` or `session`; None: each request is drawn.
    `history`: which requests are kept (`percent`, `retention_days`, …); None: none.
    `feedback`: which predictions are kept to be compared with the truth; None: none.
    `tags`: in small letters, by which lists are narrowed.
    `rollout`, `experiment`: the number of the one that goes on; None: none does."""

    id: str
    name: str
    description: str
    framework: str
    status: Status
    reason: str
    message: str
    predict_url: str
    access: str
    acceleration: str
    sticky: str | None
    history: Json | None
    feedback: Json | None
    traffic: Mapping[str, int]
    versions: tuple[Version, ...]
    signature: Json | None
    created_at: datetime | None
    raw: Json = field(repr=False, compare=False)
    """The whole response."""
    tags: tuple[str, ...] = ()
    rollout: int | None = None
    experiment: int | None = None

    @property
    def newest_failed(self) -> str | None:
        """The name of the newest version that has failed; None: none has."""
        return next((each.name for each in reversed(self.versions) if each.status == "failed"), None)

    @classmethod
    def from_json(cls, data: Json, base_url: str = "") -> "Model":
        """`base_url`: of the platform, for one that does not know it."""
        predict_url = data.get("predict_url") or ""
        if predict_url.startswith("/"):
            data = {**data, "predict_url": base_url.rstrip("/") + predict_url}
        return cls(
            id=data["id"],
            name=data["name"],
            description=data.get("description") or "",
            framework=data.get("framework") or "",
            status=data["status"],
            reason=data.get("reason") or "",
            message=data.get("message") or "",
            predict_url=data.get("predict_url") or "",
            access=data.get("access") or "",
            acceleration=data.get("acceleration") or "",
            sticky=data.get("sticky"),
            history=data.get("history"),
            feedback=data.get("feedback"),
            traffic=data.get("traffic") or {},
            versions=tuple(Version.from_json(each) for each in data.get("versions") or ()),
            signature=data.get("signature"),
            created_at=_moment(data.get("created_at")),
            raw=data,
            tags=tuple(data.get("tags") or ()),
            rollout=data.get("rollout"),
            experiment=data.get("experiment"),
        )


@dataclass(frozen=True)
class ApiKey:
    """`key`: the secret, only in the response that made it."""

    id: str
    name: str
    prefix: str
    scopes: tuple[str, ...]
    model_ids: tuple[str, ...] | None
    created_at: datetime | None
    expires_at: datetime | None
    last_used_at: datetime | None
    key: str | None = field(repr=False)
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def from_json(cls, data: Json) -> "ApiKey":
        """Read the API's JSON. Raises KeyError without id or name; all else may be missing."""
        model_ids = data.get("model_ids")
        return cls(
            id=data["id"],
            name=data["name"],
            prefix=data.get("prefix") or "",
            scopes=tuple(data.get("scopes") or ()),
            model_ids=None if model_ids is None else tuple(model_ids),
            created_at=_moment(data.get("created_at")),
            expires_at=_moment(data.get("expires_at")),
            last_used_at=_moment(data.get("last_used_at")),
            key=data.get("key"),
            raw=data,
        )


@dataclass(frozen=True)
class User:
    """`quota`: what the account holds and may hold (`models`, `max_models`, `bytes`, …); only of `me`."""

    id: str
    email: str
    full_name: str | None
    created_at: datetime | None
    is_admin: bool = False
    quota: Json | None = None

    @classmethod
    def from_json(cls, data: Json) -> "User":
        return cls(
            id=data["id"],
            email=data["email"],
            full_name=data.get("full_name"),
            created_at=_moment(data.get("created_at")),
            is_admin=bool(data.get("is_admin")),
            quota=data.get("quota"),
        )


@dataclass(frozen=True)
class PlatformUser:
    """An account as administrators see it. `bytes`: of the files that it holds.

    `disabled_at`: since when it is disabled; None: it is enabled.
    """

    id: str
    email: str
    full_name: str | None
    is_admin: bool
    disabled_at: datetime | None
    models: int
    max_models: int
    bytes: int
    max_bytes: int
    created_at: datetime | None
    last_seen_at: datetime | None
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def from_json(cls, data: Json) -> "PlatformUser":
        """Read the API's JSON. Raises KeyError without id or email; all else may be missing."""
        return cls(
            id=data["id"],
            email=data["email"],
            full_name=data.get("full_name"),
            is_admin=bool(data.get("is_admin")),
            disabled_at=_moment(data.get("disabled_at")),
            models=data.get("models") or 0,
            max_models=data.get("max_models") or 0,
            bytes=data.get("bytes") or 0,
            max_bytes=data.get("max_bytes") or 0,
            created_at=_moment(data.get("created_at")),
            last_seen_at=_moment(data.get("last_seen_at")),
            raw=data,
        )


@dataclass(frozen=True)
class PasswordLink:
    """Lets a user set a password, once. Only this response has it."""

    url: str = field(repr=False)
    token: str = field(repr=False)
    expires_at: datetime | None
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def from_json(cls, data: Json, base_url: str = "") -> "PasswordLink":
        """`base_url`: of the platform, for one that does not know it."""
        url = data["url"]
        if url.startswith("/"):
            data = {**data, "url": base_url.rstrip("/") + url}
        return cls(data["url"], data["token"], _moment(data.get("expires_at")), data)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


@dataclass(frozen=True)
class Finding:
    """What is known of one guardrail of a rollout. `state`: `within`, `beyond` or `unknown`.

    `lower`, `upper`: the interval that holds at every look; `limit`: the tolerance; `observations`: rows, or
    requests. None: not known yet.
    """

    guardrail: str
    state: str
    estimate: float | None
    lower: float | None
    upper: float | None
    limit: float | None
    observations: int
    message: str

    @classmethod
    def from_json(cls, data: Json) -> "Finding":
        """Read the API's JSON. Raises KeyError without guardrail or state; all else may be missing."""
        return cls(
            guardrail=data["guardrail"],
            state=data["state"],
            estimate=data.get("estimate"),
            lower=data.get("lower"),
            upper=data.get("upper"),
            limit=data.get("limit"),
            observations=data.get("observations") or 0,
            message=data.get("message") or "",
        )


@dataclass(frozen=True)
class Rollout:
    """A version on its way to the traffic. `version` is compared with `baseline`.

    `state`: `pending`, `replaying`, `shadowing`, `canary`, `baking`, or at the end `promoted`, `rolled_back`,
    `inconclusive` or `cancelled`. `weight`: its share of the traffic, in percent. `held`: why it does not go
    on now; `verdict`: one sentence.
    """

    id: int
    version: str
    baseline: str
    state: str
    step: str
    weight: int
    verdict: str
    held: str
    paused: bool
    findings: tuple[Finding, ...]
    strategy: Json
    started_at: datetime | None
    ended_at: datetime | None
    raw: Json = field(repr=False, compare=False)
    """The whole response; of one rollout `evidence` and `worst_segments` too, what was counted."""

    @property
    def is_over(self) -> bool:
        """It has ended, one way or another."""
        return self.state in {"promoted", "rolled_back", "inconclusive", "cancelled"}

    @classmethod
    def from_json(cls, data: Json) -> "Rollout":
        """Read the API's JSON. Raises KeyError without id, version or state; all else may be missing."""
        started_at, ended_at = data.get("started_at"), data.get("ended_at")
        return cls(
            id=data["id"],
            version=data["version"],
            baseline=data.get("baseline") or "",
            state=data["state"],
            step=data.get("step") or "",
            weight=data.get("weight") or 0,
            verdict=data.get("verdict") or "",
            held=data.get("held") or "",
            paused=bool(data.get("paused")),
            findings=tuple(Finding.from_json(each) for each in data.get("findings") or ()),
            strategy=data.get("strategy") or {},
            started_at=datetime.fromisoformat(started_at) if started_at else None,
            ended_at=datetime.fromisoformat(ended_at) if ended_at else None,
            raw=data,
        )
