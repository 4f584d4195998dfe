"""Everybody's accounts, for administrators. A user is named by id or e-mail address."""

from dataclasses import replace
from typing import Any, Literal

from modelport.calls.paths import path_of
from modelport.errors import NotFound
from modelport.models import PasswordLink, PlatformUser
from modelport.steps import Flow, Listing, request, without_none

_PATH = path_of("admin", "users")
LIST = Listing(_PATH, lambda each, _url: PlatformUser.from_json(each))


def get(user: str) -> Flow[PlatformUser]:
    """Return the account. Raises `NotFound`."""
    if "@" not in user:
        reply = yield from request("GET", path_of("admin", "users", user))
        return PlatformUser.from_json(reply.json())
    page = yield from replace(LIST, query={"email": user}).page(None)
    if not page.items:
        missing = NotFound(f"There is no account with the address {user}.", status=404)
        missing.path = _PATH
        raise missing
    return page.items[0]


def update(
    user: str,
    *,
    is_admin: bool | None,
    disabled: bool | None,
    max_models: int | Literal["default"] | None,
    max_bytes: int | Literal["default"] | None,
) -> Flow[PlatformUser]:
    """Return the changed account. None leaves a thing as it is; `"default"` takes a limit of its own away."""
    body: dict[str, Any] = without_none(is_admin=is_admin, disabled=disabled)
    for name, limit in (("max_models", max_models), ("max_bytes", max_bytes)):
        if limit is not None:
            body[name] = None if limit == "default" else limit
    path = path_of("admin", "users", (yield from _id_of(user)))
    # Twice is as good as once.
    reply = yield from request("PATCH", path, json=body, repeatable=True)
    return PlatformUser.from_json(reply.json())


def password_link(user: str, hours: int) -> Flow[PasswordLink]:
    """Return a link with which the user sets a password, once; an earlier one ends."""
    path = path_of("admin", "users", (yield from _id_of(user)), "password-link")
    reply = yield from request("POST", path, json={"hours": hours})
    return PasswordLink.from_json(reply.json(), reply.url)


def transfer(user: str, to: str) -> Flow[list[str]]:
    """Return the ids of the models that belong to the other account now."""
    path = path_of("admin", "users", (yield from _id_of(user)), "transfer")
    reply = yield from request("POST", path, json={"to": to})
    models: list[str] = reply.json()["models"]
    return models


def delete(user: str, *, delete_models: bool, models_to: str | None) -> Flow[None]:
    """Delete the account. Raises `Conflict` while it has models of which nothing was said."""
    query = {"models": "delete"} if delete_models else {}
    if models_to is not None:
        query = {"models": "transfer", "to": models_to}
    path = path_of("admin", "users", (yield from _id_of(user)))
    yield from request("DELETE", path, params=query)


def _id_of(user: str) -> Flow[str]:
    if "@" not in user:
        return user
    found = yield from get(user)
    return found.id
