"""The platform as a whole, for administrators. Whoever calls this has checked that the caller is one."""

from collections import Counter
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, get_args

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from modelport_control_api.admin import repository
from modelport_control_api.admin.checks import check_all
from modelport_control_api.admin.schemas import SystemHealth, UserEntry, UserList
from modelport_control_api.auth.tables import User
from modelport_control_api.context import Context
from modelport_control_api.db.paging import read_page
from modelport_control_api.models.part import ModelsPart
from modelport_control_api.models.schemas import Status

log = structlog.get_logger(__name__)


async def system_health(context: Context, part: ModelsPart) -> SystemHealth:
    """Never raises because something is down: that is what it tells."""
    checks = await check_all(context, part)
    database, artifacts, shared_store, cluster = checks
    return SystemHealth(
        ok=all(check.ok for check in checks),
        version=version("modelport"),
        database=database,
        artifacts=artifacts,
        shared_store=shared_store,
        cluster=cluster,
        **await _numbers(part) if database.ok else _unknown(),
    )


async def users(part: ModelsPart, limit: int, cursor: str | None) -> UserList:
    """Newest first. Raises CursorInvalid."""

    def read(session: Session) -> UserList:
        page = read_page(session, select(User), User, limit, cursor)
        ids = [user.id for user in page.items]
        models, seen = repository.model_counts(session, ids), repository.last_seen(session, ids)
        items = [
            UserEntry(
                id=user.id,
                email=user.email,
                full_name=user.full_name,
                is_admin=user.is_admin,
                created_at=user.created_at,
                models=models.get(user.id, 0),
                last_seen_at=seen.get(user.id),
            )
            for user in page.items
        ]
        return UserList(items=items, next_cursor=page.next_cursor)

    return await part.transactions.read(read)


async def _numbers(part: ModelsPart) -> Mapping[str, Any]:
    try:
        counted, models = await part.transactions.read(
            lambda session: (repository.numbers(session), part.lookout.everything(session))
        )
    except SQLAlchemyError as error:
        # It went away after it was checked.
        log.warning("the platform's numbers could not be read", error=repr(error))
        return _unknown()
    # On the event loop: what the watch knows changes there.
    statuses = Counter(part.lookout.look(model).view.status for model in models)
    return {**counted, "models": {status: statuses[status] for status in get_args(Status)}}


def _unknown() -> Mapping[str, Any]:
    return dict.fromkeys((*repository.Numbers.__annotations__, "models"))
