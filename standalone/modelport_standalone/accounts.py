"""The accounts and API keys that a platform makes for its own person, and keeps."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from modelport.credentials import Credentials, load, save
from modelport_control_api.accounts.api_keys import service as api_keys
from modelport_control_api.accounts.api_keys.repository import find_active, sha256
from modelport_control_api.accounts.api_keys.schemas import NewKey, Scope
from modelport_control_api.accounts.auth.accounts import ensure_admin
from modelport_control_api.accounts.tables import User, is_working_admin
from modelport_control_api.accounts.wiring import AccountServices
from modelport_control_api.identity import SCOPES, Origin, Principal
from sqlalchemy import select

from modelport_standalone import data_dir
from modelport_standalone.data_dir import DataDir

ADMIN_EMAIL = "admin@localhost"
_ORIGIN = Origin("modelport-up", "127.0.0.1")


@dataclass(frozen=True)
class Admin:
    """`is_new`: made in this start, so its password is shown this once. `password`: None once another address
    was taken than it was made with."""

    email: str
    password: str | None
    is_new: bool


def open_admin(services: AccountServices, data: DataDir) -> Admin:
    """Make the administrator the first time. Blocking. Raises `CannotStart`."""
    kept = data_dir.read(data.admin)
    if not kept:
        kept = {"email": ADMIN_EMAIL, "password": secrets.token_urlsafe(18)}
        # Before the account: a crash in between must not leave one whose password nobody knows.
        data_dir.write(data.admin, kept)
    if kept.keys() != {"email", "password"}:
        raise data_dir.damaged(data.admin)
    is_new = ensure_admin(services.database, services.passwords, kept["email"], kept["password"])
    admins = _working_admins(services)
    if kept["email"] in {admin.email for admin in admins}:
        return Admin(kept["email"], kept["password"], is_new)
    return Admin(admins[0].email, None, is_new=False)


def open_key(services: AccountServices, data: DataDir, name: str, scopes: list[Scope]) -> str:
    """Return the admin's API key of that name, a new one if it was revoked. Blocking. Raises
    `CannotStart`.
    """
    kept = data_dir.read(data.keys)
    key = kept.get(name)
    if key is None or not _works(services, key):
        key = _make_key(services, name, scopes)
        data_dir.write(data.keys, {**kept, name: key})
    return key


def log_cli_in(url: str, key: str) -> None:
    """Let the CLI of this user act as the admin, unless someone has logged in there."""
    kept = load(url)
    if kept is None or (kept.access_token is None and kept.api_key != key):
        save(url, Credentials(api_key=key))


def _works(services: AccountServices, key: str) -> bool:
    with services.database.transaction(read_only=True) as session:
        return find_active(session, sha256(key)) is not None


def _working_admins(services: AccountServices) -> Sequence[User]:
    """There is always one: the last cannot be disabled."""
    with services.database.transaction(read_only=True) as session:
        return session.scalars(select(User).where(is_working_admin()).order_by(User.created_at)).all()


def _make_key(services: AccountServices, name: str, scopes: list[Scope]) -> str:
    admin = _working_admins(services)[0]
    with services.database.transaction() as session:
        owner = Principal(admin.id, admin.email, True, frozenset(SCOPES), "session", "modelport-up")
        return api_keys.create(session, owner, NewKey(name=name, scopes=scopes), _ORIGIN).key
