"""Which version a new job calls, and whether its owner may."""

from dataclasses import dataclass
from typing import Any

from modelport_crds.mlmodel import MLModel
from modelport_crds.reasons import Reason
from sqlalchemy.orm import Session

from modelport_control_api.batch.errors import ModelHidden, NoVersion
from modelport_control_api.identity import Principal
from modelport_control_api.registry import repository
from modelport_control_api.registry.status_view import heaviest, served_traffic, version_view

_HIDDEN = "There is no such model, or you may not call it."


@dataclass(frozen=True, slots=True)
class Target:
    """A version that has answered; `signature` is what it reports of itself."""

    model_id: str
    version: str
    signature: dict[str, Any] | None


def find_target(
    session: Session, live: MLModel | None, principal: Principal, model_id: str, version: str | None
) -> Target:
    """`version` None: the one that most requests go to. Raises `ModelHidden` or `NoVersion`.

    `live`: the MLModel as the cluster has it; models applied with kubectl have no row.
    """
    _require_access(session, live, principal, model_id)
    chosen = version or heaviest(served_traffic(live))
    known = live.status.version(chosen) if live and chosen else None
    if version and live and version not in {each.name for each in live.spec.versions}:
        raise ModelHidden(f"The model has no version {version}.")
    if chosen is None or known is None or not known.answered or known.failed:
        view = version_view(chosen, live) if chosen else None
        because = view.message if view else "None of its versions serves yet."
        raise NoVersion(
            f"No version can do the job: {because} Submit it again when GET /api/v1/models/{model_id} "
            "says that it is ready.",
            view.reason if view else Reason.NO_READY_VERSION,
        )
    return Target(model_id, chosen, known.signature)


def _require_access(session: Session, live: MLModel | None, principal: Principal, model_id: str) -> None:
    row = repository.find(session, model_id)
    if row is not None:
        owner, access = row.owner_id, row.access
    elif live is not None:
        owner, access = live.spec.owner or "", live.spec.access
    else:
        raise ModelHidden(_HIDDEN)
    allowed = access != "private" or principal.is_admin or owner == principal.user_id
    if not allowed or not principal.may_use(model_id):
        raise ModelHidden(_HIDDEN)
