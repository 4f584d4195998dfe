"""A user's own account, with what it holds of models and jobs: above `accounts`, since those lie higher."""

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from modelport_control_api.accounts.auth import accounts, standing
from modelport_control_api.accounts.auth.errors import AccountHoldsModels
from modelport_control_api.accounts.auth.schemas import AccountEnd, UserOut
from modelport_control_api.accounts.sessions import ended
from modelport_control_api.accounts.tables import User
from modelport_control_api.accounts.wiring import Accounts, AccountServices
from modelport_control_api.batch.wiring import Batch, BatchServices
from modelport_control_api.http.bodies import StrictJsonRoute
from modelport_control_api.http.context import RequestOrigin
from modelport_control_api.http.principal import CurrentPrincipal, SessionPrincipal
from modelport_control_api.http.responses import CREDENTIAL, JSON_BODY, never_stored, problems
from modelport_control_api.identity import Caller
from modelport_control_api.models.access import Models
from modelport_control_api.models.wiring import ModelsServices
from modelport_control_api.registry import ownership
from modelport_control_api.registry.ownership import Leftovers


class QuotaOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    models: int
    max_models: int
    bytes: int = Field(description="The sum of the three that follow.")
    model_bytes: int = Field(description="Of the files of all versions.")
    job_bytes: int = Field(description="Of the inputs and results of batch jobs, until they are removed.")
    reference_bytes: int = Field(description="Of what is kept of drift references.")
    max_bytes: int


class AccountOut(UserOut):
    is_admin: bool = Field(description="Whether it is an administrator's of the platform.")
    quota: QuotaOut = Field(description="What it holds, and the most that it may.")


router = APIRouter(
    prefix="/api/v1/auth",
    tags=["accounts"],
    route_class=StrictJsonRoute,
    dependencies=[Depends(never_stored)],
)


@router.get("/me", responses=problems(401))
async def read_account(principal: CurrentPrincipal, services: Accounts, models: Models) -> AccountOut:
    """The account that the credential belongs to, what it holds, and how much it may."""
    user = UserOut.model_validate(await accounts.get(services, principal.user_id))
    quota = QuotaOut.model_validate(await models.holding(principal.user_id))
    return AccountOut(**user.model_dump(), is_admin=principal.is_admin, quota=quota)


@router.post(
    "/me/delete",
    status_code=204,
    response_class=Response,
    responses=problems(*JSON_BODY, *CREDENTIAL, 409, 429),
)
async def delete_account(  # noqa: PLR0917 - FastAPI gives each of them by name
    body: AccountEnd,
    principal: SessionPrincipal,
    services: Accounts,
    models: Models,
    batch: Batch,
    origin: RequestOrigin,
) -> None:
    """Delete your account with its sessions, API keys and batch jobs and, with delete_models, its models.

    Usage that was counted and the audit log stay.
    """
    await delete(services, models, batch, Caller(principal, origin), body)


async def delete(
    services: AccountServices, models: ModelsServices, batch: BatchServices, by: Caller, body: AccountEnd
) -> None:
    """Raises `WrongCurrentPassword`, `AccountHoldsModels`, `LastAdministrator`, or a 429 problem."""
    checked = await accounts.check_own_password(services, by.principal, body.current_password, by.origin)

    def work(session: Session) -> Leftovers:
        return _delete(session, by, checked, with_models=body.delete_models)

    leftovers = await models.transactions.write(work)
    ended.report(services, by.principal.user_id)
    await leftovers.remove(models.keeper, batch.files.remove)


def _delete(session: Session, by: Caller, checked: User, *, with_models: bool) -> Leftovers:
    ownership.lock_holdings(session, checked.id)
    held = standing.hold(session, checked.id)
    user = accounts.hold_checked(session, checked)
    if not with_models and (count := ownership.count_of(session, user.id)):
        raise AccountHoldsModels(
            count,
            "They go with it: confirm that (delete_models), or ask an administrator to give them to another "
            "account first.",
        )
    return ownership.delete_account(session, by, held, user)
