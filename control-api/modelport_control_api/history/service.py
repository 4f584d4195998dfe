"""What a model's owner may do with its stored predictions. Nobody else may, administrators included."""

from collections.abc import Iterator

from sqlalchemy.orm import Session

from modelport_control_api.accounts import audit
from modelport_control_api.db.paging import Page
from modelport_control_api.db.session import Database
from modelport_control_api.errors import DomainError
from modelport_control_api.history import repository
from modelport_control_api.history.schemas import Filter
from modelport_control_api.history.tables import KeptPrediction
from modelport_control_api.identity import Caller, Principal
from modelport_control_api.registry import repository as models
from modelport_control_api.registry.errors import ModelNotFound


class PredictionNotFound(DomainError):
    """None such, or one of someone else's model: the caller cannot know which."""

    status = 404
    message = "No such prediction is kept: list them with GET /api/v1/predictions?model_id=…."


_EXPORT_PAGE_ROWS = 100


def list_page(
    session: Session, principal: Principal, model_id: str, wanted: Filter, *, limit: int, cursor: str | None
) -> Page[KeptPrediction]:
    """Newest first. Raises ModelNotFound, CursorInvalid."""
    require_own(session, principal, model_id)
    return repository.page(session, model_id, wanted, limit=limit, cursor=cursor)


def get(session: Session, principal: Principal, prediction_id: str) -> KeptPrediction:
    """Raises PredictionNotFound."""
    found = repository.find_of_owner(session, principal.user_id, prediction_id)
    if found is None or not principal.may_use(found.model_id):
        raise PredictionNotFound
    return found


def export(
    database: Database, principal: Principal, model_id: str, wanted: Filter
) -> Iterator[list[KeptPrediction]]:
    """Return all that is wanted in pages, newest first, each from a short transaction of its own.

    Raises ModelNotFound.
    """
    cursor = None
    while True:
        with database.transaction(read_only=True) as session:
            page = list_page(session, principal, model_id, wanted, limit=_EXPORT_PAGE_ROWS, cursor=cursor)
        yield list(page.items)
        cursor = page.next_cursor
        if cursor is None:
            return


def delete(session: Session, caller: Caller, prediction_id: str) -> None:
    """Raises PredictionNotFound."""
    found = get(session, caller.principal, prediction_id)
    session.delete(found)
    audit.record(
        session, caller, "predictions.delete", f"model:{found.model_id}", {"prediction_id": prediction_id}
    )


def delete_all(database: Database, caller: Caller, model_id: str) -> None:
    """Delete all that is there now, in slices: one large deletion would hold up all others.

    Raises ModelNotFound.
    """
    with database.transaction() as session:
        require_own(session, caller.principal, model_id)
        audit.record(session, caller, "predictions.delete", f"model:{model_id}", {})
    while True:
        with database.transaction() as session:
            if repository.delete_slice(session, model_id) < repository.SLICE_ROWS:
                return


def require_own(session: Session, principal: Principal, model_id: str) -> None:
    """Raises ModelNotFound, for administrators too: these are other users' data."""
    row = models.find(session, model_id)
    if row is None or row.owner_id != principal.user_id or not principal.may_use(model_id):
        raise ModelNotFound("There is no such model, or it is not yours.")
