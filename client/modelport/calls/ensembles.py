"""Ensembles: versions that are there, joined to be one new version."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from modelport.calls.paths import path_of
from modelport.models import Join, Model, Version
from modelport.rows import as_sample
from modelport.steps import Flow, request, without_none

Member = str | Mapping[str, Any]
"""`"iris-7kq2p"`, `"iris-7kq2p@v2"`, `"column=iris-7kq2p@v2"`, or an object as the API takes it."""


def described(
    join: Join,
    members: Sequence[Member],
    final: Member | None,
    weights: Sequence[float] | None,
    passthrough: bool,
) -> dict[str, Any]:
    """Return the ensemble as the API takes it. Raises ValueError if the weights are not one a member."""
    each = [_member(one) for one in members]
    if weights is not None:
        each = [one | {"weight": weight} for one, weight in zip(each, weights, strict=True)]
    told: dict[str, Any] = {"join": join, "members": each}
    if final is not None:
        told["final"] = _member(final)
    return told | ({"passthrough": True} if passthrough else {})


def create(name: str, ensemble: Mapping[str, Any], *, description: str | None, sample: Any) -> Flow[Model]:
    """Return the new model, which is not ready yet."""
    form = _form(ensemble, sample, name=name, description=description)
    reply = yield from request("POST", path_of("models", "upload"), files=form)
    return Model.from_json(reply.json(), reply.url)


def add(
    model_id: str,
    ensemble: Mapping[str, Any],
    *,
    sample: Any,
    traffic: int | None,
    force: bool,
    replaces: str | None,
    guarded: bool,
) -> Flow[Version]:
    """Return the new version, which is not ready yet."""
    asked = {
        "traffic": None if traffic is None else str(traffic),
        "force": "true" if force else None,
        "replaces": replaces,
        "rollout": "guarded" if guarded else None,
    }
    form = _form(ensemble, sample, **asked)
    reply = yield from request("POST", path_of("models", model_id, "versions"), files=form)
    return Version.from_json(reply.json())


def _member(given: Member) -> dict[str, Any]:
    if isinstance(given, Mapping):
        return dict(given)
    name, _, rest = given.rpartition("=")
    model, _, version = rest.partition("@")
    return {"model": model} | ({"version": version} if version else {}) | ({"name": name} if name else {})


def _form(ensemble: Mapping[str, Any], sample: Any, **texts: str | None) -> dict[str, tuple[None, str]]:
    """Without a file among the parts httpx would send no multipart body: each part is one, with no name."""
    row = as_sample(sample)
    parts = without_none(**texts) | {"ensemble": json.dumps(ensemble)}
    parts |= {} if row is None else {"sample": json.dumps(row)}
    return {name: (None, text) for name, text in parts.items()}
