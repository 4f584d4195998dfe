"""How many models, and bytes of their files, a user may hold, and holds."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from modelport_control_api.auth.tables import User
from modelport_control_api.models.settings import ModelsSettings
from modelport_control_api.models.tables import ModelRow, VersionRow


@dataclass(frozen=True, slots=True)
class Limits:
    """What everybody may hold for whom nothing else was set."""

    max_models: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class Holding:
    """`bytes`: of all versions' files, each counted as often as it is named."""

    models: int
    max_models: int
    bytes: int
    max_bytes: int


def limits_of(settings: ModelsSettings) -> Limits:
    return Limits(settings.user_max_models, settings.user_max_bytes)


class QuotaReached(Exception):
    """The message says which and what to do."""


def read(session: Session, user_id: str, limits: Limits) -> Holding:
    return _holding(session, session.get_one(User, user_id), limits)


def require_room(session: Session, user_id: str, limits: Limits, *, models: int, size: int) -> None:
    """Raises QuotaReached if the user cannot hold so much more. Until the transaction ends, none of the
    user's other ones comes past this: two uploads at once do not both find the last place free."""
    user = session.get_one(User, user_id, with_for_update={"key_share": True}, populate_existing=True)
    _check(_holding(session, user, limits), models, size)


def check_room(session: Session, user_id: str, limits: Limits, *, models: int, size: int) -> None:
    """The same before a body is read, as far as is known then."""
    _check(read(session, user_id, limits), models, size)


def held_by(session: Session, user_ids: list[str]) -> dict[str, tuple[int, int]]:
    """Models and bytes of each user that has any."""
    models = (
        select(ModelRow.owner_id, func.count())
        .where(ModelRow.owner_id.in_(user_ids))
        .group_by(ModelRow.owner_id)
    )
    sizes = (
        select(ModelRow.owner_id, func.sum(VersionRow.size))
        .join(VersionRow, VersionRow.model_id == ModelRow.id)
        .where(ModelRow.owner_id.in_(user_ids))
        .group_by(ModelRow.owner_id)
    )
    size_of = {owner: int(size) for owner, size in session.execute(sizes)}
    return {owner: (count, size_of.get(owner, 0)) for owner, count in session.execute(models)}


def holding_of(user: User, held: tuple[int, int], limits: Limits) -> Holding:
    return Holding(
        models=held[0],
        max_models=limits.max_models if user.max_models is None else user.max_models,
        bytes=held[1],
        max_bytes=limits.max_bytes if user.max_bytes is None else user.max_bytes,
    )


def _holding(session: Session, user: User, limits: Limits) -> Holding:
    return holding_of(user, held_by(session, [user.id]).get(user.id, (0, 0)), limits)


def _check(holding: Holding, models: int, size: int) -> None:
    cure = "Delete what is not needed, or ask an administrator of the platform for more."
    if models and holding.models + models > holding.max_models:
        raise QuotaReached(
            f"The account holds {holding.models} of the {holding.max_models} models that it may. {cure}"
        )
    if holding.bytes + size > holding.max_bytes:
        raise QuotaReached(
            f"With {size} bytes more the account would hold {holding.bytes + size} bytes of model files; "
            f"{holding.max_bytes} is the most that it may. {cure}"
        )
