"""The platform as a whole, for administrators. The caller has checked that the caller is one."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import structlog
from modelport_process import VERSION
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from modelport_control_api.accounts.auth import invites
from modelport_control_api.accounts.auth.errors import InviteNotFound, UserNotFound
from modelport_control_api.accounts.auth.schemas import normalize_or_keep
from modelport_control_api.accounts.tables import Invite, User
from modelport_control_api.admin import machine, repository
from modelport_control_api.admin.checks import check_all
from modelport_control_api.admin.schemas import (
    DiskFigures,
    InviteEntry,
    InviteList,
    Machine,
    MadeInvite,
    NewInvite,
    SystemHealth,
    UserEntry,
    UserList,
)
from modelport_control_api.db.base import utc_now
from modelport_control_api.db.paging import read_page
from modelport_control_api.http.context import Context
from modelport_control_api.identity import Origin, Principal
from modelport_control_api.models.schemas import Status
from modelport_control_api.models.wiring import ModelsServices
from modelport_control_api.registry import quotas
from modelport_control_api.registry.quotas import Limits


def create(session: Session, admin: Principal, body: NewInvite, origin: Origin, base_url: str) -> MadeInvite:
    """`base_url`: where users reach the platform; empty: the link is a path."""
    row, token = invites.create(session, admin, origin, note=body.note, life=timedelta(days=body.days))
    url = f"{base_url}/ui/register?invite={token}"
    return MadeInvite(**_invitation_entry(row, utc_now()).model_dump(), token=token, url=url)


def list_page(session: Session, limit: int, cursor: str | None) -> InviteList:
    """Raises CursorInvalid."""
    page, now = invites.list_page(session, limit, cursor), utc_now()
    return InviteList(items=[_invitation_entry(row, now) for row in page.items], next_cursor=page.next_cursor)


def withdraw(session: Session, admin: Principal, invite_id: str, origin: Origin) -> None:
    """Raises `InviteNotFound`."""
    # PostgreSQL refuses a NUL with an error instead of finding nothing.
    if "\0" in invite_id:
        raise InviteNotFound
    invites.withdraw(session, admin, origin, invite_id)


def _invitation_entry(row: Invite, now: datetime) -> InviteEntry:
    return InviteEntry(
        id=row.id,
        note=row.note,
        state=invites.state_of(row, now),
        created_by=row.created_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
        used_by=row.used_by,
    )


log = structlog.get_logger(__name__)


async def system_health(context: Context, services: ModelsServices) -> SystemHealth:
    """Never raises because something is down: that is what it reports."""
    checks = await check_all(context, services)
    database, artifacts, shared_store, cluster = checks
    return SystemHealth(
        ok=all(check.ok for check in checks),
        version=VERSION,
        database=database,
        artifacts=artifacts,
        shared_store=shared_store,
        cluster=cluster,
        machine=await asyncio.to_thread(_machine, services.reserve.folders),
        **await _numbers(services) if database.ok else _unknown(),
    )


def _machine(folders: Sequence[Path]) -> Machine:
    memory = machine.read_memory()
    disks = machine.read_disks(folders)
    return Machine(
        name=machine.name_of_machine(),
        processors=machine.processors(),
        cpu=machine.PROCESSOR_USE.share(),
        memory_total_bytes=memory.total if memory else None,
        memory_available_bytes=memory.available if memory else None,
        disks=[
            DiskFigures(folder=disk.folder, total_bytes=disk.total, free_bytes=disk.free) for disk in disks
        ],
    )


async def users(
    services: ModelsServices, limit: int, cursor: str | None, email: str | None = None
) -> UserList:
    """Newest first. `email`: only the account of this address. Raises CursorInvalid."""
    query = select(User)
    if email is not None:
        query = query.where(User.email == normalize_or_keep(email))

    def read(session: Session) -> UserList:
        page = read_page(session, query, User, limit, cursor)
        return UserList(items=_entries(session, page.items, services.limits), next_cursor=page.next_cursor)

    return await services.transactions.read(read)


async def user(services: ModelsServices, user_id: str) -> UserEntry:
    """Raises UserNotFound."""
    return await services.transactions.read(
        lambda session: entry_of(session, find_user(session, user_id), services.limits)
    )


def find_user(session: Session, user_id: str) -> User:
    """Raises UserNotFound."""
    # PostgreSQL refuses a NUL with an error instead of finding nothing.
    found = None if "\0" in user_id else session.get(User, user_id)
    if found is None:
        raise UserNotFound
    return found


def entry_of(session: Session, user: User, limits: Limits) -> UserEntry:
    """Return the account as administrators see it, with what it holds."""
    (entry,) = _entries(session, [user], limits)
    return entry


def _entries(session: Session, users: Sequence[User], limits: Limits) -> list[UserEntry]:
    ids = [user.id for user in users]
    held, seen = quotas.held_by(session, ids), repository.last_seen(session, ids)
    entries = []
    for user in users:
        holding = quotas.holding_of(user, held[user.id], limits)
        entries.append(
            UserEntry(
                id=user.id,
                email=user.email,
                full_name=user.full_name,
                is_admin=user.is_admin,
                disabled_at=user.disabled_at,
                created_at=user.created_at,
                models=holding.models,
                bytes=holding.bytes,
                max_models=holding.max_models,
                max_bytes=holding.max_bytes,
                own_max_models=user.max_models,
                own_max_bytes=user.max_bytes,
                last_seen_at=seen.get(user.id),
            )
        )
    return entries


async def _numbers(services: ModelsServices) -> Mapping[str, Any]:
    try:
        counted, models = await services.transactions.read(
            lambda session: (repository.numbers(session), services.reader.everything(session))
        )
    except SQLAlchemyError as error:
        # It went away after it was checked.
        log.warning("platform_numbers_unreadable", error=repr(error))
        return _unknown()
    # On the event loop: what the watch knows changes there.
    statuses = Counter(services.reader.look(model).view.status for model in models)
    return {**counted, "models": {status: statuses[status] for status in get_args(Status)}}


def _unknown() -> Mapping[str, Any]:
    return dict.fromkeys((*repository.Numbers.__annotations__, "models"))
