"""What the platform answers, typed. Fields that a newer platform adds are left out, not an error."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Json = dict[str, Any]
Status = Literal["pending", "ready", "failed", "degraded"]
Access = Literal["private", "authenticated", "public"]
Acceleration = Literal["auto", "off"]


@dataclass(frozen=True)
class Prediction:
    """One row's answer. `cached`: no model was asked.

    `probabilities`: by class, a list of such of several labels; None unless asked for.
    `outputs`: what else was asked for, by name.
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

    `engine`: what computes its answers, `native` or `numpy`; empty until it has loaded. `acceleration`: how
    the NumPy kernels compared with the model (`rows_compared`, `largest_difference`, `detail`).
    """

    name: str
    status: Status
    reason: str
    message: str
    framework: str
    sha256: str
    size: int
    traffic: int
    signature: Json | None
    libraries: Json | None
    engine: str
    acceleration: Json | None
    created_at: datetime | None
    raw: Json = field(repr=False, compare=False)
    """The whole answer."""

    @classmethod
    def from_json(cls, answer: Json) -> "Version":
        return cls(
            name=answer["name"],
            status=answer["status"],
            reason=answer.get("reason") or "",
            message=answer.get("message") or "",
            framework=answer.get("framework") or "",
            sha256=answer.get("sha256") or "",
            size=answer.get("size") or 0,
            traffic=answer.get("traffic") or 0,
            signature=answer.get("signature"),
            libraries=answer.get("libraries"),
            engine=answer.get("engine") or "",
            acceleration=answer.get("acceleration"),
            created_at=_moment(answer.get("created_at")),
            raw=answer,
        )


@dataclass(frozen=True)
class Model:
    """`traffic`: percent by version, what is served now. `signature`: None until a version has loaded.
    `acceleration`: the setting, `auto` or `off`; each version tells what came of it.
    `history`: which requests are kept (`percent`, `retention_days`, …); None: none."""

    id: str
    name: str
    description: str
    framework: str
    status: Status
    reason: str
    message: str
    predict_url: str
    acceleration: str
    history: Json | None
    traffic: Mapping[str, int]
    versions: tuple[Version, ...]
    signature: Json | None
    created_at: datetime | None
    raw: Json = field(repr=False, compare=False)
    """The whole answer."""

    @classmethod
    def from_json(cls, answer: Json, base_url: str = "") -> "Model":
        """`base_url`: of the platform, for one that does not know it."""
        predict_url = answer.get("predict_url") or ""
        if predict_url.startswith("/"):
            answer = {**answer, "predict_url": base_url.rstrip("/") + predict_url}
        return cls(
            id=answer["id"],
            name=answer["name"],
            description=answer.get("description") or "",
            framework=answer.get("framework") or "",
            status=answer["status"],
            reason=answer.get("reason") or "",
            message=answer.get("message") or "",
            predict_url=answer.get("predict_url") or "",
            acceleration=answer.get("acceleration") or "",
            history=answer.get("history"),
            traffic=answer.get("traffic") or {},
            versions=tuple(Version.from_json(each) for each in answer.get("versions") or ()),
            signature=answer.get("signature"),
            created_at=_moment(answer.get("created_at")),
            raw=answer,
        )


@dataclass(frozen=True)
class ApiKey:
    """`key`: the secret, only in the answer that made it."""

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
    def from_json(cls, answer: Json) -> "ApiKey":
        model_ids = answer.get("model_ids")
        return cls(
            id=answer["id"],
            name=answer["name"],
            prefix=answer.get("prefix") or "",
            scopes=tuple(answer.get("scopes") or ()),
            model_ids=None if model_ids is None else tuple(model_ids),
            created_at=_moment(answer.get("created_at")),
            expires_at=_moment(answer.get("expires_at")),
            last_used_at=_moment(answer.get("last_used_at")),
            key=answer.get("key"),
            raw=answer,
        )


@dataclass(frozen=True)
class User:
    id: str
    email: str
    full_name: str | None
    created_at: datetime | None

    @classmethod
    def from_json(cls, answer: Json) -> "User":
        return cls(answer["id"], answer["email"], answer.get("full_name"), _moment(answer.get("created_at")))


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
