"""Whose usage it is, and how people call it."""

from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from modelport_control_api.accounts.api_keys.tables import ApiKey
from modelport_control_api.accounts.tables import User
from modelport_control_api.identity.principal import Principal
from modelport_control_api.registry.tables import ModelRow
from modelport_control_api.usage.tables import UsageBatchRow


def sum_alone(session: Session) -> None:
    """Let PostgreSQL start no workers for this transaction: they take longer to start than a few sums do."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL max_parallel_workers_per_gather = 0"))


def own_models(session: Session, principal: Principal) -> dict[str, str]:
    """Give the names of the caller's models that its credential may use, by id."""
    query = select(ModelRow.id, ModelRow.name).where(ModelRow.owner_id == principal.user_id)
    return {id_: name for id_, name in session.execute(query) if principal.may_use(id_)}


def model_names(session: Session, ids: Collection[str]) -> dict[str, str]:
    return dict(session.execute(select(ModelRow.id, ModelRow.name).where(ModelRow.id.in_(ids))).all())


def emails(session: Session, user_ids: Collection[str]) -> dict[str, str]:
    return dict(session.execute(select(User.id, User.email).where(User.id.in_(user_ids))).all())


def keys(session: Session, key_ids: Collection[str]) -> dict[str, tuple[str, str]]:
    """Give name and prefix by id."""
    query = select(ApiKey.id, ApiKey.name, ApiKey.prefix).where(ApiKey.id.in_(key_ids))
    return {id_: (name, prefix) for id_, name, prefix in session.execute(query)}


def dropped(session: Session, start: int, end: int) -> int:
    """Requests that gateways reported between two seconds to have forgotten."""
    query = select(func.coalesce(func.sum(UsageBatchRow.dropped), 0)).where(
        UsageBatchRow.dropped > 0,
        UsageBatchRow.received_at >= datetime.fromtimestamp(start, UTC),
        UsageBatchRow.received_at < datetime.fromtimestamp(end, UTC),
    )
    return int(session.execute(query).scalar_one())
