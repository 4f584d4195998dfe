"""Whose models are: all of a user's handed to somebody else, or deleted with all that belongs to them."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from modelport_control_api.accounts.auth import standing
from modelport_control_api.accounts.auth.errors import NotWhileDisabled
from modelport_control_api.accounts.auth.standing import Held
from modelport_control_api.accounts.tables import User
from modelport_control_api.alerts import events, webhooks
from modelport_control_api.artifacts.keeper import ArtifactKeeper
from modelport_control_api.errors import InvalidFields
from modelport_control_api.identity import Caller
from modelport_control_api.registry import quotas, service
from modelport_control_api.registry.quotas import Limits, QuotaReached
from modelport_control_api.registry.tables import BatchJob, ModelRow


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Files of what a transaction deleted: digests of models, and ids of jobs."""

    digests: Collection[str] = ()
    jobs: Sequence[str] = ()

    async def remove(self, keeper: ArtifactKeeper, remove_job: Callable[[str], Awaitable[object]]) -> None:
        """Once the transaction is committed. What is missed by a crash is found by the next sweeps."""
        await keeper.discard(self.digests)
        for job_id in self.jobs:
            await remove_job(job_id)


def count_of(session: Session, user_id: str) -> int:
    """Return how many models the user has."""
    mine = select(func.count()).select_from(ModelRow).where(ModelRow.owner_id == user_id)
    return session.scalar(mine) or 0


def lock_holdings(session: Session, user_id: str) -> None:
    """Hold the user's models and unfinished jobs. To be called before the accounts are locked: what adds a
    version, and the worker that counts what a job has made, take the two in this order.
    """
    # PostgreSQL refuses a NUL with an error instead of finding nothing.
    if "\0" in user_id:
        return
    _lock_models(session, user_id)
    unfinished = select(BatchJob.id).where(BatchJob.owner_id == user_id, BatchJob.finished_at.is_(None))
    session.scalars(unfinished.order_by(BatchJob.id).with_for_update()).all()


def hand_over(session: Session, by: Caller, old: User, new: User, limits: Limits) -> list[str]:
    """Give all models of one account to the other, and return their ids. Accounts and models must be locked.

    Raises `InvalidFields`, `NotWhileDisabled`, `QuotaReached`.
    """
    _require_able(old, new)
    rows = session.scalars(_locked(old.id)).all()
    if rows:
        _require_room(session, old, new, len(rows), limits)
    for row in rows:
        row.owner_id = new.id
        events.hand_over(session, row.id, old.id, new.id)
        webhooks.forget_of_model(session, row.id, old.id)
        detail = {"name": row.name, "owner": new.email, "before": {"owner": old.email}}
        service.finish_change(session, by, row, "model.transfer", detail)
    return [row.id for row in rows]


def delete_account(session: Session, by: Caller, held: Held, user: User) -> Leftovers:
    """End the account and all that it has. Raises `LastAdministrator`."""
    digests: set[str] = set()
    for model_id in _lock_models(session, user.id):
        digests |= service.delete_model(session, by, model_id)
    jobs = session.scalars(select(BatchJob.id).where(BatchJob.owner_id == user.id)).all()
    # Before the user: no relationship tells the session in which order rows have to go.
    session.flush()
    standing.delete(session, by, held, user)
    return Leftovers(digests, jobs)


def _lock_models(session: Session, user_id: str) -> Sequence[str]:
    """Return their ids: whole rows bring all versions and drift states."""
    return session.scalars(_locked(user_id).with_only_columns(ModelRow.id)).all()


def _locked(user_id: str) -> Select[ModelRow]:
    return select(ModelRow).where(ModelRow.owner_id == user_id).order_by(ModelRow.id).with_for_update()


def _require_able(old: User, new: User) -> None:
    if old.id == new.id:
        raise InvalidFields(("to", "must be another account"))
    if new.disabled_at is not None:
        raise NotWhileDisabled(f"{new.email} is disabled and takes no models: name another account.")


def _require_room(session: Session, old: User, new: User, models: int, limits: Limits) -> None:
    held = quotas.held_by(session, [old.id])[old.id]
    size = held.model_bytes + held.reference_bytes
    try:
        quotas.require_room(session, new.id, limits, models=models, size=size)
    except QuotaReached as error:
        raise QuotaReached(
            f"{new.email} has no room for them: raise the limits of that account first. {error.detail}"
        ) from error
