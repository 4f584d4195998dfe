"""How many models, and bytes of files of all kinds, a user may hold, and holds."""

from dataclasses import dataclass
from typing import Any

from modelport_http.wording import counted
from sqlalchemy import Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from modelport_control_api.accounts.errors import AccountGone
from modelport_control_api.accounts.tables import User
from modelport_control_api.drift.tables import DriftReferenceRow
from modelport_control_api.errors import DomainError
from modelport_control_api.registry.tables import BatchJob, ModelRow, VersionRow
from modelport_control_api.settings import ModelsSettings


@dataclass(frozen=True, slots=True)
class Limits:
    """What everybody may hold for whom nothing else was set."""

    max_models: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class Held:
    """`model_bytes`: of all versions' files and locks, each counted as often as it is named. `job_bytes`: of
    batch jobs' inputs, chunks and results. `reference_bytes`: of what is kept of drift references."""

    models: int = 0
    model_bytes: int = 0
    job_bytes: int = 0
    reference_bytes: int = 0

    @property
    def bytes(self) -> int:
        """Of model files, jobs and drift references together."""
        return self.model_bytes + self.job_bytes + self.reference_bytes


@dataclass(frozen=True, slots=True)
class Holding:
    """`bytes` is the sum of the three that follow it."""

    models: int
    max_models: int
    bytes: int
    model_bytes: int
    job_bytes: int
    reference_bytes: int
    max_bytes: int


def limits_of(settings: ModelsSettings) -> Limits:
    """Return the limits of all users who have none of their own."""
    return Limits(settings.user_max_models, settings.user_max_bytes)


Owner = InstrumentedAttribute[str]
Totals = Select[*tuple[Any, ...]]
_OWNER = ModelRow.owner_id
_TAKEN = func.coalesce(BatchJob.input_bytes, 0) + BatchJob.chunk_bytes + BatchJob.result_bytes
_SUMS: tuple[tuple[Owner, Totals], ...] = (
    (_OWNER, select(_OWNER, func.count())),
    (
        _OWNER,
        select(_OWNER, func.sum(VersionRow.size + VersionRow.lock_bytes)).join(
            VersionRow, VersionRow.model_id == ModelRow.id
        ),
    ),
    (
        BatchJob.owner_id,
        select(BatchJob.owner_id, func.sum(_TAKEN)).where(BatchJob.files_removed_at.is_(None)),
    ),
    (
        _OWNER,
        select(_OWNER, func.sum(DriftReferenceRow.bytes)).join(
            DriftReferenceRow, DriftReferenceRow.model_id == ModelRow.id
        ),
    ),
)
"""In the order of `Held`, each by whose it is."""


class QuotaReached(DomainError):
    """The message says which and what to do."""

    status = 409


def read(session: Session, user_id: str, limits: Limits) -> Holding:
    """Return what the user holds, and may hold. Raises `AccountGone`."""
    return _holding(session, _there(session.get(User, user_id)), limits)


def require_room(session: Session, user_id: str, limits: Limits, *, models: int, size: int) -> None:
    """Raises QuotaReached if the user cannot hold so much more. Until the transaction ends, none of the
    user's other ones comes past this: two uploads at once do not both find the last place free."""
    user = session.get(User, user_id, with_for_update={"key_share": True}, populate_existing=True)
    _check(_holding(session, _there(user), limits), models, size)


def check_room(session: Session, user_id: str, limits: Limits, *, models: int, size: int) -> None:
    """The same before a body is read, as far as is known then."""
    _check(read(session, user_id, limits), models, size)


def held_by(session: Session, user_ids: list[str]) -> dict[str, Held]:
    """Return what each of the users holds; zeros where it is nothing."""
    sums = [_by_owner(session, owner, query, user_ids) for owner, query in _SUMS]
    return {user: Held(*(each.get(user, 0) for each in sums)) for user in user_ids}


def holding_of(user: User, held: Held, limits: Limits) -> Holding:
    """Combine what is held with what may be. The user's own limits, where set, win over `limits`."""
    return Holding(
        models=held.models,
        max_models=limits.max_models if user.max_models is None else user.max_models,
        bytes=held.bytes,
        model_bytes=held.model_bytes,
        job_bytes=held.job_bytes,
        reference_bytes=held.reference_bytes,
        max_bytes=limits.max_bytes if user.max_bytes is None else user.max_bytes,
    )


def _there(user: User | None) -> User:
    """Its owner may delete an account while something is on its way to it."""
    if user is None:
        raise AccountGone
    return user


def _by_owner(session: Session, owner: Owner, query: Totals, user_ids: list[str]) -> dict[str, int]:
    rows = session.execute(query.where(owner.in_(user_ids)).group_by(owner))
    return {user: int(total) for user, total in rows}


def _holding(session: Session, user: User, limits: Limits) -> Holding:
    return holding_of(user, held_by(session, [user.id])[user.id], limits)


def _check(holding: Holding, models: int, size: int) -> None:
    cure = "Delete what is not needed, or ask an administrator of the platform for more."
    if models and holding.models + models > holding.max_models:
        raise QuotaReached(
            f"The account holds {counted(holding.models, 'model')}; {holding.max_models:,} is the most that "
            f"it may. {cure}"
        )
    if holding.bytes + size > holding.max_bytes:
        raise QuotaReached(
            f"The account would hold {counted(holding.bytes + size, 'byte')}; {holding.max_bytes:,} is the "
            f"most that it may. It holds {counted(holding.model_bytes, 'byte')} of model files, "
            f"{holding.job_bytes:,} of batch jobs and {holding.reference_bytes:,} of references. {cure}"
        )
